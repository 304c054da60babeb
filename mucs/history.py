"""
What was said: the log, as people ask it, and the clock that events are timed by.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import SAID, WITHDRAWN, Event, Tail
from mucs.imucs import ILog, IMember
from mucs.room import Room

log = Logger()

#: What is shown of what was said.
SHOWN = SAID | {WITHDRAWN}

#: For one thing said, how many events the log is asked for: comings and goings stand between them.
LEAVEN = 5


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

    def now(self) -> int:
        """Milliseconds since 1970, as events are timed."""
        return int(self._clock() * 1000)

    def tail(self, room: str, limit: int) -> Deferred[Tail]:
        """Fires with what the log knows of a room, and its last events."""
        return self._store.tail(room, limit)

    def said(self, room: Room, before: int, limit: int) -> Deferred[list[Event]]:
        """Fires with the last C{limit} things said in a room before a place, or at all if 0."""

        def pick(events: list[Event]) -> list[Event]:
            return [event for event in events if event.kind in SHOWN][-limit:]

        return self._store.read(room.name, limit * LEAVEN, before=before).addCallback(pick)

    def search(self, session: IMember, words: str, limit: int) -> Deferred[list[Event]]:
        """Fires with things said that hold all words, in the rooms someone is in, newest first."""
        rooms = [room.name for room in session.rooms if not room.private]
        return self._store.search(words, rooms, limit)

    def _nobody(self, failure: Failure) -> list[tuple[str, str]]:
        log.failure("it is unknown who was present", failure)
        return []
