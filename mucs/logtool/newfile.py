"""
Files that are whole or not there: written under another name, flushed, and renamed.

The other name begins with a dot and ends in C{.part}, in the same folder; one that is left over
after a power cut or kill -9 is of no use and may be removed.

Always true: a file that others may be using as a database is never replaced. A write-ahead log
beside it belongs to what was there, and SQLite would apply it to whatever is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mucs.log.lock import Lock
from mucs.logtool.work import ToolError, Work

#: What SQLite puts beside a database that is not closed; with something in it, a part of it.
PARTS = ("-wal", "-journal")

#: What it may put beside one that is being written.
BESIDE = (*PARTS, "-shm")


@contextmanager
def newFile(path: str, like: str, force: bool, work: Work) -> Iterator[str]:
    """
    Make a file. Within this it is written to the path given; after it, it is at C{path}.

    @param like: a file whose permissions it gets, and its owner where that can be done.
    @param force: replace what is there.
    @param work: what it is made for, which cannot be stopped any more once it is there.
    @raise ToolError: it is there already, or cannot be written.
    @raise mucs.events.LogError: a server uses it.
    """
    folder, name = os.path.split(path)
    if not name or os.path.isdir(path):
        raise ToolError(f"{path}: that is a folder")
    if os.path.lexists(path):
        if os.path.exists(path) and os.path.samefile(path, like):
            raise ToolError(f"{path}: that is the database itself")
        if not force:
            raise ToolError(f"{path}: it is there already; --force replaces it")
        if not os.path.isfile(path):
            raise ToolError(f"{path}: that is no file")
    with _unused(path):
        part = os.path.join(folder, f".{name}.{os.getpid()}.part")
        file = -1
        try:
            file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            yield part
            status = os.stat(like)
            os.fchmod(file, status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.fchown(file, status.st_uid, status.st_gid)
            os.fsync(file)
            work.finish()
            os.replace(part, path)
        except OSError as error:
            # Of a file under the other name nobody knows.
            raise ToolError(f"{path}: {error.strerror or error}") from error
        finally:
            if file >= 0:
                os.close(file)
            for beside in ("", *BESIDE):
                with suppress(OSError):
                    os.unlink(part + beside)
    _flush(folder or ".")


@contextmanager
def _unused(path: str) -> Iterator[None]:
    """See that nobody uses it as a database, or has used it and not closed it."""
    lock = Lock(path) if os.path.exists(path + "-lock") else None
    try:
        for beside in PARTS:
            other = Path(path + beside)
            if other.exists() and other.stat().st_size > 0:
                raise ToolError(f"{other}: it is a part of another database; move it away first")
        yield
    finally:
        if lock is not None:
            lock.release()


def _flush(folder: str) -> None:
    """Let a new name outlive a power cut."""
    with suppress(OSError):  # not everywhere can a folder be flushed
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
