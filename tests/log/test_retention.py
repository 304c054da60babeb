"""Tests for L{mucs.log.retention}."""

from __future__ import annotations

from collections.abc import Callable
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

    def begin(
        self,
        age: float = 0,
        keep: int = 0,
        wanted: Callable[[str], tuple[int, int]] | None = None,
    ) -> None:
        """Start it."""
        self.service = Retention(self.store, self.reactor, self.clock, age, keep, wanted)
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

    def test_aRoomsOwn(self) -> None:
        """Of what a room wants kept and what the server keeps, the less is kept."""
        for room in ("lobby", "garden", "attic"):
            self.append(*[draft("a", room) for _ in range(10)])
        wanted = {"garden": (0, 3), "attic": (0, 50)}
        self.begin(keep=8, wanted=lambda room: wanted.get(room, (0, 0)))
        self.pass_(1)
        self.assertEqual([*self.count(), len(self.read("attic"))], [8, 3, 8])

    def test_wantedByNone(self) -> None:
        """Rooms that keep everything are not looked at."""
        self.append(draft("a"), draft("a", "garden"))
        self.begin(wanted=lambda room: (0, 0))
        self.patch(self.store, "prune", None)
        self.pass_(1)
        (next_,) = self.reactor.getDelayedCalls()
        self.assertGreater(next_.getTime() - self.reactor.seconds(), retention.ROUND - 1)

    def test_aRoomsOwnDays(self) -> None:
        """Where the server keeps everything, a room may still not."""
        self.append(draft("a"), draft("a", "garden"))
        self.begin(wanted=lambda room: (2, 0) if room == "garden" else (0, 0))
        self.now += 86400
        self.pass_(1)
        self.assertEqual(self.count(), [1, 1])
        self.now += 86400
        self.reactor.advance(retention.ROUND)
        self.pass_(1)
        self.assertEqual(self.count(), [1, 0])

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

    def test_changing(self) -> None:
        """While it runs: what is to go then goes at once; and nothing more, once all is kept."""
        self.append(*[draft("a") for _ in range(9)])
        self.begin()
        self.service.change(0, 4)
        self.pass_(2)
        self.assertEqual(self.count(), [4, 0])
        self.service.change(0, 4)
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        self.service.change(0, 0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.service.change(0, 2)
        self.pass_(2)
        self.assertEqual(self.count(), [2, 0])

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
