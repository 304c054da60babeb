from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.plugin import command
from mucs.text import firstWord

USAGE = "/kick NAME [WHY]"


@command(USAGE, "puts someone out of the room")
def kick(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()
    name, text = firstWord(argument)
    if not name:
        raise Refused(f"whom? {USAGE}")
    target = orders.whom(session, name, USAGE)
    orders.check(session, target, room, USAGE)
    why = orders.reason(session, text, USAGE)
    if target.session is None or room not in target.session.rooms:
        raise Refused(f"{target.name} is not in #{room.name}; {USAGE}")

    def do(_: int) -> Iterable[Event]:
        target.session.kick(room, session.name, why)
        return [note(f"{target.name} is kicked out of #{room.name}")]

    return orders.give(session, "kick", do, target.name, room, why)
