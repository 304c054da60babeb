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
from mucs.events import Event, Refused, note, refusal, reply
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.member import Member
from mucs.names import BadName, checkName, checkRoom
from mucs.places import Place
from mucs.room import Room
from mucs.rooms import LOBBY
from mucs.spans import moment
from mucs.viewer import GONE, JOINING, NAMING

#: Sessions that someone had before, by returning again and again, whose words are still theirs.
FORMER = 20

#: Wrong names of rooms that are told, and characters of each.
TOLD = 5
TOLD_SIZE = 40


class Newcomer(Member):
    """A session, until it is in."""

    __slots__ = ("_deadline", "_former", "_known", "_places")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self._deadline: IDelayedCall | None = None
        self._known = not listener.proxied  # where it comes from
        self._former: tuple[int, ...] = ()  # the sessions it had before its line was lost
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
        if self.state == NAMING and self.policy.naming == "address" and self.policy.guests:
            try:
                self.enter(self.peer)
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
        self.hall.counts.refused["late"] += 1
        self.dismiss(f"no name was given in {self.hall.limits.naming:g} s")

    def refuse(self, why: str) -> None:
        """Say why something was not done; and ask again, if that was a name."""
        self.hall.counts.refused["name" if self.state == NAMING else "request"] += 1
        if self.state == NAMING:
            self.reply(refusal(why), reply(kinds.ASK))
        elif self.state < GONE:
            self.reply(refusal(why))

    def nothing(self) -> None:
        """An empty line is no name, and otherwise nothing but that someone looks up."""
        self.lookUp()
        if self.state == NAMING and self.policy.naming == "ask":
            self.refuse("a name cannot be empty")

    def named(self, text: str) -> str:
        """A name that somebody wants to have, as it is shown. @raise Refused: it cannot be one."""
        try:
            return checkName(text, self.hall.limits.name)
        except BadName as bad:
            raise Refused(str(bad)) from bad

    def _claim(self, text: str) -> None:
        self.enter(self.named(text))

    def enter(self, name: str) -> None:
        """Come in. @raise Refused: that is not possible, and nothing is done."""
        hall = self.hall
        if not self.account and not self.policy.guests:
            raise Refused("only those who have an account come in here: /login NAME PASSWORD")
        if not hall.ready:
            raise Refused("the server is still beginning; try again in a moment")
        rooms: dict[Room, int] = {}
        try:
            places, wrong = self._possible()
            for place, seq in places:
                rooms[hall.room(place)] = seq
                if len(rooms) > hall.limits.rooms:
                    raise Refused(f"one can be in {hall.limits.rooms} rooms at most")
            barred = wrong + hall.rules.sift(self, rooms, name)
            if any(hall.isSlow(room) for room in rooms):
                raise Refused("the log is slow, and nobody can come in; try again later")
            hall.names.claim(self, name)
        except Refused:
            for room in rooms:
                hall.left(room)
            raise
        self._seen = rooms
        self.name = name
        if self.account:
            # Before anything is shown: whom they ignore is left out of it.
            hall.wishes.recall(self)
        self.sanctions = hall.sanctions.carried(self)
        self.state = JOINING
        hall.counts.entered += 1
        self.arrived()
        self.reply(*map(refusal, barred))
        if self.policy.history:
            self.token = self.hall.places.token()
            self.hall.tokens[self.token] = self
        for room in list(rooms):
            self.sit(room)

    def _possible(self) -> tuple[list[tuple[str, int]], list[str]]:
        """
        Where it wants to go; the lobby, if it did not say.

        @return: the rooms that there can be, and a sentence about the names that no room has.
        """
        places: list[tuple[str, int]] = []
        wrong: list[str] = []
        for place, seq in self._places or [(LOBBY, 0)]:
            try:
                places.append((checkRoom(place, self.hall.limits.room), seq))
            except BadName:
                wrong.append(place[:TOLD_SIZE])
        if not wrong:
            return places, []
        more = f" and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
        told = "; ".join(wrong[:TOLD])
        return places, [f"no room can be called so, and you are not there: {told}{more}"]

    def resume(self, token: str) -> Deferred[Iterable[Event]]:
        """
        Come back to where someone had read to whose line was lost.

        @return: fires with what is to be answered, if that is not the welcome.
        """
        before = self.hall.tokens.pop(token.strip().lower(), None)
        if before is not None:
            # Its line is as good as lost: nobody else has this token.
            self.hall.places.forget(token)
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
        sessions = [number for number in (place.session, *place.former) if number]
        self._former = tuple(sessions[:FORMER])
        now = self.hall.seconds()
        self.sanctions = place.sanctions
        self.passes = {room: (now + left, key) for room, (left, key) in place.passes.items()}
        try:
            self._claim(place.name)
        except Refused as refused:
            raise Refused(f"{refused}; you come back to your rooms all the same") from refused
        if not place.noted:
            return ()
        since = moment(place.noted)
        return [note(f"the server broke off; you are shown all since {since}, some of it again")]

    def place(self) -> Place:
        """Where it has read to."""
        rooms = {
            room.name: room.cursors.get(self, room.head)
            for room in sorted(self.public(), key=lambda room: room is self.current)
        }
        now = self.hall.seconds()
        passes = {room: (until - now, key) for room, (until, key) in self.passes.items()}
        return Place(self.name, rooms, self.id, self.sanctions, passes, self._former)

    def owns(self, event: Event) -> bool:
        """Whether an event came from here, or from before its line was lost."""
        return event.origin == self.id or event.origin in self._former

    def arrived(self) -> None:
        """There is no hurry any more."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
