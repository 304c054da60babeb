"""
The rooms: those that everyone may enter, by name, and those of private words.

A room is made when someone enters it.  An empty one goes, and its log stays.  Whatever is posted to
any of them is stored and shown by one L{turn<mucs.turn.Turn>}; private words have another.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from operator import indexOf
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from mucs.events import Refused
from mucs.history import History
from mucs.imucs import ILog, IMember
from mucs.names import BadName, checkRoom, fold, nearest
from mucs.outcome import Batch
from mucs.pairs import Pairs
from mucs.records import Table
from mucs.room import Room
from mucs.rules import Limits
from mucs.sanctions import Sanctions
from mucs.seating import Seating
from mucs.settings import RoomSettings
from mucs.turn import Turn
from mucs.volley import Volley

LOBBY = "lobby"

#: What is asked of a room that is not kept.
UNKNOWN = RoomSettings(name="", private=True)

#: How many names are listed to one who comes in.
NAMED = 20


class Rooms(MultiService):
    """
    The hall, as far as it is its rooms.

    @ivar rooms: the public rooms, by folded name.
    @ivar pairs: who has a private room in the log.
    @ivar seconds: a clock that never goes back.
    @ivar settings: how the rooms are that are kept, by folded name.
    @ivar sanctions: who may not be, or speak, where.
    @ivar volley: where the turns' sends are gathered.
    @ivar counts: what the server has done; of the turns, those of the public rooms.
    """

    pairs: Pairs

    def __init__(
        self,
        reactor: IReactorTime,
        store: ILog,
        scratch: ILog,
        limits: Limits,
        clock: Callable[[], float],
        observe: Callable[[Batch], None] | None,
    ) -> None:
        """
        @param scratch: keeps private words for as long as one of the two is here, where not both
            are registered.
        """
        super().__init__()
        self.reactor = reactor
        self.seconds = reactor.seconds
        self.limits = limits
        self.rooms: dict[str, Room] = {}
        self.history = History(store, clock)
        self.settings = Table(store, "room", RoomSettings)
        self.sanctions = Sanctions(store, clock, reactor.seconds)
        self._private: dict[str, Room] = {}
        self.volley = Volley()
        self._turn = Turn(reactor, store, limits, self.volley, observe)
        self._scratch = Turn(reactor, scratch, limits, self.volley)
        self.counts = self._turn.counts

    def room(self, name: str, make: bool = True) -> Room:
        """
        A public room.

        @param name: as it was typed, with or without C{#}.
        @raise Refused: it cannot have that name; or it is not there, and is not to be made.
        """
        try:
            name = checkRoom(name, self.limits.room)
        except BadName as bad:
            raise Refused(str(bad)) from bad
        room = self.rooms.get(fold(name))
        if room is None:
            if not make:
                if not self.settings.rows.get(fold(name), UNKNOWN).private:
                    raise Refused(f"nobody is in #{name}; /join it to be the first")
                listed = [room.name for room in self.rooms.values() if not room.settings.private]
                near = nearest(name, listed)
                hint = f"; did you mean #{near}?" if near else "; /rooms lists them"
                raise Refused(f"there is no room #{name}{hint}")
            room = self.rooms[fold(name)] = Room(name, self._turn.wake, self.limits)
            self.prepare(room)
            self._recall(room)
        return room

    def prepare(self, room: Room) -> None:
        """Make a room as it was decided to be."""
        room.settings = self.settings.rows.get(room.key, room.settings)
        if room.settings.seats:
            room.seating = Seating(room)
            room.seating.resize(room.settings.seats)
        self.mind(room)

    def mind(self, room: Room) -> None:
        """Find out whether it must be asked who may speak in a room."""
        room.guarded = room.settings.moderated or self.sanctions.mutes(room.key)

    def privateRoom(self, one: IMember, other: IMember) -> Room:
        """The room in which two people speak in private; kept, if both are registered."""
        kept = bool(one.account and other.account)
        # No public room has a comma in its name.
        name = ",".join(map(str, sorted((one.id, other.id))))
        if kept:
            name = self.pairs.begin(one.account, other.account)
        room = self._private.get(name)
        if room is None:
            turn = self._turn if kept else self._scratch
            room = self._private[name] = Room(name, turn.wake, self.limits, private=True)
            if kept:
                self._recall(room)
        return room

    def _recall(self, room: Room) -> None:
        """Read the end of a new room's log."""
        tail = self.history.tail(room.name, self.limits.behind)
        room.recall(tail)
        if not room.ready:
            self._turn.patience.begin(room, lambda: room.posters)
            tail.addBoth(lambda _: self._turn.patience.end(room))

    def _turnOf(self, room: Room) -> Turn:
        """What stores what happens there."""
        return self._scratch if room.private and not room.name.startswith(",") else self._turn

    def left(self, room: Room) -> None:
        """Someone left a room: an empty one goes, its log stays."""
        if room.members or room.isBusy():
            return
        if room.private:
            self._private.pop(room.name, None)
        elif self.rooms.get(fold(room.name)) is room:
            del self.rooms[fold(room.name)]

    def company(self, room: Room, session: IMember, comes: bool) -> str:
        """
        Who else is in a room, in words.

        @param comes: whether C{session} comes in just now: then only who was there before, as
            those who come with the same batch, but later, are announced to them.
        """
        later = 0
        if comes and session in room.members:
            later = indexOf(reversed(room.members), session)
        count = max(0, len(room.members) - 1 - later)
        first = list(islice(room.members, NAMED + 1))
        if session in first:
            first.remove(session)
        names = [member.name for member in first[: min(count, NAMED)]]
        if not names:
            return "nobody else"
        more = count - len(names)
        return ", ".join(names) + (f" and {more} others" if more > 1 else " and one other" * more)

    def bound(self, limits: Limits) -> None:
        """Other limits hold, for the rooms that there are too."""
        self.limits = limits
        for turn in (self._turn, self._scratch):
            turn.limits = limits
        for room in [*self.rooms.values(), *self._private.values()]:
            room.bound(limits)

    def stored(self) -> Deferred[None]:
        """Fires when everything that was posted so far is stored, or refused."""
        return self._turn.stored()

    def shown(self) -> Deferred[Any]:
        """Fires when everything that was posted so far, private words too, is stored or refused."""
        return DeferredList([self._turn.stored(), self._scratch.stored()])

    def isSlow(self, room: Room, more: int = 1) -> bool:
        """Whether so much waits there for a log that does not answer that C{more} may not."""
        turn = self._turnOf(room)
        return room.isFull(more) and (turn.late or not room.ready)

    def isFailing(self) -> bool:
        """Whether nothing can be stored."""
        return self._turn.failing

    def silence(self) -> float:
        """Seconds for which the log has not answered what it was given."""
        return self._turn.silence()

    def flush(self) -> None:
        """Store and show everything that was posted, now."""
        self._turn.flush()
        self._scratch.flush()
