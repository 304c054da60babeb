"""
A listener as a service: it listens, or says why it cannot, and then no other does either.
"""

from __future__ import annotations

import traceback
from typing import Any

from OpenSSL import SSL
from twisted.application.service import MultiService
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IFileDescriptor,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs.imucs import IFrontEnd
from mucs.listener import Listener, StartError, reason
from mucs.rules import Policy


@implementer(IListeningPort, IFileDescriptor)
class Port:
    """@ivar calls: what it was told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def stopListening(self) -> Deferred[None]:
        self.calls.append("stopListening")
        return succeed(None)

    def connectionLost(self, reason: Failure) -> None:
        self.calls.append("connectionLost")

    def startListening(self) -> None:
        raise NotImplementedError

    def getHost(self) -> Any:
        raise NotImplementedError

    def logPrefix(self) -> str:
        raise NotImplementedError

    def fileno(self) -> int:
        raise NotImplementedError


Answer = Deferred[IListeningPort]


@implementer(IStreamServerEndpoint)
class Endpoint:
    """
    @ivar answers: what it answers, one after the other.
    @ivar factories: what it was asked with.
    """

    def __init__(self, answers: tuple[Answer, ...]) -> None:
        self.answers = list(answers)
        self.factories: list[IProtocolFactory] = []

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        self.factories.append(factory)
        return self.answers.pop(0)


@implementer(IFrontEnd)
class Front:
    """A front end that makes one factory, or raises."""

    name = "front"
    summary = ""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.made = ServerFactory()
        self.asked: tuple[object, object] = (None, None)

    def policy(self) -> Policy:
        return Policy()

    def factory(self, hall: object, listener: object) -> IProtocolFactory:
        self.asked = hall, listener
        if self.error is not None:
            raise self.error
        return self.made


IN_USE = OSError(98, "Address already in use")


class ListenerTests(SynchronousTestCase):
    """One listener, or two."""

    def setUp(self) -> None:
        self.hall = MultiService()
        self.front = Front()

    def add(self, *answers: Answer, source: str = "--port a") -> Listener:
        endpoint = Endpoint(answers)
        listener = Listener("a", self.front, endpoint, Policy(seats=2), source=source)
        listener.setServiceParent(self.hall)
        return listener

    def test_itListens(self) -> None:
        """With the factory that the front end makes of the hall and this listener."""
        port = Port()
        listener = self.add(succeed(port))
        self.hall.privilegedStartService()
        self.assertIs(listener.addresses(), port)
        self.assertEqual(self.front.asked, (self.hall, listener))
        self.assertEqual(listener.seats.count, 2)

    def test_itListensOnce(self) -> None:
        """twistd calls both, before and after it gives up its privileges; twist only one."""
        listener = self.add(succeed(Port()))
        self.hall.privilegedStartService()
        self.hall.startService()
        endpoint: Any = listener.endpoint
        self.assertEqual(endpoint.factories, [self.front.made])

    def test_itListensWithoutPrivileges(self) -> None:
        listener = self.add(succeed(Port()))
        self.hall.startService()
        self.assertIsNotNone(listener.addresses())

    def test_itStops(self) -> None:
        """And then can start again."""
        port, other = Port(), Port()
        listener = self.add(succeed(port), succeed(other))
        self.hall.startService()
        self.successResultOf(self.hall.stopService())
        self.assertEqual(port.calls, ["stopListening"])
        self.assertIsNone(listener.addresses())
        self.hall.startService()
        self.assertIs(listener.addresses(), other)

    def test_itCannotListen(self) -> None:
        self.add(fail(CannotListenError("", 7000, IN_USE)), source="--port tcp:7000")
        error = self.assertRaises(StartError, self.hall.privilegedStartService)
        self.assertEqual(str(error), "--port tcp:7000: cannot listen: Address already in use")

    def test_noneWithoutTheOthers(self) -> None:
        """Where one cannot listen, those that do are closed at once, before the reactor runs."""
        first, third = Port(), Port()
        one = self.add(succeed(first))
        self.add(fail(CannotListenError("", 7000, IN_USE)))
        self.add(succeed(third))
        self.assertRaises(StartError, self.hall.privilegedStartService)
        self.assertEqual((first.calls, third.calls), (["connectionLost"], []))
        self.assertIsNone(one.addresses())

    def test_portsOfTheReactorCanBeClosedAtOnce(self) -> None:
        """They are file descriptors, which a port of somebody else's need not be."""
        self.assertTrue(IFileDescriptor.implementedBy(FileDescriptor))

        @implementer(IListeningPort)
        class Foreign:
            def stopListening(self) -> None: ...
            def startListening(self) -> None: ...
            def getHost(self) -> Any: ...

        self.add(succeed(Foreign()))
        self.add(fail(CannotListenError("", 7000, IN_USE)))
        self.assertRaises(StartError, self.hall.privilegedStartService)

    def test_aFrontEndThatCannotBeUsed(self) -> None:
        self.front.error = ImportError("no module named x,\nsorry")
        self.add(succeed(Port()))
        error = self.assertRaises(StartError, self.hall.startService)
        self.assertEqual(
            str(error), "--port a: the front end front cannot be used: no module named x, sorry"
        )

    def test_oneThatAnswersLater(self) -> None:
        """An endpoint may have to look something up first."""
        answer: Deferred[IListeningPort] = Deferred()
        listener = self.add(answer)
        self.hall.startService()
        self.assertIsNone(listener.addresses())
        port = Port()
        answer.callback(port)
        self.assertIs(listener.addresses(), port)

    def test_oneThatFailsLater(self) -> None:
        """It is named in the log; the others go on."""
        seen = EventLoggingObserver()
        globalLogPublisher.addObserver(seen)
        self.addCleanup(globalLogPublisher.removeObserver, seen)
        port = Port()
        answer: Deferred[IListeningPort] = Deferred()
        self.add(succeed(port))
        self.add(answer, source="--port onion:7000")
        self.hall.startService()
        answer.errback(CannotListenError("", 7000, IN_USE))
        [event] = seen
        said = "--port onion:7000: cannot listen: Address already in use"
        self.assertEqual(formatEvent(event), said)
        self.assertEqual(port.calls, [])

    def test_oneThatIsStoppedBeforeItAnswers(self) -> None:
        """Nobody listens after the end, and nothing is said of it."""
        cancelled: list[object] = []
        answer: Deferred[IListeningPort] = Deferred(cancelled.append)
        self.add(answer)
        self.hall.startService()
        self.successResultOf(self.hall.stopService())
        self.assertEqual(cancelled, [answer])
        self.assertEqual(self.flushLoggedErrors(CancelledError), [])


