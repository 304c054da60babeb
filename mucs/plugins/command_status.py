from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command

LEVELS = {
    "none": "is in memory, and lost when the server ends",
    "process": "outlives the server, but perhaps not a power cut",
    "power": "outlives a power cut",
}


@command("/status", "says how the server is")
def status(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    yield note(f"{len(hall.sessions)} connections, {len(hall.rooms)} rooms")
    yield note(f"what is said {LEVELS[hall.history.level]} ({hall.history.level})")
    if hall.isFailing():
        yield note("at the moment nothing can be stored")
