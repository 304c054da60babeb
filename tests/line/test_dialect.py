"""Tests for L{mucs.line.dialect}, and for the words of the six dialects."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mucs import events as kinds
from mucs.events import Command, Event, Say, note, refusal, reply
from mucs.imucs import IAudience, IDialect
from mucs.line import systems
from mucs.line.dialect import Dialect, native, phrasebook
from mucs.line.framing import Lines
from mucs.text import clean

SYSTEMS = {
    dialect.name: dialect
    for dialect in (
        native,
        systems.cstring,
        systems.shh,
        systems.hithere,
        systems.fiveseat,
        systems.addr,
    )
}
KINDS = [
    value
    for name, value in vars(kinds).items()
    if name.isupper() and isinstance(value, str) and value not in ("connect", "named", "disconnect")
]
NOON = 1_790_000_000_000
quiet = settings(deadline=None, database=None)


def event(kind: str, text: str = "", author: str = "ada", target: str = "") -> Event:
    """Something that happened in the lobby."""
    return Event("lobby", 1, NOON, author, kind, text, target)


@dataclass
class Saying:
    """What each dialect says of an event; without its line end."""

    event: Event
    native: str
    cstring: str | None = None
    shh: str | None = None
    hithere: str | None = None
    fiveseat: str | None = None
    addr: str | None = None


# Where a dialect has no words of its own (None), the native ones hold.
SAYINGS = [
    Saying(
        event(kinds.SAY, "hi"),
        "ada: hi",
        shh="->ada: hi",
        hithere="<[ada]> => hi",
        addr="('ada'): hi",
    ),
    Saying(
        event(kinds.SAY, "hi", "192.0.2.7:4711"),
        "192.0.2.7:4711: hi",
        shh="->192.0.2.7:4711: hi",
        hithere="<[192.0.2.7] :4711> => hi",
        addr="('192.0.2.7', 4711): hi",
    ),
    Saying(
        event(kinds.SAY, "hi", "2001:db8::1:4711"),
        "2001:db8::1:4711: hi",
        shh="->2001:db8::1:4711: hi",
        hithere="<[2001:db8::1] :4711> => hi",
        addr="('2001:db8::1', 4711): hi",
    ),
    Saying(
        event(kinds.SAY, "hi", "unix:3"),
        "unix:3: hi",
        shh="->unix:3: hi",
        hithere="<[unix] :3> => hi",
        addr="('unix', 3): hi",
    ),
    Saying(event(kinds.ME, "waves"), "* ada waves"),
    Saying(event(kinds.TELL, "psst", target="bob"), "ada -> you: psst"),
    Saying(event(kinds.TOLD, "psst", target="bob"), "you -> bob: psst"),
    Saying(
        event(kinds.JOIN),
        "* ada joined",
        cstring='"ada" joined the chat room',
        shh="ada has joined the room!",
        hithere="",
        fiveseat="",
        addr="",
    ),
    Saying(
        event(kinds.LEAVE),
        "* ada left",
        cstring='"ada" disconnected from the server',
        shh="ada has left the chat room.",
        hithere="",
        fiveseat='"ada" disconnected from the server',
        addr="",
    ),
    Saying(
        event(kinds.LEAVE, "bye"),
        "* ada left (bye)",
        cstring='"ada" disconnected from the server',
        shh="ada has left the chat room.",
        hithere="",
        fiveseat='"ada" disconnected from the server',
        addr="",
    ),
    Saying(event(kinds.NICK, target="eve"), "* ada is now eve"),
    Saying(event(kinds.TOPIC, "tea"), "* ada changed the topic to: tea"),
    Saying(event(kinds.TOPIC), "* ada removed the topic"),
    Saying(
        event(kinds.GREETING, "MUCS"),
        "-- welcome to MUCS\r\n-- what is your name?",
        cstring="",
        shh="Welcome to SHH Chat server, enter your name and join the room!",
        hithere="Hi there, ~from server..!",
        fiveseat="Got the connection done successfully",
        addr="Welcome to this chatroom.",
    ),
    Saying(event(kinds.ASK), "-- what is your name?"),
    Saying(
        event(kinds.WELCOME, "bob", target="MUCS"),
        "-- you are ada in #lobby with bob; /help lists commands, /quit leaves",
        cstring='Welcome to Server "MUCS", ada',
        shh="Hello ada! If you ever want to quit , type !q to log out of the chat room.",
        hithere="",
        fiveseat="",
        addr="",
    ),
    Saying(event(kinds.ENTER, "bob"), "-- you are ada in #lobby with bob"),
    Saying(event(kinds.NOW), "-- now", cstring="", shh="", hithere="", fiveseat="", addr=""),
    Saying(
        event(kinds.PLACE, "3"),
        "-- You are number 3 in the queue.",
        **dict.fromkeys(
            ("cstring", "shh", "hithere", "fiveseat", "addr"), "You are number 3 in the queue."
        ),
    ),
    Saying(
        event(kinds.FULL, "5"),
        "! no seat is free, of 5; try again later",
        cstring="The server is full, no seat is free of 5: try again later.",
    ),
    Saying(event(kinds.NOTE, "so"), "-- so"),
    Saying(event(kinds.REFUSAL, "no"), "! no"),
    Saying(event(kinds.FAREWELL), "", shh="!q"),
    Saying(event(kinds.UNDO, target="7"), "* ada took back something said before"),
    Saying(event(kinds.WITHDRAWN), "* ada took this back"),
    Saying(event(kinds.ACK), "-- said"),
    Saying(event(kinds.DONE), ""),
    Saying(event(kinds.NAK, "not stored: later"), "! not stored: later"),
    Saying(event(kinds.MISSED, "12"), "-- 12 missed"),
    Saying(event(kinds.GAP, "1 message", target="; so"), "-- 1 message skipped; so"),
    Saying(event(kinds.TOKEN, "abc"), "-- if you lose the line, come back with: /resume abc"),
]


class WordsTests(SynchronousTestCase):
    """What each of the dialects says."""

    def test_everyWord(self) -> None:
        """As the reports of the five systems have it, letter for letter, and as the native does."""
        for saying in SAYINGS:
            for name, dialect in SYSTEMS.items():
                words = getattr(saying, name)
                if words is None:
                    words = saying.native
                said = dialect.reply([saying.event])
                unended = name in ("hithere", "addr") and saying.event.kind == kinds.GREETING
                end = dialect.newline if words and not unended else ""
                self.assertEqual(said, words + end, (name, saying.event))

    def test_thereIsAWordForEachKind(self) -> None:
        """None is forgotten above."""
        self.assertEqual({saying.event.kind for saying in SAYINGS}, set(KINDS))

    def test_audiencesSayTheSame(self) -> None:
        """Whether a thing is said alone or among others."""
        said = [saying.event for saying in SAYINGS]
        for dialect in SYSTEMS.values():
            lines = dialect.audience("current", dialect.policy.echo).render(said)
            self.assertEqual(lines, [dialect.reply([each]) for each in said])

    def test_lineEnds(self) -> None:
        """A terminal gets what moves it to the next line; the others what they always got."""
        self.assertEqual(
            {name: dialect.newline for name, dialect in SYSTEMS.items()},
            {**dict.fromkeys(SYSTEMS, "\n"), "native": "\r\n"},
        )

    def test_thereAreWordsForAll(self) -> None:
        """Every kind can be said in every dialect, with a text and without, and braces are text."""
        for dialect in SYSTEMS.values():
            for kind in KINDS:
                for text in ("", "x", "{author} {0} {nope} }{", "%s %(a)s \\n"):
                    said = dialect.reply([event(kind, text, text or "ada", text)])
                    self.assertNotIn(
                        "\n",
                        said.replace(dialect.newline, "\n").rstrip("\n")
                        if kind != kinds.GREETING
                        else "",
                    )
                    if text and "x" != text and said and kind in (kinds.SAY, kinds.NOTE, kinds.ME):
                        self.assertIn(text, said)

    def test_theyProvideTheInterfaces(self) -> None:
        """Of a dialect, and of an audience."""
        for dialect in SYSTEMS.values():
            verifyObject(IDialect, dialect)
            verifyObject(IAudience, dialect.audience("current", "none"))

    def test_manners(self) -> None:
        """How each reads and sends."""
        manners = {
            name: (dialect.framing, dialect.pace, dialect.size, dialect.end)
            for name, dialect in SYSTEMS.items()
            if dialect.pace
        }
        self.assertEqual(
            manners,
            {
                "cstring": ("nul", 0.04, 255, b"\0"),
                "shh": ("segment", 0.04, 1024, b""),
                "fiveseat": ("nul", 0.04, 255, b"\0"),
            },
        )
        policies = {name: dialect.policy for name, dialect in SYSTEMS.items()}
        self.assertEqual(
            {name: policy.naming for name, policy in policies.items()},
            {**dict.fromkeys(SYSTEMS, "ask"), "hithere": "address", "addr": "address"},
        )
        self.assertEqual(
            {name: policy.echo for name, policy in policies.items()},
            {**dict.fromkeys(SYSTEMS, "none"), "shh": "line", "fiveseat": "ack"},
        )
        self.assertEqual(
            {name: (policy.seats, policy.full) for name, policy in policies.items()},
            {
                **dict.fromkeys(SYSTEMS, (0, "wait")),
                "cstring": (127, "refuse"),
                "fiveseat": (5, "wait"),
            },
        )
        self.assertEqual({name for name, policy in policies.items() if policy.history}, {"native"})


class ParsingTests(SynchronousTestCase):
    """What a line asks for."""

    def test_whatIsSaid(self) -> None:
        """Anything that does not begin with a slash; two of them are one."""
        for line, text in (
            ("hello", "hello"),
            (" //quit", " //quit"),
            ("//quit", "/quit"),
            ("///", "//"),
            ("!q!", "!q!"),
            ("!quit", "!quit"),
            ("! q", "! q"),
            ("-- now", "-- now"),
        ):
            self.assertEqual(native.parse(line), Say(text))

    def test_whatIsACommand(self) -> None:
        """Its name is in small letters, its argument without the space around it."""
        for line, command in (
            ("/who", Command("who")),
            ("/WHO garden", Command("who", "garden")),
            ("/msg  bob  hi there ", Command("msg", "bob  hi there")),
            ("/", Command("")),
            ("/ who", Command("", "who")),
            ("!q", Command("quit")),
        ):
            self.assertEqual(native.parse(line), command)

    def test_blanksBeforeACommand(self) -> None:
        """Are a slip, that must not say a password aloud, in any dialect of lines."""
        for dialect in (native, *SYSTEMS.values()):
            for blanks in (" ", "   ", "\u00a0", "\u3000 "):
                asked = dialect.parse(f"{blanks}/Login ada sesame")
                self.assertEqual(asked, Command("login", "ada sesame"))
                for text in (f"{blanks}/login x", f"a\n{blanks}/login x", f"{blanks}/login x\na"):
                    self.assertEqual(dialect.speech(text), [])
            self.assertEqual(dialect.speech("either / or"), ["either / or"])

    @quiet
    @given(
        st.text(
            st.sampled_from("ab /!q\n\t\x01\u200b\u200d\u3164\ufeff\u00a0é🙂\x7f\u2028 "),
            max_size=20,
        )
    )
    def test_severalLinesAtOnce(self, text: str) -> None:
        """What is taken for speech as a whole is what it would be line by line, or is not."""
        text = Lines().feed(f"{text}\n".encode())[:-1].decode()
        lines = [clean(line) for line in text.split("\n")]
        intents = [native.parse(line) for line in lines if line]
        speech = native.speech(text)
        if speech:
            self.assertEqual([Say(line) for line in speech], intents)

    def test_severalLinesOfWhichOneIsNoSpeech(self) -> None:
        """Are looked at one by one, wherever it stands."""
        for line in ("/who", "//x", "!q", "!", "/"):
            self.assertEqual(native.speech(line), [])
            self.assertEqual(native.speech(f"a\n{line}"), [])
            self.assertEqual(native.speech(f"{line}\na"), [])
        self.assertEqual(native.speech("a/\nb!\né"), ["a/", "b!", "é"])


class AudienceTests(SynchronousTestCase):
    """Those who see a room in the same way."""

    def test_oneForEachWay(self) -> None:
        """The same words for the same place and echo are the same object."""
        places = ("current", "other", "private")
        ways = [(place, echo) for place in places for echo in ("none", "line", "ack")]
        audiences = {way: native.audience(*way) for way in ways}
        self.assertEqual(len(set(audiences.values())), 9)
        for way, audience in audiences.items():
            self.assertIs(native.audience(*way), audience)
        self.assertIsNot(systems.shh.audience("current", "none"), audiences["current", "none"])

    def test_anotherRoom(self) -> None:
        """Is named before each line that is said of it, and only then."""
        other = systems.fiveseat.audience("other", "none")
        self.assertEqual(
            other.render([event(kinds.SAY, "hi"), event(kinds.JOIN), event(kinds.ME, "waves")]),
            ["[#lobby] ada: hi\n", "", "[#lobby] * ada waves\n"],
        )
        private = native.audience("private", "none")
        self.assertEqual(private.render([event(kinds.TELL, "psst")]), ["ada -> you: psst\r\n"])

    def test_onesOwnWords(self) -> None:
        """Are not shown, are shown as to everyone, or are acknowledged, one for one."""
        said = [event(kinds.SAY, "{a}"), event(kinds.SAY, "b")]
        told = [event(kinds.TELL, "{a}", target="bob")]
        for echo, echoes, own, private in (
            ("none", False, "", ""),
            ("line", True, None, "you -> bob: {a}\r\n"),
            ("ack", False, "-- said\r\n-- said\r\n", "-- said\r\n"),
        ):
            audience = native.audience("current", echo)
            self.assertEqual(audience.echoes, echoes)
            if own is not None:
                self.assertEqual(audience.own(said), own)
            alone = native.audience("private", echo)
            self.assertFalse(alone.echoes)
            self.assertEqual(alone.own(told), private)
        ack = systems.fiveseat.audience("current", "ack")
        self.assertEqual(ack.own(said), "Processed your request\n" * 2)


class HistoryTests(SynchronousTestCase):
    """Things said earlier."""

    def at(self, day: int, hour: int, text: str) -> Event:
        """Something that was said on that day of November 2026, in the server's zone."""
        then = time.mktime((2026, 11, day, hour, 5, 0, 0, 0, -1))
        return Event("lobby", 1, int(then * 1000), "ada", kinds.SAY, text)

    def test_timesAndDays(self) -> None:
        """Each carries its time; a day other than the one before, or today, is named."""
        earlier = [
            self.at(18, 9, "a"),
            self.at(18, 23, "b"),
            self.at(19, 0, "c"),
            self.at(20, 7, "d"),
        ]
        now = self.at(20, 12, "").time
        self.assertEqual(
            native.history(earlier, now),
            "-- Wed 18 Nov\r\n09:05 ada: a\r\n23:05 ada: b\r\n"
            "-- Thu 19 Nov\r\n00:05 ada: c\r\n-- Fri 20 Nov\r\n07:05 ada: d\r\n",
        )
        self.assertEqual(native.history(earlier[3:], now), "07:05 ada: d\r\n")
        self.assertEqual(native.history([], now), "")


