"""
Bans and mutes: who may not be somewhere, or not speak there, until when, and by whose order.

What identifies a person is not what they are called at the moment.  A registered one is known by
the account.  A guest is known by name, by the network they come from (not where everyone has the
same address), and by the connection itself: a session carries the numbers of the sanctions on it
through new names, and into the place it comes back to.  From the network of someone who is
sanctioned come guests, whom that hits too, and members who are logged in, whom it does not.  A ban
on an address, or a network, hits everyone from there, but not who keeps the room in order.  Nothing
hits an admin.

They are records, and are there again after a restart.  Those of this run end by a clock that does
not step, those of earlier ones by the wall clock, as in L{mucs.places}.  One that has ended is
found when it is looked up, and removed then.

Looking one up costs the same however many there are: they stand in a table by what they go by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mucs.events import Refused
from mucs.imucs import ILog, ISession
from mucs.names import fold
from mucs.records import Table
from mucs.roles import MODERATOR, may
from mucs.rules import Addresses
from mucs.spans import moment

log = Logger()

BAN, MUTE = "ban", "mute"

#: Sanctions there may be in one room, and on the server.
MOST = 1000

Network = IPv4Network | IPv6Network
# What one is known by: a kind of mark, and the mark.
Mark = tuple[str, object]


class Sanction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    @ivar number: of the order, as in the audit log.
    @ivar kind: C{ban} or C{mute}.
    @ivar room: the key of the room; empty for the whole server.
    @ivar name: whom it is on, as it is shown: a name or a network.
    @ivar account: the key of their account, or nothing.
    @ivar person: of a guest: their name, folded.
    @ivar network: where they come from: guests from there are hit; C{IP} or C{IP/BITS}.
    @ivar everyone: whether everyone from there is.
    @ivar until: milliseconds since 1970; 0 for ever.
    """

    number: int
    kind: str
    room: str
    name: str
    account: str = ""
    person: str = ""
    network: str = ""
    everyone: bool = False
    until: int = 0
    by: str = ""
    why: str = ""

    def terms(self) -> str:
        """By whom, until when, and why, in words."""
        end = f" until {moment(self.until)}" if self.until else ""
        return f" by {self.by}{end}" + (f" ({self.why})" if self.why else "")


