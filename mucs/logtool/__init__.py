"""
C{mucs-log}: what the operator does with a database of what was said.

C{command} takes the command line apart and says what went wrong; C{backup}, C{exports}, C{imports},
C{verify} and C{prune} do one thing each. C{reader} opens a database while a server may be
using it, C{writer} when none does; C{work} shows how far a long piece of work has come, C{newfile}
writes files that are whole or not there, and C{lines} is the form in which rooms are exported.

Always true: what only reads never takes SQLite's write lock and never copies the write-ahead log
back; what writes has the lock that a server would have, and does it in transactions each of which
leaves the database whole. So everything here can be stopped at any moment, by a signal or by
kill -9, and started again.
"""
