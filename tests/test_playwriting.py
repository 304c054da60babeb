"""
The plays' own tests: what can be written, and that a play which is wrong fails, and says where.

Here plays are rehearsed: nobody connects to anything, and what a server would have sent is given.
"""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.performance import SHUTDOWN, perform
from tests.player import PATIENCE, Player
from tests.plays import PlayError, read, unquote
from tests.stage import Setting, Stage

#: A setting with everyone in it, in one line.
ALL = "The server listens as native, cstring, shh, hithere, fiveseat and addr.\n"


def end(fault: bool = False) -> Failure:
    """The end of a connection."""
    return Failure(ConnectionLost("reset") if fault else ConnectionDone())


class Rehearsal(Stage):
    """A stage without a server."""

    def __init__(self, came: dict[str, list[Any]], shutdown: bytes) -> None:
        """
        @param came: what comes to whom when they connect: segments, and the end.
        @param shutdown: what the server sends when it is stopped.
        """
        self.clock = Clock()
        super().__init__(self.clock)
        self.sent: dict[str, bytes] = {}
        self._came = came
        self._shutdown = shutdown

    def open(self, setting: Setting) -> None:
        """There is nothing to start."""

    async def enter(self, player: Player) -> None:
        """Connect to nothing, and get what comes."""
        player.makeConnection(StringTransport())
        self._give(player, self._came.get(player.name, []))

    def _give(self, player: Player, came: list[Any]) -> None:
        for segment in came:
            if isinstance(segment, Failure):
                player.connectionLost(segment)
            else:
                player.dataReceived(segment)

    async def heard(self, player: Player) -> None:
        """Keep what was sent."""
        self.sent[player.name] = player.transport.value()

    async def settled(self) -> None:
        """There is nothing to wait for."""

    def close(self) -> Deferred[Any]:
        """Say that the server stops."""
        for player in self._players:
            if player.isConnected():
                self._give(player, [self._shutdown, end()])
        return succeed(None)

    async def clear(self) -> None:
        """There is nothing to take away."""
        self._folder.cleanup()


