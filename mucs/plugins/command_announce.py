from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.closing import announce as tell
from mucs.events import Event, Refused, note
from mucs.plugin import command

USAGE = "/announce TEXT"


@command(USAGE, "says something to everyone, in all rooms")
def announce(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    if not argument:
        raise Refused(f"what? {USAGE}")

    def do(_: int) -> Iterable[Event]:
        told = tell(session.hall, session.name, argument)
        return [note("one person was told" if told == 1 else f"{told} people were told")]

    return orders.give(session, "announce", do, text=argument)
