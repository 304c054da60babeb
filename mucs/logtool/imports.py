"""
C{mucs-log import}: JSON lines into a database that no server is using.

Lines are stored in batches, each a transaction; a wrong line undoes its batch and ends the import,
and what was before it stays. Started again it goes on where it was, without storing anything twice:

 - Without C{--append} an event keeps its number and time, and one that is there already, with all
   that it consists of, is passed over. So a room may be empty, or be the beginning of what the file
   has of it; anything else in it is another room's history, and refused.
 - With C{--append} what a room has is followed by what the file has of it, under new numbers.
   With each batch it is written down how many lines are done and what they were (their SHA-256),
   and that is forgotten with the last.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import msgspec
from msgspec import Struct

from mucs.logtool import lines as form
from mucs.logtool.filing import Filing
from mucs.logtool.lines import LONGEST, BadLine, Line, read
from mucs.logtool.work import ToolError, Work
from mucs.logtool.writer import Writer
from mucs.text import counted

#: Lines that are stored in one transaction: some 10 ms.
BATCH = 1000

#: What it is written down as how far an import has come that renumbers; no token is called so.
KEY = "mucs-log import"

#: Later than any time.
_END = 1 << 62


class Progress(Struct, frozen=True):
    """How far an import has come: so many lines, with this SHA-256."""

    lines: int
    digest: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode


class Source:
    """
    The lines of a file, or of a pipe.

    @ivar lines: how many were read.
    @ivar size: how many bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._latest = form.soon()
        self.lines = 0
        self.size = 0

    def all(self) -> int:
        """@return: how many bytes there are, or 0 if nobody knows."""
        try:
            status = os.fstat(self._file.fileno())
        except OSError:
            return 0
        return status.st_size if stat.S_ISREG(status.st_mode) else 0

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        """
        Lines with their numbers, from 1; empty ones are passed over.

        @raise ToolError: one is wrong.
        """
        while data := self._next():
            if data.strip():
                number = self.lines
                try:
                    yield number, read(data, self._latest)
                except BadLine as bad:
                    raise ToolError(f"line {number}: {bad}") from bad

    def skip(self, progress: Progress) -> bool:
        """Pass over what was imported already. @return: whether it is the same."""
        while self.lines < progress.lines and self._next():
            pass
        return self.progress() == progress

    def progress(self) -> Progress:
        """@return: what was read so far."""
        return Progress(self.lines, self._digest.hexdigest())

    def _next(self) -> bytes:
        data = self._file.readline(LONGEST + 1)
        if data:
            self.lines += 1
            self.size += len(data)
            self._digest.update(data)
        return data


def importLines(
    database: str, file: BinaryIO, work: Work, append: bool = False, anew: bool = False
) -> str:
    """
    Store what is in a file.

    @param append: put it behind what rooms have already.
    @param anew: with C{append}: forget an import that was interrupted.
    @return: what was done, in one line.
    @raise ToolError: what cannot be.
    """
    source = Source(file)
    with Writer(database, work, make=True) as writer:
        filing = Filing(writer.shelves, writer.changes, writer.db, append)
        work.begin("importing", source.all())
        if append:
            _goOn(database, writer, source, anew)
        began = source.lines
        lines = iter(source)
        while True:
            first = source.lines + 1
            try:
                batch = list(islice(lines, BATCH))
                with writer.transaction():
                    filing.store(batch)
                    if append:
                        _note(writer, source.progress())
            except (ToolError, BadLine) as error:
                raise ToolError(f"{error}; {_left(began, first)}") from error
            if not batch:
                break
            work.at(source.size)
        writer.index()
        if append:
            # Whoever was told that it was stopped would do it again.
            work.finish()
            with writer.transaction():
                writer.db.execute("DELETE FROM remembered WHERE key = ?", (KEY,))
        writer.settle()
    return (
        f"{counted(filing.stored, 'event')} imported, of {counted(len(filing.rooms), 'room')};"
        f" {filing.passed} {'was' if filing.passed == 1 else 'were'} there already"
    )


def _left(began: int, first: int) -> str:
    """What is so after a wrong line."""
    if first - 1 <= began:
        return "nothing is imported"
    return f"lines {began + 1} to {first - 1} are imported, and nothing of what follows them"


def _goOn(database: str, writer: Writer, source: Source, anew: bool) -> None:
    """Begin where an import that renumbers was interrupted."""
    row = writer.db.execute("SELECT value FROM remembered WHERE key = ?", (KEY,)).fetchone()
    if row is None or anew:
        return
    done = _decode(row[0])
    if not source.skip(done):
        raise ToolError(
            f"{database}: an import was interrupted after line {done.lines}, and this is not the"
            " same file; import that one again, or forget it with --anew"
        )


def _note(writer: Writer, progress: Progress) -> None:
    """Write down how far it has come."""
    writer.db.execute("REPLACE INTO remembered VALUES (?, ?, ?)", (KEY, _encode(progress), _END))
