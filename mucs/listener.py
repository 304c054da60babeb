"""
A listener: one endpoint, the front end that speaks there, and how its people are treated.

As a service it begins and ends listening.  All listeners of a service begin, or none does: what
keeps one from it is L{StartError}, and those that had begun are closed before it is raised.
"""

from __future__ import annotations

import os
import socket
from typing import Any, NoReturn

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.interfaces import IFileDescriptor, IListeningPort, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.certificates import Certificates
from mucs.imucs import IFrontEnd
from mucs.rules import Policy
from mucs.seats import Guest, Seats

log = Logger()

# Among them: the first probe of an idle connection, the time between two, the time without an
# answer.
TUNED = {"TCP_NODELAY": 1, "TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_USER_TIMEOUT": 60_000}


class StartError(Exception):
    """
    The service cannot start; C{str(it)} is one line that says why.

    C{twistd}, as a daemon, reports the last line (or rather 98 bytes of it) of what
    L{traceback.format_exception_only} gives.  That is the note, which has no class name before it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.add_note(f"mucs: {why}")


class Listener(Service):
    """
    @ivar port: how it was configured: C{[FRONTEND@]ENDPOINT}.
    @ivar policy: how its people are treated.
    @ivar trusted: whether they are exempt from the limits by address.
    @ivar proxied: whether a peer's address is known only after its first bytes.
    @ivar source: what the operator knows it by: C{--port tcp:7000}.
    @ivar seats: who is in, and who waits.
    @ivar certificates: what its TLS is made from, where it has any.
    @ivar configured: whether it is one of the configuration's C{[[listen]]}.
    """

    def __init__(
        self,
        port: str,
        frontEnd: IFrontEnd,
        endpoint: IStreamServerEndpoint,
        policy: Policy,
        trusted: bool = False,
        proxied: bool = False,
        source: str = "",
        certificates: Certificates | None = None,
    ) -> None:
        self.port = port
        self.frontEnd = frontEnd
        self.endpoint = endpoint
        self.policy = policy
        self.trusted = trusted
        self.proxied = proxied
        self.source = source or port
        self.certificates = certificates
        self.configured = True
        self.seats: Seats[Guest] = Seats(policy.seats)
        self._begun: Deferred[None] | None = None
        self._listening: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """
        Listen.  Called before privileges are dropped; C{twist} calls L{startService} only.

        @raise StartError: where that is not possible; then no other listener listens either.
        """
        if self._begun is not None:
            return
        try:
            factory = self.frontEnd.factory(self.parent, self)
        except Exception as error:
            self._fail(f"the front end {self.frontEnd.name} cannot be used: {reason(error)}")
        failed: list[Failure] = []
        # Endpoints answer at once where there is nothing to look up.
        self._begun = self.endpoint.listen(factory).addCallbacks(self._listens, failed.append)
        if failed:
            _unlock(failed[0].value)
            self._fail(f"cannot listen: {reason(failed[0].value)}")
        # One that does not, and fails later, is named in the log.
        self._begun.addCallback(lambda _: self._failedLate(failed))

    def startService(self) -> None:
        self.privilegedStartService()
        super().startService()

    def stopService(self) -> Deferred[Any] | None:
        super().stopService()
        begun, self._begun = self._begun, None
        listening, self._listening = self._listening, None
        if listening is not None:
            stopped: Deferred[Any] | None = listening.stopListening()
            return stopped
        if begun is not None:
            begun.cancel()
        return None

    def treat(self, policy: Policy, trusted: bool) -> None:
        """Those who come in from now on are treated so."""
        self.policy = policy
        self.trusted = trusted
        self.seats.resize(policy.seats)

    def addresses(self) -> IListeningPort | None:
        """The port that listens, if it does."""
        return self._listening

    def _listens(self, port: IListeningPort) -> None:
        self._listening = port
        if isinstance(listening := getattr(port, "socket", None), socket.socket):
            tune(listening)

    def _failedLate(self, failed: list[Failure]) -> None:
        if failed and not failed[0].check(CancelledError):
            why = reason(failed[0].value)
            log.critical("{source}: cannot listen: {why}", source=self.source, why=why)

    def _fail(self, why: str) -> NoReturn:
        for listener in self.parent or ():
            if isinstance(listener, Listener):
                listener.close()
        raise StartError(" ".join(f"{self.source}: {why}".split()))

    def close(self) -> None:
        """Leave nothing behind, and now: the reactor, which else closes ports, will not run."""
        port, self._listening = self._listening, None
        if IFileDescriptor.providedBy(port):
            port.connectionLost(Failure(ConnectionDone()))


def tune(listening: socket.socket) -> None:
    """
    Send small things at once, and notice a peer that is gone within two minutes: on all
    connections that come by a socket, which inherit what is set on it (as on Linux and the BSDs).
    """
    if listening.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # SO_OOBINLINE: else the mark a telnet sends with ^C would be taken out of the middle of its
    # command.
    for switch in (socket.SO_KEEPALIVE, socket.SO_OOBINLINE):
        listening.setsockopt(socket.SOL_SOCKET, switch, 1)
    for option, value in TUNED.items():
        if hasattr(socket, option):
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def reason(error: object) -> str:
    """What the operating system or OpenSSL says, without the pieces of Twisted around it."""
    inner: Any = getattr(error, "socketError", error)
    match getattr(inner, "args", ()):
        case ([(_, _, said), *_],):
            # OpenSSL's list of triples: library, function, reason.
            inner = said
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return " ".join(str(text).split())


def _unlock(error: object) -> None:
    """Twisted leaves the lock of a UNIX socket that it could not bind: a link to our number."""
    if isinstance(error, CannotListenError) and isinstance(error.port, bytes):
        lock = error.port + b".lock"
        if os.path.islink(lock) and os.readlink(lock) == b"%d" % os.getpid():
            os.unlink(lock)
