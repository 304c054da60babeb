from typing import Any

from mucs import login as logins
from mucs.plugin import Answers, command


@command("/login NAME [PASSWORD]", "logs in; without the password you are asked for it")
def login(session: Any, argument: str) -> Answers:
    return logins.login(session, argument)
