"""
The certificate of C{--tls-self-signed}: made once, kept, and never in place of anybody else's.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.error import CannotListenError, VerifyError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from mucs.hall import Hall
from mucs.listener import Listener
from mucs.selfsigned import ALONE, BOTH, LASTS, SelfSigned, kept
from tests.live.server import makeCertificate
from tests.test_tap import TapCase


class FolderCase(SynchronousTestCase):
    """Tests in an empty folder."""

    def setUp(self) -> None:
        folder = tempfile.mkdtemp(prefix="mucs-")
        self.addCleanup(shutil.rmtree, folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        self.now = datetime.now(UTC)

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Modes and contents."""
        return {
            path.name: (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
            for path in Path().iterdir()
        }


class KeptTests(FolderCase):
    """What is in the folder."""

    def test_once(self) -> None:
        """Key and certificate for the owner alone, and the certificate for everyone."""
        self.addCleanup(os.umask, os.umask(0))
        pem = kept(self.now)
        files = self.files()
        modes = {name: mode for name, (mode, _) in files.items()}
        self.assertEqual(modes, {BOTH: 0o600, ALONE: 0o644})
        self.assertEqual(files[BOTH][1], pem)
        self.assertIn(files[ALONE][1], pem)
        self.assertNotIn(b"PRIVATE", files[ALONE][1])
        self.assertEqual(kept(self.now), pem)
        self.assertEqual(self.files(), files)

    def test_forWhom(self) -> None:
        """This machine, by each of its names; for years, and for slow clocks."""
        made = x509.load_pem_x509_certificate(kept(self.now))
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(
            names.get_values_for_type(x509.DNSName),
            list(dict.fromkeys(["localhost", socket.gethostname()])),
        )
        self.assertEqual(
            [str(ip) for ip in names.get_values_for_type(x509.IPAddress)], ["127.0.0.1", "::1"]
        )
        self.assertLess(made.not_valid_before_utc, self.now - timedelta(hours=23))
        self.assertGreater(made.not_valid_after_utc, self.now + timedelta(days=LASTS - 1))

    def test_aHostWithAStrangeName(self) -> None:
        self.patch(socket, "gethostname", lambda: "küche")
        made = x509.load_pem_x509_certificate(kept(self.now))
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["localhost"])

    def test_expired(self) -> None:
        """Then there is another."""
        pem = kept(self.now)
        self.assertEqual(kept(self.now + timedelta(days=LASTS - 1)), pem)
        later = kept(self.now + timedelta(days=LASTS + 1))
        self.assertNotEqual(later, pem)
        self.assertIn(self.files()[ALONE][1], later)

    def test_whatIsThere(self) -> None:
        """It is used, or refused, but never written over."""
        makeCertificate(Path())
        key, cert = Path("key.pem").read_bytes(), Path("cert.pem").read_bytes()
        Path(BOTH).write_bytes(key + cert)
        self.assertEqual(kept(self.now), key + cert)
        makeCertificate(Path())
        for broken in (b"nonsense", Path("key.pem").read_bytes() + cert):
            Path(BOTH).write_bytes(broken)
            self.assertRaises((ValueError, VerifyError), kept, self.now)
            self.assertEqual(Path(BOTH).read_bytes(), broken)

    def test_cutShort(self) -> None:
        """What is left of one that was killed is in nobody's way."""
        Path(f".{BOTH}.part").write_bytes(b"half")
        self.assertEqual(self.files().keys() - {f".{BOTH}.part"}, set())
        kept(self.now)
        self.assertEqual(set(self.files()), {BOTH, ALONE})


class ListenTests(FolderCase):
    """The endpoint."""

    def test_itListens(self) -> None:
        reactor = MemoryReactorClock()
        self.successResultOf(SelfSigned(reactor, 7443).listen(Factory()))
        [(port, _, _, _)] = reactor.tcpServers
        self.assertEqual(port, 7443)

    def test_aPortInUse(self) -> None:
        """Nothing is left."""

        class Busy(MemoryReactorClock):
            def listenTCP(self, port: int, *args: Any, **keys: Any) -> Any:
                raise CannotListenError("", port, OSError(98, "Address already in use"))

        self.failureResultOf(SelfSigned(Busy(), 7443).listen(Factory()), CannotListenError)
        self.assertEqual(self.files(), {})

    def test_aFolderThatCannotBeWritten(self) -> None:
        """The file is named."""

        def refuses(*_: Any) -> int:
            raise PermissionError(13, "Permission denied")

        self.patch(os, "open", refuses)
        failure = self.failureResultOf(SelfSigned(MemoryReactorClock(), 1).listen(Factory()))
        self.assertEqual(str(failure.value), f"{BOTH}: Permission denied")
        self.assertEqual(self.files(), {})

    def test_nonsense(self) -> None:
        Path(BOTH).write_bytes(b"nonsense")
        failure = self.failureResultOf(SelfSigned(MemoryReactorClock(), 1).listen(Factory()))
        self.assertRegex(str(failure.value), f"^{BOTH}: no usable key and certificate: [^\n]+$")


class OptionTests(TapCase):
    """C{--tls-self-signed [PORT]}"""

    def places(self, *words: str) -> list[str]:
        hall = self.hall(*words)
        assert isinstance(hall, Hall)
        return [each.port for each in hall if isinstance(each, Listener)]

    def test_besidesTheOthers(self) -> None:
        option = "--tls-self-signed"
        self.assertEqual(self.places(option), ["tcp:7000", f"{option} 7443"])
        self.assertEqual(self.places(option, "1"), ["tcp:7000", f"{option} 1"])
        self.assertEqual(self.places(f"{option}=1"), ["tcp:7000", f"{option} 1"])
        self.assertEqual(
            self.places(option, "--port", "tcp:1", "-p", "tcp:2"),
            ["tcp:1", "tcp:2", f"{option} 7443"],
        )

    def test_passwords(self) -> None:
        """Are taken there: nobody can read them on their way."""
        hall = self.hall("--tls-self-signed")
        assert isinstance(hall, Hall)
        [made] = [each for each in hall if isinstance(each, Listener) and not each.configured]
        self.assertTrue(made.policy.passwords)

    def test_whatIsNoPort(self) -> None:
        for port in ("x", "65536", "1:2", "٣"):
            said = self.refusal("--tls-self-signed", port)
            self.assertEqual(
                said, f"mucs: --tls-self-signed {port}: a port is a number from 1 to 65535"
            )

    def test_withoutNative(self) -> None:
        toml = "off = ['native']\n[[listen]]\nport = 'shh@tcp:1'"
        self.assertIn("switched off", self.refusal("--tls-self-signed", toml=toml))
