"""
Places: where someone had read to whose line was lost, and the token that gives it back.

On coming in a person is told a token, once.  A session that ends in any way but C{/quit} is
announced as left and frees its name at once; what is kept for a while is where it had read to
in each room, under the token's hash.  A token is good for one return, which brings another.

A log keeps places across a restart, by the wall clock.  For those of this run that clock may
step: they are timed by one that does not.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256
from secrets import token_bytes

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mucs.imucs import ILog

log = Logger()

#: Seconds for which a place is kept.
KEPT = 600

#: Places that are known besides the log's, some 0.5 kB each.
MOST = 100_000


class Place(Struct, frozen=True):
    """
    Where someone had read to.

    @ivar name: what they were called.
    @ivar rooms: for each room they were in, by name, the seq they had read to; the one they
        spoke in is the last.
    @ivar session: the number of the session that had it.
    """

    name: str
    rooms: dict[str, int]
    session: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Place).decode


class Places:
    """The places that are kept; they are remembered by a log, and survive a restart with it."""

    def __init__(
        self, store: ILog, clock: Callable[[], float], seconds: Callable[[], float]
    ) -> None:
        """
        @param clock: gives seconds since 1970.
        @param seconds: gives seconds that never go back.
        """
        self._store = store
        self._clock = clock
        self._seconds = seconds
        # Those of this run, by hash: until when by the one clock and the other.
        self._kept: dict[str, tuple[float, int, Place]] = {}

    def token(self) -> str:
        """A new token: 128 random bits, in letters and digits that are hard to mistake."""
        return b32encode(token_bytes(16)).decode().rstrip("=").lower()

    def keep(self, token: str, place: Place) -> None:
        """Someone's line was lost."""
        self._forget()
        until = int((self._clock() + KEPT) * 1000)
        self._kept[_key(token)] = self._seconds() + KEPT, until, place
        kept = self._store.remember(_key(token), _encode(place), until)
        kept.addErrback(lambda failure: log.failure("a place could not be kept", failure))

    def take(self, token: str) -> Deferred[Place | None]:
        """Fires with the place of a token, which then is of no more use; L{None} for none."""
        kept = self._kept.pop(_key(token), None)
        # Even where it is known here: the log is to forget it.
        stored = self._store.recall(_key(token))
        if kept is None:
            return stored.addCallback(lambda value: None if value is None else _decode(value))
        until, _, place = kept
        stored.addErrback(lambda failure: log.failure("a place could not be forgotten", failure))
        return stored.addCallback(lambda _: place if self._seconds() < until else None)

    def _forget(self) -> None:
        """Drop the first ones, which the log would not give back either."""
        seconds, now = self._seconds(), self._clock() * 1000
        while self._kept:
            key, (soon, until, _) = next(iter(self._kept.items()))
            if len(self._kept) < MOST and (seconds < soon or now < until):
                return
            del self._kept[key]


def _key(token: str) -> str:
    """What a token is stored as: whoever reads the log cannot come back with it."""
    return sha256(token.strip().lower().encode()).hexdigest()
