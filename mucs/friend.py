"""
A friend: someone with whom others exchange private words, each two in a room of their own.

Such a room is listed nowhere, and nobody is told who comes in or goes.
"""

from __future__ import annotations

from mucs import events as kinds
from mucs.events import note
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.person import Person
from mucs.room import Room


class Friend(Person):
    """A session, as far as it says private words, and is told some."""

    __slots__ = ("_actId", "_friend")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self._friend = (0, "")  # who last sent it a private word: number (0: left it), name then
        self._actId = ""  # what the first thing is called that this command does visibly

    @property
    def friend(self) -> str:
        """Who last sent it a private word, by the name they have now; empty for nobody."""
        number, name = self._friend
        friend = self.hall.sessions.get(number)
        return name if friend is None else friend.name

    @property
    def isLetter(self) -> bool:
        """Whether that word was left for it while it was not here."""
        return not self._friend[0]

    def found(self, author: str) -> None:
        """It is shown what somebody of that name had left for it."""
        self._friend = (0, author)

    def tell(self, other: Friend, text: str) -> None:
        """Say something to one other person."""
        room = self.hall.privateRoom(self, other)
        self.meet(room)
        other.meet(room)
        if not other.ignores(self):
            other._friend = (self.id, self.name)
        self._post(room, kinds.TELL, text, other.name, self._idOnce())
        if other.away is not None:
            self.reply(note(f"{other.name} is away" + (other.away and f": {other.away}")))

    def meet(self, room: Room) -> None:
        """Be in a private room, of which nobody is told."""
        if room in self.rooms:
            return
        # Those whose other half has gone are of no use any more.
        for old in [each for each in self.rooms if each.private and len(each.members) == 1]:
            if not old.isBusy() and old.cursors.get(self, old.head) >= old.head:
                self._out(old)
        self.rooms[room] = None
        room.add(self)
        if self._outlet.busy:
            room.detach(self)
        self.holdBack(room)

    def forget(self, room: Room) -> None:
        self._out(room)

    def estrange(self) -> None:
        """Know nothing more of private words that are for the account."""
        for room in list(self.rooms):
            if room.private and self.hall.pairs.isOf(self.account, room.name):
                self._out(room)
        self._friend = (0, "")

    def _idOnce(self) -> str:
        """The id of the command: one event has it, for a second one would count as a repetition."""
        id, self._actId = self._actId, ""
        return id

    def _post(
        self, room: Room, kind: str, text: str = "", target: str = "", id: str = ""
    ) -> None:
        """Post something to a room."""
        raise NotImplementedError

    def _out(self, room: Room, seq: int = 0) -> None:
        """Be in a room no longer."""
        raise NotImplementedError
