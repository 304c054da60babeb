from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, note
from mucs.plugin import command

MOST = 20


@command("/search WORDS", "finds what was said in the rooms you are in, newest first")
def search(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    def show(events: list[Event]) -> Iterable[Event]:
        session.show(events)
        found = len(session.sees(events))
        count = f"{found} found" + (", and perhaps more" if len(events) == MOST else "")
        return [note(count if found else "nothing found in the rooms you are in")]

    def ask(_: None) -> Deferred[list[Event]]:
        found: Deferred[list[Event]] = session.hall.history.search(session, argument, MOST)
        return found

    stored: Deferred[None] = session.hall.stored()
    return stored.addCallback(ask).addCallback(show)
