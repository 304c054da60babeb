"""
The line client in memory: no terminal, no socket, and a clock that is turned by hand.

A L{Guest} is a real L{Client} at a real server, that of L{tests.house}; a L{Told} is one at a
server that says only what the test lets it say.  What a view would be shown is in a L{Paper}.
"""

from __future__ import annotations

import json
import re
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.client.client import Client
from mucs.client.wording import Line
from tests.house import House, HouseCase, Person

_DAY = re.compile(r"-- [A-Z][a-z][a-z] \d+ [A-Z][a-z][a-z]")
_TIME = re.compile(r"^\d\d:\d\d ")


class Paper:
    """
    A view that only keeps what it was shown.

    @ivar lines: without the times.
    @ivar failures: what was typed and is not done, and why.
    @ivar end: exit code and reason, each time it was told that this was all.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failures: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.end: list[tuple[int, str]] = []
        self.bells = 0

    def show(self, line: Line) -> None:
        # The house's clock began on another day than ours.
        if not _DAY.fullmatch(line.text):
            self.lines.append(_TIME.sub("", line.text))
        self.bells += line.bell

    def happened(self, event: dict[str, Any]) -> None:
        self.events.append(event)

    def changed(self) -> None:
        """Nothing is drawn here."""

    def failed(self, text: str, why: str) -> None:
        self.failures.append((text, why))

    def over(self, code: int, why: str) -> None:
        self.end.append((code, why))

    def seen(self) -> list[str]:
        """The lines since this was last asked."""
        lines, self.lines = self.lines, []
        return lines


class Guest:
    """A client at a house."""

    def __init__(
        self,
        house: House,
        name: str,
        front: str = "native",
        view: Any = None,
        **options: Any,
    ) -> None:
        self.paper = Paper()
        self.client = Client(view or self.paper, house.clock, "the house", name, **options)
        if view is not None:
            view.start(self.client)
        self._house = house
        self._front = front
        self.person: Person
        self.comes()

    def comes(self) -> None:
        """Connect, and read until the server has said everything."""
        self.person = self._house.connect(self._front)
        person = self.person
        self.client.connected(person.sends, person.finishes, person.resets)
        self.reads()

    def reads(self) -> None:
        """Let everything be sent, done and read that can be."""
        for _ in range(50):
            self._house.turn()
            if data := self.person.seen():
                self.client.heard(data)
            elif not self.person.wire.connected:
                if self.client.isConnected:
                    self.client.lost()
                return
        return

    def types(self, *lines: str) -> None:
        """Type lines, and see what comes of them."""
        for line in lines:
            self.client.typed(line)
        self.reads()

    def isCut(self) -> None:
        """The line is lost; what the server sent last is not read."""
        self.person.resets()
        self.person.seen()
        self._house.turn()
        self.client.lost()

    def seen(self) -> list[str]:
        """What was shown since this was last asked."""
        return self.paper.seen()


class GuestCase(HouseCase):
    """A test with clients at a house."""

    def guest(self, name: str, front: str = "native", **options: Any) -> Guest:
        """Someone comes, and has read everything."""
        guest = Guest(self.house, name, front, **options)
        guest.seen()
        return guest


class ToldCase(SynchronousTestCase):
    """
    A test with a client that is told what the test says.

    @ivar sent: the bytes that it sent, on all connections.
    @ivar aborts: how many connections it gave up.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.paper = Paper()
        self.sent = b""
        self.aborts = 0
        self.finishes = 0

    def client(self, name: str = "ada", **options: Any) -> Client:
        """A client, connected."""
        self.it = Client(self.paper, self.clock, "x:1", name, **options)
        self.connects()
        return self.it

    def connects(self) -> None:
        self.it.connected(self._send, self._finish, self._abort)

    def _send(self, data: bytes) -> None:
        self.sent += data

    def _finish(self) -> None:
        self.finishes += 1

    def _abort(self) -> None:
        self.aborts += 1

    def tells(self, *things: dict[str, Any] | str) -> None:
        """The server says objects, and lines."""
        for thing in things:
            line = thing if isinstance(thing, str) else json.dumps(thing)
            self.it.heard(line.encode() + b"\r\n")

    def enters(self, *rooms: str) -> None:
        """The client is let in."""
        self.tells("-- welcome to x", {"welcome": "x"})
        for room in rooms or ("lobby",):
            entered = {"entered": room, "name": "ada", "others": "bob, eve"}
            self.tells(entered, {"now": room, "seq": 1})
        self.paper.seen()
        self.asked()

    def asked(self) -> list[Any]:
        """What was asked of the server since this was last asked."""
        lines, self.sent = self.sent.splitlines(), b""
        return [json.loads(line) for line in lines]
