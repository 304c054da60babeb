"""
Stopping the service with SIGTERM: what was accepted is delivered, everyone is told, and it is over
soon, whatever a peer does.
"""

from __future__ import annotations

import signal
import socket

from twisted.internet.error import ConnectionRefusedError
from twisted.internet.ssl import Certificate

from tests.live import inside
from tests.live.inside import HOST, Person
from tests.live.server import (
    DAEMON,
    HOWS,
    LEFT,
    Server,
    ServerCase,
    makeCertificate,
    together,
)

LOCAL = f"tcp:0:interface={HOST}"

#: What everyone is told.
GOODBYE = "! the server is shutting down"

#: Seconds within which the service has ended, whatever happens.
DEADLINE = 10.0


class StopCase(ServerCase):
    """Tests that stop the service."""

    async def over(self, server: Server) -> None:
        """It has been told to stop, and ends as twistd ends, in time."""
        self.patch(inside, "PATIENCE", DEADLINE)
        await server.ends()
        # A daemon's status is that of its parent, which has ended long ago.
        self.assertEqual(server.status, 0 if server.how == DAEMON else -signal.SIGTERM)
        self.assertNotIn("Traceback", server.log() + server.errors.decode())
        left = {path.name for path in server.folder.iterdir()}
        self.assertEqual(left - LEFT - {"mucs.toml", "key.pem", "cert.pem"}, set())

    async def begin(self, toml: str) -> tuple[Server, list[str]]:
        """Start a service with this file. @return: it, and its ports."""
        folder = self.folder()
        makeCertificate(folder, "localhost")
        (folder / "mucs.toml").write_text(toml)
        server = self.start("--config", "mucs.toml", folder=folder)
        return server, await server.begins(toml.count("[[listen]]"))


class OrderTests(StopCase):
    """In good order."""

    async def test_everyoneIsTold(self) -> None:
        """Also one who has not said a name; and that is the last that anyone sees."""

        async def one(how: str) -> None:
            server = self.start("--port", LOCAL, "--port", f"shh@{LOCAL}", how=how)
            port, other = await server.begins(2)
            ada = await self.meet(port, "ada")
            await ada.sees("-- now\r\n")
            bob = await self.meet(other)
            await bob.sees("join the room!")
            bob.sends(b"bob")
            await bob.sees("log out of the chat room.")
            await ada.sees("* bob joined\r\n")
            nobody = await self.meet(port)
            await nobody.sees("-- what is your name?\r\n")
            server.signals(signal.SIGTERM)
            self.assertEqual(await ada.ends(), f"{GOODBYE}\r\n".encode())
            self.assertEqual(await nobody.ends(), f"{GOODBYE}\r\n".encode())
            self.assertIn(GOODBYE.encode(), await bob.ends())
            await self.over(server)

        await together(*map(one, HOWS))

    async def test_nobodyIsThere(self) -> None:
        async def one(how: str) -> None:
            server = self.start("--port", LOCAL, how=how)
            [port] = await server.begins()
            # Before it runs, SIGTERM is not its own to handle; who is greeted knows that it runs.
            person = await self.meet(port, "ada", "/quit")
            await person.ends()
            server.signals(signal.SIGTERM)
            await self.over(server)

        await together(*map(one, HOWS))

    async def test_whatWaitsForItsTurnIsSaid(self) -> None:
        """Who said more than goes through at once has said it."""
        server, [port] = await self.begin(
            f"[limits]\nburst = 5\nrate = 0.01\n[[listen]]\nport = '{LOCAL}'\n"
        )
        bob = await self.meet(port, "bob")
        await bob.sees("-- now\r\n")
        # One segment, of which most waits.
        await self.meet(port, "ada", *(f"line {number}" for number in range(40)))
        await bob.sees("* ada joined\r\n", "ada: line 3\r\n")
        server.signals(signal.SIGTERM)
        rest = "".join(f"ada: line {number}\r\n" for number in range(4, 40))
        self.assertEqual(await bob.ends(), f"{rest}{GOODBYE}\r\n".encode())
        await self.over(server)

    async def test_whatIsPacedIsShown(self) -> None:
        """Who is sent to in batches gets them all."""
        for dialect, start, end in (("shh", "->", ""), ("cstring", "", "\0")):
            server = self.start("--port", LOCAL, "--port", f"{dialect}@{LOCAL}")
            port, paced = await server.begins(2)
            ada = await self.meet(port, "ada")
            await ada.sees("-- now\r\n")
            bob = await self.meet(paced)
            bob.sends(b"bob" + end.encode())
            await ada.sees("* bob joined\r\n")
            cyd = await self.meet(port, "cyd")
            await cyd.sees("-- now\r\n")
            lines = [f"line {number} {'.' * 50}" for number in range(40)]
            ada.says(*lines)
            await cyd.sees(f"ada: {lines[-1]}\r\n")
            server.signals(signal.SIGTERM)
            seen = (await bob.ends()).decode()
            # Between two lines stands a line end, or the end of a batch, which may be nothing.
            shown = seen[seen.index(f"{start}ada: ") :].replace("\0", "").replace("\n", "")
            self.assertEqual(shown, "".join(f"{start}ada: {line}" for line in lines) + GOODBYE)
            await self.over(server)

    async def test_theWaitingRoom(self) -> None:
        """Who waits for a seat is told, and not admitted to what is about to close."""
        server, [port] = await self.begin(f"[[listen]]\nport = '{LOCAL}'\nseats = 1\n")
        ada = await self.meet(port, "ada")
        await ada.sees("-- now\r\n")
        waiting = []
        for place in (1, 2, 3):
            person = await self.meet(port)
            await person.sees(f"You are number {place} in the queue.\r\n")
            waiting.append(person)
        server.signals(signal.SIGTERM)
        for person in (ada, *waiting):
            self.assertEqual(await person.ends(), f"{GOODBYE}\r\n".encode())
        await self.over(server)


