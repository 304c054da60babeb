"""
The log that is kept in memory: the newest events of each room, for as long as the server runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from mucs.events import Event
from mucs.imucs import ILog
from mucs.names import fold

#: Rooms that are kept; the one longest without an event goes first.
ROOMS = 10_000


class _Shelf:
    """One room's events."""

    __slots__ = ("events", "seq", "time")

    def __init__(self, limit: int) -> None:
        self.events: deque[Event] = deque(maxlen=limit)
        self.seq = 0
        self.time = 0


@implementer(ILog)
class MemoryLog:
    """@ivar level: C{none}: it outlives nothing."""

    level = "none"

    def __init__(self, clock: Callable[[], float], limit: int = 1000) -> None:
        """
        @param clock: gives seconds since 1970.
        @param limit: events kept of a room.
        """
        self._clock = clock
        self._limit = limit
        self._shelves: dict[str, _Shelf] = {}
        # A room that is made again may be written otherwise; folding takes a microsecond.
        self._key = lru_cache(4096)(fold)

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        now = int(self._clock() * 1000)
        stored: list[Event] = []
        name, shelf = "", _Shelf(0)
        for event in batch:
            if event.room != name:
                name, shelf = event.room, self._shelf(self._key(event.room))
                # A clock that is set back does not set a room back.
                shelf.time = max(shelf.time, now)
            shelf.seq += 1
            kept = Event(
                name,
                shelf.seq,
                shelf.time,
                event.author,
                event.kind,
                event.text,
                event.target,
                event.origin,
            )
            shelf.events.append(kept)
            stored.append(kept)
        return succeed(stored)

    def read(self, room: str, before: int, limit: int) -> Deferred[list[Event]]:
        shelf = self._shelves.get(self._key(room))
        if shelf is None:
            return succeed([])
        newest = reversed(shelf.events)
        earlier = (event for event in newest if not before or event.seq < before)
        return succeed(list(islice(earlier, limit))[::-1])

    def _shelf(self, key: str) -> _Shelf:
        # Taken out and put in again, so that the dict stays in the order of last events.
        shelf = self._shelves.pop(key, None) or _Shelf(self._limit)
        self._shelves[key] = shelf
        if len(self._shelves) > ROOMS:
            del self._shelves[next(iter(self._shelves))]
        return shelf
