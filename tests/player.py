"""
A player: one person in a play, their connection, and what came by it.

Whatever comes is kept until it is looked at, line after line, and a line that is not the one
expected is a L{Surprise} at once; so is one that has not come when patience runs out, which
is the only thing that time has to do with.  A player does no more than they are told, by
L{tests.plays}, and knows no server: L{tests.stage} connects them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

#: Seconds that a play waits for what is expected before it fails.
PATIENCE = 10.0


@dataclass(frozen=True)
class Manner:
    """
    How a client of a dialect speaks, and how its server ends a line.

    @ivar wrap: makes of a line what the client sends.
    @ivar ends: what may stand at the end of a line.
    @ivar seams: whether the end of a segment is the end of a line.
    """

    wrap: Callable[[bytes], bytes]
    ends: tuple[bytes, ...]
    seams: bool = False


MANNERS = {
    "native": Manner(lambda line: line + b"\n", (b"\r\n",)),
    "cstring": Manner(lambda line: line + b"\0", (b"\0", b"\n")),
    "shh": Manner(lambda line: line, (b"\n",), seams=True),
    "hithere": Manner(lambda line: line + b"\n", (b"\n",)),
    "fiveseat": Manner(lambda line: (line + b"\n").ljust(256, b"\0"), (b"\0", b"\n")),
    "addr": Manner(lambda line: line + b"\n", (b"\n",)),
}
CONSOLE = Manner(lambda line: line, (b"\n",))


class Surprise(Exception):
    """Something else came than was expected, and to whom."""

    def __init__(self, who: str, expected: str, came: str) -> None:
        super().__init__(f"for {who}, expected: {expected}\n    but there came: {came}")


class Watched:
    """Something that changes, and can be waited for."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._waiting: list[Deferred[None]] = []

    def changed(self) -> None:
        """Let those who wait look again; later, for now is in the middle of something."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self._clock.callLater(0, each.callback, None)

    async def until(self, look: Callable[[], bool]) -> bool:
        """Wait. @return: whether C{look} was true before patience ran out."""
        deadline = self._clock.seconds() + PATIENCE
        while not look():
            news: Deferred[None] = Deferred()
            self._waiting.append(news)
            news.addTimeout(max(0.0, deadline - self._clock.seconds()), self._clock)
            try:
                await news
            except TimeoutError:
                return look()
        return True


class Player(Protocol, Watched):
    """
    One person's connection, and what came by it.

    @ivar sent: bytes that were sent to the server.
    @ivar gone: whether nothing more will be sent.
    """

    transport: Any

    def __init__(self, name: str, dialect: str, clock: Any) -> None:
        Watched.__init__(self, clock)
        self.name = name
        self.dialect = dialect
        self.sent = 0
        self.gone = False
        self._manner = MANNERS.get(dialect, CONSOLE)
        self._unseen = b""
        self._seams: set[int] = set()  # where segments ended, in bytes of what is unseen
        self._end: Failure | None = None
        self._began = time.time()
        self._host: Any = None

    def address(self, half: str = "") -> str:
        """Where they connect from, C{IP:PORT}, or its half C{ip} or C{port}."""
        ip, port = self._host.host, self._host.port
        return str({"ip": ip, "port": port}.get(half, f"{ip}:{port}"))

    def times(self) -> list[str]:
        """What a clock showed when they came, and what it shows now."""
        moments = (self._began, time.time())
        return [time.strftime("%H:%M", time.localtime(moment)) for moment in moments]

    # What they do.

    def say(self, text: str) -> None:
        """Send a line as a client of their dialect does."""
        self.send(self._manner.wrap(text.encode()))

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.sent += len(data)
        self.transport.write(data)

    def halfClose(self) -> None:
        """Send no more."""
        self.gone = True
        self.transport.loseWriteConnection()

    def hangUp(self, reset: bool = False) -> None:
        """Close the connection, or reset it."""
        self.gone = True
        if reset:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    # What comes to them.

    def connectionMade(self) -> None:
        self._host = self.transport.getHost()

    def isConnected(self) -> bool:
        """Whether there is a connection that has not ended."""
        return self._host is not None and self._end is None

    def dataReceived(self, data: bytes) -> None:
        self._unseen += data
        self._seams.add(len(self._unseen))
        self.changed()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end = reason
        self.changed()

    def _look(self, wanted: list[tuple[bytes, bool]]) -> bool | None:
        """
        Take one of C{wanted} off what is unseen.

        @param wanted: bytes, and whether a segment must end where they do.
        @return: whether that was possible; L{None} if it cannot become possible any more.
        """
        possible = False
        for data, atSeam in wanted:
            if not self._unseen.startswith(data):
                possible = possible or data.startswith(self._unseen)
            elif not atSeam or len(data) in self._seams:
                self._unseen = self._unseen[len(data) :]
                self._seams = {seam - len(data) for seam in self._seams if seam > len(data)}
                return True
        return False if possible and self._end is None else None

    async def _wait(self, wanted: list[tuple[bytes, bool]], expected: str) -> None:
        found: list[bool | None] = []

        def look() -> bool:
            found[:] = [self._look(wanted)]
            return found != [False]

        await self.until(look)
        if found != [True]:
            raise Surprise(self.name, expected, self._came())

    def _came(self) -> str:
        if self._unseen:
            return shown(self._unseen)
        if self._end is None:
            return f"nothing in {PATIENCE:g} s"
        return f"the end of the connection ({self._end.getErrorMessage()})"

    async def sees(self, lines: list[str]) -> None:
        """One of these lines comes next. @raise Surprise: if not."""
        wanted: list[tuple[bytes, bool]] = []
        for line in [line.encode() for line in lines]:
            if self._manner.seams:
                wanted.append((line, True))
            wanted += [(line + end, False) for end in self._manner.ends]
        await self._wait(wanted, shown(lines[0].encode()))

    async def receives(self, data: bytes) -> None:
        """These bytes come next. @raise Surprise: if not."""
        await self._wait([(data, False)], shown(data))

    def seesNoMore(self) -> None:
        """@raise Surprise: if something came that was not seen yet."""
        if self._unseen or self._end is not None:
            raise Surprise(self.name, "nothing more", self._came())

    async def hungUp(self) -> None:
        """The connection ends in good order, and nothing comes before. @raise Surprise: if not."""
        await self.until(lambda: self._end is not None or bool(self._unseen))
        if self._unseen or self._end is None or not self._end.check(ConnectionDone):
            raise Surprise(self.name, "the end of the connection", self._came())


def shown(data: bytes) -> str:
    """Bytes as a person, or a play, would write them."""
    return f'"{repr(data.decode("utf-8", "backslashreplace"))[1:-1]}"'