class RehearsalTests(SynchronousTestCase):
    """Performing plays."""

    def rehearse(
        self, text: str, shutdown: bytes = SHUTDOWN.encode() + b"\r\n", **came: list[Any]
    ) -> str:
        """
        Perform a play.

        @param came: what comes to whom.
        @return: the error's message without the path, or nothing.
        """
        self.rehearsal = Rehearsal(came, shutdown)
        path = Path("transcripts", "tea.txt")
        performed = Deferred.fromCoroutine(perform(read(path, ALL + text), self.rehearsal))
        self.rehearsal.clock.pump([0.0, PATIENCE, 0.0, 0.0])
        if not isinstance(performed.result, Failure):
            self.successResultOf(performed)
            return ""
        message = str(self.failureResultOf(performed, PlayError).value)
        self.assertTrue(message.startswith("transcripts/tea.txt, line "), message)
        return message.removeprefix("transcripts/tea.txt, ")

    def assertFails(self, message: str, *lines: str) -> None:
        """A message has these lines, the later ones indented."""
        self.assertEqual(message.split("\n    "), list(lines))

    def test_whatIsWrittenIsWhatHappens(self) -> None:
        """A play that is right raises nothing."""
        text = "Ada connects to native.\n Ada sees hi\nAda says hello\n Ada sees bye"
        self.assertEqual(self.rehearse(text, Ada=[b"hi\r\nby", b"e\r\n"]), "")

    def test_clientsSpeakAsTheirDialect(self) -> None:
        """Saying something ends it as a client of the dialect does."""
        ends = {
            "native": b"hi\n",
            "cstring": b"hi\0",
            "shh": b"hi",
            "hithere": b"hi\n",
            "fiveseat": b"hi\n" + bytes(253),
            "addr": b"hi\n",
        }
        for dialect, sent in ends.items():
            self.rehearse(f"Ada connects to {dialect}.\nAda says hi")
            self.assertEqual(self.rehearsal.sent, {"Ada": sent})

    def test_bytesAreSentAsTheyAre(self) -> None:
        """In quotes stands every byte, in pieces, byte by byte, and many times."""
        self.rehearse(
            'Ada connects to shh.\nAda sends exactly "é\\0\\r\\n\\\\\\"\\xff"\n'
            'Ada sends in pieces "a" "b"\nAda sends byte by byte "cd"\n'
            'Ada sends exactly "e" 3 times\nAda sends exactly "f" 2 times and "g"'
        )
        self.assertEqual(self.rehearsal.sent, {"Ada": b'\xc3\xa9\0\r\n\\"\xffabcdeeeffg'})

    def test_anotherLine(self) -> None:
        """A line that is not the one expected fails, with both of them."""
        message = self.rehearse(
            "Ada connects to native.\nAda and Ada see  hello", Ada=[b"hullo\r\nhello\r\n"]
        )
        self.assertFails(
            message,
            "line 3: Ada and Ada see  hello",
            'for Ada, expected: "hello"',
            'but there came: "hullo\\r\\nhello\\r\\n"',
        )

    def test_noLine(self) -> None:
        """A line that does not come fails, after a while."""
        message = self.rehearse("Ada connects to native.\nAda sees hello")
        self.assertFails(
            message,
            "line 3: Ada sees hello",
            'for Ada, expected: "hello"',
            "but there came: nothing in 10 s",
        )

    def test_noLineEnd(self) -> None:
        """A line without its end has not come; with another end it is another line."""
        for came in (b"hello", b"hello\r", b"hello\n", b"hello\0", b"hello!\r\n", b"\r\nhello"):
            message = self.rehearse("Ada connects to native.\nAda sees hello", Ada=[came])
            self.assertIn("line 3: Ada sees hello\n", message, came)

    def test_lineEndsOfCStrings(self) -> None:
        """Lines of a batch, and batches, are the same; an empty C string is in the way."""
        text = "Ada connects to cstring.\nAda sees one\nAda sees two"
        shutdown = SHUTDOWN.encode() + b"\0"
        for came in (b"one\0two\0", b"one\ntwo\0"):
            self.assertEqual(self.rehearse(text, shutdown, Ada=[came]), "")
        self.assertIn('came: "\\x00two', self.rehearse(text, shutdown, Ada=[b"one\0\0two\0"]))
        self.assertIn("Ada sees two", self.rehearse(text, shutdown, Ada=[b"one\0two\r\n"]))

    def test_linesOfSegments(self) -> None:
        """In shh a line ends with the segment, or with a line end; glued ones are one."""
        text = "Ada connects to shh.\nAda sees one\nAda sees two"
        for came in ([b"one", b"two"], [b"one\ntwo"], [b"o", b"ne\nt", b"wo"]):
            self.assertEqual(self.rehearse(text, SHUTDOWN.encode(), Ada=came), "")
        message = self.rehearse(text, SHUTDOWN.encode(), Ada=[b"onetwo"])
        self.assertIn('came: "onetwo"', message)

    def test_exactBytes(self) -> None:
        """Exact bytes have no line end to them, and no other byte in them."""
        text = 'Ada connects to addr.\nAda receives exactly "hi"\nAda receives exactly "{Ada}\\n"'
        shutdown = SHUTDOWN.encode() + b"\n"
        came = [b"hi10.0.", b"0.1:12345\n"]
        self.assertEqual(self.rehearse(text, shutdown, Ada=came), "")
        self.assertIn('expected: "hi"', self.rehearse(text, shutdown, Ada=[b"h i\n"]))

    def test_aLineTooManyAtTheEnd(self) -> None:
        """What was not seen when the play ends fails it."""
        message = self.rehearse("Ada connects to native.", Ada=[b"hello\r\n"])
        self.assertFails(
            message,
            "line 2: And so the play ends",
            "for Ada, expected: nothing more",
            'but there came: "hello\\r\\n"',
        )

    def test_aLineTooManyAfterTheEnd(self) -> None:
        """What comes when the server stops is what it says then, and no more."""
        for more in (b"hello\r\n" + SHUTDOWN.encode() + b"\r\n", SHUTDOWN.encode() + b"\r\n!\r\n"):
            message = self.rehearse("Ada connects to native.", more)
            self.assertIn("line 2: And so the play ends\n    for Ada, expected: ", message)

    def test_nothingMore(self) -> None:
        """It is noticed who has seen something, or been hung up on."""
        text = "Ada connects to native.\nAda sees one\nAda sees nothing more.\nAda sees two"
        message = self.rehearse(text, Ada=[b"one\r\ntwo\r\n"])
        self.assertIn("line 4: Ada sees nothing more.\n", message)
        message = self.rehearse(text, Ada=[b"one\r\n", end()])
        self.assertIn("came: the end of the connection", message)

    def test_nobodyGoesUnseeing(self) -> None:
        """Who hangs up has seen everything."""
        message = self.rehearse("Ada connects to native.\nAda hangs up.", Ada=[b"one\r\n"])
        self.assertIn("line 3: Ada hangs up.\n", message)

    def test_theServerHangsUp(self) -> None:
        """In good order, with nothing before, and when the play says so."""
        text = "Ada connects to native.\nThe server hangs up on Ada."
        self.assertEqual(self.rehearse(text, Ada=[end()]), "")
        self.assertIn("came: nothing in 10 s", self.rehearse(text))
        self.assertIn('came: "bye', self.rehearse(text, Ada=[b"bye\r\n", end()]))
        self.assertIn("came: the end", self.rehearse(text, Ada=[end(fault=True)]))
        text = "Ada connects to native.\nAda sees hello"
        self.assertIn("came: the end of the connection", self.rehearse(text, Ada=[end()]))

    def test_variables(self) -> None:
        """Addresses, their halves and the time stand in for themselves; other braces stay."""
        came = b"10.0.0.1:12345 10.0.0.1 12345 {0} {no}\r\n"
        text = "Ada connects to native.\nAda sees {Ada} {Ada ip} {Ada port} {0} {no}"
        self.assertEqual(self.rehearse(text, Ada=[came]), "")
        text = "Ada connects to native.\nAda sees {time} hi"
        message = self.rehearse(text, Ada=[b"25:00 hi\r\n"])
        self.assertRegex(message, r'expected: "\d\d:\d\d hi"')


