"""The telnet filter, against a plain one that looks at one byte after the other."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.line.telnet import (
    DO,
    DONT,
    EOF,
    IAC,
    REPLIES,
    SB,
    SE,
    SUBNEGOTIATION,
    TIMING_MARK,
    WILL,
    WONT,
    Telnet,
)

ECHO = 1


def say(*codes: int) -> bytes:
    """Return IAC and what follows it, or IACs alone."""
    return bytes((IAC, *codes))


class Plain:
    """What `Telnet` shall do, one byte at a time; `state` names the method for the next."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.reply = bytearray()
        self.state = "plain"
        self.verb = 0
        self.swallowed = 0
        self.answered: set[tuple[int, int]] = set()
        self.replies = 0

    def feed(self, data: bytes) -> None:
        for byte in data:
            self.state = getattr(self, self.state)(byte)

    def keep(self, byte: int) -> str:
        self.text.append(byte)
        return "plain"

    def plain(self, byte: int) -> str:
        return "command" if byte == IAC else self.keep(byte)

    def command(self, byte: int) -> str:
        if byte == IAC:
            return self.keep(IAC)
        if byte < EOF:
            self.keep(IAC)
            return self.keep(byte)
        if byte >= WILL:
            self.verb = byte
            return "option"
        self.swallowed = 0
        return "body" if byte == SB else "plain"

    def option(self, byte: int) -> str:
        asked = (self.verb, byte)
        isNew = asked not in self.answered or asked == (DO, TIMING_MARK)
        if self.verb in (DO, WILL) and isNew and self.replies < REPLIES:
            self.answered.add(asked)
            self.replies += 1
            self.reply += say(WONT if self.verb == DO else DONT, byte)
        return "plain"

    def body(self, byte: int) -> str:
        self.swallowed += 1
        if self.swallowed == SUBNEGOTIATION:
            return "command" if byte == IAC else "plain"
        return "bodyCommand" if byte == IAC else "body"

    def bodyCommand(self, byte: int) -> str:
        self.swallowed += 1
        if byte == SE or self.swallowed == SUBNEGOTIATION:
            return "plain"
        return "body"


def plainly(data: bytes) -> tuple[bytes, bytes]:
    plain = Plain()
    plain.feed(data)
    return bytes(plain.text), bytes(plain.reply)


def filtered(segments: list[bytes]) -> tuple[bytes, bytes]:
    telnet = Telnet()
    text = reply = b""
    for segment in segments:
        text += telnet.feed(segment)
        reply += telnet.takeReply()
    return text, reply


# Mostly what means something to telnet, or nearly does, and bodies about as long as the limit.
pieces = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"\xff", b"\xff\xff", b"\xff\xfa", b"\xff\xf0", b"a\n"]),
    st.builds(say, st.integers(EOF - 2, EOF + 2)),
    st.builds(say, st.integers(WILL, DONT), st.sampled_from([ECHO, TIMING_MARK, 10, SE, IAC])),
    st.integers(508, 514).map(lambda size: say(SB) + b"x" * size),
    st.integers(253, 258).map(lambda size: say(SB) + say(DONT) * size),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


@st.composite
def segmented(draw: st.DrawFn) -> list[bytes]:
    """A stream and a way to cut it, some segments empty."""
    data = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


class AnyBytesTests(SynchronousTestCase):
    """What holds whatever is sent and however it is cut."""

    @settings(deadline=None, max_examples=400)
    @given(segmented())
    def test_agreesWithThePlainOneUnderAnySplit(self, segments: list[bytes]) -> None:
        self.assertEqual(filtered(segments), plainly(b"".join(segments)))

    @settings(deadline=None)
    @given(streams)
    def test_agreesWithThePlainOneByteByByte(self, data: bytes) -> None:
        self.assertEqual(filtered([bytes([byte]) for byte in data]), plainly(data))

    @settings(deadline=None)
    @given(st.binary().map(lambda data: data.replace(b"\xff", b"")))
    def test_textWithoutIACIsReturnedItself(self, data: bytes) -> None:
        telnet = Telnet()
        self.assertIs(telnet.feed(data), data)
        self.assertEqual(telnet.reply, b"")

    def test_everyCommandIsDroppedAndNoOtherByteIs(self) -> None:
        for code in range(256):
            if code in (SB, WILL, WONT, DO, DONT):
                continue
            expected = b"\xff" if code == IAC else say(code) if code < EOF else b""
            self.assertEqual(filtered([b"a", say(code), b"b"]), (b"a" + expected + b"b", b""))


class TextTests(SynchronousTestCase):
    """What is text."""

    def test_twoIACsAreOneByteOfText(self) -> None:
        self.assertEqual(filtered([b"a\xff\xffb", b"\xff", b"\xff"]), (b"a\xffb\xff", b""))

    def test_aLineEndAfterAStrayIACIsNotLost(self) -> None:
        # A Latin-1 y with dots, or a Cyrillic letter of Windows-1251, at the end of a line.
        self.assertEqual(filtered([b"one\xff\ntwo\n"])[0], b"one\xff\ntwo\n")

    def test_interruptsAndPingsAreDropped(self) -> None:
        sent = b"he" + say(0xF1) + b"l" + say(0xF4) + say(0xF2) + b"lo" + say(0xF6) + b"\r\n"
        self.assertEqual(filtered([sent]), (b"hello\r\n", b""))

    def test_afterASequenceIsOverTheFilterHoldsNothing(self) -> None:
        telnet = Telnet()
        telnet.feed(b"\xff\xfd")
        telnet.feed(b"\x01a")
        data = b"b"
        self.assertIs(telnet.feed(data), data)


