"""Tests for L{mucs.log.watch}: the files of an open database are taken away, or are others."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import NotStored
from mucs.log import tidying, watch
from tests.log.base import SqliteCase
from tests.log.contract import draft


class WatchTests(SqliteCase, SynchronousTestCase):
    """What is acknowledged is in the file that has the name."""

    def setUp(self) -> None:
        super().setUp()
        self.append(draft("before"))
        self.tidy()
        self.wal = self.path + "-wal"
        self.lock = self.path + "-lock"

    def refusal(self) -> str:
        """Store something a moment later, in vain. @return: the sentence, without the folder."""
        self.reactor.advance(watch.EVERY)
        failure = self.failureResultOf(self.store.append([draft("lost")]), NotStored)
        return str(failure.value).replace(os.path.dirname(self.path) + "/", "")

    def stores(self) -> None:
        """Something can be stored a moment later."""
        self.reactor.advance(watch.EVERY)
        self.append(draft("more"))

    def another(self, name: str) -> str:
        """Make a database with more in it. @return: where."""
        path = os.path.join(os.path.dirname(self.path), name)
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE t (a)")
            db.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 1000)
            db.commit()
        return path

    def test_whatIsTakenAway(self) -> None:
        """Each file is missed; nothing is made in its place; put back, all is well."""
        for path in (self.path, self.wal, self.lock):
            os.rename(path, path + ".away")
            part = ", a part of it," if path == self.wal else ""
            name = os.path.basename(path)
            self.assertEqual(self.refusal(), f"{name}{part} is gone, or another file")
            self.assertFalse(os.path.exists(path))
            self.assertIn("is gone", self.refusal())
            os.rename(path + ".away", path)
            self.stores()
        self.assertNotIn("lost", [event.text for event in self.read()])

    def test_allIsRemoved(self) -> None:
        """As C{rm mucs.sqlite*} does: nothing is stored any more, nor made."""
        folder = Path(self.path).parent
        for path in folder.iterdir():
            path.unlink()
        self.assertEqual(self.refusal(), "mucs.sqlite is gone, or another file")
        self.assertEqual(list(folder.iterdir()), [])

    def test_anotherOfThatName(self) -> None:
        """A file that is renamed to the name of each is another, and left as it is."""
        for path in (self.path, self.wal, self.lock):
            other = self.another("other")
            data = Path(other).read_bytes()
            os.rename(path, path + ".away")
            os.rename(other, path)
            self.assertIn("is gone, or another file", self.refusal())
            self.assertEqual(Path(path).read_bytes(), data)
            os.rename(path + ".away", path)
            self.stores()

    def test_cutOff(self) -> None:
        """A database, or its write-ahead log, that has lost bytes is no place to store in."""
        os.truncate(self.path, 4096)
        self.assertEqual(self.refusal(), "mucs.sqlite is shorter than it was")

    def test_theWriteAheadLogIsCutOff(self) -> None:
        """However much was written behind that."""
        os.truncate(self.wal, 0)
        self.assertIn("mucs.sqlite-wal, a part of it, is shorter than it was", self.refusal())

    def test_theWriteAheadLogIsCutOffBetweenTwoLooks(self) -> None:
        os.truncate(self.wal, 0)
        for _ in range(3):  # nobody has looked yet, and each is written behind the one before
            self.append(draft("x" * 9000))
        self.assertIn("mucs.sqlite-wal, a part of it, is shorter than it was", self.refusal())

    def test_writtenOver(self) -> None:
        """As C{cp} does, with a longer one; and a copy of the same bytes is no other."""
        data = Path(self.path).read_bytes()
        self.reactor.advance(1)
        shutil.copyfile(self.another("other"), self.path)
        self.assertEqual(self.refusal(), "mucs.sqlite is another file: it was written over")
        Path(self.path).write_bytes(data)
        self.stores()

    def test_touched(self) -> None:
        """Who only sets its time does no harm."""
        os.utime(self.path, (1, 1))
        self.stores()

    def test_copyingBackIsOurs(self) -> None:
        """What the log itself writes into the database is not taken for another's."""
        self.patch(tidying, "CHECKPOINT", 0)
        before = os.stat(self.path).st_mtime_ns
        for number in range(50):
            self.append(draft(f"{number} " + "word " * 500))
            self.tidy()
            self.stores()
        self.assertNotEqual(os.stat(self.path).st_mtime_ns, before)

    def test_nothingIsCopiedIntoAnother(self) -> None:
        """Before it is copied back, it is looked whether that is the same file."""
        self.patch(tidying, "CHECKPOINT", 0)
        self.stores()
        shutil.copyfile(self.another("other"), self.path)
        data = Path(self.path).read_bytes()
        self.reactor.advance(watch.EVERY / 2)
        self.assertEqual(Path(self.path).read_bytes(), data)

    def test_itIsSaidOnce(self) -> None:
        """And once that it is there again."""
        steps: list[tuple[Callable[[], object], list[LogLevel]]] = [
            (lambda: os.rename(self.path, self.path + ".away"), [LogLevel.critical]),
            (lambda: os.rename(self.path + ".away", self.path), [LogLevel.info]),
        ]
        for step, levels in steps:
            step()
            with capturedLogs() as said:
                for _ in range(3):
                    self.reactor.advance(watch.EVERY)
                    self.store.append([draft("x")]).addErrback(lambda _: None)
            self.assertEqual([each["log_level"] for each in said], levels)

    def test_notInEachCommit(self) -> None:
        """Between two looks only the clock is read."""
        looks: list[bool] = []
        look = watch.Watch._look

        def counted(self: watch.Watch) -> str:
            looks.append(True)
            return look(self)

        self.patch(watch.Watch, "_look", counted)
        self.reactor.advance(watch.EVERY)
        looks.clear()
        for _ in range(10):
            self.append(draft("a"))
        self.assertLessEqual(len(looks), 1)
