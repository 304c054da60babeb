from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.plugin import command


@command("/join ROOM", "enters a room, or speaks there again; you stay in the others")
def join(session: Any, argument: str) -> Iterable[Event]:
    if not argument:
        raise Refused("which room? /join ROOM; /rooms lists those there are")
    session.join(session.hall.room(argument.strip('"')))
    return ()
