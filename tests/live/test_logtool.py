"""
C{mucs-log} as a program: beside a server that is being talked to, at a terminal, in a pipe, and
stopped or killed in the middle of its work.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from mucs.events import SAY, Event
from mucs.log.sqlite import SqliteLog
from tests.live.inside import HOST, Person, Program, reactor
from tests.live.server import ENVIRONMENT, ROOT, Server, ServerCase

#: What C{mucs-log} is, whether it is installed or not.
TOOL = (sys.executable, "-m", "mucs.logtool")

PAGE = ROOT / "docs" / "operators.md"


class LogToolCase(ServerCase):
    """@ivar at: an empty folder."""

    def setUp(self) -> None:
        super().setUp()
        self.at = self.folder()

    def starts(self, *argv: str, terminal: bool = False) -> Program:
        """Start C{mucs-log} in the folder."""
        return self.launch(*TOOL, *argv, folder=self.at, env=ENVIRONMENT, terminal=terminal)

    async def tool(self, *argv: str) -> tuple[int | None, str]:
        """Run it. @return: its exit code, and what it said."""
        program = self.starts(*argv)
        program.closes()
        await program.ends()
        return program.status, program.seen.decode()

    async def does(self, *argv: str) -> str:
        """Run it, and see that it succeeds. @return: what it said."""
        code, said = await self.tool(*argv)
        self.assertEqual(code, 0, said)
        return said

    def stored(self, count: int, size: int = 10, name: str = "mucs.sqlite") -> None:
        """Store things said, of so many characters, in two rooms."""
        log = SqliteLog(str(self.at / name), Clock(), time.time, "process")
        log.open()
        for room in ("lobby", "garden"):
            events = [
                Event(room, 0, 0, "ada", SAY, f"{number} hello ".ljust(size, "x"))
                for number in range(count // 2)
            ]
            self.successResultOf(log.append(events))
        log.close()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Let the reactor turn until something holds; the test's own timeout bounds it."""
        while not holds():
            await deferLater(reactor, 0.001)

    async def serves(self) -> tuple[Server, str]:
        """Start a server on the folder's database. @return: it, and its port."""
        (self.at / "mucs.toml").write_text(
            f"[limits]\nrate = 0\n[[listen]]\nport = 'json@tcp:0:interface={HOST}'\n"
        )
        server = self.start("--config", "mucs.toml", "--log", "sqlite:mucs.sqlite", folder=self.at)
        [port] = await server.begins()
        return server, port

    async def comes(self, port: str) -> Person:
        """Someone comes in."""
        person = await self.meet(port)
        await person.sees('{"welcome"')
        person.says('{"name": "ada"}')
        await person.sees('{"now":"lobby"')
        return person


class Talker:
    """
    Someone who says one thing after another.

    @ivar acked: how many were acknowledged: those with ids below that.
    """

    def __init__(self, person: Person) -> None:
        self.acked = 0
        self._person = person
        self._isOver = False
        self._ended = Deferred.fromCoroutine(self._talk())

    async def _talk(self) -> None:
        while not self._isOver:
            start = self.acked
            for number in range(start, start + 10):
                self._person.says(json.dumps({"say": f"{number} " + "x" * 500, "id": f"n{number}"}))
            await self._person.sees(f'"id":"n{start + 9}"')
            self.acked = start + 10

    def hasSaid(self, count: int) -> bool:
        """Whether so many were acknowledged."""
        return self.acked >= count

    async def ends(self) -> None:
        """Let it end what it is saying."""
        self._isOver = True
        await self._ended


