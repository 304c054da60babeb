from collections.abc import Iterable
from typing import Any

from mucs.events import Event
from mucs.plugin import command


@command("/quit [WHY]", "leaves; so does !q", role="stranger")
def quit(session: Any, argument: str) -> Iterable[Event]:
    session.quit(argument)
    return ()
