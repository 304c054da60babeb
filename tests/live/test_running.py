"""
What an operator has of a server that runs: figures, health, JSON logs, TLS in one command.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
from pathlib import Path
from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from tests.live.inside import HOST, reactor
from tests.live.server import DAEMON, HOWS, Server, ServerCase, command, together
from tests.live.test_start import MistakeCase


class MistakeTests(MistakeCase):
    """What keeps it from beginning is one line, and leaves nothing."""

    async def test_aPortInUse(self) -> None:
        port = reactor.listenTCP(0, Factory())
        self.addCleanup(port.stopListening)
        number = port.getHost().port
        says = "{} {}: cannot listen: Address already in use"
        memory = ("--log", "memory:", "--port", "tcp:0")
        for option, place in (("--tls-self-signed", number), ("--metrics", f"tcp:{number}")):
            await self.failsToBegin(*memory, option, str(place), says=says.format(option, place))

    async def test_aKeyThatIsNone(self) -> None:
        def prepare(folder: Path) -> None:
            (folder / "mucs-tls.pem").write_text("nonsense")

        await self.failsToBegin(
            "--tls-self-signed",
            "0",
            says="--tls-self-signed 0: cannot listen: mucs-tls.pem: no usable key and certificate:"
            " Unable to load PEM file. See https://cryptography.io/en/latest/faq/"
            "#why-can-t-i-import-my-pem-file for more details. MalformedFraming",
            prepare=prepare,
        )

    async def test_aDaemonWithoutStdout(self) -> None:
        argv = command(DAEMON)
        argv.insert(-1, "--logfile=-")
        server = self.start("--log-json", how=DAEMON, argv=argv)
        await server.ends()
        self.assertEqual(server.status, 1)
        self.assertLine(
            server.errors.decode(), "--log-json: a daemon has no stdout to log to"
        )


class RunningTests(ServerCase):
    """The real service."""

    async def waits(self, server: Server, pattern: str) -> re.Match[str]:
        """Wait until this stands in its log."""
        for _ in range(2000):
            found = re.search(pattern, server.log())
            if found:
                return found
            await deferLater(reactor, 0.01)
        raise AssertionError(f"{pattern!r} never came: {server.log()} {server.errors!r}")

    async def test_theLogAsJson(self) -> None:
        """Every line of it is an object, however it is started."""

        async def one(how: str) -> None:
            options = ("--log", "memory:", "--port", f"tcp:0:interface={HOST}", "--log-json")
            server = self.start(*options, how=how)
            if how == DAEMON:
                await server.exits()
            found = await self.waits(server, r"starting on (\d+)")
            ada = await self.meet(found[1], 'a"d\\a', "hello")
            await ada.sees("-- what is your name?")
            await server.stops()
            lines = [json.loads(line) for line in server.log().splitlines()]
            self.assertGreater(len(lines), 2)
            for line in lines:
                self.assertLessEqual({"time", "level", "from", "text"}, line.keys())

        await together(*map(one, HOWS))

    async def page(self, port: str, path: str) -> str:
        asks = await self.meet(port)
        asks.sends(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return (await asks.ends()).decode()

    async def test_figuresAndHealth(self) -> None:
        options = ("--port", f"tcp:0:interface={HOST}", "--metrics", f"tcp:0:interface={HOST}")
        server = self.start(*options)
        first, second = await server.begins(2)
        ada = await self.meet(first, "ada", "hello")
        await ada.sees("-- now")
        bob = await self.meet(first, "bob")
        await bob.sees("ada: hello")
        figures = await self.page(second, "/metrics")
        self.assertIn('mucs_connections{frontend="native"} 2.0\n', figures)
        self.assertIn("mucs_events_total 3.0\n", figures)
        self.assertRegex(figures, r"mucs_commit_seconds_sum 0\.0")
        self.assertTrue((await self.page(second, "/healthz")).endswith("\r\n\r\nwell\n"))
        # Nobody's name, and no line for each who asks.
        self.assertNotIn("ada", figures)
        self.assertNotIn("GET", server.log())
        await server.stops()

    async def test_tlsInOneCommand(self) -> None:
        """Who has the certificate knows whom they speak to; a second start has the same."""
        if shutil.which("openssl") is None:
            raise SkipTest("there is no openssl here")
        folder = self.folder()
        prints: list[Any] = []
        for _ in range(2):
            server = self.start(
                "--log", "memory:", "--tls-self-signed", "0", "--port", "tcp:0", folder=folder
            )
            found = await self.waits(server, r"SHA-256 (\S+)(?s:.*)--trust mucs-tls-cert.pem")
            prints.append(found[1])
            found = await self.waits(server, r"(openssl s_client .*):(\d+)\n")
            command = re.sub(r"-connect \S+", "-connect", found[1])
            argv = [*command.split(), f"{HOST}:{found[2]}", "-no_ign_eof"]
            client = self.launch(*argv, env={"PWD": str(folder)}, folder=folder)
            await client.sees("what is your name?")
            client.types("ada", "/quit")
            await client.sees("you are ada")
            await server.stops()
        self.assertEqual(prints[0], prints[1])
        alone = Certificate.loadPEM((folder / "mucs-tls-cert.pem").read_bytes())
        self.assertEqual(alone.digest("sha256").decode(), prints[0])
        self.assertEqual(stat.S_IMODE((folder / "mucs-tls.pem").stat().st_mode), 0o600)
