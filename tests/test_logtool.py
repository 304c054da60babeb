"""
L{mucs.logtool}: what C{mucs-log} does to databases, as its command line is understood.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, LEAVE, ME, NICK, SAY, TOPIC, UNDO, WITHDRAWN, Event
from mucs.log.sqlite import SqliteLog
from mucs.log.steps import VERSION
from mucs.logtool import exports, filing, imports, prune, verify, work
from mucs.logtool import lines as form
from mucs.logtool.backup import backup
from mucs.logtool.command import run
from mucs.logtool.imports import importLines
from mucs.logtool.lines import BadLine, read, write
from mucs.logtool.newfile import newFile
from mucs.logtool.reader import Reader
from mucs.logtool.work import Stopped, ToolError, Work
from mucs.pairs import Pairs
from mucs.text import clean

ROOT = Path(__file__).resolve().parent.parent

#: What operators read.
PAGE = "docs/operators.md"

#: When it is, here: seconds since 1970.
NOW = 1_790_000_000.0

DAY = 86_400.0

#: The latest time that anything may have, in milliseconds.
SOON = int((NOW + 100 * DAY) * 1000)


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """Something to write to that says it is one."""

    def isatty(self) -> bool:
        return True


class Watched(Work):
    """Work that calls something each time it says how far it is."""

    def __init__(self, call: Callable[[int], object]) -> None:
        super().__init__(io.StringIO())
        self.calls = 0
        self._call = call

    def at(self, done: int) -> None:
        self.calls += 1
        self._call(self.calls)


def stopAt(moment: int) -> Watched:
    """Work that is stopped at that moment."""

    def call(number: int) -> None:
        if number == moment:
            raise Stopped(2)

    return Watched(call)


def draft(text: str = "", room: str = "lobby", author: str = "ada", **more: Any) -> Event:
    """Something that has happened and is not stored."""
    return Event(room, 0, 0, author, more.pop("kind", SAY), text, **more)


class ToolCase(SynchronousTestCase):
    """
    A test with an empty folder for databases.

    @ivar now: seconds since 1970, for those who store something.
    """

    def setUp(self) -> None:
        super().setUp()
        self.now = NOW
        self.patch(form, "soon", lambda: SOON)
        self.folder = Path(tempfile.mkdtemp(prefix="mucs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.database = self.path("mucs.sqlite")

    def path(self, name: str) -> str:
        """The path of a file in the folder."""
        return str(self.folder / name)

    def names(self) -> set[str]:
        """What is in the folder, but for what SQLite and the lock leave there."""
        names = {path.name for path in self.folder.iterdir()}
        return {name for name in names if not name.endswith(("-shm", "-wal", "-lock"))}

    def removes(self, database: str) -> None:
        """Remove a database, with its parts and its lock."""
        for path in self.folder.glob(f"{Path(database).name}*"):
            path.unlink()

    def tool(self, *argv: str, stdin: bytes = b"") -> Ran:
        """Run C{mucs-log}."""
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        err = io.StringIO()
        code = run(argv, io.BytesIO(stdin), out, err)
        return Ran(code, out.buffer.getvalue().decode(), err.getvalue())

    def does(self, *argv: str, stdin: bytes = b"") -> str:
        """Run it, and see that it succeeds. @return: what it said on stdout."""
        ran = self.tool(*argv, stdin=stdin)
        self.assertEqual((ran.code, ran.err), (0, ""), ran)
        return ran.out

    def refuses(self, *argv: str, stdin: bytes = b"", code: int = 1) -> str:
        """Run it, and see that it says one line of what is wrong. @return: that line."""
        ran = self.tool(*argv, stdin=stdin)
        self.assertEqual(ran.code, code, ran)
        self.assertRegex(ran.err, r"\Amucs-log: [^\n]+\n\Z")
        return ran.err.removeprefix("mucs-log: ").rstrip("\n")

    def log(self, path: str = "") -> SqliteLog:
        """Open a log as a server does."""
        log = SqliteLog(path or self.database, Clock(), lambda: self.now, "process")
        log.open()
        self.addCleanup(log.close)
        return log

    def stored(self, *batches: Sequence[Event], path: str = "") -> None:
        """Store events, a batch each second."""
        log = self.log(path)
        for batch in batches:
            self.successResultOf(log.append(batch))
            self.now += 1
        log.close()

    def asks(self, query: str, path: str = "") -> list[Any]:
        """Ask SQLite."""
        with closing(sqlite3.connect(path or self.database, isolation_level=None)) as db:
            return db.execute(query).fetchall()

    def export(self, path: str = "") -> str:
        return self.does("export", path or self.database)

    def wholeLife(self) -> None:
        """A database in which everything has happened that can."""
        self.stored(
            [draft(kind=JOIN), draft(kind=JOIN, author="bob")],
            [draft("hello, naïve world", id="1"), draft("waves", kind=ME)],
            [draft("a slip", author="bob", id="2"), draft("in the garden", room="garden")],
            [draft(kind=UNDO, author="bob", target="5"), draft("tea", kind=TOPIC)],
            [draft(kind=NICK, author="bob", target="Робер 🎈")],
            [draft(kind=LEAVE, text="bye"), draft("tools", room="garden", kind=TOPIC)],
            [draft(f"word{number}", room="garden") for number in range(5)],
        )


class BackupTests(ToolCase):
    """C{mucs-log backup}."""

    def test_theCopyIsWhole(self) -> None:
        """It is one file, holds what the database holds, and a server goes on with it."""
        self.wholeLife()
        told = self.does("backup", self.database, self.path("copy"))
        size = os.path.getsize(self.path("copy"))
        self.assertEqual(told, f"{self.path('copy')}: a copy of {self.database}, {size} bytes\n")
        self.assertEqual(self.export(self.path("copy")), self.export())
        self.does("verify", self.path("copy"))
        self.assertFalse(list(self.folder.glob("copy?*")))
        self.assertEqual(self.names(), {"mucs.sqlite", "copy"})
        self.stored([draft("on we go")], path=self.path("copy"))
        self.assertIn("on we go", self.export(self.path("copy")))

    def test_itIsOneMoment(self) -> None:
        """
        A server that stores something between each two steps is not kept from it, and does not keep
        the copy from coming to an end: that has what was there when it began, and no more.
        """
        self.stored([draft("x" * 3000) for _ in range(3000)])
        self.does("export", self.database, "-o", self.path("before"))
        log = self.log()
        self.successResultOf(log.append([draft("the last before")]))
        before = self.export()

        def append(number: int) -> None:
            self.assertLess(number, 100, "it begins again and again")
            self.successResultOf(log.append([draft(f"{number} meanwhile", id=str(number))]))

        watched = Watched(append)
        backup(self.database, self.path("copy"), watched)
        self.assertGreater(watched.calls, 5)
        self.assertEqual(self.export(self.path("copy")), before)
        self.assertEqual(len(self.export().splitlines()), 3001 + watched.calls)

    def test_aCrashedServersToo(self) -> None:
        """What stands in the write-ahead log only is in the copy."""
        log = self.log()
        self.successResultOf(log.append([draft("hello")]))
        for name in ("mucs.sqlite", "mucs.sqlite-wal"):
            shutil.copy(self.path(name), self.path(name.replace("mucs", "crashed")))
        self.does("backup", self.path("crashed.sqlite"), self.path("copy"))
        self.assertIn("hello", self.export(self.path("copy")))

    def test_whatIsThereStays(self) -> None:
        """Unless C{--force} is given; and what is no copy stays in any case."""
        self.wholeLife()
        copy = self.folder / "copy"
        copy.write_text("precious")
        said = self.refuses("backup", self.database, str(copy))
        self.assertEqual(said, f"{copy}: it is there already; --force replaces it")
        self.assertEqual(copy.read_text(), "precious")
        self.does("backup", "--force", self.database, str(copy))
        self.assertEqual(self.export(str(copy)), self.export())
        said = self.refuses("backup", "--force", self.database, self.database)
        self.assertIn("that is the database itself", said)
        os.link(self.database, self.path("link"))
        said = self.refuses("backup", "--force", self.database, self.path("link"))
        self.assertIn("that is the database itself", said)
        self.assertIn("is a folder", self.refuses("backup", self.database, str(self.folder)))
        nowhere = self.path("no/where")
        self.assertIn("No such file", self.refuses("backup", self.database, nowhere))

    def test_whatAServerUsesStays(self) -> None:
        """Even with C{--force}: it is not replaced under a server's hands."""
        self.wholeLife()
        other = self.path("other.sqlite")
        log = self.log(other)
        self.successResultOf(log.append([draft("mine")]))
        said = self.refuses("backup", "--force", self.database, other)
        self.assertEqual(said, f"{other}: another server (process {os.getpid()}) is using it")
        self.assertIn("mine", self.export(other))

    def test_partsOfAnotherStay(self) -> None:
        """SQLite would apply a write-ahead log that is left over to the copy."""
        self.wholeLife()
        (self.folder / "copy-wal").write_text("what was said last")
        said = self.refuses("backup", self.database, self.path("copy"))
        self.assertIn("copy-wal: it is a part of another database", said)
        self.assertNotIn("copy", self.names())

    def test_stopped(self) -> None:
        """Nothing is left of it, and what it was to replace is as it was."""
        self.stored([draft("x" * 3000) for _ in range(1000)])
        copy = self.folder / "copy"
        copy.write_text("precious")
        for moment in (1, 2, 3):
            with self.assertRaises(Stopped):
                backup(self.database, str(copy), stopAt(moment), force=True)
            self.assertEqual(self.names(), {"mucs.sqlite", "copy"})
            self.assertEqual(copy.read_text(), "precious")

    def test_permissions(self) -> None:
        """Whoever could not read the database cannot read the copy, nor an export."""
        self.wholeLife()
        os.chmod(self.database, 0o640)
        self.does("backup", self.database, self.path("copy"))
        self.does("export", self.database, "-o", self.path("lines"))
        for name in ("copy", "lines"):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o640)

    def test_noRoom(self) -> None:
        """What SQLite says of a disk is told, and nothing is left."""
        self.wholeLife()
        self.patch(sqlite3, "connect", Full.connect)
        said = self.refuses("backup", self.database, self.path("copy"))
        self.assertEqual(said, f"{self.path('copy')}: database or disk is full")
        self.assertEqual(self.names(), {"mucs.sqlite"})

    def test_theTargetIsNamed(self) -> None:
        """Where nothing can be written, and not a file that nobody has heard of."""
        self.wholeLife()
        nowhere = self.path("no/where")
        why = f"{nowhere}: No such file or directory"
        self.assertEqual(self.refuses("backup", self.database, nowhere), why)
        self.assertEqual(self.refuses("export", self.database, "-o", nowhere), why)
        if os.path.exists("/dev/full"):
            with self.assertRaises(ToolError) as raised:
                with newFile(self.path("x"), self.database, False, Work(io.StringIO())):
                    with open("/dev/full", "wb", buffering=0) as full:
                        full.write(b"x")
            self.assertEqual(str(raised.exception), f"{self.path('x')}: No space left on device")

    def test_restored(self) -> None:
        """A copy takes the place of a database that is gone, whose lock was left there."""
        self.wholeLife()
        before = self.export()
        self.does("backup", self.database, self.path("copy"))
        os.unlink(self.database)
        for beside in ("-wal", "-shm"):
            Path(self.database + beside).unlink(missing_ok=True)
        self.does("backup", self.path("copy"), self.database)
        self.stored([draft("on we go")])
        self.assertIn("on we go", self.export())
        self.assertIn(before.splitlines()[0], self.export())

    def test_aDamagedOneIsNotCopied(self) -> None:
        """An older copy is worth more: it stays."""
        self.stored([draft("x" * 3000) for _ in range(300)])
        self.does("backup", self.database, self.path("copy"))
        before = (self.folder / "copy").read_bytes()
        data = bytearray(Path(self.database).read_bytes())
        data[40 * 4096 : 60 * 4096] = os.urandom(20 * 4096)
        Path(self.database).write_bytes(data)
        for more in ([self.path("copy"), "--force"], [self.path("other")]):
            said = self.refuses("backup", self.database, *more)
            self.assertIn(f"{self.database}: it is damaged (", said)
            self.assertIn("no copy is made of it", said)
        self.assertEqual((self.folder / "copy").read_bytes(), before)
        self.assertEqual(self.names(), {"mucs.sqlite", "copy"})


