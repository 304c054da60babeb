"""
A viewer: what someone is shown of the rooms they are in.

Live, that is what the turn delivers to everyone, but for what is their own: a join, say, is seen
by its author as a welcome (L{Viewer.own}).  What they see later is L{mucs.follower}'s.

What they change is L{mucs.member}'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import implementer

from mucs import events as kinds
from mucs import roles
from mucs.events import Event, Refused, note, reply
from mucs.gaps import gap
from mucs.hall import Hall
from mucs.imucs import IAudience, IDialect, IMember
from mucs.listener import Listener
from mucs.outlet import Outlet
from mucs.paced import Paced
from mucs.places import Place
from mucs.room import Room
from mucs.settings import RoomSettings

WAITING, NAMING, JOINING, IN, LEAVING, GONE = range(6)


@implementer(IMember)
class Viewer:
    """
    @ivar peer: where it comes from, C{IP:PORT}, or C{unix:N}.
    @ivar host: the same without the port.
    @ivar counted: whether it counts among those from its address.
    @ivar id: a number no other session of this run has.
    @ivar name: what it is called; empty until it has a name.
    @ivar account: the key of the account it is logged in to: its name, folded; or nothing.
    @ivar admin: whether it is an admin of the server.
    @ivar sanctions: the numbers of the bans and mutes that go with it.
    @ivar passes: what lets it into rooms, by their keys: until when, and the key it has known.
    @ivar state: see L{mucs.session}.
    @ivar rooms: those it is in, in the order it came.
    @ivar token: what it may come back with.
    @ivar current: the one it speaks in.
    """

    __slots__ = (
        "_dialect",
        "_entrance",
        "_outlet",
        "_seen",
        "_renamedIn",
        "account",
        "admin",
        "counted",
        "current",
        "hall",
        "host",
        "id",
        "listener",
        "name",
        "passes",
        "peer",
        "policy",
        "rooms",
        "sanctions",
        "send",
        "state",
        "token",
    )

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        """@param peer: C{IP:PORT}, or nothing for a UNIX socket."""
        self.hall = hall
        self.listener = listener
        self.policy = listener.policy
        self.id = hall.number()
        self.peer = peer or f"unix:{self.id}"
        self.host = self.peer.rpartition(":")[0]
        self.counted = False
        self.name = ""
        self.account = ""
        self.admin = False
        self.sanctions: tuple[int, ...] = ()
        self.passes: dict[str, tuple[float, str]] = {}
        self.state = GONE
        self.rooms: dict[Room, None] = {}
        self.current: Room | None = None
        self._dialect = dialect
        self._entrance: Event | None = None  # its first join
        self._seen: dict[Room, int] = {}  # rooms it comes back to, and the seq it had read to
        self.token = ""
        self._renamedIn: Room | None = None  # where it is told of its last new name, once
        self._outlet: Outlet | Paced
        self.send: Callable[[bytes], None]

    @property
    def outlet(self) -> Outlet:
        """The way to the peer."""
        return self._outlet.straight if isinstance(self._outlet, Paced) else self._outlet

    def role(self, room: Room | None = None) -> str:
        """Which of L{mucs.roles.ROLES} it has, in a room or anywhere."""
        return self.standing(None if room is None else room.settings)

    def standing(self, settings: RoomSettings | None) -> str:
        """The same, of a room that is to be so."""
        if self.admin:
            return roles.ADMIN
        if not self.account and not self.name:
            return roles.STRANGER
        return roles.had(self.account, settings)

    def need(self, wanted: str, room: Room | None = None) -> None:
        """@raise Refused: it has not even the role C{wanted}, in a room or anywhere."""
        if not roles.may(self.role(room), wanted):
            raise Refused(roles.HOW[wanted])

    def reply(self, *answers: Event) -> None:
        """Say something to this person only."""
        text = self._dialect.reply(answers)
        if text:
            self._outlet.reply(text.encode("utf-8", "replace"))

    def answer(self, data: bytes) -> None:
        """Send bytes that are no text: what a terminal's own protocol is owed."""
        self._outlet.reply(data)

    def dismiss(self, why: str) -> None:
        """Close the connection; C{why} is told."""
        raise NotImplementedError

    def place(self) -> Place:
        """Where it has read to."""
        raise NotImplementedError

    def lastWords(self) -> None:
        """Do now what still waits: the server is about to stop."""
        raise NotImplementedError

    def stored(self, room: Room, event: Event) -> None:
        raise NotImplementedError

    def settled(self, room: Room, event: Event) -> None:
        raise NotImplementedError

    def failed(self, room: Room, event: Event, unknown: bool) -> None:
        raise NotImplementedError

    def repeated(self, room: Room, event: Event) -> None:
        raise NotImplementedError

    def waits(self) -> None:
        raise NotImplementedError

    # Live.

    def sender(self) -> Outlet | None:
        return self._outlet.sender()

    def audience(self, room: Room) -> IAudience:
        place = "private" if room.private else "current" if room is self.current else "other"
        return self._dialect.audience(place, self.policy.echo)

    def own(self, room: Room, event: Event) -> str:
        if event.kind == kinds.JOIN:
            return self._welcome(room, event)
        if self._dialect.framed:
            # Those who count see every number.
            return "".join(self.audience(room).render([event]))
        if event.kind == kinds.UNDO:
            return self._dialect.reply([note("taken back")])
        if event.kind == kinds.NICK and room is self._renamedIn:
            return self._dialect.reply([note(f"you are now {event.target}")])
        if event.kind == kinds.LEAVE and self.state < LEAVING:
            done = f"were kicked out of #{room.name} by {event.target}" if event.target else ""
            why = f" ({event.text})" if done and event.text else ""
            return self._dialect.reply([note(f"you {done or f'left #{room.name}'}{why}")])
        if event.kind == kinds.TOPIC:
            said = f"is now: {event.text}" if event.text else "is gone"
            return self._dialect.reply([note(f"the topic of #{room.name} {said}")])
        return ""

    def _welcome(self, room: Room, event: Event) -> str:
        """What someone is shown who comes in: who is there, and what was said."""
        first = event is self._entrance
        answers = [self.entry(room, kinds.WELCOME if first else kinds.ENTER, comes=True)]
        if not self.policy.history:
            return self._dialect.reply(answers)
        if room.topic:
            answers.append(note(f"topic: {room.topic}"))
        if first:
            answers += [note(line) for line in self.hall.motd]
            if not self._dialect.framed:
                answers.append(reply(kinds.TOKEN, self.token))
        # A join that could not be stored has no number: it comes after everything that has.
        seq = event.seq or room.head + 1
        seen = self._seen.pop(room, 0)
        if seen:
            skipped, earlier = room.between(seen, seq)
            if not self.past(room):
                skipped, earlier = skipped + len(earlier), []
            if skipped and (self._dialect.framed or self.past(room)):
                answers.append(gap(self, room, seen, skipped))
            if not self._dialect.framed:
                # To a person their own coming and going is nothing that they missed.
                own = (kinds.JOIN, kinds.LEAVE)
                earlier = [e for e in earlier if e.author != self.name or e.kind not in own]
            earlier = self.sees(earlier)
            answers.append(reply(kinds.MISSED, str(len(earlier)), room=room.name))
        else:
            earlier = self.sees(room.earlier(seq)) if self.past(room) else []
        return (
            self._dialect.reply(answers)
            + self._dialect.history(earlier, event.time or self.hall.history.now())
            + self._dialect.reply([Event(room.name, event.seq or room.head, 0, "", kinds.NOW)])
        )

    def isCounting(self) -> bool:
        """Whether it counts events by their numbers, so that none may be left out."""
        return self._dialect.framed

    def past(self, room: Room) -> bool:
        """Whether it is shown what was said in a room before it came."""
        return room.settings.history or roles.can(self.role(room), "look back where guests may not")

    def show(self, events: Sequence[Event]) -> None:
        """Show things said earlier."""
        text = self._dialect.history(self.sees(events), self.hall.history.now())
        self._outlet.reply(text.encode("utf-8", "replace"))

    def sees(self, events: Sequence[Event]) -> list[Event]:
        """Those of some events that it wants to see, as it wants to see them."""
        raise NotImplementedError

    def entry(self, room: Room, kind: str, comes: bool = False) -> Event:
        """What someone is told who speaks in a room from now on: where, and with whom."""
        who = self.hall.company(room, self, comes)
        return Event(room.name, 0, 0, self.name, kind, who, self.hall.called)
