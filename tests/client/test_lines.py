"""Tests of L{mucs.client.lines}: names that are refused, and when what was typed is sent."""

from __future__ import annotations

import io

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.client.client import Client
from mucs.client.dialects import DIALECTS
from mucs.client.lines import Lines
from mucs.client.printed import Follow
from tests.client.base import Paper, ToldCase

#: What a server says to whoever comes, and who refuses a name.
GREETINGS = {
    "plain": b"-- welcome to x\r\n-- what is your name?\r\n",
    "cstring": b"",
    "shh": b"Welcome to SHH Chat server, enter your name and join the room!",
    "fiveseat": b"Got the connection done successfully\0",
}
TAKEN = "! the name ada is taken; choose another"


class LinesCase(SynchronousTestCase):
    """A test with a server of lines."""

    def comes(self, dialect: str, patient: bool = True, name: str = "ada") -> Lines:
        """Someone comes, with something to say."""
        self.paper, self.clock, self.sent = Paper(), Clock(), list[bytes]()
        self.end = DIALECTS[dialect].frame
        self.lines = Lines(self.paper, self.clock, DIALECTS[dialect], name, patient)
        self.lines.typed("hello")
        self.lines.connected(self.sent.append)
        if GREETINGS[dialect]:
            self.lines.heard(GREETINGS[dialect])
            self.clock.advance(0.1)
        return self.lines

    def hears(self, *texts: str) -> None:
        """The server says this."""
        for text in texts:
            self.lines.heard(text.encode() + self.end)
        self.clock.pump([0.06] * 5)

    def got(self) -> list[bytes]:
        """What the server got since this was last asked."""
        sent, self.sent[:] = [each.rstrip(b"\0\n") for each in self.sent], []
        return sent


class NameTests(LinesCase):
    """Nothing that was to be said is taken for a name."""

    def test_refusedInAPipe(self) -> None:
        """Ends it, and nothing more is sent."""
        for dialect in GREETINGS:
            self.comes(dialect, patient=False)
            self.hears(TAKEN, "-- what is your name?")
            self.clock.advance(60)
            self.assertEqual(self.got(), [b"ada"], dialect)
            why = "the server refuses: the name ada is taken; choose another"
            self.assertEqual(self.paper.end[:1], [(5, why)])

    def test_refusedOnATerminal(self) -> None:
        """Another one is asked for, and what was typed waits for it."""
        for dialect in GREETINGS:
            lines = self.comes(dialect)
            self.hears(TAKEN, "-- what is your name?")
            self.clock.advance(60)
            self.assertEqual((self.got(), lines.asks, lines.isIn), ([b"ada"], True, False))
            lines.typed("eve")
            self.hears("-- you are eve in #lobby")
            self.assertEqual(self.got(), [b"eve", b"hello"])
            self.assertEqual((lines.asks, lines.isIn), (False, True))

    def test_noAnswerToAName(self) -> None:
        """For a while means that it is not refused."""
        for dialect in GREETINGS:
            self.comes(dialect)
            self.assertEqual(self.got(), [b"ada"])
            self.clock.advance(2.5)
            self.clock.pump([0.06] * 3)
            self.assertEqual(self.got(), [b"hello"], dialect)

    def test_queue(self) -> None:
        """Whoever waits for a seat is not in, however long that takes."""
        for dialect in ("cstring", "plain"):
            self.comes(dialect)
            self.hears("You are number 2 in the queue.")
            self.clock.advance(60)
            self.assertEqual(self.got(), [b"ada"])
            self.hears("-- you are ada in #lobby")
            self.assertEqual(self.got(), [b"hello"])

    def test_logInAtTheQuestion(self) -> None:
        """It may be the only way in; what one logs in with is no name, and is not shown."""
        lines = self.comes("plain")
        self.hears("! ada is a registered name; /login ada PASSWORD", "-- what is your name?")
        self.assertIn(
            "-- if it is yours: /login NAME asks for the password and logs in", self.paper.lines
        )
        self.got()
        lines.typed("/login ada secret")
        self.assertEqual(self.got(), [b"/login ada secret"])
        self.assertTrue(lines.asks)
        self.hears("-- you are ada in #lobby")
        self.assertEqual((self.got(), lines.asks), ([b"hello"], False))
        self.assertNotIn("secret", "".join(self.paper.lines))

    def test_someoneAsks(self) -> None:
        """What is your name, in the room: that is no question of the server's."""
        lines = self.comes("plain")
        self.hears("-- you are ada in #lobby", "bob: what is your name?")
        self.assertFalse(lines.asks)

    def test_otherServer(self) -> None:
        """Who never asks for a name is told what was typed."""
        paper, clock, sent = Paper(), Clock(), list[bytes]()
        for greeting in (b"Hi there", b""):
            sent.clear()
            lines = Lines(paper, clock, DIALECTS["plain"], "ada", False)
            lines.typed("hello")
            lines.connected(sent.append)
            self.assertEqual(sent, [])
            if greeting:
                lines.heard(greeting)
            clock.advance(0.1 if greeting else 2.1)
            self.assertEqual(sent, [b"hello\n"])


