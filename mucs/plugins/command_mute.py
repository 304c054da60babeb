from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused
from mucs.plugin import command
from mucs.sanctions import MUTE
from mucs.spans import span
from mucs.text import firstWord

USAGE = "/mute NAME [10m]"


@command(USAGE, "lets someone say nothing in the room, for a while or until /unmute")
def mute(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()
    name, term = firstWord(argument)
    if not name:
        raise Refused(f"whom? {USAGE}")
    if term and not span(term):
        raise Refused(f"{USAGE}; a time is like 30s, 10m, 2h or 7d")
    target = orders.whom(session, name, USAGE)
    orders.check(session, target, room, USAGE)
    return orders.impose(session, MUTE, target, room, span(term), "")
