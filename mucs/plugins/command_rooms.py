from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command

MOST = 100


@command("/rooms", "lists the rooms, and how many are in them")
def rooms(session: Any, argument: str) -> Iterable[Event]:
    found = sorted(session.hall.rooms.values(), key=lambda room: (-len(room.members), room.name))
    for room in found[:MOST]:
        here = " (you speak here)" if room is session.current else ""
        topic = f": {room.topic}" if room.topic else ""
        yield note(f"#{room.name}, {len(room.members)} in it{here}{topic}")
    if len(found) > MOST:
        yield note(f"and {len(found) - MOST} more")
