from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.plugin import command
from mucs.sanctions import BAN
from mucs.text import quote

USAGE = "/invite NAME"


@command(USAGE, "lets someone into the room, for a day, whatever keeps others out")
def invite(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room, hall = session.here(), session.hall
    name = argument.strip('"')
    if not name:
        raise Refused(f"whom? {USAGE}")
    target = orders.whom(session, name, USAGE)
    other = target.session
    if other is not None and room in other.rooms:
        raise Refused(f"{target.name} is in #{room.name} already; {USAGE}")
    if other is not None and (ban := hall.sanctions.hit(BAN, room, other)) is not None:
        raise Refused(f"{target.name} is banned from #{room.name}; /unban {ban.number} first")

    def do(_: int) -> Iterable[Event]:
        hall.rules.invite(other, target.account, room)
        if other is not None:
            way = f"/join {quote(room.name)}"
            other.reply(note(f"{session.name} invites you to #{room.name}; {way} takes you there"))
        return [note(f"{target.name} can enter #{room.name} for a day from now")]

    return orders.give(session, "invite", do, target.name, room)
