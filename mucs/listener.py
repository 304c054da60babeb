"""
A listener: one endpoint, the front end that speaks there, and how its people are treated.

As a service it begins and ends listening; whatever keeps it from that is L{StartError}, one
line that names the port.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.python.failure import Failure

from mucs.imucs import IFrontEnd
from mucs.rules import Policy
from mucs.seats import Guest, Seats


class StartError(Exception):
    """The service cannot start; C{str(it)} is one line that says why."""


class Listener(Service):
    """
    @ivar port: how it was configured: C{[FRONTEND@]ENDPOINT}.
    @ivar policy: how its people are treated.
    @ivar trusted: whether they are exempt from the limits by address.
    @ivar proxied: whether a peer's address is known only after its first bytes.
    @ivar seats: who is in, and who waits.
    """

    def __init__(
        self,
        port: str,
        frontEnd: IFrontEnd,
        endpoint: IStreamServerEndpoint,
        policy: Policy,
        trusted: bool = False,
        proxied: bool = False,
    ) -> None:
        self.port = port
        self.frontEnd = frontEnd
        self.endpoint = endpoint
        self.policy = policy
        self.trusted = trusted
        self.proxied = proxied
        self.seats: Seats[Guest] = Seats(policy.seats)
        self._listening: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """
        Listen.  Called before privileges are dropped; C{twist} calls L{startService} only.

        @raise StartError: where that is not possible.
        """
        if self._listening is not None:
            return
        try:
            factory = self.frontEnd.factory(self.parent, self)
        except Exception as error:
            name = self.frontEnd.name
            raise StartError(f"the front end {name} cannot be used: {error}") from error
        failed: list[Failure] = []
        # Endpoints answer at once where there is nothing to look up; one that does not, and
        # fails later, is named in the log.
        self.endpoint.listen(factory).addCallbacks(self._listens, failed.append)
        if failed:
            raise StartError(f"cannot listen on {self.port}: {_reason(failed[0])}")

    def startService(self) -> None:
        self.privilegedStartService()
        super().startService()

    def stopService(self) -> Deferred[Any] | None:
        super().stopService()
        listening, self._listening = self._listening, None
        if listening is None:
            return None
        stopped: Deferred[Any] | None = listening.stopListening()
        return stopped

    def _listens(self, port: IListeningPort) -> None:
        self._listening = port

    def addresses(self) -> IListeningPort | None:
        """The port that listens, if it does."""
        return self._listening


def _reason(failure: Failure) -> str:
    """What an operating system says, without the pieces of Twisted around it."""
    error = failure.value
    inner = getattr(error, "socketError", error)
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(text)
