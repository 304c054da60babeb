"""
Sending one batch at a time, to clients that take what one C{recv} gives them for one message.

Some old clients print one C string, or one line, for each C{recv}: of two messages that arrive
together they show the first, or glue them.  What comes within a pace (40 ms) of the last send
therefore waits, and goes out as one batch with line ends between its lines.  Waiting needs no
queue of events: while L{Paced} is busy its owner's cursors stay where they are.  What waits here
is the rest of what it was given at once, and replies, whose sum is bounded.
"""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mucs.outlet import Outlet, Owner
from mucs.rules import Limits
from mucs.text import cut

#: Seconds for what waits to go out in its time, once the connection is to be closed.
FAREWELL = 2.0


class Paced:
    """
    @ivar busy: whether something was sent so short a time ago that the owner is to wait.
    """

    __slots__ = (
        "_closing",
        "_end",
        "_farewell",
        "_limits",
        "_outlet",
        "_owner",
        "_pace",
        "_queue",
        "_reactor",
        "_size",
        "_timer",
        "_waiting",
        "busy",
    )

    def __init__(
        self,
        outlet: Outlet,
        reactor: IReactorTime,
        limits: Limits,
        owner: Owner,
        pace: float,
        size: int,
        end: bytes,
    ) -> None:
        """
        @param pace: seconds between two sends.
        @param size: bytes that one send may have, its end included.
        @param end: what ends a batch, in place of its last line's end.
        """
        self.busy = False
        self._outlet = outlet
        self._reactor = reactor
        self._limits = limits
        self._owner = owner
        self._pace = pace
        self._size = size - len(end)
        self._end = end
        self._queue: deque[bytes] = deque()
        self._waiting = 0  # bytes of replies that may still be in the queue
        self._closing = False
        self._timer: IDelayedCall | None = None
        self._farewell: IDelayedCall | None = None

    def send(self, data: bytes) -> None:
        """Send lines that end in C{\\n}, now or with the next batch."""
        if self._closing or not data:
            return
        self._queue.append(data)
        if not self.busy:
            self.busy = True
            self._next()
            self._reactor.callLater(0, self._owner.held)

    def reply(self, data: bytes) -> None:
        """Send what stands in no log, and so cannot be read again later: its sum is bounded."""
        if self._closing:
            return
        self._waiting += len(data)
        self.send(data)
        if self._waiting > self._limits.replies:
            self._stop()
            self._reactor.callLater(0, self._stuck)

    @property
    def straight(self) -> Outlet:
        """The outlet it stands before."""
        return self._outlet

    def isReset(self) -> bool:
        """Whether the peer is gone."""
        return self._outlet.isReset()

    def close(self) -> None:
        """Send what waits, in its time, and close then."""
        if self._closing:
            return
        self._closing = True
        if self._queue:
            self._farewell = self._reactor.callLater(FAREWELL, self._close)
        else:
            self._close()

    def cut(self) -> None:
        """Close in this very call."""
        self._stop()
        self._outlet.cut()

    def sender(self) -> Outlet | None:
        """Nobody else sends here, or it would be too soon."""
        return None

    def lost(self) -> bool:
        """The connection is gone. @return: whether a send has failed."""
        self._stop()
        return self._outlet.lost()

    def _close(self) -> None:
        self._stop()
        self._outlet.close()

    def _stuck(self) -> None:
        self._owner.stuck("too much unread")
        self._outlet.transport.abortConnection()

    def _stop(self) -> None:
        self._closing = True
        self._queue.clear()
        for call in (self._timer, self._farewell):
            if call is not None and call.active():
                call.cancel()

    def _next(self) -> None:
        """Send a batch."""
        data = b"".join(self._queue)
        self._queue.clear()
        piece, rest = data, b""
        if len(data) > self._size + 1:
            at = data.rfind(b"\n", 0, self._size + 1) + 1 or cut(data, self._size)
            piece, rest = data[:at], data[at:]
        if rest:
            self._queue.append(rest)
        self._waiting = min(self._waiting, len(rest))
        self._outlet.send(piece.removesuffix(b"\n") + self._end)
        self._timer = self._reactor.callLater(self._pace, self._quiet)

    def _quiet(self) -> None:
        """It is time for the next batch."""
        if self._queue:
            self._next()
        elif self._closing:
            self._close()
        elif self._outlet.busy:
            self._timer = self._reactor.callLater(self._pace, self._quiet)
        else:
            self.busy = False
            self._owner.drained()
