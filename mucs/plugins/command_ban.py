from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused
from mucs.plugin import command
from mucs.sanctions import BAN, parse
from mucs.text import firstWord

USAGE = "/ban [--server] NAME|ADDRESS|ADDRESS/BITS [30m|7d] [WHY]"


@command(USAGE, "keeps someone, or everyone from an address, out of the room or the server")
def ban(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    room, rest = orders.where(session, argument)
    name, rest = firstWord(rest)
    if not name:
        raise Refused(f"whom? {USAGE}")
    seconds, text = orders.term(rest)
    why = orders.reason(session, text, USAGE)
    quoted = '"' in argument.partition(name)[0]
    network = "" if quoted or _isSomeone(session, name) else orders.network(name)
    if network:
        mine, all = parse(session.host), parse(network)
        if mine and all and mine.version == all.version and mine.subnet_of(all):  # type: ignore[arg-type]
            raise Refused(f"you come from there yourself; {USAGE}")
        return orders.impose(session, BAN, network, room, seconds, why)
    target = orders.whom(session, name, USAGE, left=room or session.current)
    orders.check(session, target, room, USAGE)
    return orders.impose(session, BAN, target, room, seconds, why)


def _isSomeone(session: Any, name: str) -> bool:
    """Whether it is what someone is called by their address: IP:PORT may look like an IP."""
    try:
        return ":" in session.hall.names.find(name).name
    except Refused:
        return False
