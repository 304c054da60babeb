"""
Servers that are no MUCS, by what they say first.
"""

from __future__ import annotations

#: What a MUCS server says first, whichever way it speaks: anything else is another server.
BEGINNINGS = (b"-- ", b"! ", b"{")

#: What other servers begin with, and what they are.
OTHERS = (
    (b"SSH-", "is an SSH server"),
    (b"HTTP/", "is a web server"),
    (b"\x15\x03", "speaks TLS: mucs tls:HOST:PORT"),
    (b"220 ", "is a mail or FTP server"),
    (b"+OK", "is a mail server"),
    (b"* OK", "is a mail server"),
    (b"RFB ", "is a VNC server"),
)


def mayBeMucs(data: bytes) -> bool:
    """Whether a MUCS server may have said so, or be about to. @param data: its first bytes."""
    return any(begin.startswith(data) or data.startswith(begin) for begin in BEGINNINGS)


def isMucs(data: bytes) -> bool:
    """Whether it is clear that one has. @param data: its first bytes."""
    return data.startswith(BEGINNINGS)


def stranger(data: bytes) -> str:
    """What a server is that is known, and is no chat; or nothing."""
    return next((what for begin, what in OTHERS if data.startswith(begin)), "")
