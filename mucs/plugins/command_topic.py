from collections.abc import Iterable
from typing import Any

from mucs.events import TOPIC, Event, Refused, note
from mucs.plugin import command


@command("/topic [TEXT]", "shows what the room is about, or says it; /topic - removes it")
def topic(session: Any, argument: str) -> Iterable[Event]:
    room = session.here()
    if not argument:
        is_ = f"is: {room.topic}" if room.topic else "is not set; /topic TEXT sets it"
        return [note(f"the topic of #{room.name} {is_}")]
    most = session.hall.limits.topic
    if len(argument) > most:
        raise Refused(f"a topic has at most {most} characters, not {len(argument)}; /topic TEXT")
    session.change(room, TOPIC, "" if argument == "-" else argument)
    return ()
