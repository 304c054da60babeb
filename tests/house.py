"""
A house of chat in memory: a real hall, real dialects and real commands, but no socket, and a
clock that is turned by hand.

L{House} opens the listeners that a test asks for; L{Person} is one connection to it, with a
L{Wire} in place of a socket. Nothing happens by itself: what a person sends is taken at once,
and what comes of it is stored and shown at the next L{House.turn}.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from argon2 import PasswordHasher
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs.accounts import Account
from mucs.events import Event
from mucs.hall import Hall
from mucs.hashing import Hashing
from mucs.imucs import ICommand, IFilter, IFrontEnd, ILog, IObserver
from mucs.listener import Listener
from mucs.log.memory import MemoryLog
from mucs.names import fold
from mucs.plugin import found
from mucs.room import Room
from mucs.rules import Limits
from mucs.session import Session

T = TypeVar("T")

#: Seconds since 1970 when a house's clock stands at 0.
BEGINNING = 1_790_000_000

#: What ends a message of a client, by dialect.
ENDS: Mapping[str, bytes] = {
    "native": b"\r\n",
    "cstring": b"\0",
    "shh": b"",
    "hithere": b"\n",
    "fiveseat": b"\n\0\0\0",
    "addr": b"\n",
    "json": b"\n",
}

#: What a line begins with that tells someone what to come back with.
TOKEN = "-- if you lose the line, come back with: /resume "

#: Limits under which nobody is ever too fast.
UNHURRIED = Limits(rate=0)

# Finding plugins takes milliseconds, and there is a house for each example.
installed = cache(found)


def many(each: st.SearchStrategy[T], most: int = 60) -> st.SearchStrategy[list[T]]:
    """Few of them or many: lists are short as hypothesis draws them, some five long."""
    return st.lists(each, max_size=8) | st.lists(each, min_size=most // 3, max_size=most)


class Wire:
    """
    A transport, as far as MUCS needs one, that behaves as Twisted's do.

    @ivar writes: what was sent, and when by the clock: a pair for each C{write}.
    @ivar taken: what the peer has received and no test has looked at yet.
    @ivar unsent: what waits for the peer to take it.
    @ivar reading: whether the server reads.
    @ivar connected: until C{connectionLost} was called.
    @ivar disconnecting: whether the server has closed, in good order.
    """

    bufferSize = 65536

    def __init__(self, clock: Clock, peer: IAddress) -> None:
        self.protocol: Any = None
        self.writes: list[tuple[float, bytes]] = []
        self.taken = b""
        self.unsent = b""
        self.held = False
        self.reading = True
        self.connected = True
        self.disconnecting = False
        self._clock = clock
        self._peer = peer
        self._producer: Any = None
        self._full = False

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "10.255.255.254", 7000)

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError(data)
        if not self.connected or not data:
            return
        self.writes.append((self._clock.seconds(), data))
        if self.held or self.unsent:
            self.unsent += data
            if len(self.unsent) > self.bufferSize and self._producer is not None:
                self._full = True
                self._producer.pauseProducing()
        else:
            self.taken += data

    def take(self, most: int) -> None:
        """The peer receives so many bytes more of what waits."""
        self.taken += self.unsent[:most]
        self.unsent = self.unsent[most:]
        if self.unsent or not self.connected:
            return
        if self._full:
            self._full = False
            self._producer.resumeProducing()
        self._perhapsClose()

    def loseConnection(self) -> None:
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self.reading = False
            self._perhapsClose()

    def _perhapsClose(self) -> None:
        # A producer that is paused keeps a transport from ever closing.
        if self.disconnecting and not self.unsent and not self._full:
            self._clock.callLater(0, self.lose, ConnectionDone())

    def abortConnection(self) -> None:
        if self.connected:
            self.disconnecting = True
            self._clock.callLater(0, self.lose, ConnectionAborted())

    def lose(self, reason: Exception) -> None:
        """The connection is gone."""
        if self.connected:
            self.connected = self.reading = False
            self.protocol.connectionLost(Failure(reason))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self._producer is not None:
            raise RuntimeError("there is a producer already")
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None
        self._full = False

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        if self.connected and not self.disconnecting:
            self.reading = True


class Person:
    """
    Someone who is connected: what they do, and what they see.

    @ivar session: what the server holds of them.
    @ivar end: what ends a message of theirs.
    """

    def __init__(self, house: House, wire: Wire, protocol: Any, end: bytes) -> None:
        self.wire = wire
        self.end = end
        self._house = house
        self._protocol = protocol

    @property
    def session(self) -> Session:
        session: Session = self._protocol.session
        return session

    def sends(self, data: bytes) -> None:
        """These bytes arrive at the server, as one segment."""
        if self.wire.connected:
            self._protocol.dataReceived(data)

    def says(self, *texts: str) -> None:
        """These messages arrive, each in a segment of its own, and then the turn comes."""
        for text in texts:
            self.sends(text.encode("utf-8", "surrogatepass") + self.end)
        self._house.turn()

    def seen(self) -> bytes:
        """What came since this was last asked."""
        taken, self.wire.taken = self.wire.taken, b""
        return taken

    def lines(self) -> list[str]:
        """
        The same as lines of text, without their ends, and without the one that tells a token: it
        is another each time, and L{Person.token} has it.
        """
        lines = self.seen().decode().replace("\r\n", "\n").split("\n")[:-1]
        return [line for line in lines if not line.startswith(TOKEN)]

    def told(self) -> list[Any]:
        """What came since this was last asked, of someone who reads JSON."""
        return [msgspec.json.decode(line) for line in self.seen().splitlines()]

    def asks(self, *requests: Any) -> list[Any]:
        """These are sent as JSON, and then the turn comes; what came until then."""
        self.says(*(msgspec.json.encode(request).decode() for request in requests))
        return self.told()

    @property
    def token(self) -> str:
        """What they may come back with."""
        return self.session.token

    def sent(self) -> int:
        """How many sends it took since this was last asked."""
        count = len(self.wire.writes)
        self.wire.writes.clear()
        return count

    def holds(self) -> None:
        """Read nothing from now on."""
        self.wire.held = True

    def reads(self, most: int | None = None) -> None:
        """Take so many bytes of what waits; without a number, all of it and what comes."""
        if most is None:
            self.wire.held = False
        self.wire.take(len(self.wire.unsent) if most is None else most)

    def finishes(self) -> None:
        """Send no more, but read on: what C{nc -N} does at the end of its input."""
        if self.wire.connected:
            self._protocol.readConnectionLost()

    def closes(self) -> None:
        """Close the connection, in good order."""
        self.finishes()
        self.wire.lose(ConnectionDone())

    def resets(self) -> None:
        """Vanish."""
        self.wire.lose(ConnectionLost())

    @property
    def closed(self) -> bool:
        """Whether the server has closed the connection."""
        return self.wire.disconnecting or not self.wire.connected


def greeted(dialect: str, name: str) -> str:
    """What one sends who is asked for a name."""
    return msgspec.json.encode({"name": name}).decode() if dialect == "json" else name


def register(house: House, *names: str) -> None:
    """There are accounts of these names, without a password."""
    for name in names:
        house.hall.realm.accounts._table.rows[fold(name)] = Account(name=name)


@implementer(IStreamServerEndpoint, IListeningPort)
class Door:
    """
    An endpoint that nobody but the test can find.

    @ivar factory: what listens there, while something does.
    """

    def __init__(self) -> None:
        self.factory: IProtocolFactory | None = None

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        self.factory = protocolFactory
        return succeed(self)

    def startListening(self) -> None:
        raise NotImplementedError

    def stopListening(self) -> Deferred[None]:
        self.factory = None
        return succeed(None)

    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "127.0.0.1", 7000)


class Hands:
    """
    In place of threads: does what it is told at once, or when the test says so.

    @ivar busy: whether work waits until C{work} is called.
    @ivar most: how much was ever under way at a time.
    """

    def __init__(self) -> None:
        self.busy = False
        self.most = 0
        self.waiting: list[tuple[Any, Any, tuple[Any, ...]]] = []

    def start(self) -> None:
        """Nothing begins."""

    def stop(self) -> None:
        """Nothing ends."""

    def callInThreadWithCallback(self, onResult: Any, func: Any, /, *args: Any) -> None:
        self.waiting.append((onResult, func, args))
        self.most = max(self.most, len(self.waiting))
        if not self.busy:
            self.work()

    def work(self, most: int = 1_000_000) -> None:
        """Do what waits, and what comes of that."""
        while self.waiting and most > 0:
            most -= 1
            onResult, func, args = self.waiting.pop(0)
            try:
                done = func(*args)
            except Exception:
                onResult(False, Failure())
            else:
                onResult(True, done)


def hands() -> tuple[Hands, Hashing]:
    """Hashing that costs nothing, and who does it."""
    pool = Hands()
    return pool, Hashing(pool, lambda do, *args: do(*args), PasswordHasher(1, 8, 1))


class House:
    """
    @ivar hands: who hashes passwords.
    @ivar clock: turned by hand.
    @ivar log: where public rooms are kept.
    @ivar people: everyone who ever connected.
    """

    def __init__(
        self,
        limits: Limits = UNHURRIED,
        log: ILog | None = None,
        scratch: ILog | None = None,
        motd: Sequence[str] = (),
        called: str = "MUCS",
        filters: Sequence[IFilter] = (),
        observers: Sequence[IObserver] = (),
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.log = log or MemoryLog(self.wall, limits.behind)
        self.hands, hashing = hands()
        self.hall = Hall(
            self.clock,
            self.log,
            scratch or MemoryLog(self.wall, limits.behind),
            limits,
            called=called,
            motd=motd,
            commands=installed(ICommand),
            filters=filters,
            observers=observers,
            clock=self.wall,
            hashing=hashing,
        )
        self.people: list[Person] = []
        self._doors: dict[tuple[str, str], Door] = {}
        self.hall.privilegedStartService()
        self.hall.startService()

    def wall(self) -> float:
        """Seconds since 1970."""
        return BEGINNING + self.clock.seconds()

    def turn(self) -> None:
        """Let the reactor do all that is due now."""
        self.clock.advance(0)

    def waits(self, seconds: float, step: float = 0.01) -> None:
        """Let time pass, in small steps: so what is due in a step is done at its end."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def listens(
        self,
        dialect: str,
        called: str = "",
        trusted: bool = True,
        proxied: bool = False,
        **policy: Any,
    ) -> Listener:
        """
        Begin to listen.

        @param called: which of several listeners with this dialect it is.
        @param policy: what is to be different from what the dialect comes with.
        """
        frontEnd = installed(IFrontEnd)[dialect]
        door = self._doors[dialect, called] = Door()
        treated = msgspec.structs.replace(frontEnd.policy(), **policy)
        listener = Listener(dialect, frontEnd, door, treated, trusted, proxied)
        listener.setServiceParent(self.hall)
        return listener

    def connect(
        self,
        dialect: str = "native",
        name: str = "",
        host: str = "",
        at: str = "",
        account: str = "",
    ) -> Person:
        """
        Someone connects, by the listener called C{at}.

        @param name: what they say they are called, if anything; then the turn comes.
        @param host: where they come from.
        @param account: whose they are logged in as, before they say that.
        """
        if (dialect, at) not in self._doors:
            self.listens(dialect, at)
        number = len(self.people) + 1
        peer = IPv4Address("TCP", host or f"10.0.{number >> 8}.{number & 255}", 40000 + number)
        return self.comes(dialect, peer, name, at, account)

    def comes(
        self, dialect: str, peer: IAddress, name: str = "", at: str = "", account: str = ""
    ) -> Person:
        """Someone connects from this address."""
        factory = self._doors[dialect, at].factory
        assert factory is not None, "nothing listens there"
        wire = Wire(self.clock, peer)
        protocol: IProtocol | None = factory.buildProtocol(peer)
        wire.protocol = protocol
        assert protocol is not None
        protocol.makeConnection(wire)  # type: ignore[arg-type]
        person = Person(self, wire, protocol, ENDS[dialect])
        self.people.append(person)
        if account:
            person.session.account = fold(account)
        if name:
            person.says(greeted(dialect, name))
        return person

    def registers(self, name: str, password: str = "sesame-8") -> Person:
        """Someone comes in and registers their name; who has no secrets is asked for none."""
        if ("native", "members") not in self._doors:
            self.listens("native", "members", passwords=True)
        person = self.connect("native", name, at="members")
        person.says(f"/register {password}")
        person.seen()
        return person

    def enters(self, name: str, dialect: str = "native", account: str = "") -> Person:
        """Someone comes in, logged in if an C{account} is given, and has read everything."""
        person = self.connect(dialect, name, account=account)
        person.seen()
        return person

    def rests(self) -> None:
        """Forget what everyone has seen."""
        for person in self.people:
            person.seen()
            person.wire.writes.clear()

    # What the server holds.

    def room(self, name: str = "lobby") -> Room:
        """A room that there is."""
        return self.hall.rooms[name]

    def stored(self, room: str = "lobby") -> list[Event]:
        """Everything that the log has of a room."""
        events: list[Event] = []
        self.log.read(room, 1_000_000).addCallback(events.extend)
        return events

    def at(self, event: Event) -> str:
        """The time of an event as the native dialect shows it."""
        return time.strftime("%H:%M", time.localtime(event.time / 1000))


