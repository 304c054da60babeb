import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note
from mucs.plugin import command

MOST = 500
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
USAGE = "/history [N | since 10m | before SEQ]"


@command(USAGE, "shows what was said here before")
def history(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room, hall = session.current, session.hall
    if room is None:
        raise Refused("you are in no room; /join ROOM takes you to one")
    word, _, rest = argument.partition(" ")
    before, limit, since = 0, 20, 0
    ago = re.fullmatch(r"(\d{1,6})([smhd])", rest.strip())
    if not argument:
        pass
    elif word.isdecimal() and not rest and 1 <= int(word) <= MOST:
        limit = int(word)
    elif word == "before" and rest.strip().isdecimal():
        before = int(rest)
    elif word == "since" and ago:
        limit, since = MOST, hall.history.now() - int(ago[1]) * SECONDS[ago[2]] * 1000
    else:
        raise Refused(f"{USAGE}; N is at most {MOST}, a time is like 30s, 10m, 2h or 3d")

    def show(events: list[Event]) -> Iterable[Event]:
        said = [event for event in events if event.time >= since]
        session.show(said)
        if not said:
            return [note("nothing was said here in that time")]
        return [note(f"that was it; /history before {said[0].seq} shows what was before")]

    def ask(_: None) -> Deferred[list[Event]]:
        found: Deferred[list[Event]] = hall.history.said(room, before, limit)
        return found

    stored: Deferred[None] = hall.stored()
    return stored.addCallback(ask).addCallback(show)
