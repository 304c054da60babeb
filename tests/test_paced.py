"""Tests for L{mucs.paced}."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.paced import FAREWELL, Paced
from mucs.rules import Limits
from tests.house import House, many

PACE = 0.04
LIMITS = Limits(replies=1024)
quiet = settings(deadline=None, database=None)


class Stage:
    """
    A clock, what L{Paced} sends by, and whom it tells: all in one.

    @ivar sends: what was sent, and when.
    @ivar told: what the owner was told.
    @ivar busy: whether the outlet is full.
    """

    def __init__(self, size: int = 255, end: bytes = b"\0") -> None:
        self.clock = Clock()
        self.sends: list[tuple[float, bytes]] = []
        self.told: list[str] = []
        self.busy = False
        self.closed = 0
        self.aborted = False
        self.transport = self
        self.missed = b""
        outlet = cast(Any, self)
        self.paced = Paced(outlet, self.clock, LIMITS, self, PACE, size, end)

    def texts(self) -> list[bytes]:
        """What was sent."""
        return [data for _, data in self.sends]

    def idle(self) -> bool:
        """Whether nothing is to happen any more."""
        return not self.clock.getDelayedCalls()

    # The outlet.

    def send(self, data: bytes) -> None:
        self.sends.append((self.clock.seconds(), data))

    def isReset(self) -> bool:
        return True

    def close(self) -> None:
        self.closed += 1

    def lost(self) -> None:
        self.told.append("lost")

    def abortConnection(self) -> None:
        self.aborted = True

    # The owner.

    def held(self) -> None:
        self.told.append("held")

    def drained(self) -> None:
        self.told.append("drained")
        if self.missed:
            self.paced.send(self.missed)
            self.missed = b""

    def stuck(self, why: str) -> None:
        self.told.append(why)


class PacedTests(SynchronousTestCase):
    """One batch at a time."""

    def setUp(self) -> None:
        self.stage = Stage()
        self.paced = self.stage.paced
        self.clock = self.stage.clock

    def test_afterQuietAtOnce(self) -> None:
        """What comes after 40 ms of quiet is not held up."""
        self.paced.send(b"ada: hello\n")
        self.assertEqual(self.stage.texts(), [b"ada: hello\0"])
        self.clock.advance(PACE)
        self.paced.send(b"ada: again\n")
        self.assertEqual(self.stage.texts()[1:], [b"ada: again\0"])

    def test_soonAfterTogether(self) -> None:
        """What comes within the pace goes out when it is over, as one batch."""
        self.paced.send(b"ada: one\n")
        self.clock.advance(0.01)
        self.paced.send(b"ada: two\n")
        self.paced.reply(b"! three\n")
        self.clock.advance(0.029)
        self.assertEqual(len(self.stage.sends), 1)
        self.clock.advance(0.002)
        self.assertEqual(self.stage.texts()[1:], [b"ada: two\n! three\0"])

    def test_theOwnerIsHeldMeanwhile(self) -> None:
        """It is told so from a call of its own, and when it may go on."""
        self.assertFalse(self.paced.busy)
        self.paced.send(b"one\n")
        self.assertTrue(self.paced.busy)
        self.assertEqual(self.stage.told, [])
        self.clock.advance(0)
        self.assertEqual(self.stage.told, ["held"])
        self.clock.advance(PACE)
        self.assertEqual(self.stage.told, ["held", "drained"])
        self.assertFalse(self.paced.busy)
        self.assertTrue(self.stage.idle())

    def test_nobodyElseSends(self) -> None:
        """Nor is it ever listed with those who are sent to at once."""
        self.assertIsNone(self.paced.sender())

    def test_whatWasMissedGoesOnAtThePace(self) -> None:
        """What the owner reads on is a batch like any other."""
        self.paced.send(b"one\n")
        self.stage.missed = b"two\nthree\n"
        self.clock.advance(PACE)
        self.assertEqual(self.stage.sends, [(0, b"one\0"), (PACE, b"two\nthree\0")])
        self.paced.send(b"four\n")
        self.assertEqual(len(self.stage.sends), 2)

    def test_whileTheOutletIsFull(self) -> None:
        """Its owner is held as long as that lasts."""
        self.paced.send(b"one\n")
        self.stage.busy = True
        for _ in range(10):
            self.clock.advance(PACE)
        self.assertTrue(self.paced.busy)
        self.stage.busy = False
        self.clock.advance(PACE)
        self.assertFalse(self.paced.busy)
        self.assertEqual(self.stage.told, ["held", "drained"])

    def test_nothingIsNoMessage(self) -> None:
        """A client would show an empty one."""
        self.paced.send(b"")
        self.paced.reply(b"")
        self.assertEqual((self.stage.sends, self.paced.busy), ([], False))
        self.paced.send(b"one\n")
        self.paced.send(b"")
        self.clock.advance(PACE)
        self.assertEqual(self.stage.texts(), [b"one\0"])

    def test_cutAtALineEnd(self) -> None:
        """A batch too long for the client's buffer is cut where a line ends."""
        line = b"x" * 99 + b"\n"
        self.paced.send(line * 5)
        self.clock.pump([PACE] * 3)
        whole = (line * 2).removesuffix(b"\n") + b"\0"
        self.assertEqual(self.stage.texts(), [whole, whole, line.removesuffix(b"\n") + b"\0"])

    def test_asMuchAsFits(self) -> None:
        """A send is as long as may be, and no byte longer."""
        self.paced.send(b"x" * 254 + b"\n")
        self.clock.advance(PACE)
        self.paced.send(b"x" * 255 + b"\n")
        self.clock.advance(PACE)
        self.assertEqual([len(data) for data in self.stage.texts()], [255, 255, 2])

    def test_aLineLongerThanASend(self) -> None:
        """Is cut between characters, never inside one, and its end goes with what follows."""
        self.paced.send("é".encode() * 200 + b"\nbye\n")
        self.clock.advance(PACE)
        first, second = self.stage.texts()
        self.assertEqual(first, "é".encode() * 127 + b"\0")
        self.assertEqual(second, "é".encode() * 73 + b"\nbye\0")

    def test_withoutAnEnd(self) -> None:
        """A dialect may end its batches with nothing: its lines still end between them."""
        self.stage = Stage(20, b"")
        self.stage.paced.send(b"x" * 20 + b"\nabc\ndef\n")
        self.stage.clock.advance(PACE)
        self.assertEqual(self.stage.texts(), [b"x" * 20, b"abc\ndef"])

    # The end.

    def test_closingWhileThingsWait(self) -> None:
        """They go out first, each in its time; then the connection is closed."""
        self.paced.send(b"one\n")
        self.paced.send(b"x" * 254 + b"\ntwo\n")
        self.paced.close()
        self.paced.send(b"too late\n")
        self.paced.reply(b"too late\n")
        self.assertEqual(self.stage.closed, 0)
        self.clock.pump([PACE, PACE])
        self.assertEqual(self.stage.texts(), [b"one\0", b"x" * 254 + b"\0", b"two\0"])
        self.assertEqual(self.stage.closed, 0)
        self.clock.advance(PACE)
        self.assertEqual(self.stage.closed, 1)
        self.assertTrue(self.stage.idle())

    def test_closingWhenNothingWaits(self) -> None:
        """Is done at once, and no timer is left; to close again is nothing."""
        self.paced.send(b"one\n")
        self.clock.advance(0)
        self.paced.close()
        self.assertEqual((self.stage.closed, self.stage.idle()), (1, True))
        self.paced.close()
        self.assertEqual(self.stage.closed, 1)

    def test_closingTakesNotForEver(self) -> None:
        """What does not go out in two seconds does not go out."""
        self.paced.send(b"x" * 254 * 100 + b"\n")
        self.paced.close()
        self.clock.pump([PACE] * int(FAREWELL / PACE - 1))
        self.assertEqual(self.stage.closed, 0)
        self.clock.pump([PACE] * 3)
        self.assertEqual((self.stage.closed, self.stage.idle()), (1, True))
        self.assertTrue(all(time <= FAREWELL for time, _ in self.stage.sends))

    def test_aConnectionThatIsLost(self) -> None:
        """Nothing more is sent, no timer is left, and the outlet knows."""
        self.paced.send(b"one\n")
        self.paced.send(b"two\n")
        self.paced.close()
        self.paced.lost()
        self.paced.send(b"three\n")
        self.clock.advance(0)
        self.assertEqual((self.stage.texts(), self.stage.idle()), ([b"one\0"], True))
        self.assertIn("lost", self.stage.told)

    def test_tooManyRepliesUnread(self) -> None:
        """
        What stands in no log cannot be read again later; where too much of it waits, the
        connection is lost, and the owner is told why, once.
        """
        for _ in range(14):
            self.paced.reply(b"x" * 99 + b"\n")
        self.clock.advance(0)
        self.assertEqual(self.stage.told, ["held", "too much unread"])
        self.assertTrue(self.stage.aborted)
        self.paced.send(b"y\n")
        self.clock.advance(1)
        self.assertEqual(len(self.stage.sends), 1)
        self.assertTrue(self.stage.idle())

    def test_asManyRepliesAsMayWait(self) -> None:
        """What has been sent no longer counts, and what stands in a log never does."""
        for _ in range(100):
            self.paced.send(b"x" * 99 + b"\n")
        for _ in range(10):
            self.paced.reply(b"x" * 99 + b"\n")
        self.clock.pump([PACE] * 100)
        for _ in range(11):
            self.paced.reply(b"x" * 99 + b"\n")
        self.clock.advance(0)
        self.assertFalse(self.stage.aborted)
        self.assertNotIn("too much unread", self.stage.told)

    def test_aPeerThatIsGone(self) -> None:
        """The outlet knows."""
        self.assertTrue(self.paced.isReset())

    @quiet
    @given(
        st.sampled_from([(255, b"\0"), (255, b""), (9, b"\0"), (30, b"END")]),
        many(
            st.one_of(
                st.lists(
                    st.text("aé€🙂 ", min_size=1, max_size=40) | st.text("ab", min_size=1),
                    min_size=1,
                ),
                st.sampled_from([0.0, 0.001, 0.03, 0.039, 0.04, 0.1]),
            ),
            30,
        ),
        st.booleans(),
    )
    def test_nothingIsLostGluedOrBlank(
        self, manner: tuple[int, bytes], moves: list[list[str] | float], closing: bool
    ) -> None:
        """
        Whatever lines come and when: two sends are 40 ms apart and none is too long; all
        lines arrive in order, each whole in one send where it fits in one, and apart from the
        others; no send is blank, and none ends inside a character.
        """
        size, end = manner
        stage = Stage(size, end)
        lines: list[str] = []
        for move in moves:
            if isinstance(move, float):
                stage.clock.advance(move)
            else:
                stage.paced.send("".join(f"{line}\n" for line in move).encode())
                lines += move
        ends = stage.clock.seconds() + FAREWELL
        if closing:
            stage.paced.close()
        while not stage.idle():
            stage.clock.advance(0.001)
        self.assertEqual(stage.closed, int(closing))
        complete = not closing or stage.clock.seconds() < ends - PACE
        times = [time for time, _ in stage.sends]
        for earlier, later in zip(times, times[1:], strict=False):
            self.assertGreaterEqual(later - earlier, PACE - 1e-9)
        pieces: list[str] = []
        for data in stage.texts():
            self.assertLessEqual(len(data), size)
            self.assertTrue(data.endswith(end))
            piece = data.removesuffix(end).decode()
            self.assertTrue(piece and not piece.endswith("\n"), piece)
            pieces.append(piece)
        if complete:
            self.assertEqual("".join(pieces).replace("\n", ""), "".join(lines))
        # A client that shows each send on lines of its own shows every line that fits.
        shown = "\n".join(pieces).split("\n")
        room = size - len(end)
        at = 0
        for line in lines:
            if len(line.encode()) <= room and at < len(shown):
                self.assertEqual(shown[at], line)
                at += 1
                continue
            got = ""
            while len(got) < len(line) and at < len(shown):
                self.assertTrue(shown[at])
                got += shown[at]
                at += 1
            self.assertTrue(line.startswith(got))