@implementer(IObserver)
class Witness:
    """Sees everything that happens."""

    name = "witness"
    summary = "sees everything"

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, batch: Sequence[tuple[Event, Any]]) -> None:
        self.events += [event for event, _ in batch]

    def saw(self, kind: str) -> list[tuple[str, str]]:
        """Author and text of each event of a kind."""
        return [(event.author, event.text) for event in self.events if event.kind == kind]


class HouseCase(SynchronousTestCase):
    """
    A test case with a house to be in.

    @cvar limits: the house's.
    """

    limits = Limits(rate=0)

    def setUp(self) -> None:
        self.witness = Witness()
        self.house = House(self.limits, observers=[self.witness])

    def assertGone(self, *people: Person) -> None:
        """Nothing is left of them: no name, no seat, no place in a room, and soon no timer."""
        hall = self.house.hall
        self.house.turn()
        for person in people:
            session = person.session
            self.assertFalse(person.wire.connected)
            self.assertNotIn(session.id, hall.sessions)
            self.assertNotIn(session, hall.names._names.values())
            for longer in hall.names._spaced.values():
                self.assertNotIn(session, longer.values())
            self.assertNotIn(session, hall.names._looks.values())
            self.assertNotIn(session, hall.tokens.values())
            self.assertNotIn(session, hall._open)
            self.assertEqual((dict(session.rooms), len(session._inbox)), ({}, 0))
            for room in [*hall.rooms.values(), *hall._private.values()]:
                self.assertNotIn(session, room.members)
                self.assertNotIn(session, room.cursors)
