"""Tests for L{mucs.log.memory}."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mucs.imucs import ILog
from mucs.log import memory
from mucs.log.memory import MemoryLog
from tests.log.contract import KEPT, LogContract, draft


class MemoryLogTests(LogContract, SynchronousTestCase):
    """The log that is kept in memory."""

    def makeLog(self) -> ILog:
        return MemoryLog(self.clock, KEPT)

    def test_itOutlivesNothing(self) -> None:
        """It does not pretend to."""
        self.assertEqual(self.store.level, "none")

    def test_itAnswersAtOnce(self) -> None:
        """A turn is over before the reactor goes on."""
        self.successResultOf(self.store.append([draft("a")]))
        self.successResultOf(self.store.read("lobby", 1))

    def test_theOldestGo(self) -> None:
        """Only the newest events of a room are kept, and the numbers go on."""
        for n in range(1, KEPT + 4):
            self.append(draft(str(n)), draft(str(n), "garden"))
        kept = [str(n) for n in range(4, KEPT + 4)]
        self.assertEqual(self.texts(self.read()), kept)
        self.assertEqual(self.texts(self.read("garden")), kept)
        self.assertEqual([event.seq for event in self.read(limit=2)], [KEPT + 2, KEPT + 3])
        self.assertEqual(self.read(before=4), [])

    def test_theQuietestRoomGoes(self) -> None:
        """Of too many rooms the one longest without an event loses what was said in it."""
        self.patch(memory, "ROOMS", 2)
        self.append(draft("a", "attic"))
        self.append(draft("b", "bar"))
        self.append(draft("c", "attic"))
        self.append(draft("d", "cellar"))
        self.assertEqual(self.texts(self.read("attic")), ["a", "c"])
        self.assertEqual(self.read("bar"), [])
        self.assertEqual(self.texts(self.read("cellar")), ["d"])

    def test_theQuietestRoomCountsOn(self) -> None:
        """
        A room that has lost its events still knows its number and its time: there may be people
        in it, whose places are numbers.
        """
        self.patch(memory, "ROOMS", 1)
        self.append(draft("a", "attic"), draft("b", "attic"))
        self.append(draft("c", "bar"))
        self.now -= 3600
        stored = self.append(draft("d", "attic"))
        self.assertEqual([(event.seq, event.time) for event in stored], [(3, 1_790_000_000_250)])
        self.assertEqual(self.texts(self.read("attic")), ["d"])

    def test_evenTheNumbersAreBounded(self) -> None:
        """Of very many rooms the quietest is forgotten altogether."""
        self.patch(memory, "ROOMS", 1)
        self.patch(memory, "ENDS", 2)
        for room in ("attic", "bar", "cellar", "den"):
            self.append(draft("a", room))
        self.assertEqual(self.append(draft("b", "bar"))[0].seq, 2)
        self.assertEqual(self.append(draft("b", "attic"))[0].seq, 1)

    def test_idsGoWithTheirEvents(self) -> None:
        """An id that has fallen off is a new one, and no more ids are kept than events."""
        for n in range(5 * KEPT):
            self.append(draft(str(n), id=str(n)))
        again, new = self.append(draft("0", id=str(4 * KEPT + 1)), draft("1", id="1"))
        self.assertEqual((again.seq, new.seq), (4 * KEPT + 2, 5 * KEPT + 1))
        store: Any = self.store
        (shelf,) = store._shelves.values()
        self.assertLessEqual(len(shelf.ids), 2 * KEPT)

    def test_memoriesAreBounded(self) -> None:
        """Of too many small things the oldest go."""
        self.patch(memory, "MEMORIES", 2)
        until = int(self.now * 1000) + 1000
        for key in "abc":
            self.ask(self.store.remember({key: b"x"}, until))
        self.assertEqual([self.ask(self.store.recall(key)) for key in "abc"], [None, b"x", b"x"])
