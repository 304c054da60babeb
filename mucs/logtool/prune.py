"""
C{mucs-log prune}: the oldest events of rooms go, by age and by count, from a database that no
server is using.

What goes is counted first, and then removed in slices, each a transaction; so it can be stopped
between two of them, and started again. Numbers are never given anew: a room goes on where it was.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime

from mucs.log.shelves import Shelf, Shelves
from mucs.logtool.reader import Reader
from mucs.logtool.rooms import chosen
from mucs.logtool.work import ToolError, Work
from mucs.logtool.writer import Writer
from mucs.text import counted

#: Events that are removed in one transaction: some 10 ms.
SLICE = 1000

#: Seconds in what an age is counted in.
UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}

#: Later than any event.
_END = 1 << 62


def moment(text: str, now: float) -> int:
    """
    Understand what stands behind C{--before}.

    @param text: an age (C{90d}, C{12h}, C{2w}), or a date or a time in ISO 8601; without a zone, in
        this machine's.
    @param now: seconds since 1970.
    @return: milliseconds since 1970.
    @raise ToolError: it is neither, or has not come yet.
    """
    age = re.fullmatch(r"([0-9]{1,6})([hdw])", text)
    if age:
        return int((now - int(age[1]) * UNITS[age[2]]) * 1000)
    try:
        then = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ToolError(
            f"--before {text}: that is no age, as 90d, 12h or 2w, and no date, as 2026-01-31"
        ) from error
    if then > now:
        raise ToolError(f"--before {text}: that is yet to come")
    return int(then * 1000)


def prune(
    database: str,
    rooms: Sequence[str],
    work: Work,
    before: str | None = None,
    keep: int | None = None,
    dry: bool = False,
    now: float | None = None,
) -> list[str]:
    """
    Remove what is older than C{before} and not among the last C{keep} of its room; one of the two
    alone counts for itself.

    @param rooms: names, or none for all rooms.
    @param dry: only say what would be removed; a server may be using the database then.
    @return: what was done, in lines.
    @raise ToolError: what cannot be.
    """
    if before is None and keep is None:
        raise ToolError("say what is to go: --before, or --keep, or both")
    if keep is not None and keep < 0:
        raise ToolError(f"--keep {keep}: that is no number of events")
    limit = _END if before is None else moment(before, time.time() if now is None else now)
    if dry:
        with Reader(database, work) as reader, reader.snapshot():
            shelves = chosen(Shelves(reader.db), rooms, database)
            plan = _plan(reader.db, shelves, limit, keep or 0)
        return [*_told(plan), f"{counted(sum(plan.values()), 'event')} would go; nothing was done"]
    with Writer(database, work) as writer:
        shelves = chosen(writer.shelves, rooms, database)
        plan = _plan(writer.db, shelves, limit, keep or 0)
        work.begin("pruning", sum(plan.values()))
        done = 0
        for name, count in plan.items():
            left = count
            while left > 0:
                with writer.transaction():
                    shelf = writer.shelves.make(name)
                    oldest = writer.changes.oldest(shelf, min(left, SLICE))
                    if oldest:
                        writer.changes.prune(shelf, oldest)
                left = left - len(oldest) if oldest else 0
                done += len(oldest)
                work.at(done)
        writer.settle()
    return [*_told(plan), f"{counted(done, 'event')} {'is' if done == 1 else 'are'} gone"]


def _plan(
    db: sqlite3.Connection, shelves: Sequence[Shelf], before: int, keep: int
) -> dict[str, int]:
    """@return: how many of its oldest events go from each room, if any do."""
    plan = {}
    for shelf in shelves:
        # Time never goes back within a room: the first that stays is where it ends.
        (stays,) = db.execute(
            "SELECT min(seq) FROM events WHERE room = ? AND seq > ? AND time >= ?",
            (shelf.row, shelf.pruned, before),
        ).fetchone()
        last = min(shelf.head - keep, shelf.head if stays is None else stays - 1)
        if last > shelf.pruned:
            plan[shelf.name] = last - shelf.pruned
    return plan


def _told(plan: dict[str, int]) -> list[str]:
    return [f"#{name}: {count}" for name, count in plan.items()]
