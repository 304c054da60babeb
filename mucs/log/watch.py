"""
Whether the files of an open database are still the ones that have its name.

A process that has a file open goes on with it when its name is taken away, or given to another; so
what is stored then would be gone with the process. And SQLite, which trusts what it has read, does
not notice when somebody writes over the file. So each few commits it is seen that the database,
its write-ahead log and its lock are the files that were opened, that neither of the first two has
become shorter, and that what is in them was written by this process.

 - The database itself is written only when the write-ahead log is copied back, and that is said
   (L{Watch.wrote}). If it was written at another time, some of its pages are compared.
 - The write-ahead log is written on behind where it was cut off, which leaves nothing at its
   beginning.

Always true: nothing is made or written here, and what is once amiss is amiss until the same files
are there again. It costs some 50 us, in at most ten commits a second.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable

from twisted.logger import Logger

from mucs.events import LogError
from mucs.log import steps
from mucs.log.lock import Lock, isCalled

log = Logger()

#: Seconds between two looks.
EVERY = 0.1

#: Pages of the database that are compared, and bytes of each.
PAGES = 8
PAGE = 4096


class Watch:
    """Looks after the files of one database, from when it is open until it is closed."""

    def __init__(self, path: str, lock: Lock, seconds: Callable[[], float]) -> None:
        """
        @param path: of the database, which is open, with its write-ahead log.
        @param seconds: a clock that is not set back.
        @raise LogError: they cannot be read.
        """
        self._path = path
        self._lock = lock
        self._seconds = seconds
        self._due = float("-inf")
        self._fault = ""
        path = os.path.realpath(path)
        self._files = (path, path + "-wal")
        try:
            self._database, self._wal = (
                os.open(file, os.O_RDONLY | os.O_CLOEXEC) for file in self._files
            )
        except OSError as error:
            raise LogError(f"{self._path} cannot be looked at: {error.strerror}") from error
        self._walSize = os.fstat(self._wal).st_size
        self.wrote()

    def close(self) -> None:
        """
        Let go of them. Not before SQLite has: a process that closes a file, by whatever descriptor,
        loses all locks that it has on it.
        """
        os.close(self._database)
        os.close(self._wal)

    def wrote(self) -> None:
        """The write-ahead log was copied back."""
        self._state = self._stated()
        self._sample = self._sampled()

    def look(self, always: bool = False) -> None:
        """
        See that all is as it should be.

        @param always: even if that was seen a moment ago.
        @raise LogError: it is not.
        """
        now = self._seconds()
        if now < self._due and not always:
            return
        try:
            fault = self._look()
        except OSError as error:
            fault = f"{self._path} cannot be looked at: {error.strerror}"
        if fault != self._fault:
            self._fault = fault
            if fault:
                log.critical("{fault}; nothing is stored any more", fault=fault)
            else:
                log.info("{path} is there again", path=self._path)
        if fault:
            raise LogError(fault)
        self._due = now + EVERY

    def _look(self) -> str:
        """@return: what is amiss, or nothing."""
        database, wal = self._files
        if not isCalled(self._database, database):
            return f"{self._path} is gone, or another file"
        if not isCalled(self._wal, wal):
            return f"{self._path}-wal, a part of it, is gone, or another file"
        if not self._lock.isThere():
            return f"{self._path}-lock is gone, or another file"
        if (state := self._stated()) != self._state:
            if state[0] < self._state[0]:
                return f"{self._path} is shorter than it was"
            if self._sampled() != self._sample:
                return f"{self._path} is another file: it was written over"
            self._state = state
        size = os.fstat(self._wal).st_size
        # What is longer than that is cut off by SQLite itself.
        if size < min(self._walSize, steps.KEPT) or (size and not any(os.pread(self._wal, 4, 0))):
            return f"{self._path}-wal, a part of it, is shorter than it was"
        self._walSize = size
        return ""

    def _stated(self) -> tuple[int, int]:
        """The size of the database, and when it was written to."""
        status = os.fstat(self._database)
        return status.st_size, status.st_mtime_ns

    def _sampled(self) -> int:
        """Something that is another number if the database is another."""
        last = self._state[0] // PAGE - 1
        sample = 0
        for page in sorted({last * part // (PAGES - 1) for part in range(PAGES)}):
            sample = zlib.crc32(os.pread(self._database, PAGE, max(0, page) * PAGE), sample)
        return sample
