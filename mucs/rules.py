"""
What is allowed, and how much of it: the numbers, and the two counters that need a clock.

L{Limits} holds the whole server's bounds and L{Policy} what one listener's people are
treated to; both come from the configuration and are checked there.
"""

from __future__ import annotations

import resource
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mucs.text import counted

Count = Annotated[int, Meta(ge=1)]
Many = Annotated[int, Meta(ge=0)]
# No reactor can wait for more than 24.8 days: epoll raises then, and goes on raising.
Patience = Annotated[float, Meta(gt=0, le=86400)]  # seconds, up to a day

#: The slowest rate, a line in a quarter of an hour.
SLOWEST = 0.001


class Limits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds on memory, time and patience; C{etc/mucs.toml} says what each is for."""

    line: Annotated[int, Meta(ge=64, le=65536)] = 4096  # bytes of text
    frame: Annotated[int, Meta(ge=1024)] = 16384  # bytes of a JSON object
    unended: Annotated[int, Meta(ge=1024)] = 65536  # bytes of an over-long line, then closed
    name: Annotated[int, Meta(ge=1, le=64)] = 32  # code points
    room: Annotated[int, Meta(ge=1, le=100)] = 50  # code points
    topic: Annotated[int, Meta(ge=1, le=4096)] = 300  # code points
    naming: Patience = 30.0  # seconds from accept, or admission, to a name
    address: Many = 64  # connections at a time from one address; 0: any number
    arrivals: Many = 256  # connections in ten minutes from one address; 0: any number
    connections: Many = 0  # in all; 0: the file descriptors there are, less 64
    burst: Count = 50  # lines that go through at once
    rate: Annotated[float, Meta(ge=0, le=1e6)] = 4.0  # lines a second after that; 0: no limit
    waiting: Count = 50  # lines that may wait before reading pauses
    segments: Annotated[int, Meta(ge=1024)] = 65536  # bytes waiting, where reading cannot pause
    rooms: Count = 100  # that one person may be in
    owned: Many = 20  # that one member may own
    behind: Count = 1000  # events a slow reader may be behind, and that a room keeps in memory
    resume: Many = 50  # events shown to one who was further behind than that
    recent: Annotated[int, Meta(ge=1024)] = 1 << 20  # bytes of text that a room keeps in memory
    history: Annotated[int, Meta(ge=0, le=1000)] = 20  # things said that are shown on joining
    unsent: Annotated[int, Meta(ge=1024)] = 65536  # bytes unsent; then one falls behind
    replies: Annotated[int, Meta(ge=1024)] = 262144  # bytes of replies unsent, then closed
    stalled: Patience = 30.0  # seconds in which no byte is taken, then closed
    gather: Annotated[float, Meta(ge=0, le=1)] = 0.002  # seconds, while input keeps coming
    accounts: Many = 10_000  # that may be registered
    events: Count = 4096  # in one batch
    batch: Annotated[int, Meta(ge=1024)] = 1 << 20  # bytes of text in one batch

    def __post_init__(self) -> None:
        if 0 < self.rate < SLOWEST:
            raise ValueError(f"the rate is 0 (no limit) or at least {SLOWEST}")


class Policy(Struct, frozen=True, kw_only=True):
    """
    How the people of one listener are treated: what a dialect comes with, and what a
    listener's configuration may change of it.

    @ivar echo: what people see of what they say: C{none}, the C{line} as everyone sees it, or an
        C{ack}nowledgment.
    @ivar seats: how many may be in at a time; 0 for any number.
    @ivar full: whether one who finds no seat may C{wait} for one, or is C{refuse}d.
    @ivar naming: whether people are C{ask}ed for a name, or are called by their C{address}.
    @ivar history: whether things said earlier, and the message of the day, are shown.
    @ivar console: whether the console plugin writes lines for them.
    @ivar guests: whether people without an account may come in.
    @ivar passwords: whether passwords may be typed here: nobody can read them on their way.
    @ivar admins: whether the server's own user, and root, are admins; on UNIX sockets only.
    """

    echo: Literal["none", "line", "ack"] = "none"
    seats: int = 0
    full: Literal["wait", "refuse"] = "wait"
    naming: Literal["ask", "address"] = "ask"
    history: bool = True
    console: bool = False
    guests: bool = True
    passwords: bool = False
    admins: bool = False


class Bucket:
    """
    A token bucket: C{burst} at once, then C{rate} a second.  With a rate of 0 never empty.
    """

    __slots__ = ("_at", "_burst", "_clock", "_rate", "_tokens")

    def __init__(self, burst: float, rate: float, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds that never go back."""
        self._burst = self._tokens = burst
        self._rate = rate
        self._clock = clock
        self._at = clock() if rate else 0.0

    def take(self, count: int = 1) -> bool:
        """Take as many tokens, if there are as many."""
        if not self._rate:
            return True
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True

    def lend(self, count: int) -> None:
        """Put as many tokens more into it, beyond the burst."""
        self.take(0)  # what time has brought, while it is still bounded by the burst
        self._burst += count
        self._tokens += count

    def wait(self) -> float:
        """Seconds until there is a token to take."""
        if not self._rate:
            return 0.0
        # A hair more than is needed, so that rounding does not leave us just short of it.
        return max(0.0, (1.0 - self._tokens) / self._rate) + 1e-6


class Addresses:
    """
    How many connections come from where.  An IPv6 address counts as its /64, which is what one
    household is given.
    """

    WINDOW = 600.0  # seconds

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._now: dict[str, int] = {}
        self._arrivals: dict[str, deque[float]] = {}

    @staticmethod
    def network(address: str) -> str:
        """What counts as one address."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return address
        if isinstance(parsed, IPv6Address):
            if parsed.ipv4_mapped:
                return str(parsed.ipv4_mapped)
            return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
        return str(parsed)

    def enter(self, address: str) -> str | None:
        """
        Count one connection more.

        @return: L{None}, or one line that says why there is no room for it; then it is
            not counted.
        """
        key = self.network(address)
        limits, now = self.limits, self._clock()
        if limits.address and self._now.get(key, 0) >= limits.address:
            there = "there is" if limits.address == 1 else "there are"
            return f"{there} {counted(limits.address, 'connection')} from your address already"
        if limits.arrivals:
            self._forget(now)
            # Taken out and put in again, so that the dict stays in the order of last arrivals.
            arrivals = self._arrivals.pop(key, None) or deque()
            self._arrivals[key] = arrivals
            while arrivals and now - arrivals[0] >= self.WINDOW:
                arrivals.popleft()
            if len(arrivals) >= limits.arrivals:
                minutes = ceil((arrivals[0] + self.WINDOW - now) / 60)
                return f"too many connections from your address: come back in {minutes} min"
            arrivals.append(now)
        self._now[key] = self._now.get(key, 0) + 1
        return None

    def leave(self, address: str) -> None:
        """Count one connection less."""
        key = self.network(address)
        left = self._now.get(key, 0) - 1
        if left > 0:
            self._now[key] = left
        else:
            self._now.pop(key, None)

    def _forget(self, now: float) -> None:
        """Drop the addresses from which nobody came within the window: they stand first."""
        while self._arrivals:
            key = next(iter(self._arrivals))
            if self._arrivals[key] and now - self._arrivals[key][-1] < self.WINDOW:
                break
            del self._arrivals[key]


def descriptors() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20
