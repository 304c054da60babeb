"""
The ways in: every kind of endpoint, spoken to for real; and who is turned away at the door.
"""

from __future__ import annotations

import socket
import stat
import sys
from pathlib import Path

from twisted.internet import tcp

from tests.live.inside import HOST, LiveCase, Person, reactor
from tests.live.server import (
    FOREGROUND,
    HOWS,
    LEFT,
    ROOT,
    ServerCase,
    command,
    makeCertificate,
    together,
)

#: A free port of this machine, which nobody else reaches.
LOCAL = f"tcp:0:interface={HOST}"

#: What starts something as systemd does, which tells it its own process id.
PASSING = ["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh"]

GREETING = "-- welcome to MUCS\r\n-- what is your name?\r\n"


def header(host: str, port: int) -> bytes:
    """What a proxy says of a connection: PROXY protocol, version 1."""
    return f"PROXY TCP4 {host} 127.0.0.1 {port} 7000\r\n".encode()


class EndpointTests(ServerCase):
    """Each kind of endpoint can be talked over."""

    async def talks(self, person: Person, name: str = "ada") -> None:
        """Someone comes in, and is answered there."""
        await person.sees(GREETING)
        person.says(name, "/who")
        await person.sees(f"-- you are {name} in #lobby with ", "-- now\r\n", f"{name}\r\n")

    async def test_tcp(self) -> None:
        """In each way of starting it."""

        async def one(how: str) -> None:
            server = self.start("--port", LOCAL, how=how)
            [port] = await server.begins()
            await self.talks(await self.meet(port))
            await server.stops()

        await together(*map(one, HOWS))

    async def test_ssl(self) -> None:
        """Key and certificate in two files; the client checks both."""
        folder = self.folder()
        trust = makeCertificate(folder, "localhost")
        files = "privateKey=key.pem:certKey=cert.pem"
        server = self.start("--port", f"ssl:0:interface={HOST}:{files}", folder=folder)
        [port] = await server.begins()
        await self.talks(await self.meet(port, trust=trust))

    async def test_tls(self) -> None:
        """A folder of certificates, of which the client names one."""
        folder = self.folder()
        (folder / "one").mkdir()
        (folder / "two").mkdir()
        trust = makeCertificate(folder / "one", "localhost")
        makeCertificate(folder / "two", "elsewhere.example")
        server = self.start("--port", f"tls:.:0:interface={HOST}", folder=folder)
        [port] = await server.begins()
        await self.talks(await self.meet(port, trust=trust))

    async def test_unix(self) -> None:
        """The socket has the mode that was asked for, and is gone afterwards."""

        async def one(how: str) -> None:
            server = self.start("--port", "unix:s:mode=660", "--port", LOCAL, how=how)
            path, _ = await server.begins(2)
            place = server.folder / path
            self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o660)
            await self.talks(await self.person(place))
            await server.stops()
            left = {each.name for each in server.folder.iterdir()}
            self.assertEqual(left - LEFT, set())

        await together(*map(one, HOWS))

    async def test_haproxy(self) -> None:
        """People are known by the address that the proxy tells of, not by the proxy's."""
        server = self.start("--port", f"hithere@haproxy:{LOCAL}", "--port", LOCAL)
        proxy, port = await server.begins(2)
        bob = await self.meet(port, "bob")
        await bob.sees("-- now\r\n")
        far = await self.meet(proxy)
        far.sends(header("192.0.2.7", 5001))
        far.says("good evening")
        await bob.sees("* 192.0.2.7:5001 joined\r\n192.0.2.7:5001: good evening\r\n")
        other = await self.meet(proxy)
        # A header may come in pieces, and a word right behind it.
        whole = header("192.0.2.8", 5002)
        other.sends(whole[:20])
        other.sends(whole[20:] + b"hello\n")
        await bob.sees("192.0.2.8:5002: hello\r\n")
        await far.sees("Hi there, ~from server..!", "<[192.0.2.8] :5002> => hello\n")

    async def test_systemd(self) -> None:
        """A socket that someone else opened, and passes on as systemd does."""

        async def one(how: str) -> None:
            opened = socket.create_server((HOST, 0))
            self.addCleanup(opened.close)
            server = self.start(
                "--port",
                "systemd:domain=INET:name=mucs",
                how=how,
                argv=[*PASSING, *command(how)],
                env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "mucs"},
                descriptors=[opened.fileno()],
            )
            await server.begins()
            await self.talks(await self.meet(str(opened.getsockname()[1])))
            await server.stops()

        await together(*map(one, HOWS))

    async def test_systemdUnix(self) -> None:
        """Such a socket is trusted, as one that MUCS opens: its people have no addresses."""
        folder = self.folder()
        self.writeConfig(folder, "[limits]\naddress = 1\n")
        opened = socket.socket(socket.AF_UNIX)
        self.addCleanup(opened.close)
        opened.bind(str(folder / "s"))
        opened.listen()
        server = self.start(
            *("--config", "mucs.toml", "--port", "systemd:domain=UNIX:index=0"),
            argv=[*PASSING, *command(FOREGROUND)],
            env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "unknown"},
            descriptors=[opened.fileno()],
            folder=folder,
        )
        await server.begins()
        for name in ("ada", "bob"):
            await self.talks(await self.person(folder / "s"), name)

    async def test_severalFrontEndsFromTheCommandLine(self) -> None:
        """Everyone meets in the same room."""
        server = self.start("--port", LOCAL, "--port", f"shh@{LOCAL}", "--port", f"addr@{LOCAL}")
        await self.meetInOneRoom(*await server.begins(3))

    async def test_severalFrontEndsFromAFile(self) -> None:
        folder = self.folder()
        ports = (LOCAL, f"shh@{LOCAL}", f"addr@{LOCAL}")
        self.writeConfig(folder, "".join(f"[[listen]]\nport = '{port}'\n" for port in ports))
        server = self.start("--config", "mucs.toml", folder=folder)
        await self.meetInOneRoom(*await server.begins(3))

    async def meetInOneRoom(self, native: str, shh: str, addr: str) -> None:
        ada = await self.meet(native, "ada")
        await ada.sees("-- now\r\n")
        bob = await self.meet(shh)
        await bob.sees("Welcome to SHH Chat server, enter your name and join the room!")
        bob.sends(b"bob")
        await ada.sees("* bob joined\r\n")
        eve = await self.meet(addr)
        await eve.sees("Welcome to this chatroom.")
        await ada.sees(" joined\r\n")
        bob.sends(b"hello")
        await ada.sees("bob: hello\r\n")
        await eve.sees("('bob'): hello\n")
        ada.says("hello yourself")
        await bob.sees("->ada: hello yourself")

    async def test_portsReplaceThoseOfTheFile(self) -> None:
        """All of them; the rest of the file counts."""
        folder = self.folder()
        ports = (f"addr@{LOCAL}", f"shh@{LOCAL}")
        listens = "".join(f"[[listen]]\nport = '{port}'\n" for port in ports)
        self.writeConfig(folder, f"name = 'Harbour'\n{listens}")
        server = self.start("--config", "mucs.toml", "--port", LOCAL, folder=folder)
        [port] = await server.begins()
        person = await self.meet(port)
        await person.sees("-- welcome to Harbour\r\n")

    async def test_theMotd(self) -> None:
        """The one that MUCS comes with is shown to who joins."""
        motd = ROOT / "etc" / "motd"
        server = self.start("--port", LOCAL, "--motd", str(motd))
        [port] = await server.begins()
        person = await self.meet(port, "ada")
        lines = [f"-- {line}\r\n" for line in motd.read_text().splitlines()]
        self.assertGreater(len(lines), 1)
        await person.sees(
            "/quit leaves\r\n" + "".join(lines) + "-- if you lose the line", "-- now\r\n"
        )

    def writeConfig(self, folder: Path, toml: str) -> None:
        (folder / "mucs.toml").write_text(toml)


