from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.plugin import command


@command("/quit [WHY]", "leaves; so does !q")
def quit(session: Any, argument: str) -> Iterable[Event]:
    most = session.hall.limits.topic
    if len(argument) > most:
        raise Refused(f"a reason has at most {most} characters, not {len(argument)}; /quit WHY")
    session.quit(argument)
    return ()
