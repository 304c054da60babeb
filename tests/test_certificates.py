"""
Certificates that are renewed: which one a new connection gets, and when; without a socket.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.ssl import Certificate
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from mucs.certificates import LOOK, Certificates, State, secured
from mucs.listener import reason
from mucs.pems import Unusable
from tests.live.server import makeCertificate

SSL_FILES = "privateKey=key.pem:certKey=cert.pem"


def digest(certificate: Certificate) -> bytes:
    """What tells one from any other."""
    found: bytes = certificate.digest("sha256")
    return found


class CertificateCase(SynchronousTestCase):
    """Tests with a folder for certificates, which is the one we are in."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mucs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.reactor = MemoryReactorClock()
        self.said: list[str] = []
        observer: Any = self.sees
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def sees(self, event: LogEvent) -> None:
        if event.get("log_namespace") == "mucs.certificates":
            self.said.append(formatEvent(event))

    def begin(self, description: str) -> Certificates:
        _, certificates = secured(description, self.reactor, lambda e: reason(e)[:40], "--port x")
        assert certificates is not None
        return certificates

    def make(self, *hosts: str, folder: Path | None = None) -> bytes:
        """Another certificate stands in the folder. @return: which."""
        return digest(makeCertificate(folder or self.folder, *hosts))

    def shown(self, certificates: Certificates, host: str = "") -> bytes:
        """The certificate that somebody is shown who connects now, and asks for a host."""
        server = certificates.serverConnectionForTLS(None)
        client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        client.set_connect_state()
        server.set_accept_state()
        if host:
            client.set_tlsext_host_name(host.encode())
        for _ in range(3):
            for one, other in ((client, server), (server, client)):
                try:
                    one.do_handshake()
                except SSL.WantReadError:
                    pass
                try:
                    other.bio_write(one.bio_read(1 << 16))
                except SSL.WantReadError:
                    pass
        peer = client.get_peer_certificate()
        assert peer is not None
        return digest(Certificate(peer))

    def later(self) -> None:
        """It is time to look at the files again."""
        self.reactor.advance(LOOK)