class DoorTests(ServerCase):
    """Who is turned away, and who is not."""

    async def begin(self, toml: str, *ports: str) -> list[str]:
        """Start a service with this file. @return: its ports."""
        folder = self.folder()
        (folder / "mucs.toml").write_text(toml)
        server = self.start("--config", "mucs.toml", folder=folder)
        return await server.begins(toml.count("[[listen]]"))

    async def test_tooManyFromOneAddress(self) -> None:
        """One more than may be gets one line and is closed; nobody else notices."""
        port, trusted = await self.begin(
            "[limits]\naddress = 3\n"
            f"[[listen]]\nport = '{LOCAL}'\ntrusted = false\n[[listen]]\nport = '{LOCAL}'\n"
        )
        names = ("ada", "bob", "cyd")
        people = []
        for name in names:
            person = await self.meet(port, name)
            await person.sees("-- now\r\n")
            people.append(person)
        ada, bob, cyd = people
        for _ in range(3):
            more = await self.meet(port)
            self.assertEqual(
                await more.ends(), b"! there are 3 connections from your address already\r\n"
            )
        ada.says("are you there?")
        await bob.sees("ada: are you there?\r\n")
        await cyd.sees("ada: are you there?\r\n")
        # Where people are trusted nobody counts them,
        for _ in range(5):
            more = await self.meet(trusted)
            await more.sees(GREETING)
        # and who leaves makes room.
        cyd.says("/quit")
        await cyd.ends()
        await ada.sees("* cyd left\r\n")
        again = await self.meet(port, "cyd")
        await again.sees("-- now\r\n")

    async def test_tooManyFromOneAddressBehindAProxy(self) -> None:
        """The address that the proxy tells of is what counts, even for a proxy on this machine."""
        [port] = await self.begin(f"[limits]\naddress = 2\n[[listen]]\nport = 'haproxy:{LOCAL}'\n")
        near = []
        for name in ("ada", "bob"):
            person = await self.meet(port)
            person.sends(header("192.0.2.1", 5000) + f"{name}\n".encode())
            await person.sees("-- now\r\n")
            near.append(person)
        third = await self.meet(port)
        third.sends(header("192.0.2.1", 5002) + b"cyd\n")
        self.assertIn(b"! there are 2 connections from your address already", await third.ends())
        far = await self.meet(port)
        far.sends(header("192.0.2.2", 5000) + b"eve\n")
        await far.sees("-- you are eve in #lobby with ada, bob;", "-- now\r\n")
        await near[0].sees("* eve joined\r\n")

    async def test_whoSaysNothing(self) -> None:
        """After a while the connection is closed, with a line; one in a waiting room is not."""
        port, small = await self.begin(
            f"[limits]\nnaming = 0.5\n[[listen]]\nport = '{LOCAL}'\n"
            f"[[listen]]\nport = '{LOCAL}'\nseats = 1\n"
        )
        ada = await self.meet(small, "ada")
        await ada.sees("-- now\r\n")
        waiting = await self.meet(small)
        await waiting.sees("You are number 1 in the queue.")
        # Whoever comes later and is closed shows that the time of the one who waits is up as well.
        silent = await self.meet(port)
        self.assertEqual(
            await silent.ends(), f"{GREETING}! no name was given in 0.5 s\r\n".encode()
        )
        waiting.says("hello?")
        await waiting.sees("You are number 1 in the queue.")
        # It begins on admission.
        ada.says("/quit")
        await waiting.sees(GREETING)
        self.assertIn(b"! no name was given in 0.5 s\r\n", await waiting.ends())


