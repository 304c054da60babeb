"""
Tests for L{mucs.outlet}: one suite, run over every way of sending.

The sockets are real, but nothing happens by itself: the reactor (L{Hand}) is one of our own,
turned by hand like its clock, and the L{Peer} at the other end takes as many bytes as it is told
to, no more.  The kernel's own buffers are made small, so that there soon is something that waits.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.pollreactor import PollReactor
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import Clock
from twisted.protocols import tls
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, SynchronousTestCase
from zope.interface import implementer

from mucs import volley
from mucs.listener import tune
from mucs.outlet import PATIENCE, Outlet
from mucs.rules import Limits
from mucs.volley import Volley
from tests.live.server import makeCertificate

LIMITS = Limits(unsent=8192, replies=32768, stalled=30.0)

#: Bytes that the kernel is asked to hold at most, at either end.
BUFFER = 16384

#: Much more than both kernels hold and the limits allow.
PLENTY = 400_000

HOST = "127.0.0.1"
HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 7000\r\n"

# What may be done with a connection, and how much of it.
SCRIPTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from((0, 1, 64, 1000, 16_385, 70_000))),
        st.tuples(st.just("reply"), st.sampled_from((1, 3, 500))),
        st.tuples(st.just("take"), st.sampled_from((1, 100, 5000, 1 << 20))),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("room"), st.sampled_from((-errno.EAGAIN, 0, 1, 700))),
    ),
    max_size=40,
)

quiet = settings(deadline=None, database=None, max_examples=40)


class Hand(PollReactor):
    """A reactor that is turned by hand; and so is its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__()

    def seconds(self) -> float:
        return self.clock.seconds()

    def turn(self, times: int = 3) -> None:
        """Do what is to be done now: read, write, tell."""
        for _ in range(times):
            self.iterate(0)

    def passes(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        while seconds > 0:
            self.clock.advance(min(1.0, seconds))
            self.turn(2)
            seconds -= 1.0

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Turn until something holds, or never will."""
        end = time.monotonic() + 10
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(what)
            self.iterate(0.001)

    def close(self) -> None:
        """Give back what a reactor has of the system."""
        waker = self.waker
        self.removeAll()
        self._internalReaders.discard(waker)
        self.removeReader(waker)
        waker.connectionLost(connectionDone)


class Keeper:
    """
    Whom the outlet tells.

    @ivar told: what it was told; "held" and "drained" always take turns.
    @ivar within: whether the outlet is being called, and so must tell nothing.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.within = False

    def held(self) -> None:
        self._hear("held")

    def drained(self) -> None:
        self._hear("drained")

    def stuck(self, why: str) -> None:
        self._hear(why)

    def _hear(self, what: str) -> None:
        if self.within:
            raise AssertionError(f"{what}: told from within a call")
        if what == (self.told[-1] if self.told else "drained"):
            raise AssertionError(f"{what}: told twice")
        self.told.append(what)


@implementer(IHalfCloseableProtocol)
class Server(Protocol):
    """
    Our end: what is around an outlet.

    @ivar heard: what came from the peer.
    @ivar ended: whether the peer will send no more.
    @ivar reason: why the connection is gone, once it is.
    """

    transport: Any

    def __init__(self, limits: Limits, foreign: bool, starts: bool, volley: Volley) -> None:
        self.keeper = Keeper()
        self.volley = volley
        self.outlet: Outlet
        self.heard = b""
        self.ended = False
        self.reason: BaseException | None = None
        self._limits = limits
        self._foreign = foreign
        self._starts = starts

    def connectionMade(self) -> None:
        if self._starts:
            self.transport.startTLS(certificate().options())
        wire = self.transport
        while hasattr(wire, "transport"):
            wire = wire.transport
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.wire = wire
        transport = Foreign(self.transport) if self._foreign else self.transport
        self.outlet = Outlet(transport, wire.reactor, self._limits, self.keeper, self.volley)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def readConnectionLost(self) -> None:
        self.ended = True

    def writeConnectionLost(self) -> None:
        raise AssertionError("nobody asked for that")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason.value
        self.outlet.lost()


class Foreign:
    """A transport of which nothing is known but that it is one."""

    def __init__(self, transport: Any) -> None:
        for name in ("write", "registerProducer", "unregisterProducer"):
            setattr(self, name, getattr(transport, name))
        for name in ("loseConnection", "abortConnection"):
            setattr(self, name, getattr(transport, name))


class Factory(ServerFactory):
    """
    @ivar foreign: whether nothing is to be known of the transports.
    @ivar starts: whether TLS begins on a connection that was there without it.
    @ivar volley: where their sends may be gathered.
    @ivar made: the ends of the connections that were made, oldest first.
    """

    noisy = False

    def __init__(self) -> None:
        self.limits = LIMITS
        self.foreign = False
        self.starts = False
        self.volley = Volley()
        self.made: list[Server] = []

    def buildProtocol(self, addr: object) -> Server:
        server = Server(self.limits, self.foreign, self.starts, self.volley)
        self.made.append(server)
        return server


class Peer:
    """
    The other end of a connection.

    @ivar seen: what it has taken.
    @ivar ended: whether there is no more to come; L{OSError} is an end too.
    """

    def __init__(self, plug: socket.socket) -> None:
        self.seen = bytearray()
        self.ended = False
        self._plug = plug
        plug.setblocking(False)

    def takes(self, most: int = 1 << 20) -> int:
        """Take what is there, but no more than that. @return: how many bytes it was."""
        try:
            data = self._plug.recv(most)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if data:
            self._take(data)
        else:
            self.ended = True
        return len(data)

    def sends(self, data: bytes) -> None:
        """Send bytes."""
        self._plug.sendall(data)

    def finishes(self) -> None:
        """Send no more, in good order."""
        self._plug.shutdown(socket.SHUT_WR)

    def resets(self) -> None:
        """Vanish."""
        self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._plug.close()

    def closes(self) -> None:
        """Close the connection."""
        self._plug.close()

    def _take(self, data: bytes) -> None:
        self.seen += data


class SecretPeer(Peer):
    """The same behind TLS, whose handshake goes on as it takes."""

    def __init__(self, plug: socket.socket, newest: ssl.TLSVersion) -> None:
        super().__init__(plug)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = newest
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)
        self.shakes = False  # whether the handshake is done

    def shake(self) -> None:
        """Go on with the handshake."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
            self.shakes = True
        self._flush()

    def sends(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def finishes(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()

    def _take(self, data: bytes) -> None:
        self._in.write(data)
        if not self.shakes:
            self.shake()
        try:
            while self.shakes and not self.ended:
                piece = self._tls.read(65536)
                self.seen += piece
                self.ended = not piece
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        if self.ended:
            self.finishes()
        else:
            self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            super().sends(self._out.read())


class Link:
    """
    A connection: an outlet at one end, a peer at the other.

    @ivar sent: all that the outlet was given.
    """

    def __init__(self, reactor: Hand, server: Server, peer: Peer) -> None:
        self.sent = bytearray()
        self.reactor = reactor
        self.server = server
        self.outlet = server.outlet
        self.keeper = server.keeper
        self.peer = peer
        # As sessions do, which keep it.
        self._send = self.outlet.send
        self._volley = server.volley

    def says(self, data: bytes) -> None:
        """Send something."""
        self.sent += data
        self._volley.open()
        self.calls(self._send, data)
        self.calls(self._volley.fire)

    def replies(self, data: bytes) -> None:
        """Send something that stands in no log."""
        self.sent += data
        self.calls(self.outlet.reply, data)

    def closes(self) -> None:
        """Close our end."""
        self.calls(self.outlet.close)

    def calls(self, what: Callable[..., object], *arguments: object) -> None:
        """Call something of the outlet's, which must not call back."""
        self.keeper.within = True
        try:
            what(*arguments)
        finally:
            self.keeper.within = False

    def fills(self, piece: int = 1000) -> None:
        """Say so much that the outlet wants no more, and the kernel takes no more."""
        for number in range(PLENTY // piece):
            if self.outlet.busy:
                self.reactor.turn()
                if self.outlet.busy:
                    return
            self.says(b"%07d" % number + b"." * (piece - 7))
            self.reactor.turn(1)
        raise AssertionError("it takes whatever it is given")

    def waits(self) -> int:
        """Bytes that wait in the transport."""
        wire = self.server.wire
        return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)

    def queued(self) -> int:
        """Bytes that wait in the kernel, as it counts them."""
        count = fcntl.ioctl(self.server.wire.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(count, sys.byteorder)

    def takesSome(self) -> None:
        """Let the peer take a little, until the kernel on our side knows of it."""
        before = self.queued()

        def takes() -> bool:
            self.peer.takes(2000)
            return self.queued() < before

        self.reactor.until(takes, "nothing is taken")

    def arrives(self, piece: int = 1 << 20) -> None:
        """Everything that was sent arrives, if the peer takes so many bytes at a time."""
        self.reactor.until(lambda: not self._goesOn(piece), "some of it never comes")
        if self.peer.seen != self.sent:
            raise AssertionError("what comes is not what was sent")

    def _goesOn(self, piece: int) -> bool:
        self.peer.takes(piece)
        return len(self.peer.seen) < len(self.sent)

    def ends(self) -> None:
        """There is an end to it, for both."""
        self.reactor.until(self._isOver, "it does not end")

    def _isOver(self) -> bool:
        self.peer.takes()
        return self.peer.ended and self.isLost()

    def perishes(self) -> None:
        """Let our end notice that the other one is gone; it may take as long as closing may."""
        self.says(b"anyone there?")
        self.reactor.turn()
        self.says(b"anyone there?")
        self.reactor.turn()
        if not self.isLost():
            self.reactor.passes(PATIENCE)
        if not self.isLost():
            raise AssertionError("it does not notice")

    def isLost(self) -> bool:
        """Whether our end knows that the connection is gone."""
        return self.server.reason is not None


class Kernel:
    """
    Stands before a socket's C{send}, and takes less than it.

    @ivar calls: how often it was called.
    """

    def __init__(self, outlet: Outlet, script: Iterable[int] = ()) -> None:
        """@param script: bytes that each send takes at most; or, below 0, an error's number."""
        self.calls = 0
        self._send = outlet._socketSend
        self._script = iter(script)
        outlet._socketSend = self

    def __call__(self, data: bytes) -> int:
        self.calls += 1
        most = next(self._script, len(data))
        if most < 0:
            raise OSError(-most, "so says the script")
        sent: int = self._send(data[:most])
        return sent


class KernelRing:
    """The same for a ring, through which one send at a time goes."""

    def __init__(self, ring: Any, script: Iterable[int] = ()) -> None:
        self.calls = 0
        self._ring = ring
        self._script = iter(script)

    def send(self, sockets: Sequence[int], pieces: list[bytes]) -> dict[int, int]:
        """See L{mucs.ring.Ring.send}."""
        self.calls += 1
        [piece] = pieces
        most = next(self._script, len(piece))
        if most < 0:
            return {0: most}
        failed: dict[int, int] = self._ring.send(sockets, [piece[:most]])
        return failed if failed or most >= len(piece) else {0: most}

    def close(self) -> None:
        self._ring.close()


@cache
def certificate() -> PrivateCertificate:
    """A certificate, with its key."""
    folder = Path(tempfile.mkdtemp(prefix="mucs-"))
    try:
        makeCertificate(folder)
        both = (folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes()
    finally:
        shutil.rmtree(folder)
    made: PrivateCertificate = PrivateCertificate.loadPEM(both)
    return made


if TYPE_CHECKING:
    Base = SynchronousTestCase
else:
    Base = object


class Sending(Base):
    """
    What holds whatever the way.

    @ivar way: what is chosen for C{send}.
    @ivar halves: whether the peer may close one direction only.
    @ivar most: bytes that may wait before there is too much.
    """

    way = "_direct"
    halves = False
    most = LIMITS.unsent

    def setUp(self) -> None:
        self.reactor = Hand()
        self.links: list[Link] = []
        self.server = Factory()
        self.listens()
        self.addCleanup(self.leaves)

    def leaves(self) -> None:
        """No connection stays, and no timer of one."""
        for link in self.links:
            link.peer.closes()
            link.server.wire.abortConnection()
            self.reactor.until(link.isLost, "a connection stays")
        self.door.stopListening()
        self.reactor.turn()
        left = self.reactor.getDelayedCalls()
        self.reactor.close()
        self.assertEqual(left, [])

    # What each way has of its own.

    def listens(self) -> None:
        """Begin to listen."""
        self.door: Any = self.reactor.listenTCP(0, self.wrapped(), interface=HOST)
        tune(self.door.socket)

    def wrapped(self) -> Any:
        """What is around the factory."""
        return self.server

    def dial(self) -> socket.socket:
        """Connect."""
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        # Else what fits is less than one segment, and TCP waits for more room.
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plug.connect((HOST, self.door.getHost().port))
        return plug

    def meet(self, plug: socket.socket) -> Peer:
        """Make a peer of a plug: one that is ready to take what is sent."""
        return Peer(plug)

    def settle(self, peer: Peer) -> None:
        """Do what comes before anything else."""

    # Both ends.

    def connect(self, limits: Limits = LIMITS) -> Link:
        """A connection."""
        self.server.limits = limits
        count = len(self.server.made)
        peer = self.meet(self.dial())
        self.reactor.until(lambda: len(self.server.made) > count, "nobody came")
        link = Link(self.reactor, self.server.made[-1], peer)
        self.links.append(link)
        self.settle(peer)
        self.reactor.turn()
        return link

    def kernel(self, link: Link, script: Iterable[int] = ()) -> Any:
        """Let the kernel take no more than a script says."""
        return Kernel(link.outlet, script)

    @property
    def isDirect(self) -> bool:
        """Whether the outlet sends on the socket itself."""
        return self.way != "_pass"

    # In order, and complete.

    def test_way(self) -> None:
        """It is the way that this is about."""
        self.assertEqual(self.connect().outlet.send.__name__, self.way)

    def test_small(self) -> None:
        """Much that is small, with a turn now and then."""
        link = self.connect()
        for number in range(500):
            link.says(b"line %d\r\n" % number)
            if number % 7 == 0:
                self.reactor.turn(1)
        link.arrives()
        self.assertEqual(link.keeper.told, [])

    def test_atOnce(self) -> None:
        """The direct way does not wait for the reactor."""
        link = self.connect()
        link.says(b"hello\r\n")
        link.peer.takes()
        self.assertEqual(bool(link.peer.seen), self.isDirect)
        link.arrives()

    def test_big(self) -> None:
        """A megabyte, to a peer that takes it in small pieces; and small things around it."""
        link = self.connect()
        link.says(b"before\r\n")
        link.says(bytes(range(256)) * 4096)
        link.says(b"after\r\n")
        link.replies(b"")
        link.arrives(9999)
        link.says(b"later\r\n")
        link.arrives()

    def test_empty(self) -> None:
        """Nothing is nothing."""
        link = self.connect()
        link.says(b"")
        link.replies(b"")
        link.says(b"something")
        link.says(b"")
        link.arrives()

    def test_noOvertaking(self) -> None:
        """What waits goes first, even if the kernel has room again before the reactor knows."""
        link = self.connect()
        link.fills()
        for number in range(20):
            link.peer.takes()
            link.says(b"late %d" % number)
        link.arrives()

    def test_directAgain(self) -> None:
        """When nothing waits any more it is as it was before."""
        link = self.connect()
        for _ in range(3):
            link.fills()
            link.arrives()
            self.assertEqual(link.waits(), 0)
            link.says(b"hello")
            link.peer.takes()
            self.assertEqual(link.peer.seen.endswith(b"hello"), self.isDirect)
            link.arrives()

    def test_shortWrites(self) -> None:
        """A kernel that takes some bytes, or none, or has no buffers."""
        link = self.connect()
        if self.isDirect:
            self.kernel(link, (3, 0, 1, -errno.EAGAIN, 5, 0, -errno.ENOBUFS, 10, 0, 100))
        for number in range(40):
            link.says(b"%d " % number + b"-" * number)
            if number % 3 == 0:
                link.arrives(7)
        link.arrives()

    def test_aSendThatFails(self) -> None:
        """It is told when the connection is gone, to be counted; other ends are none."""
        link = self.connect()
        link.says(b"hello")
        self.assertFalse(link.outlet.lost())
        link = self.connect()
        if self.isDirect:
            self.kernel(link, (-errno.EPIPE,))
        link.says(b"hello")
        self.assertEqual(link.outlet.lost(), self.isDirect)

    def test_oneSend(self) -> None:
        """One send on the socket for one of ours, however long it is."""
        link = self.connect()
        if not self.isDirect:
            return
        link.arrives()
        kernel = self.kernel(link)
        for number, size in enumerate((1, 64, 5000, 16384, 16385, 20_000, 50_000), 1):
            link.says(b"x" * size)
            self.assertEqual(kernel.calls, number)
            if size <= 20_000:
                while link.peer.takes():
                    pass
                self.assertEqual(link.peer.seen, link.sent)
            link.arrives()

    def test_replies(self) -> None:
        """What a telnet is owed stands where it was said, whether something waits or not."""
        link = self.connect()
        for _ in range(3):
            link.says(b"before")
            link.replies(b"\xff\xfc\x01")
            link.says(b"after")
        link.fills()
        for _ in range(3):
            link.says(b"before")
            link.replies(b"\xff\xfe\x22")
            link.says(b"after")
        link.arrives(3000)

    # A peer that stops reading.

    def test_pause(self) -> None:
        """The owner is told when there is too much, and when nothing waits any more."""
        link = self.connect()
        link.fills()
        told = len(link.keeper.told)
        self.assertEqual(link.keeper.told[-1], "held")
        self.reactor.passes(1)
        self.assertTrue(link.outlet.busy)
        self.assertEqual(len(link.keeper.told), told)
        link.arrives(5000)
        self.reactor.turn()
        self.assertFalse(link.outlet.busy)
        self.assertEqual(link.keeper.told[told:], ["drained"])

    def test_pauses(self) -> None:
        """Again and again."""
        link = self.connect()
        for _ in range(3):
            link.fills()
            self.assertEqual(link.keeper.told[-1], "held")
            link.arrives()
            self.reactor.turn()
            self.assertEqual(link.keeper.told[-1], "drained")

    def test_toldLater(self) -> None:
        """What there is to tell is told in the next turn, not before."""
        link = self.connect()
        link.says(b"x" * PLENTY)
        self.assertEqual(link.keeper.told, [])
        self.reactor.turn()
        self.assertEqual(link.keeper.told[:1], ["held"])

    def test_bounded(self) -> None:
        """For an owner that heeds C{busy}, no more waits than the limit and one send."""
        link = self.connect()
        most = 0
        for _ in range(3):
            link.fills()
            most = max(most, link.waits())
            link.arrives(20_000)
        self.assertGreater(most, self.most)
        self.assertLess(most, self.most + 3000)

    def test_stalled(self) -> None:
        """No byte is taken for so long: the owner is told why, and the connection is lost."""
        link = self.connect()
        link.fills()
        self.reactor.passes(LIMITS.stalled - 0.1)
        self.assertFalse(link.isLost())
        self.reactor.passes(LIMITS.stalled + 2)
        self.assertEqual(link.keeper.told[-2:], ["held", "nothing was read for 30 s"])
        self.assertTrue(link.isLost())
        self.assertNotIsInstance(link.server.reason, ConnectionDone)

    def test_stalledLater(self) -> None:
        """That it once took something counts for no more than once."""
        link = self.connect()
        link.fills()
        link.arrives()
        self.reactor.passes(2 * LIMITS.stalled)
        self.assertFalse(link.isLost())
        link.fills()
        self.reactor.passes(LIMITS.stalled)
        self.reactor.passes(LIMITS.stalled)
        self.assertTrue(link.isLost())

    # A peer that goes.

    def test_reset(self) -> None:
        """The peer vanishes in the middle: nothing is raised, and others notice nothing."""
        link, other = self.connect(), self.connect()
        for number in range(50):
            if number == 20:
                link.peer.resets()
            link.says(b"%d" % number)
            other.says(b"%d" % number)
            if number == 40:
                self.reactor.turn()
        other.arrives()
        link.perishes()

    def test_resetWhileWaiting(self) -> None:
        """The same with something that waits."""
        link = self.connect()
        link.fills()
        link.peer.resets()
        link.says(b"more")
        link.replies(b"more")
        self.reactor.turn()
        link.says(b"more")
        self.assertTrue(link.isLost())

    def test_resetUnread(self) -> None:
        """While the connection is not read nobody notices, but it is over soon all the same."""
        link = self.connect()
        link.server.transport.pauseProducing()
        self.reactor.turn()
        link.peer.resets()
        link.says(b"hello")
        link.says(b"hello")
        self.reactor.passes(PATIENCE)
        self.assertTrue(link.isLost())

    def test_lastWords(self) -> None:
        """What the peer said before it vanished is heard, though sending fails first."""
        link = self.connect()
        link.peer.sends(b"farewell")
        link.peer.resets()
        link.says(b"hello")
        link.says(b"hello")
        self.reactor.turn()
        self.assertEqual(link.server.heard, b"farewell")
        link.perishes()

    def test_isReset(self) -> None:
        """Whether the peer is gone can be known without reading."""
        link = self.connect()
        link.server.transport.pauseProducing()
        self.assertFalse(link.outlet.isReset())
        link.fills()
        self.assertFalse(link.outlet.isReset())
        link.peer.resets()
        self.assertTrue(link.outlet.isReset())
        self.reactor.passes(PATIENCE)
        self.assertTrue(link.isLost())
        self.assertFalse(link.outlet.isReset())

    def test_halfClose(self) -> None:
        """Who sends no more still reads on; unless that is an end where there are wrappers."""
        link = self.connect()
        link.fills()
        link.peer.finishes()
        self.reactor.turn()
        link.says(b"more")
        self.assertEqual(link.server.ended, self.halves)
        self.assertFalse(link.outlet.isReset())
        if self.halves:
            link.arrives()
            link.says(b"still more")
            link.arrives()
            self.assertFalse(link.isLost())

    def test_lost(self) -> None:
        """With the connection goes every timer, and nobody is told anything any more."""
        link = self.connect()
        link.says(b"x" * PLENTY)
        link.outlet.lost()
        self.reactor.turn()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        while link.peer.takes():
            self.reactor.turn()
        self.assertEqual(link.keeper.told, [])

    def test_afterwards(self) -> None:
        """Whatever is asked of an outlet whose connection is gone, nothing comes of it."""
        link = self.connect()
        link.peer.resets()
        link.perishes()
        link.says(b"x" * PLENTY)
        link.replies(b"x" * PLENTY)
        link.closes()
        link.calls(link.outlet.lost)
        self.assertFalse(link.outlet.isReset())
        self.reactor.turn()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    # Closing.

    def test_close(self) -> None:
        """Everything that waits arrives, then the end."""
        link = self.connect()
        link.fills()
        link.closes()
        link.arrives(4000)
        link.ends()
        self.assertEqual(link.peer.seen, link.sent)
        self.assertIsInstance(link.server.reason, ConnectionDone)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closeSmall(self) -> None:
        """A few words, and the end: no time needs to pass."""
        link = self.connect()
        link.says(b"no room\r\n")
        link.closes()
        link.arrives()
        link.ends()
        self.assertEqual(self.reactor.seconds(), 0)

    def test_closeUnheard(self) -> None:
        """That the peer has said something which nobody read does not cost it what waits."""
        link = self.connect()
        link.server.transport.pauseProducing()
        self.reactor.turn()
        link.peer.sends(b"/quit\n" * 10)
        link.fills()
        link.closes()
        if self.isDirect:
            link.arrives(4000)
            self.reactor.passes(PATIENCE)
            self.assertTrue(link.isLost())

    def test_closeHeedless(self) -> None:
        """Nor that it goes on talking."""
        link = self.connect()
        link.fills()
        link.closes()

        def goesOn() -> bool:
            if not link.isLost():
                link.peer.sends(b"blah " * 100)
            link.peer.takes(4000)
            return len(link.peer.seen) == len(link.sent)

        if self.isDirect:
            self.reactor.until(goesOn, "some of it never comes")
            self.assertEqual(link.peer.seen, link.sent)

    def test_closeBoth(self) -> None:
        """Nor that it has closed its own side."""
        link = self.connect()
        link.fills()
        link.closes()
        if self.halves:
            link.peer.finishes()
            self.reactor.turn()
            # Or the reactor would find an end to read in each of its turns.
            self.assertNotIn(link.server.wire, self.reactor.getReaders())
        link.arrives(4000)
        link.ends()
        self.assertIsInstance(link.server.reason, ConnectionDone)

    def test_closeStuck(self) -> None:
        """A peer that reads nothing has five seconds."""
        link = self.connect()
        link.fills()
        link.closes()
        self.reactor.passes(PATIENCE - 0.1)
        self.assertFalse(link.isLost())
        self.reactor.passes(0.2)
        self.assertTrue(link.isLost())
        self.assertNotIsInstance(link.server.reason, ConnectionDone)

    def test_closeAndVanish(self) -> None:
        """It vanishes before that: no timer is left."""
        link = self.connect()
        link.fills()
        link.closes()
        link.peer.resets()
        self.reactor.turn()
        link.perishes()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closed(self) -> None:
        """After that nothing is sent, and nothing told; closing again changes nothing."""
        link = self.connect()
        link.fills()
        told = list(link.keeper.told)
        link.closes()
        link.calls(link.outlet.send, b"too late")
        link.calls(link.outlet.reply, b"x" * PLENTY)
        link.closes()
        link.arrives()
        link.ends()
        self.assertEqual(link.peer.seen, link.sent)
        self.assertEqual(link.keeper.told, told)

    def test_closeAfterReset(self) -> None:
        """The peer is gone, and we have noticed, but the reactor has not."""
        link = self.connect()
        link.peer.resets()
        link.says(b"hello")
        link.says(b"hello")
        link.closes()
        self.reactor.turn()
        link.perishes()

    # At random.

    def test_random(self) -> None:
        """Whatever is sent, taken and paused: what comes is what was sent, in order."""

        @quiet
        @given(SCRIPTS)
        def follow(script: list[tuple[str, int]]) -> None:
            self.follow(script)

        follow()

    def follow(self, script: list[tuple[str, int]]) -> None:
        """Do what a script says."""
        link = self.connect()
        room: list[int] = []
        if self.isDirect:
            self.kernel(link, iter(lambda: room.pop() if room else 1 << 20, None))
        for number, (what, count) in enumerate(script):
            if what == "say" and not link.outlet.busy:
                link.says((b"%d:" % number * count)[:count])
            elif what == "reply":
                link.replies(b"<%d>" % number)
            elif what == "take":
                link.peer.takes(count)
            elif what == "turn":
                self.reactor.turn(count)
            elif what == "room":
                room.append(count)
            self.assertTrue(link.sent.startswith(link.peer.seen))
        link.arrives()
        self.reactor.turn()
        self.assertEqual(link.waits(), 0)
        self.assertFalse(link.outlet.busy)
        self.assertEqual(link.keeper.told.count("held"), link.keeper.told.count("drained"))
        link.closes()
        link.ends()


class Known(Sending):
    """What holds where what waits in the transport can be counted."""

    #: Bytes more than they are that what is sent may be.
    slack = 3000

    def test_unsent(self) -> None:
        """What waits is counted."""
        link = self.connect()
        self.assertEqual(link.outlet.unsent(), 0)
        link.fills()
        self.assertEqual(link.outlet.unsent(), link.waits())
        self.assertGreater(link.waits(), LIMITS.unsent)

    def test_notStalled(self) -> None:
        """Some bytes now and then are enough."""
        link = self.connect()
        link.says(b"x" * PLENTY)
        for _ in range(10):
            self.reactor.passes(LIMITS.stalled - 1)
            self.assertFalse(link.isLost())
            for _ in range(3):
                link.peer.takes(BUFFER)
                self.reactor.turn()
        link.arrives()
        self.reactor.passes(3 * LIMITS.stalled)
        self.assertFalse(link.isLost())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_slowly(self) -> None:
        """
        Who reads so little that the kernel, which holds much for them, takes nothing from us is
        slow, but not stalled.
        """
        link = self.connect()
        link.server.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PLENTY)
        for _ in range(200):
            link.says(b"x" * (PLENTY // 40))
        self.reactor.turn(20)
        waits = link.waits()
        self.assertGreater(waits, 0)
        for _ in range(5):
            self.reactor.passes(LIMITS.stalled - 1)
            self.assertFalse(link.isLost())
            link.takesSome()
            if self.isDirect:
                self.assertEqual(link.waits(), waits)
        self.reactor.passes(2 * LIMITS.stalled)
        self.assertTrue(link.isLost())

    def test_stalledByChance(self) -> None:
        """Nor is it a sign of none that as much waits as did before, if it was less meanwhile."""
        link = self.connect()
        outlet: Any = link.outlet
        link.fills()
        mark = outlet._mark
        link.arrives()
        link.fills()
        queued = outlet._passed - outlet.unsent() - mark
        if self.isDirect:
            self.patch(fcntl, "ioctl", lambda *_: queued.to_bytes(4, sys.byteorder))
            self.reactor.passes(LIMITS.stalled)
            self.assertFalse(link.isLost())
            self.reactor.passes(LIMITS.stalled)
            self.assertTrue(link.isLost())

    def test_stalledThough(self) -> None:
        """That something was said meanwhile is no sign of life of the peer."""
        link = self.connect(Limits(unsent=1 << 20, stalled=30))
        link.says(b"x" * PLENTY)
        self.reactor.turn()
        for _ in range(6):
            self.reactor.passes(LIMITS.stalled / 3 + 0.1)
            link.says(b"more")
            self.reactor.turn()
        self.assertEqual(link.keeper.told, ["nothing was read for 30 s"])
        self.assertTrue(link.isLost())

    def test_tooManyReplies(self) -> None:
        """Replies that nobody reads are not kept without end, not even within one turn."""
        link = self.connect()
        link.fills()
        self.reactor.turn()
        for _ in range(1000):
            link.replies(b"-" * 1000)
        self.assertLess(link.waits(), LIMITS.unsent + LIMITS.replies + self.slack)
        self.assertEqual(link.keeper.told[-1], "held")
        self.reactor.turn()
        self.assertEqual(link.keeper.told[-2:], ["held", "too much unread"])
        self.assertTrue(link.isLost())
        self.assertNotIsInstance(link.server.reason, ConnectionDone)

    def test_fewReplies(self) -> None:
        """As many as the limit allows wait, and arrive."""
        link = self.connect()
        link.fills()
        for _ in range(15):
            link.replies(b"-" * 1000)
        self.reactor.turn()
        link.arrives()
        self.reactor.turn()
        self.assertEqual(link.keeper.told[-1], "drained")


class TcpTests(Known, SynchronousTestCase):
    """On a TCP socket."""

    halves = True

    def test_tune(self) -> None:
        """The options are really set, and a connection has them from where it came by."""
        wire = self.connect().server.wire.socket
        for level, option, value in (
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000),
        ):
            self.assertEqual(wire.getsockopt(level, option), value)

    def test_tuneElsewhere(self) -> None:
        """A platform that has not all of them is no reason not to set the others."""
        self.patch(socket, "TCP_USER_TIMEOUT", None)
        del socket.TCP_USER_TIMEOUT
        tune(self.door.socket)
        wire = self.connect().server.wire.socket
        self.assertEqual(wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 60)


class UnixTests(Known, SynchronousTestCase):
    """On a UNIX socket."""

    halves = True

    def listens(self) -> None:
        folder = tempfile.mkdtemp(prefix="mucs-")
        self.addCleanup(shutil.rmtree, folder)
        self.path = f"{folder}/mucs.sock"
        self.door = self.reactor.listenUNIX(self.path, self.wrapped())

    def dial(self) -> socket.socket:
        plug = socket.socket(socket.AF_UNIX)
        plug.connect(self.path)
        return plug

    def test_tune(self) -> None:
        """There is nothing to tune."""
        tune(self.door.socket)
        wire = self.connect().server.wire.socket
        self.assertEqual(wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 0)


class Gathered(Known):
    """In volleys, by io_uring."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(volley, "FEW", 0)
        self.patch(volley, "LARGE", 1 << 30)
        self.server.volley.startService()
        self.addCleanup(self.server.volley.stopService)
        if self.ring is None:
            raise SkipTest("this kernel has no io_uring, or not for us")

    @property
    def ring(self) -> Any:
        """The ring of the volley."""
        return self.server.volley._ring

    def kernel(self, link: Link, script: Iterable[int] = ()) -> Any:
        ring = KernelRing(self.ring, script)
        self.patch(self.server.volley, "_ring", ring)
        return ring

    def test_twice(self) -> None:
        """Two sends of one outlet in a volley: the second is not tried before the first is over."""
        link = self.connect()
        kernel = self.kernel(link, (2,))
        self.server.volley.open()
        for word in (b"first", b"second", b"third"):
            link.sent += word
            link.calls(link.outlet.send, word)
        self.server.volley.fire()
        self.assertEqual(kernel.calls, 1)
        link.arrives()

    def test_endsFirst(self) -> None:
        """Who is closed while a volley is open has sent what they brought."""
        for end in ("close", "cut"):
            link = self.connect()
            self.server.volley.open()
            link.sent += b"goodbye"
            link.calls(link.outlet.send, b"goodbye")
            getattr(link.outlet, end)()
            self.server.volley.fire()
            if self.way == "_direct":
                link.arrives()
            link.ends()

    def test_replies(self) -> None:
        """A reply is sent at once, and what of it waits is known."""
        super().test_replies()
        link = self.connect()
        self.server.volley.open()
        link.replies(b"x" * PLENTY)
        self.assertGreater(link.outlet.unsent(), 0)
        self.server.volley.fire()

    def isListed(self, link: Link) -> bool:
        """List an outlet, if it can be."""
        sender = link.outlet.sender()
        link.outlet.isListed = sender is not None
        self.assertIn(sender, (None, link.outlet))
        return sender is not None

    def test_listed(self) -> None:
        """It may be listed while its socket is free, and says so when that is over."""
        link = self.connect()
        direct = self.way == "_direct"
        self.assertEqual(self.isListed(link), direct)
        if direct:
            age = self.server.volley._age
            link.says(b"hello")
            self.assertTrue(link.outlet.isListed)
            link.fills()
            self.assertFalse(link.outlet.isListed)
            self.assertEqual(self.server.volley._age, age + 1)
            self.assertFalse(self.isListed(link))
            link.arrives()
            link.says(b"hello again")
            self.assertTrue(self.isListed(link))

    def test_listedUntilTheEnd(self) -> None:
        """However it ends."""
        for end in ("close", "cut", "lost"):
            link = self.connect()
            if self.isListed(link):
                getattr(link.outlet, end)()
                self.assertFalse(link.outlet.isListed)
            self.assertIsNone(link.outlet.sender())

    def test_listedAndGone(self) -> None:
        """A send that fails."""
        link = self.connect()
        if self.isListed(link):
            self.kernel(link, (-errno.EPIPE,))
            link.says(b"hello")
            self.assertFalse(link.outlet.isListed)
            self.assertIsNone(link.outlet.sender())


class TcpVolleyTests(Gathered, SynchronousTestCase):
    """On a TCP socket, in volleys."""

    halves = True


class UnixVolleyTests(Gathered, UnixTests):
    """On a UNIX socket, in volleys."""


class ProxyTests(Known, SynchronousTestCase):
    """On a TCP socket behind haproxy."""

    def wrapped(self) -> Any:
        return HAProxyWrappingFactory(self.server)

    def settle(self, peer: Peer) -> None:
        peer.sends(HEADER)

    def test_beforeHeader(self) -> None:
        """What is said before it is known who is there arrives too."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        link.says(b"who are you?")
        link.peer.sends(HEADER + b"ada")
        self.reactor.turn()
        link.says(b"hello ada")
        self.assertEqual(link.server.heard, b"ada")
        link.arrives()

    def test_noHeader(self) -> None:
        """Someone who says nothing of the kind is closed, even with something that waits."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        link.fills()
        link.peer.sends(b"GET / HTTP/1.1\r\n")
        self.reactor.turn()
        link.arrives()
        link.ends()


class WrapperTests(Known, SynchronousTestCase):
    """By Twisted's own C{write}, of a transport around which there is another one."""

    way = "_pass"

    def wrapped(self) -> Any:
        return WrappingFactory(self.server)


class ForeignTests(Sending, SynchronousTestCase):
    """By the C{write} of a transport of which nothing is known: another reactor's, say."""

    way = "_pass"
    halves = True
    most = 65536

    def setUp(self) -> None:
        super().setUp()
        self.server.foreign = True

    def test_notListed(self) -> None:
        """What has a socket that is not known is never listed."""
        self.assertIsNone(self.connect().outlet.sender())

    def test_isReset(self) -> None:
        """That cannot be known."""
        link = self.connect()
        link.peer.resets()
        self.assertFalse(link.outlet.isReset())


class TlsTests(Known, SynchronousTestCase):
    """Over TLS, encrypted once for each send."""

    way = "_encrypt"
    newest = ssl.TLSVersion.TLSv1_3

    def wrapped(self) -> Any:
        options = certificate().options()
        return TLSMemoryBIOFactory(options, False, self.server, self.reactor)

    def meet(self, plug: socket.socket) -> Peer:
        return SecretPeer(plug, self.newest)

    def settle(self, peer: Peer) -> None:
        assert isinstance(peer, SecretPeer)
        self.shake(peer)

    def shake(self, peer: SecretPeer) -> None:
        """Do the handshake, and let go by what the server says of itself after it."""
        peer.shake()
        self.reactor.until(lambda: peer.takes() == 0 and peer.shakes, "no handshake")
        self.reactor.turn()
        peer.takes()

    def test_beforeHandshake(self) -> None:
        """What is sent before TLS has begun arrives when it has."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        for number in range(10):
            link.says(b"welcome %d" % number)
        link.says(b"x" * 50_000)
        self.reactor.turn()
        self.assertEqual(link.keeper.told, ["held"])
        link.replies(b"soon")
        assert isinstance(link.peer, SecretPeer)
        link.peer.shake()
        link.arrives()
        self.reactor.turn()
        self.assertEqual(link.keeper.told, ["held", "drained"])
        link.says(b"now")
        link.peer.takes()
        self.assertEqual(link.peer.seen.endswith(b"now"), self.isDirect)
        link.arrives()

    def test_handshakeDone(self) -> None:
        """What is sent before the handshake is done, and after, in one turn, stays in order."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        assert isinstance(link.peer, SecretPeer)
        link.peer.shake()
        self.reactor.turn()
        link.peer.takes()
        link.says(b"before")
        link.server.wire.doRead()
        link.says(b"after")
        link.arrives()

    def test_noHandshake(self) -> None:
        """Who never begins it has taken nothing."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        link.says(b"welcome")
        self.reactor.passes(2 * LIMITS.stalled + 2)
        self.assertEqual(link.keeper.told, ["held", "nothing was read for 30 s"])
        self.assertTrue(link.isLost())

    def test_closeBeforeHandshake(self) -> None:
        """Nobody waits for it longer than for anything else."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        link.says(b"no room")
        link.closes()
        self.reactor.passes(PATIENCE)
        self.assertTrue(link.isLost())

    def test_closeDuringHandshake(self) -> None:
        """Why there is no room is told to one who is still at it."""
        self.patch(self, "settle", lambda peer: None)
        link = self.connect()
        link.says(b"no room")
        link.closes()
        assert isinstance(link.peer, SecretPeer)
        link.peer.shake()
        link.arrives()
        link.ends()

    def test_closeNotify(self) -> None:
        """The peer says the end of TLS while we send: nothing is raised, and it is an end."""
        link = self.connect()
        for number in range(30):
            link.says(b"%d" % number)
            if number == 10:
                link.peer.finishes()
            if number == 20:
                self.reactor.turn()
        link.ends()
        self.assertIsInstance(link.server.reason, ConnectionDone)
        self.assertTrue(link.sent.startswith(link.peer.seen))

    def test_closeNotifyWhileWaiting(self) -> None:
        """The same, while much waits: what was encrypted before arrives, then the end."""
        link = self.connect()
        link.fills()
        self.reactor.turn()
        sent = bytes(link.sent)
        link.peer.finishes()
        self.reactor.turn()
        link.says(b"too late")
        link.ends()
        self.assertTrue(sent.startswith(link.peer.seen))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_heard(self) -> None:
        """What the peer says is heard meanwhile."""
        link = self.connect()
        link.fills()
        link.peer.sends(b"hello")
        self.reactor.turn()
        self.assertEqual(link.server.heard, b"hello")
        link.arrives()


class TlsVolleyTests(Gathered, TlsTests):
    """Over TLS, in volleys."""


class OldTlsTests(TlsTests):
    """The same with TLS 1.2."""

    newest = ssl.TLSVersion.TLSv1_2

    def test_renegotiation(self) -> None:
        """While a new handshake is under way it waits, and is not lost."""
        link = self.connect()
        link.says(b"before")
        link.server.transport._tlsConnection.renegotiate()
        link.says(b"x" * 20_000)
        self.reactor.turn()
        link.says(b"after")
        link.arrives()
        link.says(b"later")
        link.peer.takes()
        self.assertEqual(link.peer.seen.endswith(b"later"), self.isDirect)
        link.arrives()


class OwnTlsTests(TlsTests):
    """Over TLS by Twisted's own C{write}: it began on a connection that was there before."""

    way = "_pass"
    slack = 70_000  # Twisted gathers as much before it encrypts it

    def setUp(self) -> None:
        super().setUp()
        self.server.starts = True
        self.patch(tls, "_get_default_clock", lambda: self.reactor)

    def wrapped(self) -> Any:
        return self.server

    def test_stalledThough(self) -> None:
        """
        What was said meanwhile is a sign of life here, for what encryption adds to it cannot be
        told from what was taken; but only until too much waits.
        """
        link = self.connect(Limits(unsent=PLENTY, stalled=30))
        link.says(b"x" * (PLENTY // 2))
        for _ in range(5):
            self.reactor.passes(LIMITS.stalled)
            self.assertFalse(link.isLost())
            link.says(b"more")
            self.reactor.turn()
        link.fills(30_000)
        self.reactor.passes(2 * LIMITS.stalled)
        self.assertTrue(link.isLost())


class TlsProxyTests(OwnTlsTests):
    """The same for TLS that there is from the beginning, but with haproxy inside of it."""

    def setUp(self) -> None:
        super().setUp()
        self.server.starts = False

    def wrapped(self) -> Any:
        options, inner = certificate().options(), HAProxyWrappingFactory(self.server)
        return TLSMemoryBIOFactory(options, False, inner, self.reactor)

    def settle(self, peer: Peer) -> None:
        super().settle(peer)
        peer.sends(HEADER)
