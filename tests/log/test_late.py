"""The log double that other tests use is a log."""

from twisted.trial.unittest import SynchronousTestCase

from mucs.events import Event, Unknown
from mucs.imucs import ILog
from tests.log.contract import LogContract, draft
from tests.log.late import LateLog, LogFault


class LateLogTests(LogContract, SynchronousTestCase):
    """L{LateLog}, when it is told to answer."""

    def makeLog(self) -> ILog:
        self.late = LateLog(self.clock)
        return self.late

    def answer(self) -> None:
        self.late.answers()

    def test_itWaits(self) -> None:
        """Without being told it answers nothing, and has stored nothing."""
        stored = self.late.append([draft("a")])
        found = self.late.read("lobby", 10)
        self.assertNoResult(stored)
        self.late.finds()
        self.assertEqual(self.successResultOf(found), [])
        self.late.stores()
        events: list[Event] = self.successResultOf(stored)
        self.assertEqual(self.texts(events), ["a"])

    def test_whatFailedIsNotThere(self) -> None:
        """A batch that could not be stored leaves nothing, not even a gap in the numbers."""
        stored = self.late.append([draft("a"), draft("b")])
        self.late.fails()
        self.failureResultOf(stored, LogFault)
        self.assertEqual(self.read(), [])
        self.assertEqual(self.append(draft("c"))[0].seq, 1)

    def test_whatIsNotKnown(self) -> None:
        """A batch may be there or not; who asks again with the same id stores it once."""
        for stored in (True, False):
            answer = self.late.append([draft("a", id=str(stored))])
            self.late.losesTouch(stored)
            self.failureResultOf(answer, Unknown)
            self.append(draft("a", id=str(stored)))
        self.assertEqual([event.id for event in self.read()], ["True", "False"])

    def test_oneAtATime(self) -> None:
        """It insists on what C{ILog} says of C{append}."""
        self.late.append([draft("a")])
        self.assertRaises(AssertionError, self.late.append, [draft("b")])

    def test_aReadingMayFail(self) -> None:
        """As on a disk that is gone."""
        found = self.late.read("lobby", 10)
        self.late.findsNothing()
        self.failureResultOf(found, LogFault)