class Full(sqlite3.Connection):
    """A connection to a disk that has little room, if it is not only to read."""

    _connect = staticmethod(sqlite3.connect)

    @classmethod
    def connect(cls, path: str, **options: Any) -> sqlite3.Connection:
        db = cls._connect(path, **options)
        if not options.get("uri"):
            db.execute("PRAGMA max_page_count = 2")
        return db


class ExportTests(ToolCase):
    """C{mucs-log export}."""

    def test_theForm(self) -> None:
        """One event a line, with all that belongs to it; what is withdrawn has lost its text."""
        self.wholeLife()
        lines = [json.loads(line) for line in self.export().splitlines()]
        when = int(NOW * 1000)
        self.assertEqual(
            lines[:5],
            [
                {"room": "lobby", "seq": 1, "time": when, "author": "ada", "kind": "join"},
                {"room": "lobby", "seq": 2, "time": when, "author": "bob", "kind": "join"},
                {
                    "room": "lobby",
                    "seq": 3,
                    "time": when + 1000,
                    "author": "ada",
                    "kind": "say",
                    "text": "hello, naïve world",
                    "id": "1",
                },
                {
                    "room": "lobby",
                    "seq": 4,
                    "time": when + 1000,
                    "author": "ada",
                    "kind": "me",
                    "text": "waves",
                },
                {
                    "room": "lobby",
                    "seq": 5,
                    "time": when + 2000,
                    "author": "bob",
                    "kind": "withdrawn",
                    "id": "2",
                },
            ],
        )
        self.assertEqual([line["room"] for line in lines], ["lobby"] * 9 + ["garden"] * 7)

    def test_rooms(self) -> None:
        """Those that are named, once, however they are written; all must be there."""
        self.wholeLife()
        both = self.export().splitlines()
        lobby, garden = both[:9], both[9:]
        self.assertEqual(self.does("export", self.database, "#Garden").splitlines(), garden)
        argv = ("export", self.database, "garden", "lobby", "GARDEN")
        self.assertEqual(self.does(*argv).splitlines(), garden + lobby)
        said = self.refuses("export", self.database, "lobby", "gardn")
        self.assertEqual(said, f"{self.database}: there is no room gardn; did you mean #garden?")

    def test_toAFile(self) -> None:
        """It is there when it is whole."""
        self.wholeLife()
        lines = self.folder / "lines"
        told = self.does("export", self.database, "-o", str(lines))
        self.assertEqual(told, f"{lines}: 16 events of 2 rooms\n")
        self.assertEqual(lines.read_text(), self.export())
        self.assertIn("there already", self.refuses("export", self.database, "-o", str(lines)))
        self.does("export", self.database, "lobby", "-o", str(lines), "--force")
        self.assertEqual(len(lines.read_text().splitlines()), 9)
        with self.assertRaises(Stopped):
            exports.export(self.database, [], io.BytesIO(), stopAt(2), self.path("half"))
        self.assertEqual(self.names(), {"mucs.sqlite", "lines"})
        self.assertEqual(self.does("export", "-q", self.database, "-o", self.path("quiet")), "")

    def test_whileTheServerStores(self) -> None:
        """It is as it was when it began; and what is pruned meanwhile may be missing."""
        self.patch(exports, "PIECE", 3)
        self.stored([draft(f"{number}") for number in range(20)])
        before = self.export()
        log = self.log()

        def store(number: int) -> None:
            self.successResultOf(log.append([draft("meanwhile")] * 5))

        out = io.BytesIO()
        exports.export(self.database, [], out, Watched(store))
        self.assertEqual(out.getvalue().decode(), before)

        def go(number: int) -> None:
            self.successResultOf(log.prune("lobby", keep=25, most=100))

        out = io.BytesIO()
        exports.export(self.database, [], out, Watched(lambda n: go(n) if n == 2 else None))
        seqs = [json.loads(line)["seq"] for line in out.getvalue().splitlines()]
        pruned = self.asks("SELECT pruned FROM rooms")[0][0]
        self.assertGreater(pruned, 20)
        self.assertEqual(seqs, sorted({1, 2, 3, *range(pruned + 1, seqs[-1] + 1)}))

    def test_allIsPrunedMeanwhile(self) -> None:
        self.patch(exports, "PIECE", 3)
        self.stored([draft(f"{number}") for number in range(20)])
        log = self.log()

        def go(number: int) -> None:
            self.successResultOf(log.append([draft("meanwhile")]))
            self.successResultOf(log.prune("lobby", keep=1, most=100))

        out = io.BytesIO()
        exports.export(self.database, [], out, Watched(lambda n: go(n) if n == 2 else None))
        seqs = [json.loads(line)["seq"] for line in out.getvalue().splitlines()]
        self.assertEqual(seqs, [1, 2, 3])

    def test_aGapIsSaid(self) -> None:
        """What is damaged is not passed over in silence."""
        self.wholeLife()
        self.asks("DELETE FROM events WHERE room = 1 AND seq = 4")
        said = self.refuses("export", self.database)
        self.assertIn("the log is damaged: something of #lobby is missing", said)


