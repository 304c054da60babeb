"""
Places: where someone had read to whose line was lost, and the token that gives it back.

On coming in a person is told a token, once.  A session that ends in any way but C{/quit} is
announced as left and frees its name at once; what is kept for a while is where it had read to
in each room, under the token's hash.  A token is good for one return, which brings another.

A log keeps places across a restart, by the wall clock.  For those of this run that clock may
step: they are timed by one that does not.  So that a crash is no end either, the places of all who
are in are I{noted} there from time to time: who comes back to one of those is shown everything
since, which repeats what they had seen of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from os import urandom

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mucs.imucs import ILog

log = Logger()

#: What a token is written with, 5 bits each: that each stands eight times makes none likelier.
SIGNS = b"abcdefghijklmnopqrstuvwxyz234567" * 8

#: Seconds for which a place is kept.
KEPT = 600

#: Seconds after which the places of those who are in are noted again.
NOTED = 60

#: Places that are known besides the log's, some 0.5 kB each.
MOST = 100_000


class Place(Struct, frozen=True):
    """
    Where someone had read to.

    @ivar name: what they were called.
    @ivar rooms: for each room they were in, by name, the seq they had read to; the one they
        spoke in is the last.
    @ivar session: the number of the session that had it.
    @ivar sanctions: the numbers of the bans and mutes that go with them.
    @ivar passes: what lets them into rooms: seconds for which, and the key that was known.
    @ivar noted: when it was noted of someone who was in, in ms since 1970; 0 for a line's loss.
    @ivar former: the numbers of the sessions that they had before that one, by earlier returns.
    """

    name: str
    rooms: dict[str, int]
    session: int
    sanctions: tuple[int, ...] = ()
    passes: dict[str, tuple[float, str]] = {}
    former: tuple[int, ...] = ()
    noted: int = 0

    def elsewhere(self) -> Place:
        """The same, in another run: there its sessions' numbers are other people's."""
        return replace(self, session=0, former=())


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
        self._gathered: dict[str, bytes] | None = None
        self._noted: Mapping[str, bytes] = {}

    def token(self) -> str:
        """A new token: 130 random bits, in letters and digits that are hard to mistake."""
        return urandom(26).translate(SIGNS).decode()

    def keep(self, token: str, place: Place) -> None:
        """Someone's line was lost."""
        self._forget()
        until = int((self._clock() + KEPT) * 1000)
        self._kept[_key(token)] = self._seconds() + KEPT, until, place
        if self._gathered is None:
            self._remember({_key(token): _encode(place)}, until)
        else:
            self._gathered[_key(token)] = _encode(place)

    def note(self, places: Mapping[str, Place]) -> None:
        """These are the places, by their tokens, of all who are in: a crash is to leave them."""
        now = int(self._clock() * 1000)
        self._noted = {
            _key(token): _encode(replace(place, noted=now)) for token, place in places.items()
        }
        if self._noted:
            self._remember(self._noted, now + KEPT * 1000)

    def forget(self, token: str) -> None:
        """This token is of no use any more, though its place was noted perhaps."""
        if _key(token) in self._noted:
            gone = self._store.recall(_key(token))
            gone.addErrback(lambda failure: log.failure("a place could not be forgotten", failure))

    def gather(self) -> None:
        """Many lose their line at once: keep those places together, at the next L{flush}."""
        self._gathered = {}

    def flush(self) -> None:
        """Keep what was gathered."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self._remember(gathered, int((self._clock() + KEPT) * 1000))

    def _remember(self, values: Mapping[str, bytes], until: int) -> None:
        kept = self._store.remember(values, until)
        kept.addErrback(lambda failure: log.failure("a place could not be kept", failure))

    def take(self, token: str) -> Deferred[Place | None]:
        """Fires with the place of a token, which then is of no more use; L{None} for none."""
        kept = self._kept.pop(_key(token), None)
        # Even where it is known here: the log is to forget it.
        stored = self._store.recall(_key(token))
        if kept is None:
            # Who is not known here was here in another run, or very long ago.
            return stored.addCallback(lambda value: _decode(value).elsewhere() if value else None)
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
