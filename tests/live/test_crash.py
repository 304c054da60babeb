"""
What is acknowledged is stored, and seen without a gap, whenever the server is killed.

It is killed at random moments while many talk and every commit is slow; the talkers come back,
and count. The same count is made of two servers that are not sound, where it must find something:
else it would prove nothing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from twisted.internet.task import deferLater

from tests.live.crash import Crowd, Figures
from tests.live.inside import HOST, reactor
from tests.live.server import ROOT, Server, ServerCase
from tests.reading import figure
from tests.slowlog import FORGETFUL, HASTY, SLOW, SOUND

LONG = bool(os.environ.get("MUCS_LONG"))

#: How often it is killed.
KILLS = 100 if LONG else 10

TALKERS = 20

#: As fast as the log is.
TOML = """
log = "sqlite:mucs.sqlite"
[limits]
rate = 0
"""


class CrashTests(ServerCase):
    """C{kill -9}."""

    timeout = 1800 if LONG else 180

    def setUp(self) -> None:
        self.where = self.folder()
        (self.where / "mucs.toml").write_text(TOML)
        self.seed = random.randrange(1 << 32)
        self.random = random.Random(self.seed)
        self.crowd = Crowd(TALKERS)
        self.addCleanup(self.crowd.goes)

    @property
    def database(self) -> Path:
        return self.where / "mucs.sqlite"

    async def begin(self, kind: str) -> Server:
        """Start a server, where the last one was."""
        server = self.start(
            *("--config", "mucs.toml"),
            *("--port", f"json@tcp:{self.crowd.port}:interface={HOST}"),
            folder=self.where,
            argv=[sys.executable, str(ROOT / "tests" / "slowlog.py"), kind, "-n", "mucs"],
        )
        (port,) = await server.begins()
        if not self.crowd.port:
            self.crowd.comes(int(port))
        return server

    async def kill(self, server: Server) -> None:
        """At a moment that nobody chose: any number of lines, and any part of a commit, later."""
        await self.crowd.hears(self.random.randrange(1, 200 * TALKERS))
        await deferLater(reactor, self.random.uniform(0, 2 * SLOW), lambda: None)
        server.signals(signal.SIGKILL)
        await server.ends()

    async def count(self, kind: str, kills: int) -> Figures:
        """Kill a server so often, or until it is found out; then let everyone finish."""
        done = 0
        while done < kills and not self.crowd.isWrong():
            await self.kill(await self.begin(kind))
            done += 1
        server = await self.begin(kind)
        await self.crowd.finishes()
        self.crowd.goes()
        await server.stops()
        figures = self.crowd.look(self.database)
        figure(f"{kind}, {done} kills: {figures}", aloud=LONG)
        return figures

    async def test_nothingIsLost(self) -> None:
        """Nor stored twice, and nobody sees a gap."""
        figures = await self.count(SOUND, KILLS)
        self.assertEqual(
            (figures.lost, figures.twice, figures.gaps),
            (0, 0, 0),
            f"seed {self.seed}: {figures} {figures.faults}",
        )
        self.assertGreater(figures.acked, KILLS * TALKERS, "there was hardly anything to lose")

    async def test_itWouldFindWhatIsLost(self) -> None:
        """Where it is acknowledged before it is stored."""
        figures = await self.count(HASTY, 30)
        self.assertGreater(figures.lost, 0, f"seed {self.seed}: {figures}")

    async def test_itWouldFindWhatIsStoredTwice(self) -> None:
        """Where nobody looks whether an id is there already."""
        figures = await self.count(FORGETFUL, 30)
        self.assertGreater(figures.twice, 0, f"seed {self.seed}: {figures}")
