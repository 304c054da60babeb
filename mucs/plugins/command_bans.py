from collections.abc import Iterable
from typing import Any

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.plugin import command

MOST = 100
USAGE = "/bans [--server]"


@command(USAGE, "lists who is banned or muted, by whom, until when, and why")
def bans(session: Any, argument: str) -> Iterable[Event]:
    room, rest = orders.where(session, argument)
    if rest:
        raise Refused(f"that is {USAGE}")
    found = session.hall.sanctions.of("" if room is None else room.key)
    for sanction in found[-MOST:]:
        done = "banned" if sanction.kind == "ban" else "muted"
        yield note(f"{sanction.number} {sanction.name} {done}{sanction.terms()}")
    place = session.hall.called if room is None else f"#{room.name}"
    if not found:
        yield note(f"nobody is banned from {place}, or muted there")
    elif len(found) > MOST:
        yield note(f"and {len(found) - MOST} older ones")
