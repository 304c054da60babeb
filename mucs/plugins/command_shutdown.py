from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.plugin import command
from mucs.spans import span, words

#: The longest there may be to wait, in seconds: a week, well below what a reactor can wait for.
MOST = 7 * 86400
USAGE = "/shutdown [in 5m | no]"


@command(USAGE, "stops the server, now or later, and tells everyone; no takes it back")
def shutdown(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    closing = session.hall.closing
    when, _, term = argument.partition(" ")
    seconds = span(term.strip()) if when == "in" else 0
    if argument and argument != "no" and not 0 < seconds <= MOST:
        raise Refused(f"{USAGE}; at most {words(MOST)}")

    if argument == "no":
        closing.check()

    def do(_: int) -> Iterable[Event]:
        if argument == "no":
            closing.revoke(session.name)
            return [note("the server goes on")]
        closing.order(session.name, seconds)
        if not seconds:
            return []
        return [note(f"the server stops in {words(seconds)}; /shutdown no takes it back")]

    return orders.give(session, "shutdown", do, text=argument)
