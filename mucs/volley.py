"""
A volley: sends that go out together.

While a turn is delivered, an L{outlet<mucs.outlet.Outlet>} whose socket is free does not send at
once, but brings here what it has to say.  Some of them at a time go to the kernel with one call
(L{mucs.ring}): the first leave while the last are still being gathered.  Where there is no ring,
a volley is never open, and everyone sends for themselves.

Those who get the same bytes do not even bring them: for a L{Group} there is a list of its sockets,
which holds as long as the sockets of all who are in any such list are free.  They get it with one
call, and its authors with another.

Always true: what an outlet has brought is on its way, or the outlet knows that it is not, before
anything else that it sends, and before it ends; and nobody's socket is in a list that is used once
something waits for it, or it is closed.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

from mucs.group import NOWHERE, Group, Sender
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
        self._age = 0  # of the lists that may be used

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
        return self.isOpen and len(group) > FEW

    def spread(self, group: Group, data: bytes, own: Mapping[Any, Sequence[Part]]) -> None:
        """
        Send the same to a whole group.

        @param own: what is to be sent to some of its members instead, in parts; nothing, perhaps.
        """
        self.release()
        ring = self._ring
        assert ring is not None
        group.look(self._age)
        mine = {
            place: parts
            for member, parts in own.items()
            if (place := group[member]) is not None and place != NOWHERE
        }
        senders, sockets = group.senders[:], group.sockets[:]
        for place in sorted(mine, reverse=True):
            del senders[place], sockets[place]
        for place, result in ring.sendSame(sockets, data).items():
            senders[place].sent(data, result)
        self._sendParts(group, {place: parts for place, parts in mine.items() if parts})
        for member in group.others:
            theirs = join(own[member]) if member in own else data
            if theirs:
                member.send(theirs)

    def _sendParts(self, group: Group, mine: Mapping[int, Sequence[Part]]) -> None:
        """Send to some of a group, by their places, to each their own."""
        assert self._ring is not None
        senders, pieces = [group.senders[place] for place in mine], list(mine.values())
        if len(pieces) <= FEW or group.age != self._age:
            # Where something became of one of them, each looks for itself.
            for sender, parts in zip(senders, pieces, strict=True):
                sender.shoot(join(parts))
            return
        sockets = array("i", [group.sockets[place] for place in mine])
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
