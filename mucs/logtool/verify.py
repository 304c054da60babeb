"""
C{mucs-log verify}: reads all of a database, and says what is wrong with it.

What is looked at: that SQLite's own structures are whole; that each room's numbers have no gap, its
times do not go back, its row says where they end, and its events are such as a server writes; that
the marks are there; and that the index of words holds exactly what was said, is not withdrawn, and
is not past the mark, word by word.

It is one read transaction, so what the server does meanwhile is no fault. Nothing is changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files

from mucs.events import Event, LogError
from mucs.log.shelves import EVENT
from mucs.log.steps import why
from mucs.log.words import SEARCHED, WORDS
from mucs.logtool import lines
from mucs.logtool.reader import Reader
from mucs.logtool.work import Work
from mucs.signs import apart

#: Faults of one kind that are told; a damaged page has hundreds.
MOST = 20

#: The same for SQLite's own check.
PAGES = 100


def verify(database: str, work: Work) -> Iterator[str]:
    """
    Read it.

    @return: one line for each fault, as it is found.
    @raise mucs.logtool.work.ToolError: it is nothing that could have such faults.
    """
    try:
        with Reader(database, work) as reader, reader.snapshot():
            for look in (_parts, _pages, _rooms, _orphans, _marks, _words):
                yield from _guarded(look, reader.db, work)
    except LogError as error:
        yield str(error)
    except sqlite3.Error as error:
        if work.stopped is not None:
            raise work.stopped from error
        yield f"{database}: it cannot be read: {why(error)}"


def _guarded(
    look: Callable[[sqlite3.Connection, Work], Iterator[str]], db: sqlite3.Connection, work: Work
) -> Iterator[str]:
    """What cannot be read is a fault, and no reason not to look further."""
    try:
        yield from look(db, work)
    except (sqlite3.Error, ValueError, TypeError) as error:
        if work.stopped is not None:
            raise work.stopped from error
        yield f"{_NAMES[look]} cannot be read: {why(error)}"


def _parts(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    """The tables and indexes are there."""
    query = "SELECT type || ' ' || name FROM sqlite_master"
    with closing(sqlite3.connect(":memory:")) as example:
        example.executescript(files("mucs.log").joinpath("schema.sql").read_text("utf-8"))
        wanted = {part for (part,) in example.execute(query)}
    for part in sorted(wanted - {part for (part,) in db.execute(query)}):
        yield f"the {part} is missing"


def _pages(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    """SQLite's own check."""
    work.begin("checking pages")
    with work.interrupting(db):
        found = db.execute(f"PRAGMA integrity_check({PAGES})").fetchall()
    for (text,) in found:
        if text != "ok":
            yield from (f"SQLite: {line}" for line in str(text).splitlines() if line[:3] != "***")


