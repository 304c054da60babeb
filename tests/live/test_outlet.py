"""
The ways of sending, through the endpoints that choose them, in the reactor that is installed.

L{tests.test_outlet} proves each way byte by byte.  Here the endpoint is made from its string, as
the configuration makes it; each outlet belongs to a L{Reader}, which heeds it as a session does;
and several peers read the same thing at once, each at a pace of its own.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from mucs.listener import tune
from mucs.outlet import Outlet
from mucs.rules import Limits
from mucs.volley import Volley
from tests.live.inside import HOST, PATIENCE, LiveCase, Program, reactor
from tests.live.server import makeCertificate
from tests.test_outlet import BUFFER, HEADER, Peer, SecretPeer

LIMITS = Limits(unsent=16_384)

#: What there is to read, in lines: some short, some longer than any buffer.
LINES = [b"<%d>%s\r\n" % (n, b"." * (200_000 if n % 100 == 50 else n % 70)) for n in range(400)]
ALL = b"".join(LINES)


class Reader(Protocol):
    """
    Someone who reads the lines: a cursor, that stands still while the outlet is busy.

    @ivar cursor: how many lines were sent.
    @ivar told: what the outlet told.
    @ivar heard: what the peer said.
    @ivar reason: why it ended, once it has.
    """

    transport: Any

    def __init__(self, factory: House) -> None:
        self.cursor = 0
        self.told: list[str] = []
        self.heard = b""
        self.reason: BaseException | None = None
        self.outlet: Outlet
        self._factory = factory
        self._stop = 0
        self._within = False

    def connectionMade(self) -> None:
        wire = self.transport
        while not isinstance(wire, tcp.Connection):
            wire = wire.transport
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.wire = wire
        self.outlet = Outlet(self.transport, reactor, LIMITS, self, self._factory.volley)
        self.send = self.outlet.send
        self._factory.readers.append(self)

    def goesOn(self, stop: int = len(LINES)) -> None:
        """Send on from the cursor, up to a line, and as far as the outlet will have it."""
        self._stop = stop
        self._within = True
        while self.cursor < stop and not self.outlet.busy:
            self.send(LINES[self.cursor])
            self.cursor += 1
        self._within = False

    def held(self) -> None:
        self._hear("held")

    def drained(self) -> None:
        self._hear("drained")
        self.goesOn(self._stop)

    def stuck(self, why: str) -> None:
        self._hear(why)

    def _hear(self, what: str) -> None:
        if self._within:
            raise AssertionError(f"{what}: told from within a call")
        self.told.append(what)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason.value
        self.outlet.lost()


class House(ServerFactory):
    """
    @ivar readers: everyone who ever came, in that order.
    @ivar volley: where their sends may be gathered.
    """

    noisy = False

    def __init__(self) -> None:
        self.readers: list[Reader] = []
        self.volley = Volley()

    def buildProtocol(self, addr: object) -> Reader:
        return Reader(self)


if TYPE_CHECKING:
    Base = LiveCase
else:
    Base = object


async def until(holds: Callable[[], object], what: str) -> None:
    """Let the reactor turn until something holds, or never will."""
    end = reactor.seconds() + PATIENCE
    while not holds():
        if reactor.seconds() > end:
            raise AssertionError(what)
        await deferLater(reactor, 0.0005)


class Endpoint(Base):
    """
    What holds at every endpoint.

    @ivar way: what is chosen for C{send}.
    @ivar secret: whether a peer speaks TLS.
    @ivar header: whether it says first where it is from.
    """

    way = "_direct"
    secret = False
    header = False

    def setUp(self) -> None:
        self.house = House()
        self.place = self.folder()
        self.peers: list[Peer] = []
        self.door: Any = None

    async def opens(self) -> None:
        """Begin to listen."""
        endpoint = serverFromString(reactor, self.endpoint())
        self.door = await endpoint.listen(self.house)
        tune(self.door.socket)
        self.addCleanup(self.leaves)

    async def leaves(self) -> None:
        """Everything ends, and leaves no timer."""
        for peer in self.peers:
            peer.closes()
        for reader in self.house.readers:
            reader.wire.abortConnection()
        await until(lambda: all(reader.reason for reader in self.house.readers), "someone stays")
        await self.door.stopListening()

    def endpoint(self) -> str:
        """Its string."""
        return f"tcp:0:interface={HOST}"

    def dial(self) -> socket.socket:
        """Connect."""
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        plug.connect((HOST, self.door.getHost().port))
        return plug

    async def connect(self) -> tuple[Reader, Peer]:
        """A connection, from both ends."""
        if self.door is None:
            await self.opens()
        count = len(self.house.readers)
        plug = self.dial()
        peer = SecretPeer(plug, ssl.TLSVersion.TLSv1_3) if self.secret else Peer(plug)
        self.peers.append(peer)
        await until(lambda: len(self.house.readers) > count, "nobody came")
        if isinstance(peer, SecretPeer):
            peer.shake()
            await until(lambda: not peer.takes() and peer.shakes, "no handshake")
        if self.header:
            peer.sends(HEADER)
        return self.house.readers[-1], peer

    async def takes(self, peer: Peer, length: int, piece: int = 1 << 20) -> None:
        """A peer takes so much, in pieces."""

        def takes() -> bool:
            peer.takes(piece)
            return len(peer.seen) >= length

        await until(takes, "something does not come")

    async def ends(self, reader: Reader, peer: Peer) -> None:
        """There is an end to it, for both."""

        def over() -> bool:
            peer.takes()
            return peer.ended and reader.reason is not None

        await until(over, "it does not end")

    async def test_way(self) -> None:
        """It is the way that this is about."""
        reader, _ = await self.connect()
        self.assertEqual(reader.send.__name__, self.way)

    async def test_order(self) -> None:
        """Everything comes, in order: short and long, read fast, slowly, or not for a while."""
        reader, peer = await self.connect()
        reader.goesOn(10)
        await self.takes(peer, len(b"".join(LINES[:10])))
        reader.goesOn()
        await until(lambda: reader.told, "it is never held")
        self.assertLess(reader.cursor, len(LINES))
        await self.takes(peer, len(ALL) // 2, 5000)
        await self.takes(peer, len(ALL))
        self.assertEqual(peer.seen, ALL)
        await until(lambda: not reader.outlet.busy, "it stays held")
        self.assertEqual(reader.told.count("held"), reader.told.count("drained"))

    async def test_replies(self) -> None:
        """What is owed to this peer only stands where it was said."""
        reader, peer = await self.connect()
        reader.goesOn(60)
        cursor = reader.cursor
        reader.outlet.reply(b"\xff\xfc\x01")
        reader.goesOn()
        await self.takes(peer, len(ALL) + 3)
        before = b"".join(LINES[:cursor])
        self.assertEqual(peer.seen, before + b"\xff\xfc\x01" + ALL[len(before) :])

    async def test_together(self) -> None:
        """Ten read at ten paces, one vanishes, one goes; each of the others gets all of it."""
        both = [await self.connect() for _ in range(10)]
        for reader, _ in both:
            reader.goesOn()
        both.pop()[1].resets()
        both.pop()[1].closes()
        rounds = 0

        def allTake() -> bool:
            nonlocal rounds
            rounds += 1
            for number, (_, peer) in enumerate(both):
                if rounds % (number + 1) == 0:
                    peer.takes(4000 * (number + 1))
            return all(len(peer.seen) >= len(ALL) for _, peer in both)

        await until(allTake, "someone does not get all")
        for _, peer in both:
            self.assertEqual(peer.seen, ALL)

    async def test_close(self) -> None:
        """What waits arrives before the end."""
        reader, peer = await self.connect()
        reader.goesOn()
        sent = b"".join(LINES[: reader.cursor])
        reader.outlet.close()
        await self.takes(peer, len(sent), 8000)
        await self.ends(reader, peer)
        self.assertEqual(peer.seen, sent)

    async def test_reset(self) -> None:
        """A peer that vanishes costs nobody an exception."""
        reader, peer = await self.connect()
        reader.goesOn()
        peer.resets()
        for _ in range(20):
            reader.send(b"anyone there?")
            reader.outlet.reply(b"anyone there?")
        await until(lambda: reader.reason, "it is never lost")
        reader.send(b"anyone there?")


class TcpTests(Endpoint, LiveCase):
    """C{tcp:}"""


class UnixTests(Endpoint, LiveCase):
    """C{unix:}"""

    def endpoint(self) -> str:
        return f"unix:{self.place / 'sock'}"

    def dial(self) -> socket.socket:
        plug = socket.socket(socket.AF_UNIX)
        plug.connect(str(self.place / "sock"))
        return plug


class ProxyTests(Endpoint, LiveCase):
    """C{haproxy:tcp:}"""

    header = True

    def endpoint(self) -> str:
        return f"haproxy:tcp:0:interface={HOST}"


class TlsTests(Endpoint, LiveCase):
    """C{ssl:}"""

    way = "_encrypt"
    secret = True

    def endpoint(self) -> str:
        makeCertificate(self.place, "localhost")
        files = f"privateKey={self.place / 'key.pem'}:certKey={self.place / 'cert.pem'}"
        return f"ssl:0:interface={HOST}:{files}"

    async def openssl(self, *options: str) -> tuple[Reader, Program]:
        """C{openssl s_client}, which does what it is told by a line with a letter."""
        if self.door is None:
            await self.opens()
        count = len(self.house.readers)
        port = self.door.getHost().port
        client = self.launch("openssl", "s_client", "-connect", f"{HOST}:{port}", *options)
        await until(lambda: len(self.house.readers) > count, "nobody came")
        reader = self.house.readers[-1]
        if self.header:
            client.gives(HEADER)
            # What it finds on its stdin at once is one line to it.
            await until(lambda: reader.transport.getPeer().host != HOST, "it says nothing")
        return reader, client

    async def hears(self, reader: Reader, words: str) -> None:
        """Our end hears something."""
        await until(lambda: words.encode() in reader.heard, f"nobody hears {words}")

    async def test_newKeys(self) -> None:
        """New keys, as TLS 1.3 has them, one way or both, while we send."""
        reader, client = await self.openssl("-tls1_3")
        for number, letter in enumerate("KkKKkK", 1):
            reader.goesOn(10 * number)
            await client.sees(f"<{10 * number - 1}>")
            client.types(letter)
            await client.sees("KEYUPDATE")
            client.types(f"after {letter}{number}")
            await self.hears(reader, f"after {letter}{number}\n")
        reader.goesOn()
        await client.sees(f"<{len(LINES) - 1}>")
        numbers = [int(found) for found in re.findall(rb"<(\d+)>\.*\r\n", client.seen)]
        self.assertEqual(numbers, list(range(len(LINES))))

    async def test_renegotiation(self) -> None:
        """Who asks for a new handshake, as TLS 1.2 had it, harms nobody but themselves."""
        reader, peer = await self.connect()
        other, client = await self.openssl("-tls1_2")
        other.goesOn(20)
        await client.sees("<19>")
        client.types("R")
        await client.sees("RENEGOTIATING")
        for number in range(21, 40):
            other.goesOn(number)
            reader.goesOn(number)
            await self.turn()
        client.types("Q")
        await client.ends()
        reader.goesOn()
        await self.takes(peer, len(ALL))
        self.assertEqual(peer.seen, ALL)


class FolderTests(TlsTests):
    """C{tls:}, with a folder of certificates."""

    def endpoint(self) -> str:
        inside = self.place / "certificates"
        inside.mkdir()
        makeCertificate(self.place, "localhost")
        both = [(self.place / name).read_bytes() for name in ("key.pem", "cert.pem")]
        (inside / "localhost.pem").write_bytes(b"".join(both))
        return f"tls:{inside}:0:interface={HOST}"


class TlsProxyTests(TlsTests):
    """C{haproxy:ssl:}, which is neither, and so left to Twisted."""

    way = "_pass"
    header = True

    def endpoint(self) -> str:
        return f"haproxy:{super().endpoint()}"
