from typing import Any

from mucs import login as logins
from mucs.plugin import Answers, command


@command("/password [OLD NEW]", "changes your password")
def password(session: Any, argument: str) -> Answers:
    return logins.password(session, argument)
