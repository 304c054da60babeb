"""
The real service with a log that is slow, or that does what no log may: for tests that kill it.

Run as a program it is C{twistd}::

    python tests/slowlog.py sound -n mucs --log sqlite:mucs.sqlite

A crash test with a fast disk proves nothing, as there is next to no time in which a batch is half
done: every commit takes L{SLOW} longer here, some of it before and the rest behind.  And a test
that cannot fail proves nothing either, so two of these servers are not L{SOUND}: L{HASTY} says
that something is stored, and commits it afterwards; L{FORGETFUL} does not know an id again.  Of
two more, L{FULL} has no room as long as there is a file called L{FILE}, and L{MUTE} never answers.

Always true: the product knows nothing of this. What is changed is the class of the connection to
the database, in this process.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from itertools import count
from typing import Any, ClassVar

SOUND, HASTY, FORGETFUL, FULL, MUTE = "sound", "hasty", "forgetful", "full", "mute"

#: What stands in the way of writing.
FILE = "filler"

#: Seconds that a commit takes besides what it takes.
SLOW = 0.03


class Slow(sqlite3.Connection):
    """
    A connection whose commits are slow.

    @cvar before: what part of that is before them.
    """

    before = 0.5

    def execute(self, sql: str, /, *rest: Any) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return super().execute(sql, *rest)
        time.sleep(SLOW * self.before)
        done = super().execute(sql)
        time.sleep(SLOW * (1 - self.before))
        return done


class Hasty(sqlite3.Connection):
    """Commits are put off until something else is to be done, or for as long as they take."""

    _isOwed = False

    def execute(self, sql: str, /, *rest: Any) -> sqlite3.Cursor:
        # twistd is to choose the reactor first.
        from twisted.internet import reactor as _reactor

        reactor: Any = _reactor
        if sql == "COMMIT" and reactor.running:
            self._isOwed = True
            reactor.callLater(SLOW, self._pay)
            return self.cursor()
        if sql.startswith(("BEGIN", "PRAGMA")):
            self._pay()
        return super().execute(sql, *rest)

    def _pay(self) -> None:
        if self._isOwed:
            self._isOwed = False
            time.sleep(SLOW)
            super().execute("COMMIT")


class Forgetful(Slow):
    """Every id is stored as another."""

    before = 0.0

    _numbers: ClassVar[count[int]] = count(time.time_ns())

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        if sql.startswith("INSERT INTO events"):
            rows = [(*row[:-1], row[-1] and f"{row[-1]} {next(self._numbers)}") for row in rows]
        return super().executemany(sql, rows)


class Full(sqlite3.Connection):
    """There may be no room."""

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        if os.path.exists(FILE):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().executemany(sql, rows)


KINDS: dict[str, type[sqlite3.Connection]] = {
    SOUND: Slow,
    HASTY: Hasty,
    FORGETFUL: Forgetful,
    FULL: Full,
    MUTE: sqlite3.Connection,
}


def main() -> None:
    """Be C{twistd}."""
    from twisted.internet.defer import Deferred
    from twisted.scripts.twistd import run

    from mucs.log import sqlite, steps

    kind = sys.argv.pop(1)
    steps.Connection = KINDS[kind]
    if kind == MUTE:
        sqlite.SqliteLog.append = lambda self, batch: Deferred()  # type: ignore[method-assign]
    sys.argv[0] = "twistd"
    run()


if __name__ == "__main__":
    main()
