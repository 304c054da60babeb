"""
Opening a database: whose it is, whether it is whole, and making it what this version writes.

Always true: nothing is ever emptied or written over. A database is made only where there is
nothing: no file, a file without a byte, or a database without a table that nobody has put a name
on. A new one is made in one transaction, so that a crash leaves nothing or all of it; it is made
before the write-ahead log is switched on, so that the file itself says what it is even if the
C{-wal} is lost. Everything else is opened or refused, with L{LogError}: the path and one sentence.

Reading all of a database takes seconds where there are millions of events, so opening looks only
at the ends: that the tables are there, and the rooms' first and last events. C{mucs-log verify}
reads everything, and L{mucs.log.shelves} sees gaps wherever it reads.
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Mapping
from contextlib import closing, suppress
from importlib.metadata import version as packageVersion
from importlib.resources import files
from pathlib import Path

from twisted.logger import Logger

from mucs.events import LogError
from mucs.names import fold

log = Logger()

#: "MUCS": what C{PRAGMA application_id} says of a database of ours.
OURS = 0x4D554353

#: The schema that this code writes.
VERSION = 3

#: What makes version n + 1 of version n, as SQL: C{STEPS[n]}.
STEPS: Mapping[int, str] = {
    1: "CREATE TABLE records (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (kind, key)) WITHOUT ROWID",
    # Signs that are words by themselves are indexed as such: all is indexed again, in slices.
    2: "INSERT INTO words (words) VALUES ('delete-all');"
    " UPDATE marks SET value = 0 WHERE name = 'indexed'",
}

#: Rooms that are looked at when a database is opened, the newest: some 10 us each.
LOOKED_AT = 20_000

#: Bytes that every database has: https://sqlite.org/fileformat.html, 1.3.
HEADER = 100

#: Milliseconds for which opening waits for another that has the file, to recover its log say.
WAIT = 5000

#: Bytes that the write-ahead log keeps on disk once it was copied back; it would never shrink.
KEPT = 4 << 20

#: What is said where a database has nothing in it and its lock says that there was something.
_LOST = (
    "it is empty, but there was a log in it; put it back,"
    " or remove it and {}-lock to begin a new one"
)

#: What connections are made by.
Connection = sqlite3.Connection


def openDatabase(path: str, marked: bool = False) -> sqlite3.Connection:
    """
    Open a database of ours, or make one where there is nothing.

    @param path: whose lock the caller has.
    @param marked: whether there has been a log before.
    @return: a connection without a transaction, in WAL mode, that waits for nobody, and leaves
        it to the caller to copy the write-ahead log back.
    @raise LogError: it is not ours, newer, or damaged.
    """
    real = Path(os.path.realpath(path))
    there = real.exists()
    size = real.stat().st_size if there else 0
    if there and not real.is_file():
        raise LogError(f"{path}: it is not a file")
    if there and real.stat().st_nlink > 1:
        # Under the other name it would have another lock, and another write-ahead log.
        raise LogError(f"{path}: it has another name, a hard link; remove that, or make a copy")
    if 0 < size < HEADER:
        # SQLite takes a file of one byte for an empty one.
        raise LogError(f"{path}: file is not a database")
    if not size:
        beside = Path(f"{real}-wal")
        if beside.exists() and beside.stat().st_size > 0:
            # SQLite would remove it.
            raise LogError(f"{path}: it is empty or gone, but {beside.name}, a part of it, is not")
        if there and marked:
            raise LogError(f"{path}: {_LOST.format(real.name)}")
    if not there:
        if marked:
            log.warn("{path}: the log that was here is gone, and a new one is begun", path=path)
        # There are hashes of passwords in it, and private words; its parts have its mode. What
        # cannot be made SQLite has words for.
        with suppress(OSError):
            os.close(os.open(real, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        db = sqlite3.connect(path, timeout=0, isolation_level=None, factory=Connection)
        db.execute(f"PRAGMA busy_timeout = {WAIT}")
    except sqlite3.Error as error:
        raise LogError(f"{path}: {why(error)}") from error
    try:
        # What is damaged is found when a page is read, and not when it has been believed.
        db.execute("PRAGMA cell_size_check = ON")
        if _isEmpty(db):
            if there and marked:
                raise LogError(f"{path}: {_LOST.format(real.name)}")
            _make(db)
        _check(db, path)
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise LogError(f"{path}: there can be no write-ahead log on this file system")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute(f"PRAGMA journal_size_limit = {KEPT}")
        # Whether it can be written to, and whether it is free.
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
        _refold(db, path)
        db.execute("PRAGMA busy_timeout = 0")
    except LogError:
        db.close()
        raise
    except (sqlite3.Error, OSError) as error:
        db.close()
        raise LogError(f"{path}: {why(error)}") from error
    except (TypeError, ValueError, AttributeError) as error:
        db.close()
        raise LogError(f"{path}: it is damaged: {why(error)}") from error
    return db


def why(error: Exception) -> str:
    """What SQLite, or the system, says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _isEmpty(db: sqlite3.Connection) -> bool:
    """Whether it has never been anyone's."""
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and _stamp(db) == (0, 0)


