"""
Tests for L{mucs.inbox} and L{mucs.line.protocol}: however a connection ends, that is no way to say
more at once than the rules allow.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone

from mucs.rules import Limits
from tests.house import House, HouseCase, Person

#: What goes through at once at the end: a burst, and as much as may wait.
MOST = 100

#: As much as the kernel gives at once.
PASTE = b"".join(b"line %d\n" % n for n in range(6000))


class EndingTests(HouseCase):
    """Thousands of lines, and then the end."""

    limits = Limits()

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.house.enters("bob")

    def said(self) -> list[str]:
        """What bob is shown of it."""
        self.house.turn()
        self.house.turn()
        return [line for line in self.bob.lines() if ": " in line]

    def assertBounded(self, seen: list[str]) -> None:
        """The first ones in their order, some of what waited among them; but no more."""
        self.assertEqual(seen, [f"ada: line {n}" for n in range(len(seen))])
        # The name, and its turn, took a token.
        self.assertIn(len(seen), (MOST - 1, MOST))

    def test_closedAtOnceBehindItsName(self) -> None:
        """While its join is still on its way to the log."""
        ada = self.house.connect()
        ada.sends(b"ada\n" + PASTE)
        ada.closes()
        self.assertBounded(self.said())
        self.assertGone(ada)

    def test_closedInEveryWay(self) -> None:
        """Half and then wholly, wholly at once as over TLS, or by a reset."""
        for end in (Person.closes, Person.resets, lambda ada: ada.wire.lose(ConnectionDone())):
            ada = self.house.enters("ada")
            ada.sends(PASTE)
            self.assertEqual(len(self.said()), 49)
            end(ada)
            self.assertEqual(len(self.said()), 50)
            self.assertGone(ada)

    def test_closedInTheTurnOfThePaste(self) -> None:
        """What is said before the connection is known to be lost counts too."""
        ada = self.house.enters("ada")
        ada.sends(PASTE)
        ada.resets()
        self.assertBounded(self.said())
        self.assertGone(ada)

    def test_whereASegmentIsAMessage(self) -> None:
        """There the connection cannot be read more slowly, and much may wait."""
        ada = self.house.enters("ada", "shh")
        ada.sends(PASTE)
        ada.closes()
        self.house.turn()
        self.assertLessEqual(len(self.said()), MOST)
        self.assertGone(ada)

    def test_theServerStops(self) -> None:
        """It is no reason to say more; and one is told what was not said."""
        ada = self.house.enters("ada")
        ada.sends(PASTE)
        self.house.hall.stopService()
        self.assertBounded(self.said())
        told = ada.lines()
        self.assertEqual(
            told[:2],
            [
                "! not said, as it was too much at once: the last 5901 lines from you",
                "! the server is shutting down",
            ],
        )

    def test_whatWasNotTooMuchIsSaid(self) -> None:
        """Who is within the bounds loses nothing when the server stops, and is told nothing."""
        ada = self.house.enters("ada")
        ada.sends(b"".join(PASTE.splitlines(True)[:99]))
        self.house.hall.stopService()
        self.assertBounded(self.said())
        self.assertEqual(ada.lines()[0], "! the server is shutting down")

    def test_oneLineTooMany(self) -> None:
        """Is called one line."""
        ada = self.house.enters("ada")
        ada.sends(b"".join(PASTE.splitlines(True)[:100]))
        self.house.hall.stopService()
        self.assertBounded(self.said())
        self.assertEqual(
            ada.lines()[0], "! not said, as it was too much at once: the last line from you"
        )

    def test_aQuitAmongThemIsTheEnd(self) -> None:
        """Nothing behind it is done, however much may still be."""
        ada = self.house.enters("ada")
        ada.sends(b"".join(PASTE.splitlines(True)[:60]) + b"/quit\n" + PASTE)
        ada.closes()
        self.assertEqual(len(self.said()), 60)
        self.assertGone(ada)

    def test_changesAmongThem(self) -> None:
        """Each is waited for, and what is behind it is bounded all the same."""
        ada = self.house.enters("ada")
        ada.sends(b"".join(b"/me %d\n/topic %d\n" % (n, n) for n in range(3000)))
        ada.closes()
        for _ in range(300):
            self.house.turn()
        self.assertIn(len(self.bob.lines()), (MOST, MOST + 1))  # and that she left
        self.assertGone(ada)

    def test_withoutALimitAllIsSaid(self) -> None:
        """Where the operator allows any speed."""
        self.house = House(Limits(rate=0))
        self.bob, ada = self.house.enters("bob"), self.house.enters("ada")
        ada.sends(PASTE)
        ada.closes()
        for _ in range(10):
            self.house.turn()
        self.assertEqual(len([line for line in self.bob.lines() if ": " in line]), 6000)

    def test_onlyTheSendingSideIsClosed(self) -> None:
        """Then there is time: it goes on at its pace, until the connection is lost."""
        ada = self.house.enters("ada")
        ada.sends(PASTE)
        ada.finishes()
        seen = self.said()
        self.house.waits(25, 0.25)
        seen += self.said()
        self.assertEqual(len(seen), 49 + 100)
        ada.resets()
        seen += self.said()
        self.assertEqual(seen, [f"ada: line {n}" for n in range(49 + 100 + 50)])
        self.assertGone(ada)
