from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.plugin import command
from mucs.settings import RoomSettings

MOST = 100
USAGE = "/op NAME"


@command(USAGE, "makes a member a moderator of the room")
def op(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()
    name = argument.strip('"')
    if not name:
        raise Refused(f"whom? {USAGE}")
    target = orders.whom(session, name, USAGE)
    if not target.account:
        raise Refused(f"{target.name} is a guest, and only members can be; {USAGE}")
    if target.account in room.settings.moderators or target.account == room.settings.owner:
        raise Refused(f"{target.name} keeps #{room.name} in order already; {USAGE}")
    if len(room.settings.moderators) >= MOST:
        raise Refused(f"a room has at most {MOST} moderators; /deop NAME ends it for one")

    def more(was: RoomSettings) -> RoomSettings:
        keys = dict.fromkeys((*was.moderators, target.account))
        return replace(was, moderators=tuple(keys))

    def told(_: None) -> Iterable[Event]:
        if target.session is not None and target.session is not session:
            target.session.reply(note(f"{session.name} made you a moderator of #{room.name}"))
        return [note(f"{target.name} is a moderator of #{room.name} now")]

    def do(_: int) -> Deferred[Iterable[Event]]:
        kept: Deferred[None] = session.hall.rules.change(room, more)
        return kept.addCallback(told)

    return orders.give(session, "op", do, target.name, room)
