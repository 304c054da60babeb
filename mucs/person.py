"""
A person: what someone has set for themselves, and what follows for what they see.

What changes bytes makes a L{Taste<mucs.personal.Taste>}, and with it an audience of its own kind.
Those who count the events by their numbers (C{json}) have none: nothing may be missing there.

B{Holding} is for people whose terminal mixes what they type with what arrives.  The rooms keep
their place, as they do of a slow reader, and whatever they send lets them read up to where the
rooms are then (C{_until}); so it costs a number, and bounds nothing but how far one may be behind.
What comes of the line itself is read once it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from mucs import events as kinds
from mucs.events import Event
from mucs.follower import Follower
from mucs.hall import Hall
from mucs.imucs import IAudience, IDialect, IMember
from mucs.listener import Listener
from mucs.names import fold
from mucs.personal import Personal, Taste
from mucs.room import Room
from mucs.settings import Settings
from mucs.viewer import GONE

#: What everyone has set who has set nothing.
PLAIN = Settings()


class Person(Follower):
    """
    @ivar settings: what it has set.
    @ivar away: why it is away, if it said why; L{None} if it is not.
    """

    __slots__ = ("_followed", "_taste", "_until", "away", "settings")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self.settings = PLAIN
        self.away: str | None = None
        self._taste: Taste | None = None
        self._followed: dict[int, str] = {}  # ignored sessions of other names now, and whom as
        self._until: dict[Room, int] | None = None  # while it holds: where it reads to now

    def wish(self, settings: Settings) -> None:
        """Have things shown as in C{settings} from here on."""
        self.settings = settings
        if self.isCounting():
            return
        echo = settings.echo or self.listener.policy.echo
        if echo != self.policy.echo:
            self.policy = replace(self.policy, echo=echo)
        self.retaste()
        if settings.hold and self._until is None:
            self._until = {room: room.head for room in self.rooms}
            for room in self.rooms:
                room.detach(self)
        elif not settings.hold and self._until is not None:
            self._until = None
            self._readOn()

    def retaste(self) -> None:
        """The name or the settings are other ones: see to it that they are gone by."""
        if not self.isCounting():
            ignored = self.settings.ignored
            if ignored and self.id in self.hall.sessions:
                self.hall.ignoring.add(self)
            else:
                self.hall.ignoring.discard(self)
            keys = set(map(fold, ignored))
            self._followed = {each: was for each, was in self._followed.items() if was in keys}
            plain = replace(self.settings, echo="", hold=False) == PLAIN
            self._taste = (
                None
                if plain
                else Taste(self.settings, self.name, self.hall.accountOf, self._followed)
            )
            for room in self.rooms:
                room.regroup(self)

    def ignores(self, other: IMember) -> bool:
        """Whether it ignores somebody."""
        return other.id in self._followed or self.ignoresWhoever(other.name, other.account)

    def follow(self, other: IMember) -> None:
        """Somebody without an account takes another name: if it ignores them, it still does."""
        key = fold(other.name)
        if key in map(fold, self.settings.ignored):
            here = self.hall.sessions
            followed = {each: was for each, was in self._followed.items() if each in here}
            self._followed = {**followed, other.id: key}
            self.retaste()

    def ignoresWhoever(self, name: str, account: str) -> bool:
        """Whether it ignores whoever is called so, or has the account with that key."""
        return self._taste is not None and self._taste.ignores(name, account)

    # What is seen.

    def audience(self, room: Room) -> IAudience:
        inner = super().audience(room)
        return inner if self._taste is None else Personal(inner, self._taste)

    def sees(self, events: Sequence[Event]) -> list[Event]:
        if self.isCounting():
            return list(events)
        shown = [self._addressed(event) for event in events]
        taste = self._taste
        if taste is None:
            return shown
        return [taste.dress(event) for event in shown if not taste.hides(event)]

    def _addressed(self, event: Event) -> Event:
        """
        One's own private word is not shown as if it had been said to oneself, whatever one was
        called, as long as the other was called as their account is.
        """
        if event.kind != kinds.TELL:
            return event
        own = fold(event.author) in (self.account, fold(self.name))
        own = own or fold(event.target) == self.hall.pairs.other(self.account, event.room)
        return replace(event, kind=kinds.TOLD) if own else event

    # Holding.

    def lookUp(self) -> None:
        """Something was sent: whoever holds is shown what is new."""
        if self._until is not None:
            self._until = {room: room.head for room in self.rooms}
            self._readOn()

    def lookAgain(self) -> None:
        """What was sent is posted: whoever holds is shown what comes of it, and is held again."""
        if self._until is not None:
            self.hall.shown().addCallback(lambda _: self.lookUp())

    def holdBack(self, room: Room) -> None:
        """It is in a room now: see L{Follower.held}."""
        if self._until is not None and self.state != GONE:
            self._until[room] = room.head
            room.detach(self)

    def _readOn(self) -> None:
        if not self._outlet.busy:
            self.drained()

    def _behind(self) -> list[Room]:
        behind = super()._behind()
        if self._until is None:
            return behind
        until = self._until
        return [room for room in behind if room.cursors[self] < until.get(room, 0)]

    def _isBatched(self) -> bool:
        return self._until is not None or super()._isBatched()
