"""
The real service, listening on real sockets in the test's own reactor; and those who come to it.

L{LiveCase} starts a L{Place}, the service that C{mucs.tap} makes of its options, at free ports of
127.0.0.1, and lets two kinds of guest come: a L{Person}, a bare connection of this reactor, and a
L{Program}, a process with its pipes or its terminal.  Both keep all that they have seen, and are
waited for in the same way (L{Watch}): nothing here sleeps, and a wait that would never end is cut
off and says what was seen instead.

Always true: when a test is over its programs have ended, its connections are closed and the
service has stopped, whatever the test did.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.application.service import IService
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import ProcessProtocol, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase
from zope.interface import implementer

from mucs.hall import Hall
from mucs.listener import Listener
from mucs.tap import Options, makeService

# Its interfaces are several; as a module it has none that mypy knows.
reactor = cast(Any, _reactor)

HOST = "127.0.0.1"

#: Seconds after which what is waited for will not come any more.
PATIENCE = 20.0

T = TypeVar("T")


class Watch:
    """
    What someone has seen so far, and who waits for more of it.

    @ivar seen: every byte.
    """

    def __init__(self) -> None:
        self.seen = b""
        self._isOver = False
        self._mark = 0
        self._waiting: tuple[bytes, Deferred[None]] | None = None
        self._atEnd: list[Deferred[None]] = []

    def saw(self, data: bytes) -> None:
        """Something came."""
        self.seen += data
        self._look()

    def sawEnd(self) -> None:
        """Nothing more will come."""
        self._isOver = True
        self._look()
        for waits in self._atEnd:
            waits.callback(None)

    async def sees(self, *words: str | bytes) -> bytes:
        """
        Wait until each of these has come, one behind the other, after what was waited for before.

        @return: everything since then, up to the end of the last one.
        """
        start = self._mark
        for word in words:
            await self._await(word.encode() if isinstance(word, str) else word)
        return self.seen[start : self._mark]

    async def ends(self) -> bytes:
        """Wait until nothing more will come. @return: everything not waited for before."""
        if not self._isOver:
            waits: Deferred[None] = Deferred()
            self._atEnd.append(waits)
            await bounded(waits, lambda: f"it goes on: {self.rest()!r}")
        start, self._mark = self._mark, len(self.seen)
        return self.seen[start:]

    def isOver(self) -> bool:
        """Whether nothing more will come."""
        return self._isOver

    def rest(self) -> bytes:
        """What has come since that which was waited for."""
        return self.seen[self._mark :]

    def lines(self) -> list[str]:
        """Everything seen, in lines."""
        return self.seen.decode().replace("\r\n", "\n").split("\n")

    def _await(self, word: bytes) -> Deferred[None]:
        waits: Deferred[None] = Deferred()
        self._waiting = word, waits
        self._look()
        return bounded(waits, lambda: f"{word!r} never came; instead: {self.rest()!r}")

    def _look(self) -> None:
        if self._waiting is None:
            return
        word, waits = self._waiting
        at = self.seen.find(word, self._mark)
        if at >= 0:
            self._waiting = None
            self._mark = at + len(word)
            waits.callback(None)
        elif self._isOver:
            self._waiting = None
            waits.errback(AssertionError(f"{word!r} never came, but the end: {self.rest()!r}"))


def bounded(waits: Deferred[T], what: Callable[[], str]) -> Deferred[T]:
    """Let a wait end with an AssertionError that says C{what()}, should it last too long."""

    def tooLong(result: object, seconds: float) -> object:
        if isinstance(result, Failure) and result.check(CancelledError):
            raise AssertionError(what())
        return result

    return cast("Deferred[T]", waits.addTimeout(PATIENCE, reactor, onTimeoutCancel=tooLong))


class Person(Protocol, Watch):
    """A connection that shows every byte."""

    transport: Any

    def __init__(self) -> None:
        Watch.__init__(self)

    def dataReceived(self, data: bytes) -> None:
        self.saw(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.sawEnd()

    def says(self, *lines: str) -> None:
        """Send lines, all at once."""
        self.sends("".join(f"{line}\n" for line in lines).encode())

    def sends(self, data: bytes) -> None:
        """Send bytes."""
        self.transport.write(data)

    def leaves(self) -> None:
        """Say that no more will come, and wait for the other side to close."""
        self.transport.loseWriteConnection()


class Program(ProcessProtocol, Watch):
    """
    A process; what it writes is seen, on stdout or on stderr.

    @ivar status: how it ended: its exit code, or the negative number of a signal.
    """

    transport: Any

    def __init__(self, name: str) -> None:
        Watch.__init__(self)
        self.name = name
        self.status: int | None = None

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.saw(data)

    def processEnded(self, reason: Failure) -> None:
        value: Any = reason.value
        self.status = -value.signal if value.signal else value.exitCode
        self.sawEnd()

    def types(self, *lines: str) -> None:
        """Give it lines on its stdin, all at once."""
        self.gives("".join(f"{line}\n" for line in lines).encode())

    def gives(self, data: bytes) -> None:
        """Give it bytes on its stdin."""
        self.transport.write(data)

    def closes(self) -> None:
        """End its stdin."""
        self.transport.closeStdin()

    def signals(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.transport.signalProcess(number)


class Place:
    """The service, running."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall

    def port(self, at: int = 0) -> int:
        """The number of the port that the listener number C{at} was given."""
        listener = cast(Listener, list(self.hall)[at])
        listening = listener.addresses()
        assert listening is not None
        address: Any = listening.getHost()
        number: int = address.port
        return number

    async def stops(self) -> None:
        """Stop it."""
        if self.hall.running:
            await bounded(self.hall.stopService(), lambda: "the service does not stop")


