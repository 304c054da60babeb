"""
The audit log: who ordered what, when, about whom.

It is written before the order is carried out: what cannot be written down is not done.  Each entry
has a number that is never used again, which is also that of the ban or mute it began.  They are
records of the kind C{audit}, of which only the last few are ever read at once; the oldest go.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred

from mucs.events import LogError
from mucs.imucs import ILog, ISession
from mucs.records import unstored
from mucs.spans import moment

KIND = "audit"

#: Entries that are kept.
KEPT = 100_000

#: Digits of a number, as a key.
DIGITS = 12


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    An order.

    @ivar time: in milliseconds since 1970.
    @ivar who: the name of whoever gave it.
    @ivar account: the key of their account, or nothing.
    @ivar what: in one word: C{kick}.
    @ivar whom: whom it is about, if anyone.
    @ivar room: where, without C{#}; empty for the server.
    @ivar text: what else was said: how long, why.
    """

    time: int
    who: str
    account: str = ""
    what: str
    whom: str = ""
    room: str = ""
    text: str = ""

    def line(self, number: int, account: str) -> str:
        """The same in words. C{account} is the name of theirs, which the key need not be."""
        account = f" (account {account})" if account else " (no account)"
        whom = f" {self.whom}" if self.whom else ""
        where = f" in #{self.room}" if self.room else ""
        text = f": {self.text}" if self.text else ""
        return f"{number} {moment(self.time)} {self.who}{account} {self.what}{whom}{where}{text}"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


class Audit:
    """The audit log of a hall."""

    def __init__(self, store: ILog, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds since 1970."""
        self._store = store
        self._clock = clock
        self._last = 0

    def load(self) -> Deferred[None]:
        """Find out the last number; fires when that is done, and fails with L{LogError}."""
        return self._store.entries(KIND, 1).addCallback(self._loaded)

    def _loaded(self, entries: list[tuple[str, bytes]]) -> None:
        self._last = max((int(key) for key, _ in entries), default=0)

    def write(
        self, session: ISession, what: str, whom: str = "", room: str = "", text: str = ""
    ) -> Deferred[int]:
        """
        Somebody gives an order.

        @return: fires with its number once it is written down; fails with
            L{Refused<mucs.events.Refused>} if it cannot be.
        """
        self._last += 1
        number = self._last
        entry = Entry(
            time=int(self._clock() * 1000),
            who=session.name,
            account=session.account,
            what=what,
            whom=whom,
            room=room,
            text=text,
        )
        written = self._store.put(KIND, f"{number:0{DIGITS}}", _encode(entry))
        if number > KEPT:
            self._store.put(KIND, f"{number - KEPT:0{DIGITS}}", None).addErrback(
                lambda failure: failure.trap(LogError)
            )
        return written.addCallbacks(lambda _: number, unstored, errbackArgs=(KIND,))

    def last(self, count: int) -> Deferred[list[tuple[int, Entry]]]:
        """Fires with the last entries, each with its number, the oldest first."""

        def read(entries: list[tuple[str, bytes]]) -> list[tuple[int, Entry]]:
            return [(int(key), _decode(value)) for key, value in entries]

        return self._store.entries(KIND, count).addCallback(read)
