"""
The line front end: bytes from a socket become lines, lines become intents.

::

    socket -> Telnet.feed -> Framing.feed -> LineReceiver -> lineReceived
           -> UTF-8 -> clean -> dialect.parse -> Session.receive

The framings make every kind of frame a line that ends in C{\\n}, so there is one L{LineReceiver}
for all dialects.  What cannot be understood is refused with one line to its sender, and
forgotten: bytes that are no UTF-8, and lines that are too long, to their true end.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from mucs.events import Refused, Typed
from mucs.imucs import IDialect, IReader
from mucs.line.framing import FRAMINGS, Segments
from mucs.line.telnet import Telnet
from mucs.outlet import Outlet
from mucs.paced import Paced
from mucs.peer import isOurs
from mucs.rules import Limits
from mucs.session import Session
from mucs.text import clean

if TYPE_CHECKING:
    from mucs.hall import Hall
    from mucs.listener import Listener

#: What a browser's first line is like.
HTTP = re.compile(r"[A-Z]{3,10} \S+ HTTP/\d.*")

#: What TLS begins with: a handshake record (RFC 8446, section 5.1).
TLS = b"\x16\x03"

#: Bytes given to the receiver at once.  It copies what is left for each line, so that 64 KiB
#: of two-byte lines would cost it 39 ms.
BITE = 4096


@implementer(IHalfCloseableProtocol, IReader)
class LineProtocol(LineReceiver):
    """
    One connection: its framing, and its session.

    @ivar session: where its intents go.
    """

    delimiter = b"\n"
    transport: Any

    def __init__(self, factory: LineFactory) -> None:
        self.factory = factory
        self._dialect = factory.dialect
        self.MAX_LENGTH = self._longest()
        self.session: Session
        self._telnet = Telnet()
        self._framing = FRAMINGS[factory.dialect.framing]()
        self._fresh = True  # no byte has come yet
        self._greeted = False  # a line has come
        self._overlong = 0  # bytes of a line that is being discarded
        self._rest = b""  # bytes that wait for the receiver
        self._ended = False  # no more will come

    def connectionMade(self) -> None:
        hall, listener, dialect = self.factory.hall, self.factory.listener, self.factory.dialect
        session = Session(hall, listener, dialect, self, _peer(self.transport.getPeer()))
        session.admin = listener.policy.admins and isOurs(self.transport)
        outlet = Outlet(self.transport, hall.reactor, hall.limits, session, hall.volley)
        self.session = session
        if dialect.pace:
            pace = (dialect.pace, dialect.size, dialect.end)
            session.open(Paced(outlet, hall.reactor, hall.limits, session, *pace))
        else:
            session.open(outlet)

    def dataReceived(self, data: bytes) -> None:
        if data:
            if self._fresh:
                self._fresh = False
                if self.factory.listener.proxied:
                    self.session.settle(_proxied(self.transport.getPeer()))
                if data.startswith(TLS):
                    self.session.dismiss("this port speaks no TLS")
                    return
            data = self._telnet.feed(data)
            if self._telnet.reply:
                self.session.answer(self._telnet.takeReply())
            data = self._framing.feed(data)
            waits = self._rest or self._buffer or self.paused
            if self._greeted and not waits and self._speech(data):
                return
            self._rest += data
            if self.paused and len(self._rest) > self.factory.hall.limits.segments:
                self.session.dismiss("too much at once")
        # In bites, until we are told to pause.
        while not self.paused:
            if self.session.spent:
                self._drop()
                break
            bite, self._rest = self._rest[:BITE], self._rest[BITE:]
            super().dataReceived(bite)
            if not self._rest:
                break

    def _drop(self) -> None:
        """Nothing of what waits is done any more; to take it apart would take time for nothing."""
        held = self.clearLineBuffer() + self._rest
        self._rest = b""
        self.session.drop(len([line for line in held.split(self.delimiter) if line]))

    def _speech(self, data: bytes) -> bool:
        """
        Say a whole segment at once, if it is nothing but speech that can be passed on as it
        is: decoding and checking it in C costs a fifth of doing so line by line.
        """
        if data[-1:] != self.delimiter or not self.line_mode:
            return False
        try:
            lines = self._dialect.speech(data[:-1].decode())
        except UnicodeDecodeError:
            return False
        if not lines or len(data) > self.MAX_LENGTH < max(map(len, data.split(self.delimiter))):
            return False
        return self.session.speak(lines, len(data))

    def lineReceived(self, line: bytes) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self.session.refuse("that was no UTF-8; set your terminal to UTF-8")
            return
        text = clean(text)
        if not self._greeted:
            self._greeted = True
            if HTTP.fullmatch(text):
                # A web page that is open beside us could speak here in its reader's name.
                self.session.dismiss("this is a chat, and no web server")
                return
            if text:
                self._perhapsInstead(text)
        if not text:
            if self._dialect.framing == "line":
                self.session.nothing()
            else:
                self.session.lookUp()
            return
        if self.session.keepsTyped():
            self.session.receive(Typed(text))
            return
        try:
            intent = self._dialect.parse(text)
        except Refused as refused:
            self.session.decline(refused)
        else:
            self.session.receive(intent)

    def _perhapsInstead(self, line: str) -> None:
        """The first line may say that another dialect is spoken from here on."""
        other = self._dialect.instead(line)
        if other is not None and self.session.write(other):
            self._dialect = other
            self.MAX_LENGTH = self._longest()

    def _longest(self) -> int:
        limits: Limits = self.factory.hall.limits
        return limits.frame if self._dialect.framed else limits.line

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line is too long: say so once, and discard it to its end."""
        limit = self.MAX_LENGTH
        self.session.refuse(f"a line has at most {limit} bytes; that one was not sent")
        self._overlong = 0
        self.setRawMode()
        self.rawDataReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """Discard the rest of a line that is too long."""
        _, end, rest = data.partition(self.delimiter)
        self._overlong += len(data) - len(rest)
        if end:
            self.line_mode = 1
            # The receiver is busy and would only keep what is given to it now.
            self._rest = rest + self._rest
        elif self._overlong > self.factory.hall.limits.unended:
            self.session.dismiss("that line never ends")

    def pauseProducing(self) -> None:
        self.paused = True
        # Where a segment is a frame, what waits in the kernel would be glued.
        if not isinstance(self._framing, Segments):
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        if not isinstance(self._framing, Segments):
            self.transport.resumeProducing()
        self.dataReceived(b"")
        self._perhapsFinish()

    def conceal(self, hidden: bool) -> None:
        if self._dialect.telnet:
            self.session.answer(self._telnet.conceal(hidden))

    def readConnectionLost(self) -> None:
        """The peer will send no more: a good end, once everything that came is done."""
        self._end()
        self._perhapsFinish()

    def writeConnectionLost(self) -> None:
        """We never close only one direction."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # Before anything else: the socket is closed, and its number may be another's soon.
        self.session.unplugged()
        clean = reason.check(ConnectionDone) is not None
        if not self._ended:
            # TLS and other wrapped transports know no half-close, and who closes without having
            # read all resets.  What came before is done now.
            self._rest = self.clearLineBuffer() + self._rest
            if not clean:
                # A last line without its end counts only if it was the peer who ended it.
                self._rest = self._rest[: self._rest.rfind(self.delimiter) + 1]
            self._end()
        self.session.lost(clean)

    def _end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        # A last line without its end counts; where there is none, an empty one is none either.
        last = self._framing.finish()
        if self._buffer or self._rest or last != self.delimiter:
            self._rest += last
        self.dataReceived(b"")

    def _perhapsFinish(self) -> None:
        if self._ended and not self.paused:
            self.session.finish()


class LineFactory(ServerFactory):
    """
    Makes a L{LineProtocol} for each connection to one endpoint.

    @ivar hall: the rooms and everyone in them, shared by all factories.
    """

    noisy = False

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect) -> None:
        self.hall = hall
        self.listener = listener
        self.dialect = dialect

    def buildProtocol(self, addr: IAddress | None) -> LineProtocol:
        return LineProtocol(self)


def _peer(address: Any) -> str:
    """C{IP:PORT}; empty for a UNIX socket, whose peers have no name."""
    if isinstance(address, UNIXAddress) or not hasattr(address, "host"):
        return ""
    return f"{address.host}:{address.port}"


def _proxied(address: Any) -> str:
    """The same, of an address that a proxy has told; empty if it told something else."""
    try:
        ip_address(address.host.partition("%")[0])
    except (AttributeError, ValueError):
        return ""
    return _peer(address)
