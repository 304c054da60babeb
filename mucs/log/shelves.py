"""
The rooms of a database: their rows, as far as they were asked for, and reading what is in them.

What is known of a room is kept here between two batches, so that numbering needs no question to
the database. It is a copy, and L{Shelves.forget} makes it be read again: after every failure,
because then only the database knows what is so, and when there are very many.

Always true of what is read: the numbers of a room have no gap. Where they do, the database is
damaged, and that is said instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from mucs.events import WITHDRAWN, Event, LogError
from mucs.names import fold

#: Rooms that are kept in memory, some 0.4 kB each.
ROOMS = 10_000

#: Of an event, what makes an L{Event} with its room's name before it; of a withdrawn one, no words.
#: What is damaged may be of another type.
EVENT = (
    "seq, CAST(time AS INTEGER), CAST(author AS TEXT),"
    f" iif(withdrawn, '{WITHDRAWN}', CAST(kind AS TEXT)), iif(withdrawn, '', CAST(text AS TEXT)),"
    " iif(withdrawn, '', CAST(target AS TEXT)), 0, CAST(id AS TEXT)"
)

#: No seq is as high.
_END = 1 << 62


class Shelf:
    """
    What is known of a room.

    @ivar row: its number in the database.
    @ivar name: as it was first written.
    @ivar head: the seq of its last event.
    @ivar time: of that event.
    @ivar pruned: the seq up to which its events were removed.
    """

    __slots__ = ("head", "name", "pruned", "row", "time")

    def __init__(self, row: int, name: str, head: int = 0, time: int = 0, pruned: int = 0) -> None:
        self.row = row
        self.name = name
        self.head = head
        self.time = time
        self.pruned = pruned


class Shelves:
    """
    The rooms of one database. Everything here may raise C{sqlite3.Error} or L{LogError}.

    @ivar key: what makes the key of a room's name.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._shelves: dict[str, Shelf] = {}
        self.key = lru_cache(ROOMS)(fold)

    def forget(self) -> None:
        """What is in the database is what is true."""
        self._shelves.clear()

    def bound(self) -> None:
        """Forget, if it is too much; not while a batch is being written."""
        if len(self._shelves) > ROOMS:
            self._shelves.clear()

    def find(self, name: str) -> Shelf | None:
        """@return: the room that is called so, however it is written, if there is one."""
        key = self.key(name)
        shelf = self._shelves.get(key)
        if shelf is not None:
            return shelf
        row = self._db.execute(
            "SELECT room, name, head, time, pruned,"
            " (SELECT max(seq) FROM events AS e WHERE e.room = r.room)"
            " FROM rooms AS r WHERE key = ? ORDER BY room LIMIT 1",
            (key,),
        ).fetchone()
        if row is None:
            return None
        *row, last = row
        shelf = Shelf(*row)
        if shelf.head != (shelf.pruned if last is None else last):
            raise damaged(shelf)
        self._shelves[key] = shelf
        return shelf

    def make(self, name: str) -> Shelf:
        """@return: the room that is called so, new if need be; within a transaction."""
        shelf = self.find(name)
        if shelf is None:
            key = self.key(name)
            row = self._db.execute("INSERT INTO rooms (name, key) VALUES (?, ?)", (name, key))
            shelf = self._shelves[key] = Shelf(row.lastrowid or 0, name)
        return shelf

    def wrote(self, shelves: Sequence[Shelf]) -> None:
        """Write down how far these have come."""
        self._db.executemany(
            "UPDATE rooms SET head = ?, time = ? WHERE room = ?",
            [(shelf.head, shelf.time, shelf.row) for shelf in shelves],
        )

    def topic(self, shelf: Shelf) -> str:
        """@return: what the room is about."""
        (topic,) = self._db.execute(
            "SELECT CAST(topic AS TEXT) FROM rooms WHERE room = ?", (shelf.row,)
        ).fetchone()
        return str(topic)

    def names(self) -> list[str]:
        """@return: of all rooms, in the order they were made."""
        return [name for (name,) in self._db.execute("SELECT name FROM rooms ORDER BY room")]

    def read(self, shelf: Shelf, limit: int, before: int = 0, after: int = 0) -> list[Event]:
        """What C{ILog.read} says, of one room."""
        before, after = min(before or _END, _END), min(after, _END)
        rows = self._db.execute(
            f"SELECT {EVENT} FROM events WHERE room = ? AND seq > ? AND seq < ?"
            f" ORDER BY seq {'' if after else 'DESC'} LIMIT ?",
            (shelf.row, after, before, max(0, limit)),
        ).fetchall()
        if not after:
            rows.reverse()
        # Where it must begin and end, if nothing is missing.
        last = min(before - 1, shelf.head)
        first = max(after, shelf.pruned) + 1
        if after:
            last = min(last, first + limit - 1)
        else:
            first = max(first, last - limit + 1)
        if [row[0] for row in rows] != list(range(first, last + 1)):
            raise damaged(shelf)
        return [Event(shelf.name, *row) for row in rows]


def damaged(shelf: Shelf) -> LogError:
    """@return: what to say."""
    return LogError(f"the log is damaged: something of #{shelf.name} is missing")
