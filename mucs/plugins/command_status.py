from collections import Counter
from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from mucs.events import Event, note
from mucs.plugin import command
from mucs.text import counted

LEVELS = {
    "none": "is in memory, and lost when the server ends",
    "process": "outlives the server, but perhaps not a power cut",
    "power": "outlives a power cut",
}


#: Seconds after which a log that does not answer is not well.
LATE = 5.0


@command("/status", "says how the server is")
def status(session: Any, argument: str) -> Deferred[Iterable[Event]]:
    hall = session.hall
    if hall.isFailing():
        return succeed(list(_told(hall, True)))
    # What nobody tries may fail, and nobody knows it yet.
    tried: Deferred[None] = hall.history.probe().addTimeout(LATE, hall.reactor)
    return tried.addCallbacks(lambda _: False, lambda _: True).addCallback(
        lambda fails: list(_told(hall, fails))
    )


def _told(hall: Any, fails: bool) -> Iterable[Event]:
    counts = hall.counts
    yield note(f"{counted(len(hall.sessions), 'connection')}, {counted(len(hall.rooms), 'room')}")
    yield note(f"what is said {LEVELS[hall.history.level]} ({hall.history.level})")
    if fails:
        yield note("at the moment nothing can be stored")
    ways = Counter(each.listener.frontEnd.name for each in hall.sessions.values())
    yield note("by front end: " + ", ".join(f"{name} {n}" for name, n in sorted(ways.items())))
    if counts.turns:
        mean, worst = counts.seconds / counts.turns * 1000, counts.worst * 1000
        yield note(
            f"{counted(counts.events, 'event')} in {counted(counts.turns, 'turn')} since the start;"
            f" storing one took {mean:.2f} ms, {worst:.2f} ms at most"
        )
    listeners = {each.listener for each in hall.sessions.values()}
    waiting = sum(each.seats.waiting for each in listeners)
    behind = len({who for room in hall.rooms.values() for who in room.cursors})
    yield note(
        f"waiting for a seat: {waiting}, behind: {behind}; {counts.entered} came in,"
        f" {counts.logins} logged in, {counted(counts.broken, 'send')} failed"
    )
    refused = [f"{reason} {n}" for reason, n in counts.refused.items() if n]
    if refused:
        yield note("refused: " + ", ".join(refused))
