"""
A log that answers when it is told to, late, or fails: what no embedded log does, and what
everything above a log must stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mucs.events import Event, NotStored, Tail, Unknown
from mucs.imucs import ILog
from mucs.log.memory import MemoryLog


class LogFault(NotStored):
    """The log could not store something, or not find it."""


@implementer(ILog)
class LateLog:
    """
    @ivar asked: every batch it was ever asked to store.
    @ivar appends: how many of them wait for an answer: never more than one.
    @ivar reads: how many other questions wait for theirs.
    @ivar prompt: whether it answers at once for now.
    """

    level = "none"

    def __init__(self, clock: Callable[[], float], prompt: bool = False) -> None:
        self.asked: list[list[Event]] = []
        self.prompt = prompt
        self._within = MemoryLog(clock)
        self._append: Deferred[list[Event]] | None = None
        self._reads: list[tuple[Deferred[Any], Callable[[], Deferred[Any]]]] = []

    @property
    def appends(self) -> int:
        return int(self._append is not None)

    @property
    def reads(self) -> int:
        return len(self._reads)

    def open(self) -> None:
        self._within.open()

    def close(self) -> None:
        self._within.close()

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        if self._append is not None:
            raise AssertionError("a second batch while one is under way")
        self.asked.append(list(batch))
        answer = self._append = Deferred[list[Event]]()
        if self.prompt:
            self.stores()
        return answer

    def tail(self, room: str, limit: int) -> Deferred[Tail]:
        return self._later(lambda: self._within.tail(room, limit))

    def read(self, room: str, limit: int, before: int = 0, after: int = 0) -> Deferred[list[Event]]:
        return self._later(lambda: self._within.read(room, limit, before, after))

    def search(self, words: str, rooms: Sequence[str], limit: int) -> Deferred[list[Event]]:
        return self._later(lambda: self._within.search(words, rooms, limit))

    def present(self) -> Deferred[list[tuple[str, str]]]:
        return self._later(self._within.present)

    def rooms(self) -> Deferred[list[str]]:
        return self._later(self._within.rooms)

    def remember(self, values: Mapping[str, bytes], until: int) -> Deferred[None]:
        return self._later(lambda: self._within.remember(values, until))

    def recall(self, key: str) -> Deferred[bytes | None]:
        return self._later(lambda: self._within.recall(key))

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        return self._later(lambda: self._within.put(kind, key, value))

    def entries(self, kind: str, last: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        # At once: nobody comes in before a hall has read its records.
        return self._within.entries(kind, last)

    def prune(self, room: str, before: int = 0, keep: int = 0, most: int = 1000) -> Deferred[int]:
        return self._later(lambda: self._within.prune(room, before, keep, most))

    def _later(self, ask: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        answer = Deferred[Any]()
        self._reads.append((answer, ask))
        if self.prompt:
            self.finds()
        return answer

    def kept(self, room: str) -> list[Event]:
        """Everything that is stored of a room, without asking."""
        events: list[Event] = []
        self._within.read(room, 1_000_000).addCallback(events.extend)
        return events

    def stores(self) -> None:
        """Store what is under way, and say so."""
        self._within.append(self.asked[-1]).chainDeferred(self._answer())

    def fails(self) -> None:
        """Do not store what is under way, and say so."""
        self._answer().errback(LogFault("the disk is full"))

    def losesTouch(self, stored: bool) -> None:
        """Store what is under way or not, and do not know which."""
        if stored:
            self._within.append(self.asked[-1])
        self._answer().errback(Unknown("the disk does not answer"))

    def _answer(self) -> Deferred[list[Event]]:
        answer, self._append = self._append, None
        assert answer is not None, "nothing is to be stored"
        return answer

    def finds(self) -> None:
        """Answer the oldest question."""
        answer, ask = self._reads.pop(0)
        ask().chainDeferred(answer)

    def findsNothing(self) -> None:
        """Let the oldest question fail."""
        self._reads.pop(0)[0].errback(LogFault("the disk is gone"))

    def answers(self) -> None:
        """Answer everything that was asked."""
        while self._append is not None or self._reads:
            if self._append is not None:
                self.stores()
            else:
                self.finds()
