from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused
from mucs.plugin import command
from mucs.sanctions import MUTE

USAGE = "/unmute NAME"


@command(USAGE, "lets someone speak again in the room")
def unmute(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()
    name = argument.strip('"')
    if not name:
        raise Refused(f"whom? {USAGE}")
    sanction = session.hall.sanctions.find(MUTE, room.key, name)
    if sanction is None:
        here = f"in #{room.name}; {USAGE}, /bans lists who is"
        raise Refused(f"nobody called {name:.50} is muted {here}")
    return orders.lift(session, MUTE, sanction, room)