class SubnegotiationTests(SynchronousTestCase):
    """IAC SB ... IAC SE."""

    def test_isSwallowed(self) -> None:
        size = b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"  # NAWS (RFC 1073), 80 by 24
        self.assertEqual(filtered([b"a" + size + b"b"]), (b"ab", b""))

    def test_twoIACsInItAreNotItsEnd(self) -> None:
        self.assertEqual(filtered([b"\xff\xfa\x1f\xff\xff\xf0\x00\xff\xf0b"]), (b"b", b""))

    def test_aRequestInItIsNotAnswered(self) -> None:
        self.assertEqual(filtered([b"\xff\xfa\x1f\xff\xfd\x01\xff\xf0b"]), (b"b", b""))

    def test_afterTheLimitFollowsText(self) -> None:
        for segment in (1, 100, 4096):
            sent = b"\xff\xfa" + b"x" * SUBNEGOTIATION + b"hello\n"
            segments = [sent[at : at + segment] for at in range(0, len(sent), segment)]
            self.assertEqual(filtered(segments), (b"hello\n", b""))

    def test_asLongAsTheLimitItsEndIsStillFound(self) -> None:
        sent = b"\xff\xfa" + b"x" * SUBNEGOTIATION + b"\xff\xf0hello\n"
        self.assertEqual(filtered([sent]), (b"hello\n", b""))

    def test_theLimitDoesNotPartAnIACFromWhatFollows(self) -> None:
        for end in (b"\xff\xf0", b"\xff\xf1"):
            sent = b"\xff\xfa" + b"x" * (SUBNEGOTIATION - 1) + end + b"hello\n"
            for cut in range(len(sent)):
                self.assertEqual(filtered([sent[:cut], sent[cut:]]), (b"hello\n", b""))

    def test_noConnectionIsDeafForMoreThanTheLimit(self) -> None:
        for inside in (b"x", b"\xff\xfe", b"\xff\xfa"):
            telnet = Telnet()
            telnet.feed(b"\xff\xfa" + inside * (SUBNEGOTIATION // len(inside)))
            self.assertEqual(telnet.feed(b"hello"), b"hello")


class ReplyTests(SynchronousTestCase):
    """What is answered."""

    def test_nothingIsSaidFirst(self) -> None:
        self.assertEqual(Telnet().takeReply(), b"")

    def test_whatPuttySaysFirstIsRefused(self) -> None:
        asked = [say(WILL, option) for option in (31, 32, 24, 39, 3)] + [say(DO, 1), say(DO, 3)]
        told = [say(DONT, option) for option in (31, 32, 24, 39, 3)] + [say(WONT, 1), say(WONT, 3)]
        self.assertEqual(filtered([b"".join(asked) + b"ada\r\n"]), (b"ada\r\n", b"".join(told)))

    def test_aRequestIsRefusedOnceForEachVerb(self) -> None:
        sent = (say(DO, ECHO) + say(WILL, ECHO)) * 100
        self.assertEqual(filtered([sent, sent]), (b"", say(WONT, ECHO) + say(DONT, ECHO)))

    def test_refusalsAreNotAnswered(self) -> None:
        self.assertEqual(filtered([say(WONT, ECHO) + say(DONT, ECHO)]), (b"", b""))

    def test_consentIsNoRequest(self) -> None:
        """Who is told that the server echoes says yes or no, once or twice; none is answered."""
        telnet = Telnet()
        self.assertEqual(telnet.conceal(True), say(WILL, ECHO) + b"\r")
        self.assertEqual(telnet.feed(say(DO, ECHO) + b"x"), b"x")
        self.assertEqual(telnet.conceal(False), say(WONT, ECHO) + b"\r")
        self.assertEqual(telnet.feed(say(DONT, ECHO) + say(DO, ECHO)), b"")
        self.assertEqual(telnet.takeReply(), b"")
        self.assertEqual(telnet.feed(say(DO, 3)), b"")
        self.assertEqual(telnet.takeReply(), say(WONT, 3))

    def test_aReplyIsHandedOutOnce(self) -> None:
        telnet = Telnet()
        telnet.feed(say(DO, ECHO))
        self.assertEqual(telnet.takeReply(), say(WONT, ECHO))
        self.assertEqual((telnet.reply, telnet.takeReply()), (b"", b""))

    def test_repliesGatherUntilTheyAreTaken(self) -> None:
        telnet = Telnet()
        telnet.feed(say(DO, ECHO))
        telnet.feed(say(WILL, ECHO))
        self.assertEqual(telnet.takeReply(), say(WONT, ECHO) + say(DONT, ECHO))

    def test_everyOptionIsRefusedAndThenNothingMore(self) -> None:
        every = b"".join(say(verb, option) for verb in (DO, WILL) for option in range(256))
        text, reply = filtered([every, every, say(DO, TIMING_MARK)])
        self.assertEqual((text, len(reply)), (b"", 3 * 512))

    def test_aTimingMarkIsAnsweredEachTimeUntilRepliesRunOut(self) -> None:
        # GNU's telnet shows nothing more after a second ^C if its second mark is not answered.
        interrupt = say(0xF4) + say(DO, TIMING_MARK)
        self.assertEqual(filtered([interrupt] * 3), (b"", say(WONT, TIMING_MARK) * 3))
        self.assertEqual(len(filtered([interrupt] * 600)[1]), 3 * 512)
