"""C{python -m mucs.logtool}: the same as C{mucs-log}."""

from mucs.logtool.command import main

main()
