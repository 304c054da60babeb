"""
Leavers: which guests have just left a room, so that they can still be banned from it by name.

A member is known by the account, here or not.  A guest who has left is nobody any more, unless it
stands here what they were called and where they came from.

What is always true: a room has the last L{MOST} of them, and none that left more than L{KEPT}
seconds ago is found; rooms that were longest without one go when there are more than L{ROOMS}.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mucs.names import fold

#: Guests of one room, seconds, and rooms.
MOST, KEPT, ROOMS = 20, 600.0, 1000


class Leaver(Struct, frozen=True):
    """
    @ivar name: as it was shown.
    @ivar network: where they came from, as in L{mucs.sanctions.Sanction}; or nothing.
    @ivar session: the number of their connection, which may still be there.
    @ivar at: when they left, by a clock that never goes back.
    """

    name: str
    network: str
    session: int
    at: float


class Leavers:
    """The last guests who left, by the keys of the rooms."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds that never go back."""
        self._clock = clock
        self._rooms: dict[str, dict[str, Leaver]] = {}

    def left(self, room: str, name: str, network: str, session: int) -> None:
        """Somebody has left a room."""
        # Taken out and put in again, so that both dicts stay in the order of last leaving.
        there = self._rooms.pop(room, {})
        key = fold(name)
        there.pop(key, None)
        there[key] = Leaver(name, network, session, self._clock())
        self._rooms[room] = there
        for each, most in ((there, MOST), (self._rooms, ROOMS)):
            if len(each) > most:
                del each[next(iter(each))]

    def find(self, room: str, name: str) -> Leaver | None:
        """Who was called so, and has just left."""
        found = self._rooms.get(room, {}).get(fold(name))
        return found if found is not None and self._clock() - found.at <= KEPT else None
