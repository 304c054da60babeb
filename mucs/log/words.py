"""
Searching: the index of words, and what is not in it yet.

Indexing costs as much as storing, so it is not in the commit: it follows in slices between the
turns, and a stored mark says how far it has come. What is past the mark is looked through. What a
word is must be the same on both sides, so FTS5 decides on both: L{Wanted.among} puts texts into an
index in memory for as long as one question takes. It seldom has to: a text in ASCII without the
letters that are looked for cannot hold the word, nor a text without the signs that are looked for
(L{mucs.signs}), which is seen at once.

Always true: what people type is never FTS5's syntax, and an event is in the index exactly if it is
something said, not withdrawn, not pruned, and not past the mark.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing

from mucs.events import FOUND
from mucs.signs import apart, bare, signs

#: What FTS5 takes for a word; as in C{schema.sql}. It is given texts as L{apart} has them.
WORDS = "unicode61 remove_diacritics 2"

#: Events that are indexed at once, and code points of their texts: some 2 ms.
SLICE = 200
SLICE_TEXT = 20_000

#: Pages of the index that are merged at once: some 1 ms.
MERGED = 16

#: Words that are looked for at once; what stands behind them is not looked at.
MOST = 32

#: Whether an event of such a kind can be found, in SQL.
SEARCHED = f"kind IN ({', '.join(repr(kind) for kind in sorted(FOUND))})"


class Wanted:
    """
    The words that someone looks for.

    @ivar query: the same for FTS5, each quoted; empty if there are none.
    """

    def __init__(self, words: str) -> None:
        """@param words: anything at all, separated by white space."""
        # FTS5 ends at a NUL, and UTF-8 has no surrogates.
        clean = words.encode("utf-8", "ignore").decode("utf-8").replace("\0", " ")
        pieces = clean.split()[:MOST]
        self.query = " ".join('"' + apart(piece).replace('"', '""') + '"' for piece in pieces)
        self._signs = signs("".join(pieces))
        self._letters = [
            letters
            for piece in pieces
            if piece.isascii()
            for letters in re.findall("[a-z0-9]+", piece.lower())
        ]

    def among(self, texts: Sequence[str]) -> list[int]:
        """@return: which of the texts hold all the words, by their places."""
        dress = apart if self._signs else bare
        likely = [(at, dress(text)) for at, text in enumerate(texts) if self._isLikely(text)]
        if not likely or not self.query:
            return []
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = '{WORDS}')")
            db.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", likely)
            found = db.execute(
                "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid", (self.query,)
            )
            return [at for (at,) in found]

    def _isLikely(self, text: str) -> bool:
        if not text.isascii():
            # An accent may stand on any letter.
            return all(sign in text for sign in self._signs)
        if self._signs:
            return False
        text = text.lower()
        return all(letters in text for letters in self._letters)


class Index:
    """The index of words in a database. Only C{slice} begins and ends a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def mark(self) -> int:
        """@return: the last event whose words are in the index."""
        (mark,) = self._db.execute("SELECT value FROM marks WHERE name = 'indexed'").fetchone()
        return int(mark)

    def slice(self) -> int:
        """
        Put the words of some more events into the index, in one transaction.

        @return: how many events were looked at; 0 if there were no more.
        @raise sqlite3.Error: and then the transaction may not have ended.
        """
        events: list[tuple[int, int, str]] = []
        last = size = looked = 0
        rows = self._db.execute(
            f"SELECT event, room, text, {SEARCHED} AND NOT withdrawn FROM events"
            " WHERE event > ? ORDER BY event LIMIT ?",
            (self.mark(), SLICE),
        )
        for event, room, text, searched in rows.fetchall():
            last, looked = event, looked + 1
            if searched:
                events.append((event, room, apart(text)))
                size += len(text)
                if size > SLICE_TEXT:
                    break
        if not looked:
            return 0
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO words (rowid, room, text) VALUES (?, ?, ?)", events)
        self._db.execute("UPDATE marks SET value = ? WHERE name = 'indexed'", (last,))
        self._db.execute("COMMIT")
        return looked

    def merge(self) -> bool:
        """
        Merge a few pieces of the index, as there is one more for each slice. (FTS5 would do it by
        itself, but 20 ms at a time.)

        @return: whether there was something to merge.
        """
        before = self._db.total_changes
        self._db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (MERGED,))
        # FTS5's documentation, "The merge command".
        return self._db.total_changes - before >= 2

    def remove(self, events: Iterable[tuple[int, int, str]]) -> None:
        """
        Take events out again.

        @param events: of each its number, its room's row and its text; all of them were in it.
        """
        self._db.executemany(
            "INSERT INTO words (words, rowid, room, text) VALUES ('delete', ?, ?, ?)",
            [(event, room, apart(text)) for event, room, text in events],
        )

    def find(self, wanted: Wanted, rooms: Iterable[int], below: int, limit: int) -> list[int]:
        """
        @param rooms: the rows of the rooms to look in.
        @param below: only events with smaller numbers.
        @return: the numbers of events that hold all the words, the newest first.
        """
        places = " OR ".join(f'"{room}"' for room in rooms)
        found = self._db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (f"room : ({places}) AND text : ({wanted.query})", below, limit),
        )
        return [event for (event,) in found]
