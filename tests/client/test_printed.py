"""Tests of L{mucs.client.printed}: what is printed for a script, over a lost line too."""

from __future__ import annotations

import io
import json

from mucs.client.printed import Follow
from tests.client.base import GuestCase


class FollowTests(GuestCase):
    """C{mucs --follow}."""

    def follows(self, asJson: bool) -> io.StringIO:
        self.out, self.errors = io.StringIO(), io.StringIO()
        view = Follow(self.house.clock, self.out, self.errors, asJson)
        self.watcher = self.guest("w", view=view, patient=False)
        return self.out

    def test_nothingIsMissed(self) -> None:
        """From when it came: every event once, with numbers that follow one another."""
        bob = self.house.enters("bob")
        bob.says("before")
        out = self.follows(asJson=True)
        bob.says("one")
        self.watcher.reads()
        self.watcher.isCut()
        bob.says("two", "/me waves")
        self.watcher.comes()
        bob.says("three")
        self.watcher.reads()
        events = [json.loads(line) for line in out.getvalue().splitlines()]
        said = [(each["event"], each["text"]) for each in events]
        expected = [("say", "one"), ("say", "two"), ("me", "waves"), ("say", "three")]
        self.assertEqual(said, expected)
        self.assertEqual([each.get("past", False) for each in events], [False, True, True, False])
        self.assertIn("-- the line is lost", self.errors.getvalue())

    def test_lines(self) -> None:
        """Without json, those that a person would see."""
        out = self.follows(asJson=False)
        bob = self.house.enters("bob")
        bob.says("hello", "/topic tea", "/msg w psst")
        self.watcher.reads()
        lines = [line[6:] for line in out.getvalue().splitlines()]
        self.assertEqual(
            sorted(lines),
            ["* bob changed the topic to: tea", "* bob joined", "bob -> you: psst", "bob: hello"],
        )
