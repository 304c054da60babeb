"""
C{mucs-log backup}: a copy of a database, while the server goes on writing to it.

The copy is what was stored at one moment, the beginning: one read transaction is held until it is
done. SQLite's backup would otherwise begin again after each commit of the server's, and never end
where people talk all the time. In WAL mode a reader keeps no writer waiting.

The copy is flushed as it is written. All of it at the end keeps the disk busy, and the server's own
flushes wait: with a copy of 174 MB the longest commit took 87 to 113 ms so, and 12 to 20 ms with a
flush after each MiB.

Always true: what takes the place of an older copy is whole, as far as SQLite can tell from its own
structures: it is read before that.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from mucs.log.steps import why
from mucs.logtool.newfile import newFile
from mucs.logtool.reader import Reader
from mucs.logtool.work import ToolError, Work

#: Pages, mostly of 4096 bytes, that are copied in one step: some ms.
PAGES = 256


def backup(database: str, copy: str, work: Work, force: bool = False) -> str:
    """
    Copy it.

    @return: what was done, in one line.
    @raise ToolError: what cannot be.
    """
    with Reader(database, work) as reader, newFile(copy, database, force, work) as part:
        with reader.snapshot():
            _copy(reader, part, copy, work)
        try:
            size = _settle(part)
        except sqlite3.Error as error:
            raise ToolError(f"{copy}: {why(error)}") from error
        _check(database, part, work)
    return f"{copy}: a copy of {database}, {size} bytes"


def _copy(reader: Reader, part: str, copy: str, work: Work) -> None:
    (count,) = reader.db.execute("PRAGMA page_count").fetchone()
    file = os.open(part, os.O_RDWR | os.O_CLOEXEC)
    work.begin("copying", count)

    def step(status: int, left: int, all: int) -> None:
        os.fdatasync(file)
        work.at(all - left)

    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as target:
            # What is half done is thrown away, so it needs no journal.
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")
            reader.db.backup(target, pages=PAGES, progress=step)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise ToolError(f"{copy}: {why(error)}") from error
        raise
    finally:
        os.close(file)


def _settle(part: str) -> int:
    """
    Make it one file, that can be read without making others beside it.

    @return: its size in bytes.
    """
    with closing(sqlite3.connect(part, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")  # it is flushed as a whole
        (mode,) = db.execute("PRAGMA journal_mode = DELETE").fetchone()
        db.execute("SELECT count(*) FROM rooms").fetchone()
    if mode != "delete":
        raise sqlite3.OperationalError("it cannot be closed")
    return os.path.getsize(part)


def _check(database: str, part: str, work: Work) -> None:
    """@raise ToolError: the copy is damaged, as the database must be."""
    work.begin("checking")
    fault = ""
    with closing(sqlite3.connect(part, isolation_level=None)) as db, work.interrupting(db):
        try:
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
            fault = "" if said == "ok" else str(said).splitlines()[-1]
        except sqlite3.Error as error:
            fault = why(error)
    if work.stopped is not None:
        raise work.stopped
    if fault:
        raise ToolError(
            f"{database}: it is damaged ({fault}), and no copy is made of it; mucs-log verify says"
            " what is wrong"
        )
