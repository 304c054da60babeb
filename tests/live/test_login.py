"""
Logging in by real sockets: what is seen on a terminal, who is an admin, and a storm of guesses.

The storm is short here.  With C{MUCS_LONG=1} it is 500 wrong logins a second for ten seconds, and
its figures are printed.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from tests.live.inside import HOST, LiveCase, Person, bounded, reactor
from tests.live.server import Server, ServerCase

SECRET = "sesame-8"

ROOT = Path(__file__).resolve().parents[2]


class TerminalTests(LiveCase):
    """What stands on the screen."""

    async def test_telnet(self) -> None:
        """The password is not shown on it, and what comes later is."""
        place = self.serve("tcp:0")
        telnet = self.launch("telnet", HOST, str(place.port()), terminal=True)
        await telnet.sees("-- what is your name?")
        telnet.gives(b"ada\r")
        await telnet.sees("-- now\r\n")
        telnet.gives(b"/register\r")
        await telnet.sees("/register", "-- a password for ada", "\r\n")
        telnet.gives(SECRET.encode() + b"\r")
        await telnet.sees("-- ada is yours now", "\r\n")
        telnet.gives(b"/me is seen\r")
        await telnet.sees("/me is seen")
        self.assertNotIn(SECRET.encode(), telnet.seen)
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now")
        telnet.gives(b"hello\r")
        await bob.sees("ada: hello")

    async def test_netcat(self) -> None:
        """What is for telnet is written over by the line that follows it."""
        place = self.serve("tcp:0")
        ada = await self.person(place.port(), "ada", f"/register {SECRET}", "/quit")
        await ada.ends()
        netcat = self.launch("nc", "-N", HOST, str(place.port()))
        netcat.types("/login ada", SECRET, "hello")
        netcat.closes()
        await netcat.ends()
        self.assertEqual(netcat.status, 0)
        marked = re.findall(rb"(?s)\xff..(..)", netcat.seen)
        self.assertEqual(len(marked), 2)
        for behind in marked:
            self.assertEqual(behind[:1], b"\r")
        self.assertIn(b"-- you are ada in #lobby", netcat.seen)


class AdminTests(LiveCase):
    """Who comes by a UNIX socket that makes admins."""

    async def meets(self, *program: str) -> bytes:
        folder = self.folder()
        folder.chmod(0o755)
        path = folder / "s"
        toml = f'[[listen]]\nport = "unix:{path}:mode=666"\nadmins = true\n'
        self.serve(toml=toml)
        netcat = self.launch(*program, "nc", "-N", "-U", str(path))
        netcat.types("ada", "/accounts")
        netcat.closes()
        return await netcat.ends()

    async def test_ours(self) -> None:
        self.assertIn(b"-- 0 accounts", await self.meets("env"))

    async def test_anothers(self) -> None:
        if os.geteuid():
            raise SkipTest("only root can be someone else")
        seen = await self.meets("setpriv", "--reuid=65534", "--clear-groups")
        self.assertIn(b"! that is for the server's admins", seen)


class TakeoverTests(LiveCase):
    async def test_whoReadsNothing(self) -> None:
        """A connection that takes no bytes gives up its name to the same account."""
        place = self.serve("tcp:0", toml="[limits]\nrate = 0\n")
        ada = await self.person(place.port(), "ada", f"/register {SECRET}")
        await ada.sees("-- ada is yours now")
        ada.transport.pauseProducing()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now")
        session: Any = place.hall.names.find("ada")
        while not session.outlet.unsent():
            bob.says(*["x" * 4000] * 100)
            await deferLater(reactor, 0.01)
        again = await self.person(place.port(), f"/login ada {SECRET}")
        await again.sees("-- you are ada in #lobby")
        self.assertIsNot(place.hall.names.find("ada"), session)


class StormTests(ServerCase):
    """C{python -m pytest tests/live/test_login.py -k Storm -s}, with C{MUCS_LONG=1}."""

    async def latencies(self, one: Person, other: Person, seconds: float) -> list[float]:
        """How long it takes until another sees what one says, in ms, sorted."""
        every: list[float] = []
        end = reactor.seconds() + seconds
        while reactor.seconds() < end:
            word = f"word {len(every)} {reactor.seconds()}"
            begun = reactor.seconds()
            one.says(word)
            await other.sees(f"{word}\r\n")
            every.append((reactor.seconds() - begun) * 1000)
            await deferLater(reactor, 0.01)
        return sorted(every)

    @staticmethod
    def figures(server: Server) -> tuple[float, int]:
        """Its resident memory in MiB, and how many threads it has."""
        status = Path(f"/proc/{server.transport.pid}/status").read_text()
        kib, threads = (
            int(re.findall(rf"{key}:\s+(\d+)", status)[0]) for key in ("VmHWM", "Threads")
        )
        return kib / 1024, threads

    async def test_guesses(self) -> None:
        """Two hashes at a time, in bounded memory; people go on talking, and the owner gets in."""
        isLong = bool(os.environ.get("MUCS_LONG"))
        seconds, addresses, rate = (10.0, 250, 500) if isLong else (1.0, 50, 200)
        folder = self.folder()
        (folder / "c.toml").write_text(
            f'log = "memory:"\n[limits]\nrate = 0\n[[listen]]\nport = "tcp:0:interface={HOST}"\n'
        )
        server = self.start("--config", "c.toml", folder=folder)
        [port] = await server.begins()
        one, other = await self.meet(port, "bob"), await self.meet(port, "eve")
        await other.sees("-- now")
        await one.sees("eve joined")
        owner = await self.meet(port, "ada", f"/register {SECRET}", "/quit")
        await owner.ends()
        quiet = await self.latencies(one, other, seconds)
        before, threads = self.figures(server)
        storm = self.launch(
            *(sys.executable, "-m", "tests.live.storm"),
            *map(str, (port, addresses, rate, 1.5 * seconds)),
            env={"PYTHONPATH": str(ROOT)},
        )
        await storm.sees("begun\n")
        noisy: Deferred[list[float]] = Deferred.fromCoroutine(self.latencies(one, other, seconds))
        await deferLater(reactor, seconds / 4)
        begun = reactor.seconds()
        owner = await self.meet(port, f"/login ada {SECRET}")
        await owner.sees("-- you are logged in as ada", "-- you are ada in #lobby")
        waited = reactor.seconds() - begun
        loud = await bounded(noisy, lambda: "nobody hears anything")
        after, most = self.figures(server)
        # On a busy machine the owner may be in before the first of them has an answer.
        await storm.sees("answered\n")
        asked = (await storm.ends()).decode().strip()
        self.assertLess(after - before, 60)
        # One of the two was there to register ada.
        self.assertLessEqual(most - threads, 1)
        if isLong:
            p99 = [each[len(each) * 99 // 100] for each in (quiet, loud)]
            print(
                f"\n{asked};"
                f" p99 {p99[0]:.2f} ms quiet, {p99[1]:.2f} ms then (of {len(loud)});"
                f" the owner was in after {waited:.2f} s;"
                f" {after - before:.1f} MiB more, {most} threads"
            )
