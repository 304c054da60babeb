"""
C{mucs-log export}: rooms as JSON lines, while the server goes on.

It is read in pieces, each a read transaction of its own, so that the server's write-ahead log need
not keep what was overwritten for as long as someone reads the export through a slow pipe. The end
of each room is where it was at the beginning; what is said meanwhile is for the next export.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from mucs.events import LogError
from mucs.log.shelves import Shelves
from mucs.logtool.lines import write, writeStart
from mucs.logtool.newfile import newFile
from mucs.logtool.reader import Reader
from mucs.logtool.rooms import chosen
from mucs.logtool.work import Work
from mucs.text import counted

#: Events that are read at once: some ms.
PIECE = 1000


def export(
    database: str,
    rooms: Sequence[str],
    stdout: BinaryIO,
    work: Work,
    output: str = "",
    force: bool = False,
) -> str:
    """
    Write rooms, or all of them.

    @param rooms: names, with C{#} or without.
    @param output: a file to write to, if not to C{stdout}.
    @return: what was done, in one line; nothing if it went to C{stdout}.
    @raise mucs.logtool.work.ToolError: what cannot be.
    """
    with Reader(database, work) as reader:
        source = Export(reader, rooms)
        if not output:
            source.to(stdout, work)
            stdout.flush()
            return ""
        with newFile(output, database, force, work) as part, open(part, "wb") as file:
            events = source.to(file, work)
    return f"{output}: {counted(events, 'event')} of {counted(len(source.rooms), 'room')}"


class Export:
    """
    @ivar rooms: the names of the rooms that are wanted, each with the seq up to which it was pruned
        and its last seq, at the beginning.
    """

    def __init__(self, reader: Reader, wanted: Sequence[str]) -> None:
        """@raise mucs.logtool.work.ToolError: there is no such room."""
        self._reader = reader
        self._shelves = Shelves(reader.db)
        with reader.snapshot():
            self.rooms = {
                shelf.name: (shelf.pruned, shelf.head)
                for shelf in chosen(self._shelves, wanted, reader.path)
            }

    def to(self, file: BinaryIO, work: Work) -> int:
        """Write them. @return: how many events."""
        done = 0
        work.begin("exporting", sum(head - pruned for pruned, head in self.rooms.values()))
        for name, (_, head) in self.rooms.items():
            after = None
            while after is None or after < head:
                lines, after, count = self._piece(name, after, head)
                file.write(lines)
                done += count
                work.at(done)
        return done

    def _piece(self, name: str, after: int | None, head: int) -> tuple[bytes, int, int]:
        """
        @param after: the seq of what was written last; L{None} if there is nothing yet.
        @return: more lines, the seq of the last, and how many events they are.
        """
        with self._reader.snapshot():
            # It may have been pruned since it was last looked at.
            self._shelves.forget()
            shelf = self._shelves.find(name)
            if shelf is None:
                raise LogError(f"the log is damaged: #{name} is missing")
            lines = b""
            if after is None:
                after = shelf.pruned
                if after:
                    lines = writeStart(name, after, self._shelves.topic(shelf))
            after = max(after, shelf.pruned)
            if after >= head:
                return lines, after, 0
            # After 0, everything is the last of everything: ask for what is before.
            if after:
                events = self._shelves.read(shelf, PIECE, before=head + 1, after=after)
            else:
                events = self._shelves.read(shelf, PIECE, before=min(PIECE, head) + 1)
        return lines + b"".join(map(write, events)), events[-1].seq, len(events)