class ReadingTests(SynchronousTestCase):
    """Reading plays."""

    def wrong(self, text: str) -> str:
        """Read a play that is wrong. @return: what is said of it."""
        error = self.assertRaises(PlayError, read, Path("transcripts", "tea.txt"), text)
        return str(error).removeprefix("transcripts/tea.txt, ")

    def test_readersMayBeSpokenTo(self) -> None:
        """Comments, empty lines and space before a sentence mean nothing."""
        play = read(Path("tea.txt"), f"# Tea.\n\n{ALL}\n  Ada connects to native.\n\t# There.\n")
        cues = [(cue.line, cue.method, cue.who) for cue in play.cues]
        self.assertEqual(cues, [(5, "connects", ["Ada"])])

    def test_settings(self) -> None:
        """The setting becomes a configuration."""
        play = read(
            Path("tea.txt"),
            "The server listens as native with seats 2, echo ack, history true.\n"
            "The server listens as shh and addr.\nThe server is named Tea House.\n"
            'The message of the day is "one\\ntwo \\"é\\"".\nAda connects to shh.',
        )
        self.assertEqual(play.setting.motd, 'one\ntwo "é"')
        self.assertEqual(
            play.setting.toml("a file").split("\n"),
            [
                'name = "Tea House"',
                'motd = "a file"',
                'log = "memory:"',
                "[[listen]]",
                'port = "native@tcp:0:interface=127.0.0.1"',
                "seats = 2",
                'echo = "ack"',
                "history = true",
                "[[listen]]",
                'port = "shh@tcp:0:interface=127.0.0.1"',
                "[[listen]]",
                'port = "addr@tcp:0:interface=127.0.0.1"',
            ],
        )

    def test_whatCannotBeRead(self) -> None:
        """The line that is wrong is named, quoted, and told what is wrong with it."""
        here = ALL + "Ada connects to native.\n"
        for before, line, why in (
            (ALL, "Ada dances.", "no sentence of a play"),
            (here, "ada says hi", "no sentence of a play"),
            (here, 'Ada sends exactly "\\q"', "no sentence of a play"),
            (here, 'Ada sends exactly "x', "no sentence of a play"),
            (here, "Bob says hi", "Bob is not on stage"),
            (here, "Ada and Bob see hi", "Bob is not on stage"),
            (here, "Ada connects to shh.", "Ada is on stage already"),
            (here + "Ada hangs up.\n", "Ada sees x", "Ada is not on stage"),
            (here, "Ada sees {Bob}", "nobody called Bob has been on stage"),
            (here, "Ada sees {bob ip}", "nobody called bob has been on stage"),
            (here, "The server listens as shh.", "the setting comes before everything else"),
            (ALL, "The server listens as shh.", "the server listens as shh already"),
            ("", "The server listens as tea.", "there is no dialect tea; there is native"),
            ("", "The server listens as shh with x.", "settings are pairs of key and value"),
            ("", "Ada connects to shh.", "the server does not listen as shh"),
        ):
            number = before.count("\n") + 1
            message = self.wrong(before + line)
            self.assertTrue(message.startswith(f"line {number}: {line}\n    {why}"), message)
        self.assertIn("nothing happens in this play", self.wrong(ALL))

    def test_comingBack(self) -> None:
        """Who has gone, in any way, may connect again."""
        for going in ("Ada hangs up.", "Ada is cut off.", "The server hangs up on Ada."):
            text = f"{ALL}Ada connects to shh.\n{going}\nAda connects to shh."
            self.assertEqual(len(read(Path("tea.txt"), text).cues), 3)

    def test_quotes(self) -> None:
        """Escapes are bytes; an escaped backslash escapes nothing."""
        self.assertEqual(unquote(r'"\x00\0\\0\xc3\xa9é"'), b"\0\0\\0" + "éé".encode())
