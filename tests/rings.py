"""
A ring without a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

from mucs.ring import Part, join


class PretendedRing:
    """What a ring can send, made of C{send}, which each kind of these has."""

    def send(self, sockets: Sequence[int], pieces: list[bytes]) -> dict[int, int]:
        raise NotImplementedError

    def sendSame(self, sockets: Sequence[int], data: bytes) -> dict[int, int]:
        return self.send(sockets, [data] * len(sockets))

    def sendParts(self, sockets: Sequence[int], pieces: Sequence[Sequence[Part]]) -> dict[int, int]:
        return self.send(sockets, list(map(join, pieces)))
