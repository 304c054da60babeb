"""
A member: what someone says and changes in the rooms they are in.

Everything is posted to a room, and nothing is so until it is stored: a change becomes true then
(L{Member.stored}), is shown (L{mucs.viewer}), and is over once everyone has been told
(L{Member.settled}).  What could not be stored leaves everything as it was (L{Member.failed}).
"""

from __future__ import annotations

from mucs import events as kinds
from mucs.events import Event, Refused, note
from mucs.friend import Friend
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.room import Room
from mucs.sanctions import BAN, origin
from mucs.text import counted
from mucs.viewer import GONE, IN, JOINING, LEAVING


class Member(Friend):
    """
    @ivar changes: how many changes it has asked for that are not settled yet.
    """

    __slots__ = ("_doing", "_going", "_joining", "_queued", "_renaming", "changes")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self.changes = 0
        self._joining: dict[Room, None] = {}  # rooms it is about to be in
        self._going: dict[Room, None] = {}  # rooms it is about to be out of
        self._queued: dict[Room, None] = {}  # rooms it waits for a seat in
        self._renaming = ""  # the name it has claimed, and does not have yet
        self._doing = ""  # the id of the command that is not done yet

    def refuse(self, why: str) -> None:
        """Say why something was not done."""
        raise NotImplementedError

    def proceed(self) -> None:
        """The changes that were asked for are settled."""
        raise NotImplementedError

    # What commands do with it.

    def act(self, text: str) -> None:
        """Do something visible in the current room: C{* ada waves}."""
        self._post(self.here(), kinds.ME, text, id=self._idOnce())

    def here(self) -> Room:
        """The room it speaks in. @raise Refused: there is none."""
        if self.current is None:
            raise Refused("you are in no room; /join ROOM takes you to one")
        return self.current

    def join(self, room: Room, key: str = "") -> None:
        """
        Enter a room, and speak there from now on; or queue for a seat in it.

        @param key: what is said to be the room's.
        @raise Refused: where that is not possible.
        """
        if room in self.rooms:
            self._speakIn(room)
            self.reply(self.entry(room, kinds.ENTER))
            return
        try:
            if room in self._queued:
                stop = f"/leave {room.name} gives it up"
                raise Refused(f"you wait for a seat in #{room.name}; {stop}")
            most = self.hall.limits.rooms
            if len(self.public()) + len(self._queued) >= most:
                raise Refused(f"you are in {counted(most, 'room')} already; /leave one first")
            self.hall.rules.enter(self, room, key)
        except Refused:
            self.hall.left(room)
            raise
        self.sit(room)

    def sit(self, room: Room) -> None:
        """Take a seat in a room that one may enter, or queue for it."""
        self._queued[room] = None
        if room.seating is None:
            self.called(room)
        else:
            room.seating.enter(self)

    def called(self, room: Room) -> None:
        """There is a seat in a room: come in, if that is still allowed."""
        self._queued.pop(room, None)
        try:
            self.hall.rules.enter(self, room)
        except Refused as refused:
            room.seating.leave(self)
            self.hall.left(room)
            self.refuse(str(refused))
        else:
            self._joining[room] = None
            self.change(room, kinds.JOIN)

    def comesTo(self, room: Room) -> bool:
        """Whether one is in a room, or about to be, or waits for a seat there."""
        return room in self.rooms or room in self._joining or room in self._queued

    def unqueue(self, room: Room) -> bool:
        """Wait no longer for a seat in a room. @return: whether it did."""
        if room not in self._queued:
            return False
        del self._queued[room]
        room.seating.leave(self)
        self.hall.left(room)
        return True

    def public(self) -> list[Room]:
        """The rooms it is in, but for those of private words."""
        return [room for room in self.rooms if not room.private]

    def leave(self, room: Room) -> None:
        """Leave a room."""
        self.change(room, kinds.LEAVE)

    def kick(self, room: Room, by: str, why: str) -> None:
        """Be put out of a room, if one is in it or about to be."""
        if (room in self.rooms or room in self._joining) and room not in self._going:
            self.change(room, kinds.LEAVE, why, by)

    def rename(self, name: str) -> None:
        """Take another name. @raise Refused: where that is not possible."""
        if name == self.name:
            raise Refused(f"you are {name} already")
        if self.hall.sanctions.hit(BAN, None, self, name) is not None:
            raise Refused(f"whoever is called {name} is banned from {self.hall.called}")
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
        self._post(room, kind, text, target)
        self.changes += 1
        if kind == kinds.LEAVE:
            self._going[room] = None

    def _post(
        self, room: Room, kind: str, text: str = "", target: str = "", id: str = ""
    ) -> None:
        if kind in kinds.SPEECH and self.hall.isSlow(room):
            self.hall.counts.refused["log"] += 1
            why = "not stored: the log is slow; try again later"
            self.reply(Event(room.name, 0, 0, "", kinds.NAK, why, id))
            return
        if room.guarded and kind in kinds.SPOKEN:
            why = self.hall.rules.speak(self, room)
            if why and kind not in kinds.SPEECH:
                raise Refused(why)
            if why:
                self.reply(Event(room.name, 0, 0, "", kinds.NAK, why, id))
                return
        if self.away is not None and kind in kinds.SPEECH:
            self.away = None
            self.reply(note("you are no longer away"))
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
            if room.seating is not None:
                room.seating.take(self)
            before, self.current = self.current, room
            room.add(self)
            if before is not None:
                before.regroup(self)
            if self._outlet.busy:
                room.detach(self, (event.seq or room.head + 1) - 1)
                self._entrances = {**self._entrances, room: event}
        elif event.kind == kinds.NICK and self.state != GONE and self.name != event.target:
            self._renamed(event.target)

    def settled(self, room: Room, event: Event) -> None:
        self.changes -= 1
        if event.kind == kinds.JOIN:
            self._joining.pop(room, None)
            # A dict that had something in it keeps 160 bytes for more; a new one does not.
            self._joining, self._seen = dict(self._joining), dict(self._seen)
            self._queued = dict(self._queued)
            if room in self.rooms:
                self.holdBack(room)
            if self.state == JOINING:
                self.state = IN
                self.hall.observe(self, kinds.NAMED)
                if self.account:
                    self.hall.recognize(self)
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
            self.hall.counts.refused["log"] += 1
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
        if not self.account:
            for other in list(self.hall.ignoring):
                other.follow(self)
        self.name = name
        self._renaming = ""
        self.sanctions = self.hall.sanctions.carried(self)
        if self.settings.bell:
            self.retaste()

    def _out(self, room: Room, seq: int = 0) -> None:
        """Be in a room no longer; C{seq} is the last event of it that they see."""
        self.readUp(room, seq)
        if room in self._entrances:
            self._entrances = {each: e for each, e in self._entrances.items() if each is not room}
        if room in self.rooms and not self.account and not room.private:
            self.hall.leavers.left(room.key, self.name, origin(self), self.id)
        self.rooms.pop(room, None)
        self._going.pop(room, None)
        room.remove(self)
        if room.seating is not None:
            room.seating.leave(self)
        self.hall.left(room)
        if room is self.current:
            self._speakIn(next(reversed(self.public()), None))
            if self.current is not None and self.state == IN:
                self.reply(note(f"you speak in #{self.current.name} now"))
