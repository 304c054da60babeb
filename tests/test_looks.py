"""
Looks: no two names that look alike stand side by side, be they registered or only here.
"""

from __future__ import annotations

import json
import pkgutil
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.accounts import Account, Accounts
from mucs.events import Refused
from mucs.log.memory import MemoryLog
from mucs.looks import _ASCII, confusables, look
from mucs.names import BadName, checkName
from mucs.records import Table
from mucs.register import Register


class Someone:
    """Whom the register knows."""

    def __init__(self, name: str, account: str = "") -> None:
        self.name = name
        self.account = account


def pairs() -> list[tuple[str, str]]:
    """Names that differ only by one line of Unicode's table of lookalikes."""
    data = pkgutil.get_data("confusable_homoglyphs", "confusables.json")
    assert data is not None
    made: set[tuple[str, str]] = set()
    for source, entries in json.loads(data).items():
        for entry in entries:
            try:
                one, other = (
                    checkName(f"bo{sign}x")
                    for sign in (source.strip("\u200e"), entry["c"].strip("\u200e"))
                )
            except BadName:
                continue
            if one != other:
                made.add((min(one, other), max(one, other)))
    return sorted(made)


class LooksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.table = Table(MemoryLog(lambda: 0.0), "account", Account)
        self.accounts = Accounts(self.table, 100, lambda: 0.0)
        self.register = Register("MUCS", self.accounts)

    def both(self, one: str, other: str, registered: bool) -> bool:
        """Whether a second person can be called C{other} while C{one} is a name."""
        first: Any = Someone(one)
        self.table.rows.clear()
        self.accounts._indexed = -1
        if registered:
            self.accounts.add(one, "hash")
        else:
            self.register.claim(first, one)
        second: Any = Someone(other)
        try:
            self.register.claim(second, other)
        except Refused:
            return False
        finally:
            self.register.release(first, one)
            self.register.release(second, other)
        return True

    def test_fiveThousandPairs(self) -> None:
        """None of them stands side by side, here or registered, whoever comes first."""
        every = pairs()
        self.assertGreaterEqual(len(every), 5000)
        beside = [
            (one, other, registered)
            for pair in every
            for one, other in (pair, pair[::-1])
            for registered in (False, True)
            if self.both(one, other, registered)
        ]
        self.assertEqual(beside, [])
        self.assertEqual((self.register._names, self.register._looks), ({}, {}))

    def test_unlike(self) -> None:
        """Names that differ by more than looks stand side by side."""
        for one, other in (("ada", "eva"), ("Elia", "Ella"), ("bob", "bobo"), ("Zoë", "Zoa")):
            self.assertTrue(self.both(one, other, False), (one, other))
            self.assertTrue(self.both(one, other, True), (one, other))

    def test_signsAtTheEnd(self) -> None:
        """They do not tell one name from another, in whatever case; elsewhere they do."""
        pairs = (("bob", "bob."), ("Bob", "bob!?"), ("bob-", "bob_"), ("b\u043eb'", "bob"))
        for one, other in pairs:
            for first, second in ((one, other), (other, one)):
                self.assertFalse(self.both(first, second, False), (first, second))
                self.assertFalse(self.both(first, second, True), (first, second))
        self.assertTrue(self.both("b.ob", "bob", False))
        self.assertEqual((self.register._names, self.register._looks), ({}, {}))

    def test_ascii(self) -> None:
        """What is known of ASCII without the table is what the table has."""
        table = {ord(sign): other for sign, other in confusables().items() if sign.isascii()}
        self.assertEqual(_ASCII, table)

    @given(st.text(max_size=10))
    def test_anyString(self, text: str) -> None:
        """Has a look, and the look of a look is the same."""
        self.assertEqual(look(text), look(look(text)))
