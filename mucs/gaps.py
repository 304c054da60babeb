"""
Gaps: what someone is told who missed too much, and how they see it all the same.
"""

from __future__ import annotations

from typing import Any

from mucs.events import GAP, Event
from mucs.room import Room
from mucs.text import counted, quote

#: Things said that C{/history} shows at once, at most.
MOST = 500


def gap(session: Any, room: Room, seen: int, skipped: int, stays: bool = True) -> Event:
    """
    So many events behind C{seen} are not shown to someone.

    @param stays: whether they can look for them there.
    @return: what tells them, with the command that shows as many of the last of them as may be; to
        those who count, with the bare number; a room of two has no such command.
    """
    if session.isCounting():
        return Event(room.name, seen, 0, "", GAP, str(skipped))
    how = ""
    if stays and not room.private and session.past(room):
        there = "" if room is session.current else f" in {quote(room.name)}"
        last = f"{min(skipped, MOST)} before {seen + skipped + 1}"
        how = f"; /history {last}{there} shows them"
    return Event(room.name, seen, 0, "", GAP, counted(skipped, "message"), how)
