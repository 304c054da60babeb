import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.audit import Entry
from mucs.events import Event, Refused, note
from mucs.plugin import command

MOST = 500
USAGE = "/audit [N]"


@command(USAGE, "shows the last orders that were given, and by whom")
def audit(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    count = int(argument) if re.fullmatch("[0-9]{1,4}", argument) else 0
    if argument and not 1 <= count <= MOST:
        raise Refused(f"{USAGE}; N is from 1 to {MOST}")

    def show(entries: list[tuple[int, Entry]]) -> Iterable[Event]:
        lines = [
            note(entry.line(number, orders.shown(session.hall, entry.account)))
            for number, entry in entries
        ]
        return lines or [note("no orders were given yet")]

    last: Deferred[list[tuple[int, Entry]]] = session.hall.audit.last(count or 20)
    return last.addCallback(show)
