from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, note
from mucs.plugin import command


@command("/hold", "keeps lines back until you press Enter, or no longer does")
def hold(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    wanted = not session.settings.hold

    def answer(_: object) -> Iterable[Event]:
        if wanted:
            return [note("lines wait until you press Enter; /hold again ends that")]
        return [note("lines come as they are said")]

    held: Deferred[Iterable[Event]] = session.hall.wishes.change(session, hold=wanted).addCallback(
        answer
    )
    return held