class ImportCase(ToolCase):
    """@ivar new: the path of a database to import into."""

    def setUp(self) -> None:
        super().setUp()
        self.new = self.path("new.sqlite")

    def imports(self, lines: str, *argv: str) -> str:
        return self.does("import", *argv, self.new, stdin=lines.encode())

    def refusesLines(self, lines: str, *argv: str) -> str:
        return self.refuses("import", *argv, self.new, stdin=lines.encode())

    def known(self, path: str) -> list[Any]:
        """All that a server knows of a database."""
        log = self.log(path)
        answers: list[Any] = [self.successResultOf(log.rooms())]
        answers += [self.successResultOf(log.tail(room, 1000)) for room in answers[0]]
        present: list[Any] = self.successResultOf(cast(Any, log.present()))
        answers.append(sorted(present))
        for words in ("naive", "slip", "word3", "tea"):
            answers.append(self.successResultOf(log.search(words, ["lobby", "garden"], 10)))
        log.close()
        return answers


class ImportTests(ImportCase):
    """C{mucs-log import}, with events' own numbers."""

    def test_thereAndBack(self) -> None:
        """What is imported is what was exported, in everything that a server knows of it."""
        self.wholeLife()
        lines = self.export()
        told = self.imports(lines)
        self.assertEqual(told, "16 events imported, of 2 rooms; 0 were there already\n")
        self.assertEqual(self.export(self.new), lines)
        self.assertEqual(self.known(self.new), self.known(self.database))
        self.does("verify", self.new)
        [(mark,)] = self.asks("SELECT value FROM marks WHERE name = 'indexed'", self.new)
        self.assertEqual(mark, 16)

    def test_whatWasPruned(self) -> None:
        """Numbers do not begin anew, and a topic that was set long ago is still the topic."""
        self.wholeLife()
        self.stored([draft("more", room="cellar"), draft("cold", room="cellar", kind=TOPIC)])
        self.does("prune", "--keep", "0", self.database, "cellar")
        self.does("prune", "--keep", "2", self.database, "garden")
        lines = self.export()
        self.assertIn('{"room":"garden","pruned":5,"topic":"tools"}\n', lines)
        self.assertTrue(lines.endswith('{"room":"cellar","pruned":2,"topic":"cold"}\n'))
        self.imports(lines)
        self.assertEqual(self.export(self.new), lines)
        self.assertEqual(self.known(self.new), self.known(self.database))
        self.does("verify", self.new)

    def test_aPieceOfARoom(self) -> None:
        """A room may begin where something was pruned, but not anywhere."""
        self.wholeLife()
        lines = "".join(self.export().splitlines(True)[4:9])
        why = 'and what was before it is missing; if it was pruned, a line with "pruned":4 says so'
        self.assertIn(f"line 1: #lobby begins with 5, {why}", self.refusesLines(lines))
        self.imports('{"room":"lobby","pruned":4}\n' + lines)
        self.assertEqual(self.export(self.new).splitlines(True)[1:], lines.splitlines(True))
        self.does("verify", self.new)

    def test_twice(self) -> None:
        """What is there already is passed over, also if it was withdrawn since."""
        self.wholeLife()
        lines = self.export()
        self.imports(lines)
        told = self.imports(lines)
        self.assertEqual(told, "0 events imported, of 2 rooms; 16 were there already\n")
        self.stored([draft(kind=UNDO, target="3")], path=self.new)
        after = self.export(self.new)
        self.imports(lines)
        self.assertEqual(self.export(self.new), after)
        self.does("prune", "--keep", "1", self.new)
        after = self.export(self.new)
        self.imports(lines)
        self.assertEqual(self.export(self.new), after)

    def test_aLongerHistoryContinues(self) -> None:
        self.wholeLife()
        self.imports(self.export())
        self.stored([draft("later"), draft(kind=UNDO, target="3"), draft("hi", room="attic")])
        lines = self.export()
        self.assertIn("3 events imported, of 3 rooms; 16", self.imports(lines))
        self.assertEqual(self.known(self.new), self.known(self.database))

    def test_anotherHistoryIsRefused(self) -> None:
        """What a room has is not mixed with what another one had."""
        self.wholeLife()
        self.stored([draft("hello"), draft("there")], path=self.new)
        before = self.export(self.new)
        said = self.refusesLines(self.export())
        self.assertEqual(
            said,
            "line 1: #lobby has another event 1 in the database; --append puts what is in the file"
            " behind what is there; nothing is imported",
        )
        for this, that in (
            ("there", "thére"),
            ('"ada","kind":"say","text":"there"', '"bob","kind":"say","text":"there"'),
            ('"say","text":"there"', '"me","text":"there"'),
            ('"there"', '"there","id":"1"'),
            ('"there"', '"there","target":"1"'),
        ):
            lines = before.replace(this, that)
            self.assertIn("line 2: #lobby has another event 2", self.refusesLines(lines))
        lines = re.sub(r'"time":\d+', '"time":17', before)
        self.assertIn("line 1: #lobby has another event 1", self.refusesLines(lines))
        lines = self.export().splitlines()[5]
        self.assertIn("line 1: #lobby ends at 2 in the database", self.refusesLines(lines))
        self.assertEqual(self.export(self.new), before)

    def test_wrongLines(self) -> None:
        """The line is named; nothing of its batch is stored, and all that is before is."""
        self.patch(imports, "BATCH", 4)
        self.wholeLife()
        lines = self.export().splitlines(True)
        for wrong, why in (
            ("hello", "it is not understood: JSON is malformed"),
            ('{"room": "lobby"', "it is not understood: Input data was truncated"),
            ("[1]", "it is not understood: Expected `object`, got `array`"),
            ('{"seq": 1}', "missing required field `room`"),
            ('{"room": "lobby", "seq": "1"}', "Expected `int`, got `str`"),
            ('{"room": "lobby", "colour": 1}', "unknown field `colour`"),
            ('{"room": "", "seq": 1}', "it names no room"),
            ('{"room": "\\u202e", "seq": 1}', "no room is called so: "),
            ('{"room": "a,b", "seq": 1}', "no room is called so: "),
            ('{"room": "bad\\nroom", "seq": 1}', "no room is called so: "),
            ('{"room": " lobby", "seq": 1}', "no room is called so: its name is not as a server"),
            ('{"room": ",0123", "seq": 1}', "no room is called so: "),
            ('{"room": "lobby", "pruned": 1, "topic": "a\\nb"}', "its topic holds what moves"),
            (lines[5].replace("bob", "b\\nob"), "its author holds what moves or forges a screen"),
            (lines[3].replace("waves", "wa\\u001b[2Jves"), "its text holds what moves"),
            (lines[3].replace("waves", "x" * 65537), "its text has more than 65536 bytes"),
            (lines[5].replace('"target":"5"', '"target":"6"'), "an undo has a target"),
            (lines[5].replace(',"target":"5"', ""), "an undo has a target"),
            (lines[7].replace(',"target":"Робер 🎈"', ""), "a nick has a target"),
            (re.sub('"time":[0-9]+', '"time":253402214399999', lines[5]), "what is yet to come"),
            ('{"room": "lobby"}', "it has neither a seq"),
            ('{"room": "lobby", "seq": -1}', "a seq is from 1"),
            ('{"room": "lobby", "pruned": 1, "text": "x"}', "more than a line about a room"),
            ('{"room": "lobby", "seq": 99999999999999999999}', "a seq is from 1"),
            (lines[5].replace('"seq":6', '"seq":7'), "in #lobby 7 follows 5"),
            (lines[4].replace('"seq":5', '"seq":4'), "in #lobby 4 follows 5"),
            (lines[5].replace('"seq":6', '"seq":6,"pruned":3'), "it has a seq, and pruned"),
            (lines[5].replace('"time":17', '"time":16'), "its time is before that of 5"),
            (lines[5].replace('"time":17', '"time":1799999999999'), "a time is from 0"),
            (lines[5].replace("undo", "sing"), "there is no kind 'sing'; there is join, leave"),
            (lines[5].replace("undo", "withdrawn"), "what is withdrawn has no text"),
            (lines[5].replace("bob", ""), "it has no author"),
            (lines[5].replace("bob", "b" * 101), "a name has at most 100 characters"),
            (lines[5].replace("}", ',"id":"2"}'), "bob has said something else with that id"),
            ('{"room":"lobby","text":"' + "x" * (1 << 20) + '"}', "it has more than 1048576 bytes"),
            ('{"room":"' + "\udcff" + '","seq":1}', "it is not understood: "),
        ):
            with self.subTest(wrong=wrong[:60]):
                # An empty line counts, and is passed over.
                data = "".join(
                    [*lines[:2], "\n", *lines[2:5], wrong.rstrip("\n"), "\n", *lines[6:]]
                )
                said = self.refuses(
                    "import", self.new, stdin=data.encode("utf-8", "surrogateescape")
                )
                self.assertTrue(said.startswith("line 7: "), said)
                self.assertIn(why, said)
                self.assertTrue(
                    said.endswith("; lines 1 to 5 are imported, and nothing of what follows them"),
                    said,
                )
                self.assertEqual(self.export(self.new), "".join(lines[:4]))
                self.does("verify", self.new)
                self.removes(self.new)

    def test_privateRooms(self) -> None:
        """Those of two registered people are rooms of the log, and go there and back."""
        room = Pairs.room("ada", "bob")
        self.stored([draft("between us", room=room)])
        self.imports(self.export())
        self.assertEqual(self.export(self.new), self.export())
        self.does("verify", self.new)

    def test_theNumberSign(self) -> None:
        """A room may be written as it is shown."""
        self.imports('{"room":"#lobby","seq":1,"time":1,"author":"ada","kind":"say","text":"hi"}')
        self.assertIn('{"room":"lobby"', self.export(self.new))

    def test_stoppedAndStartedAgain(self) -> None:
        """Wherever it was stopped, the second time brings what one time would have."""
        self.patch(imports, "BATCH", 3)
        self.wholeLife()
        lines = self.export()
        for moment in range(1, 8):
            with self.subTest(moment=moment):
                with self.assertRaises(Stopped):
                    importLines(self.new, io.BytesIO(lines.encode()), stopAt(moment))
                if moment > 1:  # before that nothing is stored
                    self.does("verify", self.new)
                self.imports(lines)
                self.assertEqual(self.export(self.new), lines)
                self.removes(self.new)

    def test_stoppedInATransaction(self) -> None:
        """What is half stored is not stored."""
        self.patch(imports, "BATCH", 3)
        self.wholeLife()
        lines = self.export()
        insert = filing.Filing._insert
        calls: list[int] = []

        def stop(self: filing.Filing, new: Any) -> None:
            insert(self, new)
            calls.append(len(new))
            if len(calls) == 3:
                raise Stopped(2)

        self.patch(filing.Filing, "_insert", stop)
        with self.assertRaises(Stopped):
            importLines(self.new, io.BytesIO(lines.encode()), Work(io.StringIO()))
        self.assertEqual(self.export(self.new), "".join(lines.splitlines(True)[:6]))

    def test_inVain(self) -> None:
        """Nothing is left of a database that was made, and in which nothing was stored."""
        self.wholeLife()
        before = {path.name for path in self.folder.iterdir()}
        self.assertIn("nothing is imported", self.refusesLines("hello"))
        self.assertEqual({path.name for path in self.folder.iterdir()}, before)

    def test_one(self) -> None:
        """What there is one of is not said as if there were more."""
        self.stored([draft("a")])
        told = self.does("export", self.database, "-o", self.path("lines"))
        self.assertIn(": 1 event of 1 room\n", told)
        told = self.imports(self.export())
        self.assertEqual(told, "1 event imported, of 1 room; 0 were there already\n")
        told = self.imports(self.export())
        self.assertEqual(told, "0 events imported, of 1 room; 1 was there already\n")
        told = self.does("prune", "--dry-run", "--keep", "0", self.database)
        self.assertIn("1 event would go", told)
        self.assertIn("1 event is gone", self.does("prune", "--keep", "0", self.database))

    def test_aServerUsesIt(self) -> None:
        self.wholeLife()
        lines = self.export()
        log = self.log(self.new)
        said = self.refusesLines(lines)
        self.assertEqual(said, f"{self.new}: another server (process {os.getpid()}) is using it")
        self.assertEqual(self.successResultOf(log.rooms()), [])

    def test_files(self) -> None:
        """From a file as from stdin."""
        self.wholeLife()
        self.does("export", self.database, "-o", self.path("lines"))
        self.does("import", self.new, self.path("lines"))
        self.assertEqual(self.export(self.new), self.export())
        said = self.refuses("import", self.new, self.path("nothing"))
        self.assertEqual(said, f"{self.path('nothing')}: No such file or directory")
        self.assertIn("is a folder", self.refuses("import", str(self.folder), self.path("lines")))