class Sanctions:
    """@ivar table: all of them, by number."""

    def __init__(
        self, store: ILog, clock: Callable[[], float], seconds: Callable[[], float]
    ) -> None:
        """
        @param clock: gives seconds since 1970.
        @param seconds: gives seconds that never go back.
        """
        self.table: Table[Sanction] = Table(store, "sanction", Sanction)
        self._clock = clock
        self._seconds = seconds
        self._ends: dict[int, float] = {}  # of those of this run, by the second clock
        self._marks: dict[Mark, dict[int, Sanction]] = {}
        self._lengths: dict[tuple[int, int], int] = {}  # networks, by version and bits
        self._rooms: dict[str, dict[int, Sanction]] = {}

    def load(self) -> Deferred[None]:
        """Read them; fires and fails as L{Table.load} does."""
        return self.table.load().addCallback(self._loaded)

    def _loaded(self, _: None) -> None:
        for sanction in list(self.table.rows.values()):
            self._enter(sanction)
            self._isOver(sanction)

    def put(self, sanction: Sanction) -> Deferred[Sanction]:
        """
        From now on this holds.

        @return: fires once it is stored; fails with L{Refused} if it is not, and does not hold.
        """

        def stored(sanction: Sanction) -> Sanction:
            self._enter(sanction)
            if sanction.until:
                left = sanction.until / 1000 - self._clock()
                self._ends[sanction.number] = self._seconds() + left
            return sanction

        return self.table.put(str(sanction.number), sanction).addCallback(stored)

    def remove(self, sanction: Sanction) -> Deferred[None]:
        """It holds no longer; fires and fails as L{put} does."""
        removed = self.table.remove(str(sanction.number))
        return removed.addCallback(lambda _: self._forget(sanction))

    def of(self, room: str) -> list[Sanction]:
        """Those that hold in a room, by its key, or on the server; in the order they came."""
        found = list(self._rooms.get(room, {}).values())
        return [sanction for sanction in found if not self._isOver(sanction)]

    def find(self, kind: str, room: str, name: str) -> Sanction | None:
        """One of a kind that holds in a room, by its key, or on the server: on whom it is."""
        key = fold(name)
        for sanction in self.of(room):
            if sanction.kind == kind and key in (fold(sanction.name), sanction.account):
                return sanction
        return None

    def hit(self, kind: str, room: Any, session: ISession, name: str = "") -> Sanction | None:
        """
        Whether someone is under a sanction.

        @param room: a L{Room<mucs.room.Room>}, or L{None} for the server.
        @param name: what they want to be called, if not what they are.
        """
        if session.admin or not self.table.rows:
            return None
        key = "" if room is None else room.key
        for sanction in self._known(session, name or session.name):
            if sanction.kind == kind and sanction.room == key and not self._isOver(sanction):
                if room is None or not sanction.everyone or not _keeps(session, room):
                    return sanction
        return None

    def door(self, host: str) -> Sanction | None:
        """The sanction by which everyone from an address is kept out of the server."""
        for sanction in self._from(host):
            if sanction.everyone and not sanction.room and not self._isOver(sanction):
                return sanction
        return None

    def asGuest(self, session: ISession) -> Sanction | None:
        """One that is on someone, wherever it holds, and would not be if they had an account."""
        known = (each for each in self._known(session, session.name) if not each.everyone)
        return next((each for each in known if not self._isOver(each)), None)

    def carried(self, session: ISession) -> tuple[int, ...]:
        """
        The numbers that someone's session carries, with those that go by its account, if it
        is logged in, or else by its name: who logs out, or takes another, is rid of none.
        """
        found = dict.fromkeys(n for n in session.sanctions if str(n) in self.table.rows)
        found.update(dict.fromkeys(self._marks.get(_own(session, session.name), ())))
        return tuple(found)

    def mutes(self, room: str) -> bool:
        """Whether anyone may be muted there."""
        return any(sanction.kind == MUTE for sanction in self._rooms.get(room, {}).values())

    def _known(self, session: ISession, name: str) -> Iterator[Sanction]:
        """Those that may be on someone."""
        for number in session.sanctions:
            carried = self.table.rows.get(str(number))
            if carried is not None:
                yield carried
        yield from list(self._marks.get(_own(session, name), {}).values())
        for sanction in self._from(session.host):
            if sanction.everyone or not (session.account or session.listener.trusted):
                yield sanction

    def _from(self, host: str) -> Iterator[Sanction]:
        """Those on networks that an address is in."""
        # It is asked for each line in a room where somebody is muted: parsing takes 10 us.
        address = parse(host) if self._lengths else None
        if address is None:
            return
        for version, bits in list(self._lengths):
            if version == address.version:
                most = address.max_prefixlen - bits
                start = int(address.network_address) >> most
                yield from list(self._marks.get(("net", (version, bits, start)), {}).values())

    def _enter(self, sanction: Sanction) -> None:
        self._rooms.setdefault(sanction.room, {})[sanction.number] = sanction
        for mark in _marks(sanction):
            self._marks.setdefault(mark, {})[sanction.number] = sanction
            if mark[0] == "net":
                length = _length(mark)
                self._lengths[length] = self._lengths.get(length, 0) + 1

    def _forget(self, sanction: Sanction) -> None:
        self._ends.pop(sanction.number, None)
        if self._rooms.get(sanction.room, {}).pop(sanction.number, None) is None:
            return
        if not self._rooms[sanction.room]:
            del self._rooms[sanction.room]
        for mark in _marks(sanction):
            del self._marks[mark][sanction.number]
            if not self._marks[mark]:
                del self._marks[mark]
            if mark[0] == "net":
                length = _length(mark)
                self._lengths[length] -= 1
                if not self._lengths[length]:
                    del self._lengths[length]

    def _isOver(self, sanction: Sanction) -> bool:
        """Whether a sanction has ended; then it is forgotten."""
        end = self._ends.get(sanction.number)
        # One of this run is timed by a clock that does not step.
        over = self._seconds() >= end if end is not None else self._clock() * 1000 >= sanction.until
        if not sanction.until or not over:
            return False
        self._forget(sanction)
        # What could not be removed is found to be over when it is read again.
        self.table.remove(str(sanction.number)).addErrback(lambda failure: failure.trap(Refused))
        return True


def parse(host: str) -> Network | None:
    """An address, C{IP}, or a network, C{IP/BITS}; L{None} for what is neither."""
    address, slash, bits = host.partition("%")[0].partition("/")
    try:
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
            bits = str(int(bits) - 96) if bits else ""
        return ip_network(f"{parsed}/{bits}" if slash else str(parsed), strict=False)
    except ValueError:
        return None


def origin(session: ISession) -> str:
    """The network that guests from someone's address share; nothing where all have the same."""
    network = Addresses.network(session.host)
    return "" if session.listener.trusted or parse(network) is None else network


def _own(session: ISession, name: str) -> Mark:
    """What someone is known by who is, or will be, called so."""
    return ("account", session.account) if session.account else ("name", name and fold(name))


def _marks(sanction: Sanction) -> Iterator[Mark]:
    """What a sanction goes by, besides what sessions carry."""
    if sanction.account:
        yield "account", sanction.account
    if sanction.person:
        yield "name", sanction.person
    network = parse(sanction.network) if sanction.network else None
    if network is not None:
        bits = network.prefixlen
        start = int(network.network_address) >> (network.max_prefixlen - bits)
        yield "net", (network.version, bits, start)


def _length(mark: Mark) -> tuple[int, int]:
    found: Any = mark[1]
    return found[0], found[1]


def _keeps(session: ISession, room: Any) -> bool:
    return may(session.role(room), MODERATOR)