class ServerTests(LogToolCase):
    """While a server uses the database."""

    async def test_whatWasAcknowledgedIsInTheCopy(self) -> None:
        """And the server goes on acknowledging meanwhile; all that only reads works so."""
        self.stored(2000, 4000)
        _, port = await self.serves()
        talker = Talker(await self.comes(port))
        for number in range(3):
            await self.until(partial(talker.hasSaid, talker.acked + 50))
            before = talker.acked
            copy = f"copy{number}"
            program = self.starts("backup", "mucs.sqlite", copy)
            await program.ends()
            self.assertEqual(program.status, 0, program.seen)
            self.assertGreater(talker.acked, before)
            ids = {json.loads(line).get("id") for line in await self.lines(copy)}
            self.assertLessEqual({f"n{number}" for number in range(before)}, ids)
            await self.does("verify", copy)
        for argv in (
            ("export", "mucs.sqlite", "-o", "lines"),
            ("verify", "mucs.sqlite"),
            ("prune", "--keep", "10", "--dry-run", "mucs.sqlite"),
        ):
            before = talker.acked
            await self.does(*argv)
            self.assertGreater(talker.acked, before)
        await talker.ends()
        # And nothing was spoiled.
        await self.does("verify", "mucs.sqlite")
        ids = {json.loads(line).get("id") for line in await self.lines("mucs.sqlite")}
        self.assertLessEqual({f"n{number}" for number in range(talker.acked)}, ids)

    async def lines(self, database: str) -> list[str]:
        # By a file: a pipe that is read beside somebody who talks is slower than they are.
        file = self.at / "exported"
        file.unlink(missing_ok=True)
        await self.does("export", "-o", str(file), database, "lobby")
        return file.read_text("utf-8").split("\n")[:-1]

    async def test_whatWritesIsRefused(self) -> None:
        """The one who has the database is named, and goes on."""
        server, port = await self.serves()
        person = await self.comes(port)
        for argv in (
            ("import", "mucs.sqlite", os.devnull),
            ("prune", "--keep", "1", "mucs.sqlite"),
            ("backup", "--force", str(PAGE), "mucs.sqlite"),
        ):
            code, said = await self.tool(*argv)
            self.assertEqual(code, 1)
            self.assertEqual(len(said.splitlines()), 1, said)
            if argv[0] != "backup":
                pid = server.transport.pid
                self.assertIn(f"mucs.sqlite: another server (process {pid}) is using it", said)
        person.says('{"say": "still here", "id": "1"}')
        await person.sees('{"ack":')

    async def test_aServerDoesNotStartMeanwhile(self) -> None:
        """Who imports has the database; after it, or after it was killed, nobody has."""
        self.stored(10)
        program = self.starts("import", "mucs.sqlite")
        await self.until(lambda: (self.at / "mucs.sqlite-wal").exists())
        server = self.start("--port", f"tcp:0:interface={HOST}", folder=self.at)
        self.assertNotEqual(await server.exits(), 0)
        self.assertIn(b"another server (process", server.errors)
        program.signals(signal.SIGKILL)
        await program.ends()
        _, port = await self.serves()
        await self.comes(port)


