"""
A database that is only read, while a server may be writing to it.

Always true: the connection is read-only. It never takes SQLite's write lock, and never copies the
write-ahead log back, not even when it is the last to close; before SQLite 3.51.3 a second
connection that does so can corrupt the file. What it costs the server is that the write-ahead log
is not begun anew while a transaction here goes on, and so grows by what is said meanwhile.

Where nobody else has the database open, SQLite leaves an empty C{-wal} and a C{-shm} beside it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from urllib.parse import quote

from mucs.events import LogError
from mucs.log.steps import OURS, VERSION
from mucs.logtool.work import ToolError, Work

#: Seconds to wait for a server that is just opening or closing the database.
PATIENCE = 10.0

#: Steps of SQLite's after which it is seen whether a signal has come: some ms.
STEPS = 50_000


class Reader:
    """
    @ivar db: the connection, in no transaction.
    @ivar path: of the database.
    """

    def __init__(self, path: str, work: Work) -> None:
        """
        @raise ToolError: there is nothing, or nothing of ours.
        @raise sqlite3.Error: it is damaged, or cannot be read.
        """
        self.path = path
        there(path)
        # As an absolute path, so that no part of it is taken for the name of a machine.
        name = quote(os.fsencode(os.path.abspath(path)))
        self.db = sqlite3.connect(
            f"file:{name}?mode=ro", uri=True, timeout=PATIENCE, isolation_level=None
        )
        try:
            self.db.execute("PRAGMA cell_size_check = ON")
            self.db.set_progress_handler(lambda: work.stopped is not None, STEPS)
            self._check()
        except BaseException:
            self.db.close()
            raise

    def _check(self) -> None:
        (owner,) = self.db.execute("PRAGMA application_id").fetchone()
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        if owner != OURS:
            raise ToolError(f"{self.path}: that is a database of some other program")
        if version > VERSION:
            raise ToolError(
                f"{self.path}: a newer MUCS has written it (version {version}, not {VERSION})"
            )
        if version < 1:
            raise LogError(f"{self.path}: it is damaged: it does not say its version")
        if version < VERSION:
            raise ToolError(
                f"{self.path}: an older MUCS has written it: start the server once, it is brought"
                " up to date then"
            )

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within this everything that is read is as it was at one moment."""
        self.db.execute("BEGIN")
        try:
            # That begins it, for SQLite.
            self.db.execute("SELECT count(*) FROM marks").fetchone()
            yield
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")


def there(path: str) -> None:
    """@raise ToolError: at this path there can be no database."""
    if os.path.isdir(path):
        raise ToolError(f"{path}: that is a folder")
    if not os.path.exists(path):
        raise ToolError(f"{path}: there is no such file")
    if os.path.getsize(path) == 0:
        raise ToolError(f"{path}: it is empty")