class AcknowledgmentTests(LinesCase):
    """C{fiveseat}: what is said is acknowledged."""

    def test_commands(self) -> None:
        """Are not; and they are not shown as said."""
        lines = self.comes("fiveseat")
        self.clock.advance(2.5)
        self.hears("Processed your request")
        lines.typed("/who")
        self.clock.advance(0.1)
        self.assertEqual(lines.unfinished, 0)
        self.hears("-- ada is here")
        lines.typed("again")
        self.clock.advance(0.1)
        self.assertEqual(lines.unfinished, 1)
        self.hears("Processed your request")
        self.assertEqual(lines.unfinished, 0)
        said = [line for line in self.paper.lines if line.startswith("ada: ")]
        self.assertEqual(said, ["ada: hello", "ada: again"])
        self.assertIn("/who", self.paper.lines)
        lines.typed("/password secret other")
        self.clock.advance(0.1)
        self.assertEqual(self.paper.lines[-1], "/password ...")

    def test_refused(self) -> None:
        """What is refused is done with, and was not said."""
        lines = self.comes("fiveseat")
        self.clock.advance(2.5)
        self.hears("! slow down")
        self.assertEqual(lines.unfinished, 0)
        self.assertEqual(self.paper.failures, [("", "slow down")])
        self.assertNotIn("ada: hello", self.paper.lines)


class LeavingTests(ToldCase):
    """C{!q}."""

    def test_refusedName(self) -> None:
        """At the question for another name one leaves at once; and behind a command too."""
        client = self.client(dialect="fiveseat")
        client.heard(b"Got the connection\0")
        client.heard(f"{TAKEN}\0".encode())
        client.typed("!q")
        self.assertEqual(self.paper.end, [(0, "")])
        self.setUp()
        client = self.client(dialect="fiveseat")
        client.heard(b"Got the connection\0")
        self.clock.advance(2.5)
        client.typed("/who")
        self.clock.advance(0.1)
        client.typed("!q")
        self.assertEqual(self.finishes, 1)
        client.lost()
        self.assertEqual(self.paper.end, [(0, "")])


class FollowTests(ToldCase):
    """C{mucs --follow}."""

    def test_firstLine(self) -> None:
        """What shows that one is in belongs to what happens from then on."""
        out, errors = io.StringIO(), io.StringIO()
        view = Follow(self.clock, out, errors, asJson=False)
        client = Client(view, self.clock, "x:1", "ada", "fiveseat", patient=False)
        view.start(client)
        client.connected(self._send, self._finish, self._abort)
        client.heard(b"Got the connection\0")
        client.heard(b"bob: hello\0")
        self.assertEqual((out.getvalue(), errors.getvalue()), ("bob: hello\n", ""))


class GuessTests(ToldCase):
    """Without a word about what the server speaks."""

    def test_typedEarly(self) -> None:
        """What was typed before the server was known is said to one of lines too, as it was."""
        client = self.client(patient=False)
        for line in ("one", "//two", "/three"):
            client.typed(line)
        client.heard(b"Hi there, ~from server..!")
        self.clock.advance(0.1)
        self.assertEqual(self.sent, b"one\n//two\n/three\n")
        self.assertEqual(client.talk.unfinished, 0)
