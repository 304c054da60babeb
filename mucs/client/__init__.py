"""
The line client, C{mucs}: for those who stay, and for scripts.

Who knows what::

    options, kept, asking   the command line, what was chosen last time, what is asked for
    address, dialects       where to, and how other servers speak: values
    told, strangers         what a server says; what other servers say: values
    wording, colours, display  how it is shown
    outbox, rooms           what is to be said, and what was seen
    arrival, conversation   coming in, and talking, with a server that counts (json)
    timers                  what is done later
    lines                   the same with a server that only has lines: the five dialects
    client                  which of these two it is; leaving, giving up
    line                    bytes, and lines that are lost: Twisted's ClientService
    screen, printed         the views: a terminal; lines, a pipe, a source of events
    typist, recalled, reader  what is typed: until it is whole, before, and on stdin

C{conversation} and C{lines} know no terminal and no reactor, only a clock; the views know no
protocol.  Nothing reaches a view that L{mucs.text.clean} has not seen.

Always true: what was typed is said once, or it is said that it was not, or that this is unknown;
nothing is shown twice; and what a server sends can do nothing to a terminal.
"""
