from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command

MOST = 100


@command("/rooms", "lists the rooms, and how many are in them")
def rooms(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    sees = hall.rules.sees
    found = [room for room in hall.rooms.values() if sees(session, room.settings)]
    found.sort(key=lambda room: (-len(room.members), room.name))
    empty = [
        settings.name
        for key, settings in hall.settings.rows.items()
        if settings.owner and key not in hall.rooms and sees(session, settings)
    ]
    for room in found[:MOST]:
        here = " (you speak here)" if room is session.current else ""
        private = ", private" if room.settings.private else ""
        topic = f": {room.topic}" if room.topic else ""
        yield note(f"#{room.name}, {len(room.members)} in it{private}{here}{topic}")
    for name in sorted(empty)[: max(0, MOST - len(found))]:
        yield note(f"#{name}, 0 in it")
    if len(found) + len(empty) > MOST:
        yield note(f"and {len(found) + len(empty) - MOST} more")
