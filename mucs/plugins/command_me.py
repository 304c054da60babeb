import re
from collections.abc import Iterable
from typing import Any

from mucs.events import Event, Refused
from mucs.plugin import command

# What stands behind a star and a name when something happened.
NOTICE = re.compile(
    r"(joined|left( \(.*\))?|was kicked out.*|is now .*|changed the topic.*|removed the topic)$"
)

@command("/me TEXT", "says what you do: /me waves")
def me(session: Any, argument: str) -> Iterable[Event]:
    if not argument:
        raise Refused("say what you do: /me waves")
    if NOTICE.match(argument):
        raise Refused("that would look as if it had happened; say it otherwise")
    session.act(argument)
    return ()
