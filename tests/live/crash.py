"""
Those who are there when a server is killed: they count everything.

A L{Talker} is a client as C{docs/protocol.md} wants it: it says things with ids of its own, some at
a time; when its line is lost it comes back to where it had read to, and says again, with the same
ids, what was not acknowledged. A L{Crowd} is many of them; and L{Crowd.look} compares what they
have seen with what the log holds.

Always true: what a talker has not seen acknowledged it says again, and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from tests.live.inside import HOST, bounded, reactor
from tests.reading import ROOM, Reader

#: Things said that a talker has under way at a time.
WINDOW = 4

#: Seconds before it is tried again to connect.
AGAIN = 0.05


class Line(LineReceiver):
    """One connection of a talker."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, talker: Talker) -> None:
        self.talker = talker

    def lineReceived(self, line: bytes) -> None:
        self.talker.hears(json.loads(line))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.talker.lost()


class Talker(Reader):
    """@ivar talks: whether it says new things."""

    def __init__(self, crowd: Crowd, name: str) -> None:
        super().__init__(name)
        self.talks = True
        self._crowd = crowd
        self._unacked: dict[str, None] = {}
        self._count = 0
        self._line: Line | None = None
        self._call: IDelayedCall | None = None
        self._isOver = False

    @property
    def waits(self) -> bool:
        """Whether something it said is not acknowledged."""
        return bool(self._unacked)

    def connect(self) -> None:
        """Come, or come back."""
        self._call = None
        endpoint = TCP4ClientEndpoint(reactor, HOST, self._crowd.port)
        connected = connectProtocol(endpoint, Line(self))
        connected.addCallbacks(self._connected, lambda _: self._notYet())

    def _connected(self, line: Line) -> None:
        self._line = line
        if self._isOver:
            self.stops()

    def _notYet(self) -> None:
        if not self._isOver:
            self._call = reactor.callLater(AGAIN, self.connect)

    def lost(self) -> None:
        """Its connection is gone."""
        self._line = None
        self.isIn = False
        self._notYet()

    def stops(self) -> None:
        """Go, and do not come back."""
        self._isOver = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self._line is not None and self._line.transport is not None:
            self._line.transport.loseConnection()

    def hears(self, told: dict[str, Any]) -> None:
        """The server says something."""
        self.reads(told)
        if "welcome" in told or "refused" in told:
            self._send(**self.hello())
        elif "now" in told:
            for id in self._unacked:
                self._send(say=id, id=id)
            self._say()
        elif "ack" in told:
            self._unacked.pop(told["ack"]["id"], None)
            self._say()
        elif "nak" in told:
            self._send(say=told["nak"]["id"], id=told["nak"]["id"])
        self._crowd.heard()

    def _say(self) -> None:
        while self.talks and self.isIn and len(self._unacked) < WINDOW:
            self._count += 1
            id = f"{self.name}-{self._count}"
            self._unacked[id] = None
            self._send(say=id, id=id)

    def _send(self, **request: Any) -> None:
        if self._line is not None and self._line.transport is not None:
            self._line.transport.write(json.dumps(request).encode() + b"\n")


class Figures(NamedTuple):
    """What there should be none of; and how much there was."""

    lost: int  # acknowledged, or seen by anyone, and not in the log
    twice: int  # said once and stored twice
    gaps: int  # numbers that did not follow
    acked: int
    stored: int
    again: int
    faults: list[str]

    def __str__(self) -> str:
        return (
            f"{self.acked} acknowledged, {self.stored} stored:"
            f" {self.lost} lost, {self.twice} stored twice, {self.gaps} gaps;"
            f" {self.again} were said again, and there already"
        )


class Crowd:
    """Many talkers."""

    def __init__(self, count: int) -> None:
        self.port = 0
        self.talkers = [Talker(self, f"t{number}") for number in range(count)]
        self._waiting: tuple[Callable[[], bool], Deferred[None]] | None = None
        self._heard = 0

    def comes(self, port: int) -> None:
        """All of them connect."""
        self.port = port
        for talker in self.talkers:
            talker.connect()

    def heard(self) -> None:
        """One of them was told something."""
        self._heard += 1
        if self._waiting is not None:
            isSo, waits = self._waiting
            if isSo():
                self._waiting = None
                waits.callback(None)

    async def hears(self, count: int) -> None:
        """Wait until all are in, and so much more was said to any of them."""
        await self._until(lambda: all(talker.isIn for talker in self.talkers))
        enough = self._heard + count
        await self._until(lambda: self._heard >= enough)

    async def finishes(self) -> None:
        """Let them say nothing new, and wait until everything they said is acknowledged."""
        for talker in self.talkers:
            talker.talks = False
        await self._until(
            lambda: not any(talker.waits or not talker.isIn for talker in self.talkers)
        )

    def goes(self) -> None:
        """All of them disconnect, for good."""
        for talker in self.talkers:
            talker.stops()

    async def _until(self, isSo: Callable[[], bool]) -> None:
        if not isSo():
            waits: Deferred[None] = Deferred()
            self._waiting = isSo, waits
            await bounded(waits, self._state)

    def _state(self) -> str:
        ways = Counter((talker.isIn, talker.waits) for talker in self.talkers)
        return f"in, waiting: {ways}; {[f for t in self.talkers for f in t.faults][:5]}"

    def isWrong(self) -> bool:
        """Whether any of them has seen something that should not be."""
        return any(talker.faults or talker.sawTwice() for talker in self.talkers)

    def look(self, path: Path) -> Figures:
        """Compare what they have seen with the log, whose server has ended."""
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute(
                "SELECT seq, author, text, kind FROM events JOIN rooms USING (room)"
                " WHERE name = ? ORDER BY seq",
                (ROOM,),
            ).fetchall()
        stored = {seq: (author, text or kind) for seq, author, text, kind in rows}
        if sorted(stored) != list(range(1, len(rows) + 1)):
            raise AssertionError("the log itself has a gap")
        times = Counter(text for _, _, text, kind in rows if kind == "say")
        seen = {one for talker in self.talkers for one in talker.seen.items()}
        lost = len(seen - stored.items())
        acked = [id for talker in self.talkers for id in talker.acked]
        lost += sum(id not in times for id in acked)
        faults = [fault for talker in self.talkers for fault in talker.faults]
        twice = sum(count - 1 for count in times.values())
        again = sum(talker.again for talker in self.talkers)
        return Figures(lost, twice, len(faults), len(acked), len(rows), again, faults[:5])
