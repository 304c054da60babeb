"""
Small servers that behave as those of the five reports do, on a real socket: what they send and
take is what the reports' code sends and takes, their faults in it too.

Each is a Twisted protocol that keeps what it got (C{got}, by segments), and says what the report's
server would.  They are for the line client's tests: MUCS itself is the better server of all five.
"""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class Report(Protocol):
    """
    A server with one room.

    @cvar greeting: what it says to whoever connects.
    @cvar reads: whether it takes anything.
    """

    factory: Any
    transport: Any
    greeting = b""
    reads = True

    def connectionMade(self) -> None:
        self.name = b""
        self.factory.people.append(self)
        if self.greeting:
            self.transport.write(self.greeting)
        if not self.reads:
            self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.factory.got.append(data)
        # What one recv() of theirs gives them, they take for one message.
        self.message(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.people.remove(self)

    def message(self, data: bytes) -> None:
        """One message came."""
        raise NotImplementedError

    def others(self, data: bytes) -> None:
        """Say this to everyone else."""
        for person in self.factory.people:
            if person is not self:
                person.transport.write(data)

    def everyone(self, data: bytes) -> None:
        """Say this to everyone."""
        for person in self.factory.people:
            person.transport.write(data)


class CString(Report):
    """Report 000: C strings, the first of which is the name."""

    def message(self, data: bytes) -> None:
        text = data[:256].partition(b"\0")[0]
        if not self.name:
            self.name = text
            self.others(b'"%s" joined the chat room\0' % text)
            self.transport.write(b'Welcome to Server "Developer", %s\0' % text)
        else:
            self.others(b"%s: %s\0" % (self.name, text))


class Shh(Report):
    """Report 001: one send, one message."""

    greeting = b"Welcome to SHH Chat server, enter your name and join the room!"

    def message(self, data: bytes) -> None:
        if not self.name:
            self.name = data
            hello = b"Hello %s! If you ever want to quit , type !q to log out of the chat room."
            self.transport.write(hello % data)
            self.others(b"%s has joined the room!" % data)
        elif data == b"!q":
            self.transport.write(b"!q")
            self.transport.loseConnection()
            self.others(b"%s has left the chat room." % self.name)
        else:
            self.everyone(b"->%s: %s" % (self.name, data))


class HiThere(Report):
    """Report 002: lines, people by their address."""

    greeting = b"Hi there, ~from server..!"

    def message(self, data: bytes) -> None:
        self.others(b"<[127.0.0.1] :%d> => %s" % (self.transport.getPeer().port, data))


class FiveSeat(Report):
    """Report 003: buffers of 256 bytes, and an answer to each message."""

    greeting = b"Got the connection done successfully".ljust(256, b"\0")

    def message(self, data: bytes) -> None:
        # It reads its clients' buffers one by one.
        text = data[:256].partition(b"\0")[0].rstrip(b"\n")
        if not self.name:
            self.name = text
            return
        self.transport.write(b"Processed your request".ljust(256, b"\0"))
        self.others((b"%s: %s" % (self.name, text)).ljust(256, b"\0"))


class Addr(Report):
    """Report 004: lines, people by their address."""

    greeting = b"Welcome to this chatroom."

    def message(self, data: bytes) -> None:
        self.others(b"('127.0.0.1', %d): %s" % (self.transport.getPeer().port, data))


class Rubbish(Report):
    """
    Whatever is told to it by the test.

    @cvar answer: what it says to whatever it gets.
    """

    answer: ClassVar[bytes] = b""

    def message(self, data: bytes) -> None:
        if self.answer:
            self.transport.write(self.answer)


def factory(protocol: type[Report], greeting: bytes | None = None, answer: bytes = b"") -> Any:
    """
    What listens: a factory with C{got}, every segment that came, and C{people}.

    @param greeting: what it says first, if that is not the report's.
    """
    made: Any = Factory.forProtocol(protocol)
    made.noisy = False
    made.got = []
    made.people = []
    if greeting is not None:
        changed = {"greeting": greeting, "answer": answer}
        made.protocol = type(protocol.__name__, (protocol,), changed)
    return made
