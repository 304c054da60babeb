from typing import Any

from mucs.events import Refused
from mucs.mail import tellWhoever
from mucs.plugin import Answers, command


@command("/reply TEXT", "answers whoever last said something to you alone")
def reply(session: Any, argument: str) -> Answers:
    if not argument:
        raise Refused("say what: /reply TEXT")
    if not session.friend:
        raise Refused("nobody has said anything to you alone yet; /msg NAME TEXT does")
    if session.isLetter:
        return tellWhoever(session, session.friend, argument)
    session.tell(session.hall.names.find(session.friend), argument)
    return ()