class AppendTests(ImportCase):
    """C{mucs-log import --append}."""

    def seen(self, path: str, room: str = "lobby") -> list[tuple[Any, ...]]:
        log = self.log(path)
        events = self.successResultOf(log.read(room, 1000))
        log.close()
        return [(e.seq, e.kind, e.text, e.target) for e in events]

    def test_behind(self) -> None:
        """New numbers, in the order of the file; what is undone is what was undone."""
        self.wholeLife()
        self.stored([draft("new"), draft("newer")], path=self.new)
        told = self.imports(self.export(), "--append")
        self.assertEqual(told, "16 events imported, of 2 rooms; 0 were there already\n")
        old = self.seen(self.database)
        moved = [
            (seq + 2, kind, text, str(int(target) + 2) if kind == UNDO else target)
            for seq, kind, text, target in old
        ]
        self.assertEqual(self.seen(self.new), [(1, SAY, "new", ""), (2, SAY, "newer", ""), *moved])
        self.assertIn((7, WITHDRAWN, "", ""), self.seen(self.new))
        self.does("verify", self.new)

    def test_timesDoNotGoBack(self) -> None:
        self.wholeLife()
        self.now += 100
        self.stored([draft("new")], path=self.new)
        self.imports(self.export(), "--append")
        times = {when for (when,) in self.asks("SELECT time FROM events WHERE room = 1", self.new)}
        self.assertEqual(times, {int((self.now - 1) * 1000)})

    def test_theSameIdIsThere(self) -> None:
        """What a client has sent again to the new server is not there twice."""
        self.stored([draft("one", id="1"), draft("two", id="2"), draft("three")])
        self.stored([draft("two", id="2")], path=self.new)
        told = self.imports(self.export(), "--append")
        self.assertEqual(told, "2 events imported, of 1 room; 1 was there already\n")
        self.assertEqual([text for _, _, text, _ in self.seen(self.new)], ["two", "one", "three"])

    def test_anUndoOfWhatIsNotKnown(self) -> None:
        """Nothing else is withdrawn in its place."""
        self.wholeLife()
        self.stored([draft(f"{n}") for n in range(9)], path=self.new)
        lines = "".join(self.export().splitlines(True)[5:9])
        self.imports(lines, "--append")
        self.assertNotIn(WITHDRAWN, [kind for _, kind, _, _ in self.seen(self.new)])
        self.assertNotIn(UNDO, [kind for _, kind, _, _ in self.seen(self.new)])

    def test_anUndoAfterWhatIsPassedOver(self) -> None:
        """Numbers differ by something else from there on."""
        self.stored(
            [draft("a"), draft("b", id="1"), draft("c")],
            [draft(kind=UNDO, target="3"), draft(kind=UNDO, target="1")],
        )
        self.stored([draft("b", id="1"), draft("x"), draft("y")], path=self.new)
        self.imports(self.export(), "--append")
        self.assertEqual(
            self.seen(self.new),
            [
                (1, SAY, "b", ""),
                (2, SAY, "x", ""),
                (3, SAY, "y", ""),
                (4, WITHDRAWN, "", ""),
                (5, WITHDRAWN, "", ""),
                (6, UNDO, "", "5"),
            ],
        )

    def test_appendedTwiceIsThereTwice(self) -> None:
        """An import that came to its end is not remembered."""
        self.wholeLife()
        self.imports(self.export(), "--append")
        lines = self.does("export", self.database, "garden")
        self.assertIn("7 events imported", self.imports(lines, "--append"))
        self.assertEqual(len(self.seen(self.new, "garden")), 14)

    def test_appendStoppedAndStartedAgain(self) -> None:
        """Nothing is there twice, though nothing tells the events apart."""
        self.patch(imports, "BATCH", 3)
        self.stored([draft("again")] * 10 + [draft("and")] * 4)
        lines = self.export()
        for moment in range(1, 7):
            with self.subTest(moment=moment):
                self.stored([draft("first")], path=self.new)
                with self.assertRaises(Stopped):
                    importLines(self.new, io.BytesIO(lines.encode()), stopAt(moment), append=True)
                # A server may have run in between.
                self.stored([draft("between")], path=self.new)
                self.imports(lines, "--append")
                texts = [text for _, _, text, _ in self.seen(self.new) if text != "between"]
                self.assertEqual(texts, ["first"] + ["again"] * 10 + ["and"] * 4)
                self.does("verify", self.new)
                self.removes(self.new)

    def test_anotherFileIsRefused(self) -> None:
        """As long as one has not come to its end; or it is to be forgotten."""
        self.patch(imports, "BATCH", 3)
        self.wholeLife()
        lines = self.export()
        with self.assertRaises(Stopped):
            importLines(self.new, io.BytesIO(lines.encode()), stopAt(2), append=True)
        before = self.export(self.new)
        other = self.does("export", self.database, "garden")
        for wrong in (other, lines[:100], "", lines.replace("hello", "hallo")):
            said = self.refusesLines(wrong, "--append")
            self.assertIn("was interrupted after line 3, and this is not the same file", said)
        self.assertEqual(self.export(self.new), before)
        self.assertIn("7 events imported", self.imports(other, "--append", "--anew"))
        self.assertIn("7 events imported", self.imports(other, "--append"))
        self.assertIn("--append only", self.refusesLines(other, "--anew"))


