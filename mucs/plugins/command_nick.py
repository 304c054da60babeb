from collections.abc import Iterable
from typing import Any

from mucs.events import Event
from mucs.plugin import command


@command("/nick NAME", "changes your name")
def nick(session: Any, argument: str) -> Iterable[Event]:
    session.rename(session.named(argument.strip('"')))
    return ()
