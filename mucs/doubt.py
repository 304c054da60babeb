"""
Doubt: what a room has not seen of its own log, and how that is settled.

A room sees what is stored as it is stored, so its numbers go on where its head is. Where they do
not, or where the log does not know what became of a batch (L{mucs.events.Unknown}), the log
itself is asked: what stands past the head has happened, and everyone is to see it first; and
what was asked for and does not stand there has not.

Always true: what comes of this goes on at the head, without a gap and without a repeat, as far as
the log can be read.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import Event
from mucs.imucs import ILog, IMember
from mucs.room import Room

log = Logger()

#: Events of a room that are read at once: more than a batch holds.
MOST = 10_000

Posters = Sequence[IMember | None]


def jumps(room: Room, events: Sequence[Event]) -> bool:
    """Whether something is missing between a room's head and these, some of which may be old."""
    head = room.head
    for event in events:
        if event.seq > head + 1:
            return True
        head = max(head, event.seq)
    return False


def find(store: ILog, rooms: Sequence[Room]) -> Deferred[dict[Room, list[Event]]]:
    """
    Ask what stands past the heads of some rooms.

    @return: fires with it; never fails. Where the log cannot be read it is nothing.
    """

    def gather(results: list[tuple[bool, list[Event]]]) -> dict[Room, list[Event]]:
        pairs = zip(rooms, results, strict=True)
        return {room: [one for one in found if one.seq > room.head] for room, (_, found) in pairs}

    return DeferredList(
        [store.read(room.name, MOST, after=room.head).addErrback(_unread) for room in rooms]
    ).addCallback(gather)


def _unread(failure: Failure) -> list[Event]:
    log.failure("what is stored cannot be read", failure)
    return []


def fresh(
    room: Room, events: Sequence[Event], posters: Posters, found: Sequence[Event]
) -> tuple[list[Event], list[IMember | None], list[tuple[Event, IMember]]]:
    """
    What a room is to take of a batch: what is new to it, among what was found before.

    @return: events in their order; who posted them, L{None} where that is not known; and what
        was said again, with its id, though it is there already, and by whom.
    """
    again: list[tuple[Event, IMember]] = []
    new: dict[int, tuple[Event, IMember | None]] = {one.seq: (one, None) for one in found}
    for event, poster in zip(events, posters, strict=True):
        if event.seq > room.head and new.get(event.seq, (event, None))[1] is None:
            new[event.seq] = event, poster
        elif poster is not None:
            again.append((event, poster))
    ordered = [new[seq] for seq in sorted(new)]
    return [event for event, _ in ordered], [poster for _, poster in ordered], again


def match(drafts: Sequence[Event], found: Sequence[Event]) -> list[int | None]:
    """
    Find what was to be stored among what is.

    @return: for each draft its place in C{found}, which is in the same order; or L{None}.
    """
    places: list[int | None] = []
    at = 0
    keys = [_key(event) for event in found]
    for draft in drafts:
        try:
            place = keys.index(_key(draft), at)
        except ValueError:
            places.append(None)
        else:
            places.append(place)
            at = place + 1
    return places


def _key(event: Event) -> tuple[str, ...]:
    return event.kind, event.author, event.text, event.target, event.id