class ConsoleTests(SynchronousTestCase):
    """What the operator's console says."""

    def said(self, dialect: Dialect, kind: str, text: str = "") -> str:
        return dialect.console(event(kind, text), "192.0.2.7:4711", 9)

    def test_asTheirServersDid(self) -> None:
        """Nothing more, nothing less."""
        for name, lines in {
            "native": {
                kinds.CONNECT: "192.0.2.7:4711 connected",
                kinds.NAMED: "192.0.2.7:4711 is ada",
                kinds.DISCONNECT: "192.0.2.7:4711 is gone",
            },
            "cstring": {
                kinds.NAMED: '"ada" connected to the server from IP 192.0.2.7:4711',
                kinds.DISCONNECT: '"ada" disconnected from the server',
            },
            "shh": {
                kinds.CONNECT: "192.0.2.7:4711 has connected.",
                kinds.DISCONNECT: "192.0.2.7:4711 has logged out .",
            },
            "hithere": {
                kinds.CONNECT: "192.0.2.7:4711 connected",
                kinds.SAY: "[192.0.2.7]: 4711 => {x}",
            },
            "fiveseat": {
                kinds.CONNECT: "Data on port...Processing...",
                kinds.SAY: (
                    "Processing the new message for the client socket: 9\n"
                    "The message received from the client is : {x}"
                ),
                kinds.DISCONNECT: "Something wrong happened. Closing the connection for client",
            },
            "addr": {
                kinds.CONNECT: "('192.0.2.7', 4711) connected",
                kinds.SAY: "('192.0.2.7', 4711): {x}",
            },
        }.items():
            for kind in (*KINDS, kinds.CONNECT, kinds.NAMED, kinds.DISCONNECT):
                self.assertEqual(
                    self.said(SYSTEMS[name], kind, "{x}"), lines.get(kind, ""), (name, kind)
                )

    def test_aGoodEndIsNoFault(self) -> None:
        """Where the console tells one from the other."""
        self.assertEqual(self.said(systems.fiveseat, kinds.DISCONNECT), "The client 9 has left")


