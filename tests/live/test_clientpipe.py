"""
The line client without a terminal: in a pipe, as a source of events, with a server that is not
there, or not the one that was expected.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from signal import SIGHUP, SIGTERM
from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint

from tests.live.inside import HOST, Place, Program, reactor
from tests.live.server import makeCertificate, together
from tests.live.servers import Rubbish, factory
from tests.live.terminal import TerminalCase


class PipeCase(TerminalCase):
    """A test with the client in pipes."""

    def script(self, *options: str, **env: str) -> Program:
        """Start the client; its stdin is a pipe."""
        argv = (sys.executable, "-m", "mucs.client", *options)
        return self.launch(*argv, env={**self.environment(), **env})

    async def says(self, lines: str, *options: str, **env: str) -> tuple[int | None, str]:
        """Give it lines. @return: its exit code, and all it wrote."""
        script = self.script(*options, **env)
        script.gives(lines.encode())
        script.closes()
        return await self.ended(script)

    async def ended(self, script: Program) -> tuple[int | None, str]:
        await script.ends()
        return script.status, script.seen.decode()

    async def listens(self, greeting: bytes, answer: bytes = b"") -> Any:
        """A server that says this, whatever it is told."""
        server = factory(Rubbish, greeting, answer)
        listening = await TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(server)
        self.addCleanup(listening.stopListening)
        self.addCleanup(lambda: [each.transport.abortConnection() for each in server.people])
        self.where = f"{HOST}:{listening.getHost().port}"
        return server


class SayTests(PipeCase):
    """C{echo 'build passed' | mucs --name ci --room builds host}."""

    def serves(self, **rest: Any) -> Place:
        place = self.serve("tcp:0", **rest)
        self.where = f"{HOST}:{place.port()}"
        return place

    async def test_itIsStored(self) -> None:
        """It ends when the server has said so, silently, with 0; everyone there has seen it."""
        place = self.serves()
        bob = await self.person(place.port(), "bob", "/join builds")
        await bob.sees("#builds", "-- now\r\n")
        lines = "build passed\n\n  indented\n//not a command\nlast without an end"
        code, wrote = await self.says(lines, "--name", "ci", "--room", "#builds", self.where)
        self.assertEqual((code, wrote), (0, ""))
        await bob.sees(
            "* ci joined\r\nci: build passed\r\nci:   indented\r\n"
            "ci: /not a command\r\nci: last without an end\r\n* ci left\r\n"
        )

    async def test_manyLines(self) -> None:
        """More than are under way at a time, and than may be said at once: all, in their order."""
        place = self.serves(toml="[limits]\nrate = 0\n")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        lines = [f"line {number}" for number in range(1000)]
        code, wrote = await self.says("\n".join(lines), "--name", "ci", self.where)
        self.assertEqual((code, wrote), (0, ""))
        await bob.sees("* ci left\r\n")
        said = [line[4:] for line in bob.lines() if line.startswith("ci: ")]
        self.assertEqual(said, lines)

    async def test_notStored(self) -> None:
        """What is refused is said on stderr, with the reason, and the rest is stored."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        script = self.script("--name", "ci", self.where)
        script.gives(b"before\n/nosuch thing\n" + b"x" * 5000 + b"\ncaf\xe9\nafter\n")
        script.closes()
        code, wrote = await self.ended(script)
        self.assertEqual(code, 6)
        self.assertEqual(len(wrote.splitlines()), 3)
        self.assertIn("mucs: that was no UTF-8, and is not said\n", wrote)
        self.assertIn("mucs: there is no command /nosuch", wrote)
        self.assertIn("mucs: a line has at most 4096 bytes: xxx", wrote)
        await bob.sees("ci: before\r\nci: after\r\n* ci left\r\n")

    async def test_nameTaken(self) -> None:
        """Nobody is there to choose another."""
        place = self.serves()
        bob = await self.person(place.port(), "ci")
        await bob.sees("-- now\r\n")
        code, wrote = await self.says("hello\n", "--name", "ci", self.where)
        self.assertEqual(code, 5)
        self.assertIn("mucs: the server refuses: the name ci is taken; choose another", wrote)

    async def test_neverAcknowledged(self) -> None:
        """A server that lets one in, and never reads: more than the kernel takes is said to it."""
        greeting = b'{"welcome":"x"}\n{"entered":"lobby","name":"ci"}\n{"now":"lobby","seq":1}\n'
        server = await self.listens(greeting)
        server.protocol.reads = False
        options = ("--name", "ci", "--give-up", "0.5", self.where)
        code, wrote = await self.says(f"{'x' * 4000}\n" * 2000, *options)
        self.assertEqual(code, 6)
        self.assertIn("mucs: no answer for 0.5 s; 200 of the lines may not be stored\n", wrote)
        self.assertEqual(server.got, [])

    async def test_plain(self) -> None:
        """C{--plain} says what comes in a pipe too, though that ends before there is a line."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        code, wrote = await self.says("hello\n", "--plain", "--name", "ci", self.where)
        self.assertEqual(code, 0, wrote)
        await bob.sees("* ci joined\r\nci: hello\r\n* ci left\r\n")

    async def test_unixSocket(self) -> None:
        """The same by a UNIX socket; one that is not there is said to be."""
        path = self.folder() / "mucs.sock"
        self.serve(f"unix:{path}")
        self.assertEqual(await self.says("hello\n", "--name", "ci", f"unix:{path}"), (0, ""))
        code, wrote = await self.says("hello\n", "--name", "ci", f"unix:{path}.not")
        self.assertEqual(code, 3)
        self.assertIn("No such file or directory", wrote)


class AccountTests(PipeCase):
    """Someone who has an account on the server."""

    async def test_login(self) -> None:
        """With the password one is in as oneself; without it, or with a wrong one, not."""
        place = self.serve("tcp:0")
        owner = await self.person(place.port(), "ada", "/register of the mothers")
        await owner.sees("-- now\r\n", "-- ")
        owner.says("/quit")
        await owner.ends()
        where = f"{HOST}:{place.port()}"
        code, wrote = await self.says("hello\n", "--name", "ada", where)
        self.assertEqual(code, 5)
        self.assertIn("ada is a registered name", wrote)
        password = self.folder() / "password"
        password.write_text("of the mothers\n")
        hello = ("hello\n", "--name", "ada")
        self.assertEqual(await self.says(*hello, "--password-file", str(password), where), (0, ""))
        code, wrote = await self.says(*hello, "--login", where, MUCS_PASSWORD="of the fathers")
        self.assertEqual(code, 5)
        self.assertTrue(wrote.startswith("mucs: the server refuses: "), wrote)
        self.assertNotIn("fathers", wrote)

    async def test_passwordInTheNextLine(self) -> None:
        """Nobody is asked in a pipe; what comes next is not said, and not shown."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        lines = "before\n/login ada\nof the mothers\nafter\n"
        code, wrote = await self.says(lines, "--name", "ci", f"{HOST}:{place.port()}")
        self.assertEqual(code, 6)
        self.assertEqual(
            wrote,
            "mucs: nobody is asked in a pipe, so a password stands in the same line;"
            " this and the rest is not said: /login ada\n",
        )
        await bob.sees("* ci joined\r\nci: before\r\n* ci left\r\n")

    async def test_loginAgain(self) -> None:
        """When the line was lost."""
        place = self.serve("tcp:0")
        owner = await self.person(place.port(), "ada", "/register of the mothers", "/quit")
        await owner.ends()
        where = f"{HOST}:{place.port()}"
        ada = self.mucs("--login", "--name", "ada", where, env={"MUCS_PASSWORD": "of the mothers"})
        await ada.shows("| ada at")
        for _ in range(2):
            (session,) = place.hall.sessions.values()
            self.assertEqual((session.name, session.account), ("ada", "ada"))
            session.dismiss("the line is cut")
            await ada.shows("NO LINE")
            ada.enters("typed meanwhile")
            await ada.shows("ada: typed meanwhile", "| ada at")
        self.assertEqual(sum("ada: typed" in row for row in ada.scrolled()), 2)
        ada.enters("!q")
        await ada.ends()
        self.assertEqual(ada.status, 0)


