"""Tests of L{mucs.client.line}: what is wrong with a way to a server, in one sentence each."""

from __future__ import annotations

import shutil
import tempfile

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error, reactor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mucs.client.address import Address, BadAddress, address
from mucs.client.line import _whyNot, _wrongTLS, endpoint


class SentenceTests(SynchronousTestCase):
    """What someone is told."""

    def test_noConnection(self) -> None:
        """Each kind of failure has its own words."""
        for fault, why in (
            (error.ConnectionRefusedError(), "nobody listens at tls:h:1"),
            (error.DNSLookupError(), "there is no host called h"),
            (error.TimeoutError(), "tls:h:1 does not answer"),
            (error.TCPTimedOutError(), "tls:h:1 does not answer"),
            (error.NoRouteError(), "there is no way to tls:h:1"),
            (error.ConnectError(2), "cannot connect to tls:h:1: No such file or directory"),
            (PermissionError(13, "Not for you"), "cannot connect to tls:h:1: Not for you"),
            (RuntimeError("a\x1b[2Jb"), "cannot connect to tls:h:1: a[2Jb"),
        ):
            self.assertEqual(_whyNot(Failure(fault), "tls:h:1"), why)

    def test_tls(self) -> None:
        """So has what is wrong with TLS; a line that is simply lost is not."""
        for fault, words in (
            (VerificationError(errors=[]), "is for another host"),
            (SSL.Error([("SSL routines", "", "certificate verify failed")]), "nobody vouches for"),
            (SSL.Error([("SSL routines", "", "wrong version number")]), "does not speak TLS"),
            (SSL.Error([("SSL routines", "", "no shared cipher")]), "no shared cipher"),
        ):
            self.assertIn(words, _wrongTLS(Failure(fault), "tls:h:1"))
        for reason in (connectionDone, Failure(error.ConnectionLost())):
            self.assertEqual(_wrongTLS(reason, "tls:h:1"), "")

    def test_endpoints(self) -> None:
        """What Twisted does not know, or cannot be trusted, is refused before anything is done."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path, empty = f"{folder}/broken.pem", f"{folder}/empty.pem"
        with open(path, "w") as file:
            file.write("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
        open(empty, "w").close()
        for where, trust, why in (
            (Address("endpoint", "nosuch:a:b"), "", "is no endpoint"),
            (address("tls:h"), "/nosuch", "--trust /nosuch: No such file or directory"),
            (address("tls:h"), path, "a certificate in it is broken"),
            (address("tls:h"), empty, "there is no certificate in it"),
        ):
            bad = self.assertRaises(BadAddress, endpoint, reactor, where, trust)
            self.assertIn(why, str(bad))
