"""Tests for L{mucs.log.retention}."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import LogError
from mucs.log import retention
from mucs.log.memory import MemoryLog
from mucs.log.retention import Retention
from tests.log.contract import LogCase, draft


class RetentionTests(LogCase, SynchronousTestCase):
    """What is kept, while the server runs."""

    def makeLog(self) -> MemoryLog:
        self.reactor = Clock()
        return MemoryLog(self.clock)

    def begin(self, age: float = 0, keep: int = 0) -> None:
        """Start it."""
        self.service = Retention(self.store, self.reactor, self.clock, age, keep)
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def pass_(self, seconds: float) -> None:
        """Time goes by."""
        for _ in range(int(seconds / retention.PAUSE)):
            self.now += retention.PAUSE
            self.reactor.advance(retention.PAUSE)

    def count(self) -> list[int]:
        """How much there is of two rooms."""
        return [len(self.read(room, limit=5000)) for room in ("lobby", "garden")]

    def test_offByDefault(self) -> None:
        """Where nothing is to go, nothing is done."""
        self.begin()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_byCount(self) -> None:
        """A piece at a time, room by room, then again after a while."""
        self.append(*[draft("a") for _ in range(900)], *[draft("a", "garden") for _ in range(3)])
        self.begin(keep=100)
        counts = []
        for _ in range(8):
            counts.append(sum(self.count()))
            self.pass_(retention.PAUSE)
        self.assertEqual(counts, [903, 903, 703, 503, 303, 103, 103, 103])
        self.append(draft("b"))
        self.pass_(retention.ROUND - 1)
        self.assertEqual(self.count(), [101, 3])
        self.pass_(2)
        self.assertEqual(self.count(), [100, 3])

    def test_byAge(self) -> None:
        """What is older goes."""
        self.append(draft("a"), draft("b", "garden"))
        self.begin(age=300)
        self.pass_(200)
        self.append(draft("c"))
        self.pass_(500)
        self.assertEqual(self.count(), [0, 0])

    def test_failing(self) -> None:
        """It is said, and tried again."""
        self.append(draft("a"))
        store: Any = self.store
        self.patch(store, "prune", lambda *_: fail(LogError("the disk is gone")))
        self.begin(age=1)
        self.pass_(2)
        self.assertEqual(len(self.flushLoggedErrors(LogError)), 1)
        del store.prune
        self.pass_(retention.ROUND + 1)
        self.assertEqual(self.count(), [0, 0])

    def test_stopping(self) -> None:
        """Then it does no more."""
        self.begin(keep=1)
        self.service.stopService()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
