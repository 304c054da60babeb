"""Tests of L{mucs.client.client}: what the server is, leaving, giving up; and rubbish."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mucs.client.client import Client
from mucs.text import clean
from tests.client.base import GuestCase, Paper, ToldCase

quiet = settings(deadline=None, database=None)

BACK = "-- the line is lost; trying again, and what you type is kept"


class StrangerTests(ToldCase):
    """Servers that are no MUCS."""

    def test_othersAreKnown(self) -> None:
        """By what they say first; nothing is sent to them."""
        for said, what in (
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", "is an SSH server, and no chat"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is a web server, and no chat"),
            (b"\x15\x03\x01\x00\x02\x02\x50", "speaks TLS: mucs tls:HOST:PORT"),
        ):
            self.setUp()
            self.client().heard(said)
            ((code, why),) = self.paper.end
            self.assertEqual((code, self.sent), (4, b""))
            self.assertIn(what, why)

    def test_rubbish(self) -> None:
        """What looks like the protocol, and is not, ends it with one sentence."""
        for said in (
            b"{rubbish\n",
            b'{"welcome":[1]}\n',
            b"{" * 300_000,
            b'-- welcome to x\n{"event":"say","time":1e300}\n',
            b'-- welcome to x\n{"event":"say","time":999999999999999}\n',
            b"-- welcome to x\nhello\n",
            b"{" + b'"a":[' * 100_000 + b"\n",
        ):
            self.setUp()
            self.client().heard(said)
            ((code, why),) = self.paper.end
            self.assertEqual(code, 4)
            self.assertTrue(why.startswith("what the server says is not MUCS's protocol: "), why)

    def test_lines(self) -> None:
        """Any other server is one of lines: what it says is shown, what is typed goes to it."""
        client = self.client()
        client.heard(b"hell")
        client.heard(b"o\r\n")
        client.typed("good morning")
        self.assertEqual(
            self.paper.seen(),
            [
                "-- x:1 is no MUCS server: what you type is sent to it as it is",
                "hello",
                "ada: good morning",
            ],
        )
        self.assertEqual(self.sent, b"good morning\n")
        client.lost()
        self.assertEqual(self.paper.end, [(1, "The server disconnected")])

    def test_silence(self) -> None:
        """A server that says nothing is one of lines, too, after a while."""
        client = self.client()
        self.clock.advance(9)
        client.typed("early")
        self.assertEqual(self.sent, b"")
        self.clock.advance(2)
        self.assertIn("x:1 says nothing", self.paper.lines[0])

    def test_jsonOnly(self) -> None:
        """Unless it has to be a MUCS server."""
        self.client(dialect="json").heard(b"hello\n")
        self.assertEqual(self.paper.end[0][0], 4)
        self.setUp()
        self.client(dialect="json")
        self.clock.advance(11)
        self.assertEqual(self.paper.end[0][0], 4)

    def test_closedAtOnce(self) -> None:
        """Before it has said anything, or because it is full."""
        self.client().lost()
        closes = "x:1 closes the line before anyone is let in"
        self.assertEqual(self.paper.end, [(4, closes)])
        self.setUp()
        self.client().heard(b"! too many connections from your address\r\n")
        self.assertEqual(
            self.paper.end, [(5, "the server refuses: too many connections from your address")]
        )

    def test_queue(self) -> None:
        """Whoever waits for a seat is told so, and is not too late."""
        self.client().heard(b"-- You are number 2 in the queue.\r\n")
        self.clock.advance(60)
        self.assertEqual(self.paper.seen(), ["-- You are number 2 in the queue."])
        self.enters()
        self.it.typed("hello")
        self.assertEqual(self.asked()[0]["say"], "hello")


class EndTests(ToldCase):
    """How it ends."""

    def test_givesUp(self) -> None:
        """After a while; what was typed and not said is named."""
        self.client(giveUp=100.0)
        self.enters()
        self.it.lost()
        self.it.typed("hello")
        self.assertEqual(self.paper.seen(), [BACK])
        self.clock.advance(60)
        self.connects()
        self.it.lost()
        self.assertEqual((self.paper.seen(), self.paper.end), ([], []))
        self.clock.advance(41)
        self.assertEqual(self.paper.failures, [("hello", "the server is gone")])
        self.assertEqual(self.paper.end, [(1, "The server disconnected")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_comesBack(self) -> None:
        """And has as much patience as before the next time."""
        self.client(giveUp=100.0)
        self.enters()
        for _ in range(3):
            self.it.lost()
            self.assertEqual(self.paper.seen(), [BACK])
            self.clock.advance(90)
            self.connects()
            self.enters()
        self.assertEqual(self.paper.end, [])

    def test_leaving(self) -> None:
        """Waits for what is not acknowledged, says goodbye, and ends when the server closes."""
        self.client()
        self.enters()
        self.it.typed("hello")
        (asked,) = self.asked()
        self.it.typed("/quit tea")
        self.it.typed("too late")
        self.assertEqual(self.asked(), [])
        self.tells({"ack": {"room": "lobby", "seq": 2, "time": 1, "id": asked["id"]}})
        self.assertEqual(self.asked(), [{"do": "/quit tea"}])
        self.it.lost()
        self.assertEqual(self.paper.end, [(0, "")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_leavingWithoutAnAnswer(self) -> None:
        """Does not last, and says what may be lost."""
        self.client()
        self.enters()
        self.it.typed("hello")
        self.it.typed("!q")
        self.clock.advance(6)
        self.assertEqual(self.paper.end, [(6, "one line that you typed may not have been said")])
        self.assertEqual(self.aborts, 1)

    def test_leavingWithoutALine(self) -> None:
        """Is at once."""
        self.client()
        self.enters()
        self.it.lost()
        self.it.typed("!q")
        self.assertEqual(self.paper.end, [(0, "")])

    def test_leavingBeforeThereIsALine(self) -> None:
        """Waits for what was typed; where there is nothing to say, it does not."""
        self.it = Client(self.paper, self.clock, "x:1", "ada")
        self.it.typed("hello")
        self.it.leave()
        self.assertEqual(self.paper.end, [])
        self.connects()
        self.tells("-- welcome to x", {"entered": "lobby", "name": "ada"}, {"now": "lobby"})
        said = self.asked()[-1]
        self.tells({"ack": {"room": "lobby", "seq": 2, "time": 1, "id": said["id"]}})
        self.assertEqual((said["say"], self.asked()), ("hello", [{"do": "/quit"}]))
        self.setUp()
        self.it = Client(self.paper, self.clock, "x:1", "ada")
        self.it.leave()
        self.assertEqual(self.paper.end, [(0, "")])

    def test_stuck(self) -> None:
        """A line that answers nothing is given up for another, where it is said again."""
        self.client()
        self.enters()
        self.it.typed("hello")
        asked = self.asked()
        for _ in range(5):
            self.clock.advance(10)
        self.assertGreater(self.aborts, 0)
        self.it.lost()
        self.connects()
        self.tells("-- welcome to x", {"entered": "lobby", "name": "ada"}, {"now": "lobby"})
        self.assertEqual(self.asked()[1:], asked)

    def test_certificate(self) -> None:
        """What cannot get better by trying again is not tried again."""
        self.client()
        self.enters()
        self.it.lost("nobody vouches for it", 4)
        self.assertEqual(self.paper.end, [(4, "nobody vouches for it")])


def steps() -> st.SearchStrategy[bytes]:
    """What a server may say: rubbish, and what is nearly right."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    fields = st.sampled_from(
        "welcome entered now event ack nak done note refused gap missed place"
        " room seq time author text target id past name others".split()
    )
    nasty = st.text(alphabet="a\x1b[2J\u202e\u2028\x07\x9b\u0085 \n", max_size=12)
    told: st.SearchStrategy[dict[str, Any]] = st.dictionaries(fields, values | nasty, max_size=6)
    right = st.builds(
        lambda kind, author, text, seq: {
            "event": kind, "room": "lobby", "seq": seq, "author": author, "text": text
        },
        st.sampled_from(["say", "me", "tell", "join", "leave", "nick", "topic"]),
        nasty,
        nasty,
        st.integers(0, 20),
    )
    objects = (told | right).map(lambda value: json.dumps(value).encode() + b"\n")
    return objects | st.binary(max_size=40) | nasty.map(str.encode)


