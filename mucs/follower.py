"""
A follower: what someone is shown who cannot be shown everything at once.

While the way to the peer is full, or a paced batch is not yet due, the rooms keep this person's
place, and L{Follower.drained} reads on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mucs import events as kinds
from mucs.events import Event
from mucs.gaps import gap
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.paced import Paced
from mucs.room import Room
from mucs.viewer import Viewer

NONE: Mapping[Room, Event] = MappingProxyType({})

#: Events read at once, of all rooms, by someone who catches up.
STRETCH = 100


class Follower(Viewer):
    """The owner of an outlet."""

    __slots__ = ("_entrances",)

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        # Its joins that it could not be shown when they were made.
        self._entrances: Mapping[Room, Event] = NONE

    def held(self) -> None:
        """Send no more for now: from here on the rooms keep our place."""
        if self._outlet.busy:
            for room in self.rooms:
                room.detach(self)

    def drained(self) -> None:
        """There is room again: read on from our places, in all rooms alike."""
        behind = self._behind()
        while behind and not self._outlet.busy:
            share = max(1, STRETCH // len(behind))
            data = b"".join([self._missed(room, *room.missed(self, share)) for room in behind])
            if data:
                self.send(data)
            behind = self._behind()

    def readUp(self, room: Room, seq: int = 0) -> None:
        """
        Read the rest of a room that is being left.  Who is sent to in batches, or holds, always has
        a place of their own for some time, and would lose what waits for the next batch; who is
        slow does lose it, and is told how much that is.

        @param seq: the last event that is to be seen, if not that at the head.
        """
        if self not in room.cursors:
            return
        if self._isBatched():
            skipped, events = room.missed(self, max(1, STRETCH // len(self.rooms)))
            seen = [event for event in events if not seq or event.seq <= seq]
            self.send(self._missed(room, skipped, seen, stays=False))
            return
        going = room.find(seq)
        skipped = (seq - 1 if going else room.head) - room.cursors[self]
        self._outlet.reply(self._missed(room, skipped, [going] if going else [], stays=False))

    def _isBatched(self) -> bool:
        return isinstance(self._outlet, Paced)

    def _behind(self) -> list[Room]:
        """The rooms in which it has a place of its own, and is to read on."""
        return [room for room in self.rooms if self in room.cursors]

    def _missed(
        self, room: Room, skipped: int, events: list[Event], stays: bool = True
    ) -> bytes:
        audience = self.audience(room)
        pieces: list[str] = []
        if skipped:
            seen = (events[0].seq if events else room.head + 1) - skipped - 1
            entrance = self._entrances.get(room)
            if entrance is not None and seen < entrance.seq <= seen + skipped:
                # Of what it has missed this is shown all the same: without it nothing that
                # follows makes sense.
                pieces.append(self.own(room, entrance))
                seen, skipped = entrance.seq, seen + skipped - entrance.seq
        if skipped:
            pieces.append(self._dialect.reply([gap(self, room, seen, skipped, stays)]))
        for event in events:
            if event.origin != self.id or (audience.echoes and event.kind in kinds.SPEECH):
                pieces += audience.render([event])
            elif event.kind in kinds.SPEECH:
                pieces.append(audience.own([event]))
            else:
                pieces.append(self.own(room, event))
        return "".join(pieces).encode("utf-8", "replace")
