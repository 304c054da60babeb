"""
One server a database: a lock that ends with the process that holds it, however it ends.

SQLite's own locks keep writers apart for a moment, not for a server's life, and its exclusive mode
would keep the operator's backup out too. So the lock is C{flock} on a file of its own beside the
database. (On the database itself it could not be: closing any descriptor of a file ends all
C{fcntl} locks that the process has on it, and those are SQLite's.)

The file stays, and what is in it tells one thing more: once it holds a process id, there has been a
log here. An empty database beside it is then not a new one but one that was lost.
"""

from __future__ import annotations

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
        self._path = path + "-lock"
        try:
            self._file = self._take(path)
            self._made = os.fstat(self._file).st_size == 0
        except OSError as error:
            raise LogError(f"{path}: it cannot be locked: {error.strerror}") from error
        self.marked = not self._made

    def _take(self, path: str) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may have taken it away in between: then this is no lock at all.
                if os.path.samestat(os.fstat(file), os.stat(self._path)):
                    return file
            except FileNotFoundError:
                pass
            except BlockingIOError:
                holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
                os.close(file)
                who = f" (process {holder})" if holder.isdecimal() else ""
                raise LogError(f"{path}: another server{who} is using it") from None
            except OSError:
                os.close(file)
                raise
            os.close(file)

    def mark(self) -> None:
        """The log is open."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let others have it. Where no log was ever opened, nothing is left behind."""
        if self._made and os.fstat(self._file).st_size == 0:
            os.unlink(self._path)
        os.close(self._file)
