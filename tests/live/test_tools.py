"""
What people have at hand: netcat, telnet, openssl, a few lines of Python; and how they go.

Of OpenBSD's netcat, which is Debian's C{nc}, at the end of its input:

C{nc HOST PORT}
    does nothing: it stays connected, shows what comes, and goes when it is interrupted.  All lines
    are said at once, but for a last one without its end: that is said when netcat goes.
C{nc -N HOST PORT}
    closes its sending side.  MUCS then does what still waits, announces the leaving and closes;
    netcat shows what comes until then and ends by itself.  A last line without its end counts.
C{nc -q 1 HOST PORT}
    does the same, for -q implies -N, but ends no sooner than a second later; with -q 0 at once,
    and then may not show what comes last.
C{nc -w 1 HOST PORT}
    ends after a second in which nothing came, in either direction: also while its user thinks.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from shutil import which
from signal import SIGINT, SIGTERM

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest

from tests.live.inside import HOST, PATIENCE, LiveCase, Person, Place, Program, bounded

SAY_HELLO = r"printf 'ada\nhello\n'"
NATIVE = "tcp:0"
WELCOME = "-- welcome to MUCS\r\n-- what is your name?\r\n"
HELP = "/help lists commands, /quit leaves\r\n"
CAME_AND_WENT = b"* ada joined\r\nada: hello\r\n* ada left\r\n"


class ToolCase(LiveCase):
    """A test with a service, and with someone who watches."""

    async def watched(self, *ports: str) -> tuple[Place, Person]:
        """A service, and a bystander called C{bob} in it."""
        place = self.serve(*(ports or (NATIVE,)))
        return place, await self.bystander(place)

    async def bystander(self, place: Place) -> Person:
        """Someone who is in, and watches."""
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        return bob

    def shell(self, line: str) -> Program:
        """Run a line of shell."""
        return self.launch("sh", "-c", line)


class NetcatTests(ToolCase):
    """C{nc}."""

    def setUp(self) -> None:
        if which("nc") is None or b"OpenBSD" not in self.help():
            raise SkipTest("there is no OpenBSD netcat here")

    def help(self) -> bytes:
        """What netcat says of itself."""
        return subprocess.run(["nc", "-h"], capture_output=True).stderr

    async def test_onceAndAgain(self) -> None:
        """
        C{printf 'ada\\nhello\\n' | nc -N HOST PORT} says hello, leaves in good order and ends by
        itself, fifty times in a row.
        """
        place, bob = await self.watched()
        for _ in range(50):
            nc = self.shell(f"{SAY_HELLO} | nc -N {HOST} {place.port()}")
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
            shown = (await nc.ends()).decode()
            self.assertEqual(nc.status, 0)
            self.assertTrue(shown.startswith(WELCOME), shown)
            self.assertIn(f"-- you are ada in #lobby with bob; {HELP}", shown)
            self.assertTrue(shown.endswith("-- now\r\n"), shown)

    async def test_lastLineWithoutEnd(self) -> None:
        """A last line that has no end counts, be it what is said, a command or the name."""
        place, bob = await self.watched()
        await self.shell(f"printf 'ada\\nhello' | nc -N {HOST} {place.port()}").ends()
        self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
        await self.shell(f"printf 'ada\\n/me waves' | nc -N {HOST} {place.port()}").ends()
        await bob.sees("* ada joined\r\n* ada waves\r\n* ada left\r\n")
        await self.shell(f"printf ada | nc -N {HOST} {place.port()}").ends()
        await bob.sees("* ada joined\r\n* ada left\r\n")

    async def test_unixSocket(self) -> None:
        """It is the same through a UNIX socket."""
        path = self.folder() / "mucs.sock"
        place, bob = await self.watched(NATIVE, f"unix:{path}:mode=660")
        nc = self.shell(f"{SAY_HELLO} | nc -N -U {path}")
        self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
        self.assertIn(b"-- you are ada in #lobby with bob; ", await nc.ends())
        self.assertEqual(nc.status, 0)

    async def test_withoutOptions(self) -> None:
        """
        C{nc HOST PORT} stays when its input has ended, and goes when it is interrupted.
        """
        place, bob = await self.watched()
        nc = self.launch("nc", HOST, str(place.port()))
        nc.types("ada", "hello")
        nc.gives(b"no end")
        nc.closes()
        await bob.sees("* ada joined\r\nada: hello\r\n")
        bob.says("are you there?")
        await nc.sees("bob: are you there?\r\n")
        self.assertIs(nc.status, None)
        nc.signals(SIGINT)
        self.assertEqual(await bob.sees("* ada left"), b"ada: no end\r\n* ada left")
        await nc.ends()
        self.assertEqual(nc.status, -SIGINT)

    async def test_quitAfter(self) -> None:
        """C{nc -q 1 HOST PORT}, for those whose fingers know it, leaves at once."""
        place, bob = await self.watched()
        nc = self.shell(f"{SAY_HELLO} | nc -q 1 {HOST} {place.port()}")
        self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
        await nc.sees("-- now\r\n")

    async def test_quits(self) -> None:
        """C{!q} closes the connection, and any netcat ends with that."""
        place, bob = await self.watched()
        nc = self.shell(f"printf 'ada\\nhello\\n!q\\n' | nc {HOST} {place.port()}")
        self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
        await nc.ends()
        self.assertEqual(nc.status, 0)

    async def test_otherDialects(self) -> None:
        """Someone with netcat is at home in every dialect, too."""
        place, bob = await self.watched(
            NATIVE, "cstring@tcp:0", "shh@tcp:0", "hithere@tcp:0", "fiveseat@tcp:0", "addr@tcp:0"
        )
        for at in (1, 2, 4):
            nc = self.shell(f"{SAY_HELLO} | nc -N {HOST} {place.port(at)}")
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
            await nc.ends()
            self.assertEqual(nc.status, 0)
        for at in (3, 5):
            nc = self.shell(f"printf 'hello\\n' | nc -N {HOST} {place.port(at)}")
            await bob.sees(f"* {HOST}:")
            shown = (await bob.sees(" left\r\n")).decode()
            self.assertRegex(shown, rf"^(\d+) joined\r\n{HOST}:\1: hello\r\n\* {HOST}:\1 left\r\n$")
            await nc.ends()
            self.assertEqual(nc.status, 0)


class TelnetTests(ToolCase):
    """C{telnet}, at a terminal of its own."""

    async def telnet(self, place: Place) -> Program:
        """Someone with telnet, who is asked for a name."""
        telnet = self.launch("telnet", HOST, str(place.port()), terminal=True)
        await telnet.sees("Escape character is", WELCOME)
        return telnet

    async def test_talk(self) -> None:
        """Someone joins, speaks and sees others speak, and quits."""
        place, bob = await self.watched()
        telnet = await self.telnet(place)
        telnet.gives(b"ada\r")
        await telnet.sees("-- you are ada in #lobby with bob", "-- now\r\n")
        telnet.gives("hell\u00f6\r".encode())
        await bob.sees("* ada joined\r\nada: hell\u00f6\r\n")
        bob.says("good m\u00f6rning")
        await telnet.sees("bob: good m\u00f6rning\r\n")
        telnet.gives(b"/quit\r")
        await bob.sees("* ada left\r\n")
        await telnet.sees("Connection closed by foreign host.")
        await telnet.ends()

    async def test_interrupt(self) -> None:
        """
        C{^C} is a command in the midst of the text, which nobody sees; what is typed after it
        everyone does.  With it comes a mark; telnet shows nothing before that is answered.
        """
        place, bob = await self.watched()
        telnet = await self.telnet(place)
        telnet.gives(b"ada\r")
        await telnet.sees("-- now\r\n")
        for number in range(3):
            telnet.gives(b"\x03")
            telnet.gives(f"hello {number}\r".encode())
            await bob.sees(f"ada: hello {number}\r\n")
            bob.says(f"and hello {number}")
            await telnet.sees(f"bob: and hello {number}\r\n")
        self.assertEqual(
            bob.lines()[5:],
            ["* ada joined", "ada: hello 0", "ada: hello 1", "ada: hello 2", ""],
        )

    async def test_options(self) -> None:
        """What telnet asks for is refused, and talk goes on; nothing of it is seen."""
        place, bob = await self.watched()
        telnet = await self.telnet(place)
        telnet.gives(b"ada\r")
        await telnet.sees("-- now\r\n")
        for command in (
            b"send do echo",
            b"send will naws",
            b"send do 201",
            b"send ayt",
            b"send nop",
            b"send brk",
            b"send synch",
            b"toggle crlf",
        ):
            telnet.gives(b"\x1d")
            await telnet.sees("telnet>")
            telnet.gives(command + b"\r")
            telnet.gives(b"after " + command + b"\r")
            await bob.sees(b"ada: after " + command + b"\r\n")
        self.assertEqual(
            [line for line in bob.lines()[6:] if not line.startswith("ada: after ")], [""]
        )

    async def test_leaves(self) -> None:
        """Telnet's own way out, and the end of its terminal."""
        place, bob = await self.watched()
        telnet = await self.telnet(place)
        telnet.gives(b"ada\r")
        await bob.sees("* ada joined\r\n")
        telnet.gives(b"\x1d")
        await telnet.sees("telnet>")
        telnet.gives(b"quit\r")
        await bob.sees("* ada left\r\n")
        other = await self.telnet(place)
        other.gives(b"eve\r")
        await bob.sees("* eve joined\r\n")
        other.signals(SIGTERM)
        await bob.sees("* eve left\r\n")


