"""
A group: members who get the same bytes.

For those whose socket is free it has a list of their sockets, so that a L{volley
<mucs.volley.Volley>} can send to all of them without asking each.  Who comes is added to the list
when it is used the next time, who goes is taken out of it at once.

Always true: whoever is listed was free when the list had its age, and tells the volley of any
change (L{Sender.isListed}), which makes every list too old.
"""

from __future__ import annotations

from array import array
from socket import socket
from typing import Any, Protocol

#: The place of a member who is not listed: their socket is not free, or they have none that we
#: know.
NOWHERE = -1

#: The age of lists that nobody has used.
UNUSED = -1


class Sender(Protocol):
    """
    Who sends something to a member.

    @ivar socket: on which it is to be sent.
    @ivar isListed: whether it is in a list that may be used; then it tells of any change
        (L{Volley.changed<mucs.volley.Volley.changed>}).
    """

    socket: socket
    isListed: bool

    def shoot(self, data: bytes) -> None:
        """Send it now, by oneself."""

    def sent(self, data: bytes, result: int) -> None:
        """So many bytes of it were sent, and not all; or none, for an C{errno} below 0."""


class Group(dict[Any, "int | None"]):
    """
    Each member with their place in the lists; L{None} for who has come since these were used.

    @ivar senders: of those who are listed; C{sockets}: the descriptors of theirs.
    @ivar others: the members who are L{NOWHERE} in them.
    @ivar age: how old the lists are.
    """

    __slots__ = ("_listed", "_new", "age", "others", "senders", "sockets")

    def __init__(self) -> None:
        self._clear(UNUSED)

    def _clear(self, age: int) -> None:
        self.age = age
        self._listed: list[Any] = []
        self._new: dict[Any, None] = {}
        self.senders: list[Sender] = []
        self.sockets: array[int] = array("i")
        self.others: dict[Any, None] = {}

    def add(self, member: Any) -> None:
        """Someone gets the same as these."""
        self[member] = None
        if self.age != UNUSED:
            self._new[member] = None

    def remove(self, member: Any) -> None:
        """Someone does no longer."""
        place = self.pop(member)
        if place == NOWHERE:
            del self.others[member]
        elif place is None:
            self._new.pop(member, None)
        else:
            # The last one takes the place.
            last, sender, number = self._listed.pop(), self.senders.pop(), self.sockets.pop()
            if place < len(self._listed):
                self._listed[place], self.senders[place] = last, sender
                self.sockets[place] = number
                self[last] = place

    def look(self, age: int) -> None:
        """List everyone, anew if the lists are not of this age."""
        if age != self.age:
            self._clear(age)
            new = list(self)
        else:
            new, self._new = list(self._new), {}
        for member in new:
            sender = member.sender()
            if sender is None:
                self[member] = NOWHERE
                self.others[member] = None
            else:
                sender.isListed = True
                self[member] = len(self._listed)
                self._listed.append(member)
                self.senders.append(sender)
                self.sockets.append(sender.socket.fileno())
