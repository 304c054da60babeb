"""
What people choose for themselves does not say what is not so of others.
"""

from __future__ import annotations

from mucs.events import Refused
from tests.house import HouseCase


class ForgeryTests(HouseCase):
    """Names and deeds that would read like something that happened."""

    def test_aNameThatGoesOnFromAnothers(self) -> None:
        """Who is here as bob is not joined by somebody called C{bob left}, or C{bob is now}."""
        self.house.enters("bob")
        for name in ("bob left", "Bob is now", "bob said"):
            eve = self.house.connect("native")
            eve.says(name)
            self.house.turn()
            self.assertIn("could be about bob, who is here", eve.lines()[-2])

    def test_aNameThatAnotherGoesOnFrom(self) -> None:
        """Nor the other way round."""
        self.house.enters("bob left")
        eve = self.house.connect("native")
        self.assertRaises(Refused, self.house.hall.names.claim, eve.session, "bob")

    def test_theNameIsFreeAgain(self) -> None:
        """Once that one has gone, it can be had."""
        longer = self.house.enters("bob left")
        longer.closes()
        self.house.turn()
        self.house.enters("bob")

    def test_wordsOfTheServers(self) -> None:
        """Nobody is called what the server says in place of a name."""
        for name in ("nobody else", "one other", "17 others", "Nobody Else"):
            eve = self.house.connect("native")
            eve.says(name)
            self.house.turn()
            self.assertIn("is not to be taken as a name", eve.lines()[-2])

    def test_deeds(self) -> None:
        """C{/me joined} and the like are refused; C{/me waves} is not."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        bob.lines()
        happened = ("joined", "left", "left (tea)", "is now eve", "changed the topic to: x")
        for deed in (*happened, "was kicked out by ada", "was kicked out by ada (tea)"):
            ada.says(f"/me {deed}")
            self.house.turn()
            self.assertEqual(bob.lines(), [])
            self.assertIn("as if it had happened", ada.lines()[-1])
        ada.says("/me waves")
        self.house.turn()
        self.assertEqual(bob.lines(), ["* ada waves"])


class BrowserTests(HouseCase):
    """A web page that is open beside the server."""

    def test_itCannotSpeak(self) -> None:
        """What begins like a browser's request is closed, and nothing of it is done."""
        bob = self.house.enters("bob")
        bob.lines()
        page = self.house.connect("native")
        page.sends(b"POST / HTTP/1.1\r\nHost: localhost:7000\r\n\r\nevil\r\nhello\r\n")
        self.house.turn()
        self.assertTrue(page.closed)
        self.assertEqual(bob.lines(), [])


class EmptyNameTests(HouseCase):
    """Pressing Enter at the question for a name."""

    def test_itIsAnswered(self) -> None:
        """An empty name, or an invisible one, is refused with a sentence, and asked for again."""
        for nothing in (b"\r\n", "\u3164\r\n".encode()):
            eve = self.house.connect("native")
            eve.lines()
            eve.sends(nothing)
            self.assertEqual(
                eve.lines(), ["! a name cannot be empty", "-- what is your name?"]
            )
