"""Tests for L{mucs.log.sqlite} on a disk that is full, or fails."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, LEAVE, UNDO, Event, LogError, NotStored, Unknown
from mucs.log import steps, tidying
from tests.log.base import Faulty, SqliteCase
from tests.log.contract import draft


class FaultTests(SqliteCase, SynchronousTestCase):
    """Whatever fails: what is acknowledged is there once, what is not stored is not, no gaps."""

    level = "power"

    def setUp(self) -> None:
        self.patch(steps, "Connection", Faulty)
        self.patch(Faulty, "commits", [])
        super().setUp()
        self.commits.clear()

    def fault(self, at: str, done: bool = False, code: int = sqlite3.SQLITE_IOERR) -> None:
        """From now on, that fails."""
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        self.patch(Faulty, "at", at)
        self.patch(Faulty, "done", done)
        self.patch(Faulty, "fault", error)

    def mend(self) -> None:
        """The disk is well again."""
        self.patch(Faulty, "fault", None)

    def asks(self, *batch: Event) -> type[Exception]:
        """Try to store a batch. @return: what it fails with."""
        failure = self.failureResultOf(self.store.append(batch), LogError)
        return type(failure.value)

    def numbered(self) -> list[tuple[int, str]]:
        """What there is in the lobby."""
        return [(event.seq, event.text) for event in self.read()]

    def test_noRoom(self) -> None:
        """On a full disk nothing is stored, which is said; it recovers by itself."""
        self.append(draft("a"))
        with closing(sqlite3.connect(self.path)) as db:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
        self.db.execute(f"PRAGMA max_page_count = {pages}")
        sorts, stored = set(), [(1, "a")]
        for n in range(40):
            text = f"{n} " + "x" * 900
            answer = self.store.append([draft(text, id=str(n)), draft(kind=JOIN, author=text)])
            events: list[Event] = []
            answer.addCallbacks(events.extend, lambda failure: sorts.add(failure.type))
            stored += [(event.seq, event.text) for event in events]
        self.assertEqual(sorts, {NotStored})
        self.assertEqual(self.numbered(), stored)
        self.assertEqual(len(self.present()), (len(stored) - 1) // 2)
        self.db.execute("PRAGMA max_page_count = 1000000")
        (last,) = self.append(draft("z"))
        self.assertEqual(last.seq, len(stored) + 1)

    def test_beforeTheCommit(self) -> None:
        """What fails before the commit is not stored, for certain."""
        self.append(draft("a"), draft(kind=JOIN))
        self.reactor.advance(tidying.PAUSE)
        for at in ("PRAGMA", "BEGIN", "INSERT INTO events", "UPDATE rooms", "INSERT INTO rooms"):
            self.fault(at)
            self.assertIs(self.asks(draft("b", id="1"), draft("c", "new")), NotStored, at)
            self.mend()
            self.assertEqual(self.numbered(), [(1, "a"), (2, "")])
            self.assertEqual(self.tail("new").name, "")
        for at, one in (
            ("DELETE FROM present", draft(kind=LEAVE)),
            ("UPDATE events", draft(kind=UNDO, target="1")),
        ):
            self.fault(at)
            self.assertIs(self.asks(draft("b"), one), NotStored)
            self.mend()
        self.assertEqual(self.numbered(), [(1, "a"), (2, "")])
        self.assertEqual(self.present(), [("lobby", "ada")])
        self.assertEqual([e.seq for e in self.append(draft("b", id="1"), draft("c"))], [3, 4])

    def test_aCommitThatFails(self) -> None:
        """Nobody knows then; whoever tries again with the same id stores it once."""
        self.append(draft("a"))
        for n in range(6):
            done = n % 2 == 1
            self.fault("COMMIT", done)
            self.assertIs(self.asks(draft(f"b{n}", id=str(n)), draft(f"c{n}", "new")), Unknown)
            self.mend()
            if n < 4:
                (again,) = self.append(draft(f"b{n}", id=str(n)))
                self.assertEqual(again.text, f"b{n}")
        texts = [text for _, text in self.numbered()]
        self.assertEqual(texts, ["a", "b0", "b1", "b2", "b3", "b5"])
        self.assertEqual([seq for seq, _ in self.numbered()], list(range(1, 7)))
        self.assertEqual(self.texts(self.read("new")), ["c1", "c3", "c5"])
        self.assertEqual([e.seq for e in self.append(draft("d", "new"), draft("e"))], [4, 7])

    def test_noRoomForTheCommit(self) -> None:
        """Where there is no room, the commit was not written, which is certain."""
        self.fault("COMMIT", code=sqlite3.SQLITE_FULL)
        self.assertIs(self.asks(draft("a")), NotStored)
        self.mend()
        self.assertEqual(self.append(draft("b"))[0].seq, 1)

    def test_notEvenUndone(self) -> None:
        """When the transaction cannot be undone either, it is so before the next."""
        self.append(draft("a"))
        self.fault("INSERT")
        with closing(self.db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")  # stuck
        self.patch(Faulty, "at", "")
        self.assertIs(self.asks(draft("b")), NotStored)
        self.assertEqual(len(self.flushLoggedErrors(sqlite3.Error)), 1)
        self.failureResultOf(self.store.read("lobby", 9), LogError)
        self.mend()
        self.assertIs(self.asks(draft("b")), NotStored)
        self.assertEqual(self.append(draft("c"))[0].seq, 2)
        self.assertEqual(self.numbered(), [(1, "a"), (2, "c")])

    def test_readingFails(self) -> None:
        """It is said which log, and why."""
        self.append(draft("a"))
        self.fault("SELECT")
        for asked in (
            self.store.read("lobby", 9),
            self.store.tail("lobby", 9),
            self.store.search("a", ["lobby"], 9),
            self.store.present(),
        ):
            failure = self.failureResultOf(asked, LogError)
            self.assertEqual(failure.getErrorMessage(), f"{self.path}: disk I/O error")

    def test_smallThingsFail(self) -> None:
        """What was not given is still there; what was not kept is not."""
        until = int(self.now * 1000) + 1000
        self.ask(self.store.remember({"k": b"v"}, until))
        for at, sort in (("DELETE", NotStored), ("COMMIT", Unknown)):
            self.fault(at)
            self.failureResultOf(self.store.recall("k"), sort)
            self.failureResultOf(self.store.remember({"l": b"w"}, until), sort)
            self.mend()
            self.assertIsNone(self.ask(self.store.recall("l")))
        self.assertEqual(self.ask(self.store.recall("k")), b"v")

    def test_tidyingFails(self) -> None:
        """Nothing of it comes to the reactor, nothing is lost by it; it is tried again."""
        for at in (
            "BEGIN",
            "INSERT INTO words",
            "UPDATE marks",
            "COMMIT",
            "PRAGMA synch",
            "SELECT",
        ):
            (event,) = self.append(draft(f"rose {at}"))
            self.fault(at)
            self.reactor.advance(tidying.PAUSE)
            self.mend()
            self.assertEqual(len(self.flushLoggedErrors(sqlite3.Error)), 1, at)
            self.assertEqual(self.append(draft("b"))[0].seq, event.seq + 1)
            self.assertEqual(len(self.search("rose")), (event.seq + 1) // 2)
            self.reactor.advance(tidying.RETRY)
            self.tidy()
        self.assertEqual(len(self.search("rose")), 6)
        self.patch(tidying, "CHECKPOINT", 0)
        self.append(draft("c"))
        self.fault("PRAGMA wal")
        self.reactor.advance(tidying.PAUSE)
        self.mend()
        self.assertEqual(len(self.flushLoggedErrors(sqlite3.Error)), 1)
        self.assertEqual(self.append(draft("d"))[0].seq, 14)
        (call,) = self.reactor.getDelayedCalls()
        self.assertAlmostEqual(call.getTime() - self.reactor.seconds(), tidying.RETRY)

    def test_tidyingTakesAShare(self) -> None:
        """Where a slice takes long, so does the pause until the next: the turns come first."""
        store: Any = self.store
        within, took = store._index.slice, 0.1

        def slowly() -> int:
            self.reactor.rightNow += took
            return int(within())

        self.patch(store._index, "slice", slowly)
        self.append(draft("a"))
        self.reactor.advance(tidying.PAUSE)
        (call,) = self.reactor.getDelayedCalls()
        wait = call.getTime() - self.reactor.seconds()
        self.assertAlmostEqual(wait, tidying.SHARE * took)
        self.append(draft("b"))
        self.assertEqual(self.reactor.getDelayedCalls(), [call])

    def test_theLevelOfACommit(self) -> None:
        """What is promised is flushed, whatever was done between the turns; the rest is not."""
        self.append(draft("a"))
        self.reactor.advance(tidying.PAUSE)
        self.append(draft("b"))
        self.append(draft("c"))
        self.fault("INSERT INTO words")
        self.reactor.advance(tidying.PAUSE)
        self.flushLoggedErrors(sqlite3.Error)
        self.mend()
        self.ask(self.store.remember({"k": b"v"}, 1 << 50))
        self.reactor.advance(tidying.RETRY)
        full, normal = 2, 1
        self.assertEqual(self.commits, [full, normal, full, full, full, normal])

    def test_aLowerLevel(self) -> None:
        """C{process} does not wait for the disk."""
        self.store.close()
        self.store = self.openable("process")
        self.store.open()
        self.commits.clear()
        self.append(draft("a"))
        self.assertEqual(self.store.level, "process")
        self.assertEqual(self.commits, [1])

    @property
    def commits(self) -> list[int]:
        """The levels of the commits so far."""
        return Faulty.commits

    def test_whatCannotBeWritten(self) -> None:
        """Text that is none is refused, with all that came with it."""
        self.assertIs(self.asks(draft("a"), draft("\ud800")), NotStored)
        self.assertEqual(len(self.flushLoggedErrors(UnicodeEncodeError)), 1)
        self.assertEqual(self.append(draft("b"))[0].seq, 1)
