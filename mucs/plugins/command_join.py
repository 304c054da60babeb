from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.names import fold
from mucs.plugin import command
from mucs.text import firstWord


@command("/join ROOM [KEY]", "enters a room, or speaks there again; you stay in the others")
def join(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    name, key = argument.strip(), ""
    if name.startswith('"') and '"' in name[1:]:
        name, key = firstWord(name)
    elif not _isThere(hall, name) and " " in name:
        # A room's name may have spaces; so may not a key, which is the last word then.
        first, _, last = name.rpartition(" ")
        if _isThere(hall, first.strip()):
            name, key = first.strip(), last
    if not name:
        raise Refused("which room? /join ROOM; /rooms lists those there are")
    if " " in key:
        raise Refused('a key is one word: /join "ROOM" KEY')
    session.join(hall.room(name), key)
    return ()


def _isThere(hall: Any, name: str) -> bool:
    key = fold(name.removeprefix("#"))
    return key in hall.rooms or key in hall.settings.rows
