"""
A newcomer: how a connection gets from the door into a room.

It takes a seat, or waits for one; is greeted, and asked for a name, unless it is called by its
address; and has some time to give one.  From its first join on it is what L{mucs.session} says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from mucs import events as kinds
from mucs.events import Event, Refused, refusal, reply
from mucs.hall import LOBBY, Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.member import Member
from mucs.names import BadName, checkName
from mucs.places import Place
from mucs.room import Room
from mucs.viewer import GONE, JOINING, NAMING


class Newcomer(Member):
    """A session, until it is in."""

    __slots__ = ("_deadline", "_known", "_places")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self._deadline: IDelayedCall | None = None
        self._known = not listener.proxied  # where it comes from
        self._places: Sequence[tuple[str, int]] = ()  # where it wants to go, and had read to

    def placed(self, place: int) -> None:
        """There is no seat yet."""
        self.reply(reply(kinds.PLACE, str(place)))

    def seated(self) -> None:
        """There is a seat: who is it?"""
        self.state = NAMING
        self._deadline = self.hall.reactor.callLater(self.hall.limits.naming, self._late)
        self.reply(reply(kinds.GREETING, self.hall.called))
        if self._known:
            self._nameByAddress()

    def settle(self, peer: str) -> None:
        """Where it comes from, behind a proxy, is known now; who is named so has a name."""
        self._known = True
        self.peer = peer or f"unknown:{self.id}"
        self.host = self.peer.rpartition(":")[0]
        try:
            self.hall.arriveFrom(self)
        except Refused as refused:
            self.dismiss(str(refused))
        else:
            self._nameByAddress()

    def _nameByAddress(self) -> None:
        if self.state == NAMING and self.policy.naming == "address":
            try:
                self._enter(self.peer)
            except Refused as refused:
                # One socket can be connected to two of our ports.
                self.dismiss(str(refused))

    def write(self, dialect: IDialect) -> bool:
        """Be written to in another dialect from here on. @return: whether that is possible."""
        if self.state != NAMING:
            return False
        self._dialect = dialect
        self.policy = replace(self.policy, echo=dialect.policy.echo)
        self.reply(reply(kinds.GREETING, self.hall.called))
        return True

    def _late(self) -> None:
        self._deadline = None
        self.dismiss(f"no name was given in {self.hall.limits.naming:g} s")

    def refuse(self, why: str) -> None:
        """Say why something was not done; and ask again, if that was a name."""
        if self.state == NAMING:
            self.reply(refusal(why), reply(kinds.ASK))
        elif self.state < GONE:
            self.reply(refusal(why))

    def nothing(self) -> None:
        """An empty line is no name, and otherwise nothing."""
        if self.state == NAMING and self.policy.naming == "ask":
            self.refuse("a name cannot be empty")

    def _claim(self, text: str) -> None:
        try:
            name = checkName(text, self.hall.limits.name)
        except BadName as bad:
            raise Refused(str(bad)) from bad
        self._enter(name)

    def _enter(self, name: str) -> None:
        """Come in. @raise Refused: that is not possible, and nothing is done."""
        hall = self.hall
        rooms: dict[Room, int] = {}
        try:
            for place, seq in self._places or [(LOBBY, 0)]:
                rooms[hall.room(place)] = max(0, seq)
                if len(rooms) > hall.limits.rooms:
                    raise Refused(f"one can be in {hall.limits.rooms} rooms at most")
            if any(hall.isSlow(room) for room in rooms):
                raise Refused("the log is slow, and nobody can come in; try again later")
            hall.names.claim(self, name)
        except Refused:
            for room in rooms:
                hall.left(room)
            raise
        self._seen = rooms
        self.name = name
        self.state = JOINING
        self.arrived()
        if self.policy.history:
            self.token = self.hall.places.token()
            self.hall.tokens[self.token] = self
        for room in list(rooms):
            self.join(room)

    def resume(self, token: str) -> Deferred[Iterable[Event]]:
        """
        Come back to where someone had read to whose line was lost.

        @return: fires with what is to be answered, if that is not the welcome.
        """
        before = self.hall.tokens.pop(token.strip().lower(), None)
        if before is not None:
            # Its line is as good as lost: nobody else has this token.
            place: Deferred[Place | None] = succeed(before.place())
            before.dismiss("you came back by another line")
        else:
            place = self.hall.places.take(token)
        return place.addCallback(self._return)

    def _return(self, place: Place | None) -> Iterable[Event]:
        if place is None:
            raise Refused("that token is good for nothing any more; what is your name?")
        if self.state != NAMING:
            return ()
        self._places = tuple(place.rooms.items())
        try:
            self._claim(place.name)
        except Refused as refused:
            raise Refused(f"{refused}; you come back to your rooms all the same") from refused
        return ()

    def place(self) -> Place:
        """Where it has read to."""
        rooms = {
            room.name: room.cursors.get(self, room.head)
            for room in sorted(self.public(), key=lambda room: room is self.current)
        }
        return Place(self.name, rooms, self.id)

    def arrived(self) -> None:
        """There is no hurry any more."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
