"""
What every log must do: a suite for each provider of L{ILog<mucs.imucs.ILog>}.

A test case of a provider inherits from L{LogContract} first and from a trial C{TestCase} second,
and says how to make a log, and, where it does not answer at once, how it is made to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mucs.events import JOIN, LEAVE, ME, NICK, SAY, TOPIC, Event
from mucs.imucs import ILog

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

#: How many events of a room a log under test keeps at least.
KEPT = 10


def draft(text: str, room: str = "lobby", author: str = "ada", kind: str = SAY) -> Event:
    """Something that has happened and is not stored."""
    return Event(room, 0, 0, author, kind, text, "", 7)


class LogContract(Base):
    """
    @ivar now: seconds since 1970, as the log's clock shows them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.now = 1_790_000_000.25
        self.store = self.makeLog()

    def makeLog(self) -> ILog:
        """An empty log that keeps at least L{KEPT} events of a room, and whose clock is C{now}."""
        raise NotImplementedError

    def answer(self) -> None:
        """Make the log answer what it was asked, where it does not do so by itself."""

    def clock(self) -> float:
        """For L{makeLog}."""
        return self.now

    def append(self, *batch: Event) -> list[Event]:
        """Store a batch."""
        stored = self.store.append(batch)
        self.answer()
        events: list[Event] = self.successResultOf(stored)
        return events

    def read(self, room: str = "lobby", before: int = 0, limit: int = 100) -> list[Event]:
        """What the log has of a room."""
        found: Deferred[list[Event]] = self.store.read(room, before, limit)
        self.answer()
        events: list[Event] = self.successResultOf(found)
        return events

    def texts(self, events: Sequence[Event]) -> list[str]:
        """What was said."""
        return [event.text for event in events]

    def test_itProvidesTheInterface(self) -> None:
        """It has all of C{ILog}, and says what it outlives."""
        verifyObject(ILog, self.store)
        self.assertIn(self.store.level, ("none", "process", "power"))

    def test_numbersHaveNoGaps(self) -> None:
        """Each room counts from 1, in the order of the batch and over all batches."""
        first = self.append(draft("a"), draft("b", "garden"), draft("c"), draft("d", "garden"))
        second = self.append(draft("e", "garden"), draft("f"))
        self.assertEqual(
            [(event.room, event.seq, event.text) for event in first + second],
            [
                ("lobby", 1, "a"),
                ("garden", 1, "b"),
                ("lobby", 2, "c"),
                ("garden", 2, "d"),
                ("garden", 3, "e"),
                ("lobby", 3, "f"),
            ],
        )

    def test_nothingElseIsChanged(self) -> None:
        """What comes back, then and when it is read, is what was stored, numbered and timed."""
        odd = "hé 🙂 '\"%_\\{0}\u200d" + "long " * 800
        drafts = [
            Event("Garden 🌳", 0, 0, "ada", JOIN, "", "", 3),
            Event("Garden 🌳", 0, 0, "Fake Herleen", SAY, odd, "", 0),
            Event("Garden 🌳", 0, 0, "10.0.0.1:4711", ME, "waves", "", 5),
            Event("Garden 🌳", 0, 0, "ada", NICK, "", "Ada Lovelace", 3),
            Event("Garden 🌳", 0, 0, "ada", TOPIC, "", "", 3),
            Event("Garden 🌳", 0, 0, "ada", LEAVE, "so long", "", 3),
        ]
        stored = self.append(*drafts)
        for seq, (event, was) in enumerate(zip(stored, drafts, strict=True), 1):
            whole = (was.room, seq, 1_790_000_000_250, was.author, was.kind, was.text, was.target)
            self.assertEqual((*_fields(event), event.origin), (*whole, was.origin))
        self.assertEqual(list(map(_fields, self.read("Garden 🌳"))), list(map(_fields, stored)))

    def test_timeIsTheClocks(self) -> None:
        """Events are timed when they are stored, in milliseconds."""
        self.append(draft("a"))
        self.now += 1.5
        self.append(draft("b"), draft("c"))
        began = 1_790_000_000_250
        times = [event.time for event in self.read()]
        self.assertEqual(times, [began, began + 1500, began + 1500])

    def test_timeNeverGoesBack(self) -> None:
        """A clock that is set back does not set a room back."""
        self.append(draft("a"))
        self.now -= 3600
        self.append(draft("b"))
        self.append(draft("c", "garden"))
        self.now += 3601
        self.append(draft("d"))
        first, second, third = [event.time for event in self.read()]
        self.assertEqual(first, 1_790_000_000_250)
        self.assertEqual(second, first)
        self.assertEqual(third, first + 1000)

    def test_anEmptyBatch(self) -> None:
        """There may be nothing to store."""
        self.assertEqual(self.append(), [])
        self.assertEqual(self.append(draft("a"))[0].seq, 1)

    def test_aLargeBatch(self) -> None:
        """A batch may hold as many events as a turn."""
        stored = self.append(*[draft(str(n)) for n in range(4096)])
        self.assertEqual([event.seq for event in stored], list(range(1, 4097)))
        last = [str(n) for n in range(4096 - KEPT, 4096)]
        self.assertEqual(self.texts(self.read(limit=KEPT)), last)

    def test_readingTheEnd(self) -> None:
        """Before 0 means the last ones, in order, as many as asked for."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(limit=3)), ["5", "6", "7"])
        self.assertEqual(self.texts(self.read(limit=7)), list("1234567"))
        self.assertEqual(self.texts(self.read(limit=8)), list("1234567"))

    def test_readingBefore(self) -> None:
        """Only what is below the number is read, the nearest to it."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(before=5, limit=2)), ["3", "4"])
        self.assertEqual(self.texts(self.read(before=2, limit=2)), ["1"])
        self.assertEqual(self.texts(self.read(before=1, limit=2)), [])
        self.assertEqual(self.texts(self.read(before=99, limit=2)), ["6", "7"])

    def test_readingNothing(self) -> None:
        """A room that never was is empty, and to ask for nothing is no fault."""
        self.assertEqual(self.read("nowhere"), [])
        self.append(draft("a"))
        self.assertEqual(self.read("nowhere"), [])
        self.assertEqual(self.read(limit=0), [])

    def test_roomsAreApart(self) -> None:
        """Nothing of one room is found in another."""
        self.append(draft("a"), draft("b", "garden"), draft("c"))
        self.assertEqual(self.texts(self.read("lobby")), ["a", "c"])
        self.assertEqual(self.texts(self.read("garden")), ["b"])

    def test_aRoomByAnyWayOfWritingIt(self) -> None:
        """Names that are the same are one room, whose numbers go on."""
        self.append(draft("a", "Garden"))
        stored = self.append(draft("b", "garden"), draft("c", "GARDEN"))
        self.assertEqual([event.seq for event in stored], [2, 3])
        self.assertEqual(self.texts(self.read("gArden")), ["a", "b", "c"])

    def test_whatIsGivenIsTheCallersOwn(self) -> None:
        """To change the lists that came out, or the one that went in, changes nothing inside."""
        batch = [draft("a"), draft("b")]
        stored = self.store.append(batch)
        self.answer()
        batch.clear()
        self.successResultOf(stored).clear()
        self.read().clear()
        self.assertEqual(self.texts(self.read()), ["a", "b"])


def _fields(event: Event) -> tuple[str, int, int, str, str, str, str]:
    """All of an event but its origin, which another run of the server does not know."""
    return (
        event.room,
        event.seq,
        event.time,
        event.author,
        event.kind,
        event.text,
        event.target,
    )
