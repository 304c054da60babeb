"""What the tests of the log in SQLite share: a database in a temporary file, and faults in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from typing import Any, ClassVar

from twisted.internet.task import Clock

from mucs.imucs import ILog
from mucs.log import tidying
from mucs.log.sqlite import SqliteLog
from tests.log.contract import LogCase


class Faulty(sqlite3.Connection):
    """
    A connection to a database on a disk that fails.

    @cvar fault: what is raised when a statement begins with C{at}, once it is set.
    @cvar done: whether the statement is carried out all the same.
    @cvar commits: how often something was committed, and at which level.
    """

    fault: ClassVar[Exception | None] = None
    at: ClassVar[str] = "COMMIT"
    done: ClassVar[bool] = False
    commits: ClassVar[list[int]] = []

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        self._fail(sql)
        return super().execute(sql, *parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        self._fail(sql)
        return super().executemany(sql, parameters)

    def _fail(self, sql: str) -> None:
        if sql == "COMMIT":
            (level,) = super().execute("PRAGMA synchronous").fetchone()
            self.commits.append(level)
        if self.fault is not None and sql.startswith(self.at):
            if self.done:
                super().execute(sql)
            raise self.fault


class Turns(Clock):
    """A clock that can be turned by one turn of the reactor."""

    def turn(self) -> None:
        """Call what is due, but not what that makes due."""
        due = [call for call in self.calls if call.getTime() <= self.seconds()]
        for call in due:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)


class SqliteCase(LogCase):
    """
    A test with a database.

    @ivar path: where it is.
    @ivar reactor: turned by hand.
    """

    level = "process"

    def makeLog(self) -> ILog:
        self.reactor = Turns()
        self.path = self.mktemp()
        return self.openable()

    def openable(self, level: str = "") -> SqliteLog:
        """A log of the same database, not yet open."""
        return SqliteLog(self.path, self.reactor, lambda: self.now, level or self.level)

    def mktemp(self) -> str:
        """A path of its own, in memory where that is possible: tests need not wait for the disk."""
        memory = "/dev/shm"
        folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
        self.addCleanup(shutil.rmtree, folder)
        return os.path.join(folder, "mucs.sqlite")

    @property
    def db(self) -> sqlite3.Connection:
        """The log's own connection."""
        store: Any = self.store
        db: sqlite3.Connection = store._db
        return db

    def tidy(self) -> None:
        """Let everything be done that is done between the turns."""
        for _ in range(1000):
            if not self.reactor.getDelayedCalls():
                return
            self.reactor.advance(tidying.PAUSE)
        self.fail("there is no end of it")
