"""
Records: true once they are stored, and there again after a restart.
"""

from __future__ import annotations

from msgspec import Struct
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import LogError, NotStored, Refused
from mucs.log.memory import MemoryLog
from mucs.records import Table


class Thing(Struct, frozen=True):
    size: int
    word: str = "none"


class FullLog(MemoryLog):
    """A log without room."""

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        return fail(NotStored("no room"))


class TableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = MemoryLog(lambda: 0.0)

    def table(self) -> Table[Thing]:
        return Table(self.store, "thing", Thing)

    def test_kept(self) -> None:
        """What was put and not removed is there when it is read again, with later fields."""
        table = self.table()
        self.assertEqual(self.successResultOf(table.put("a", Thing(1))), Thing(1))
        self.successResultOf(table.put("b", Thing(2)))
        self.successResultOf(table.put("a", Thing(3)))
        self.successResultOf(table.remove("b"))
        self.successResultOf(self.store.put("thing", "old", b'{"size": 4}'))
        again = self.table()
        self.successResultOf(again.load())
        self.assertEqual(again.rows, {"a": Thing(3), "old": Thing(4)})
        self.assertEqual(table.rows, {"a": Thing(3)})

    def test_notStored(self) -> None:
        """What cannot be stored is refused, and is not so."""
        self.store = FullLog(lambda: 0.0)
        table = self.table()
        table.rows["b"] = Thing(2)
        for asked in (table.put("a", Thing(1)), table.remove("b")):
            refused = self.failureResultOf(asked, Refused)
            self.assertIn("not stored", str(refused.value))
        self.assertEqual(table.rows, {"b": Thing(2)})
        self.assertEqual(len(self.flushLoggedErrors(NotStored)), 2)

    def test_damaged(self) -> None:
        """What cannot be read is named, and nothing is taken for empty."""
        self.successResultOf(self.store.put("thing", "a", b'{"size": "big"}'))
        error = self.failureResultOf(self.table().load(), LogError)
        self.assertIn("the thing 'a' cannot be read", str(error.value))
