"""
The line client when its line is lost: the server is killed in the middle, again and again.

Every commit is slow here (L{tests.slowlog}), so that a kill finds things half done; and the same
count is made of a server that forgets ids, where it must find lines twice.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
from functools import partial

from twisted.internet.task import deferLater

from tests.live.inside import HOST, reactor
from tests.live.server import ROOT, Server, ServerCase
from tests.live.terminal import Terminal, TerminalCase
from tests.reading import figure
from tests.slowlog import FORGETFUL, SLOW, SOUND

LONG = bool(os.environ.get("MUCS_LONG"))

#: How often the server is killed.
KILLS = 20 if LONG else 3

#: Lines that each says between two kills.
LINES = 5

TOML = 'log = "sqlite:mucs.sqlite"\n[limits]\nrate = 0\n'


class LostTests(TerminalCase, ServerCase):
    """C{kill -9}."""

    timeout = 600 if LONG else 120

    def setUp(self) -> None:
        self.where = self.folder()
        (self.where / "mucs.toml").write_text(TOML)
        self.port = "0"
        self.seed = random.randrange(1 << 32)
        self.random = random.Random(self.seed)

    async def begin(self, kind: str) -> Server:
        """Start a server, where the last one was."""
        server = self.start(
            *("--config", "mucs.toml", "--port", f"tcp:{self.port}:interface={HOST}"),
            folder=self.where,
            argv=[sys.executable, str(ROOT / "tests" / "slowlog.py"), kind, "-n", "mucs"],
        )
        (self.port,) = await server.begins()
        return server

    async def converse(self, kind: str, kills: int) -> tuple[list[str], list[str], list[str]]:
        """
        Two people talk while the server is killed so often.

        @return: what they typed, and what the one and the other has on the screen.
        """
        server = await self.begin(kind)
        people = [self.mucs("--name", name, f"{HOST}:{self.port}") for name in ("ada", "bob")]
        for person in people:
            await person.shows("#lobby")
        typed = []
        for round in range(kills + 1):
            for number in range(LINES):
                for name, person in zip(("ada", "bob"), people, strict=True):
                    text = f"{name} {round}.{number}"
                    typed.append(text)
                    person.enters(text)
                await deferLater(reactor, self.random.uniform(0, 2 * SLOW), lambda: None)
            if round < kills:
                server.signals(signal.SIGKILL)
                await server.ends()
                for name, person in zip(("ada", "bob"), people, strict=True):
                    await person.shows("NO LINE")
                    typed.append(f"{name} {round}.99")
                    person.enters(typed[-1])
                    await person.shows("... ", "not said yet")
                server = await self.begin(kind)
        for person in people:
            await person.until(partial(isAllThere, person, typed), typed)
            person.enters("!q")
            await person.ends()
            self.assertEqual(person.status, 0)
        await server.stops()
        return typed, said(people[0]), said(people[1])

    async def test_bothSeeTheSame(self) -> None:
        """Every line once, in one order; what was typed while there was no line too."""
        typed, first, second = await self.converse(SOUND, KILLS)
        figure(f"{KILLS} kills: {len(typed)} lines typed, {len(first)} seen", aloud=LONG)
        self.assertEqual(first, second, f"seed {self.seed}")
        self.assertEqual(sorted(first), sorted(typed), f"seed {self.seed}")

    if LONG:

        async def test_itWouldFindWhatIsSaidTwice(self) -> None:
            """Where the server does not know an id again, what was stored unseen is there twice."""
            typed, first, _ = await self.converse(FORGETFUL, KILLS)
            self.assertGreater(len(first), len(typed), f"seed {self.seed}")


def isAllThere(person: Terminal, typed: list[str]) -> bool:
    """Whether everything that was typed stands there."""
    return set(typed) <= set(said(person))


def said(person: Terminal) -> list[str]:
    """What people have said, as it stands on the screen, and above it."""
    found = (re.search(r"(?:ada|bob): ((?:ada|bob) [\d.]+)$", row) for row in person.scrolled())
    return [match[1] for match in found if match]


