"""
How fast MUCS is, on the machine at hand: C{python -m bench}.

::

    __main__   the command line
    loads      what is asked of the servers, and the goals
    servers    who is asked: MUCS, naive Twisted, the C limit, two IRC servers
    tools      what is built for it: the generator and the C limit, from the C files here
    run        one server, one load, one record; then all of them, round by round
    saved      the records, in a file and out of it
    figures    ratios and medians of them, and which goals are reached
    table      the same for people;   picture   and for the README

Always true: everything listens on 127.0.0.1 only, is bounded in time, and is ended by
its process id; only ratios of the same round are compared, because a machine is fast in one
minute and slow in the next.  C{README.md} says how to read what comes out.
"""
