"""
One search in a database: first through what is not indexed yet, then in the index, newest first.

When the server was busy there may be much that is not indexed, so it is looked through a piece at
a time, and the reactor has its turn between two pieces. Meanwhile events come, and the mark of the
index moves on; so a search goes downwards, and what counts is how far down it has come.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mucs.events import Event, LogError
from mucs.log.shelves import EVENT
from mucs.log.words import SEARCHED, Index, Wanted

#: Events that are looked through at once: some 5 ms.
PIECE = 5000


class Search:
    """@ivar answer: fires with events, or fails with L{LogError}."""

    def __init__(
        self,
        db: sqlite3.Connection,
        index: Index,
        reactor: IReactorTime,
        wanted: Wanted,
        rooms: Mapping[int, str],
        limit: int,
    ) -> None:
        """
        @param rooms: the names of the rooms to look in, by their rows.
        @param limit: how many events to find.
        """
        self.answer: Deferred[list[Event]] = Deferred()
        self._db = db
        self._index = index
        self._reactor = reactor
        self._wanted = wanted
        self._rooms = rooms
        self._limit = limit
        self._found: list[int] = []
        self._below: int | None = None

    def step(self, why: Callable[[Exception], str]) -> None:
        """Go on; C{why} makes a sentence of what failed."""
        try:
            over = self._step()
            events = self._events() if over else []
        except (sqlite3.Error, OSError, TypeError, ValueError) as error:
            self.answer.errback(LogError(why(error)))
            return
        if over:
            self.answer.callback(events)
        else:
            self._reactor.callLater(0, self.step, why)

    def _step(self) -> bool:
        """@return: whether there is nothing more to look through."""
        if self._below is None:
            (last,) = self._db.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
            self._below = int(last) + 1
        mark = self._index.mark()
        bottom = max(mark, self._below - 1 - PIECE)
        if bottom < self._below - 1:
            rows = self._db.execute(
                # The plus keeps SQLite from going through all there is of the rooms.
                "SELECT event, text FROM events WHERE event > ? AND event < ?"
                f" AND +room IN ({','.join('?' * len(self._rooms))})"
                f" AND {SEARCHED} AND NOT withdrawn ORDER BY event DESC",
                (bottom, self._below, *self._rooms),
            ).fetchall()
            found = self._wanted.among([str(text) for _, text in rows])
            self._found += [rows[at][0] for at in found]
            self._below = bottom + 1
        missing = self._limit - len(self._found)
        if missing > 0 and bottom > mark:
            return False
        if missing > 0:
            self._found += self._index.find(self._wanted, self._rooms, self._below, missing)
        return True

    def _events(self) -> list[Event]:
        """What was found, as far as it is still there."""
        events = []
        for event in self._found[: self._limit]:
            row = self._db.execute(
                f"SELECT room, {EVENT} FROM events WHERE event = ? AND NOT withdrawn", (event,)
            ).fetchone()
            if row is not None and row[0] in self._rooms:
                events.append(Event(self._rooms[row[0]], *row[1:]))
        return events