class FollowTests(PipeCase):
    """C{mucs --follow --json host}."""

    async def test_events(self) -> None:
        """One object a line, as the protocol's page shows them, from now on."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob", "earlier")
        await bob.sees("-- now\r\n")
        options = ("--follow", "--json", "--name", "w", f"{HOST}:{place.port()}")
        watcher = self.script(*options)
        await bob.sees("* w joined\r\n")
        bob.says("hello", "/me waves", "/topic tea", "/undo", "/nick \u00e9ve")
        await watcher.sees('"target":"\u00e9ve"}\n')
        watcher.signals(SIGTERM)
        await watcher.ends()
        self.assertEqual(watcher.status, 128 + SIGTERM)
        events = [json.loads(line) for line in watcher.lines() if line]
        self.assertEqual(
            [(each["event"], each["author"], each["seq"]) for each in events],
            [
                ("say", "bob", 4),
                ("me", "bob", 5),
                ("topic", "bob", 6),
                ("undo", "bob", 7),
                ("nick", "bob", 8),
            ],
        )
        self.assertEqual(events[0]["text"], "hello")
        self.assertLess({"room", "time"}, set(events[0]))

    async def test_nobodyReads(self) -> None:
        """C{mucs --follow | head -1} ends like every program there."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        line = f"{sys.executable} -m mucs.client --follow --name w {HOST}:{place.port()}"
        watcher = self.launch(
            "bash", "-c", f"{line} | head -1; echo ${{PIPESTATUS[0]}}", env=self.environment()
        )
        await bob.sees("* w joined\r\n")
        bob.says("one", "two")
        await watcher.sees("bob: one\n")
        bob.says("three")
        await bob.sees("* w left\r\n")
        self.assertIn(b"141", await watcher.ends())
        self.assertNotIn(b"Traceback", watcher.seen)


