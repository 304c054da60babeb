"""
Putting the events of an export into rooms: under their own numbers, or behind what is there.

All of it is called within a transaction, and says what is wrong with C{BadLine} before the
transaction is over; which line it is stands in the sentence.

Always true: a room's numbers have no gap and its times do not go back, here as where a server
writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mucs.events import SPEECH, UNDO, WITHDRAWN, Event
from mucs.log.changes import Changes
from mucs.log.shelves import Shelf, Shelves
from mucs.logtool.lines import BadLine, Line

#: An event that is to be stored: the number of its line, its room, and it.
New = tuple[int, Shelf, Event]


class Course:
    """
    How far a room has come in the file.

    @ivar seq: the number, there, of the last event.
    @ivar first: from this number on, there, numbers differ by C{offset}.
    @ivar offset: what is added to them here.
    """

    __slots__ = ("first", "offset", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.first = seq + 1
        self.offset = 0


class Filing:
    """
    @ivar stored: how many events were stored.
    @ivar passed: how many were there already.
    @ivar rooms: what is known of rooms, by row.
    """

    def __init__(
        self, shelves: Shelves, changes: Changes, db: sqlite3.Connection, append: bool
    ) -> None:
        """@param append: number events anew."""
        self.stored = 0
        self.passed = 0
        self.rooms: dict[int, Course] = {}
        self._shelves = shelves
        self._changes = changes
        self._db = db
        self._append = append

    def store(self, batch: Sequence[tuple[int, Line]]) -> None:
        """
        Store some lines, each with its number in the file.

        @raise BadLine: one does not fit.
        """
        new = self._appended(batch) if self._append else self._kept(batch)
        self._db.execute("SAVEPOINT filing")
        try:
            self._insert(new)
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK TO filing")
            raise BadLine(self._twice(new)) from error
        self._db.execute("RELEASE filing")
        self.stored += len(new)

    def _course(self, number: int, line: Line) -> tuple[Shelf, Course]:
        """Go on in a room."""
        shelf = self._shelves.make(line.room)
        course = self.rooms.get(shelf.row)
        seq = line.seq or line.pruned
        if course is None:
            course = self.rooms[shelf.row] = Course(seq - 1)
        elif seq != course.seq + 1:
            raise BadLine(f"line {number}: in #{line.room} {seq} follows {course.seq}")
        course.seq = seq
        return shelf, course

    # Under their own numbers.

    def _kept(self, batch: Sequence[tuple[int, Line]]) -> list[New]:
        new: list[New] = []
        for number, line in batch:
            shelf, course = self._course(number, line)
            if not shelf.head:
                self._begin(shelf, number, line)
            if line.seq <= shelf.pruned:
                self.passed += bool(line.seq)
            elif line.seq <= shelf.head:
                self._compare(shelf, number, line)
                self.passed += 1
            elif line.seq > shelf.head + 1:
                raise BadLine(
                    f"line {number}: #{shelf.name} ends at {shelf.head} in the database,"
                    f" and this is {line.seq}"
                )
            elif line.time < shelf.time:
                raise BadLine(f"line {number}: its time is before that of {shelf.head}")
            else:
                shelf.head, shelf.time = line.seq, line.time
                new.append((number, shelf, line.event()))
        return new

    def _begin(self, shelf: Shelf, number: int, line: Line) -> None:
        """@raise BadLine: it is not the beginning of a room."""
        if line.seq > 1:
            raise BadLine(
                f"line {number}: #{line.room} begins with {line.seq}, and what was before it is"
                f' missing; if it was pruned, a line with "pruned":{line.seq - 1} says so'
            )
        shelf.pruned = shelf.head = line.pruned
        self._db.execute(
            "UPDATE rooms SET pruned = ?, topic = ? WHERE room = ?",
            (shelf.pruned, line.topic, shelf.row),
        )
        self._shelves.wrote([shelf])

    def _compare(self, shelf: Shelf, number: int, line: Line) -> None:
        """@raise BadLine: another event has that number."""
        [there] = self._shelves.read(shelf, 1, before=line.seq + 1, after=line.seq - 1)
        if not _same(there, line.event()):
            raise BadLine(
                f"line {number}: #{shelf.name} has another event {line.seq} in the database;"
                " --append puts what is in the file behind what is there"
            )

    # Behind what is there.

    def _appended(self, batch: Sequence[tuple[int, Line]]) -> list[New]:
        new: list[New] = []
        _, answers = self._changes.sift([line.event() for _, line in batch], self._shelves)
        fresh = 0
        for (number, line), answer in zip(batch, answers, strict=True):
            shelf, course = self._course(number, line)
            isFresh = answer == fresh
            fresh += isFresh
            if not line.seq or not isFresh or _isVain(line, course):
                # A line about a room; what a client has sent with the same id twice; or an undo of
                # what is not known here.
                course.first = course.seq + 1
                self.passed += bool(line.seq)
                continue
            course.offset = shelf.head + 1 - line.seq
            shelf.head, shelf.time = shelf.head + 1, max(shelf.time, line.time)
            new.append((number, shelf, _renumbered(line.event(), shelf, course)))
        return new

    # Both.

    def _insert(self, new: Sequence[New]) -> None:
        self._db.executemany(
            "INSERT INTO events (room, seq, time, kind, author, text, target, id, withdrawn)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    s.row,
                    e.seq,
                    e.time,
                    e.kind,
                    e.author,
                    e.text,
                    e.target,
                    e.id,
                    e.kind == WITHDRAWN,
                )
                for _, s, e in new
            ],
        )
        self._shelves.wrote(list({shelf.row: shelf for _, shelf, _ in new}.values()))
        for _, shelf, event in new:
            if event.kind not in SPEECH:
                self._changes.make(shelf.row, event)

    def _twice(self, new: Sequence[New]) -> str:
        """@return: which line it was that could not be stored, and why."""
        _, answers = self._changes.sift([event for _, _, event in new], self._shelves)
        for at, (answer, (number, _, event)) in enumerate(zip(answers, new, strict=True)):
            if answer != at:
                return f"line {number}: {event.author} has said something else with that id before"
        return f"line {new[0][0]} or one behind it: it is there already"


def _same(one: Event, other: Event) -> bool:
    """Whether it is the same event, though it may have been withdrawn in the one place."""
    if (one.seq, one.time, one.author, one.id) != (other.seq, other.time, other.author, other.id):
        return False
    if WITHDRAWN in (one.kind, other.kind):
        return True
    return (one.kind, one.text, one.target) == (other.kind, other.text, other.target)


def _isVain(line: Line, course: Course) -> bool:
    """Whether it takes back what has no number here that is known; it is withdrawn in the file."""
    return line.kind == UNDO and int(line.target) < course.first


def _renumbered(event: Event, shelf: Shelf, course: Course) -> Event:
    target = event.target
    if event.kind == UNDO:
        target = str(int(target) + course.offset)
    return Event(
        shelf.name,
        shelf.head,
        shelf.time,
        event.author,
        event.kind,
        event.text,
        target,
        0,
        event.id,
    )
