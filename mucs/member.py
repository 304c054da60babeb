"""
A member: what the rooms and the turn know of someone, and what that one is shown.

Everything here happens after something was posted: a change becomes true when it is stored
(L{Member.stored}), is seen by its author in words of their own (L{Member.own}), and is over once
everyone has been told (L{Member.settled}).  While the way to the peer is full the rooms keep this
member's place, and L{Member.drained} reads on from there.

The other half, what someone asks for, is L{mucs.session}.
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from mucs import events as kinds
from mucs.events import Event, Refused, note, reply
from mucs.hall import Hall
from mucs.imucs import IAudience, IDialect, IMember
from mucs.listener import Listener
from mucs.outlet import Outlet
from mucs.paced import Paced
from mucs.room import Room

WAITING, NAMING, JOINING, IN, LEAVING, GONE = range(6)

#: Events read at once by someone who catches up.
STRETCH = 100


@implementer(IMember)
class Member:
    """
    @ivar peer: where it comes from, C{IP:PORT}, or C{unix:N}.
    @ivar host: the same without the port.
    @ivar counted: whether it counts among those from its address.
    @ivar id: a number no other session of this run has.
    @ivar name: what it is called; empty until it has a name.
    @ivar state: see L{mucs.session}.
    @ivar rooms: those it is in, in the order it came.
    @ivar current: the one it speaks in.
    @ivar friend: who last sent it a private word, by name.
    @ivar changes: how many changes it has asked for that are not settled yet.
    """

    __slots__ = (
        "_dialect",
        "_entrance",
        "_joining",
        "_outlet",
        "changes",
        "counted",
        "current",
        "friend",
        "hall",
        "host",
        "id",
        "listener",
        "name",
        "peer",
        "policy",
        "rooms",
        "send",
        "state",
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
        self.state = GONE
        self.rooms: dict[Room, None] = {}
        self.current: Room | None = None
        self.friend = ""
        self.changes = 0
        self._dialect = dialect
        self._entrance: Event | None = None  # its first join
        self._joining: Room | None = None
        self._outlet: Outlet | Paced
        self.send: Callable[[bytes], None]

    def reply(self, *answers: Event) -> None:
        """Say something to this person only."""
        text = self._dialect.reply(answers)
        if text:
            self._outlet.reply(text.encode("utf-8", "replace"))

    def answer(self, data: bytes) -> None:
        """Send bytes that are no text: what a terminal's own protocol is owed."""
        self._outlet.reply(data)

    def refuse(self, why: str) -> None:
        """Say why something was not done."""
        raise NotImplementedError

    def dismiss(self, why: str) -> None:
        """Close the connection; C{why} is told."""
        raise NotImplementedError

    def lastWords(self) -> None:
        """Do now what still waits: the server is about to stop."""
        raise NotImplementedError

    def proceed(self) -> None:
        """The changes that were asked for are settled."""
        raise NotImplementedError

    # What commands do with it.

    def act(self, text: str) -> None:
        """Do something visible in the current room: C{* ada waves}."""
        if self.current is None:
            raise Refused("you are in no room; /join ROOM takes you to one")
        self._post(self.current, kinds.ME, text)

    def tell(self, other: Member, text: str) -> None:
        """Say something to one other person."""
        room = self.hall.privateRoom(self, other)
        self.meet(room)
        other.meet(room)
        other.friend = self.name
        self._post(room, kinds.TELL, text, other.name)

    def meet(self, room: Room) -> None:
        """Be in a private room, of which nobody is told."""
        if room not in self.rooms:
            self.rooms[room] = None
            room.add(self)
            if self._outlet.busy:
                room.detach(self)

    def join(self, room: Room) -> None:
        """Enter a room, and speak there from now on. @raise Refused: where that is not possible."""
        if room in self.rooms:
            self._speakIn(room)
            self.reply(self._entry(room, kinds.ENTER))
            return
        if len(self.public()) >= self.hall.limits.rooms:
            raise Refused(f"you are in {self.hall.limits.rooms} rooms already; /leave one first")
        self._joining = room
        self.change(room, kinds.JOIN)

    def public(self) -> list[Room]:
        """The rooms it is in, but for those of private words."""
        return [room for room in self.rooms if not room.private]

    def leave(self, room: Room) -> None:
        """Leave a room."""
        self.change(room, kinds.LEAVE)

    def rename(self, name: str) -> None:
        """Take another name. @raise Refused: where that is not possible."""
        self.hall.claim(self, name)
        for room in self.public():
            self.change(room, kinds.NICK, target=name)
        if not self.changes:
            self._renamed(name)
            self.reply(note(f"you are now {name}"))

    def change(self, room: Room, kind: str, text: str = "", target: str = "") -> None:
        """Post a change of this person's to a room; what they ask for next waits for it."""
        self.changes += 1
        self._post(room, kind, text, target)

    def _post(self, room: Room, kind: str, text: str = "", target: str = "") -> None:
        room.post(Event(room.name, 0, 0, self.name, kind, text, target, self.id), self)

    def _entry(self, room: Room, kind: str) -> Event:
        who = self.hall.company(room, self)
        return Event(room.name, 0, 0, self.name, kind, who, self.hall.called)

    def _welcome(self, room: Room, event: Event) -> str:
        """What someone is shown who comes in: who is there, and what was said."""
        first = event is self._entrance
        answers = [self._entry(room, kinds.WELCOME if first else kinds.ENTER)]
        if not self.policy.history:
            return self._dialect.reply(answers)
        if room.topic:
            answers.append(note(f"topic: {room.topic}"))
        if first:
            answers += [note(line) for line in self.hall.motd]
        return (
            self._dialect.reply(answers)
            + self._dialect.history(room.earlier(event.seq), event.time)
            + self._dialect.reply([reply(kinds.NOW)])
        )

    def _speakIn(self, room: Room | None) -> None:
        before, self.current = self.current, room
        for changed in (before, room):
            if changed is not None and changed in self.rooms:
                changed.regroup(self)

    # The rooms' member.

    def audience(self, room: Room) -> IAudience:
        place = "private" if room.private else "current" if room is self.current else "other"
        return self._dialect.audience(place, self.policy.echo)

    def own(self, room: Room, event: Event) -> str:
        if event.kind == kinds.JOIN:
            return self._welcome(room, event)
        if event.kind == kinds.NICK and room is self.current:
            return self._dialect.reply([note(f"you are now {event.target}")])
        if event.kind == kinds.LEAVE and self.state < LEAVING:
            return self._dialect.reply([note(f"you left #{room.name}")])
        if event.kind == kinds.TOPIC:
            said = f"is now: {event.text}" if event.text else "is gone"
            return self._dialect.reply([note(f"the topic of #{room.name} {said}")])
        return ""

    def stored(self, room: Room, event: Event) -> None:
        if event.kind == kinds.JOIN and self.state < LEAVING:
            if self.state == JOINING:
                self._entrance = event
            self.rooms[room] = None
            before, self.current = self.current, room
            room.add(self)
            if before is not None:
                before.regroup(self)
            if self._outlet.busy:
                room.detach(self, event.seq - 1)
        elif event.kind == kinds.NICK and self.name != event.target:
            self._renamed(event.target)

    def settled(self, room: Room, event: Event) -> None:
        self.changes -= 1
        if event.kind == kinds.JOIN:
            self._joining = None
            if self.state == JOINING:
                self.state = IN
                self.hall.observe(self, kinds.NAMED)
        elif event.kind == kinds.LEAVE:
            self._out(room)
        if not self.changes and self.state != GONE:
            self.proceed()

    def failed(self, room: Room, event: Event) -> None:
        if event.kind in (kinds.JOIN, kinds.LEAVE, kinds.NICK, kinds.TOPIC):
            self.changes -= 1
        if event.kind == kinds.NICK:
            self.hall.release(self, event.target, keep=self.name)
        if event.kind == kinds.JOIN and self.state == JOINING:
            self.dismiss("the server cannot store anything; come back later")
        else:
            self.refuse("not stored: the log cannot be written to; try again later")

    def _renamed(self, name: str) -> None:
        self.hall.release(self, self.name, keep=name)
        self.name = name

    def _out(self, room: Room) -> None:
        self.rooms.pop(room, None)
        room.remove(self)
        self.hall.left(room)
        if room is self.current:
            self._speakIn(next(reversed(self.public()), None))
            if self.current is not None and self.state == IN:
                self.reply(note(f"you speak in #{self.current.name} now"))

    # The outlet's owner.

    def held(self) -> None:
        """Send no more for now: from here on the rooms keep our place."""
        if self._outlet.busy:
            for room in self.rooms:
                room.detach(self)

    def drained(self) -> None:
        """There is room again: read on from our places."""
        for room in self.rooms:
            while room.members[self] is None:
                if self._outlet.busy:
                    return
                skipped, events = room.missed(self, STRETCH)
                if data := self._missed(room, skipped, events):
                    self.send(data)

    def _missed(self, room: Room, skipped: int, events: list[Event]) -> bytes:
        audience = self.audience(room)
        pieces: list[str] = []
        if skipped:
            word = f"{skipped} messages skipped, /history shows them"
            pieces.append(self._dialect.reply([note(word)]))
        for event in events:
            if event.origin != self.id or (audience.echoes and event.kind in kinds.SPEECH):
                pieces += audience.render([event])
            elif event.kind in kinds.SPEECH:
                pieces.append(audience.own([event]))
            else:
                pieces.append(self.own(room, event))
        return "".join(pieces).encode("utf-8", "replace")
