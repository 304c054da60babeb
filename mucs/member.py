"""
A member: what someone says and changes in the rooms they are in.

Everything is posted to a room, and nothing is so until it is stored: a change becomes true then
(L{Member.stored}), is shown (L{mucs.viewer}), and is over once everyone has been told
(L{Member.settled}).  What could not be stored leaves everything as it was (L{Member.failed}).

The other half, what someone asks for, is L{mucs.session}.
"""

from __future__ import annotations

from mucs import events as kinds
from mucs.events import Event, Refused, note
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.room import Room
from mucs.viewer import GONE, IN, JOINING, LEAVING, Viewer


class Member(Viewer):
    """
    @ivar changes: how many changes it has asked for that are not settled yet.
    """

    __slots__ = ("_friend", "_joining", "_renaming", "changes")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self.changes = 0
        self._friend = (0, "")  # who last sent it a private word: number, and name at that time
        self._joining: dict[Room, None] = {}  # rooms it is about to be in
        self._renaming = ""  # the name it has claimed, and does not have yet

    def refuse(self, why: str) -> None:
        """Say why something was not done."""
        raise NotImplementedError

    def proceed(self) -> None:
        """The changes that were asked for are settled."""
        raise NotImplementedError

    # What commands do with it.

    @property
    def friend(self) -> str:
        """Who last sent it a private word, by the name they have now; empty for nobody."""
        number, name = self._friend
        friend = self.hall.sessions.get(number)
        return name if friend is None else friend.name

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
        other._friend = (self.id, self.name)
        self._post(room, kinds.TELL, text, other.name)

    def meet(self, room: Room) -> None:
        """Be in a private room, of which nobody is told."""
        if room in self.rooms:
            return
        # Those whose other half has gone are of no use any more.
        for old in [each for each in self.rooms if each.private and len(each.members) == 1]:
            if not old.isBusy() and self not in old.cursors:
                self._out(old)
        self.rooms[room] = None
        room.add(self)
        if self._outlet.busy:
            room.detach(self)

    def join(self, room: Room) -> None:
        """Enter a room, and speak there from now on. @raise Refused: where that is not possible."""
        if room in self.rooms:
            self._speakIn(room)
            self.reply(self.entry(room, kinds.ENTER))
            return
        if len(self.public()) >= self.hall.limits.rooms:
            self.hall.left(room)
            raise Refused(f"you are in {self.hall.limits.rooms} rooms already; /leave one first")
        self._joining[room] = None
        self.change(room, kinds.JOIN)

    def public(self) -> list[Room]:
        """The rooms it is in, but for those of private words."""
        return [room for room in self.rooms if not room.private]

    def leave(self, room: Room) -> None:
        """Leave a room."""
        self.change(room, kinds.LEAVE)

    def rename(self, name: str) -> None:
        """Take another name. @raise Refused: where that is not possible."""
        self.hall.names.claim(self, name)
        self._renamedIn = self.current
        for room in self.public():
            self.change(room, kinds.NICK, target=name)
        if self.changes:
            self._renaming = name
        else:
            self._renamed(name)
            self.reply(note(f"you are now {name}"))

    def change(self, room: Room, kind: str, text: str = "", target: str = "") -> None:
        """Post a change of this person's to a room; what they ask for next waits for it."""
        self.changes += 1
        self._post(room, kind, text, target)

    def _post(
        self, room: Room, kind: str, text: str = "", target: str = "", id: str = ""
    ) -> None:
        if kind in kinds.SPEECH and self.hall.isSlow(room):
            why = "not stored: the log is slow; try again later"
            self.reply(Event(room.name, 0, 0, "", kinds.NAK, why, id))
            return
        # Who leaves while their new name is being stored leaves by that name.
        author = self._renaming or self.name
        room.post(Event(room.name, 0, 0, author, kind, text, target, self.id, id), self)

    def _speakIn(self, room: Room | None) -> None:
        before, self.current = self.current, room
        for changed in (before, room):
            if changed is not None and changed in self.rooms:
                changed.regroup(self)

    # The rooms' member.

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
                room.detach(self, (event.seq or room.head + 1) - 1)
        elif event.kind == kinds.NICK and self.state != GONE and self.name != event.target:
            self._renamed(event.target)

    def settled(self, room: Room, event: Event) -> None:
        self.changes -= 1
        if event.kind == kinds.JOIN:
            self._joining.pop(room, None)
            if self.state == JOINING:
                self.state = IN
                self.hall.observe(self, kinds.NAMED)
        elif event.kind == kinds.LEAVE:
            self._out(room, event.seq)
        if not self.changes and self.state != GONE:
            self.proceed()

    def failed(self, room: Room, event: Event, unknown: bool) -> None:
        why = (
            "unknown, retry with the same id"
            if unknown and event.id
            else "it is unknown whether that was stored; look, and say it again if not"
            if unknown
            else "not stored: the log cannot be written to; try again later"
        )
        if event.kind in kinds.SPEECH:
            self.reply(Event(room.name, 0, 0, "", kinds.NAK, why, event.id))
            return
        self.changes -= 1
        if event.kind == kinds.NICK and not self.changes:
            self._renaming = ""
            self.hall.names.release(self, event.target, keep=self.name)
        if event.kind == kinds.NICK:
            # What waits was posted under a name that they do not have.
            room.rewrite(self.id, event.target, self.name)
        self.hall.left(room)
        if self.state < LEAVING and not self.changes:
            self.refuse(why)
        if not self.changes and self.state != GONE:
            self.proceed()

    def repeated(self, room: Room, event: Event) -> None:
        self.reply(Event(room.name, event.seq, event.time, "", kinds.ACK, "", "", 0, event.id))

    def waits(self) -> None:
        self.reply(note("the log is slow: what you asked for is not stored yet"))

    def _renamed(self, name: str) -> None:
        self.hall.names.release(self, self.name, keep=name)
        self.name = name
        self._renaming = ""

    def _out(self, room: Room, seq: int = 0) -> None:
        """Be in a room no longer; C{seq} is the last event of it that they see."""
        self.readUp(room, seq)
        self.rooms.pop(room, None)
        room.remove(self)
        self.hall.left(room)
        if room is self.current:
            self._speakIn(next(reversed(self.public()), None))
            if self.current is not None and self.state == IN:
                self.reply(note(f"you speak in #{self.current.name} now"))
