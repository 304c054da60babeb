"""
Small things beside what was said, in a database: what is remembered for a while, and what is kept
for good.  Whoever calls is in a transaction where something is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping


class Records:
    """The tables C{remembered} and C{records}."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def remember(self, values: Mapping[str, bytes], until: int, now: int) -> None:
        """Keep values until a time; times are milliseconds since 1970."""
        # Those that nobody asked for go now.
        self._db.execute("DELETE FROM remembered WHERE until <= ?", (now,))
        rows = [(key, value, until) for key, value in values.items()]
        self._db.executemany("REPLACE INTO remembered VALUES (?, ?, ?)", rows)

    def recall(self, key: str, now: int) -> bytes | None:
        """@return: a value that was kept; then it is forgotten."""
        row = self._db.execute(
            "SELECT value FROM remembered WHERE key = ? AND until > ?", (key, now)
        ).fetchone()
        self._db.execute("DELETE FROM remembered WHERE key = ?", (key,))
        return None if row is None else bytes(row[0])

    def put(self, kind: str, key: str, value: bytes | None) -> None:
        """Keep a record, or remove it."""
        if value is None:
            self._db.execute("DELETE FROM records WHERE kind = ? AND key = ?", (kind, key))
        else:
            self._db.execute("REPLACE INTO records VALUES (?, ?, ?)", (kind, key, value))

    def entries(self, kind: str, last: int) -> list[tuple[str, bytes]]:
        """@return: the records with the C{last} so many keys of a kind, or all if 0, by key."""
        rows = self._db.execute(
            "SELECT key, value FROM records WHERE kind = ? ORDER BY key DESC LIMIT ?",
            (kind, last or -1),
        ).fetchall()
        return [(str(key), bytes(value)) for key, value in reversed(rows)]
