"""The framings, against plain ones, before a LineReceiver, and on what the five clients send."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase

from mucs.line.framing import FRAMINGS, Framing, Lines, Nuls, Segments
from mucs.line.telnet import Telnet

# Every line end and its halves, characters of one to four bytes and theirs, what is no UTF-8.
pieces = st.one_of(
    st.sampled_from([b"\r", b"\n", b"\0", b"\r\n", b"\r\0", b"\n\n", b"\0\0\0", b"a", b"hello"]),
    st.sampled_from([char.encode() for char in "aé€\ud7ff\ue000😀\U0010ffff"]),
    st.integers(0x80, 0xFF).map(lambda byte: bytes([byte])),
    st.binary(max_size=3),
)
streams = st.lists(pieces, max_size=20).map(b"".join)
withTelnet = st.lists(pieces | st.just(b"\xff\xfd\x01"), max_size=20).map(b"".join)


@st.composite
def segmented(draw: st.DrawFn, data: st.SearchStrategy[bytes] = streams) -> list[bytes]:
    """A stream and a way to cut it, some segments empty."""
    whole = draw(data)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def fed(framing: Framing, segments: list[bytes]) -> list[bytes]:
    """Return the lines that are not empty of `segments` and the end."""
    text = b"".join([framing.feed(segment) for segment in segments]) + framing.finish()
    assert text.endswith(b"\n")
    return [line for line in text.split(b"\n") if line]


def plainLines(data: bytes, ends: bytes) -> list[bytes]:
    r"""Return the lines of `data`, which end at each of `ends`, a ``\r`` before one included."""
    lines = [b""]
    for at, byte in enumerate(data):
        after = data[at + 1 : at + 2]
        if byte == 0x0D and after in (b"\n", b"\0", b""):
            continue
        if byte in ends or (byte == 0 and at and data[at - 1] == 0x0D):
            lines.append(b"")
        else:
            lines[-1] += bytes([byte])
    return [line for line in lines if line]


def isCut(frame: bytes) -> bool:
    """Whether a character, or a surrogate, is begun at the end of `frame`, tried out."""
    for begun, first, more in product((1, 2, 3), (0x80, 0x90, 0xA0), (0, 1, 2)):
        if len(frame) < begun:
            continue
        try:
            whole = frame[-begun:] + bytes([first]) + b"\x80" * more
            char = whole.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            continue
        if len(char) == 1:
            return True
    return False


def plainSegments(segments: list[bytes]) -> list[bytes]:
    """Return the lines of `segments`, each a frame unless it is cut and the next goes on."""
    frames = []
    frame = b""
    for segment in filter(None, segments):
        if frame and not 0x80 <= segment[0] <= 0xBF:
            frames.append(frame)
            frame = b""
        frame += segment
        if not isCut(frame):
            frames.append(frame)
            frame = b""
    return [line for whole in [*frames, frame] for line in plainLines(whole, b"\n")]


class Receiver(LineReceiver):
    """A LineReceiver behind the two filters, as a line connection has it."""

    delimiter = b"\n"

    def __init__(self, framing: Framing) -> None:
        self.telnet = Telnet()
        self.framing = framing
        self.lines: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(self.framing.feed(self.telnet.feed(data)))
        if self.telnet.reply and self.transport:
            self.transport.write(self.telnet.takeReply())

    def readConnectionLost(self) -> None:
        super().dataReceived(self.framing.finish())

    def lineReceived(self, line: bytes) -> None:
        if line:
            self.lines.append(line)


def received(framing: Framing, segments: list[bytes]) -> tuple[list[bytes], bytes]:
    """Return the lines a Receiver gets, and what it answered."""
    receiver = Receiver(framing)
    transport = StringTransport()
    receiver.makeConnection(transport)
    for segment in segments:
        receiver.dataReceived(segment)
    receiver.readConnectionLost()
    return receiver.lines, transport.value()


class AnyBytesTests(SynchronousTestCase):
    """What holds whatever is sent and however it is cut."""

    @settings(deadline=None, max_examples=300)
    @given(segmented())
    def test_linesAreThoseOfThePlainOneUnderAnySplit(self, segments: list[bytes]) -> None:
        self.assertEqual(fed(Lines(), segments), plainLines(b"".join(segments), b"\n"))

    @settings(deadline=None, max_examples=300)
    @given(segmented())
    def test_nulsAreThoseOfThePlainOneUnderAnySplit(self, segments: list[bytes]) -> None:
        self.assertEqual(fed(Nuls(), segments), plainLines(b"".join(segments), b"\n\0"))

    @settings(deadline=None, max_examples=600)
    @given(segmented())
    def test_segmentsAreThoseOfThePlainOne(self, segments: list[bytes]) -> None:
        self.assertEqual(fed(Segments(), segments), plainSegments(segments))

    @settings(deadline=None)
    @given(st.sampled_from(sorted(FRAMINGS)), segmented())
    def test_runsOfLineEndsAreOneAndNothingIsHeldBackForLong(
        self, name: str, segments: list[bytes]
    ) -> None:
        framing = FRAMINGS[name]()
        for segment in segments:
            self.assertNotIn(b"\n\n", framing.feed(segment))
        self.assertLessEqual(len(framing.finish()), 3 + len(b"\n"))
        self.assertEqual(framing.finish(), b"\n")

    @settings(deadline=None)
    @given(st.sampled_from(["line", "nul"]), segmented(withTelnet))
    def test_aLineReceiverBehindTheFiltersGetsTheSameUnderAnySplit(
        self, name: str, segments: list[bytes]
    ) -> None:
        whole = received(FRAMINGS[name](), [b"".join(segments)])
        self.assertEqual(received(FRAMINGS[name](), segments), whole)

    @settings(deadline=None)
    @given(segmented(streams.map(lambda data: data.replace(b"\xff", b""))))
    def test_aLineReceiverBehindTheFiltersGetsTheSegments(self, segments: list[bytes]) -> None:
        self.assertEqual(received(Segments(), segments), (plainSegments(segments), b""))

    def test_everyEndOfASegmentIsHeldIfAndOnlyIfACharacterIsBegun(self) -> None:
        edges = bytes.fromhex(
            "41 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff"
        )
        for end in map(bytes, product(edges, repeat=3)):
            sent = Segments().feed(b"x" + end)
            self.assertEqual(not sent.endswith(b"\n"), isCut(end), end)


class LinesTests(SynchronousTestCase):
    """The framing of netcat, telnet, and the clients that send lines."""

    def test_theThreeLineEnds(self) -> None:
        self.assertEqual(Lines().feed(b"a\nb\r\nc\r\0d"), b"a\nb\nc\nd")

    def test_aReturnWithoutMoreIsNoLineEnd(self) -> None:
        self.assertEqual(Lines().feed(b"a\rb\n"), b"a\rb\n")

    def test_aReturnAtTheEndOfASegmentWaitsForTheNextByte(self) -> None:
        for next_, told in ((b"\nb", b"\nb"), (b"\0b", b"\nb"), (b"b", b"\rb"), (b"\r\n", b"\r\n")):
            framing = Lines()
            self.assertEqual(framing.feed(b"a\r"), b"a")
            self.assertEqual(framing.feed(b""), b"")
            self.assertEqual(framing.feed(next_), told)

    def test_whatHasNothingToChangeIsReturnedItself(self) -> None:
        for framing in (Lines(), Nuls()):
            for data in (b"hello\n", b"hel", b"", "é\nΩ\n".encode(), b"\xc3\n"):
                self.assertIs(framing.feed(data), data)

    def test_aLastLineWithoutItsEndCounts(self) -> None:
        self.assertEqual(received(Lines(), [b"ada\nhello"]), ([b"ada", b"hello"], b""))
        self.assertEqual(received(Lines(), [b"ada\r\nhello\r"]), ([b"ada", b"hello"], b""))

    def test_manyEmptyLinesBecomeOne(self) -> None:
        for end in (b"\n", b"\r\n", b"\r\0"):
            self.assertEqual(Lines().feed(b"a" + end * 32768), b"a\n")

    def test_telnetBetweenAndWithinLineEnds(self) -> None:
        sent = [b"ada\r\xff", b"\xf1\nhe\xff\xfd", b"\x01llo\r", b"\xff\xfd\x06", b"\0"]
        told = b"\xff\xfc\x01\xff\xfc\x06"
        self.assertEqual(received(Lines(), sent), ([b"ada", b"hello"], told))


class NulsTests(SynchronousTestCase):
    """The framing of `cstring` and `fiveseat`."""

    def test_aNameThenAnEmptyFrameThenSpeech(self) -> None:
        sent = b"ada\0" + b"\0" + b"hello all\0"
        for cut in range(len(sent)):
            lines = received(Nuls(), [sent[:cut], sent[cut:]])[0]
            self.assertEqual(lines, [b"ada", b"hello all"])

    def test_paddedBuffersAreOneFrameEach(self) -> None:
        sent = b"".join(text.ljust(256, b"\0") for text in (b"ada\n", b"hello\n", b"x" * 255))
        for size in (1, 3, 255, 256, 257, 768):
            segments = [sent[at : at + size] for at in range(0, len(sent), size)]
            self.assertEqual(received(Nuls(), segments)[0], [b"ada", b"hello", b"x" * 255])

    def test_paddingIsNearlyNothingToALineReceiver(self) -> None:
        self.assertEqual(Nuls().feed(b"hello\n".ljust(65536, b"\0")), b"hello\n")
        buffers = Nuls().feed(b"hello\n".ljust(256, b"\0") * 256)
        self.assertEqual(buffers, b"hello\n" * 256)

    def test_netcatsLinesAreFramesToo(self) -> None:
        lines = received(Nuls(), [b"ada\r\nhello\r", b"\nbye"])[0]
        self.assertEqual(lines, [b"ada", b"hello", b"bye"])


class SegmentsTests(SynchronousTestCase):
    """The framing of `shh`."""

    def test_oneSendIsOneMessage(self) -> None:
        sent = [b"Fake Herleen", b"Hi everyone", b"!q"]
        self.assertEqual(received(Segments(), sent)[0], sent)

    def test_aMessageIsThereAtOnce(self) -> None:
        self.assertEqual(Segments().feed(b"hello"), b"hello\n")

    def test_quittingCountsWithALineEndOrWithout(self) -> None:
        for quit_ in (b"!q", b"!q\n", b"!q\r\n", b"!q\r", b"!q\r\0"):
            self.assertEqual(Segments().feed(quit_), b"!q\n")

    def test_lineEndsInsideASegmentSplitIt(self) -> None:
        self.assertEqual(received(Segments(), [b"ada\nhi\r\nall\n"])[0], [b"ada", b"hi", b"all"])

    def test_aCutCharacterIsJoinedToTheNextSegment(self) -> None:
        for char in "é€😀":
            whole = f"a{char}b".encode()
            for cut in range(2, len(whole) - 1):
                lines = received(Segments(), [b"one", whole[:cut], whole[cut:], b"two"])[0]
                self.assertEqual(lines, [b"one", whole, b"two"])

    def test_aCharacterMayComeByteByByteWithTelnetBetween(self) -> None:
        sent = [b"\xf0", b"\xff\xf1", b"\x9f", b"\xff\xf1", b"\x98", b"\x80!"]
        self.assertEqual(received(Segments(), sent)[0], ["😀!".encode()])

    def test_whatDoesNotGoOnWithTheCharacterIsAFrameOfItsOwn(self) -> None:
        self.assertEqual(received(Segments(), [b"caf\xe9", b"hello"])[0], [b"caf\xe9", b"hello"])

    def test_wholeCharactersAndNoUTF8AtTheEndAreNotHeld(self) -> None:
        for end in (*(char.encode() for char in "é€😀"), b"\x80", b"\xff", b"\xc0", b"\xe0\x80"):
            self.assertEqual(Segments().feed(b"a" + end), b"a" + end + b"\n")

    def test_aCutLastSegmentComesAtTheEnd(self) -> None:
        sent = [b"hello", b"a\xe2\x82"]
        self.assertEqual(received(Segments(), sent)[0], sent)


class TableTests(SynchronousTestCase):
    """The framings by name."""

    def test_names(self) -> None:
        self.assertEqual(FRAMINGS, {"line": Lines, "nul": Nuls, "segment": Segments})
