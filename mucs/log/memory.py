"""
The log that is kept in memory: the newest events of each room, for as long as the server runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from mucs.events import Event
from mucs.imucs import ILog
from mucs.names import fold

#: Rooms that are kept; the one longest without an event goes first.
ROOMS = 10_000

#: Rooms of which only the number and the time of the last event are kept, some 0.3 kB each: there
#: may be people in them, whose places are numbers that must not begin again.
ENDS = 100 * ROOMS


class _Shelf:
    """One room's events."""

    __slots__ = ("events", "seq", "time")

    def __init__(self, limit: int, seq: int = 0, time: int = 0) -> None:
        self.events: deque[Event] = deque(maxlen=limit)
        self.seq = seq
        self.time = time


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
        self._ends: dict[str, tuple[int, int]] = {}  # seq and time of those that were given up
        # A room that is made again may be written otherwise; folding takes a microsecond.
        self._key = lru_cache(4096)(fold)

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        now = int(self._clock() * 1000)
        stored: list[Event] = []
        for name, events in groupby(batch, attrgetter("room")):
            shelf = self._shelf(self._key(name))
            # A clock that is set back does not set a room back.
            time = shelf.time = max(shelf.time, now)
            kept = [
                Event(name, seq, time, one.author, one.kind, one.text, one.target, one.origin)
                for seq, one in enumerate(events, shelf.seq + 1)
            ]
            shelf.seq = kept[-1].seq
            shelf.events.extend(kept)
            stored += kept
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
        shelf = self._shelves.pop(key, None)
        if shelf is None:
            shelf = _Shelf(self._limit, *self._ends.pop(key, ()))
        self._shelves[key] = shelf
        if len(self._shelves) > ROOMS:
            quietest = next(iter(self._shelves))
            end = self._shelves.pop(quietest)
            self._ends[quietest] = (end.seq, end.time)
            if len(self._ends) > ENDS:
                del self._ends[next(iter(self._ends))]
        return shelf
