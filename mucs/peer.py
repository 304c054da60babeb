"""
The peer: what the kernel knows of who is at the other end of a socket.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

#: Where C{struct tcp_info} (linux/tcp.h) has how often it sent, and probed, without an answer.
_RETRANSMITS, _PROBES = 2, 3


def user(transport: Any) -> int | None:
    """The number of the user at the other end of a UNIX socket, when it connected (unix(7))."""
    wire = _socket(transport)
    if wire is None or wire.family != socket.AF_UNIX:
        return None
    _, uid, _ = struct.unpack("3i", wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


def isOurs(transport: Any) -> bool:
    """Whether that is the user this server runs as, or root."""
    return user(transport) in (0, os.geteuid())


def isSilent(transport: Any) -> bool:
    """Whether TCP has sent something again, as nobody acknowledged it."""
    wire = _socket(transport)
    if wire is None or wire.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    try:
        info = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 4)
    except OSError:
        return True
    return bool(info[_RETRANSMITS] or info[_PROBES])


def _socket(transport: Any) -> Any:
    """The socket below a transport, and what it is wrapped in; L{None} if there is none."""
    while transport is not None and not hasattr(transport, "socket"):
        transport = getattr(transport, "transport", None)
    return getattr(transport, "socket", None)
