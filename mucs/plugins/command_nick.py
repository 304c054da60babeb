from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.names import BadName, checkName
from mucs.plugin import command


@command("/nick NAME", "changes your name")
def nick(session: Any, argument: str) -> Iterable[Event]:
    try:
        name = checkName(argument.strip('"'), session.hall.limits.name)
    except BadName as bad:
        raise Refused(f"{bad}; /nick NAME changes yours") from bad
    session.rename(name)
    return ()