class ClientsTests(SynchronousTestCase):
    """What clients that are paced are shown in a hall."""

    @quiet
    @given(
        st.sampled_from(["cstring", "shh", "fiveseat"]),
        many(
            st.one_of(
                st.tuples(st.just("say"), st.integers(1, 240)),
                st.tuples(st.just("mine"), st.integers(1, 240)),
                st.tuples(st.just("pass"), st.integers(0, 60)),
                st.tuples(st.just("come"), st.just(0)),
                st.tuples(st.just("who"), st.just(0)),
            ),
            40,
        ),
    )
    def test_everyLineOnce(self, dialect: str, moves: list[tuple[str, int]]) -> None:
        """
        In bursts too, a client gets every line of the room once, whole and in order, never two
        sends within 40 ms, and none longer than its buffer.
        """
        house = House()
        ada, bob = house.enters("ada"), house.connect(dialect, "bob")
        house.waits(0.2)
        bob.seen()
        bob.wire.writes.clear()
        expected: list[str] = []
        for count, (move, amount) in enumerate(moves):
            if move == "say":
                ada.says(f"{count} " + "x" * amount)
                speech = "->ada: " if dialect == "shh" else "ada: "
                expected.append(f"{speech}{count} " + "x" * amount)
            elif move == "mine":
                bob.says(f"{count} " + "y" * amount)
                if dialect == "shh":
                    expected.append(f"->bob: {count} " + "y" * amount)
                elif dialect == "fiveseat":
                    expected.append("Processed your request")
            elif move == "come":
                house.enters(f"c{count}")
                if dialect == "cstring":
                    expected.append(f'"c{count}" joined the chat room')
                elif dialect == "shh":
                    expected.append(f"c{count} has joined the room!")
            elif move == "who":
                bob.says("/nick")
            else:
                house.waits(amount / 1000, 0.001)
        house.waits(5, 0.01)
        times = [time for time, _ in bob.wire.writes]
        for earlier, later in zip(times, times[1:], strict=False):
            self.assertGreaterEqual(later - earlier, PACE - 1e-9)
        size = 1024 if dialect == "shh" else 255
        end = b"" if dialect == "shh" else b"\0"
        lines: list[str] = []
        for _, data in bob.wire.writes:
            self.assertLessEqual(len(data), size)
            self.assertTrue(data.endswith(end))
            lines += data.decode().rstrip("\0").split("\n")
        refused = "! a name cannot be empty; /nick NAME"
        self.assertEqual(lines.count(refused), sum(move == "who" for move, _ in moves))
        self.assertEqual([line for line in lines if line != refused], expected)
