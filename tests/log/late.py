"""
A log that answers when it is told to, late, or fails: what no embedded log does, and what
everything above a log must stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mucs.events import Event
from mucs.imucs import ILog
from mucs.log.memory import MemoryLog


class LogFault(Exception):
    """The log could not store something."""


@implementer(ILog)
class LateLog:
    """
    @ivar asked: every batch it was ever asked to store.
    @ivar appends: how many of them wait for an answer: never more than one.
    @ivar reads: how many readings wait for theirs.
    @ivar prompt: whether it answers at once for now.
    """

    level = "none"

    def __init__(self, clock: Callable[[], float], prompt: bool = False) -> None:
        self.asked: list[list[Event]] = []
        self.prompt = prompt
        self._within = MemoryLog(clock)
        self._append: Deferred[list[Event]] | None = None
        self._reads: list[tuple[Deferred[list[Event]], str, int, int]] = []

    @property
    def appends(self) -> int:
        return int(self._append is not None)

    @property
    def reads(self) -> int:
        return len(self._reads)

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        if self._append is not None:
            raise AssertionError("a second batch while one is under way")
        self.asked.append(list(batch))
        answer = self._append = Deferred[list[Event]]()
        if self.prompt:
            self.stores()
        return answer

    def read(self, room: str, before: int, limit: int) -> Deferred[list[Event]]:
        answer = Deferred[list[Event]]()
        self._reads.append((answer, room, before, limit))
        if self.prompt:
            self.finds()
        return answer

    def kept(self, room: str) -> list[Event]:
        """Everything that is stored of a room, without asking."""
        events: list[Event] = []
        self._within.read(room, 0, 1_000_000).addCallback(events.extend)
        return events

    def stores(self) -> None:
        """Store what is under way, and say so."""
        answer, self._append = self._append, None
        assert answer is not None, "nothing is to be stored"
        self._within.append(self.asked[-1]).chainDeferred(answer)

    def fails(self) -> None:
        """Do not store what is under way, and say so."""
        answer, self._append = self._append, None
        assert answer is not None, "nothing is to be stored"
        answer.errback(LogFault("the disk is full"))

    def finds(self) -> None:
        """Answer the oldest reading."""
        answer, room, before, limit = self._reads.pop(0)
        self._within.read(room, before, limit).chainDeferred(answer)

    def findsNothing(self) -> None:
        """Let the oldest reading fail."""
        self._reads.pop(0)[0].errback(LogFault("the disk is gone"))

    def answers(self) -> None:
        """Answer everything that was asked."""
        while self._append is not None or self._reads:
            if self._append is not None:
                self.stores()
            else:
                self.finds()
