"""
Accounts: the names that are registered, and what their owners are known by.

They are records (L{mucs.records}): all in memory, by folded name, and true once stored.  The key of
an account is its name, folded; L{Accounts.other} says whose name another one could be taken for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator

from msgspec import Struct
from twisted.internet.defer import Deferred

from mucs.events import Refused
from mucs.looks import bare, look
from mucs.names import fold, starts
from mucs.records import Table

#: Bytes in a password.  The upper bound is there for whoever sends a file.
SHORTEST, LONGEST = 8, 1024

# What a further connection of an account is called, with whatever looks like a hyphen.
_NUMBERED = re.compile(r"(.+?) ?[-\u2010-\u2015\u2212] ?\d+")


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    @ivar name: as it is shown.
    @ivar hash: of its password; empty where that is kept elsewhere.
    @ivar created: milliseconds since 1970.
    """

    name: str
    hash: str = ""
    created: int = 0


class Accounts:
    """@ivar admins: the keys of those who are admins of the server."""

    def __init__(self, table: Table[Account], most: int, clock: Callable[[], float]) -> None:
        """
        @param most: how many may be registered.
        @param clock: gives seconds since 1970.
        """
        self.admins: Collection[str] = ()
        self._table = table
        self._most = most
        self._clock = clock
        self._indexed = -1  # how many accounts the three below know
        self._looks: dict[str, str] = {}  # keys, by look
        self._bare: dict[str, str] = {}  # keys of names that end in signs, by what is before those
        self._starts: dict[str, set[str]] = {}  # keys of names with spaces, by how they begin

    def __len__(self) -> int:
        """How many there are."""
        return len(self._table.rows)

    def __iter__(self) -> Iterator[Account]:
        """All of them, by name."""
        return (self._table.rows[key] for key in sorted(self._table.rows))

    def find(self, name: str) -> Account | None:
        """The account of that name."""
        return self._table.rows.get(fold(name))

    def get(self, key: str) -> Account | None:
        """The account with that key."""
        return self._table.rows.get(key)

    @staticmethod
    def key(account: Account) -> str:
        """The key of an account."""
        return fold(account.name)

    def other(self, name: str, mine: str = "") -> str:
        """
        @param mine: the key of an account.
        @return: the name of an account, another than C{mine}, that C{name} is, looks like, begins
            with, or is the beginning of, at a space, or that it would be a further connection of
            (C{ada-2}); or nothing.
        """
        rows = self._table.rows
        key = fold(name)
        if key == mine or not rows:
            return ""
        self._index()
        plain = fold(bare(name))
        alike = {key, plain, self._looks.get(look(bare(name)), ""), self._bare.get(plain, "")}
        if numbered := _NUMBERED.fullmatch(bare(name)):
            alike.add(fold(numbered[1]))
        found = (alike | starts(name)) & rows.keys()
        found |= self._starts.get(key, set())
        return next((rows[each].name for each in sorted(found) if each != mine), "")

    def add(self, name: str, hash: str = "") -> Deferred[Account]:
        """
        There is a new account.

        @return: fires with it once it is stored; fails with L{Refused}.
        """
        account = Account(name=name, hash=hash, created=int(self._clock() * 1000))
        return self._table.put(fold(name), account)

    def change(self, account: Account, hash: str) -> Deferred[Account]:
        """It has another password; fires and fails as L{add} does."""
        changed = Account(name=account.name, hash=hash, created=account.created)
        return self._table.put(fold(account.name), changed)

    def room(self) -> None:
        """@raise Refused: there are as many accounts as there may be."""
        if len(self) >= self._most:
            raise Refused("there are as many accounts as there may be; ask an admin of the server")

    def _index(self) -> None:
        """Accounts are never removed while the server runs, so their number tells if one is new."""
        rows = self._table.rows
        if self._indexed == len(rows):
            return
        self._indexed = len(rows)
        self._looks = {look(bare(account.name)): key for key, account in rows.items()}
        ends = [(fold(bare(each.name)), key) for key, each in rows.items()]
        self._bare = {plain: key for plain, key in ends if plain != key}
        self._starts = {}
        for key, account in rows.items():
            for start in starts(account.name):
                self._starts.setdefault(start, set()).add(key)


def secret(text: str) -> str:
    """What was typed as a password, in the one form in which it is compared."""
    return unicodedata.normalize("NFC", text.strip())


def checkPassword(text: str) -> str:
    """A new password. @raise Refused: it cannot be one."""
    password = secret(text)
    if not SHORTEST <= len(password.encode()) <= LONGEST:
        raise Refused(f"a password has {SHORTEST} to {LONGEST} bytes; longer ones are better")
    return password
