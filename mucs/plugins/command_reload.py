from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused, note
from mucs.plugin import command


@command("/reload", "reads the configuration, the message of the day and certificates again")
def reload(session: Any, argument: str) -> Iterable[Event]:
    try:
        said = session.hall.getServiceNamed("reload").again()
    except KeyError:
        raise Refused("this server has no configuration that could be read again") from None
    return [note(line) for line in said]
