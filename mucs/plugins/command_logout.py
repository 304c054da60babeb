from typing import Any

from mucs import login as logins
from mucs.plugin import Answers, command


@command("/logout [NAME]", "logs out, or ends another connection of yours")
def logout(session: Any, argument: str) -> Answers:
    return logins.logout(session, argument)
