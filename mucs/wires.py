"""
What is at the bottom of a transport: the Twisted connection on a socket, called a wire here.

With L{mucs.outlet} this is all that knows of the inside of Twisted's transports.
"""

from __future__ import annotations

import errno
import fcntl
import select
import sys
import termios
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.tcp import Connection
from twisted.protocols.haproxy._wrapper import HAProxyProtocolWrapper
from twisted.protocols.tls import TLSMemoryBIOProtocol

#: What a send on a socket raises while there is no room for a byte, or a recv while there is none.
NO_ROOM = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS))


def wireOf(transport: Any) -> Any:
    """The wire of a transport; L{None} where there is none we know."""
    while transport is not None and not isinstance(transport, Connection):
        transport = getattr(transport, "transport", None)
    return transport


def isBare(transport: Any) -> bool:
    """Whether what is written to a transport goes to its socket as it is."""
    if isinstance(transport, HAProxyProtocolWrapper):
        transport = transport.transport
    return isinstance(transport, Connection) and not transport.TLS


def isTls(transport: Any) -> bool:
    """Whether what is written to a transport goes to its socket as TLS."""
    return isinstance(transport, TLSMemoryBIOProtocol) and isBare(transport.transport)


def unsent(wire: Any) -> int:
    """Bytes that wait in it."""
    return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)


def queued(wire: Any) -> int:
    """Bytes that wait in the kernel, or on their way; 0 where that cannot be known."""
    try:
        count = fcntl.ioctl(wire.fileno(), termios.TIOCOUTQ, bytes(4))
    except (AttributeError, OSError, ValueError):
        return 0
    return int.from_bytes(count, sys.byteorder)


def isReset(wire: Any) -> bool:
    """Whether the peer is gone."""
    if not wire.connected:
        return False
    poll = select.poll()
    poll.register(wire.fileno(), 0)
    return bool(poll.poll(0))


def swallow(wire: Any) -> Exception | None:
    """In place of a wire's own reading: take what comes, and forget it."""
    try:
        if not all(wire.socket.recv(65536) for _ in range(64)):
            wire.stopReading()
    except OSError as error:
        return None if error.errno in NO_ROOM else ConnectionLost()
    return None
