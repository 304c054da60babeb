"""
Those who connect and do nothing, and more of them than there is room for: on real sockets, at
listeners that trust nobody.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from tests.live.inside import Person, reactor
from tests.live.server import (
    FOREGROUND,
    Server,
    ServerCase,
    command,
    makeCertificate,
    together,
)

LOCAL = "tcp:0:interface=127.0.0.1"
TLS = "ssl:0:interface=127.0.0.1:privateKey=key.pem:certKey=cert.pem"

FULL = b"! the server has as many connections as it can; try again later\r\n"


def hello() -> bytes:
    """The first thing that somebody sends who speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("nobody has answered")


class DoorCase(ServerCase):
    async def begin(self, limits: str, files: int = 0) -> tuple[Server, list[str]]:
        """
        Start a service with a port for TCP and one for TLS, both not trusted.

        @param limits: as they stand in the file.
        @param files: how many files it may have open, if not as many as we.
        """
        folder = self.folder()
        self.trust = makeCertificate(folder, "localhost")
        listens = "".join(
            f"[[listen]]\nport = '{port}'\ntrusted = false\n" for port in (LOCAL, TLS)
        )
        (folder / "mucs.toml").write_text(f"[limits]\n{limits}\n{listens}")
        argv = command(FOREGROUND)
        if files:
            argv = ["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *argv]
        server = self.start("--config", "mucs.toml", folder=folder, argv=argv)
        return server, await server.begins(2)

    async def crowd(self, port: str, count: int, *says: bytes) -> list[Person]:
        """Many connect, some at a time, and say one of these each, in turn."""
        people: list[Person] = []
        while len(people) < count:
            more = min(25, count - len(people))
            people += await together(*(self.meet(port) for _ in range(more)))
        for at, person in enumerate(people):
            person.sends(says[at % len(says)])
        return people



class SilentTests(DoorCase):
    """A thousand, of whom half are in the middle of a TLS handshake."""

    async def test_allAreGoneAndNobodyWaitsForThem(self) -> None:
        """Somebody new comes in and is heard while they are there; then their time is up."""
        _, (plain, sealed) = await self.begin("naming = 4\naddress = 0\narrivals = 0")
        opening = hello()
        silent = await self.crowd(plain, 500, b"", b"\xff\xfd\x01")
        silent += await self.crowd(sealed, 500, b"", opening[:100], opening, b"\x16\x03")
        begun = reactor.seconds()
        ada = await self.meet(plain, "ada")
        await ada.sees("-- now\r\n")
        bob = await self.meet(plain, "bob", "hello")
        await ada.sees("bob: hello\r\n")
        took = reactor.seconds() - begun
        self.assertEqual([person for person in silent if person.isOver()], [])
        for person in silent[:500]:
            self.assertIn(b"! no name was given in 4 s\r\n", await person.ends())
        for person in silent[500:]:
            await person.ends()
        bob.says("still here")
        await ada.sees("bob: still here\r\n")
        if os.environ.get("MUCS_LONG"):
            self.assertLess(took, 1)


class FullTests(DoorCase):
    """More than there may be."""

    #: Files that the server may have open; 64 of them are not for connections.
    FILES = 164

    def used(self, server: Server) -> int:
        """How many files the server has open."""
        return len(list(Path(f"/proc/{server.transport.pid}/fd").iterdir()))

    async def test_descriptorsAreKeptForTheLog(self) -> None:
        """
        Whoever is over the limit is told so and closed; those who are in are served, and what they
        say is stored, however many stand before the door, also in the middle of a handshake.
        """
        server, (plain, sealed) = await self.begin("address = 0\narrivals = 0", self.FILES)
        ada, bob = [await self.meet(plain, name) for name in ("ada", "bob")]
        for person in (ada, bob):
            await person.sees("-- now\r\n")
        inside = await self.crowd(plain, self.FILES - 64 - 2, b"")
        for person in inside:
            await person.sees("-- what is your name?\r\n")
        for person in await self.crowd(plain, 100, b""):
            self.assertEqual(await person.ends(), FULL)
        # By TLS the same, once its handshake is done.
        sealing = await self.meet(sealed, trust=self.trust)
        self.assertEqual(await sealing.ends(), FULL)
        opening = hello()
        pending = await self.crowd(sealed, 300, b"", opening[:100], opening)
        ada.says("hello", "/join garden", "hello there", "/history 1")
        await bob.sees("ada: hello\r\n")
        await ada.sees("ada: hello there\r\n", "-- that was it")
        self.assertLess(self.used(server), self.FILES - 16)
        for person in pending:
            await person.ends()
        for person in inside:
            self.assertFalse(person.isOver())
        inside.pop().transport.loseConnection()
        bob.says("/who garden")
        await bob.sees("#garden has 1 in it")
        cyd = await self.meet(plain, "cyd")
        await cyd.sees("-- now\r\n")
        self.assertNotIn("Too many open files", server.log())
