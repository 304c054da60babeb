from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused, note
from mucs.plugin import command


@command("/away [WHY]", "says that you are away, until you say something")
def away(session: Any, argument: str) -> Iterable[Event]:
    most = session.hall.limits.topic
    if len(argument) > most:
        raise Refused(f"a reason has at most {most} characters, not {len(argument)}; /away WHY")
    session.away = argument
    return [note("you are away; that ends when you say something")]
