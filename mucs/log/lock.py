"""
One server a database: a lock that ends with the process that holds it, however it ends.

SQLite's own locks keep writers apart for a moment, not for a server's life, and its exclusive mode
would keep the operator's backup out too. So the lock is C{flock} on a file of its own beside the
database. (On the database itself it could not be: closing any descriptor of a file ends all
C{fcntl} locks that the process has on it, and those are SQLite's.)

It stands beside the file that a path leads to in the end, as SQLite's own parts do, whatever links
lead there.

The file stays, and what is in it tells one thing more: once it holds a process id, there has been a
log here. Where there is no database then, or an empty one, it was lost. Where the file itself was
lost, the locks of SQLite's still tell whether somebody has the database open.
"""

from __future__ import annotations

import errno
import fcntl
import os

from mucs.events import LogError


class Lock:
    """
    @ivar marked: whether a log was opened here before.
    """

    def __init__(self, path: str) -> None:
        """
        Take it.

        @param path: of the database.
        @raise LogError: someone else has it, or it cannot be made.
        """
        real = os.path.realpath(path)
        self._path = real + "-lock"
        try:
            self._file = self._take(path)
            self._made = os.fstat(self._file).st_size == 0
        except OSError as error:
            raise LogError(f"{path}: it cannot be locked: {error.strerror}") from error
        self.marked = not self._made
        if self._made and _isOpen(real + "-shm"):
            self.release()
            name = os.path.basename(self._path)
            raise LogError(f"{path}: someone has it open, though its lock is gone, {name}")

    def _take(self, path: str) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may have taken it away in between: then this is no lock at all.
                if isCalled(file, self._path):
                    return file
            except BlockingIOError:
                holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
                os.close(file)
                who = f" (process {holder})" if holder.isdecimal() else ""
                raise LogError(f"{path}: another server{who} is using it") from None
            except OSError:
                os.close(file)
                raise
            os.close(file)

    def isThere(self) -> bool:
        """Whether it still keeps others out: the file has its name."""
        return isCalled(self._file, self._path)

    def mark(self) -> None:
        """The log is open."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def unmark(self) -> None:
        """The log was removed again."""
        os.ftruncate(self._file, 0)

    def release(self) -> None:
        """Let others have it. Where no log was ever opened, nothing is left behind."""
        if self._made and os.fstat(self._file).st_size == 0:
            os.unlink(self._path)
        os.close(self._file)


def isCalled(file: int, path: str) -> bool:
    """Whether an open file is what a path names."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _isOpen(path: str) -> bool:
    """
    Whether another process has a database open in WAL mode; not to be asked by one that has.

    @param path: of its C{-shm}.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Everyone who has it open holds this byte, shared: UNIX_SHM_DMS in SQLite's os_unix.c.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    finally:
        os.close(file)
    return False
