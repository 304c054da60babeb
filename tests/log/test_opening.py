"""Tests for L{mucs.log.steps} and L{mucs.log.lock}: what is opened, and what is refused."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, TOPIC, UNDO, Event, LogError
from mucs.log import steps
from mucs.log.sqlite import SqliteLog
from tests.log.base import Faulty, SqliteCase
from tests.log.contract import draft

GONE = "the log that was here is gone, and a new one is begun"


class OpeningTests(SqliteCase, SynchronousTestCase):
    """What happens at the start."""

    def refusal(self) -> str:
        """Open it, in vain. @return: the sentence, without the path."""
        before = self.files()
        log = self.openable()
        error = self.assertRaises(LogError, log.open)
        log.close()
        after = self.files()
        after.pop("-lock", None)
        before.pop("-lock", None)
        # SQLite makes its own when it looks, and takes them away.
        self.assertEqual(
            {part: data for part, data in after.items() if part != "-shm"},
            {part: data for part, data in before.items() if part != "-shm"},
            "it was changed",
        )
        path, _, why = str(error).partition(": ")
        self.assertEqual(path, self.path)
        self.assertNotIn("\n", why)
        return why

    def files(self) -> dict[str, bytes]:
        """What there is, by the end of its name."""
        parts = ("", "-wal", "-shm", "-journal", "-lock")
        there = [part for part in parts if os.path.isfile(self.path + part)]
        return {part: Path(self.path + part).read_bytes() for part in there}

    def another(self) -> None:
        """Nothing is there any more."""
        self.store.close()
        self.path = self.mktemp()

    def opens(self) -> None:
        """Open it."""
        self.store = self.openable()
        self.store.open()

    def sql(self, script: str) -> None:
        """Do something to the database, with another program."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.executescript(script)

    def test_emptyFile(self) -> None:
        """A file without a byte is ours to use, and so is a database without a table."""
        for make in (lambda: Path(self.path).touch(), lambda: self.sql("VACUUM")):
            self.another()
            make()
            self.opens()
            self.assertEqual(self.append(draft("a"))[0].seq, 1)

    def test_forItsOwnerAlone(self) -> None:
        """With all its parts and the lock, whatever the umask; one that is there keeps its mode."""
        self.addCleanup(os.umask, os.umask(0o022))
        for mode in (0o600, 0o640):
            self.another()
            if mode == 0o640:
                Path(self.path).touch(0o640)
            self.opens()
            self.append(draft("a"))
            for part in ("", "-wal", "-shm"):
                self.assertEqual(os.stat(self.path + part).st_mode & 0o777, mode, part)
            self.assertEqual(os.stat(self.path + "-lock").st_mode & 0o777, 0o600)

    def test_aDatabaseOfAnother(self) -> None:
        """It is left as it is."""
        for script in (
            "CREATE TABLE t (a)",
            "PRAGMA application_id = 7",
            "PRAGMA user_version = 1",
        ):
            self.another()
            self.sql(script)
            self.assertEqual(self.refusal(), "that is a database of some other program")
            self.assertNotIn("-lock", self.files())

    def test_noDatabase(self) -> None:
        """Nor is any other file touched."""
        for data in (b"h", b"hello", b"\0" * 5000, b"SQLite format 3\0", os.urandom(9000)):
            self.another()
            Path(self.path).write_bytes(data)
            self.assertEqual(self.refusal(), "file is not a database")

    def test_nowhere(self) -> None:
        """Where nothing can be, it is said why."""
        self.another()
        self.path = os.path.join(self.path, "mucs.sqlite")
        self.assertEqual(self.refusal(), "it cannot be locked: No such file or directory")
        self.another()
        os.mkdir(self.path)
        self.assertEqual(self.refusal(), "it is not a file")

    def test_aNewerOne(self) -> None:
        """What a newer MUCS has written is not understood."""
        self.store.close()
        self.sql("PRAGMA user_version = 9")
        version = steps.VERSION
        self.assertEqual(self.refusal(), f"a newer MUCS has written it (version 9, not {version})")

    def test_anOlderOne(self) -> None:
        """Each step is made, once, and all of it or nothing."""
        self.append(draft("a"))
        self.store.close()
        version = steps.VERSION
        self.patch(steps, "VERSION", version + 2)
        self.patch(
            steps,
            "STEPS",
            {
                version: "ALTER TABLE rooms ADD COLUMN colour TEXT; UPDATE rooms SET topic = 'x'",
                version + 1: "UPDATE rooms SET topic = topic || 'y'; SELECT nonsense",
            },
        )
        self.assertRaises(LogError, self.openable().open)
        with closing(sqlite3.connect(self.path)) as db:
            self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (version + 1,))
            self.assertEqual(db.execute("SELECT topic FROM rooms").fetchone(), ("x",))
        self.patch(steps, "STEPS", {version + 1: "UPDATE rooms SET topic = topic || 'y'"})
        for _ in range(2):
            self.opens()
            self.assertEqual((self.tail().topic, self.texts(self.read())), ("xy", ["a"]))
            self.store.close()

    def test_aCrashWhileItIsMade(self) -> None:
        """Whatever is left then is made anew, or is all there."""
        connection = steps.Connection
        self.another()
        for statements in range(100):
            path, self.path = self.path, self.mktemp()
            self.patch(Cut, "left", statements)
            self.patch(Cut, "files", (path, self.path))
            self.patch(steps, "Connection", Cut)
            log = SqliteLog(path, self.reactor, lambda: self.now)
            try:
                log.open()
            except Killed:
                pass
            else:
                log.close()
                break
            finally:
                self.patch(steps, "Connection", connection)
            for part in ("", "-wal", "-journal"):
                if os.path.exists(path + part):
                    os.unlink(path + part)
            # What was left is opened, and so is what is left of that.
            self.opens()
            self.assertEqual(self.append(draft("a"))[0].seq, 1)
            self.another()
        self.assertGreater(statements, 20)

    def test_aWriteAheadLogThatIsLost(self) -> None:
        """What was copied back by then is there."""
        self.append(draft("a"))
        self.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self.append(draft("b"))
        for database, texts in ((True, ["a"]), (False, [])):
            path = self.path
            self.path = self.mktemp()
            if database:
                shutil.copy(path, self.path)
                other = self.openable()
                other.open()
                self.addCleanup(other.close)
                self.store, was = other, self.store
                self.assertEqual(self.texts(self.read()), texts)
                self.store = was
            else:
                # The other way round: SQLite would remove what is left.
                shutil.copy(path + "-wal", self.path + "-wal")
                self.assertIn("it is empty or gone, but", self.refusal())
                Path(self.path).touch()
                self.assertIn("it is empty or gone, but", self.refusal())
            self.path = path

    def test_anEmptyOneThatWasNot(self) -> None:
        """A file that has lost every byte is not taken for new; that one is gone is logged."""
        self.append(draft("a"))
        self.store.close()
        os.truncate(self.path, 0)
        why = (
            "it is empty, but there was a log in it; put it back,"
            " or remove it and mucs.sqlite-lock to begin a new one"
        )
        self.assertEqual(self.refusal(), why)
        os.unlink(self.path)
        with capturedLogs() as logged:
            self.opens()
        self.assertEqual(self.read(), [])
        self.assertEqual([formatEvent(event) for event in logged], [f"{self.path}: {GONE}"])

    def test_oneServerADatabase(self) -> None:
        """A second one is refused, with the number of the first, until it ends."""
        why = f"another server (process {os.getpid()}) is using it"
        self.assertEqual(self.refusal(), why)
        self.assertEqual(self.append(draft("a"))[0].seq, 1)
        self.store.close()
        self.opens()

    def test_otherNames(self) -> None:
        """By whatever links one comes to it, there is one lock; of a hard link there is none."""
        folder = os.path.dirname(self.path)
        os.symlink(folder, self.path + "-folder")
        os.symlink(os.path.join(self.path + "-folder", "mucs.sqlite"), self.path + "-link")
        real = self.path
        for path in (real + "-link", os.path.join(real + "-folder", "mucs.sqlite")):
            self.path = path
            self.assertIn("another server", self.refusal())
        self.store.close()
        self.opens()
        self.append(draft("a"))
        self.assertTrue(os.path.exists(real + "-lock"))
        self.store.close()
        self.path = real
        os.link(real, real + "-hard")
        for self.path in (real, real + "-hard"):
            why = "it has another name, a hard link; remove that, or make a copy"
            self.assertEqual(self.refusal(), why)
        os.unlink(real + "-hard")
        self.path = real
        self.opens()

    def test_theLockNamesItsHolder(self) -> None:
        """The last one, not one before it."""
        self.store.close()
        Path(self.path + "-lock").write_text("1234567890\n")
        self.opens()
        self.assertEqual(Path(self.path + "-lock").read_text(), f"{os.getpid()}\n")

    def test_aLockThatWasTakenAway(self) -> None:
        """A lock on a file that is not there any more keeps nobody out: it is taken again."""
        self.another()
        flock = fcntl.flock
        taken: list[int] = []

        def slow(file: int, how: int) -> None:
            if not taken:
                os.unlink(self.path + "-lock")
            taken.append(file)
            flock(file, how)

        self.patch(fcntl, "flock", slow)
        self.opens()
        self.assertEqual(len(taken), 2)
        self.assertIn("another server", self.refusal())

    def test_howItIsOpened(self) -> None:
        """It waits for nobody, and copies nothing back in a commit."""
        for pragma, value in (
            ("busy_timeout", 0),
            ("wal_autocheckpoint", 0),
            ("journal_mode", "wal"),
            ("cell_size_check", 1),
        ):
            self.assertEqual(self.db.execute(f"PRAGMA {pragma}").fetchone(), (value,))

    def test_itWaitsForWhoRecovers(self) -> None:
        """While it is opened, and for as long as another may need; not any more afterwards."""
        self.store.close()
        begun, waits = threading.Event(), threading.Event()

        class Patient(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                if sql == "BEGIN IMMEDIATE":
                    waits.set()
                return super().execute(sql, *parameters)

        def recovers() -> None:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                begun.set()
                waits.wait(20)
                other.execute("COMMIT")

        thread = threading.Thread(target=recovers)
        thread.start()
        self.addCleanup(thread.join)
        self.assertTrue(begun.wait(20))
        self.patch(steps, "Connection", Patient)
        self.opens()
        self.assertEqual(self.db.execute("PRAGMA busy_timeout").fetchone(), (0,))

    def test_itDoesNotWaitForEver(self) -> None:
        self.patch(steps, "WAIT", 10)
        self.store.close()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            error = self.assertRaises(LogError, self.openable().open)
            self.assertEqual(str(error), f"{self.path}: database is locked")

    def test_theLockEndsWithItsProcess(self) -> None:
        """However it ends."""
        self.store.close()
        script = (
            "import sys, time; from twisted.internet.task import Clock;"
            "from mucs.log.sqlite import SqliteLog;"
            "SqliteLog(sys.argv[1], Clock(), time.time).open();"
            "print('open', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, os.path.abspath(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other:
            try:
                assert other.stdout is not None
                self.assertEqual(other.stdout.readline(), b"open\n")
                self.assertEqual(
                    self.refusal(), f"another server (process {other.pid}) is using it"
                )
            finally:
                other.kill()
        self.opens()

    def test_namesThatAreFoldedOtherwise(self) -> None:
        """Rooms are found by what names are the same today."""
        self.append(draft("a", "Garden"))
        self.store.close()
        self.sql(
            "UPDATE rooms SET key = 'GARDEN'; UPDATE marks SET value = 0 WHERE name = 'folding'"
        )
        self.opens()
        self.assertEqual(self.texts(self.read("garden")), ["a"])
        self.assertEqual(self.append(draft("b", "GARDEN"))[0].seq, 2)

    def test_readOnly(self) -> None:
        """What cannot be written to is refused at the start, not at the first word."""
        self.store.close()
        self.patch(steps, "Connection", Faulty)
        self.patch(Faulty, "at", "BEGIN IMMEDIATE")
        self.patch(
            Faulty, "fault", sqlite3.OperationalError("attempt to write a readonly database")
        )
        self.assertEqual(self.refusal(), "attempt to write a readonly database")


class Killed(BaseException):
    """It is over."""


class Cut(sqlite3.Connection):
    """
    A connection whose process is killed after some statements: its files are copied then.

    @cvar left: how many are left.
    @cvar files: the path of the database, and of the copy.
    """

    left: ClassVar[int] = 0
    files: ClassVar[tuple[str, str]] = ("", "")

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        self._count()
        return super().execute(sql, *parameters)

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        cursor = self.cursor()
        # The smaller this is, the sooner something is on the disk.
        super().execute("PRAGMA cache_size = 1")
        statement = ""
        for part in script.split(";"):
            statement += part + ";"
            if sqlite3.complete_statement(statement):
                self._count()
                cursor.execute(statement)
                statement = ""
        return cursor

    def _count(self) -> None:
        cls = type(self)
        if cls.left == 0:
            path, copy = self.files
            for part in ("", "-wal", "-journal"):
                if os.path.exists(path + part):
                    shutil.copy(path + part, copy + part)
            cls.left = 1000
            raise Killed
        cls.left -= 1


class DamageTests(SqliteCase, SynchronousTestCase):
    """Bits that flip and ends that are missing."""

    ROOMS = 12
    EACH = 60

    def setUp(self) -> None:
        super().setUp()
        for n in range(self.EACH):
            self.append(*[draft(f"rose {n} " * 5, f"room {room}") for room in range(self.ROOMS)])
        self.append(draft(kind=JOIN), draft("roses", kind=TOPIC), draft(kind=UNDO, target="1"))
        self.tidy()
        self.store.close()
        self.whole = Path(self.path).read_bytes()

    def damage(self, how: Callable[[bytes], bytes]) -> str:
        """
        @return: what came of a damage: C{refused}, at the start; C{seen}, when it was read;
            C{there}, all of it, though a letter may be another; or C{lost}, and nobody knows.
        """
        self.path = self.mktemp()
        Path(self.path).write_bytes(how(self.whole))
        log = self.openable()
        try:
            log.open()
        except LogError as error:
            self.assertEqual(str(error).split(": ")[0], self.path)
            self.assertNotIn("\n", str(error))
            return "refused"
        try:
            for room in range(self.ROOMS):
                events: list[Event] = []
                errors: list[Failure] = []
                log.read(f"room {room}", 1000).addCallbacks(events.extend, errors.append)
                if errors:
                    errors[0].trap(LogError)
                    return "seen"
                if [event.seq for event in events] != list(range(1, self.EACH + 1)):
                    return "lost"
            return "there"
        finally:
            log.close()

    def test_noSilentEmptyStart(self) -> None:
        """Of 100 flipped bits and 100 truncations none begins an empty log, or one with gaps."""
        dice = random.Random(4)
        size = len(self.whole)

        def flip(data: bytes) -> bytes:
            # Half of them where it matters most: the header, the schema and the roots.
            at = dice.randrange(size if dice.random() < 0.5 else min(size, 20 * 4096))
            flipped = bytearray(data)
            flipped[at] ^= 1 << dice.randrange(8)
            return bytes(flipped)

        def cut(data: bytes) -> bytes:
            at = dice.randrange(1, size)
            return data[: at if dice.random() < 0.5 else at // 4096 * 4096 or 1]

        flips = Counter(self.damage(flip) for _ in range(100))
        cuts = Counter(self.damage(cut) for _ in range(100))
        print(f"\nflipped bits: {dict(flips)}; truncations: {dict(cuts)}")
        self.assertEqual((flips["lost"], cuts["lost"]), (0, 0))
        self.assertEqual(self.damage(lambda data: data), "there")

    def test_withoutTheChecksItWouldBeLost(self) -> None:
        """What is asserted above would be seen: a database that has lost a room is caught."""
        for script in (
            "DELETE FROM rooms WHERE room = 3",
            "DELETE FROM rooms",
            "UPDATE rooms SET key = 'x' WHERE room = 3",
            "UPDATE rooms SET name = 'room X' WHERE room = 3",
            "UPDATE rooms SET head = 'x' WHERE room = 3",
            "DELETE FROM events WHERE room = 3",
            "DELETE FROM events WHERE room = 3 AND seq = 60",
            "DELETE FROM events WHERE room = 3 AND seq = 1",
            "DELETE FROM events",
            "DELETE FROM marks",
            "DROP TABLE present",
            "DROP INDEX ids",
            "ALTER TABLE events RENAME COLUMN withdrawn TO w",
            "PRAGMA user_version = 0",
        ):
            self.path = self.mktemp()
            Path(self.path).write_bytes(self.whole)
            with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
                db.execute(script)
            error = self.assertRaises(LogError, self.openable().open)
            self.assertIn(f"{self.path}: it is damaged: ", str(error), script)
