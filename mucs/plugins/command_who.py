from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused, note
from mucs.plugin import command

MOST = 200


@command("/who [ROOM]", "lists who is in a room")
def who(session: Any, argument: str) -> Iterable[Event]:
    room = session.hall.room(argument, make=False) if argument else session.current
    if room is None:
        raise Refused("you are in no room; /who ROOM lists the people of one")
    names = [member.name for member in room.members]
    yield note(f"#{room.name} has {len(names)} in it: {', '.join(names[:MOST])}")
    if len(names) > MOST:
        yield note(f"and {len(names) - MOST} more")
