"""
Keeping no more than is wanted: what is too old, or too much of a room, goes a little at a time.

Always true: there is a turn of the reactor between two pieces, so nobody notices. What fails is
named in the log, and tried again the next time round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.log.words import SLICE

log = Logger()

#: Seconds of a day.
DAY = 86400

#: Seconds between two rounds.
ROUND = 600

#: Seconds after a piece.
PAUSE = 0.05


class Retention(Service):
    """Prunes all rooms of a log while it runs."""

    def __init__(
        self,
        store: Any,
        reactor: IReactorTime,
        clock: Callable[[], float],
        age: float = 0,
        keep: int = 0,
        wanted: Callable[[str], tuple[int, int]] | None = None,
    ) -> None:
        """
        @param store: an L{ILog<mucs.imucs.ILog>}.
        @param clock: gives seconds since 1970.
        @param age: seconds after which an event goes; 0 for never.
        @param keep: events that a room keeps; 0 for all.
        @param wanted: gives days and events that a room by name is to keep at most, 0 for all.
        """
        self._store = store
        self._reactor = reactor
        self._clock = clock
        self._age = age
        self._keep = keep
        self._wanted = wanted
        self._rooms: list[str] = []
        self._call: IDelayedCall | None = None

    def change(self, age: float, keep: int) -> None:
        """Keep otherwise from now on; what that means is done within the next round."""
        before = self._age, self._keep
        self._age, self._keep = age, keep
        if before == (age, keep):
            return
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if age or keep:
            self._later(PAUSE)

    def startService(self) -> None:
        """Begin with the first round."""
        super().startService()
        if self._age or self._keep or self._wanted is not None:
            self._later(PAUSE)

    def stopService(self) -> None:
        """Do no more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        super().stopService()

    def _later(self, seconds: float) -> None:
        if self.running:
            self._call = self._reactor.callLater(seconds, self._go)

    def _go(self) -> None:
        """A piece of the room at the end of the list; or find out which rooms there are."""
        self._call = None
        if not self._rooms:
            self._store.rooms().addCallbacks(self._listed, self._failed)
            return
        age, keep = self._bounds(self._rooms[-1])
        before = int((self._clock() - age) * 1000) if age else 0
        pruned = self._store.prune(self._rooms[-1], before, keep, SLICE)
        pruned.addCallbacks(self._pruned, self._failed)

    def _listed(self, rooms: list[str]) -> None:
        self._rooms = [room for room in rooms if any(self._bounds(room))]
        self._later(PAUSE if self._rooms else ROUND)

    def _bounds(self, room: str) -> tuple[float, int]:
        """Seconds for which a room's events are kept, and how many: the narrower bounds."""
        days, events = self._wanted(room) if self._wanted is not None else (0, 0)
        return _least(self._age, days * DAY), _least(self._keep, events)

    def _pruned(self, count: int) -> None:
        if count < SLICE:
            self._rooms.pop()
        if not self._rooms:
            self._later(ROUND)
        else:
            self._later(PAUSE if count else 0)

    def _failed(self, failure: Failure) -> None:
        log.failure("old events could not be removed", failure)
        self._rooms = []
        self._later(ROUND)


def _least(*bounds: float) -> Any:
    """The narrowest of some bounds, of which 0 is none."""
    return min((bound for bound in bounds if bound), default=0)
