"""
What was said: the log, as people ask it, and the clock that events are timed by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import FOUND, WITHDRAWN, Event, Refused, Tail
from mucs.imucs import ILog
from mucs.pairs import Pairs
from mucs.room import Room
from mucs.signs import hasWords

log = Logger()

#: What is shown of what was said.
SHOWN = FOUND | {WITHDRAWN}

#: For one thing said, how many events the log is asked for: comings and goings stand between them.
LEAVEN = 5

#: Events that are asked for at once, at least; and that are looked through, about.
AT_ONCE = 200
LOOKED_AT = 5000


class History:
    """@ivar level: what the log outlives: C{none}, C{process} or C{power}."""

    def __init__(self, store: ILog, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds since 1970."""
        self._store = store
        self._clock = clock
        self._opened = False

    @property
    def level(self) -> str:
        return self._store.level

    def open(self) -> Deferred[list[tuple[str, str]]]:
        """
        Begin, unless that is done.

        @return: fires with who is present as far as the log knows: room and name.
        @raise LogError: the log cannot be used.
        """
        if self._opened:
            return succeed([])
        self._opened = True
        self._store.open()
        return self._store.present().addErrback(self._nobody)

    def close(self) -> None:
        """Let go of the log."""
        self._store.close()

    def probe(self) -> Deferred[None]:
        """Fires if the log can store something; fails if not."""
        return self._store.remember({"health": b""}, self.now())

    def now(self) -> int:
        """Milliseconds since 1970, as events are timed."""
        return int(self._clock() * 1000)

    def tail(self, room: str, limit: int) -> Deferred[Tail]:
        """Fires with what the log knows of a room, and its last events."""
        return self._store.tail(room, limit)

    def said(self, room: Room, before: int, limit: int) -> Deferred[list[Event]]:
        """Fires with the last C{limit} things said in a room before a place, or at all if 0."""
        return self._said(room.name, before, limit)

    def happened(self, room: Room, after: int, limit: int) -> Deferred[list[Event]]:
        """Fires with the first C{limit} events of a room after a place, of every kind."""
        if after:
            return self._store.read(room.name, limit, after=after)
        # Nothing stands before the first one, so 0 is no place to the log.
        first = self._store.read(room.name, 1, before=2)

        def rest(events: list[Event]) -> Deferred[list[Event]]:
            others = self._store.read(room.name, limit - len(events), after=1)
            return others.addCallback(lambda more: events + more)

        return first.addCallback(rest)

    def between(self, one: str, other: str, limit: int) -> Deferred[list[Event]]:
        """Fires with the last C{limit} private words of two accounts that are kept."""
        return self._said(Pairs.room(one, other), 0, limit)

    def _said(self, room: str, before: int, limit: int) -> Deferred[list[Event]]:
        most = max(AT_ONCE, limit * LEAVEN)
        found: list[Event] = []
        looked = 0

        def pick(events: list[Event]) -> list[Event] | Deferred[list[Event]]:
            nonlocal found, looked
            looked += len(events)
            found = [event for event in events if event.kind in SHOWN] + found
            if len(found) >= limit or len(events) < most or looked >= LOOKED_AT:
                return found[-limit:]
            # There was so much coming and going that what was said is further back.
            return self._store.read(room, most, before=events[0].seq).addCallback(pick)

        return self._store.read(room, most, before=before).addCallback(pick)

    def search(self, session: Any, words: str, limit: int) -> Deferred[list[Event]]:
        """
        Fires with things said that hold all words, newest first: in the rooms someone is in, and
        in private words of theirs that are kept.
        """
        if not hasWords(words):
            raise Refused("which words? /search tea four finds what has both")
        rooms = [room.name for room in session.rooms if not room.private and session.past(room)]
        rooms += session.hall.pairs.of(session.account)
        return self._store.search(words, rooms, limit)

    def _nobody(self, failure: Failure) -> list[tuple[str, str]]:
        log.failure("it is unknown who was present", failure)
        return []
