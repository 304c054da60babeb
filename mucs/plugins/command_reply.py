from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.plugin import command


@command("/reply TEXT", "answers whoever last said something to you alone")
def reply(session: Any, argument: str) -> Iterable[Event]:
    if not argument:
        raise Refused("say what: /reply TEXT")
    if not session.friend:
        raise Refused("nobody has said anything to you alone yet; /msg NAME TEXT does")
    session.tell(session.hall.names.find(session.friend), argument)
    return ()
