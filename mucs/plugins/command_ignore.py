from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note
from mucs.names import BadName, checkName, fold
from mucs.plugin import command
from mucs.text import quote

MOST = 100


@command("/ignore [NAME]", "shows you nothing more of somebody; alone it lists whom you ignore")
def ignore(session: Any, argument: str) -> Iterable[Event] | Deferred[Iterable[Event]]:
    hall, ignored = session.hall, session.settings.ignored
    if not argument:
        if not ignored:
            return [note("you ignore nobody; /ignore NAME shows you nothing more of somebody")]
        names = ", ".join(map(quote, ignored))
        return [note(f"you ignore {names}; /unignore NAME ends that")]
    try:
        name = checkName(argument.strip('"'), hall.limits.name)
    except BadName as bad:
        raise Refused(f"{bad}; /ignore NAME") from bad
    name = hall.names.registered(hall.names.whose(name) or name) or name
    if fold(name) in (fold(session.name), session.account):
        raise Refused("that is you")
    if fold(name) in map(fold, ignored):
        raise Refused(f"you ignore {name} already; /unignore {quote(name)} ends that")
    if len(ignored) >= MOST:
        raise Refused(f"you ignore {MOST} people already; /unignore one of them first")
    changed = hall.wishes.change(session, ignored=(*ignored, name))
    done: Deferred[Iterable[Event]] = changed.addCallback(
        lambda _: [note(f"you ignore {name} from now on; /unignore {quote(name)} ends that")]
    )
    return done
