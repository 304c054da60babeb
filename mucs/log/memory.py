"""
The log that is kept in memory: the newest events of each room, for as long as the server runs.

What it knows of an event it knows as long as it keeps it: an id that has fallen off with its event
is a new one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from mucs.events import FOUND, JOIN, LEAVE, NICK, SPEECH, TOPIC, UNDO, WITHDRAWN, Event, Tail
from mucs.imucs import ILog
from mucs.log.changes import WITHDRAWABLE, undone
from mucs.log.words import SLICE, Wanted
from mucs.names import fold

ROOM = attrgetter("room")

#: Rooms that are kept; the one longest without an event goes first.
ROOMS = 10_000

#: Rooms of which only the number and the time of the last event are kept, some 0.3 kB each: there
#: may be people in them, whose places are numbers that must not begin again.
ENDS = 100 * ROOMS

#: Values that are remembered; the oldest goes first.
MEMORIES = 100_000


class _Shelf:
    """One room's events."""

    __slots__ = ("events", "ids", "name", "present", "seq", "time", "topic")

    def __init__(self, limit: int, name: str, seq: int = 0, time: int = 0) -> None:
        self.events: deque[Event] = deque(maxlen=limit)
        self.ids: dict[tuple[str, str], int] = {}  # seqs, by author and id; some are gone
        self.name = name
        self.present: dict[str, None] = {}
        self.seq = seq
        self.time = time
        self.topic = ""

    def at(self, seq: int) -> int:
        """Where the event of that number is; below 0 if it is gone."""
        return seq - self.seq + len(self.events) - 1

    def known(self, author: str, id: str) -> Event | None:
        """The event of that author with that id."""
        at = self.at(self.ids.get((author, id), 0))
        return self.events[at] if at >= 0 else None

    def add(self, events: Sequence[Event]) -> None:
        """These are new."""
        self.events.extend(events)
        self.seq, self.time = events[-1].seq, events[-1].time
        for event in events:
            if event.kind not in SPEECH:
                self._change(event)

    def know(self, event: Event) -> None:
        """This new one has an id."""
        self.ids[event.author, event.id] = event.seq
        if len(self.ids) > 2 * len(self.events):
            self.ids = {(one.author, one.id): one.seq for one in self.events if one.id}

    def _change(self, event: Event) -> None:
        kind = event.kind
        if kind == JOIN:
            self.present[event.author] = None
        elif kind == LEAVE:
            self.present.pop(event.author, None)
        elif kind == NICK and event.author in self.present:
            del self.present[event.author]
            self.present[event.target] = None
        elif kind == TOPIC:
            self.topic = event.text
        elif kind == UNDO:
            at = self.at(undone(event))
            if at >= 0 and (one := self.events[at]).kind in WITHDRAWABLE:
                self.events[at] = Event(
                    one.room, one.seq, one.time, one.author, WITHDRAWN, id=one.id
                )


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
        # Name, seq and time of those that were given up.
        self._ends: dict[str, tuple[str, int, int]] = {}
        self._memories: dict[str, tuple[bytes, int]] = {}
        self._records: dict[str, dict[str, bytes]] = {}
        # A room that is made again may be written otherwise; folding takes a microsecond.
        self._key = lru_cache(4096)(fold)

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        now = self._now()
        stored: list[Event] = []
        for name, events in groupby(batch, ROOM):
            shelf = self._shelf(name)
            name = shelf.name
            # A clock that is set back does not set a room back.
            time = max(shelf.time, now)
            drafts = list(events)
            if not [one for one in drafts if one.id]:
                kept = [
                    Event(name, seq, time, one.author, one.kind, one.text, one.target, one.origin)
                    for seq, one in enumerate(drafts, shelf.seq + 1)
                ]
                shelf.add(kept)
                stored += kept
                continue
            for one in drafts:
                event = shelf.known(one.author, one.id) if one.id else None
                if event is None:
                    event = Event(
                        name,
                        shelf.seq + 1,
                        time,
                        one.author,
                        one.kind,
                        one.text,
                        one.target,
                        one.origin,
                        one.id,
                    )
                    shelf.add([event])
                    if event.id:
                        shelf.know(event)
                stored.append(event)
        return succeed(stored)

    def prune(self, room: str, before: int = 0, keep: int = 0, most: int = SLICE) -> Deferred[int]:
        shelf = self._shelves.get(self._key(room))
        gone = 0
        if shelf is not None:
            last = shelf.seq - keep if keep else 0
            events = shelf.events
            while events and gone < most and (events[0].seq <= last or events[0].time < before):
                events.popleft()
                gone += 1
        return succeed(gone)

    def tail(self, room: str, limit: int) -> Deferred[Tail]:
        shelf = self._shelves.get(self._key(room))
        if shelf is None:
            name, seq, _ = self._ends.get(self._key(room), ("", 0, 0))
            return succeed(Tail(name, "", seq))
        return succeed(Tail(shelf.name, shelf.topic, shelf.seq, tuple(_last(shelf, limit))))

    def read(self, room: str, limit: int, before: int = 0, after: int = 0) -> Deferred[list[Event]]:
        shelf = self._shelves.get(self._key(room))
        if shelf is None:
            return succeed([])
        if not after:
            return succeed(_last(shelf, limit, before))
        start = min(max(0, shelf.at(after) + 1), len(shelf.events))
        end = min(len(shelf.events), start + max(0, limit))
        if before:
            end = min(end, shelf.at(before))
        return succeed(list(islice(shelf.events, start, max(start, end))))

    def search(self, words: str, rooms: Sequence[str], limit: int) -> Deferred[list[Event]]:
        wanted = Wanted(words)
        found: list[Event] = []
        for key in {self._key(room) for room in rooms}:
            shelf = self._shelves.get(key)
            if shelf is not None:
                said = [event for event in shelf.events if event.kind in FOUND]
                found += [said[at] for at in wanted.among([event.text for event in said])]
        found.sort(key=lambda event: (event.time, event.seq), reverse=True)
        return succeed(found[: max(0, limit)])

    def present(self) -> Deferred[list[tuple[str, str]]]:
        shelves = self._shelves.values()
        return succeed([(shelf.name, name) for shelf in shelves for name in shelf.present])

    def rooms(self) -> Deferred[list[str]]:
        return succeed([shelf.name for shelf in self._shelves.values()])

    def remember(self, values: Mapping[str, bytes], until: int) -> Deferred[None]:
        for key, value in values.items():
            self._memories.pop(key, None)
            self._memories[key] = (value, until)
        # The first ones are mostly those that expire first.
        now = self._now()
        while self._memories:
            first = next(iter(self._memories))
            if self._memories[first][1] > now and len(self._memories) <= MEMORIES:
                break
            del self._memories[first]
        return succeed(None)

    def recall(self, key: str) -> Deferred[bytes | None]:
        value, until = self._memories.pop(key, (None, 0))
        return succeed(value if until > self._now() else None)

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        records = self._records.setdefault(kind, {})
        if value is None:
            records.pop(key, None)
        else:
            records[key] = value
        return succeed(None)

    def entries(self, kind: str, last: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        return succeed(sorted(self._records.get(kind, {}).items())[-last:])

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _shelf(self, name: str) -> _Shelf:
        key = self._key(name)
        # Taken out and put in again, so that the dict stays in the order of last events.
        shelf = self._shelves.pop(key, None)
        if shelf is None:
            shelf = _Shelf(self._limit, *self._ends.pop(key, (name,)))
        self._shelves[key] = shelf
        if len(self._shelves) > ROOMS:
            quietest = next(iter(self._shelves))
            end = self._shelves.pop(quietest)
            self._ends[quietest] = (end.name, end.seq, end.time)
            if len(self._ends) > ENDS:
                del self._ends[next(iter(self._ends))]
        return shelf


def _last(shelf: _Shelf, limit: int, before: int = 0) -> list[Event]:
    """The last events whose seq is below a number, or the last ones at all."""
    end = min(len(shelf.events), shelf.at(before)) if before else len(shelf.events)
    end = max(0, end)
    # From the right, which is where they mostly are.
    skip = len(shelf.events) - end
    return list(islice(reversed(shelf.events), skip, skip + max(0, limit)))[::-1]
