"""
The real service in a process of its own, started as people start it: C{twistd} in the foreground,
C{twistd} as a daemon, or C{twist}.

L{ServerCase} starts a L{Server} in an empty folder and ends it, by its process id, when the test
is over.  As in L{tests.live.inside}, nothing here sleeps or blocks, and a wait that would never
end is cut off and says what was seen instead.

A daemon is no child of ours.  That it is gone shows by a pipe, L{LIFELINE}, that it inherits and
never touches: the pipe's end is the end of the last process that had it.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import sysconfig
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.live.inside import HOST, LiveCase, Person, Watch, bounded, reactor

ROOT = Path(__file__).resolve().parent.parent.parent

T = TypeVar("T")

#: How the service is started.
FOREGROUND, DAEMON, TWIST = "twistd -n", "twistd", "twist"
HOWS = (FOREGROUND, DAEMON, TWIST)

#: MUCS is taken from this checkout, whether it is installed or not.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "COLUMNS": "80"}

#: What one that ran leaves behind: twistd's log, and its own.
LEFT = {"twistd.log", "mucs.sqlite", "mucs.sqlite-lock"}

#: A file descriptor that everything we start inherits.
LIFELINE = 9

#: What Twisted says in its log of each port that it opens.
_STARTING = re.compile(r"starting on '?([^'\n]+)'?\n")


def command(how: str, python: str | Path = sys.executable) -> list[str]:
    """What starts the service so; the options of MUCS go behind it."""
    script = Path(sysconfig.get_path("scripts"), how.split()[0])
    # The log of twist is JSON, unless it is on a terminal.
    option = {FOREGROUND: ["-n"], DAEMON: [], TWIST: ["--log-format=text"]}[how]
    return [str(python), str(script), *option, "mucs"]


class Server(ProcessProtocol, Watch):
    """
    One start of the service.

    @ivar folder: where it was started.
    @ivar errors: what it has written to stderr; to stdout, which is its log in the foreground, is
        what a L{Watch} has seen.
    @ivar status: how it ended: its exit code, or the negative number of a signal.  The daemon's
        is that of the process that was started, which ends when the daemon has begun.
    """

    transport: Any

    def __init__(self, folder: Path, how: str) -> None:
        Watch.__init__(self)
        self.folder = folder
        self.how = how
        self.errors = b""
        self.status: int | None = None
        self._exited: Deferred[None] = Deferred()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == 2:
            self.errors += data
        else:
            self.saw(data)

    def processExited(self, reason: Failure) -> None:
        value: Any = reason.value
        self.status = -value.signal if value.signal else value.exitCode
        self._exited.callback(None)

    def processEnded(self, reason: Failure) -> None:
        self.sawEnd()

    async def exits(self) -> int:
        """
        Wait until the process that was started is gone; a daemon lives on.

        @return: its status.
        """
        if self.status is None:
            await bounded(self._exited, lambda: f"it runs on: {self.log()}")
        assert self.status is not None
        return self.status

    async def begins(self, count: int = 1) -> list[str]:
        """
        Wait until it listens.

        @return: its ports, in the order in which they were given: numbers, and paths.
        """
        if self.how == DAEMON:
            if await self.exits():
                raise AssertionError(f"it did not start: {self.errors!r}")
        else:
            for _ in range(count):
                try:
                    await self.sees(" starting on ", "\n")
                except AssertionError as error:
                    raise AssertionError(f"it did not start: {self.errors!r}") from error
        ports = _STARTING.findall(self.log())
        assert len(ports) == count, self.log()
        return ports

    def log(self) -> str:
        """Its log."""
        if self.how != DAEMON:
            return self.seen.decode()
        path = self.folder / "twistd.log"
        return path.read_text() if path.exists() else ""

    def signals(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._isOver:
            return
        if self.status is None:
            os.kill(self.transport.pid, number)
        else:
            os.kill(int((self.folder / "twistd.pid").read_text()), number)

    async def stops(self) -> None:
        """Send it SIGTERM, and wait until it is gone."""
        self.signals(signal.SIGTERM)
        await self.ends()


class ServerCase(LiveCase):
    """A test with a service in a process of its own."""

    def start(
        self,
        *options: str,
        how: str = FOREGROUND,
        folder: Path | None = None,
        argv: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> Server:
        """
        Start the service.

        @param options: of MUCS.
        @param folder: where; an empty one if it is not said.
        @param argv: with what, if not with C{command(how)}.
        @param env: what is to stand in its environment, besides what does.
        @param descriptors: files that it inherits, as 3, 4 ...
        """
        server = Server(folder or self.folder(), how)
        words = [*(argv or command(how)), *options]
        files: dict[int, int | str] = {0: "w", 1: "r", 2: "r", LIFELINE: "r"}
        files.update(enumerate(descriptors, 3))
        reactor.spawnProcess(
            server,
            words[0],
            words,
            env={**os.environ, **ENVIRONMENT, **(env or {})},
            path=str(server.folder),
            childFDs=files,
        )
        self.addCleanup(self._end, server)
        return server

    async def _end(self, server: Server) -> None:
        server.signals(signal.SIGKILL)
        await server.ends()

    async def _part(self, person: Person) -> None:
        if person.isOver():
            return  # what spoke TLS there cannot be asked twice
        person.transport.abortConnection()
        await person.ends()

    async def meet(
        self, port: str, *lines: str, trust: Certificate | None = None, patient: bool = True
    ) -> Person:
        """
        Connect to a port of 127.0.0.1; and say lines.

        @param trust: speak TLS, with a server called C{localhost} that has this certificate.
        @param patient: try again if nobody listens there: a port is named in the log a moment
            before it is opened.
        """
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(reactor, HOST, int(port))
        if trust is not None:
            endpoint = wrapClientTLS(optionsForClientTLS("localhost", trust), endpoint)
        person = Person()
        for again in range(1000 if patient else 0, -1, -1):
            try:
                await connectProtocol(endpoint, person)
                break
            except ConnectError:
                if not again:
                    raise
                await deferLater(reactor, 0.01)
        self.addCleanup(self._part, person)
        if lines:
            person.says(*lines)
        return person


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Wait for several coroutines at once; the first fault is what it fails with."""
    waits = gatherResults([Deferred.fromCoroutine(each) for each in work], consumeErrors=True)
    try:
        return await waits
    except FirstError as first:
        first.subFailure.raiseException()
        raise


def makeCertificate(folder: Path, *hosts: str) -> Certificate:
    """
    Write C{key.pem}, and C{cert.pem}, a certificate that the key signed itself.

    @param hosts: the names it is for.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "MUCS under test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        made = made.add_extension(names, critical=False)
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(private.private_bytes(*form))
    pem = made.sign(private, SHA256()).public_bytes(Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    return Certificate.loadPEM(pem)
