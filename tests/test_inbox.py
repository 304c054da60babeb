"""Tests for L{mucs.inbox}."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs.events import Intent, Say, Typed
from mucs.imucs import IReader
from mucs.inbox import Inbox
from mucs.rules import Limits
from tests.house import many

LIMITS = Limits(burst=2, rate=4, waiting=3)
quiet = settings(deadline=None, database=None)


@implementer(IReader)
class Owner:
    """
    One who has an inbox, and uses it as a session does.

    @ivar done: what was performed, and when.
    @ivar weighty: what begins a change.
    @ivar coming: lines that are still to be read, and are while reading is not paused.
    @ivar reading: whether it is not.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.clock = Clock()
        self.changes = 0
        self.done: list[tuple[float, str]] = []
        self.weighty: set[str] = set()
        self.coming: list[str] = []
        self.reading = True
        self.rests = 0
        self.doing: Callable[[str], None] = lambda text: None
        self.inbox = Inbox(self.clock, limits, self, self)

    def perform(self, intent: Intent | Typed) -> None:
        assert isinstance(intent, Say)
        self.done.append((self.clock.seconds(), intent.text))
        if intent.text in self.weighty:
            self.changes += 1
        self.doing(intent.text)

    def worked(self) -> None:
        self.rests += 1

    def receive(self, *texts: str) -> None:
        for text in texts:
            if self.inbox or self.changes or not self.inbox.bucket.take():
                self.inbox.wait(Say(text))
            else:
                self.perform(Say(text))

    def settle(self) -> None:
        """The change is over."""
        self.changes -= 1
        self.inbox.work()

    def texts(self) -> str:
        return "".join(text for _, text in self.done)

    def pauseProducing(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False

    def conceal(self, hidden: bool) -> None:
        raise NotImplementedError

    def resumeProducing(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True
        self.read()

    def read(self) -> None:
        """Read what comes, as long as that is not paused."""
        while self.coming and self.reading:
            self.receive(self.coming.pop(0))


class InboxTests(SynchronousTestCase):
    """What waits, and when it is done."""

    def setUp(self) -> None:
        self.owner = Owner()

    def wait(self, *texts: str) -> None:
        self.owner.receive(*texts)

    def test_inOrderAtTheRate(self) -> None:
        """The burst at once, and then one after the other, each when its token comes."""
        self.wait(*"abcd")
        self.assertEqual((self.owner.texts(), len(self.owner.inbox)), ("ab", 2))
        self.owner.clock.pump([0.01] * 100)
        for (time, text), due in zip(self.owner.done, (0, 0, 0.25, 0.5), strict=True):
            self.assertTrue(due <= time < due + 0.02, (time, text))
        self.assertEqual(self.owner.texts(), "abcd")
        self.assertEqual(self.owner.clock.getDelayedCalls(), [])

    def test_readingIsPausedWhileMuchWaits(self) -> None:
        """As soon as so many wait as may; and goes on when there is room for one."""
        self.wait(*"abcd")
        self.assertTrue(self.owner.reading)
        self.assertFalse(self.owner.inbox.isPaused())
        self.wait("e")
        self.assertFalse(self.owner.reading)
        self.assertTrue(self.owner.inbox.isPaused())
        self.owner.clock.advance(0.26)
        self.assertTrue(self.owner.reading)
        self.assertFalse(self.owner.inbox.isPaused())

    def test_whatIsReadThenComesLast(self) -> None:
        """Reading on brings more while what waits is being done: the order stays."""
        self.owner.coming = list("abcdefghijkl")
        self.owner.read()
        self.assertEqual(self.owner.texts(), "ab")
        self.owner.clock.pump([0.01] * 300)
        self.assertEqual(self.owner.texts(), "abcdefghijkl")

    def test_aChangeHoldsBack(self) -> None:
        """What stands behind a change waits for it, and no timer runs meanwhile."""
        self.owner.weighty = {"a"}
        self.wait(*"ab")
        self.assertEqual(self.owner.texts(), "a")
        self.assertEqual(self.owner.clock.getDelayedCalls(), [])
        self.owner.inbox.work()
        self.assertEqual(self.owner.texts(), "a")
        self.owner.settle()
        self.assertEqual(self.owner.texts(), "ab")

    def test_aChangeAmongWhatWaits(self) -> None:
        """It holds back those behind it, too."""
        self.owner.weighty = {"c"}
        self.wait(*"abcd")
        self.owner.clock.advance(10)
        self.assertEqual(self.owner.texts(), "abc")
        self.owner.settle()
        self.assertEqual(self.owner.texts(), "abcd")

    def test_aChangeThatOvertakesTheTimer(self) -> None:
        """A change that begins while a token is waited for holds back what waits."""
        self.wait(*"abc")
        self.owner.changes = 1
        self.owner.clock.advance(10)
        self.assertEqual(self.owner.texts(), "ab")
        self.owner.settle()
        self.assertEqual(self.owner.texts(), "abc")

    def test_hurrying(self) -> None:
        """Where nothing more will come, all that waits is done at once."""
        self.wait(*"abcde")
        self.owner.inbox.hurry()
        self.owner.inbox.work()
        self.assertEqual(self.owner.texts(), "abcde")
        self.assertTrue(self.owner.reading)
        self.assertEqual(self.owner.clock.getDelayedCalls(), [])

    def test_closing(self) -> None:
        """What waits is dropped."""
        self.wait(*"abcd")
        self.owner.inbox.close()
        self.assertEqual(len(self.owner.inbox), 0)
        self.assertEqual(self.owner.clock.getDelayedCalls(), [])
        self.owner.inbox.work()
        self.assertEqual(self.owner.texts(), "ab")

    def test_closingInTheMiddle(self) -> None:
        """What is done may be to quit: nothing behind it is done."""
        self.wait(*"abcd")
        self.owner.doing = lambda text: self.owner.inbox.close()
        self.owner.inbox.hurry()
        self.owner.inbox.work()
        self.assertEqual(self.owner.texts(), "abc")
        self.assertEqual(self.owner.clock.getDelayedCalls(), [])

    def test_theOwnerIsToldOfEachRest(self) -> None:
        """Whenever some of it was done, or none could be."""
        self.wait(*"abc")
        rests = self.owner.rests
        self.owner.clock.advance(1)
        self.assertEqual(self.owner.rests, rests + 1)

    @quiet
    @given(
        many(
            st.one_of(
                st.integers(1, 6).map(lambda n: ("come", n)),
                st.sampled_from([0.01, 0.1, 0.25, 0.3, 1]).map(lambda t: ("pass", t)),
                st.just(("settle", 0)),
            ),
        ),
        st.sets(st.integers(0, 60)),
    )
    def test_everythingOnceInOrderInTime(
        self, moves: list[tuple[str, float]], weighty: set[int]
    ) -> None:
        """
        However lines come, and whichever of them are changes: all are done, in order, none
        sooner than the rate allows, no more wait than may, and nothing is stuck at the end.
        """
        owner = Owner()
        owner.weighty = {chr(0x100 + n) for n in weighty}
        count = 0
        for move, amount in moves:
            if move == "come":
                owner.coming += [chr(0x100 + count + n) for n in range(int(amount))]
                count += int(amount)
                owner.read()
            elif move == "pass":
                owner.clock.advance(amount)
            elif owner.changes:
                owner.settle()
            self.assertLessEqual(len(owner.inbox), LIMITS.waiting)
            self.assertLessEqual(owner.changes, 1)
            self.assertEqual(owner.reading, not owner.inbox.isPaused())
        for _ in range(count):
            if owner.changes:
                owner.settle()
            owner.clock.advance(0.26)
        if owner.changes:
            owner.settle()
        self.assertEqual(owner.texts(), "".join(chr(0x100 + n) for n in range(count)))
        times = [time for time, _ in owner.done]
        for at, time in enumerate(times[LIMITS.burst :], LIMITS.burst):
            allowed = LIMITS.burst + LIMITS.rate * time
            self.assertLessEqual(at + 1, allowed + 1e-9)
        self.assertEqual(owner.clock.getDelayedCalls(), [])
