"""
Tests for L{mucs.linger}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs import linger
from mucs.linger import MOMENT, MOST_PASSED, Linger
from mucs.rules import Limits
from tests.house import House


class LingerTests(SynchronousTestCase):
    """
    @ivar asked: how often it was asked whether there is more.
    @ivar comes: after how many times there is.
    """

    def setUp(self) -> None:
        self.patch(linger, "PROCESSORS", 2)
        self.clock = Clock()
        self.asked, self.comes = 0, 3
        self.linger = Linger(self.isQuiet, self.clock.seconds)

    def isQuiet(self) -> bool:
        self.asked += 1
        self.clock.advance(MOMENT / 10)
        return self.asked < self.comes

    def waits(self, comes: int = 1000) -> int:
        """A turn is over. @return: how often it was asked for more, that comes after so many."""
        self.asked, self.comes = 0, comes
        self.linger.wait()
        return self.asked

    def test_untilThereIsMore(self) -> None:
        """It waits no longer than that, and does so after each turn as long as it is worth it."""
        self.assertEqual([self.waits(comes) for comes in (3, 1, 5, 2)], [3, 1, 5, 2])

    def test_noLongerThanAMoment(self) -> None:
        """If nothing comes it goes on after a moment."""
        began = self.clock.seconds()
        self.assertIn(self.waits(), (10, 11))
        self.assertLess(abs(self.clock.seconds() - began - MOMENT), MOMENT / 5)

    def test_inVain(self) -> None:
        """The more often in a row that was in vain, the more turns pass until it is tried again."""
        tried = [number for number in range(5000) if self.waits()]
        pauses = [after - before - 1 for before, after in zip(tried, tried[1:], strict=False)]
        self.assertEqual(pauses[:10], [1, 3, 7, 15, 31, 63, 127, 255, 511, 1023])
        self.assertEqual(set(pauses[10:]), {MOST_PASSED})

    def test_worthItAgain(self) -> None:
        """Where something comes after all, it is tried after each turn again."""
        for _ in range(100):
            self.waits()
        passed = [self.waits(2) for _ in range(100)]
        self.assertEqual(passed, sorted(passed))
        self.assertEqual(passed[-1], 2)
        self.waits()
        self.assertEqual([self.waits(2) for _ in range(3)], [0, 2, 2])

    def test_aSingleProcessor(self) -> None:
        """There nobody could send anything meanwhile."""
        self.patch(linger, "PROCESSORS", 1)
        self.assertEqual(self.waits(), 0)

    def test_afterTheTurn(self) -> None:
        """It is when all is said that it is asked; and not while more is to be stored."""
        house = House(Limits(rate=0, events=2))
        ada, bob = house.enters("ada"), house.enters("bob")
        bob.seen()
        told: list[list[str]] = []
        self.patch(house.hall._turn._linger, "wait", lambda: told.append(bob.lines()))
        ada.sends(b"one\ntwo\nthree\nfour\n")
        house.turn()
        self.assertEqual(told, [["ada: one", "ada: two", "ada: three", "ada: four"]])
