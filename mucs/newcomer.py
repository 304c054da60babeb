"""
A newcomer: how a connection gets from the door into a room.

It takes a seat, or waits for one; is greeted, and asked for a name, unless it is called by its
address; and has some time to give one.  From its first join on it is what L{mucs.session} says.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall

from mucs import events as kinds
from mucs.events import Refused, refusal, reply
from mucs.hall import Hall
from mucs.imucs import IDialect
from mucs.listener import Listener
from mucs.member import Member
from mucs.names import BadName, checkName
from mucs.viewer import GONE, JOINING, NAMING


class Newcomer(Member):
    """A session, until it is in."""

    __slots__ = ("_deadline", "_known")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self._deadline: IDelayedCall | None = None
        self._known = not listener.proxied  # where it comes from

    def placed(self, place: int) -> None:
        """There is no seat yet."""
        self.reply(reply(kinds.PLACE, str(place)))

    def seated(self) -> None:
        """There is a seat: who is it?"""
        self.state = NAMING
        self._deadline = self.hall.reactor.callLater(self.hall.limits.naming, self._late)
        self.reply(reply(kinds.GREETING, self.hall.called))
        if self._known:
            self._nameByAddress()

    def settle(self, peer: str) -> None:
        """Where it comes from, behind a proxy, is known now; who is named so has a name."""
        self._known = True
        self.peer = peer or f"unknown:{self.id}"
        self.host = self.peer.rpartition(":")[0]
        try:
            self.hall.arriveFrom(self)
        except Refused as refused:
            self.dismiss(str(refused))
        else:
            self._nameByAddress()

    def _nameByAddress(self) -> None:
        if self.state == NAMING and self.policy.naming == "address":
            try:
                self.hall.claim(self, self.peer)
            except Refused as refused:
                # One socket can be connected to two of our ports.
                self.dismiss(str(refused))
            else:
                self._enter(self.peer)

    def _late(self) -> None:
        self._deadline = None
        self.dismiss(f"no name was given in {self.hall.limits.naming:g} s")

    def refuse(self, why: str) -> None:
        """Say why something was not done; and ask again, if that was a name."""
        if self.state == NAMING:
            self.reply(refusal(why), reply(kinds.ASK))
        elif self.state < GONE:
            self.reply(refusal(why))

    def nothing(self) -> None:
        """An empty line is no name, and otherwise nothing."""
        if self.state == NAMING and self.policy.naming == "ask":
            self.refuse("a name cannot be empty")

    def _claim(self, text: str) -> None:
        try:
            name = checkName(text, self.hall.limits.name)
        except BadName as bad:
            raise Refused(str(bad)) from bad
        self.hall.claim(self, name)
        self._enter(name)

    def _enter(self, name: str) -> None:
        self.name = name
        self.state = JOINING
        self.arrived()
        self.join(self.hall.lobby())

    def arrived(self) -> None:
        """There is no hurry any more."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