def _stamp(db: sqlite3.Connection) -> tuple[int, int]:
    """Whose it is, and of which version."""
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(owner), int(version)


def _make(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous = FULL")
    _run(db, f"{_schema()}; PRAGMA application_id = {OURS}; PRAGMA user_version = {VERSION}")


def _schema() -> str:
    return files("mucs.log").joinpath("schema.sql").read_text("utf-8")


def _run(db: sqlite3.Connection, script: str) -> None:
    """Run all of it or nothing."""
    try:
        db.executescript(f"BEGIN IMMEDIATE; {script}; COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _check(db: sqlite3.Connection, path: str) -> None:
    """@raise LogError: it is not what this version of MUCS can go on with."""
    owner, version = _stamp(db)
    if owner != OURS:
        raise LogError(f"{path}: that is a database of some other program")
    if version > VERSION:
        raise LogError(f"{path}: a newer MUCS has written it (version {version}, not {VERSION})")
    if version < 1:
        raise LogError(f"{path}: it is damaged: it does not say its version")
    for old in range(version, VERSION):
        _run(db, f"{STEPS[old]}; PRAGMA user_version = {old + 1}")
    missing = _missing(db)
    if missing is not None:
        raise LogError(f"{path}: it is damaged: {missing} is missing")


def _missing(db: sqlite3.Connection) -> str | None:
    """Look at the ends. @return: what is not there and should be, if anything."""
    with closing(sqlite3.connect(":memory:")) as example:
        example.executescript(_schema())
        parts = _parts(example) - _parts(db)
    if parts:
        return min(parts)
    # Rooms are numbered from 1, and never go.
    counts = db.execute(
        "SELECT (SELECT count(*) FROM rooms NOT INDEXED),"
        " (SELECT count(*) FROM rooms INDEXED BY keys),"
        " (SELECT coalesce(max(room), 0) FROM rooms),"
        " (SELECT coalesce(max(room), 0) FROM (SELECT room FROM events"
        "  ORDER BY event DESC LIMIT ?))",
        (LOOKED_AT,),
    ).fetchone()
    if len(set(counts[:3])) > 1 or counts[3] > counts[2]:
        return "a room"
    if db.execute("SELECT count(*) FROM marks").fetchone() != (2,):
        return "a mark"
    end = db.execute(
        "SELECT name FROM (SELECT * FROM rooms ORDER BY room DESC LIMIT ?) AS r"
        " WHERE CASE WHEN head = pruned THEN"
        "  EXISTS (SELECT * FROM events AS e WHERE e.room = r.room)"
        " ELSE (head, time) IS NOT (SELECT seq, time FROM events AS e WHERE e.room = r.room"
        "   ORDER BY seq DESC LIMIT 1)"
        "  OR pruned + 1 IS NOT (SELECT min(seq) FROM events AS e WHERE e.room = r.room)"
        " END LIMIT 1",
        (LOOKED_AT,),
    ).fetchone()
    return None if end is None else f"an end of #{end[0]}"


def _parts(db: sqlite3.Connection) -> set[str]:
    """Its tables, their columns, and its indexes."""
    names = db.execute("SELECT type || ' ' || name FROM sqlite_master")
    columns = db.execute(
        "SELECT 'column ' || m.name || '.' || c.name"
        " FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
    )
    return {part for (part,) in (*names, *columns)}


def _refold(db: sqlite3.Connection, path: str) -> None:
    """
    Make the keys of rooms again if names are folded otherwise now; see L{mucs.names.fold}.

    @raise LogError: if they are not, and a room cannot be found by its name.
    """
    packages = ("mucs", "precis-i18n", "confusable-homoglyphs")
    folding = " ".join((unicodedata.unidata_version, *map(packageVersion, packages)))
    (was,) = db.execute("SELECT value FROM marks WHERE name = 'folding'").fetchone()
    if was == folding:
        for name, key, found in db.execute(
            "SELECT name, key, EXISTS (SELECT * FROM rooms AS x INDEXED BY keys"
            " WHERE x.key = r.key AND x.room = r.room)"
            " FROM rooms AS r NOT INDEXED ORDER BY room DESC LIMIT ?",
            (LOOKED_AT,),
        ):
            if not found or key != fold(name):
                raise LogError(f"{path}: it is damaged: #{name} cannot be found")
        return
    rooms = db.execute("SELECT room, name FROM rooms").fetchall()
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "UPDATE rooms SET key = ? WHERE room = ?", [(fold(name), room) for room, name in rooms]
    )
    db.execute("UPDATE marks SET value = ? WHERE name = 'folding'", (folding,))
    db.execute("COMMIT")
