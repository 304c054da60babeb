from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.plugin import command
from mucs.text import firstWord


@command("/msg NAME TEXT", 'says something to one person; a name with spaces stands in "quotes"')
def msg(session: Any, argument: str) -> Iterable[Event]:
    name, text = firstWord(argument)
    if not text:
        raise Refused("say to whom, and what: /msg NAME TEXT")
    other = session.hall.names.find(name)
    if other is session:
        raise Refused("that is you")
    session.tell(other, text)
    return ()
