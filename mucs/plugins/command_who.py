from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused, note
from mucs.plugin import command

MOST = 200
AWAY = 50


@command("/who [ROOM]", "lists who is in a room")
def who(session: Any, argument: str) -> Iterable[Event]:
    room = session.hall.room(argument, make=False) if argument else session.current
    if room is None:
        raise Refused("you are in no room; /who ROOM lists the people of one")
    if not session.hall.rules.sees(session, room.settings):
        raise Refused(f"there is no room #{room.name}; /rooms lists them")
    names = [member.name for member in room.members]
    yield note(f"#{room.name} has {len(names)} in it: {', '.join(names[:MOST])}")
    if len(names) > MOST:
        yield note(f"and {len(names) - MOST} more")
    away = [member for member in room.members if member.away is not None]
    # Each on a line of its own: what they wrote must not look like another name.
    for member in away[:AWAY]:
        yield note(f"{member.name} is away" + (member.away and f": {member.away}"))
    if len(away) > AWAY:
        yield note(f"and {len(away) - AWAY} more are away")
