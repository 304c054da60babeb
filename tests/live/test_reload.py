"""
Reloading the real service by SIGHUP, in each way in which it is started: nobody is dropped.
"""

from __future__ import annotations

import signal
from pathlib import Path

from twisted.internet.ssl import Certificate
from twisted.internet.task import deferLater

from tests.live.inside import HOST, reactor
from tests.live.server import HOWS, Server, ServerCase, makeCertificate, together


class ReloadTests(ServerCase):
    """C{kill -HUP}."""

    async def reloads(self, server: Server, says: str, times: int = 1) -> None:
        """Send it SIGHUP, and wait until its log says so."""
        server.signals(signal.SIGHUP)
        for _ in range(2000):
            if server.log().count(says) >= times:
                return
            await deferLater(reactor, 0.01)
        raise AssertionError(f"{says!r} never came: {server.log()}")

    async def test_nobodyIsDropped(self) -> None:
        """By none of three: a change, a mistake, and a change again."""

        async def one(how: str) -> None:
            folder = self.folder()
            config = folder / "mucs.toml"
            begin = f"log = 'memory:'\n[[listen]]\nport = 'tcp:0:interface={HOST}'\n"
            config.write_text(begin)
            server = self.start("--config", "mucs.toml", how=how, folder=folder)
            [port] = await server.begins()
            ada = await self.meet(port, "ada")
            await ada.sees("-- now")
            config.write_text(f"{begin}[limits]\nrooms = 1\n")
            await self.reloads(server, "reloaded: limits")
            ada.says("/join garden")
            await ada.sees("! you are in 1 room already")
            config.write_text(f"{begin}[limits]\nline = 1\n")
            await self.reloads(server, "nothing is changed: mucs.toml: limits.line: Expected")
            config.write_text(begin)
            await self.reloads(server, "reloaded: limits", 2)
            ada.says("/join garden")
            await ada.sees("-- you are ada in #garden")
            await server.stops()

        await together(*map(one, HOWS))

    async def test_certificates(self) -> None:
        """Who comes after a reload is shown the new one; who was there goes on with the old one."""
        folder = self.folder()
        old = makeCertificate(folder, "localhost")
        files = "privateKey=key.pem:certKey=cert.pem"
        server = self.start("--log", "memory:", "--port", f"ssl:0:{files}", folder=folder)
        [port] = await server.begins()
        ada = await self.meet(port, "ada", trust=old)
        await ada.sees("-- now")
        new = makeCertificate(folder, "localhost")
        await self.reloads(server, "reloaded: ssl:0")
        bob = await self.meet(port, "bob", trust=new)
        await bob.sees("-- you are bob in #lobby with ada")
        self.half(folder, new)
        await self.reloads(server, "nothing is changed: --port ssl:0")
        cyd = await self.meet(port, "cyd", trust=new)
        await cyd.sees("-- you are cyd in #lobby with ada, bob")
        ada.says("hello")
        await bob.sees("ada: hello")

    def half(self, folder: Path, certificate: Certificate) -> None:
        """The certificate is half written."""
        pem = certificate.dumpPEM()
        (folder / "cert.pem").write_bytes(pem[: len(pem) // 2])
