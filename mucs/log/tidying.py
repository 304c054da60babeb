"""
What is done between the turns: words are indexed, and the write-ahead log is copied back.

Both cost as much as a commit, so they are done in slices, one at a time and some milliseconds
apart, while nobody waits for them. Neither need outlive a power cut, since both are then done
again: they are committed at SQLite's NORMAL level, and L{Tidying.relaxed} says that the level must
be set again before anything is promised.

Always true: nothing is raised here. What fails is named in the log, and tried again in a minute.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mucs.events import LogError
from mucs.log.watch import Watch
from mucs.log.words import MERGED, Index

log = Logger()

#: Seconds between a commit, or a slice, and the next slice.
PAUSE = 0.02

#: How many times as long as a slice took it is until the next one: on a slow disk, or a busy
#: machine, tidying takes a twentieth of the time and no more.
SHARE = 19

#: Seconds after a slice that failed.
RETRY = 60

#: Pages of 4096 bytes in the write-ahead log beyond which it is copied back, more or less:
#: some 5 ms, most of it for flushing to the disk.
CHECKPOINT = 500


class Tidying:
    """
    @ivar relaxed: whether a commit would outlive less than the log's level promises.
    @ivar pages: about how many were written since the write-ahead log was copied back.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        index: Index,
        reactor: IReactorTime,
        undo: Callable[[], None],
        watch: Watch,
    ) -> None:
        """
        @param undo: ends a transaction that something failed in.
        @param watch: is told when the database is written to.
        """
        self.relaxed = True
        self.pages = 0
        self._db = db
        self._index = index
        self._reactor = reactor
        self._undo = undo
        self._watch = watch
        self._call: IDelayedCall | None = None

    def soon(self, pause: float = PAUSE) -> None:
        """There is something to do."""
        if self._call is None:
            self._call = self._reactor.callLater(pause, self._tidy)

    def stop(self) -> None:
        """Do no more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _tidy(self) -> None:
        self._call = None
        begun = self._reactor.seconds()
        try:
            self._watch.look(always=self.pages > CHECKPOINT)
            self.relaxed = True
            self._db.execute("PRAGMA synchronous = NORMAL")
            if self.pages > CHECKPOINT:
                # Someone who reads, a backup say, may keep it from being complete: it is so
                # when as much has been written again.
                try:
                    self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                finally:
                    self._watch.wrote()
                self.pages = 0
            else:
                looked = self._index.slice()
                merged = self._index.merge()
                if not looked and not merged:
                    return
                self.pages += looked // 10 + MERGED * merged
        except LogError:
            self.soon(RETRY)  # it was said when it was seen
        except Exception:
            log.failure("the log of what was said could not be tidied")
            self._undo()
            self.soon(RETRY)
        else:
            self.soon(max(PAUSE, SHARE * (self._reactor.seconds() - begun)))
