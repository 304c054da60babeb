"""Tests of L{mucs.client.typist}: passwords that are asked for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mucs.client.typist import Typist, question
from mucs.client.wording import Line


class TypistTests(SynchronousTestCase):
    """Commands without their passwords."""

    def setUp(self) -> None:
        self.said: list[str] = []
        self.shown: list[str] = []
        self.typist = Typist(self.said.append, self._show)

    def _show(self, line: Line) -> None:
        self.shown.append(line.text)

    def types(self, *lines: str) -> list[str]:
        """Type lines. @return: what was asked for after each."""
        prompts = []
        for line in lines:
            self.typist.typed(line, "ada")
            prompts.append(self.typist.prompt)
        return prompts

    def test_eachIsAskedForAndSentInOneLine(self) -> None:
        """What was asked for goes nowhere but into its command."""
        asked = self.types("/register", "of the mothers")
        self.assertEqual(asked, ["a password for ada", ""])
        asked = self.types('  /LOGIN "Fake Herleen"', "one two")
        self.assertEqual(asked, ["the password of Fake Herleen", ""])
        asked = self.types("/password", "old one", "new one")
        self.assertEqual(asked, ["your password, as it is now", "the new one", ""])
        self.assertEqual(self.types("/password old", "/me"), ["the new one", ""])
        self.assertEqual(
            self.said,
            [
                "/register of the mothers",
                '/login "Fake Herleen" one two',
                '/password "old one" "new one"',
                "/password old /me",
            ],
        )
        self.assertEqual(self.shown, [])

    def test_emptyLineTakesItBack(self) -> None:
        """And what comes then is speech again."""
        self.types("/password", "old", " ", "hello")
        self.assertEqual((self.said, self.shown), (["hello"], ["-- never mind"]))

    def test_whatCannotBeSent(self) -> None:
        """Is asked for again, and is not shown."""
        asked = self.types("/register", "\x07secret", "secret")
        self.assertEqual(asked, ["a password for ada", "a password for ada", ""])
        self.types("/password", '"a" b', '"c', "new")
        self.assertEqual(self.said, ["/register secret", '/password "c new'])
        self.assertEqual(len(self.shown), 2)
        self.assertNotIn("secret", "".join(self.shown))

    def test_whatIsWhole(self) -> None:
        """Nothing is asked of it."""
        for line in ("hello", "", "//register", "/registers", "/login", "/login ada pw", "/who",
                     "/register pw", "/password old new", '"/register"'):
            self.assertIsNone(question(line, "ada"), line)
