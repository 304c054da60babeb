from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command
from mucs.roles import may

#: Columns for how a command is typed; on a terminal of 80 there is room for what it does.
COLUMNS = 26


@command("/help [COMMAND | all]", "lists what you can do here, or explains one")
def help(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    if argument and argument.lower() != "all":
        found = hall.command(argument.lstrip("/").lower())
        least = "" if found.role in ("stranger", "guest") else f" (from {found.role} on)"
        return [note(f"{found.usage}  {found.summary}{least}")]
    role = session.role(session.current)
    listed = [each for each in hall.commands.values() if argument or may(role, each.role)]
    more = len(hall.commands) - len(listed)
    return [
        *(note(f"{each.usage:<{COLUMNS}} {each.summary}") for each in listed),
        *[note(f"{more} more are for others; /help all lists them")] * bool(more),
        note("anything else is said to the room; // says a line that begins with a slash"),
    ]
