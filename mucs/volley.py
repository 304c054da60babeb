"""
A volley: sends that go out together.

While a turn is delivered, an L{outlet<mucs.outlet.Outlet>} whose socket is free does not send at
once, but brings here what it has to say.  Some of them at a time go to the kernel with one call
(L{mucs.ring}): the first leave while the last are still being gathered.  Where there is no ring,
a volley is never open, and everyone sends for themselves.

Those who get the same bytes, turn after turn, do not even bring them: for a L{Group} that has not
changed there is a list of its sockets (L{Crowd}), which holds as long as the sockets of all who are
in any such list are free.  They get it with one call, and its authors with another.

Always true: what an outlet has brought is on its way, or the outlet knows that it is not, before
anything else that it sends, and before it ends; and nobody's socket is in a list that is used once
something waits for it, or it is closed.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from socket import socket
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.logger import Logger

from mucs.ring import Part, Ring, join

log = Logger()

#: How many sends go together.  With more of them the first one waits; with fewer each costs more.
TOGETHER = 32

#: How many go first: whoever reads them does so while the next are gathered.
FIRST = 16

#: So few are sent one by one.
FEW = 3

#: Bytes of what is brought: more than that goes out alone.  Pieces of that size, each another, fill
#: the processor's cache before they are sent, and then copying them takes twice as long.
LARGE = 4096


class Sender(Protocol):
    """
    Who brings something.

    @ivar socket: on which it is to be sent.
    @ivar isListed: whether it is in a crowd that may be used; then it tells of any change
        (L{Volley.changed}).
    """

    socket: socket
    isListed: bool

    def shoot(self, data: bytes) -> None:
        """Send it now, by oneself."""

    def sent(self, data: bytes, result: int) -> None:
        """So many bytes of it were sent, and not all; or none, for an C{errno} below 0."""


class Group(dict[Any, None]):
    """
    Members who get the same bytes.

    @ivar crowd: how they get them at once, if that is known.
    @ivar isNew: whether they are others than the last time they got something.
    """

    __slots__ = ("crowd", "isNew")

    def __init__(self) -> None:
        self.crowd: Crowd | None = None
        self.isNew = True

    def __setitem__(self, member: Any, value: None) -> None:
        self.crowd, self.isNew = None, True
        super().__setitem__(member, value)

    def __delitem__(self, member: Any) -> None:
        self.crowd, self.isNew = None, True
        super().__delitem__(member)


class Crowd:
    """
    The sockets of a group, as far as they are free.

    @ivar others: the members whose are not, or are not known.
    """

    def __init__(self, group: Group, age: int) -> None:
        self.age = age
        self.senders: list[Sender] = []
        self.places: dict[Any, int] = {}  # where the members stand in these
        self.others: list[Any] = []
        for member in group:
            sender = member.sender()
            if sender is None:
                self.others.append(member)
            else:
                sender.isListed = True
                self.places[member] = len(self.senders)
                self.senders.append(sender)
        self.sockets: array[int] = array("i", [sender.socket.fileno() for sender in self.senders])


class Volley(Service):
    """
    @ivar isOpen: whether what is to be sent is to be brought here.
    """

    name = "volley"

    def __init__(self) -> None:
        self.isOpen = False
        self._ring: Ring | None = None
        self._brought: dict[Sender, bytes] = {}
        self._together = TOGETHER  # so many are released the next time
        self._age = 0  # of the crowds that may be used

    def startService(self) -> None:
        """From now on there is a ring, if the kernel has one for us."""
        super().startService()
        try:
            self._ring = Ring()
        except (OSError, AttributeError, ValueError) as error:
            log.info("each send is a call of its own: no io_uring here ({why})", why=error)

    def stopService(self) -> None:
        """Everyone sends for themselves again."""
        super().stopService()
        self.fire()
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()

    def open(self) -> None:
        """From now on sends are gathered, if that is possible."""
        self.isOpen = self._ring is not None
        self._together = FIRST

    def bring(self, sender: Sender, data: bytes) -> None:
        """This is to be sent, while it is open."""
        brought = self._brought
        if sender in brought:
            # Which may have to wait now for what goes first.
            self.release()
            sender.shoot(data)
            return
        if len(data) > LARGE:
            sender.shoot(data)
            return
        brought[sender] = data
        if len(brought) == self._together:
            self._together = TOGETHER
            self.release()

    def changed(self, sender: Sender) -> None:
        """The socket of someone who is listed is free no longer, or about to be closed."""
        sender.isListed = False
        self._age += 1

    def lists(self, group: Group) -> bool:
        """Whether what is for a group is to be spread; if not, each of its members brings it."""
        if not self.isOpen or group.isNew or len(group) <= FEW:
            # Where they come and go all the time it is not worth it to list them.
            group.isNew = False
            return False
        return True

    def spread(self, group: Group, data: bytes, own: Mapping[Any, Sequence[Part]]) -> None:
        """
        Send the same to a whole group that is listed.

        @param own: what is to be sent to some of its members instead, in parts; nothing, perhaps.
        """
        self.release()
        ring, crowd = self._ring, group.crowd
        assert ring is not None
        if crowd is None or crowd.age != self._age:
            crowd = group.crowd = Crowd(group, self._age)
        places = crowd.places
        mine = {places[member]: parts for member, parts in own.items() if member in places}
        senders, sockets = crowd.senders[:], crowd.sockets[:]
        for place in sorted(mine, reverse=True):
            del senders[place], sockets[place]
        for place, result in ring.sendSame(sockets, data).items():
            senders[place].sent(data, result)
        self._sendParts(crowd, {place: parts for place, parts in mine.items() if parts})
        for member in crowd.others:
            theirs = join(own[member]) if member in own else data
            if theirs:
                member.send(theirs)

    def _sendParts(self, crowd: Crowd, mine: Mapping[int, Sequence[Part]]) -> None:
        """Send to some of a crowd, by their places, to each their own."""
        assert self._ring is not None
        senders, pieces = [crowd.senders[place] for place in mine], list(mine.values())
        if len(pieces) <= FEW or crowd.age != self._age:
            # Where something became of one of the crowd, each looks for itself.
            for sender, parts in zip(senders, pieces, strict=True):
                sender.shoot(join(parts))
            return
        sockets = array("i", [crowd.sockets[place] for place in mine])
        for place, result in self._ring.sendParts(sockets, pieces).items():
            senders[place].sent(join(pieces[place]), result)

    def fire(self) -> None:
        """Send all there is; from now on nothing is gathered."""
        self.isOpen = False
        self.release()

    def release(self) -> None:
        """Send what was brought so far."""
        brought = self._brought
        if not brought:
            return
        senders, pieces = list(brought), list(brought.values())
        brought.clear()
        if self._ring is None or len(pieces) <= FEW:
            for sender, piece in zip(senders, pieces, strict=True):
                sender.shoot(piece)
        else:
            sockets = [sender.socket.fileno() for sender in senders]
            for place, result in self._ring.send(sockets, pieces).items():
                senders[place].sent(pieces[place], result)
