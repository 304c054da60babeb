from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command


@command("/help [COMMAND]", "lists the commands, or explains one", role="stranger")
def help(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    if argument:
        found = hall.command(argument.lstrip("/").lower())
        return [note(f"{found.usage}  {found.summary}")]
    width = max(len(each.usage) for each in hall.commands.values())
    return [
        *(note(f"{each.usage:<{width}}  {each.summary}") for each in hall.commands.values()),
        note("anything else is said to the room; // says a line that begins with a slash"),
    ]