def _rooms(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    """The numbers and times of each room."""
    rooms = db.execute("SELECT room, name, head, time, pruned FROM rooms ORDER BY room").fetchall()
    work.begin("checking rooms", len(rooms))
    for at, (row, name, head, time, pruned) in enumerate(rooms):
        work.at(at)
        yield from _room(db, row, f"#{name}", head, time, pruned)


def _room(
    db: sqlite3.Connection, row: int, name: str, head: int, time: int, pruned: int
) -> Iterator[str]:
    count, first, last = db.execute(
        "SELECT count(*), min(seq), max(seq) FROM events WHERE room = ?", (row,)
    ).fetchone()
    if not count:
        if head != pruned:
            yield f"{name}: {_numbers(pruned + 1, head)} missing"
        return
    if first <= pruned:
        yield f"{name}: number {first} is there, and pruned up to {pruned}"
    elif first != pruned + 1:
        yield f"{name}: {_numbers(pruned + 1, first - 1)} missing"
    if last - first + 1 != count:
        for low, high in db.execute(
            "SELECT before + 1, seq - 1 FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before"
            " FROM events WHERE room = ?) WHERE seq != before + 1 LIMIT ?",
            (row, MOST),
        ):
            yield f"{name}: {_numbers(low, high)} missing"
    if last < head:
        yield f"{name}: {_numbers(last + 1, head)} missing"
    elif last > head:
        yield f"{name}: number {last} is there, and it ends at {head}"
    yield from _events(db, row, name)
    (ended,) = db.execute(
        "SELECT time FROM events WHERE room = ? AND seq = ?", (row, last)
    ).fetchone()
    if ended != time:
        yield f"{name}: its time is {time}, and that of its last event {ended}"
    for (seq,) in db.execute(
        "SELECT seq FROM (SELECT seq, time, lag(time) OVER (ORDER BY seq) AS before"
        " FROM events WHERE room = ?) WHERE time < before LIMIT ?",
        (row, MOST),
    ):
        yield f"{name}: number {seq} is earlier than the one before it"


def _events(db: sqlite3.Connection, row: int, name: str) -> Iterator[str]:
    """What no server would have written."""
    try:
        lines.checkPlace(name[1:])
    except lines.BadLine as bad:
        yield f"{name}: {bad}"
    latest, told = lines.soon(), 0
    for values in db.execute(f"SELECT {EVENT} FROM events WHERE room = ? ORDER BY seq", (row,)):
        try:
            lines.check(Event(name, *values), latest)
        except lines.BadLine as bad:
            yield f"{name}: number {values[0]}: {bad}"
            told += 1
            if told == MOST:
                break


def _numbers(low: int, high: int) -> str:
    return f"number {low} is" if low == high else f"numbers {low} to {high} are"


def _orphans(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    """Everything is in a room that there is."""
    for table, what in (("events", "there are events"), ("present", "there is someone")):
        for (row,) in db.execute(
            f"SELECT DISTINCT room FROM {table} WHERE room NOT IN (SELECT room FROM rooms) LIMIT ?",
            (MOST,),
        ):
            yield f"{what} in a room that is missing, row {row}"


def _marks(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    marks = dict(db.execute("SELECT name, value FROM marks"))
    for name in sorted({"indexed", "folding"} - marks.keys()):
        yield f"the mark {name!r} is missing"
    mark = marks.get("indexed", 0)
    (last,) = db.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()
    if not isinstance(mark, int) or not 0 <= mark <= last:
        yield f"the mark 'indexed' is {mark!r}, and the last event {last}"


def _words(db: sqlite3.Connection, work: Work) -> Iterator[str]:
    """The index of words."""
    work.begin("checking words")
    wanted = (
        f"SELECT event FROM main.events WHERE {SEARCHED} AND NOT withdrawn"
        " AND event <= (SELECT value FROM main.marks WHERE name = 'indexed')"
    )
    there = "SELECT id FROM words_docsize"
    for one, other, fault in (
        (wanted, there, "not in the index of words, and should be"),
        (there, wanted, "in the index of words, and should not be"),
    ):
        for (event,) in db.execute(f"{one} EXCEPT {other} LIMIT ?", (MOST,)):
            yield f"event {event} is {fault}"
    # FTS5's own check compares the index with what should be in it. It is a statement that writes,
    # so it is asked of a copy of the index in a temporary table, in place of the database's.
    db.create_function("apart", 1, apart, deterministic=True)
    columns = "event, room, apart(text) AS text"
    db.execute(f"CREATE TEMP VIEW wanted AS {wanted.replace('event', columns, 1)}")
    db.execute(
        "CREATE VIRTUAL TABLE temp.copied USING fts5 (room, text, content = 'wanted',"
        f" content_rowid = 'event', tokenize = '{WORDS}')"
    )
    for part in ("config", "data", "docsize", "idx"):
        db.execute(f"DELETE FROM temp.copied_{part}")
        db.execute(f"INSERT INTO temp.copied_{part} SELECT * FROM main.words_{part}")
    try:
        with work.interrupting(db):
            db.execute("INSERT INTO temp.copied (copied, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        if work.stopped is not None:
            raise
        yield (
            f"the index of words is not that of what was said: {why(error)};"
            " docs/operators.md says how it is made anew"
        )


_NAMES: dict[Callable[[sqlite3.Connection, Work], Iterator[str]], str] = {
    _parts: "the schema",
    _pages: "a page",
    _rooms: "a room",
    _orphans: "an event",
    _marks: "a mark",
    _words: "the index of words",
}
