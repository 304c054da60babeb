"""
Tries: slowed per address, and per address and account, and never per account alone.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.tries import KEYS, Meter, Tries


class MeterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.meter = Meter(3, 10.0, self.clock.seconds)

    def test_burstAndThenOneAtATime(self) -> None:
        for _ in range(3):
            self.assertEqual(self.meter.wait("a"), 0)
            self.meter.add("a")
        self.assertAlmostEqual(self.meter.wait("a"), 10)
        self.assertEqual(self.meter.wait("b"), 0)
        self.clock.advance(4)
        self.assertAlmostEqual(self.meter.wait("a"), 6)
        self.clock.advance(6)
        self.assertEqual(self.meter.wait("a"), 0)
        self.meter.add("a")
        self.assertAlmostEqual(self.meter.wait("a"), 10)

    def test_givenBack(self) -> None:
        """A try that was none counts for nothing, and is not kept."""
        self.meter.add("a")
        self.meter.add("a", -1)
        self.assertEqual(len(self.meter), 0)
        self.meter.add("a", -1)
        for _ in range(3):
            self.meter.add("a")
        self.assertAlmostEqual(self.meter.wait("a"), 10)

    def test_forgotten(self) -> None:
        """What is back at nothing is forgotten, and there is an end of what is kept."""
        for number in range(100):
            self.meter.add(number)
        self.clock.advance(30)
        self.meter.add("a")
        self.assertEqual(len(self.meter), 1)
        for number in range(KEYS + 10):
            self.meter.add(number)
        self.assertEqual(len(self.meter), KEYS)


class TriesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.tries = Tries(self.clock.seconds)

    def test_oneAccount(self) -> None:
        """From elsewhere its owner gets in, however often others have tried."""
        for _ in range(5):
            self.assertEqual(self.tries.begin("there", "ada"), 0)
        self.assertAlmostEqual(self.tries.begin("there", "ada"), 30)
        self.assertEqual(self.tries.begin("there", "bob"), 0)
        self.assertEqual(self.tries.begin("home", "ada"), 0)

    def test_oneAddress(self) -> None:
        """Trying many accounts is slowed as well."""
        for number in range(20):
            self.assertEqual(self.tries.begin("there", f"n{number}"), 0)
        self.assertAlmostEqual(self.tries.begin("there", "another"), 6)
        self.assertEqual(self.tries.begin("home", "another"), 0)

    def test_oneAddressThatAllShare(self) -> None:
        """Trying other accounts there slows nobody; trying the same one does."""
        for number in range(100):
            self.assertEqual(self.tries.begin("here", f"n{number}", shared=True), 0)
        self.assertEqual(self.tries.begin("here", "ada", shared=True), 0)
        for _ in range(4):
            self.tries.begin("here", "ada", shared=True)
        self.assertAlmostEqual(self.tries.begin("here", "ada", shared=True), 30)
        self.assertEqual(self.tries.begin("here", "zoe"), 0)

    def test_beingRightCostsNothing(self) -> None:
        for _ in range(100):
            self.assertEqual(self.tries.begin("home", "ada"), 0)
            self.tries.right("home", "ada")
        self.assertTrue(self.tries.known("home", "ada"))
        self.assertFalse(self.tries.known("there", "ada"))
        self.assertFalse(self.tries.known("home", "bob"))

    def test_refusedTriesAreNotCounted(self) -> None:
        """Who goes on trying waits no longer for it."""
        for _ in range(50):
            self.tries.begin("there", "ada")
        self.clock.advance(30.01)
        self.assertEqual(self.tries.begin("there", "ada"), 0)
