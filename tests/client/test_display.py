"""Tests of L{mucs.client.display}: what C{/set} changes in the client."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from mucs.client.colours import Palette
from mucs.client.display import Display
from mucs.client.wording import happened
from tests.client.base import GuestCase, ToldCase


class DisplayTests(SynchronousTestCase):
    """Each switch."""

    def setUp(self) -> None:
        self.patch(os, "environ", {"TERM": "xterm"})

    def test_eachDoesWhatItSays(self) -> None:
        """And nothing else."""
        said = happened("say", "bob", "hello ada", "", 60_000, "", "ada", False)
        came = happened("join", "bob", "", "", 60_000, "", "ada", False)
        display = Display()
        self.assertEqual(display.shown(said), said)
        self.assertEqual([line.text for line in display.does("/set times off")],
                         ["-- times is off: times on begins each line with the time"])
        shown = display.shown(said)
        assert shown is not None
        self.assertEqual((shown.text, shown.bell), ("bob: hello ada", True))
        self.assertIn("\x1b", Palette().painted(shown))
        display.does("/set bell off")
        display.does("/SET colour off")
        shown = display.shown(said)
        assert shown is not None
        self.assertEqual((Palette().painted(shown), shown.bell), ("bob: hello ada", False))
        self.assertIsNotNone(display.shown(came))
        display.does("/set quiet on")
        self.assertIsNone(display.shown(came))
        self.assertIsNotNone(display.shown(said))
        display.does("/set quiet off")
        self.assertIsNotNone(display.shown(came))

    def test_list(self) -> None:
        """C{/set} alone says how each is, and what is asked wrongly changes nothing."""
        display = Display()
        display.does("/set times perhaps")
        lines = [line.text for line in display.does("/set")]
        self.assertEqual(
            [line.partition(":")[0] for line in lines[:4]],
            ["-- times is on", "-- quiet is off", "-- bell is on", "-- colour is on"],
        )
        self.assertEqual(display.does("/set echo on"), [])
        self.assertEqual(display.does("/settle"), [])
        self.assertEqual(display.does(" "), [])
        self.assertEqual(display.does("set times off"), [])


class SetTests(GuestCase):
    """At a server that counts."""

    def test_itIsDoneHere(self) -> None:
        """The server, that would refuse it, is not asked; other switches are its own."""
        bob = self.house.enters("bob")
        ada = self.guest("ada")
        ada.types("/set quiet on", "/set echo on")
        self.assertEqual(ada.seen(), ["-- quiet is on: quiet on shows nobody coming and going"])
        self.assertEqual(len(ada.paper.failures), 1)
        self.house.enters("eve")
        bob.says("hello")
        ada.reads()
        self.assertEqual(ada.seen(), ["bob: hello"])


class LinesTests(ToldCase):
    """At a server of lines."""

    def test_itIsPassedOn(self) -> None:
        """It may set them itself."""
        client = self.client(dialect="plain")
        client.heard(b"-- welcome to x\n-- what is your name?\n-- you are ada in #lobby\n")
        client.typed("/set times on")
        self.assertEqual(self.sent, b"ada\n/set times on\n")