class SocketTests(LiveCase):
    """How the service tunes the sockets that it accepts."""

    def accepted(self) -> list[tcp.Server]:
        """The connections that listeners of this process have accepted."""
        return [each for each in reactor.getReaders() if isinstance(each, tcp.Server)]

    async def tuned(self, port: str) -> None:
        place = self.serve(port)
        person = await self.person(place.port())
        await person.sees("elcome to ")
        [connection] = self.accepted()
        self.assertTrue(connection.getTcpNoDelay())
        self.assertTrue(connection.getTcpKeepAlive())
        if sys.platform == "linux":
            for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_USER_TIMEOUT, 60_000)):
                set_ = connection.socket.getsockopt(socket.IPPROTO_TCP, option)
                self.assertEqual(set_, value)

    async def test_tcp(self) -> None:
        """Small things go out at once, and a peer that is gone is noticed."""
        await self.tuned(LOCAL)

    async def test_paced(self) -> None:
        await self.tuned(f"shh@{LOCAL}")

    async def test_haproxy(self) -> None:
        """The socket below the wrapping is tuned as any other."""
        await self.tuned(f"haproxy:{LOCAL}")

    async def test_unix(self) -> None:
        """There is nothing to tune."""
        path = self.folder() / "s"
        self.serve(f"unix:{path}")
        person = await self.person(path)
        await person.sees(GREETING)
