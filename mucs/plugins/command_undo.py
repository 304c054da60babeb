from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import ME, SAY, UNDO, Event, Refused
from mucs.plugin import command

#: Seconds after which what was said stays said.
WITHIN = 60


@command("/undo", f"takes back what you said last in this room, within {WITHIN} s")
def undo(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room = session.here()

    def take(_: None) -> Iterable[Event]:
        if room not in session.rooms:
            return ()  # gone meanwhile
        # By the times of the events, a step of the clock would count.
        first = room.since(session.hall.seconds() - WITHIN)
        for event in reversed(room.recent):
            if event.seq < first:
                break
            if session.owns(event) and event.kind in (SAY, ME):
                session.change(room, UNDO, target=str(event.seq))
                return ()
        raise Refused(f"there is nothing of yours here that is less than {WITHIN} s old")

    # What was said last may be on its way to the log.
    stored: Deferred[None] = session.hall.stored()
    return stored.addCallback(take)
