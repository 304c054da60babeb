from typing import Any

from mucs import login as logins
from mucs.plugin import Answers, command


@command("/register [PASSWORD]", "makes the name you have yours")
def register(session: Any, argument: str) -> Answers:
    return logins.register(session, argument)