class PhrasebookTests(SynchronousTestCase):
    """Making a dialect from words."""

    def test_whatItHasNoWordsFor(self) -> None:
        """Is said in the native words, with its own line ends; and empty words say nothing."""
        dialect = phrasebook(
            "loud", {kinds.SAY: "{text} says {author}", kinds.JOIN: ""}, newline="!"
        )
        said = [event(kinds.SAY, "hi"), event(kinds.JOIN), event(kinds.LEAVE, "bye")]
        self.assertEqual(dialect.reply(said), "hi says ada!* ada left (bye)!")
        self.assertEqual(
            dialect.audience("current", "none").render(said),
            ["hi says ada!", "", "* ada left (bye)!"],
        )
        self.assertEqual(
            dialect.reply([event(kinds.GREETING, "X")]), "-- welcome to X!-- what is your name?!"
        )

    def test_aFieldThatThereIsNot(self) -> None:
        """Is found out when the dialect is made."""
        self.assertRaises(ValueError, phrasebook, "wrong", {kinds.SAY: "{auhtor}: {text}"})

    def test_repliesAreClean(self) -> None:
        """What is said to one person holds nothing that could move their terminal."""
        for make in (note, refusal, lambda text: reply(kinds.ASK, text)):
            self.assertEqual(make("a\x1b[1m\r\nb\u202e\u2028c").text, "a[1mbc")
