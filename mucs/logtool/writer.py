"""
A database that no server is using, to be written to.

Always true: whoever has a L{Writer} has the lock that a server would have. What is committed leaves
the database whole, but may be undone by a power cut until L{Writer.settle} has returned: whoever
says that something is done settles first. Where one is made, and nothing is stored in it before
something fails, it is removed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from mucs.log.changes import Changes
from mucs.log.lock import Lock
from mucs.log.shelves import Shelves
from mucs.log.steps import openDatabase
from mucs.log.words import Index
from mucs.logtool.reader import STEPS, there
from mucs.logtool.work import ToolError, Work

#: Transactions after which the write-ahead log is copied back.
CHECKPOINT = 8


class Writer:
    """
    @ivar db: the connection.
    @ivar shelves: the rooms.
    @ivar changes: what follows from events.
    """

    def __init__(self, path: str, work: Work, make: bool = False) -> None:
        """
        @param make: make a database if there is no file.
        @raise mucs.events.LogError: it is in use, or not ours, or damaged.
        @raise ToolError: there is none.
        """
        if os.path.isdir(path):
            raise ToolError(f"{path}: that is a folder")
        if not make:
            there(path)
        self._path = path
        self._work = work
        self._commits = 0
        self._made = not os.path.exists(path)
        self._lock = Lock(path)
        try:
            self.db = openDatabase(path, self._lock.marked)
            self._lock.mark()
        except BaseException:
            self._lock.release()
            raise
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.set_progress_handler(lambda: work.stopped is not None, STEPS)
        self._index = Index(self.db)
        self.shelves = Shelves(self.db)
        self.changes = Changes(self.db, self._index)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.db.set_progress_handler(None, 0)
        try:
            vain = self._made and error is not None and not self._stored()
            self.db.close()  # this copies the write-ahead log back
            if vain:
                os.unlink(self._path)
                self._lock.unmark()
        finally:
            self._lock.release()

    def _stored(self) -> bool:
        """Whether there is anything in it."""
        return self.db.execute("SELECT * FROM events LIMIT 1").fetchone() is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is done within this is done as a whole, or not at all."""
        self.shelves.bound()
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self.shelves.forget()
            if self.db.in_transaction:
                self.db.set_progress_handler(None, 0)
                self.db.execute("ROLLBACK")
            raise
        self._commits += 1
        if self._commits % CHECKPOINT == 0:
            # Someone who reads may keep it from being complete: then the next one is.
            self.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def index(self) -> None:
        """Put into the index of words whatever is not there yet."""
        mark = self._index.mark()
        (last,) = self.db.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
        self._work.begin("indexing", last - mark)
        while self._index.slice():
            self._index.merge()
            self._commits += 1
            if self._commits % CHECKPOINT == 0:
                self.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._work.at(self._index.mark() - mark)

    def settle(self) -> None:
        """
        See that what was committed outlives a power cut.

        @raise sqlite3.Error: it may not.
        """
        # One commit at this level flushes the write-ahead log, with all that is in it.
        self.db.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            self.db.execute("UPDATE marks SET value = value WHERE name = 'indexed'")
