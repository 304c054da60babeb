"""
The log that is kept in an SQLite database: one writer, one transaction for each batch.

A batch is committed before C{append} answers, on the reactor's own thread: that takes 0.1 to
0.4 ms with a fast disk, and a writer thread was measured to be worse (p99 110 ms). What need not be
in that commit is not: words are indexed, and the write-ahead log is copied back, in slices between
the turns, on the same connection (before SQLite 3.51.3 a second one that does so can corrupt the
file).

Always true: a room's numbers have no gap, whatever fails. A commit that fails may have been stored
all the same; then it is I{unknown} what became of it. After any failure the database is asked again
how far its rooms have come, before anything more is numbered.

C{steps} opens the database, C{lock} keeps others out, and C{watch} sees that it is still there;
C{shelves} knows its rooms, C{changes}
what follows from an event; C{words} and C{search} find what was said; C{records} has what is kept
beside it; C{tidying} is for between the turns.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, takewhile
from operator import attrgetter
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mucs.events import SPEECH, Event, LogError, NotStored, Tail, Unknown
from mucs.imucs import ILog
from mucs.log.changes import Changes
from mucs.log.lock import Lock
from mucs.log.records import Records
from mucs.log.search import Search
from mucs.log.shelves import Shelf, Shelves
from mucs.log.steps import openDatabase, why
from mucs.log.tidying import Tidying
from mucs.log.watch import Watch
from mucs.log.words import SLICE, Index, Wanted

T = TypeVar("T")

log = Logger()

#: What each level asks of SQLite.
LEVELS = {"process": "NORMAL", "power": "FULL"}


@implementer(ILog)
class SqliteLog:
    """@ivar level: C{power}: outlives a power cut; C{process}: outlives the process."""

    def __init__(
        self, path: str, reactor: IReactorTime, clock: Callable[[], float], level: str = "power"
    ) -> None:
        """@param clock: gives seconds since 1970."""
        self.path = path
        self.level = level
        self._reactor = reactor
        self._clock = clock
        self._isOpen = False

    def open(self) -> None:
        """
        Open the database, or make one. Not before the process has become a daemon: a connection
        does not survive that.
        """
        self._lock = Lock(self.path)
        try:
            self._db = openDatabase(self.path, self._lock.marked)
            self._lock.mark()
            self._watch = Watch(self.path, self._lock, self._reactor.seconds)
        except BaseException:
            self._lock.release()
            raise
        self._shelves = Shelves(self._db)
        self._index = Index(self._db)
        self._changes = Changes(self._db, self._index)
        self._records = Records(self._db)
        self._tidying = Tidying(self._db, self._index, self._reactor, self._undo, self._watch)
        self._tidying.soon()
        self._isOpen = True

    def close(self) -> None:
        """Let go of the file; what is not indexed yet is so after the next start."""
        if not self._isOpen:
            return
        self._isOpen = False
        self._tidying.stop()
        try:
            self._db.close()  # this copies the write-ahead log back
        except sqlite3.Error:
            log.failure("{path} could not be closed", path=self.path)
        self._watch.close()
        self._lock.release()

    # Writing.

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        if not batch:
            return succeed([])
        return self._write(lambda: self._store(batch))

    def _write(self, work: Callable[[], T]) -> Deferred[T]:
        """
        Do some work in a transaction.

        @return: fires with what it returned; fails as C{ILog.append} says.
        """
        try:
            self._watch.look()
            if self._tidying.relaxed:
                self._db.execute(f"PRAGMA synchronous = {LEVELS[self.level]}")
                self._tidying.relaxed = False
            self._shelves.bound()
            self._db.execute("BEGIN IMMEDIATE")
            done = work()
        except Exception as error:
            if not isinstance(error, (sqlite3.Error, OSError, LogError)):
                log.failure("{path}: a fault", path=self.path)
            self._undo()
            return fail(NotStored(why(error)))
        try:
            self._db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._undo()
            # Where there is no room, the frame that ends the transaction was not written.
            full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
            return fail(NotStored(why(error)) if full else Unknown(why(error)))
        self._tidying.soon()
        return succeed(done)

    def _undo(self) -> None:
        """Something failed: what is in the database is what is true."""
        self._shelves.forget()
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except (sqlite3.Error, OSError):
            log.failure("a transaction of {path} could not be undone", path=self.path)

    def _store(self, batch: Sequence[Event]) -> list[Event]:
        try:
            return self._insert(batch)
        except sqlite3.IntegrityError:
            # Something has an id that is there already, which is rare enough to begin again.
            self._undo()
            self._db.execute("BEGIN IMMEDIATE")
            new, answers = self._changes.sift(batch, self._shelves)
            stored = self._insert(new)
            return [stored[one] if isinstance(one, int) else one for one in answers]

    def _insert(self, batch: Sequence[Event]) -> list[Event]:
        now = self._now()
        stored: list[Event] = []
        rows: list[tuple[object, ...]] = []
        changes: list[tuple[int, Event]] = []
        shelves: dict[int, Shelf] = {}
        for name, events in groupby(batch, attrgetter("room")):
            shelf = self._shelves.make(name)
            name, row = shelf.name, shelf.row
            # A clock that is set back does not set a room back.
            time = shelf.time = max(shelf.time, now)
            kept = [
                Event(name, seq, time, e.author, e.kind, e.text, e.target, e.origin, e.id)
                for seq, e in enumerate(events, shelf.head + 1)
            ]
            shelf.head = kept[-1].seq
            shelves[row] = shelf
            stored += kept
            rows += [(row, e.seq, time, e.kind, e.author, e.text, e.target, e.id) for e in kept]
            changes += [(row, e) for e in kept if e.kind not in SPEECH]
        self._db.executemany(
            "INSERT INTO events (room, seq, time, kind, author, text, target, id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._shelves.wrote(list(shelves.values()))
        for row, event in changes:
            self._changes.make(row, event)
        size = sum([len(event.text) for event in stored])
        self._tidying.pages += 5 + len(stored) // 25 + size // 4096
        return stored

    def remember(self, values: Mapping[str, bytes], until: int) -> Deferred[None]:
        return self._write(lambda: self._records.remember(values, until, self._now()))

    def recall(self, key: str) -> Deferred[bytes | None]:
        return self._write(lambda: self._records.recall(key, self._now()))

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        return self._write(lambda: self._records.put(kind, key, value))

    def entries(self, kind: str, last: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        return self._read(lambda: self._records.entries(kind, last))

    def prune(self, room: str, before: int = 0, keep: int = 0, most: int = SLICE) -> Deferred[int]:
        def work() -> int:
            shelf = self._shelves.find(room)
            if shelf is None:
                return 0
            last = shelf.head - keep if keep else 0
            rows = self._changes.oldest(shelf, most)
            gone = list(takewhile(lambda row: row[1] <= last or row[2] < before, rows))
            if gone:
                self._changes.prune(shelf, gone)
                # Each is taken out of a page of its own, of the index of its id, and of the words.
                size = sum([len(text) for _, _, _, text, _ in gone])
                self._tidying.pages += 5 + len(gone) // 12 + size // 2048
            return len(gone)

        return self._write(work)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    # Reading.

    def _read(self, work: Callable[[], T]) -> Deferred[T]:
        """@return: fires with what the work returned, or fails with L{LogError}."""
        try:
            return succeed(work())
        except LogError as error:
            return fail(LogError(f"{self.path}: {error}"))
        except (sqlite3.Error, OSError) as error:
            return fail(LogError(f"{self.path}: {why(error)}"))
        except (TypeError, ValueError) as error:
            # A column is of another type than it was stored as.
            return fail(LogError(f"{self.path}: it is damaged: {why(error)}"))

    def tail(self, room: str, limit: int) -> Deferred[Tail]:
        def work() -> Tail:
            shelf = self._shelves.find(room)
            if shelf is None:
                return Tail()
            events = self._shelves.read(shelf, limit)
            return Tail(shelf.name, self._shelves.topic(shelf), shelf.head, tuple(events))

        return self._read(work)

    def read(self, room: str, limit: int, before: int = 0, after: int = 0) -> Deferred[list[Event]]:
        def work() -> list[Event]:
            shelf = self._shelves.find(room)
            return [] if shelf is None else self._shelves.read(shelf, limit, before, after)

        return self._read(work)

    def search(self, words: str, rooms: Sequence[str], limit: int) -> Deferred[list[Event]]:
        def work() -> Search | None:
            wanted = Wanted(words)
            shelves = filter(None, map(self._shelves.find, rooms))
            places = {shelf.row: shelf.name for shelf in shelves}
            if not places or not wanted.query or limit < 1:
                return None
            return Search(self._db, self._index, self._reactor, wanted, places, limit)

        def begun(search: Search | None) -> Deferred[list[Event]]:
            if search is None:
                return succeed([])
            search.step(lambda error: f"{self.path}: {why(error)}")
            return search.answer

        return self._read(work).addCallback(begun)

    def present(self) -> Deferred[list[tuple[str, str]]]:
        return self._read(self._changes.present)

    def rooms(self) -> Deferred[list[str]]:
        return self._read(self._shelves.names)
