"""
Naive Twisted: the chat server of Twisted's documentation, which says each line to each member.

It differs from U{docs.twisted.org<https://docs.twisted.org/en/stable/core/howto/servers.html>} in
four things, so that it can be measured beside the others: one names a room with oneself
(C{NAME ROOM}, answered C{+OK NAME ROOM}), what is small is sent at once, more than 50 may wait to
be let in, and the endpoint is given to it.

Run by L{bench.servers}: C{python naive.py ENDPOINT [announce]}, where C{announce} tells a room of
each who joins it.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure


class Chat(LineReceiver):
    """One member."""

    transport: Any

    def __init__(self, factory: ChatFactory) -> None:
        self.factory = factory
        self.name = b""
        self.users: dict[Chat, None] = {}

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)

    def lineReceived(self, line: bytes) -> None:
        if self.name:
            self.tell(self.name + b": " + line)
            return
        self.name, _, room = line.partition(b" ")
        self.users = self.factory.rooms.setdefault(room, {})
        self.users[self] = None
        self.sendLine(b"+OK " + line)
        if self.factory.announce:
            self.tell(b"* " + self.name + b" joined")

    def tell(self, line: bytes) -> None:
        """Say a line to all others in the room."""
        for user in self.users:
            if user is not self:
                user.sendLine(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.users.pop(self, None)


class ChatFactory(Factory):
    """
    @ivar rooms: who is in each room.
    @ivar announce: whether who joins is announced.
    """

    noisy = False

    def __init__(self, announce: bool) -> None:
        self.rooms: dict[bytes, dict[Chat, None]] = {}
        self.announce = announce

    def buildProtocol(self, addr: object) -> Chat:
        return Chat(self)


def main() -> None:
    """Serve until told to stop."""

    def serve(reactor: Any) -> Deferred[None]:
        endpoint = serverFromString(reactor, sys.argv[1])
        factory = ChatFactory(announce="announce" in sys.argv[2:])
        forever: Deferred[None] = endpoint.listen(factory).addCallback(lambda _: Deferred())
        return forever

    react(serve)


if __name__ == "__main__":
    main()