class SslTests(CertificateCase):
    """C{ssl:}"""

    endpoint = f"ssl:7443:{SSL_FILES}"

    def test_theFirst(self) -> None:
        made = self.make()
        self.assertEqual(self.shown(self.begin(self.endpoint)), made)

    def test_aNewOne(self) -> None:
        """It is in use for the next connection, once it is time to look."""
        old = self.make()
        certificates = self.begin(self.endpoint)
        new = self.make()
        self.assertEqual(self.shown(certificates), old)
        self.later()
        self.assertEqual(self.shown(certificates), new)
        self.assertEqual(self.said, ["--port x: a new certificate is in use"])

    def test_nobodyLooksMoreOften(self) -> None:
        """Not for each of those who connect."""
        self.make()
        certificates = self.begin(self.endpoint)
        looks: list[object] = []

        def state() -> State:
            looks.append(0)
            return certificates._now.state

        self.patch(certificates, "_state", state)
        for _ in range(100):
            self.shown(certificates)
        self.assertEqual(looks, [])
        self.later()
        for _ in range(100):
            self.shown(certificates)
        self.assertEqual(len(looks), 1)

    def test_thoseThatAreConnectedStay(self) -> None:
        """What one connection was made from is not changed below it."""
        self.make()
        certificates = self.begin(self.endpoint)
        before = certificates.serverConnectionForTLS(None).get_context()
        self.make()
        self.later()
        self.assertIsNot(certificates.serverConnectionForTLS(None).get_context(), before)

    def test_aBrokenOne(self) -> None:
        """The old one stays, and that is said once; a good one is in use at the next look."""
        old = self.make()
        certificates = self.begin(self.endpoint)
        whole = (self.folder / "cert.pem").read_bytes()
        (self.folder / "cert.pem").write_bytes(whole[: len(whole) // 2])
        for _ in range(3):
            self.later()
            self.assertEqual(self.shown(certificates), old)
        self.assertEqual(len(self.said), 1)
        self.assertRegex(self.said[0], "^--port x: .*; the certificate in use stays$")
        new = self.make()
        self.later()
        self.assertEqual(self.shown(certificates), new)

    def test_aKeyOfAnother(self) -> None:
        """Of two files the one is written before the other."""
        old = self.make()
        certificates = self.begin(self.endpoint)
        second = self.folder / "second"
        second.mkdir()
        new = self.make(folder=second)
        (second / "key.pem").rename(self.folder / "key.pem")
        self.later()
        self.assertEqual(self.shown(certificates), old)
        (second / "cert.pem").rename(self.folder / "cert.pem")
        self.later()
        self.assertEqual(self.shown(certificates), new)

    def test_noneAtAll(self) -> None:
        old = self.make()
        certificates = self.begin(self.endpoint)
        (self.folder / "cert.pem").unlink()
        self.later()
        self.assertEqual(self.shown(certificates), old)
        self.assertEqual(len(self.said), 1)

    def test_readAtOnce(self) -> None:
        """At a reload nobody waits, and what is read is in use only when that is said."""
        old = self.make()
        certificates = self.begin(self.endpoint)
        self.assertFalse(certificates.use(certificates.fresh()))
        new = self.make()
        fresh = certificates.fresh()
        self.assertEqual(self.shown(certificates), old)
        self.assertTrue(certificates.use(fresh))
        self.assertEqual(self.shown(certificates), new)
        (self.folder / "key.pem").write_bytes(b"")
        self.assertRaises(Unusable, certificates.fresh)

    def test_fromAnotherFolder(self) -> None:
        """A daemon goes to its folder, and finds its files where it was started."""
        self.make()
        certificates = self.begin(self.endpoint)
        new = self.make()
        os.chdir("/")
        self.later()
        self.assertEqual(self.shown(certificates), new)

    def test_pathsWithAnything(self) -> None:
        """Colons and backslashes, named and unnamed, and the file that stands for both."""
        odd = self.folder / "a:b\\c=d"
        odd.mkdir()
        self.make(folder=odd)
        both = (odd / "key.pem").read_bytes() + (odd / "cert.pem").read_bytes()
        (self.folder / "server.pem").write_bytes(both)
        key, cert = (
            quoteStringArgument(f"{odd.name}/{name}.pem").replace("=", "\\=")
            for name in ("key", "cert")
        )
        for description in (
            f"ssl:1:privateKey={key}:certKey={cert}",
            f"ssl:1:{key}:{cert}:interface=127.0.0.1",
            f"ssl:privateKey={key}:certKey={cert}:port=1",
            "ssl:1",
        ):
            certificates = self.begin(description)
            new = self.make(folder=odd)
            both = (odd / "key.pem").read_bytes() + (odd / "cert.pem").read_bytes()
            (self.folder / "server.pem").write_bytes(both)
            self.later()
            self.assertEqual(self.shown(certificates), new, description)


class HaproxyTests(SslTests):
    """C{haproxy:ssl:}"""

    endpoint = f"haproxy:ssl:7443:{SSL_FILES}"


class FolderTests(CertificateCase):
    """C{tls:}"""

    def setUp(self) -> None:
        super().setUp()
        for host in ("one", "two"):
            (self.folder / host).mkdir()
        self.one = self.make("one.example", folder=self.folder / "one")
        self.two = self.make("two.example", folder=self.folder / "two")
        self.certificates = self.begin("tls:.:7443")

    def test_byHost(self) -> None:
        self.assertEqual(self.shown(self.certificates, "one.example"), self.one)
        self.assertEqual(self.shown(self.certificates, "two.example"), self.two)

    def test_aNewOne(self) -> None:
        """For a host that is known, too."""
        new = self.make("two.example", folder=self.folder / "two")
        self.later()
        self.assertEqual(self.shown(self.certificates, "one.example"), self.one)
        self.assertEqual(self.shown(self.certificates, "two.example"), new)

    def test_anotherHost(self) -> None:
        (self.folder / "three").mkdir()
        new = self.make("three.example", folder=self.folder / "three")
        self.later()
        self.assertEqual(self.shown(self.certificates, "three.example"), new)

    def test_aBrokenOne(self) -> None:
        """Half of a file, and a key without its certificate: the old ones stay, of all hosts."""
        pem = self.folder / "two" / "cert.pem"
        (self.folder / "elsewhere").mkdir()
        other = makeCertificate(self.folder / "elsewhere", "x.example").dumpPEM()
        shutil.rmtree(self.folder / "elsewhere")
        for broken in (pem.read_bytes()[:300], other):
            pem.write_bytes(broken)
            self.later()
            self.assertEqual(self.shown(self.certificates, "two.example"), self.two)
            self.assertEqual(self.shown(self.certificates, "one.example"), self.one)
        self.assertEqual(len([line for line in self.said if "stays" in line]), 2)

    def test_aHostThatIsGone(self) -> None:
        """Its files were taken away: that is meant."""
        shutil.rmtree(self.folder / "two")
        self.later()
        self.assertEqual(self.shown(self.certificates, "two.example"), self.one)

    def test_anAuthority(self) -> None:
        """One that signed itself ends a chain, and there is no going round."""
        (self.folder / "root").mkdir()
        self.make(folder=self.folder / "root")
        (self.folder / "root" / "key.pem").unlink()
        self.assertEqual(self.shown(self.begin("tls:.:7443"), "two.example"), self.two)

    def test_theNewerOfTwo(self) -> None:
        """Where an old certificate lies beside its successor."""
        self.make("two.example", folder=self.folder / "one")
        new = self.make("*.example", "two.example", folder=self.folder / "two")
        certificates = self.begin("tls:.:7443")
        self.assertEqual(self.shown(certificates, "any.example"), new)

    def test_anUnknownHostReadsNothing(self) -> None:
        """Whoever asks for one does not make the folder be read."""
        self.patch(self.certificates, "_read", lambda: self.fail("it was read"))
        self.shown(self.certificates, "nowhere.example")
