"""
The sending side of a connection: the one module that knows a transport's inside.

L{Outlet} sends straight on the socket while nothing waits in the transport, and through
the transport's own C{write} while something does.  When too much waits it says so to its owner,
who then sends nothing until it has drained: what is missed meanwhile is a number in a room,
not a buffer here.

Always true: C{send} never raises and never calls its owner; whatever there is to tell is told
from a call of its own.  The bytes go out in the order they came in, or the connection is lost.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from typing import Any, Protocol

from OpenSSL import SSL
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.tcp import Connection
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper
from twisted.protocols.tls import TLSMemoryBIOProtocol

from mucs.rules import Limits

#: Seconds after which a connection that was to be closed in good order is closed anyhow.
PATIENCE = 5.0

#: What TLS encrypts at once, in bytes.
RECORD = 16384

# Nothing waits in the transport; something does; nothing is sent any more.
CLEAR, WAITING, DEAF = range(3)

# What a send on a socket raises while there is no room for a byte.
NO_ROOM = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))


class Owner(Protocol):
    """Whom an outlet tells of its state."""

    def held(self) -> None:
        """Send no more for now."""

    def drained(self) -> None:
        """There is room again."""

    def stuck(self, why: str) -> None:
        """The peer takes nothing: the connection is being lost."""


class Outlet:
    """
    @ivar send: takes bytes: one of the ways below, chosen once.  A plain attribute, because it is
        called once for each recipient of each turn.
    @ivar busy: whether the owner is to send nothing but replies.
    """

    __slots__ = (
        "_closing",
        "_limits",
        "_owner",
        "_passed",
        "_reactor",
        "_socketSend",
        "_state",
        "_taken",
        "_timer",
        "_wire",
        "busy",
        "send",
        "transport",
    )

    def __init__(
        self, transport: Any, reactor: IReactorTime, limits: Limits, owner: Owner
    ) -> None:
        """@param transport: connected; it is told to pause and resume us when it is full."""
        self.transport = transport
        self.busy = False
        self._reactor = reactor
        self._limits = limits
        self._owner = owner
        self._closing = False
        self._state = CLEAR
        self._timer: IDelayedCall | None = None
        self._passed = 0  # bytes passed to the transport, that did not go straight to the socket
        self._taken = 0  # how many of them the peer had taken when we last looked
        self._wire = _wire(transport)
        self._socketSend: Any = None
        self.send: Callable[[bytes], None] = self._pass
        if self._wire is not None:
            self._wire.bufferSize = limits.unsent
            if _isBare(transport):
                self._socketSend = self._wire.socket.send
                self.send = self._direct
            elif _isTls(transport):
                self._socketSend = self._wire.socket.send
                self.send = self._encrypt
        transport.registerProducer(self, True)

    def tune(self) -> None:
        """Send small things at once, and notice a peer that is gone within two minutes."""
        wire = self._wire
        if wire is None or wire.socket.family not in (socket.AF_INET, socket.AF_INET6):
            return
        wire.setTcpNoDelay(True)
        wire.setTcpKeepAlive(True)
        # Else the mark a telnet sends with ^C would be taken out of the middle of its command.
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        for option, value in (("TCP_KEEPIDLE", 60), ("TCP_USER_TIMEOUT", 60_000)):
            if hasattr(socket, option):
                wire.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def unsent(self) -> int:
        """Bytes that wait in the transport; 0 where that cannot be known."""
        wire = self._wire
        if wire is None:
            return 0
        return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)

    def isReset(self) -> bool:
        """Whether the peer is gone.  The reactor does not notice while reading is paused."""
        if self._wire is None or not self._wire.connected:
            return False
        poll = select.poll()
        poll.register(self._wire.fileno(), 0)
        return bool(poll.poll(0))

    def reply(self, data: bytes) -> None:
        """Send what stands in no log, and so cannot be read again later: its sum is bounded."""
        self.send(data)
        if self.unsent() > self._limits.replies:
            self._reactor.callLater(0, self._stuck, "too much unread")

    def close(self) -> None:
        """Close in good order: what was sent arrives, if the peer takes it within 5 seconds."""
        if self._closing:
            return
        self._end()
        # A paused producer would keep the transport from ever closing.
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self._abortLater()

    def lost(self) -> None:
        """The connection is gone."""
        self._end()

    def _end(self) -> None:
        self._closing = True
        self._state = DEAF
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # The ways of sending.

    def _direct(self, data: bytes) -> None:
        """On the socket itself, while nothing waits in the transport."""
        if self._state:
            if self._state == DEAF:
                return
            if self.unsent():
                self._pass(data)
                return
            self._state = CLEAR
        try:
            sent = self._socketSend(data)
        except OSError as error:
            if error.errno not in NO_ROOM:
                self._gone()
                return
            sent = 0
        if sent != len(data):
            self._state = WAITING
            self._pass(data[sent:])

    def _encrypt(self, data: bytes) -> None:
        """
        As TLS on the socket itself, while nothing waits anywhere: all of a turn is
        encrypted at once, without the transport's timer and the reactor's round to the socket.
        """
        tls = self.transport
        if self._state == DEAF or tls.disconnecting or tls._lostTLSConnection:
            return
        if self.unsent() or not tls._handshakeDone or tls._appSendBuffer or tls._aggregator._buffer:
            self._pass(data)
            return
        done = 0
        try:
            # One record of at most 16 KiB at a time.
            while done < len(data):
                done += tls._tlsConnection.send(data[done : done + RECORD])
        except SSL.Error:
            # It wants to read first, say: the transport knows what to do.
            if not done:
                self._pass(data)
                return
        # There is nothing else in the BIO, and TLS adds some 30 bytes to each 16 KiB.
        sealed = tls._tlsConnection.bio_read(len(data) + len(data) // 256 + 4096)
        try:
            sent = self._socketSend(sealed)
        except OSError as error:
            if error.errno not in NO_ROOM:
                self._gone()
                return
            sent = 0
        if sent != len(sealed):
            self._watch(len(sealed) - sent)
            self._wire.write(sealed[sent:])
        if done < len(data):
            self._pass(data[done:])

    def _pass(self, data: bytes) -> None:
        """By the transport's own way."""
        if self._state != DEAF:
            self._watch(len(data))
            self.transport.write(data)

    def _gone(self) -> None:
        # The reactor finds the same when it reads, after what still is to be read: who resets
        # a connection may have said something first.
        self._state = DEAF
        self._abortLater()

    def _abortLater(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(PATIENCE, self.transport.abortConnection)

    # A peer that takes nothing.

    def _watch(self, passed: int) -> None:
        """Some bytes wait in the transport now."""
        self._passed += passed
        if self._timer is None:
            self._timer = self._reactor.callLater(self._limits.stalled, self._look)

    def _look(self) -> None:
        """Some time after something began to wait: has any of it been taken?"""
        unsent = self.unsent()
        taken = self._passed - unsent
        if taken == self._taken and (unsent or self.busy):
            self._stuck(f"nothing was read for {self._limits.stalled:g} s")
            return
        self._taken = taken
        self._timer = None
        if unsent or self.busy:
            self._timer = self._reactor.callLater(self._limits.stalled, self._look)

    def _stuck(self, why: str) -> None:
        if not self._closing:
            self._owner.stuck(why)
            self._abort()

    def _abort(self) -> None:
        if not self._closing:
            self.transport.abortConnection()

    # The transport's producer: it tells us when it is full, and when empty.

    def pauseProducing(self) -> None:
        if not self.busy:
            self.busy = True
            self._reactor.callLater(0, self._owner.held)

    def resumeProducing(self) -> None:
        if self.busy:
            self.busy = False
            self._reactor.callLater(0, self._owner.drained)

    def stopProducing(self) -> None:
        """The transport is gone; its protocol is told."""


def _isBare(transport: Any) -> bool:
    """Whether what is written to a transport goes to its socket as it is."""
    if isinstance(transport, HAProxyProtocolWrapper):
        transport = transport.transport
    return isinstance(transport, Connection) and not transport.TLS


def _isTls(transport: Any) -> bool:
    """Whether it is TLS on a socket, of a Twisted whose inside is as we know it."""
    return (
        isinstance(transport, TLSMemoryBIOProtocol)
        and _isBare(transport.transport)
        and hasattr(transport, "_aggregator")
        and hasattr(transport._aggregator, "_buffer")
    )


def _wire(transport: Any) -> Any:
    """The Twisted socket at the bottom of a transport; L{None} where there is none we know."""
    while transport is not None and not isinstance(transport, Connection):
        transport = getattr(transport, "transport", None)
    return transport
