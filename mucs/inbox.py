"""
The inbox: intents that wait for their turn.

A session does what it is asked at once, as long as its L{Bucket} has a token and no change of
its own is under way.  What comes beyond that waits here; when too much waits, its connection is
read no more until some of it is done.  Nobody is refused for being fast, and nobody else waits.

When the connection ends there is no more time: what waits is done at once, but only as much of it
as the bucket has tokens for and may wait besides.  Or closing would be a way around the rate: what
the connection has read, and the kernel still has, can be thousands of lines.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mucs.events import Intent, Typed
from mucs.imucs import IReader
from mucs.rules import Bucket, Limits


class Owner(Protocol):
    """Whose inbox it is."""

    changes: int

    def perform(self, intent: Intent | Typed) -> None:
        """Do what is asked."""

    def worked(self) -> None:
        """Some of what waited is done."""


class Inbox:
    """
    @ivar bucket: how fast its owner may be.
    @ivar spent: whether nothing more is done: the connection ends, and what may be done is.
    @ivar undone: how many intents came to nothing by that.
    """

    __slots__ = (
        "_hurried",
        "_limits",
        "_owner",
        "_paused",
        "_queue",
        "_reactor",
        "_reader",
        "_tick",
        "bucket",
        "spent",
        "undone",
    )

    def __init__(
        self, reactor: IReactorTime, limits: Limits, owner: Owner, reader: IReader
    ) -> None:
        self.bucket = Bucket(limits.burst, limits.rate, reactor.seconds)
        self._reactor = reactor
        self._limits = limits
        self._owner = owner
        self._reader = reader
        self._queue: deque[Intent | Typed] | None = None
        self._tick: IDelayedCall | None = None
        self._paused = False
        self._hurried = False
        self.spent = False
        self.undone = 0

    def __len__(self) -> int:
        """How many intents wait."""
        return len(self._queue) if self._queue else 0

    def isPaused(self) -> bool:
        """Whether the connection is not read."""
        return self._paused

    def wait(self, intent: Intent | Typed) -> None:
        """This is to be done when its turn comes, if it still may come."""
        if self._hurried and not self._queue and not self._owner.changes:
            self.spent = True
        if self.spent:
            self.undone += 1
            return
        if self._queue is None:
            self._queue = deque()
        self._queue.append(intent)
        if len(self._queue) >= self._limits.waiting and not self._paused:
            self._paused = True
            self._reader.pauseProducing()
        self._schedule()

    def work(self) -> None:
        """Do what waits, as far as the rules allow."""
        self._cancel()
        while self._queue and not self._owner.changes and self.bucket.take():
            self._owner.perform(self._queue.popleft())
        if self._queue and self._hurried and not self._owner.changes:
            self.spent = True
            self.undone += len(self._queue)
            self._queue.clear()
        if self._paused and len(self) < self._limits.waiting:
            self._paused = False
            self._reader.resumeProducing()
        self._schedule()
        self._owner.worked()

    def hurry(self) -> None:
        """The connection ends: do without delay what may still be done, and nothing after that."""
        if not self._hurried:
            self._hurried = True
            self.bucket.lend(self._limits.waiting)

    def close(self) -> None:
        """Nothing of what waits is to be done."""
        self._queue = None
        self._cancel()

    def _schedule(self) -> None:
        """Go on when there is a token again, unless a change will see to that."""
        if self._queue and self._tick is None and not self._owner.changes:
            self._tick = self._reactor.callLater(self.bucket.wait(), self.work)

    def _cancel(self) -> None:
        if self._tick is not None and self._tick.active():
            self._tick.cancel()
        self._tick = None