class RubbishTests(ToldCase):
    """Whatever a server says."""

    @quiet
    @given(st.lists(steps(), max_size=12), st.booleans())
    def test_nothingRaisesAndEverythingIsClean(self, said: list[bytes], letsIn: bool) -> None:
        """No line that is shown can do anything to a terminal; and there is one end at most."""
        self.setUp()
        self.client()
        if letsIn:
            self.enters()
        self.it.typed("hello")
        for each in said:
            self.it.heard(each)
        self.clock.advance(1)
        self.it.lost()
        for line in self.paper.lines:
            self.assertEqual(clean(line), line.rstrip(), said)
        for _, why in self.paper.failures + [("", why) for _, why in self.paper.end]:
            self.assertEqual(clean(why), why)
        self.assertLessEqual(len(self.paper.end), 1)

    @quiet
    @given(st.data())
    def test_howBytesAreCutIsNoMatter(self, data: st.DataObject) -> None:
        """The same is shown, whatever the segments."""
        whole = (
            b"-- welcome to x\r\n-- what is your name?\r\n"
            b'{"welcome":"x"}\r\n{"entered":"lobby","name":"ada","others":"bob"}\r\n'
            b'{"event":"say","room":"lobby","seq":1,"author":"bob","text":"\xc3\xa9","past":true}\n'
            b'{"now":"lobby","seq":2}\n{"note":"n"}\n'
        )
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
        shown = []
        for bounds in ([0, len(whole)], [0, *cuts, len(whole)]):
            paper = Paper()
            client = Client(paper, self.clock, "x:1", "ada")
            client.connected(lambda data: None, lambda: None, lambda: None)
            for start, end in zip(bounds, bounds[1:], strict=False):
                client.heard(whole[start:end])
            shown.append(paper.lines)
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(len(shown[0]), 3)


class DialectTests(GuestCase):
    """MUCS in its five dialects."""

    def test_everyDialect(self) -> None:
        """What is said in one is read in all."""
        names = ("cstring", "shh", "hithere", "fiveseat", "addr")
        guests = [self.guest(f"p{name}", name, dialect=name) for name in names]
        watcher = self.house.enters("watcher")
        for name, guest in zip(names, guests, strict=True):
            self.house.waits(0.3)
            guest.types(f"one {name}", f"two {name}")
            self.house.waits(0.3)
            for each in guests:
                each.reads()
                self.house.waits(0.1)
        said = [line.rpartition(": ")[2] for line in watcher.lines()]
        self.assertEqual(said, [f"{count} {name}" for name in names for count in ("one", "two")])
        for guest in guests:
            self.house.waits(0.3)
            guest.reads()
            self.house.waits(0.1)
            shown = "\n".join(guest.seen())
            for name in names:
                self.assertIn(f"one {name}", shown)
                self.assertEqual(shown.count(f"two {name}"), 1, shown)
