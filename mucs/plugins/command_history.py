import re
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note
from mucs.gaps import MOST
from mucs.plugin import command
from mucs.roles import HOW, MEMBER
from mucs.text import firstWord, quote

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
USAGE = "/history [N] [before SEQ | since 10m] [in ROOM | with NAME]"
WRONG = f"{USAGE}; N is at most {MOST}, a time is like 30s, 10m, 2h or 3d"


@command(USAGE, "shows what was said here before")
def history(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    if argument.split(" ")[0] == "with":
        return between(session, argument[5:])
    if counted := re.fullmatch(r"(\d+) +with +(.*)", argument):
        return between(session, f"{counted[2]} {counted[1]}")
    hall = session.hall
    limit, before, seconds, name = parse(argument)
    room = session.where(name)
    session.lookBack(room)
    since = 0 if seconds is None else hall.history.now() - seconds * 1000
    limit = limit or (20 if seconds is None else MOST)

    def show(events: list[Event]) -> Iterable[Event]:
        # One more than is shown was asked for, to know whether there is something before.
        said = [event for event in events[-limit:] if event.time >= since]
        session.show(said)
        if not said:
            return [note("nothing was said here in that time")]
        if said[0] is events[0]:
            return [note("that was it")]
        there = "" if room is session.current else f" in {quote(room.name)}"
        more = f"/history {limit} before {said[0].seq}{there}"
        return [note(f"that was it; {more} shows what was before")]

    def ask(_: None) -> Deferred[list[Event]]:
        found: Deferred[list[Event]] = hall.history.said(room, before, limit + 1)
        return found

    stored: Deferred[None] = hall.stored()
    return stored.addCallback(ask).addCallback(show)


def parse(argument: str) -> tuple[int, int, int | None, str]:
    """
    @return: how many, 0 if it does not say; before which seq, 0 for the end; since how many
        seconds, or L{None}; and in which room, empty for that where one speaks.
    @raise Refused: that is not how it is said.
    """
    limit = before = 0
    seconds: int | None = None
    room = ""
    given: set[str] = set()
    word, rest = firstWord(argument)
    while word:
        value = word
        kind = word if word in ("before", "since", "in") else "N"
        if kind != "N":
            value, rest = firstWord(rest)
        ago = re.fullmatch(r"(\d{1,6})([smhd])", value)
        if kind == "N" and value.isdecimal() and 1 <= int(value) <= MOST:
            limit = int(value)
        elif kind == "before" and value.isdecimal():
            before = int(value)
        elif kind == "since" and ago:
            seconds = int(ago[1]) * SECONDS[ago[2]]
        elif kind == "in" and value:
            room = value
        else:
            raise Refused(WRONG)
        if kind in given or given & {"before", "since"} and kind in ("before", "since"):
            raise Refused(WRONG)
        given.add(kind)
        word, rest = firstWord(rest)
    return limit, before, seconds, room


def between(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    """Private words, which are in no room that one can be in."""
    hall = session.hall
    name, count = firstWord(argument)
    if not name or (count and not (count.isdecimal() and 1 <= int(count) <= MOST)):
        raise Refused(f"with whom? /history with NAME [N]; N is at most {MOST}")
    if not session.account:
        raise Refused(HOW[MEMBER])
    other = hall.names.whose(name)
    if not other:
        raise Refused(f"{name} is not registered; private words of two who are are kept")

    def show(events: list[Event]) -> Iterable[Event]:
        session.show(events)
        return [note(f"that was it, with {name}" if events else f"nothing is kept with {name}")]

    def ask(_: None) -> Deferred[list[Event]]:
        found: Deferred[list[Event]] = hall.history.between(
            session.account, other, int(count or 20)
        )
        return found

    stored: Deferred[None] = hall.stored()
    return stored.addCallback(ask).addCallback(show)
