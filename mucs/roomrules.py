"""
A room's rules: what its owner has decided, and what follows for whoever wants in, or to speak.

This is the only place that decides who may enter a room: whoever joins, comes back to where they
were, or is let in from the queue for a seat, is asked the same (L{RoomRules.enter}).

Settings are records, by the room's key, and are true once they are stored.  An owned room is kept:
it is there when nobody is in it.  Who first comes into an unowned one while logged in owns it.

A I{pass} lets in whom else a private room, or one with a key, would not.  A session has it, and
brings it to the place it comes back to; what an account was invited to stands here, in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock

from mucs.events import Event, Refused, note
from mucs.imucs import ISession
from mucs.names import fold
from mucs.roles import can
from mucs.room import Room
from mucs.rooms import LOBBY
from mucs.sanctions import BAN, MUTE
from mucs.seating import Seating
from mucs.settings import RoomSettings
from mucs.text import quote

#: Seconds for which an invitation is good.
INVITED = 86400

#: Invitations of accounts that are remembered; the oldest goes first.
MOST = 10_000

#: Passes that a session has; the oldest goes first.
MOST_PASSES = 100


class RoomRules:
    """The rules of all rooms of a hall."""

    def __init__(self, hall: Any) -> None:
        """@param hall: the L{mucs.hall.Hall}."""
        self._hall = hall
        # Until when, by a clock that does not step, who is invited where.
        self._invited: dict[tuple[str, str], float] = {}
        self._claimed: set[str] = set()  # rooms that are being made somebody's
        self._changing = DeferredLock()

    # What may be done there.

    def enter(self, session: Any, room: Room, key: str = "", name: str = "") -> None:
        """
        Ask whether someone may come into a room.

        @param key: what they say its key is.
        @param name: what they will be called, if they are not called that yet.
        @raise Refused: they may not.
        """
        ban = self._hall.sanctions.hit(BAN, room, session, name)
        if ban is not None:
            raise Refused(f"you are banned from #{room.name}{ban.terms()}")
        settings = room.settings
        if not (settings.private or settings.key) or can(session.role(room), "enter any room"):
            return
        passed = self._passed(session, settings)
        if settings.private and passed != "":
            raise Refused(f"#{room.name} is private: who keeps it in order can /invite you")
        if not settings.key or passed is not None:
            return
        if not key:
            raise Refused(f"#{room.name} has a key: /join {quote(room.name)} KEY")
        if locked(settings.name, key) != settings.key:
            raise Refused(f"that is not the key of #{room.name}")
        self._pass(session, room.key, settings.key)

    def admit(self, session: Any, name: str = "") -> None:
        """
        Ask whether someone may be on the server.

        @param name: what they will be called, if not what they are.
        @raise Refused: they may not.
        """
        ban = self._hall.sanctions.hit(BAN, None, session, name)
        if ban is not None:
            raise Refused(f"you are banned from {self._hall.called}{ban.terms()}")

    def sift(self, session: Any, rooms: dict[Room, int], name: str) -> list[str]:
        """
        Take from the rooms that someone would come back to those they may not enter; if
        none is left, or none has a free seat, they come into the lobby as well.

        @param name: what they will be called.
        @return: a sentence for each that was taken out.
        @raise Refused: they may not come in at all.
        """
        self.admit(session, name)
        why: list[str] = []
        for room in list(rooms):
            try:
                self.enter(session, room, "", name)
            except Refused as refused:
                why.append(str(refused))
                del rooms[room]
                self._hall.left(room)
        if all(room.seating is not None and not room.seating.isFree(session) for room in rooms):
            lobby = self._hall.room(LOBBY)
            rooms.setdefault(lobby, 0)
            self.enter(session, lobby, "", name)
        return why

    def recognize(self, session: Any) -> None:
        """Somebody in here has logged in: what was decided of their account holds for them."""
        session.sanctions = self._hall.sanctions.carried(session)
        for room in session.public():
            ban = self._hall.sanctions.hit(BAN, room, session)
            if ban is not None:
                session.kick(room, ban.by, ban.why)

    def disown(self, session: Any) -> None:
        """
        Somebody in here has logged out: they stay only where any guest may be.  To what the account
        was invited is the account's; what a room's key is they know all the same.
        """
        session.passes = {room: kept for room, kept in session.passes.items() if kept[1]}
        for room in session.public():
            try:
                self.enter(session, room)
            except Refused as refused:
                session.refuse(str(refused))
                session.leave(room)

    def speak(self, session: ISession, room: Room) -> str:
        """
        Ask whether someone may say something, in a room that is guarded.

        @return: why not, or nothing.
        """
        if room.settings.moderated:
            if not can(session.role(room), "speak where it is moderated"):
                return f"only members speak in #{room.name}; /register makes you one"
        mute = self._hall.sanctions.hit(MUTE, room, session)
        if mute is not None:
            return f"you are muted in #{room.name}{mute.terms()}"
        if not room.settings.moderated:
            # The last mute may have ended.
            self._hall.mind(room)
        return ""

    def sees(self, session: Any, settings: RoomSettings) -> bool:
        """Whether someone is told that there is such a room."""
        if not settings.private or can(session.standing(settings), "enter any room"):
            return True
        key = fold(settings.name)
        return any(room.key == key for room in session.rooms) or (
            self._passed(session, settings) == ""
        )

    # Passes.

    def invite(self, session: Any, account: str, room: Room) -> None:
        """Let someone in, for a day: a session, or whoever logs in to an account, or both."""
        if session is not None:
            self._pass(session, room.key, "")
        if account:
            self._invited.pop((room.key, account), None)
            self._invited[room.key, account] = self._hall.seconds() + INVITED
            while len(self._invited) > MOST:
                del self._invited[next(iter(self._invited))]

    def _pass(self, session: Any, room: str, key: str) -> None:
        kept = {each: old for each, old in session.passes.items() if each != room}
        kept[room] = self._hall.seconds() + INVITED, key
        session.passes = dict(list(kept.items())[-MOST_PASSES:])

    def _passed(self, session: Any, settings: RoomSettings) -> str | None:
        """@return: empty for an invitation; the key that was known; L{None} for neither."""
        now, room = self._hall.seconds(), fold(settings.name)
        if session.account and now < self._invited.get((room, session.account), now):
            return ""
        until, key = session.passes.get(room, (now, ""))
        return key if now < until and key in ("", settings.key) else None

    # How it is.

    def change(
        self, room: Room, change: Callable[[RoomSettings], RoomSettings]
    ) -> Deferred[None]:
        """
        Decide how a room is from now on.

        @param change: is given how it is, once all earlier changes are stored, or refused.
        @return: fires when that is stored; fails with L{Refused}, and then it is as it was.
        """

        def put() -> Deferred[None]:
            settings = change(room.settings)
            kept: Deferred[RoomSettings] = self._hall.settings.put(room.key, settings)
            return kept.addCallback(lambda _: self._apply(room, settings))

        return self._changing.run(put)

    def release(self, room: Room) -> Deferred[None]:
        """Let a room be nobody's, and as any other; fires and fails as L{change} does."""

        def remove() -> Deferred[None]:
            gone: Deferred[None] = self._hall.settings.remove(room.key)
            return gone.addCallback(lambda _: self._apply(room, RoomSettings(name=room.name)))

        return self._changing.run(remove)

    def _apply(self, room: Room, settings: RoomSettings) -> None:
        # Who waited may have found it empty, and another of that name may be there by now.
        room = self._hall.rooms.get(room.key, room)
        room.settings = settings
        self._hall.mind(room)
        if settings.seats and room.seating is None:
            room.seating = Seating(room)
        if room.seating is not None:
            room.seating.resize(settings.seats)

    def keeps(self, name: str) -> tuple[int, int]:
        """For how many days, and how many of its events, a room keeps at most; 0 for all."""
        settings = self._hall.settings.rows.get(fold(name))
        return (0, 0) if settings is None else (settings.days, settings.events)

    # Whose it is.

    def claims(self, session: ISession, room: Room) -> bool:
        """Whether a room that someone has come into is theirs now, if that can be stored."""
        return bool(
            session.account
            and not room.private
            and not room.settings.owner
            and room.key != fold(LOBBY)
            and room.key not in self._claimed
            and self.owned(session.account) < self._hall.limits.owned
        )

    def claim(self, session: ISession, room: Room) -> Deferred[Iterable[Event]]:
        """Make it theirs; fires with what they are told."""
        self._claimed.add(room.key)
        account = session.account

        def done(result: Any) -> Any:
            self._claimed.discard(room.key)
            return result

        mine = self.change(room, lambda was: replace(was, name=room.name, owner=account))
        claimed = mine.addBoth(done)
        return claimed.addCallbacks(
            lambda _: [note(f"#{room.name} is yours; /room shows how it is")],
            # It may be theirs another time.
            lambda failure: [] if failure.check(Refused) else failure,
        )

    def owned(self, account: str) -> int:
        """How many rooms an account owns."""
        return sum(each.owner == account for each in self._hall.settings.rows.values())


def locked(name: str, key: str) -> str:
    """What a room's key is kept as: whoever reads the log cannot come in."""
    return sha256(f"{fold(name)}\0{key}".encode()).hexdigest()
