from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused
from mucs.plugin import command


@command("/resume TOKEN", "comes back after a lost line, with what you missed")
def resume(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    if session.name:
        raise Refused("you are in already; /resume is for the first line")
    if not argument:
        raise Refused("with which token? it was shown when you came in: /resume TOKEN")
    back: Deferred[Iterable[Event]] = session.resume(argument)
    return back