class StubbornTests(StopCase):
    """With peers that do not help."""

    def deafen(self, person: Person) -> None:
        """Read nothing more, and let the kernel hold little of it."""
        person.transport.pauseProducing()
        wire = getattr(person.transport, "transport", person.transport)
        wire.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def test_theDeaf(self) -> None:
        """
        With much waiting for them, as they are, in a paced dialect, and over TLS.  Meanwhile
        nobody can come in any more.
        """
        server, [port, paced, encrypted, proxied] = await self.begin(
            "[limits]\nrate = 0\n"
            f"[[listen]]\nport = '{LOCAL}'\n"
            f"[[listen]]\nport = 'shh@{LOCAL}'\n"
            f"[[listen]]\nport = 'ssl:0:interface={HOST}:privateKey=key.pem:certKey=cert.pem'\n"
            f"[[listen]]\nport = 'haproxy:{LOCAL}'\n"
        )
        ada = await self.meet(port, "ada")
        await ada.sees("-- now\r\n")
        trust = Certificate.loadPEM((server.folder / "cert.pem").read_bytes())
        bob = await self.meet(port, "bob")
        await ada.sees("* bob joined\r\n")
        cyd = await self.meet(paced)
        cyd.sends(b"cyd")
        await ada.sees("* cyd joined\r\n")
        eve = await self.meet(encrypted, "eve", trust=trust)
        await ada.sees("* eve joined\r\n")
        for person in (bob, cyd, eve):
            self.deafen(person)
        # One in the middle of a handshake, and one whose proxy has not said who it is.
        (await self.meet(encrypted)).sends(b"\x16\x03\x01\x02\x00")
        (await self.meet(proxied)).sends(b"PROXY TCP4 192")
        loud = await self.meet(port, "loud")
        await loud.sees("-- now\r\n")
        # More than the kernel takes for anyone who does not read, which is some 4 MB.
        loud.says(*(f"{number} {'.' * 4000}" for number in range(1500)), "that was it")
        await ada.sees("loud: that was it\r\n")
        server.signals(signal.SIGTERM)
        await ada.ends()
        with self.assertRaises(ConnectionRefusedError):
            # The port closes a moment after the first goodbye; who comes in that moment is told.
            while True:
                late = await self.meet(port, patient=False)
                self.assertNotIn(b"what is your name", await late.ends())
        self.assertIsNone(server.status)
        await self.over(server)
