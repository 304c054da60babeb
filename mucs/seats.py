"""
Seats, and the waiting room before them: first come, first served.

Whoever comes in takes a seat, or waits in a queue and is told their place, again each time it
moves.  A seat that is given up goes to the head of the queue.  Leaving the queue early is fine.
Seats know nothing of sockets or rooms: who sits or waits is a L{Guest}.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class Guest(Protocol):
    """Someone who wants a seat."""

    def seated(self) -> None:
        """There is a seat now."""

    def placed(self, place: int) -> None:
        """There is none yet; C{place} in the queue counts from 1."""


G = TypeVar("G", bound=Guest)


class Seats(Generic[G]):
    """
    @ivar count: how many seats there are; 0 for any number.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._seated: dict[G, None] = {}
        self._queue: dict[G, None] = {}

    def __len__(self) -> int:
        """How many seats are taken."""
        return len(self._seated)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def isFull(self) -> bool:
        """Whether there is no seat left."""
        return 0 < self.count <= len(self._seated)

    def place(self, guest: G) -> int:
        """The guest's place in the queue, from 1; 0 for one who does not wait."""
        for place, other in enumerate(self._queue, 1):
            if other is guest:
                return place
        return 0

    def enter(self, guest: G) -> None:
        """Take a seat, or queue; the guest is told which."""
        if self.isFull():
            self._queue[guest] = None
            guest.placed(len(self._queue))
        else:
            self._seated[guest] = None
            guest.seated()

    def take(self, guest: G) -> None:
        """Be in a seat, whether there is one or not: for whoever has come in otherwise."""
        self._queue.pop(guest, None)
        self._seated[guest] = None

    def leave(self, guest: G) -> None:
        """Give the seat, or the place in the queue, up.  Whoever moves is told."""
        if guest in self._seated:
            del self._seated[guest]
            self._admit()
            return
        place = self.place(guest)
        self._queue.pop(guest, None)
        if place:
            self._tell(place)

    def resize(self, count: int) -> None:
        """From now on there are so many seats; nobody loses theirs, and whoever moves is told."""
        self.count = count
        self._admit()

    def _admit(self) -> None:
        """Give the seats that are free to those who wait."""
        moved = False
        while self._queue and not self.isFull():
            head = next(iter(self._queue))
            del self._queue[head]
            self._seated[head] = None
            head.seated()
            moved = True
        if moved:
            self._tell(1)

    def _tell(self, first: int) -> None:
        """Tell those who wait, from a place on, where they are now."""
        for place, other in enumerate(list(self._queue), 1):
            if place >= first:
                other.placed(place)
