"""
Pairs: the private rooms of two registered people, which have a place in the log.

Such a room's name is made of the two accounts, and is one that no other room can have: it begins
with a comma, and two other accounts do not give the same.  (The accounts' keys side by side would
not do: some signs in a name fold to what holds a comma.)  What says whose it is is a record, so
that a search finds the rooms of someone who has not spoken there since the start.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct
from twisted.python.failure import Failure

from mucs.events import Refused
from mucs.records import Table


class Pair(Struct, frozen=True):
    """The keys of the accounts of two people who have a private room; in their order."""

    one: str
    other: str


class Pairs:
    """Who has a private room with whom, by the room's name."""

    def __init__(self, table: Table[Pair]) -> None:
        self._table = table
        self._names: dict[str, dict[str, None]] | None = None

    @staticmethod
    def room(one: str, other: str) -> str:
        """The name of the private room of two accounts, whether there is one or not."""
        # Hexadecimal, because it comes unchanged, or the same for the same, from L{names.fold}.
        both = "\0".join(sorted((one, other)))
        return "," + sha256(both.encode("utf-8", "replace")).hexdigest()[:32]

    def begin(self, one: str, other: str) -> str:
        """The name of the private room of two accounts, which is about to be used."""
        name = self.room(one, other)
        known = self._known()
        if name not in known.setdefault(one, {}):
            known[one][name] = known.setdefault(other, {})[name] = None
            pair = Pair(*sorted((one, other)))
            self._table.put(name, pair).addErrback(self._unkept, pair, name)
        return name

    def of(self, account: str) -> list[str]:
        """The names of the private rooms that someone with an account has; for none, none."""
        return list(self._known().get(account, ()))

    def other(self, account: str, name: str) -> str:
        """Who else has such a room that C{account} has: the key; nothing if it has no such one."""
        pair = self._table.rows.get(name)
        if pair is None or account not in (pair.one, pair.other):
            return ""
        return pair.other if account == pair.one else pair.one

    def isOf(self, account: str, name: str) -> bool:
        """Whether one of those is called so."""
        return name in self._known().get(account, ())

    def _unkept(self, failure: Failure, pair: Pair, name: str) -> None:
        # The next word between them tries again.
        failure.trap(Refused)
        for account in (pair.one, pair.other):
            self._known()[account].pop(name, None)

    def _known(self) -> dict[str, dict[str, None]]:
        """By account.  The table was not read yet when this was made."""
        if self._names is None:
            self._names = {}
            for name, pair in self._table.rows.items():
                for account in (pair.one, pair.other):
                    self._names.setdefault(account, {})[name] = None
        return self._names