#: What may stand in a text, a name, an id: anything that moves no screen.
TEXTS = st.text(max_size=200).map(lambda text: clean(f"{text}.")[:-1])
NAMES = st.text(min_size=1, max_size=40).map(clean).filter(bool)
EVENTS = st.builds(
    lambda room, author, kind, text, target, id: Event(
        room.removeprefix("#"), 0, 0, author, kind, text, target, 0, id
    ),
    st.sampled_from(["lobby", "Straße", "🎈 party", "x" * 50]),
    NAMES,
    st.sampled_from([SAY, ME, JOIN, LEAVE, NICK, TOPIC]),
    TEXTS,
    st.one_of(TEXTS, st.integers(0, 10).map(str)).filter(str.strip),
    st.just(""),
)


class OddTests(ToolCase):
    """Whatever was said."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(EVENTS, max_size=12))
    def test_oddThingsGoThereAndBack(self, events: list[Event]) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        self.stored(events)
        lines = self.export()
        self.does("import", self.path("new"), stdin=lines.encode())
        self.assertEqual(self.export(self.path("new")), lines)
        self.does("verify", self.path("new"))
        topics = "SELECT name, topic, head, pruned, time FROM rooms ORDER BY name"
        self.assertEqual(self.asks(topics, self.path("new")), self.asks(topics))
        present = "SELECT r.name, p.name FROM present AS p JOIN rooms AS r USING (room)"
        self.assertEqual(set(self.asks(present, self.path("new"))), set(self.asks(present)))

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(st.binary(max_size=100), st.text(max_size=100).map(str.encode)))
    def test_anyBytesAreALineOrNone(self, data: bytes) -> None:
        """Nothing but C{BadLine} is raised."""
        try:
            line = read(data)
        except BadLine:
            return
        self.assertEqual(read(write(line.event())).event(), line.event())


#: What can be wrong with a database in which everything has happened, and how it is said.
FAULTS = (
    ("UPDATE rooms SET name = 'a,b' WHERE room = 1", "#a,b: no room is called so: "),
    (
        "UPDATE events SET text = 'a' || char(10) WHERE room = 1 AND seq = 4",
        "#lobby: number 4: its text holds what moves or forges a screen",
    ),
    (
        "UPDATE events SET author = 'a' || char(27) WHERE room = 1 AND seq = 1",
        "#lobby: number 1: its author holds what moves or forges a screen",
    ),
    (
        "UPDATE events SET text = printf('%.70000c', 'x') WHERE room = 1 AND seq = 4",
        "#lobby: number 4: its text has more than 65536 bytes",
    ),
    (
        "UPDATE events SET time = 253402214399999 WHERE room = 2 AND seq = 7",
        "#garden: number 7: a time is from 0 to",
    ),
    (
        "UPDATE events SET target = '' WHERE kind = 'undo'",
        "#lobby: number 6: an undo has a target",
    ),
    ("DELETE FROM events WHERE room = 1 AND seq = 4", "#lobby: number 4 is missing"),
    ("DELETE FROM events WHERE room = 1 AND seq IN (4, 5)", "#lobby: numbers 4 to 5 are missing"),
    ("DELETE FROM events WHERE room = 1 AND seq < 3", "#lobby: numbers 1 to 2 are missing"),
    ("DELETE FROM events WHERE room = 1 AND seq > 7", "#lobby: numbers 8 to 9 are missing"),
    ("DELETE FROM events WHERE room = 2", "#garden: numbers 1 to 7 are missing"),
    (
        "UPDATE rooms SET head = 7 WHERE room = 1",
        "#lobby: number 9 is there, and it ends at 7",
    ),
    (
        "UPDATE rooms SET pruned = 1 WHERE room = 1",
        "#lobby: number 1 is there, and pruned up to 1",
    ),
    (
        "UPDATE rooms SET time = 12 WHERE room = 1",
        "#lobby: its time is 12, and that of its last event 1790000005000",
    ),
    (
        "UPDATE events SET time = 12 WHERE room = 1 AND seq = 4",
        "#lobby: number 4 is earlier than the one before it",
    ),
    ("DELETE FROM rooms WHERE room = 2", "there are events in a room that is missing, row 2"),
    (
        "INSERT INTO present VALUES (77, 'eve')",
        "there is someone in a room that is missing, row 77",
    ),
    ("DELETE FROM marks WHERE name = 'folding'", "the mark 'folding' is missing"),
    (
        "UPDATE marks SET value = 99 WHERE name = 'indexed'",
        "the mark 'indexed' is 99, and the last event 16",
    ),
    ("UPDATE marks SET value = 'x' WHERE name = 'indexed'", "the mark 'indexed' is 'x'"),
    (
        "UPDATE events SET withdrawn = 1 WHERE text = 'waves'",
        "event 4 is in the index of words, and should not be",
    ),
    (
        "INSERT INTO words (words, rowid, room, text) VALUES ('delete', 4, 1, 'waves')",
        "event 4 is not in the index of words, and should be",
    ),
    (
        "INSERT INTO words (rowid, room, text) VALUES (4, 1, 'another')",
        "the index of words is not that of what was said",
    ),
    ("DROP INDEX ids", "the index ids is missing"),
    ("DROP TABLE remembered", "the table remembered is missing"),
    ("DROP TABLE marks", "it cannot be read: no such table: marks"),
    ("DROP TABLE words", "the table words is missing"),
    ("DELETE FROM words_data WHERE id > 10", "the index of words is not that of what was said"),
    ("PRAGMA user_version = 0", "it is damaged: it does not say its version"),
)


class VerifyTests(ToolCase):
    """C{mucs-log verify}."""

    def setUp(self) -> None:
        super().setUp()
        self.wholeLife()
        self.does("export", self.database, "-o", self.path("lines"))
        self.removes(self.database)
        # So that all of it is in the index of words.
        self.does("import", self.database, self.path("lines"))

    def test_noFault(self) -> None:
        self.assertEqual(
            self.does("verify", self.database), f"{self.database}: no fault was found\n"
        )
        self.assertEqual(self.does("verify", "--quiet", self.database), "")

    def test_nothingIsChanged(self) -> None:
        before = Path(self.database).read_bytes()
        self.does("verify", self.database)
        self.assertEqual(Path(self.database).read_bytes(), before)

    def test_faults(self) -> None:
        """Each is found, and is said in a line."""
        whole = Path(self.database).read_bytes()
        for sql, fault in FAULTS:
            with self.subTest(sql=sql):
                self.asks(sql)
                ran = self.tool("verify", self.database)
                self.assertEqual((ran.code, ran.err), (1, ""))
                self.assertIn(fault, ran.out)
                for path in self.folder.glob("mucs.sqlite*"):
                    path.unlink()
                Path(self.database).write_bytes(whole)

    def test_damagedPages(self) -> None:
        """Whichever of its pages is lost, that is found; and it is cut short."""
        whole = Path(self.database).read_bytes()
        size = 4096
        for at in range(0, len(whole), size):
            for damaged in (
                whole[:at] + os.urandom(size) + whole[at + size :],
                whole[:at] + bytes(size) + whole[at + size :],
                whole[:at],
            ):
                with self.subTest(at=at, length=len(damaged)):
                    for path in self.folder.glob("mucs.sqlite-*"):
                        path.unlink()
                    Path(self.database).write_bytes(damaged)
                    ran = self.tool("verify", self.database)
                    self.assertEqual(ran.code, 1, ran)
                    self.assertTrue(ran.out or ran.err)

    def test_damagedWords(self) -> None:
        """Wherever the index of words is damaged: 64 bytes of a block are others."""
        rows = self.asks("SELECT id, block FROM words_data WHERE length(block) > 70")
        sound = Path(self.database).read_bytes()
        chance = random.Random(1)
        for _ in range(20):
            row, block = chance.choice(rows)
            at = chance.randrange(len(block) - 64)
            wrong = block[:at] + chance.randbytes(64) + block[at + 64 :]
            with closing(sqlite3.connect(self.database)) as db:
                db.execute("UPDATE words_data SET block = ? WHERE id = ?", (wrong, row))
                db.commit()
            ran = self.tool("verify", self.database)
            self.assertEqual(ran.code, 1, (row, at))
            self.assertIn("the index of words", ran.out)
            for path in self.folder.glob("mucs.sqlite?*"):
                path.unlink()
            Path(self.database).write_bytes(sound)
        self.does("verify", self.database)

    def test_theIndexIsMadeAnew(self) -> None:
        """What the page for operators says of it."""
        [command] = re.findall('sqlite3 mucs.sqlite "(.*)"', (ROOT / PAGE).read_text("utf-8"))
        with closing(sqlite3.connect(self.database)) as db:
            db.execute("UPDATE words_data SET block = randomblob(200) WHERE id > 10")
            db.commit()
            db.executescript(command)
        clock = Clock()
        log = SqliteLog(self.database, clock, lambda: self.now, "process")
        log.open()
        clock.pump([0.05] * 100)
        self.assertEqual(len(self.successResultOf(log.search("naive", ["lobby"], 9))), 1)
        log.close()
        self.assertNotEqual(self.asks("SELECT value FROM marks WHERE name = 'indexed'"), [(0,)])
        self.does("verify", self.database)

    def test_faultsAreFoundInAllParts(self) -> None:
        """One that cannot be read is no reason not to look further."""
        self.asks("DROP TABLE words")
        self.asks("DELETE FROM events WHERE room = 1 AND seq = 4")
        out = self.tool("verify", self.database).out
        self.assertIn("the table words is missing", out)
        self.assertIn("#lobby: number 4 is missing", out)

    def test_whileAServerUsesIt(self) -> None:
        log = self.log()
        self.successResultOf(log.append([draft("hello")] * 10))
        self.does("verify", self.database)
        self.successResultOf(log.append([draft("hello")]))

    def test_stopped(self) -> None:
        """A signal that comes while SQLite works is not taken for a fault."""
        watched = Work(io.StringIO())
        watched.stopped = Stopped(2)
        self.patch(verify, "PAGES", 100)
        with self.assertRaises(Stopped):
            list(verify.verify(self.database, watched))


class PruneTests(ToolCase):
    """C{mucs-log prune}."""

    def setUp(self) -> None:
        super().setUp()
        for _ in range(10):
            self.stored([draft("lobby", room="lobby"), draft("garden", room="garden")])
            self.now += DAY - 1
        self.stored([draft("attic", room="attic")])
        self.now = NOW + 10 * DAY
        self.patch(time, "time", lambda: self.now)

    def left(self) -> dict[str, list[int]]:
        """The numbers that each room has."""
        rows = self.asks("SELECT name, seq FROM events JOIN rooms USING (room) ORDER BY room, seq")
        left: dict[str, list[int]] = {}
        for name, seq in rows:
            left.setdefault(name, []).append(seq)
        return left

    def test_byAge(self) -> None:
        told = self.does("prune", "--before", "84h", self.database)
        self.assertEqual(told, "#lobby: 7\n#garden: 7\n14 events are gone\n")
        self.assertEqual(self.left(), {"lobby": [8, 9, 10], "garden": [8, 9, 10], "attic": [1]})
        self.does("verify", self.database)
        log = self.log()
        self.assertEqual(
            [e.seq for e in self.successResultOf(log.search("lobby", ["lobby"], 99))], [10, 9, 8]
        )
        [event] = self.successResultOf(log.append([draft("on we go")]))
        self.assertEqual(event.seq, 11)

    def test_byDate(self) -> None:
        """In this machine's zone, unless it says another."""
        self.does("prune", "--before", "2026-09-21T14:13:20+00:00", self.database)
        self.assertEqual(self.left()["lobby"], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        self.does("prune", "--before", "2026-09-21T14:13:21+00:00", self.database)
        self.assertEqual(self.left()["lobby"], [2, 3, 4, 5, 6, 7, 8, 9, 10])
        self.assertEqual(prune.moment("1990-01-01", NOW) % 60_000, 0)

    def test_byCount(self) -> None:
        self.does("prune", "--keep", "2", self.database)
        self.assertEqual(self.left(), {"lobby": [9, 10], "garden": [9, 10], "attic": [1]})
        self.does("prune", "--keep", "0", self.database, "#Garden")
        self.assertEqual(self.left(), {"lobby": [9, 10], "attic": [1]})
        self.does("verify", self.database)
        self.stored([draft("hi", room="garden")])
        self.assertEqual(self.left()["garden"], [11])

    def test_byBoth(self) -> None:
        """What is kept is kept, however old it is."""
        self.does("prune", "--before", "84h", "--keep", "5", self.database)
        self.assertEqual(self.left()["lobby"], [6, 7, 8, 9, 10])
        self.does("prune", "--before", "84h", "--keep", "1", self.database)
        self.assertEqual(self.left()["lobby"], [8, 9, 10])

    def test_dryRun(self) -> None:
        """It says the same, does nothing, and a server may be using the database."""
        log = self.log()
        before = self.left()
        told = self.does("prune", "--dry-run", "--keep", "4", self.database, "lobby")
        self.assertEqual(told, "#lobby: 6\n6 events would go; nothing was done\n")
        self.assertEqual(self.left(), before)
        said = self.refuses("prune", "--keep", "4", self.database)
        self.assertIn("another server", said)
        log.close()
        told = self.does("prune", "--keep", "4", self.database, "lobby")
        self.assertEqual(told, "#lobby: 6\n6 events are gone\n")

    def test_nothingToDo(self) -> None:
        self.assertEqual(self.does("prune", "--before", "5w", self.database), "0 events are gone\n")

    def test_stoppedAndStartedAgain(self) -> None:
        self.patch(prune, "SLICE", 2)
        with self.assertRaises(Stopped):
            prune.prune(self.database, [], stopAt(3), keep=3)
        self.assertEqual(self.left()["lobby"], [5, 6, 7, 8, 9, 10])
        self.does("verify", self.database)
        self.does("prune", "--keep", "3", self.database)
        self.assertEqual(self.left()["lobby"], [8, 9, 10])
        self.assertEqual(self.left()["garden"], [8, 9, 10])

    def test_mistakes(self) -> None:
        before = self.left()
        for argv, why in (
            ((), "say what is to go: --before, or --keep, or both"),
            (("--before", "soon"), "--before soon: that is no age"),
            (("--before", "2026-02-30"), "--before 2026-02-30: that is no age"),
            (("--before", "9999d9"), "that is no age"),
            (("--before", "2062-01-01"), "--before 2062-01-01: that is yet to come"),
            (("--keep", "-1"), "that is no number of events"),
        ):
            self.assertIn(why, self.refuses("prune", self.database, *argv))
        said = self.refuses("prune", "--keep", "1", self.database, "lobbi")
        self.assertEqual(said, f"{self.database}: there is no room lobbi; did you mean #lobby?")
        self.assertEqual(self.left(), before)


class MistakeTests(ToolCase):
    """What is no database of ours, and what is no command."""

    def commands(self, path: str) -> list[tuple[str, ...]]:
        """Everything that can be asked of a database."""
        return [
            ("backup", path, self.path("copy")),
            ("export", path),
            ("import", path, os.devnull),
            ("verify", path),
            ("prune", "--keep", "1", path),
            ("prune", "--keep", "1", "--dry-run", path),
        ]

    def test_foreignFiles(self) -> None:
        """They are refused, in one line, and are what they were."""
        text = self.folder / "text"
        text.write_text("Dear diary,\n" * 1000)
        other = self.path("other")
        with closing(sqlite3.connect(other)) as db:
            db.execute("CREATE TABLE cats (name)")
        newer = self.path("newer")
        self.stored([draft("hello")], path=newer)
        self.asks("PRAGMA user_version = 99", newer)
        for path, why in (
            (str(text), "file is not a database"),
            (other, "that is a database of some other program"),
            (newer, f"a newer MUCS has written it (version 99, not {VERSION})"),
        ):
            before = Path(path).read_bytes()
            for argv in self.commands(path):
                with self.subTest(argv=argv):
                    ran = self.tool(*argv)
                    self.assertEqual(ran.code, 1)
                    self.assertIn(why, ran.out + ran.err)
                    self.assertEqual((ran.out + ran.err).count("\n"), 1)
                    self.assertEqual(Path(path).read_bytes(), before)
        self.assertNotIn("copy", self.names())

    def test_nothingThere(self) -> None:
        """Only C{import} makes a database."""
        (self.folder / "empty").touch()
        for path, why in (
            (self.path("nothing"), "there is no such file"),
            (self.path("empty"), "it is empty"),
            (str(self.folder), "that is a folder"),
        ):
            for argv in self.commands(path):
                if argv[0] != "import":
                    self.assertEqual(self.refuses(*argv), f"{path}: {why}")
        self.assertEqual(self.names(), {"empty"})

    def test_theCommandLine(self) -> None:
        for argv, why in (
            ((), "the following arguments are required: COMMAND"),
            (("sing",), "invalid choice: 'sing'"),
            (("backup", "one"), "the following arguments are required: COPY"),
            (("verify", "one", "two"), "unrecognized arguments: two"),
            (("prune", "one", "--keep", "few"), "invalid int value: 'few'"),
        ):
            said = self.refuses(*argv, code=2)
            self.assertIn(why, said)
            self.assertIn("--help shows how it is written", said)

    def test_asTheServerIsTold(self) -> None:
        """The database may be written as it is behind C{--log}."""
        self.wholeLife()
        self.does("verify", f"sqlite:{self.database}")
        self.does("verify", f"sqlite:{self.database}:level=process")

    def test_oddPaths(self) -> None:
        """A name is a name, whatever SQLite would make of it."""
        for name in ("a?mode=memory", "100%41", "a#b", "ä 'b'", "\udcff"):
            self.stored([draft("hello")], path=self.path(name))
            self.does("backup", self.path(name), self.path(f"copy of {name}"))
            self.assertEqual(
                self.export(self.path(f"copy of {name}")), self.export(self.path(name))
            )

    def test_theProgram(self) -> None:
        """What is installed as C{mucs-log} is there."""
        text = (ROOT / "pyproject.toml").read_text("utf-8")
        entry = re.search(r'^mucs-log = "(.*):(.*)"$', text, re.M)
        assert entry is not None
        self.assertTrue(callable(getattr(import_module(entry[1]), entry[2])))


class ReaderTests(ToolCase):
    """A database that is only read."""

    def test_aLongQueryIsStopped(self) -> None:
        """A signal that comes while SQLite works ends it."""
        self.wholeLife()
        busy = Work(io.StringIO())
        forever = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        with Reader(self.database, busy) as reader:
            busy.stopped = Stopped(2)
            with self.assertRaises(sqlite3.OperationalError):
                reader.db.execute(f"{forever} SELECT count(*) FROM n WHERE i < 2e7").fetchone()

    def test_nothingIsWritten(self) -> None:
        self.wholeLife()
        with Reader(self.database, Work(io.StringIO())) as reader:
            with self.assertRaises(sqlite3.OperationalError):
                reader.db.execute("DELETE FROM events")

    def test_theWriteAheadLogStays(self) -> None:
        """Whoever only reads does not copy it back, though it is the last to close."""
        log = self.log()
        self.successResultOf(log.append([draft("hello")]))
        for name in ("mucs.sqlite", "mucs.sqlite-wal"):
            shutil.copy(self.path(name), self.path(name.replace("mucs", "crashed")))
        crashed = self.folder / "crashed.sqlite"
        before = crashed.read_bytes(), (self.folder / "crashed.sqlite-wal").read_bytes()
        self.assertIn("hello", self.export(str(crashed)))
        self.does("verify", str(crashed))
        self.assertEqual(
            (crashed.read_bytes(), (self.folder / "crashed.sqlite-wal").read_bytes()), before
        )


class WorkTests(SynchronousTestCase):
    """The bar that shows how far it is."""

    def test_onATerminal(self) -> None:
        terminal = Terminal()
        bar = Work(terminal)
        self.patch(work, "PAINTED", 0.0)
        bar.begin("copying", 40)
        bar.at(10)
        bar.at(40)
        bar.end()
        bar.end()
        self.assertEqual(
            terminal.getvalue().split("\r"),
            [
                "",
                f"copying  [{'.' * 30}]  0%  0/40\x1b[K",
                f"copying  [{'#' * 7}{'.' * 23}]  25%  10/40\x1b[K",
                f"copying  [{'#' * 30}]  100%  40/40\x1b[K",
                "\x1b[K",
            ],
        )

    def test_howMuchIsNotKnown(self) -> None:
        terminal = Terminal()
        bar = Work(terminal)
        self.patch(work, "PAINTED", 0.0)
        bar.begin("importing")
        bar.at(1234)
        self.assertEqual(terminal.getvalue(), "\rimporting ...\x1b[K\rimporting  1234\x1b[K")

    def test_notElsewhere(self) -> None:
        """Where stderr is a file, or nothing is to be said."""
        for stream, quiet in ((io.StringIO(), False), (Terminal(), True)):
            bar = Work(stream, quiet)
            bar.begin("copying", 40)
            bar.at(10)
            bar.end()
            self.assertEqual(stream.getvalue(), "")

    def test_notTooOften(self) -> None:
        terminal = Terminal()
        self.patch(time, "monotonic", lambda: 1000.0)
        bar = Work(terminal)
        bar.begin("copying", 1000)
        for done in range(1000):
            bar.at(done)
        self.assertEqual(terminal.getvalue().count("\r"), 1)
