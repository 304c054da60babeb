from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused
from mucs.plugin import command
from mucs.roles import can
from mucs.sanctions import BAN, Sanction

USAGE = "/unban [--server] NUMBER|NAME"


@command(USAGE, "ends a ban; /bans lists them")
def unban(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room, rest = orders.where(session, argument)
    name = rest.strip('"')
    if not name:
        raise Refused(f"which? {USAGE}")
    found = _find(session, "" if room is None else room.key, name)
    if found is None and room is not None and can(session.role(), "ban from the server"):
        room, found = None, _find(session, "", name)
    if found is None:
        raise Refused(f"there is no ban {name:.50} here; {USAGE}, /bans lists them")
    return orders.lift(session, BAN, found, room)


def _find(session: Any, place: str, name: str) -> Sanction | None:
    sanctions = session.hall.sanctions
    for sanction in sanctions.of(place):
        if sanction.kind == BAN and str(sanction.number) == name:
            numbered: Sanction = sanction
            return numbered
    named: Sanction | None = sanctions.find(BAN, place, orders.network(name) or name)
    return named
