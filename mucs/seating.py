"""
Seats in a room, and the queue for them: those of L{mucs.seats}, as a listener has them.

Whoever finds the room full goes on where they are, is told their place in the queue as it moves,
and comes in when it is their turn.  Whoever keeps the room in order needs no free seat.
"""

from __future__ import annotations

from typing import Any

from mucs.events import note
from mucs.roles import can
from mucs.room import Room
from mucs.seats import Seats


class Chair:
    """Someone who is, or wants to be, in one of a room's seats."""

    __slots__ = ("_room", "_session")

    def __init__(self, room: Room, session: Any) -> None:
        self._room = room
        self._session = session

    def seated(self) -> None:
        self._session.called(self._room)

    def placed(self, place: int) -> None:
        self._session.reply(note(f"you are number {place} in the queue for #{self._room.name}"))


class Seating:
    """The seats of one room."""

    def __init__(self, room: Room) -> None:
        """Those who are in it have a seat."""
        self._room = room
        self._seats: Seats[Chair] = Seats(0)
        self._chairs: dict[Any, Chair] = {}
        for member in room.members:
            self.take(member)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._seats.waiting

    def isFree(self, session: Any) -> bool:
        """Whether someone could come in now."""
        return not self._seats.isFull() or can(session.role(self._room), "enter any room")

    def enter(self, session: Any) -> None:
        """Come in, or queue."""
        if session in self._chairs:
            return
        if can(session.role(self._room), "enter any room"):
            self.take(session)
            session.called(self._room)
        else:
            chair = self._chairs[session] = Chair(self._room, session)
            self._seats.enter(chair)

    def take(self, session: Any) -> None:
        """Someone is in, free seat or not."""
        chair = self._chairs.setdefault(session, Chair(self._room, session))
        self._seats.take(chair)

    def leave(self, session: Any) -> bool:
        """Give a seat, or a place in the queue, up. @return: whether there was one."""
        chair = self._chairs.pop(session, None)
        if chair is not None:
            self._seats.leave(chair)
        return chair is not None

    def resize(self, count: int) -> None:
        """There are C{count} seats from now on, or any number if 0."""
        self._seats.resize(count)
