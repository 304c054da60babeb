"""What fails under the real service: its disk, its log, its clock."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.live.inside import HOST, LiveCase, Person
from tests.live.server import ROOT, Server, ServerCase
from tests.reading import figure
from tests.slowlog import FILE, FULL, MUTE, SOUND

LONG = bool(os.environ.get("MUCS_LONG"))

#: The native dialect's refusal, and what stands in a json one.
NOT_STORED = "! not stored: "


def nulls(path: Path) -> int:
    """Fill a disk. @return: how many bytes that took."""
    size = 0
    with path.open("wb", buffering=0) as file:
        for step in (65536, 512, 1):
            try:
                while True:
                    size += file.write(bytes(step))
            except OSError:
                continue
    return size


class Disk:
    """
    A small disk of its own; where nobody may have one, an error that looks like a full one.

    @ivar folder: what is on it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
        self.isReal = subprocess.run(mount, capture_output=True).returncode == 0
        self.name = "a full tmpfs" if self.isReal else "an injected SQLITE_FULL"

    def fill(self) -> None:
        """There is no room any more."""
        if self.isReal:
            nulls(self.folder / FILE)
        else:
            (self.folder / FILE).touch()

    def clear(self) -> None:
        """There is room again."""
        (self.folder / FILE).unlink(missing_ok=True)

    def close(self) -> None:
        """Give it back."""
        if self.isReal:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


class ServiceTests(ServerCase):
    """A server in a process of its own."""

    async def begin(self, kind: str, folder: Path) -> tuple[Server, str, str]:
        """@return: a server, and its ports for people and for programs."""
        server = self.start(
            *("--log", "sqlite:mucs.sqlite"),
            *("--port", f"tcp:0:interface={HOST}", "--port", f"json@tcp:0:interface={HOST}"),
            folder=folder,
            argv=[sys.executable, str(ROOT / "tests" / "slowlog.py"), kind, "-n", "mucs"],
        )
        native, program = await server.begins(2)
        return server, native, program

    async def test_aFullDisk(self) -> None:
        """Words are refused, people come and go; and when there is room again, all is well."""
        disk = Disk(self.folder())
        self.addCleanup(disk.close)
        server, native, program = await self.begin(SOUND if disk.isReal else FULL, disk.folder)
        ada = await self.meet(native, "ada")
        await ada.sees("-- now")
        bot = await self.meet(program, '{"name":"bot"}', '{"say":"before","id":"1"}')
        await bot.sees('"ack":', '"id":"1"')
        await ada.sees("bot: before")
        disk.fill()
        ada.says("x" * 4000)
        await ada.sees(NOT_STORED)
        bot.says(json.dumps({"say": "y" * 4000, "id": "2"}))
        await bot.sees('{"nak":{"id":"2"', "not stored")
        bob = await self.meet(native, "bob")
        await bob.sees("-- now")
        await ada.sees("* bob joined")
        bob.says("/quit")
        await bob.ends()
        await ada.sees("* bob left")
        disk.clear()
        # Nobody does anything, and it is written.
        await bot.sees('"join"', '"seq":4', '"leave"', '"seq":5')
        bot.says(json.dumps({"say": "y" * 4000, "id": "2"}))
        await bot.sees('{"ack":', '"seq":6', '"id":"2"')
        ada.says("after")
        await bot.sees('"seq":7', "after")
        await server.stops()
        with closing(sqlite3.connect(disk.folder / "mucs.sqlite")) as db:
            rows = db.execute("SELECT seq, kind, author, id FROM events ORDER BY seq").fetchall()
        self.assertEqual(
            rows[3:7],
            [
                (4, "join", "bob", ""),
                (5, "leave", "bob", ""),
                (6, "say", "bot", "2"),
                (7, "say", "ada", ""),
            ],
        )
        false = bot.seen.count(b'{"ack":') - 2
        figure(f"{disk.name}: {false} false acks", aloud=LONG)
        self.assertEqual(false, 0)

    async def test_aLogThatNeverAnswers(self) -> None:
        """The reactor goes on, and the server ends when it is told to."""
        server, native, program = await self.begin(MUTE, self.folder())
        people = [await self.meet(native, f"n{count}", "hello") for count in range(3)]
        bot = await self.meet(program, '{"name":"bot"}')
        await bot.sees("the log is slow")
        for person in people:
            await person.sees("-- the log is slow")
        late = await self.meet(native, "/help")
        await late.sees("/resume")
        await server.stops()
        self.assertEqual(server.status, -signal.SIGTERM, server.log())
        figure("a log that never answers: 4 of 4 told, and SIGTERM ends the server", aloud=LONG)


class ClockTests(LiveCase):
    """The system's clock is set, under a service with real sockets."""

    async def test_steps(self) -> None:
        """An hour or a day either way: nobody is disconnected, and nothing changes places."""
        real, ahead = time.time, 0.0
        self.patch(time, "time", lambda: real() + ahead)
        path = self.folder() / "mucs.sqlite"
        place = self.serve("tcp:0", "json@tcp:0", options=["--log", f"sqlite:{path}"])
        ada = await self.person(place.port(), "ada")
        await ada.sees("-- now")
        bot = await self.person(place.port(1), '{"name":"bot"}')
        await bot.sees('{"now":')
        people: list[Person] = [ada, bot]
        for count, step in enumerate((3600, -3600, -3600, 86400, -86400, -86400)):
            ahead += step
            bot.says(json.dumps({"say": f"step {count}", "id": str(count)}))
            await bot.sees('"ack":', f'"id":"{count}"')
            await ada.sees(f"bot: step {count}")
            ada.says(f"seen {count}")
            await bot.sees(f"seen {count}")
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute("SELECT seq, time, text FROM events WHERE text != ''").fetchall()
        self.assertEqual(rows, sorted(rows))
        self.assertEqual([time for _, time, _ in rows], sorted(time for _, time, _ in rows))
        self.assertEqual(len(rows), 12)
        lost = sum(person._isOver for person in people)
        figure(f"6 steps of the clock: {lost} disconnects, 0 reorderings", aloud=LONG)
        self.assertEqual(lost, 0)
