"""
The people: every connection, where it comes from, and whose each name and account is.

How many may be here, in all and from one address, is asked when a connection comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mucs.accounts import Account, Accounts
from mucs.events import Refused
from mucs.hashing import Hashing, threads
from mucs.imucs import ILog, IMember
from mucs.leavers import Leavers
from mucs.outcome import Batch
from mucs.realm import Realm
from mucs.records import Table
from mucs.register import Register
from mucs.rooms import Rooms
from mucs.rules import Addresses, Limits, descriptors

T = TypeVar("T")

#: Connections over the limit that may take their time to be closed.
LINGER = 16

#: File descriptors that connections leave to the rest: listeners, the log, the reactor.
SPARE = 64


class People(Rooms):
    """
    The hall, as far as it is the people in it.

    @ivar called: what the server is called.
    @ivar sessions: every connection that has a place here, by number.
    @ivar names: who is called what.
    @ivar realm: who may log in.
    @ivar ignoring: those who ignore somebody.
    @ivar leavers: which guests have just left a room.
    @ivar recognizers: are called with each session that has logged in, once it is in.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: ILog,
        scratch: ILog,
        limits: Limits,
        clock: Callable[[], float],
        observe: Callable[[Batch], None] | None,
        called: str,
        hashing: Hashing | None,
    ) -> None:
        super().__init__(reactor, store, scratch, limits, clock, observe)
        self.called = called
        self.sessions: dict[int, IMember] = {}
        self._open: set[IMember] = set()
        self.ignoring: set[Any] = set()
        self.leavers = Leavers(self.seconds)
        self._gone: dict[int, str] = {}  # accounts of sessions whose end is not shown yet
        self._last = 0
        self._addresses = Addresses(limits, self.seconds)
        self.bound(limits)
        self._closing: Deferred[None] | None = None
        self._store = store
        self._tables: list[Any] = [self.settings, self.sanctions]
        accounts = Accounts(self.table("account", Account), limits.accounts, clock)
        self.names = Register(called, accounts)
        hashing = threads(reactor) if hashing is None else hashing
        self.realm = Realm(accounts, hashing, called, self.seconds)
        self.recognizers: list[Callable[[IMember], None]] = [self._recognized]

    def bound(self, limits: Limits) -> None:
        super().bound(limits)
        self._addresses.limits = limits
        self._most = limits.connections or descriptors() - SPARE

    def number(self) -> int:
        """A number for a new session."""
        self._last += 1
        return self._last

    def arrive(self, session: IMember) -> None:
        """There is a new connection. @raise Refused: there is no room for it."""
        self._open.add(session)
        self.counts.connections += 1
        if self._closing is not None:
            raise Refused("the server is shutting down")
        if len(self._open) > self._most:
            self.counts.refused["full"] += 1
            raise Refused("the server has as many connections as it can; try again later")
        if not session.listener.proxied:
            self.arriveFrom(session)
        self.sessions[session.id] = session

    def isCrowded(self) -> bool:
        """
        Whether so many are over the limit that whoever is refused must be gone at once: a hundred
        may be accepted in one go, and each has a descriptor until the reactor's next turn, or,
        under TLS, for seconds.
        """
        return len(self._open) > self._most + LINGER

    def arriveFrom(self, session: IMember) -> None:
        """It is known where a connection is from. @raise Refused: too many are from there."""
        ban = self.sanctions.door(session.host)
        if ban is not None:
            raise Refused(f"your address is banned from {self.called}{ban.terms()}")
        if session.listener.trusted:
            return
        why = self._addresses.enter(session.host)
        if why is not None:
            self.counts.refused["address"] += 1
            raise Refused(why)
        session.counted = True

    def _recognized(self, session: IMember) -> None:
        self.counts.logins += 1

    def depart(self, session: IMember) -> None:
        """A session is over, and its name is free."""
        self.sessions.pop(session.id, None)
        self.ignoring.discard(session)
        self.names.release(session, session.name)
        if session.account:
            # Its last words are on their way, and may be those of somebody who is ignored.
            self._gone[session.id] = session.account
            self.shown().addCallback(lambda _: self._gone.pop(session.id, None))

    def closed(self, session: IMember) -> None:
        """A connection is gone."""
        self._open.discard(session)
        if session.counted:
            session.counted = False
            self._addresses.leave(session.host)
        if self._closing is not None and not self._open and not self._closing.called:
            self._closing.callback(None)

    def accountOf(self, number: int) -> str:
        """The key of the account that the session of that number is logged in to, or nothing."""
        session = self.sessions.get(number)
        return self._gone.get(number, "") if session is None else session.account

    def recognize(self, session: IMember) -> None:
        """Someone has logged in, and is in."""
        for recognizer in self.recognizers:
            recognizer(session)

    def table(self, kind: str, type: type[T]) -> Table[T]:
        """A new table of records, read when the service begins."""
        table = Table(self._store, kind, type)
        self._tables.append(table)
        return table
