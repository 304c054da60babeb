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
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from mucs.rules import Limits
from mucs.volley import Volley
from mucs.wires import NO_ROOM, isBare, isReset, isTls, queued, swallow, unsent, wireOf

#: Seconds after which a connection that was to be closed in good order is closed anyhow.
PATIENCE = 5.0

# Nothing waits in the transport; something does; nothing is sent any more; that failed; nor told.
CLEAR, WAITING, DEAF, FAILED, OVER = range(5)


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
    @ivar isListed: see L{Sender}.
    @ivar socket: the one at the bottom, if there is one that we know.
    """

    __slots__ = (
        "_isHeld", "_limits", "_mark", "_owed", "_owner", "_passed", "_reactor", "_small",
        "_socketSend", "_state", "_telling", "_timer", "_volley", "_wire", "busy",
        "isListed", "send", "socket", "transport",
    )

    def __init__(
        self,
        transport: Any,
        reactor: IReactorTime,
        limits: Limits,
        owner: Owner,
        volley: Volley,
    ) -> None:
        """@param transport: connected; it is told to pause and resume us when it is full."""
        self.transport = transport
        self.busy = False
        self.isListed = False
        self._reactor, self._limits, self._owner, self._volley = reactor, limits, owner, volley
        self._state = CLEAR
        self._timer: IDelayedCall | None = None
        self._telling = False  # the owner is about to be told of it
        self._isHeld = False  # the owner knows that it is busy
        self._owed = 0  # bytes of replies that may wait among other things
        self._passed = 0  # bytes passed to the transport, that did not go straight to the socket
        self._mark: int | None = None  # that, less what the peer had not taken when we last looked
        self._wire = wireOf(transport)
        self.socket: Any = None
        self._socketSend: Any = None
        self._small: Any = getattr(transport, "_aggregator", None)  # where TLS gathers writes
        self.send: Callable[[bytes], None] = self._pass
        if self._wire is not None:
            self._wire.bufferSize = limits.unsent
            self.socket = self._wire.socket
            self._socketSend = self.socket.send
            if isBare(transport):
                self.send = self._direct
            elif isTls(transport) and hasattr(self._small, "_buffer"):
                self.send = self._encrypt
        transport.registerProducer(self, True)

    def sender(self) -> Outlet | None:
        """Who is to send on the socket itself, if that can be done now."""
        return self if self.send == self._direct and not self._state else None

    def unsent(self) -> int:
        """Bytes that wait in the transport; 0 where that cannot be known."""
        return unsent(self._wire) if self._wire is not None else 0

    def isReset(self) -> bool:
        """Whether the peer is gone.  The reactor does not notice while reading is paused."""
        return self._wire is not None and isReset(self._wire)

    def reply(self, data: bytes) -> None:
        """Send what stands in no log, and so cannot be read again later: its sum is bounded."""
        self.send(data)
        if self._volley.isOpen:
            self._volley.release()
        self._owed = min(self._owed + len(data), self.unsent())
        if self._owed > self._limits.replies and self._state < DEAF:
            # More of them may come in this very turn.
            self._state = DEAF
            self._reactor.callLater(0, self._stuck, "too much unread")

    def close(self) -> None:
        """Close in good order: what was sent arrives, if the peer takes it within 5 seconds."""
        if self._state == OVER:
            return
        self._end(OVER, PATIENCE)
        # A paused producer would keep the transport from ever closing.
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        if isBare(self.transport):
            # With something unread a close is a reset: what the kernel still has would be lost.
            self._wire.doRead = partial(swallow, self._wire)
            self._wire.startReading()

    def cut(self) -> None:
        """
        Close in this very call.  What was sent arrives, but not where a handshake is not over, or
        where the peer has sent something that was not read.
        """
        self._end(OVER)
        self.transport.unregisterProducer()
        if not isBare(self.transport):
            self.transport.abortConnection()
        if self._wire is not None:
            self._wire.connectionLost(Failure(ConnectionDone()))

    def lost(self) -> bool:
        """The connection is gone: nothing is sent, nor told. @return: whether a send has failed."""
        failed = self._state == FAILED
        self._end(OVER)
        return failed

    def _end(self, state: int, patience: float = 0.0) -> None:
        """Send no more; abort the connection, if it is still there after C{patience} seconds."""
        if self._volley.isOpen:
            self._volley.release()
        if self.isListed:
            self._volley.changed(self)
        self._state = state
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if patience:
            self._timer = self._reactor.callLater(patience, self.transport.abortConnection)

    # The ways of sending.

    def _direct(self, data: bytes) -> None:
        """On the socket itself, while nothing waits in the transport."""
        if self._state and self._waits(data):
            return
        if self._volley.isOpen:
            self._volley.bring(self, data)
        else:
            self.shoot(data)

    def shoot(self, data: bytes) -> None:
        """The same, now and alone."""
        if self._state and self._waits(data):
            return
        try:
            sent = self._socketSend(data)
        except OSError as error:
            sent = -(error.errno or errno.EIO)
        if sent != len(data):
            self.sent(data, sent)

    def sent(self, data: bytes, result: int) -> None:
        """So many bytes of it went out, and not all; or none, for an C{errno} below 0."""
        if self.isListed:
            self._volley.changed(self)
        if result < 0 and -result not in NO_ROOM:
            # The reactor finds the same when it reads, after what the peer said before.
            self._end(FAILED, PATIENCE)
            return
        self._state = WAITING
        self._wait(data[max(0, result) :], self._wire.write)

    def _waits(self, data: bytes) -> bool:
        """Whether something waits that goes first, or nothing is sent any more."""
        if self._state < DEAF and self.unsent():
            self._wait(data, self._wire.write)
        elif self._state < DEAF:
            self._state = CLEAR
            self._mark = None
        return self._state != CLEAR

    def _encrypt(self, data: bytes) -> None:
        """As TLS on the socket itself: all of it at once, without the transport's own timer."""
        tls = self.transport
        if self._state >= DEAF or tls.disconnecting or tls._lostTLSConnection:
            return
        done = 0
        if tls._handshakeDone and not tls._appSendBuffer and not self._small._buffer:
            try:
                while done < len(data):  # a record of at most 16 KiB at a time
                    done += tls._tlsConnection.send(data[done : done + 16384])
            except SSL.Error:
                pass  # it wants to read first, say: the transport knows what to do
            if done:
                # TLS adds some 30 bytes to each 16 KiB; a ticket for the peer may be there too.
                sealed = tls._tlsConnection.bio_read(done + done // 256 + 4096)
                # The transport may have written something of its own.
                self._state = WAITING
                self._direct(sealed)
        if done < len(data):
            self._pass(data[done:])

    def _pass(self, data: bytes) -> None:
        """By the transport's own way."""
        if self._state < DEAF:
            self._wait(data, self.transport.write)

    def _wait(self, data: bytes, write: Callable[[bytes], None]) -> None:
        """Give it to a transport, which will send it when there is room."""
        self._passed += len(data)
        write(data)
        if self._timer is None:
            self._mark = self._passed - self._left()
            self._timer = self._reactor.callLater(self._limits.stalled, self._look)

    # A peer that takes nothing.

    def _left(self) -> int:
        """Bytes that the peer has not taken: what waits in the transport, and in the kernel."""
        return self.unsent() + (queued(self._wire) if self._wire is not None else 0)

    def _look(self) -> None:
        """Some time after something began to wait: has anything been taken?"""
        waits, mark = self.unsent() or self.busy, self._passed - self._left()
        if waits and mark == self._mark:
            self._stuck(f"nothing was read for {self._limits.stalled:g} s")
            return
        self._mark = mark
        self._timer = self._reactor.callLater(self._limits.stalled, self._look) if waits else None

    def _stuck(self, why: str) -> None:
        if self._state != OVER:
            self._owner.stuck(why)
            self.transport.abortConnection()

    # The transport's producer: it tells us when it is full, and when empty.

    def pauseProducing(self) -> None:
        if not self.busy:
            self.busy = True
            self._tellLater()

    def resumeProducing(self) -> None:
        if self.busy:
            self.busy = False
            self._tellLater()
        if self._wire is not None and self._wire.disconnecting:
            # A wrapper has closed it, and with a producer that was paused it would never close.
            self.transport.unregisterProducer()

    def _tellLater(self) -> None:
        """One call for all there is to tell: two for the same moment may come in any order."""
        if not self._telling:
            self._telling = True
            self._reactor.callLater(0, self._tell)

    def _tell(self) -> None:
        self._telling = False
        if self._state != OVER and not self._isHeld:
            self._isHeld = True
            self._owner.held()
        if self._state != OVER and not self.busy:
            self._isHeld = False
            self._owner.drained()

    def stopProducing(self) -> None:
        """The transport is gone; its protocol is told."""
