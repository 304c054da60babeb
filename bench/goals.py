"""
Goals: what a figure (L{bench.figures}) is to be, by itself or beside that of other servers.

Where several are named, the best of them in the same round counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: The servers that stand for what C can do.
C = ("climit", "linger")

Unit = Literal["percent", "times", "bytes", "MiB", "all"]


@dataclass(frozen=True)
class Goal:
    """
    @ivar figure: which figure it is about.
    @ivar relation: whether it is to be at least, or at most, so much.
    @ivar bound: how much: a factor, where it is compared; bytes or kB where it is not.
    @ivar against: whom it is compared with; nobody, if empty.
    @ivar what: the same in words.
    @ivar unit: how it is written.
    """

    figure: str
    relation: Literal["least", "most"]
    bound: float
    against: tuple[str, ...]
    what: str
    unit: Unit

    def isReached(self, value: float) -> bool:
        """Whether a figure is good enough."""
        return value >= self.bound if self.relation == "least" else value <= self.bound


def ofC(share: float) -> Goal:
    """So much of the better C server's deliveries."""
    return Goal("deliveries", "least", share, C, "of C", "percent")


def times(factor: float, server: str, what: str, figure: str = "deliveries") -> Goal:
    """So many times what another server does."""
    return Goal(figure, "least", factor, (server,), what, "times")


ALL = Goal("complete", "least", 1.0, (), "delivered", "all")
