"""
Tries: how often something may be tried, by anything hashable.

Each key has a level: a try raises it by one, and time lowers it.  Above its bound one has to wait.
Whoever was right is given the try back.

L{Tries} slows the guessing of passwords: per address, and per address and account together.  Never
per account alone: then anyone could lock its owner out; and per address not where it is shared by
all who come that way (a UNIX socket, a trusted listener): then one could lock out all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

#: Keys that one meter knows; the one that was longest without a try goes first.
KEYS = 100_000


class Meter:
    """A level for each key; a key at level 0 is not kept."""

    def __init__(self, burst: float, every: float, clock: Callable[[], float]) -> None:
        """
        @param burst: tries that are allowed at once.
        @param every: seconds after which there is one more.
        @param clock: gives seconds that never go back.
        """
        self._burst = burst
        self._every = every
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many keys are known."""
        return len(self._levels)

    def wait(self, key: Hashable) -> float:
        """Seconds until there may be one more try; 0 for now."""
        return max(0.0, (self._level(key) + 1 - self._burst) * self._every)

    def add(self, key: Hashable, count: float = 1) -> None:
        """There was a try, or C{count} of them; those below 0 are given back."""
        now = self._clock()
        level = self._level(key) + count
        # Taken out and put in again, so that the dict stays in the order of last tries.
        self._levels.pop(key, None)
        if level > 0:
            self._levels[key] = level, now
        self._forget(now)

    def _level(self, key: Hashable) -> float:
        level, at = self._levels.get(key, (0.0, 0.0))
        return max(0.0, level - (self._clock() - at) / self._every) if level else 0.0

    def _forget(self, now: float) -> None:
        while self._levels:
            key, (_, at) = next(iter(self._levels.items()))
            if len(self._levels) <= KEYS and now - at < self._burst * self._every:
                break
            del self._levels[key]


class Tries:
    """Tries of passwords."""

    #: From one address: how many at once, and seconds until one more.
    ADDRESS = (20, 6.0)

    #: From one address, of one account.
    ACCOUNT = (5, 30.0)

    def __init__(self, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds that never go back."""
        self._addresses = Meter(*self.ADDRESS, clock)
        self._accounts = Meter(*self.ACCOUNT, clock)
        self._known: dict[tuple[str, str], None] = {}

    def begin(self, address: str, account: str, shared: bool = False) -> float:
        """
        @param shared: whether all who come that way have the same address.
        @return: 0 if there may be a try, which is counted; or seconds until there may.
        """
        wait = self._accounts.wait((address, account))
        if not shared:
            wait = max(wait, self._addresses.wait(address))
        if not wait:
            self._count(address, account, shared, 1)
        return wait

    def known(self, address: str, account: str) -> bool:
        """Whether someone has been right from there."""
        return (address, account) in self._known

    def right(self, address: str, account: str, shared: bool = False) -> None:
        """That try was right."""
        self.back(address, account, shared)
        self.know(address, account)

    def know(self, address: str, account: str) -> None:
        """Someone from there is the one."""
        self._known.pop((address, account), None)
        self._known[address, account] = None
        if len(self._known) > KEYS:
            del self._known[next(iter(self._known))]

    def back(self, address: str, account: str, shared: bool = False) -> None:
        """That try was none."""
        self._count(address, account, shared, -1)

    def _count(self, address: str, account: str, shared: bool, count: int) -> None:
        if not shared:
            self._addresses.add(address, count)
        self._accounts.add((address, account), count)