class FaultTests(PipeCase):
    """Each is one clear sentence, and its exit code."""

    async def fails(self, code: int, why: str, *options: str, **env: str) -> None:
        got, wrote = await self.says("hello\n", "--name", "ci", *options, **env)
        self.assertEqual(wrote.count("\n"), 1, wrote)
        self.assertIn(why, wrote)
        self.assertTrue(wrote.startswith("mucs: "), wrote)
        self.assertEqual(got, code, wrote)

    async def test_notThere(self) -> None:
        """Nobody listens."""
        listening = await TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(factory(Rubbish))
        port = listening.getHost().port
        await listening.stopListening()
        await self.fails(3, f"nobody listens at {HOST}:{port}", f"{HOST}:{port}")

    async def test_otherServer(self) -> None:
        """One that says what nobody understands. More of them are in C{tests/client}."""
        await self.listens(b"{" * 300_000)
        await self.fails(4, "not MUCS's protocol: a line of it never ends", self.where)

    async def test_commandLine(self) -> None:
        """What is not understood is said before anything is done."""
        await self.fails(2, "--trust /nosuch: No such file", "--trust", "/nosuch", "tls:host")

    async def test_closed(self) -> None:
        """A descriptor that is closed is an empty one; nor is what a socket may become."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        mucs = f"{sys.executable} -m mucs.client {HOST}:{place.port()} --name"
        scripts = [
            self.launch("bash", "-c", line, env=self.environment())
            for line in (f"{mucs} ci <&-", f"echo hello | {mucs} co >&- 2>&-")
        ]
        for script in scripts:
            self.assertEqual(await self.ended(script), (0, ""))
        await bob.sees("co: hello\r\n")

    async def test_hangup(self) -> None:
        """A signal ends it, with its number, and nothing is said of it."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        script = self.script("--name", "ci", f"{HOST}:{place.port()}")
        await bob.sees("* ci joined\r\n")
        script.signals(SIGHUP)
        self.assertEqual(await self.ended(script), (128 + SIGHUP, ""))
        await bob.sees("* ci left\r\n")


class SecureTests(PipeCase):
    """TLS."""

    def serves(self, *hosts: str) -> tuple[str, Path]:
        folder = self.folder()
        makeCertificate(folder, *hosts)
        (folder / "both.pem").write_bytes(
            (folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes()
        )
        keys = f"privateKey={folder}/key.pem:certKey={folder}/cert.pem:interface={HOST}"
        place = self.serve(f"ssl:0:{keys}", f"tcp:0:interface={HOST}")
        self.plain = f"tls:{HOST}:{place.port(1)}"
        return f"tls:localhost:{place.port()}", folder / "cert.pem"

    async def test_certificates(self) -> None:
        """The right one is let pass, if it is to be trusted; no other one is, but on demand."""
        where, certificate = self.serves("localhost")
        trust = ("--trust", str(certificate))
        hello = ("hello\n", "--name", "ci")
        other = where.replace("localhost", HOST)
        right, unknown, wrong, careless, unencrypted = await together(
            self.says(*hello, *trust, where),
            self.says("", "--name", "a", where),
            self.says("", "--name", "b", *trust, other),
            self.says("", "--name", "c", "--insecure", where),
            self.says("", "--name", "d", *trust, self.plain),
        )
        self.assertEqual(right, (0, ""))
        for code, got, words in (
            (4, unknown, f"mucs: nobody vouches for the certificate of {where}; --trust FILE"),
            (4, wrong, f"mucs: the certificate of {other} is for another host"),
            (0, careless, "NOBODY VOUCHES FOR THIS SERVER"),
            (4, unencrypted, "does not speak TLS"),
        ):
            self.assertEqual((got[0], words in got[1]), (code, True), got)


class LibraryTests(PipeCase):
    """Without prompt_toolkit."""

    async def test_linesOnly(self) -> None:
        """There are lines all the same, and it is said what is missing."""
        place = self.serve("tcp:0")
        folder = self.folder()
        (folder / "prompt_toolkit").mkdir()
        (folder / "prompt_toolkit" / "__init__.py").write_text("raise ImportError('none')")
        path = f"{folder}{os.pathsep}{self.environment()['PYTHONPATH']}"
        ada = self.mucs("--name", "ada", f"{HOST}:{place.port()}", env={"PYTHONPATH": path})
        await ada.shows("pip install 'mucs[client]'", "-- you are ada in #lobby")
        ada.enters("!q")
        await ada.ends()
        self.assertEqual(ada.status, 0)
