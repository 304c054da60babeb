"""
What an event changes besides being there: who is present, the topic, what is withdrawn; what was
there already; and what goes when a room is pruned.

All of it is called within the transaction of L{mucs.log.sqlite.SqliteLog}, and may raise
C{sqlite3.Error}.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mucs.events import JOIN, LEAVE, NICK, SAID, SPEECH, TOPIC, UNDO, Event
from mucs.log.shelves import EVENT, Shelf, Shelves
from mucs.log.words import SEARCHED, Index

#: Of an event that may be pruned: event, seq, time, text, and whether it can be found by words.
Oldest = tuple[int, int, int, str, int]

_OLDEST = f"event, seq, time, text, {SEARCHED} AND NOT withdrawn"


class Changes:
    """What follows from events, in one database."""

    def __init__(self, db: sqlite3.Connection, index: Index) -> None:
        self._db = db
        self._index = index

    def sift(
        self, batch: Sequence[Event], shelves: Shelves
    ) -> tuple[list[Event], list[Event | int]]:
        """
        Find out what of a batch is stored already, by the ids.

        @return: what is new; and for each of the batch the event there is, or its place among what
            is new.
        """
        new: list[Event] = []
        answers: list[Event | int] = []
        ids: dict[tuple[str, str, str], int] = {}
        for one in batch:
            if one.id:
                key = (shelves.key(one.room), one.author, one.id)
                known: Event | int | None = ids.get(key)
                if known is None:
                    known = self._known(shelves.find(one.room), one)
                if known is not None:
                    answers.append(known)
                    continue
                ids[key] = len(new)
            answers.append(len(new))
            new.append(one)
        return new, answers

    def _known(self, shelf: Shelf | None, event: Event) -> Event | None:
        """@return: the event of that room and author that has the same id."""
        if shelf is None:
            return None
        row = self._db.execute(
            f"SELECT {EVENT} FROM events WHERE room = ? AND author = ? AND id = ? AND id != ''",
            (shelf.row, event.author, event.id),
        ).fetchone()
        return None if row is None else Event(shelf.name, *row)

    def make(self, row: int, event: Event) -> None:
        """An event was stored in the room with this row: what follows from it."""
        kind = event.kind
        if kind == JOIN:
            self._db.execute("INSERT OR IGNORE INTO present VALUES (?, ?)", (row, event.author))
        elif kind == LEAVE:
            self._db.execute("DELETE FROM present WHERE room = ? AND name = ?", (row, event.author))
        elif kind == NICK:
            self._db.execute(
                "UPDATE OR REPLACE present SET name = ? WHERE room = ? AND name = ?",
                (event.target, row, event.author),
            )
        elif kind == TOPIC:
            self._db.execute("UPDATE rooms SET topic = ? WHERE room = ?", (event.text, row))
        elif kind == UNDO:
            seq = undone(event)
            if seq:
                self._withdraw(row, seq)

    def _withdraw(self, row: int, seq: int) -> None:
        found = self._db.execute(
            f"SELECT event, kind, text, {SEARCHED} FROM events"
            " WHERE room = ? AND seq = ? AND NOT withdrawn",
            (row, seq),
        ).fetchone()
        if found is None:
            return
        event, kind, text, searched = found
        if kind not in WITHDRAWABLE:
            return
        self._db.execute("UPDATE events SET withdrawn = 1 WHERE event = ?", (event,))
        if searched and event <= self._index.mark():
            self._index.remove([(event, row, text)])

    def present(self) -> list[tuple[str, str]]:
        """@return: who is in which room."""
        return self._db.execute(
            "SELECT r.name, p.name FROM present AS p JOIN rooms AS r USING (room)"
        ).fetchall()

    def oldest(self, shelf: Shelf, most: int) -> list[Oldest]:
        """@return: the oldest events of a room."""
        return self._db.execute(
            f"SELECT {_OLDEST} FROM events WHERE room = ? ORDER BY seq LIMIT ?",
            (shelf.row, max(0, most)),
        ).fetchall()

    def prune(self, shelf: Shelf, gone: Sequence[Oldest]) -> None:
        """Remove the oldest events of a room."""
        mark = self._index.mark()
        self._index.remove(
            [
                (event, shelf.row, text)
                for event, _, _, text, searched in gone
                if searched and event <= mark
            ]
        )
        self._db.executemany("DELETE FROM events WHERE event = ?", [(one[0],) for one in gone])
        # SQLite numbers from the last event there is, and what comes next has yet to be indexed.
        self._db.execute(
            "UPDATE marks SET value = min(value, (SELECT coalesce(max(event), 0) FROM events))"
            " WHERE name = 'indexed'"
        )
        shelf.pruned = gone[-1][1]
        self._db.execute("UPDATE rooms SET pruned = ? WHERE room = ?", (shelf.pruned, shelf.row))


#: What can be withdrawn: words. A change has happened, and it is another change that undoes it.
WITHDRAWABLE = (SPEECH | SAID) - {TOPIC}


def undone(event: Event) -> int:
    """@return: the seq of what an C{undo} withdraws; 0 if that was not before it."""
    target = event.target
    if target.isascii() and target.isdecimal() and len(target) < 19:
        seq = int(target)
        return seq if seq < event.seq else 0
    return 0
