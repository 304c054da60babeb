from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.names import fold
from mucs.plugin import command
from mucs.settings import RoomSettings

USAGE = "/deop NAME"


@command(USAGE, "makes a moderator a member as others are")
def deop(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()
    name = argument.strip('"')
    if not name:
        raise Refused(f"whom? {USAGE}")
    # By the key at once: the account may be gone.
    account = fold(name)
    if account not in room.settings.moderators:
        account = orders.whom(session, name, USAGE).account
    if account not in room.settings.moderators:
        raise Refused(f"{name:.50} is no moderator of #{room.name}; {USAGE}, /room lists who is")

    def less(was: RoomSettings) -> RoomSettings:
        return replace(was, moderators=tuple(key for key in was.moderators if key != account))

    def told(_: None) -> Iterable[Event]:
        return [note(f"{name} is no moderator of #{room.name} any more")]

    def do(_: int) -> Deferred[Iterable[Event]]:
        kept: Deferred[None] = session.hall.rules.change(room, less)
        return kept.addCallback(told)

    return orders.give(session, "deop", do, name, room)