@implementer(ILogObserver)
class Console:
    """@ivar lines: what the console said since it is watched."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_namespace") == "console":
            self.lines.append(formatEvent(event))


class LiveCase(TestCase):
    """A test with a service of its own."""

    #: Longer than any wait of ours, which then is what fails, and can say more.
    timeout = 120

    def folder(self) -> Path:
        """An empty folder that goes with the test; its path is short enough for a UNIX socket."""
        path = tempfile.mkdtemp(prefix="mucs-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return Path(path)

    def serve(self, *ports: str, toml: str = "", options: Sequence[str] = ()) -> Place:
        """
        Start a service.

        @param ports: as after C{--port}; one that ends in C{tcp:0} is at 127.0.0.1.
        @param toml: what stands in its configuration file.
        @param options: more of the command line; unless they, or the file, say otherwise, the log
            is in memory.
        """
        # The service says why it cannot start by an excepthook, which is not ours to keep.
        self.patch(sys, "excepthook", sys.excepthook)
        # Nothing that is said here is to be found in a file afterwards.
        argv = [*options] if "log" in toml else ["--log", "memory:", *options]
        for port in ports:
            argv += ["--port", f"{port}:interface={HOST}" if port.endswith("tcp:0") else port]
        if toml:
            path = self.folder() / "mucs.toml"
            path.write_text(toml, "utf-8")
            argv += ["--config", str(path)]
        parsed = Options()
        parsed.parseOptions(argv)
        hall: Any = makeService(parsed)
        place = Place(hall)
        IService(hall).privilegedStartService()
        IService(hall).startService()
        self.addCleanup(place.stops)
        return place

    def console(self) -> list[str]:
        """What the console says from now on, in lines."""
        console = Console()
        globalLogPublisher.addObserver(console)
        self.addCleanup(globalLogPublisher.removeObserver, console)
        return console.lines

    async def person(self, at: int | Path, *lines: str) -> Person:
        """Connect to a port of 127.0.0.1, or a UNIX socket; and say lines."""
        endpoint: IStreamClientEndpoint
        if isinstance(at, Path):
            endpoint = UNIXClientEndpoint(reactor, str(at))
        else:
            endpoint = TCP4ClientEndpoint(reactor, HOST, at)
        person = Person()
        await connectProtocol(endpoint, person)
        self.addCleanup(self._goodbye, person)
        if lines:
            person.says(*lines)
        return person

    async def _goodbye(self, person: Person) -> None:
        person.transport.abortConnection()
        await person.ends()

    def plug(self, port: int) -> socket.socket:
        """A plain socket, connected, that the reactor knows nothing of."""
        plug = socket.create_connection((HOST, port), timeout=PATIENCE)
        self.addCleanup(plug.close)
        return plug

    def launch(
        self,
        *argv: str | Path,
        terminal: bool = False,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Program:
        """
        Start a program.

        @param terminal: give it a terminal of its own in place of pipes.
        @param folder: where it is to run, if not here.
        @param env: more of its environment.
        """
        words = [str(word) for word in argv]
        path = shutil.which(words[0])
        if path is None:
            raise SkipTest(f"there is no {words[0]} here")
        program = Program(words[0])
        usual = {"LC_ALL": "C.UTF-8", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
        reactor.spawnProcess(
            program,
            path,
            words,
            env={**os.environ, **usual, **(env or {})},
            path=None if folder is None else str(folder),
            usePTY=terminal,
        )
        self.addCleanup(self._kill, program)
        return program

    async def _kill(self, program: Program) -> None:
        with contextlib.suppress(ProcessExitedAlready):
            program.transport.signalProcess("KILL")
        await program.ends()

    async def turn(self) -> None:
        """Let the reactor turn once."""
        await deferLater(reactor, 0)