class StartErrorTests(SynchronousTestCase):
    """What twistd, as a daemon, shows of it."""

    def test_itsLastLine(self) -> None:
        """twistd shows the last thing that format_exception_only says, of which it is all."""
        error = StartError("--port a: cannot listen")
        self.assertEqual(
            traceback.format_exception_only(type(error), error)[-1],
            "mucs: --port a: cannot listen\n",
        )


class ReasonTests(SynchronousTestCase):
    """What is said of other people's errors."""

    def test_whatTheSystemSays(self) -> None:
        self.assertEqual(reason(IN_USE), "Address already in use")
        self.assertEqual(reason(CannotListenError("", 1, IN_USE)), "Address already in use")

    def test_whatTwistedSays(self) -> None:
        self.assertEqual(
            reason(CannotListenError(None, b"s", "Cannot acquire lock")), "Cannot acquire lock"
        )

    def test_whatOpenSSLSays(self) -> None:
        error = SSL.Error([("PEM routines", "", "no start line"), ("more", "", "of it")])
        self.assertEqual(reason(error), "no start line")
        self.assertEqual(reason(SSL.Error([])), "[]")
        self.assertEqual(reason(SSL.Error("odd")), "odd")
        self.assertEqual(reason(SSL.Error()), "Error")

    def test_oneLine(self) -> None:
        self.assertEqual(reason(ValueError("one\n  two")), "one two")
        self.assertEqual(reason(ValueError()), "ValueError")
