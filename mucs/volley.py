"""
A volley: sends that go out together.

While a turn is delivered, an L{outlet<mucs.outlet.Outlet>} whose socket is free does not send at
once, but brings here what it has to say.  Some of them at a time go to the kernel with one call
(L{mucs.ring}): the first leave while the last are still being gathered.  Where there is no ring,
a volley is never open, and everyone sends for themselves.

Always true: what an outlet has brought is on its way, or the outlet knows that it is not, before
anything else that it sends, and before it ends.
"""

from __future__ import annotations

from socket import socket
from typing import Protocol

from twisted.application.service import Service
from twisted.logger import Logger

from mucs.ring import Ring

log = Logger()

#: How many sends go together.  With more of them the first one waits; with fewer each costs more.
TOGETHER = 32

#: Fewer than that are sent one by one.
FEW = 3


class Sender(Protocol):
    """
    Who brings something.

    @ivar socket: on which it is to be sent.
    """

    socket: socket

    def shoot(self, data: bytes) -> None:
        """Send it now, by oneself."""

    def sent(self, data: bytes, result: int) -> None:
        """So many bytes of it were sent, and not all; or none, for an C{errno} below 0."""


class Volley(Service):
    """
    @ivar isOpen: whether what is to be sent is to be brought here.
    """

    name = "volley"

    def __init__(self) -> None:
        self.isOpen = False
        self._ring: Ring | None = None
        self._brought: dict[Sender, bytes] = {}

    def startService(self) -> None:
        """From now on there is a ring, if the kernel has one for us."""
        super().startService()
        try:
            self._ring = Ring()
        except (OSError, AttributeError, ValueError) as error:
            log.info("each send is a call of its own: no io_uring here ({why})", why=error)

    def stopService(self) -> None:
        """Everyone sends for themselves again."""
        super().stopService()
        self.fire()
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()

    def open(self) -> None:
        """From now on sends are gathered, if that is possible."""
        self.isOpen = self._ring is not None

    def bring(self, sender: Sender, data: bytes) -> None:
        """This is to be sent, while it is open."""
        brought = self._brought
        if sender in brought:
            # Which may have to wait now for what goes first.
            self.release()
            sender.shoot(data)
            return
        brought[sender] = data
        if len(brought) == TOGETHER:
            self.release()

    def fire(self) -> None:
        """Send all there is; from now on nothing is gathered."""
        self.isOpen = False
        if self._brought:
            self.release()

    def release(self) -> None:
        """Send what was brought so far."""
        brought = self._brought
        senders, pieces = list(brought), list(brought.values())
        brought.clear()
        ring = self._ring
        if ring is None or len(pieces) <= FEW:
            for sender, piece in zip(senders, pieces, strict=True):
                sender.shoot(piece)
            return
        results = ring.send([sender.socket.fileno() for sender in senders], pieces)
        if results != list(map(len, pieces)):
            for sender, piece, result in zip(senders, pieces, results, strict=True):
                if result != len(piece):
                    sender.sent(piece, result)