class TlsTests(ToolCase):
    """Over TLS."""

    async def secret(self) -> tuple[Place, Person, Path]:
        """A service with a TLS port, its second; someone who watches; and the certificate."""
        if which("openssl") is None:
            raise SkipTest("there is no openssl here")
        folder = self.folder()
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        argv = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        subject = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST}"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*argv.split(), *subject, *files], check=True, capture_output=True)
        place, bob = await self.watched(
            NATIVE, f"ssl:0:interface={HOST}:privateKey={key}:certKey={certificate}"
        )
        return place, bob, certificate

    async def test_openssl(self) -> None:
        """C{openssl s_client -quiet -no_ign_eof}, fed by a pipe, loses nothing."""
        place, bob, _ = await self.secret()
        for _ in range(5):
            client = self.shell(
                f"{SAY_HELLO} | openssl s_client -quiet -no_ign_eof -connect {HOST}:{place.port(1)}"
            )
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)
            await client.ends()

    async def test_opensslStays(self) -> None:
        """C{openssl s_client -quiet} alone stays when its input ends, until it is quit."""
        place, bob, _ = await self.secret()
        client = self.launch("openssl", "s_client", "-quiet", "-connect", f"{HOST}:{place.port(1)}")
        client.types("ada", "hello")
        await bob.sees("* ada joined\r\nada: hello\r\n")
        bob.says("hello ada")
        await client.sees("bob: hello ada\r\n")
        client.types("/quit")
        await client.ends()
        await bob.sees("* ada left\r\n")

    async def test_python(self) -> None:
        """
        A client that closes TLS in good order: all that it said counts, its last line without
        an end too.
        """
        place, bob, certificate = await self.secret()
        context = ssl.create_default_context(cafile=str(certificate))

        def talk() -> None:
            with self.wrapped(place, context) as wrapped:
                wrapped.sendall(b"ada\n")
                shown = b""
                while not shown.endswith(b"-- now\r\n"):
                    shown += wrapped.recv(1024)
                wrapped.sendall(b"hello")
                wrapped.unwrap().close()

        for _ in range(5):
            await bounded(deferToThread(talk), lambda: "the client does not end")
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)

    async def test_pythonInDisorder(self) -> None:
        """One that just closes, what it was sent unread, has said the lines that it ended."""
        place, bob, certificate = await self.secret()
        context = ssl.create_default_context(cafile=str(certificate))

        def talk() -> None:
            with self.wrapped(place, context) as wrapped:
                wrapped.sendall(b"ada\nhello\n")

        for _ in range(5):
            await bounded(deferToThread(talk), lambda: "the client does not end")
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)

    def wrapped(self, place: Place, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection to the TLS port; it blocks."""
        plug = socket.create_connection((HOST, place.port(1)), timeout=PATIENCE)
        return context.wrap_socket(plug, server_hostname=HOST)

    async def test_noTls(self) -> None:
        """Someone who speaks no TLS to that port is closed, and nobody sees anything of it."""
        place, bob, _ = await self.secret()
        eve = await self.person(place.port(1), "eve", "this is no TLS")
        await eve.ends()
        bob.says("/who")
        await bob.sees("-- #lobby has 1 in it: bob\r\n")
        self.assertEqual(bob.lines()[5:], ["-- #lobby has 1 in it: bob", ""])


class PlugTests(ToolCase):
    """Plain sockets that come and go as they like."""

    async def greeted(self, place: Place) -> socket.socket:
        """A socket in which the greeting waits."""
        plug = self.plug(place.port())
        plug.setblocking(False)
        while True:
            await self.turn()
            try:
                waiting = plug.recv(1024, socket.MSG_PEEK)
            except BlockingIOError:
                continue
            if waiting == WELCOME.encode():
                plug.setblocking(True)
                return plug

    def resets(self, plug: socket.socket) -> None:
        """Close a connection so that the other side sees a reset."""
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plug.close()

    async def test_closesAtOnce(self) -> None:
        """Who sends and closes, before having been greeted even, has said it."""
        place, bob = await self.watched()
        for _ in range(10):
            plug = self.plug(place.port())
            plug.sendall(b"ada\nhello\n")
            plug.close()
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)

    async def test_closesUnread(self) -> None:
        """
        So has who closes and has not read the greeting: that is a reset, behind what was said.
        """
        place, bob = await self.watched()
        for _ in range(10):
            plug = await self.greeted(place)
            plug.sendall(b"ada\nhello\n")
            plug.close()
            self.assertEqual(await bob.sees("* ada left\r\n"), CAME_AND_WENT)

    async def test_oneByteAtATime(self) -> None:
        """It is all the same to come byte by byte."""
        place, bob = await self.watched()
        plug = self.plug(place.port())
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in "ada\nhell\u00f6 \U0001f44b\n/me waves\r\n!q\n".encode():
            plug.send(bytes((byte,)))
            await self.turn()
        await bob.sees("* ada joined\r\nada: hell\u00f6 \U0001f44b\r\n")
        await bob.sees("* ada waves\r\n* ada left\r\n")

    async def test_returns(self) -> None:
        """A line may end as in telnet, with CR NUL, or with CR LF, or with LF."""
        place, bob = await self.watched()
        plug = self.plug(place.port())
        for piece in (b"ada\r\0one\r\0two\r\nthree\n", b"four\r", b"\0five\r", b"\nsix\r"):
            plug.sendall(piece)
            await self.turn()
        plug.shutdown(socket.SHUT_WR)
        await bob.sees("* ada joined\r\n")
        words = ("one", "two", "three", "four", "five", "six")
        said = "".join(f"ada: {word}\r\n" for word in words)
        self.assertEqual(await bob.sees("* ada left"), f"{said}* ada left".encode())

    async def test_resetInALine(self) -> None:
        """Who is gone in the middle of a line has not said it."""
        place, bob = await self.watched()
        plug = self.plug(place.port())
        plug.sendall(b"ada\nhello\nthis is not")
        await bob.sees("* ada joined\r\nada: hello\r\n")
        self.resets(plug)
        self.assertEqual(await bob.sees("* ada left"), b"* ada left")

    async def test_neverReads(self) -> None:
        """One who reads nothing holds up nobody, and may speak."""
        place, bob = await self.watched()
        plug = self.plug(place.port())
        plug.sendall(b"ada\n")
        await bob.sees("* ada joined\r\n")
        eve = await self.person(place.port(), "eve")
        await eve.sees("-- now\r\n")
        for number in range(40):
            eve.says(f"{number} " + "x" * 4000)
        await bob.sees("39 xxx", "x\r\n")
        plug.sendall(b"can you hear me?\n")
        await bob.sees("ada: can you hear me?\r\n")
        await eve.sees("ada: can you hear me?\r\n")

    async def test_readsSlowly(self) -> None:
        """
        One who reads a little now and then gets all of it in the end: every line whole, and in
        its order.
        """
        path = self.folder() / "mucs.sock"
        # A UNIX socket, of which the system keeps 200 KB and not 4 MB.
        place = self.serve(NATIVE, f"unix:{path}:mode=660", toml="[limits]\nrate = 0\n")
        bob = await self.bystander(place)
        ada = socket.socket(socket.AF_UNIX)
        self.addCleanup(ada.close)
        ada.connect(str(path))
        ada.setblocking(False)
        ada.sendall(b"ada\n")
        await bob.sees("* ada joined\r\n")
        seen = bytearray()

        def reads(size: int) -> None:
            with contextlib.suppress(BlockingIOError):
                seen.extend(ada.recv(size))

        count, filling = 600, "x" * 2000
        for number in range(0, count, 6):
            bob.says(*(f"{each} {filling}" for each in range(number, number + 6)))
            for _ in range(4):
                await self.turn()
                reads(1500)
        bob.says("over")
        while not seen.endswith(b"bob: over\r\n"):
            await self.turn()
            reads(65536)
        lines = seen.decode().split("\r\n")
        said = lines[lines.index("-- now") + 1 : -2]
        self.assertEqual([line.split()[1] for line in said], [str(each) for each in range(count)])
        self.assertEqual({line[line.index("x") :] for line in said}, {filling})

    async def test_twentyVanish(self) -> None:
        """
        Twenty who join, say one thing and vanish at once: everyone else sees each of them come,
        speak and leave, once and in this order.
        """
        place, bob = await self.watched()
        eve = await self.person(place.port(), "eve")
        await bob.sees("* eve joined\r\n")
        await eve.sees("-- now\r\n")
        plugs = [await self.greeted(place) for _ in range(20)]
        for number, plug in enumerate(plugs):
            plug.sendall(f"guest {number}\nI am {number}\n".encode())
        for plug in plugs:
            plug.close()
        names = [f"guest {number}" for number in range(20)]
        for watcher in (bob, eve):
            start = len(watcher.seen) - len(watcher.rest())
            while watcher.seen.count(b" left\r\n", start) < 20:
                await watcher.sees(" left\r\n")
            lines = watcher.seen[start:].decode().split("\r\n")[:-1]
            self.assertEqual(len(lines), 60, lines)
            for number, name in enumerate(names):
                mine = [line for line in lines if re.search(rf"\b{name}\b", line)]
                self.assertEqual(
                    mine, [f"* {name} joined", f"{name}: I am {number}", f"* {name} left"]
                )
        # The two saw the same, in the same order.
        self.assertEqual(bob.lines()[-61:], eve.lines()[-61:])
