from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note
from mucs.names import fold
from mucs.plugin import command
from mucs.text import quote


@command("/unignore [NAME]", "shows you again what somebody says; alone it lists whom you ignore")
def unignore(session: Any, argument: str) -> Iterable[Event] | Deferred[Iterable[Event]]:
    ignored = session.settings.ignored
    names = ", ".join(map(quote, ignored)) or "nobody"
    if not argument:
        return [note(f"you ignore {names}")]
    wanted = argument.strip('"')
    keys = {fold(wanted), session.hall.names.whose(wanted)}
    kept = tuple(name for name in ignored if fold(name) not in keys)
    if kept == ignored:
        raise Refused(f"you do not ignore {wanted}; you ignore {names}")
    changed = session.hall.wishes.change(session, ignored=kept)
    done: Deferred[Iterable[Event]] = changed.addCallback(
        lambda _: [note(f"you see {wanted} again")]
    )
    return done