class StoppedTests(LogToolCase):
    """In the middle of it."""

    def isUnderWay(self, program: Program) -> bool:
        """Whether it has begun to copy, or is over."""
        return bool(self.parts()) or program.status is not None

    def parts(self) -> list[Path]:
        """Copies that are being made."""
        return list(self.at.glob(".*.part"))

    async def test_aBackup(self) -> None:
        """There is a whole copy or none; after a signal that can be caught, no part of one."""
        self.stored(4000, 4000)
        copy = self.at / "copy"
        stopped = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL) * 2:
            program = self.starts("backup", "mucs.sqlite", "copy")
            await self.until(partial(self.isUnderWay, program))
            if program.status is None:
                program.signals(number)
            await program.ends()
            if program.status == 0 or (number == signal.SIGKILL and copy.exists()):
                await self.does("verify", "copy")
                copy.unlink()
                continue
            stopped += 1
            self.assertFalse(copy.exists())
            if number == signal.SIGKILL:
                self.assertEqual(program.status, -number)
                self.assertEqual(len(self.parts()), 1)
                self.parts()[0].unlink()
            else:
                said = "mucs-log: stopped; nothing is left of it\n"
                self.assertEqual((program.status, program.seen.decode()), (128 + number, said))
                self.assertEqual(self.parts(), [])
        self.assertGreater(stopped, 0)
        await self.does("verify", "mucs.sqlite")

    def count(self, name: str) -> int:
        """How many events a database has."""
        wal = self.at / f"{name}-wal"
        if not wal.exists() or not wal.stat().st_size:
            return 0  # it is being made, and whoever makes it must be alone
        with closing(sqlite3.connect(f"file:{self.at / name}?mode=ro", uri=True)) as db:
            (count,) = db.execute("SELECT count(*) FROM events").fetchone()
        return int(count)

    def hasStored(self, program: Program, count: int) -> bool:
        """Whether it has stored so many, or is over."""
        return program.status is not None or self.count("new") >= count

    async def test_anImport(self) -> None:
        """It goes on where it was, with and without numbers of its own, however it ended."""
        self.stored(5000)
        await self.does("export", "mucs.sqlite", "-o", "lines")
        lines = (self.at / "lines").read_bytes()
        some = lines[: len(lines) // 2]
        for options in ((), ("--append",)):
            for number in (signal.SIGINT, signal.SIGKILL):
                program = self.starts("import", "new", *options)
                program.gives(some)
                # It waits for more.
                await self.until(partial(self.hasStored, program, 2000))
                self.assertIsNone(program.status, program.seen)
                program.signals(number)
                await program.ends()
                if number == signal.SIGINT:
                    said = "mucs-log: stopped; the same command again goes on from here\n"
                    self.assertEqual((program.status, program.seen.decode()), (130, said))
                await self.does("verify", "new")
                half = len((await self.does("export", "new")).splitlines())
                self.assertEqual(half, 2000)
                await self.does("import", "new", "lines", *options)
                await self.does("verify", "new")
                self.assertEqual((await self.does("export", "new")).encode(), lines)
                for path in self.at.glob("new*"):
                    path.unlink()


class TerminalTests(LogToolCase):
    """At a terminal, and in a pipe."""

    async def test_theBar(self) -> None:
        """It is shown, and gone when the work is done."""
        self.stored(1000)
        program = self.starts("export", "mucs.sqlite", "-o", "lines", terminal=True)
        await program.ends()
        self.assertEqual(program.status, 0)
        shown = program.seen.decode()
        self.assertRegex(shown, r"\A\rexporting  \[\.{30}\]  0%  0/1000\x1b\[K")
        self.assertTrue(shown.endswith("\r\x1b[Klines: 1000 events of 2 rooms\r\n"), shown)

    async def test_controlC(self) -> None:
        """Typed at a terminal, while it waits for lines from there."""
        program = self.starts("import", "new", terminal=True)
        await program.sees("importing ...")
        program.gives(b"\x03")
        await program.ends()
        self.assertEqual(program.status, 130)
        said = b"mucs-log: stopped; the same command again goes on from here\r\n"
        self.assertTrue(program.seen.endswith(said), program.seen)

    async def test_controlCWhileSqliteWorks(self) -> None:
        """What comes while all pages are looked at is no fault of theirs."""
        self.stored(4000, 4000)
        program = self.starts("verify", "mucs.sqlite", terminal=True)
        await program.sees("checking pages ...")
        program.gives(b"\x03")
        rest = await program.ends()
        # It may have come to its end before.
        said = {
            130: b"mucs-log: stopped; there may be more to say\r\n",
            0: b"no fault was found\r\n",
        }
        self.assertTrue(rest.endswith(said[program.status or 0]), rest)
        self.assertNotIn(b"interrupted", rest)

    async def test_nobodyReadsIt(self) -> None:
        """C{mucs-log export | head -1} is no fault of anyone's, and no traceback."""
        self.stored(5000)
        words = " ".join(TOOL)
        program = self.launch(
            "bash",
            "-c",
            f"{words} export mucs.sqlite | head -1; echo ${{PIPESTATUS[0]}}",
            folder=self.at,
            env=ENVIRONMENT,
        )
        await program.ends()
        said = sorted(program.seen.decode().splitlines())
        self.assertEqual(said[:2], ["1", "mucs-log: nobody reads what is written here"])
        self.assertEqual(json.loads(said[2])["seq"], 1)
        self.assertEqual(len(said), 3)


def blocks() -> Iterator[str]:
    """What the page for operators tells them to type."""
    yield from re.findall(r"^```\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


class PageTests(LogToolCase):
    """C{docs/operators.md} says what is so."""

    async def test_theCommandsWork(self) -> None:
        """All of them, in their order, on one database; a server goes on with what is left."""
        self.stored(3000)
        bin = self.folder()
        program = bin / "mucs-log"
        program.write_text(f'#!/bin/sh\nexec {" ".join(TOOL)} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        path = f"{bin}{os.pathsep}{os.environ['PATH']}"
        ran = 0
        for block in blocks():
            shell = self.launch(
                "bash",
                "-euxo",
                "pipefail",
                "-c",
                block,
                folder=self.at,
                env={**ENVIRONMENT, "PATH": path},
            )
            await shell.ends()
            self.assertEqual(shell.status, 0, shell.seen.decode())
            ran += block.count("mucs-log")
        self.assertGreater(ran, 15)
        _, port = await self.serves()
        person = await self.comes(port)
        person.says('{"search": "hello 1499", "limit": 1}')
        await person.sees('"text":"1499 hello')

    async def test_vacuum(self) -> None:
        """What the page says of it: the file becomes smaller, and is as good as before."""
        self.stored(3000, 1000)
        await self.does("prune", "--keep", "100", "mucs.sqlite")
        path = self.at / "mucs.sqlite"
        size = path.stat().st_size
        before = await self.does("export", "mucs.sqlite")
        with closing(sqlite3.connect(path)) as db:
            db.execute("VACUUM")
        self.assertLess(path.stat().st_size, size / 4)
        self.assertNotIn(b"1399 hello", path.read_bytes())
        await self.does("verify", "mucs.sqlite")
        self.assertEqual(await self.does("export", "mucs.sqlite"), before)

    def test_theOptionsAreThere(self) -> None:
        """What the page calls an option is one, of C{mucs-log} or of the service."""
        shown = set(re.findall(r"--[a-z][a-z-]+", PAGE.read_text("utf-8"))) - {"--help", "--log"}
        source = "".join(
            (ROOT / "mucs" / name).read_text("utf-8")
            for name in ("logtool/command.py", "tap.py", "selfsigned.py")
        )
        # twistd's own are written without their dashes.
        named = {option for option in shown if f'"{option}"' in source}
        named |= {option for option in shown if f'"{option[2:]}"' in source}
        self.assertEqual(shown - named, set())

    def test_refusals(self) -> None:
        """What the page says that a server says is what it says."""
        page = PAGE.read_text("utf-8")
        table = page[page.index("| it says") :].partition("\n\n")[0]
        sources = "".join(
            (ROOT / "mucs" / "log" / f"{name}.py").read_text("utf-8") for name in ("lock", "steps")
        )
        words = [
            re.sub(r" \(process 4711\)| mucs.sqlite-wal", "", said).removesuffix(": …")
            for row in table.splitlines()[2:]
            for said in re.findall(r"`([^`]+)`", row.split("|")[1])
        ]
        self.assertGreater(len(words), 6)
        ours = [each for each in words if each not in SQLITE]
        plain = re.sub(r'"\s+f?"|\{[^}]*\}| {2,}', "", sources)
        for each in ours:
            for piece in each.split(","):
                self.assertIn(piece.strip(), plain)


#: What SQLite itself says.
SQLITE = (
    "file is not a database",
    "database disk image is malformed",
    "unable to open database file",
    "attempt to write a readonly database",
)
