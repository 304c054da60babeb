from typing import Any

from mucs.events import Refused
from mucs.mail import tellWhoever
from mucs.plugin import Answers, command
from mucs.text import firstWord


@command("/tell NAME TEXT", "says something to one person, when they come if they are not here")
def tell(session: Any, argument: str) -> Answers:
    name, text = firstWord(argument)
    if not text:
        raise Refused("say to whom, and what: /tell NAME TEXT")
    return tellWhoever(session, name, text)
