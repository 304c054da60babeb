from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused, note
from mucs.plugin import command


@command("/leave [ROOM]", "leaves a room")
def leave(session: Any, argument: str) -> Iterable[Event]:
    room = session.hall.room(argument.strip('"'), make=False) if argument else session.current
    if room is not None and session.unqueue(room):
        return [note(f"you wait no longer for a seat in #{room.name}")]
    if room is None or room not in session.rooms:
        where = f"in #{room.name}" if room else "in any room"
        raise Refused(f"you are not {where}; /rooms lists the rooms")
    session.leave(room)
    return ()
