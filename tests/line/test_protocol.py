"""Tests for L{mucs.line.protocol}: bytes in, bytes out, over all dialects."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone

from mucs.events import JOIN, LEAVE
from mucs.rules import Limits
from tests.house import ENDS, House, HouseCase, Person, many

quiet = settings(deadline=None, database=None)

TOO_LONG = "! a line has at most 4096 bytes; that one was not sent"
NO_UTF8 = "! that was no UTF-8; set your terminal to UTF-8"

# What may come out, by dialect, besides characters that only show something: line ends, and what
# ends a message. Told apart from the dialects' own settings.
ALLOWED = {
    "native": {"\r\n"},
    "cstring": {"\n", "\0"},
    "shh": {"\n"},
    "hithere": {"\n"},
    "fiveseat": {"\n", "\0"},
    "addr": {"\n"},
    "json": {"\r\n"},
}

# What must not: controls, line and paragraph separators, bidi controls, and their like.
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# What a telnet client is answered: its own options, refused.
TELNET = re.compile(rb"\xff[\xfc\xfe].", re.DOTALL)

# Words, what moves a terminal, what ends a line or a frame, what is no UTF-8.
PIECES = st.one_of(
    st.sampled_from(["a", "b c", "é", "🙂", "ada", "bob", "x" * 30, " ", "{author}", "%s", '"']),
    st.sampled_from(["\x1b[2J", "\x07", "\x9b1m", "\u202e", "\u2028", "\x85", "\ufeff", "\u200d"]),
    st.sampled_from(["/", "/nick ", "/topic ", "/me ", "/join ", "/msg ", "/quit ", "/who", "!q"]),
    st.sampled_from(["-- ", "! ", "* ", "ada -> you: "]),
    st.sampled_from(["\r\n", "\n", "\0", "\r\0", "\r", "\t"]),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
BYTES = st.one_of(PIECES, PIECES, PIECES, st.binary(max_size=4), st.just(b"\xff\xfd\x01"))
STREAMS = many(BYTES, 40).map(b"".join)


class LinesTests(HouseCase):
    """What a line is."""

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def sends(self, *segments: bytes) -> list[str]:
        """What bob sees of what ada sends, each in a segment of its own."""
        for segment in segments:
            self.ada.sends(segment)
        self.house.turn()
        return self.bob.lines()

    def test_lineEnds(self) -> None:
        """Any of the three that there are, in pieces too; empty lines are none."""
        self.assertEqual(
            self.sends(b"a\nb\r\nc\r\0d\r", b"\ne\r", b"\0\n\r\n", b" \n\t\nf", b"g\n"),
            [f"ada: {text}" for text in ("a", "b", "c", "d", "e", "fg")],
        )

    def test_aLineUntilItsEnd(self) -> None:
        """Nothing is said before."""
        self.assertEqual(self.sends(b"hel"), [])
        self.assertEqual(self.sends(b"lo wor"), [])
        self.assertEqual(self.sends(b"ld\nand"), ["ada: hello world"])

    def test_charactersCutInHalf(self) -> None:
        """Are whole again."""
        text = "é€🙂\n".encode()
        self.assertEqual(self.sends(*[text[at : at + 1] for at in range(len(text))]), ["ada: é€🙂"])

    def test_whatIsNoUtf8(self) -> None:
        """Is refused, line by line, and reaches nobody; the others are said."""
        self.assertEqual(
            self.sends(b"one\ncaf\xe9\ntwo\n\xff\xff\n", b"\xed\xa0\x80\nthree\n"),
            ["ada: one", "ada: two", "ada: three"],
        )
        self.assertEqual(self.ada.lines(), [NO_UTF8] * 3)

    def test_asLongAsALineMayBe(self) -> None:
        """To the byte, in one segment or in many, whatever its characters are."""
        for char in ("x", "é", "🙂"):
            size = len(char.encode())
            fits = char * (4096 // size)
            for cut in (1, 4090, 4095, 4096, 9999):
                data = fits.encode() + b"\n"
                self.assertEqual(self.sends(data[:cut], data[cut:]), [f"ada: {fits}"])
                data = char.encode() + data
                self.assertEqual(self.sends(data[:cut], data[cut:]), [])
                self.assertEqual(self.ada.lines(), [TOO_LONG])

    def test_aLineThatIsTooLong(self) -> None:
        """Is refused once, and all of it is dropped: its tail is no line of its own."""
        self.assertEqual(
            self.sends(b"x" * 5000 + b"/quit\nafter\n", b"y" * 20000, b"y/quit\r", b"\nlast\n"),
            ["ada: after", "ada: last"],
        )
        self.assertEqual(self.sends(b"x" * 5000, b"tail\nnext\n"), ["ada: next"])
        self.assertEqual(self.ada.lines(), [TOO_LONG] * 3)
        self.assertFalse(self.ada.closed)

    def test_muchBehindALineThatIsTooLong(self) -> None:
        """Is taken in its order."""
        lines = [str(n) for n in range(3000)]
        data = "".join(f"{line}\n" for line in lines).encode()
        said = [f"ada: {line}" for line in lines]
        self.assertEqual(self.sends(b"x" * 5000 + b"\n" + data), said)

    def test_whatIsTooLongBeforeItIsClean(self) -> None:
        """Counts as it was sent."""
        self.assertEqual(self.sends(b"\x01" * 4096 + b"a\n"), [])
        self.assertEqual(self.ada.lines(), [TOO_LONG])

    def test_aLineWithoutAnEnd(self) -> None:
        """After 64 KiB of it the connection is closed, and the reason is given."""
        for _ in range(16):
            self.ada.sends(b"x" * 4096)
        self.assertFalse(self.ada.closed)
        self.ada.sends(b"x" * 4096)
        self.house.turn()
        self.assertEqual(self.ada.lines(), [TOO_LONG, "! that line never ends"])
        self.assertEqual(self.bob.lines(), ["* ada left (that line never ends)"])
        self.assertGone(self.ada)

    def test_manySmallLinesAtOnce(self) -> None:
        """All of them, whether they can be said as a whole or not."""
        lines = [str(n) for n in range(3000)]
        data = "".join(f"{line}\n" for line in lines).encode()
        self.assertEqual(self.sends(data), [f"ada: {line}" for line in lines])
        self.assertEqual(self.sends(b"//x\n" + data), [f"ada: {x}" for x in ("/x", *lines)])

    def test_theLastLineNeedsNoEnd(self) -> None:
        """Whether the peer closes its own side only, or all, as TLS does, in good order."""
        self.ada.sends(b"one\ntwo")
        self.ada.finishes()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["ada: one", "ada: two", "* ada left"])
        eve = self.house.enters("eve")
        eve.sends(b"one\ntwo")
        eve.wire.lose(ConnectionDone())
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* eve joined", "eve: one", "eve: two", "* eve left"])
        self.assertGone(self.ada, eve)

    def test_theLastLineMayBeTooLong(self) -> None:
        """And is no line then."""
        self.ada.sends(b"one\n" + b"x" * 5000)
        self.ada.closes()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["ada: one", "* ada left"])

    def test_aWholeConversationInOneSegment(self) -> None:
        """As C{printf 'cyd\\nhello\\n' | nc -N} sends it."""
        cyd = self.house.connect()
        cyd.sends(b"cyd\nhello\n")
        cyd.finishes()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* cyd joined", "cyd: hello", "* cyd left"])
        self.assertGone(cyd)

    def test_aBrowser(self) -> None:
        """
        A page that is open in one could speak in its reader's name: nothing of its request is
        said, by whatever dialect; what only looks like one, later, is speech.
        """
        for dialect in ("native", "hithere", "addr"):
            page = self.house.connect(dialect)
            self.house.turn()
            page.sends(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n/nick ada\r\nhello\r\n")
            self.house.turn()
            self.assertIn(b"! this is a chat, and no web server", page.seen())
            self.assertGone(page)
        self.assertNotIn("hello", "".join(self.bob.lines()))
        self.sends(b"one\n")
        self.assertEqual(self.sends(b"GET / HTTP/1.1\n"), ["ada: GET / HTTP/1.1"])

    def test_tlsOnAPlainPort(self) -> None:
        """A handshake is no name, in whatever dialect: one line says so, and it is closed."""
        hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\nada\nhello\n"
        for dialect in ("native", "hithere", "addr", "json"):
            client = self.house.connect(dialect)
            self.house.turn()
            client.seen()
            client.sends(hello)
            self.house.turn()
            self.assertIn(b"this port speaks no TLS", client.seen())
            self.assertGone(client)
        # Who is called by the address has been there.
        self.assertEqual([line for line in self.bob.lines() if "* 10." not in line], [])

    def test_telnet(self) -> None:
        """Its commands are no text, and its requests are refused; we ask for nothing."""
        eve = self.house.connect()
        self.assertNotIn(b"\xff", eve.seen())
        eve.sends(b"\xff\xfd\x01\xff\xfb\x1fe\xff\xf1ve\r\0hi\r\n")
        self.house.turn()
        self.assertTrue(eve.seen().startswith(b"\xff\xfc\x01\xff\xfe\x1f"))
        self.assertEqual(self.bob.lines(), ["* eve joined", "eve: hi"])


class FramesTests(HouseCase):
    """What a message is, where it is no line."""

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.house.enters("bob")

    def enters(self, dialect: str) -> Person:
        """Someone with another client."""
        person = self.house.enters("eve", dialect)
        self.house.waits(0.2)
        self.house.rests()
        return person

    def test_strings(self) -> None:
        """NUL ends one, and padding is nothing."""
        for dialect in ("cstring", "fiveseat"):
            eve = self.enters(dialect)
            eve.sends(b"one\0\0two\n" + b"\0" * 252)
            eve.sends(b"\0th")
            eve.sends(b"ree\0four")
            self.house.turn()
            self.assertEqual(self.bob.lines(), ["eve: one", "eve: two", "eve: three"])
            eve.closes()
            self.house.turn()
            self.assertEqual(self.bob.lines(), ["eve: four", "* eve left"])

    def test_segments(self) -> None:
        """A segment is a message, or several where it has lines; a cut character is not."""
        eve = self.enters("shh")
        for segment in (b"one", b"two", b"three\nfour\r\n", "f\u00efve".encode()[:2], b"\xafve"):
            eve.sends(segment)
        self.house.turn()
        self.assertEqual(
            self.bob.lines(),
            [f"eve: {text}" for text in ("one", "two", "three", "four", "f\u00efve")],
        )

    def test_quittingInEveryDialect(self) -> None:
        """C{!q} is never said to anyone, but in JSON, where what is said is never a command."""
        for dialect, end in ENDS.items():
            if dialect == "json":
                continue
            eve = self.enters(dialect)
            eve.sends(b"!q" + end)
            self.house.turn()
            self.house.waits(0.1)
            self.assertEqual([line.split()[-1] for line in self.bob.lines()], ["left"], dialect)
            self.assertGone(eve)


class SplitsTests(HouseCase):
    """How bytes are cut into segments is no matter."""

    def told(self, dialect: str, segments: list[bytes], turns: bool) -> list[tuple[str, ...]]:
        """What is stored of someone who sends these, and how often they are refused what."""
        house = House(Limits(rate=0, line=64, unended=1 << 20))
        peer = IPv4Address("TCP", "192.0.2.7", 4711)
        house.listens(dialect)
        person = house.comes(dialect, peer)
        house.turn()
        person.sends(b"eve" + (ENDS[dialect] or b"\n"))
        house.waits(0.2, 0.04)
        person.seen()
        for segment in segments:
            person.sends(segment)
            if turns:
                house.turn()
        person.finishes()
        for _ in range(5):
            house.turn()
        house.waits(3, 0.04)
        seen = TELNET.sub(b"", person.seen()).replace(b"\0", b"\n").replace(b"\r", b"")
        # What comes behind a quit may be refused, or not be heard any more.
        refused = sorted(line for line in seen.decode().split("\n") if line.startswith("! "))
        rooms = ("lobby", "a", "b c")
        events = [event for room in rooms for event in house.stored(room)]
        return [
            *((event.room, event.kind, event.author, event.text) for event in events),
            *((line,) for line in refused if not re.search(b"/quit|!q", b"".join(segments))),
        ]

    @quiet
    @given(
        st.sampled_from(["native", "hithere", "addr", "cstring", "fiveseat"]),
        STREAMS,
        st.lists(st.integers(0, 300), max_size=8),
        st.booleans(),
    )
    def test_anySplit(self, dialect: str, data: bytes, cuts: list[int], turns: bool) -> None:
        """Of the same bytes gives the same events, and the same refusals."""
        places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        segments = [data[a:b] for a, b in zip(places, places[1:], strict=False)]
        self.assertEqual(self.told(dialect, segments, turns), self.told(dialect, [data], False))

    @quiet
    @given(
        many(st.text("aé€🙂/ ", min_size=1, max_size=20), 12),
        st.lists(st.integers(0, 3), min_size=1, max_size=40),
    )
    def test_aSegmentCutInsideACharacter(self, texts: list[str], cuts: list[int]) -> None:
        """Where each segment is a message, it still is one."""
        whole = [text.encode() for text in texts]
        segments: list[bytes] = []
        for at, message in enumerate(whole):
            last = len(texts[at][-1].encode())
            inside = min(cuts[at % len(cuts)], last - 1)
            cut = len(message) - inside if inside else len(message)
            segments += [part for part in (message[:cut], message[cut:]) if part]
        self.assertEqual(self.told("shh", segments, False), self.told("shh", whole, False))


class HostileTests(HouseCase):
    """Whatever anyone sends, as a name, in speech, as a topic, a reason, or a room."""

    def crowd(self, limits: Limits) -> tuple[House, list[tuple[str, Person]]]:
        """One person by each dialect, in one hall, all with a name, and one who watches."""
        house = House(limits)
        people = [("native", house.enters("ada"))]
        people += [(dialect, house.enters(f"by {dialect}", dialect)) for dialect in ENDS]
        house.waits(0.5, 0.04)
        return house, people

    def assertHarmless(self, dialect: str, data: bytes) -> None:
        """Nothing of this moves a terminal, or ends a line that is not ours to end."""
        text = TELNET.sub(b"", data).decode("utf-8")
        for end in sorted(ALLOWED[dialect], key=len, reverse=True):
            text = text.replace(end, "")
        self.assertIsNone(FORBIDDEN.search(text), (dialect, text))

    def whole(self, dialect: str, data: bytes) -> bytes:
        """A message of this, as a client of that dialect sends one."""
        if dialect != "json":
            return data + ENDS[dialect]
        key = ("name", "say", "do", "history", "search")[len(data) % 5]
        return msgspec.json.encode({key: data.decode("utf-8", "replace")}) + b"\n"

    @settings(deadline=None, database=None, max_examples=150)
    @given(many(st.tuples(st.integers(0, 8), STREAMS, st.booleans()), 20))
    def test_nothingHarmfulComesOut(self, moves: list[tuple[int, bytes, bool]]) -> None:
        """
        To anyone, by any dialect, whatever bytes whoever sends; nobody else's connection is
        closed by it, and nothing raises.
        """
        house, people = self.crowd(Limits(rate=0, line=64, unended=2048))
        ada = people[0][1]
        everyone = list(people)
        for who, data, named in moves:
            if who >= len(people) - 1:
                # Someone new, who may choose a terrible name.
                dialect = list(ENDS)[len(data) % len(ENDS)]
                person = house.connect(dialect)
                everyone.append((dialect, person))
            else:
                dialect, person = people[who + 1]
            if named:
                data = self.whole(dialect, data)
            open_ = [other for _, other in everyone if other is not person and not other.closed]
            person.sends(data)
            house.turn()
            self.assertFalse(any(other.closed for other in open_))
        late = house.connect("native", "late")
        everyone.append(("native", late))
        ada.says("/rooms", "/who", "/topic")
        house.waits(5, 0.04)
        self.assertFalse(ada.closed)
        for dialect, person in everyone:
            self.assertHarmless(dialect, b"".join(data for _, data in person.wire.writes))
        for event in house.stored():
            self.assertIsNone(FORBIDDEN.search(event.text + event.author + event.target))

    @quiet
    @given(st.sampled_from(sorted(ENDS)), many(st.binary(max_size=60), 20))
    def test_anyBytesAtAll(self, dialect: str, segments: list[bytes]) -> None:
        """Before a name and after it, up to an end of any kind: everything is given back."""
        house = House(Limits(line=64, unended=1024, segments=1024))
        ada = house.enters("ada")
        person = house.connect(dialect)
        for at, segment in enumerate(segments):
            person.sends(segment)
            if at % 3 == 0:
                house.turn()
        [person.closes, person.resets][len(segments) % 2]()
        house.turn()
        house.waits(6, 0.25)
        self.house = house
        self.assertGone(person)
        self.assertFalse(ada.closed)
        self.assertEqual(ada.session.changes, 0)
        kinds = [event.kind for event in house.stored() if event.origin == person.session.id]
        self.assertEqual((kinds.count(JOIN), kinds.count(LEAVE)), (1, 1) if kinds else (0, 0))
        self.assertEqual(kinds[-1:], [LEAVE] if kinds else [])
