"""
Tests for L{mucs.quiet}.
"""

from __future__ import annotations

import select
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.quiet import quiet


class Reactor:
    """A reactor, as far as it has an epoll."""

    def __init__(self) -> None:
        self._poller = select.epoll()


class QuietTests(SynchronousTestCase):
    """Whether there is more to read."""

    def test_epoll(self) -> None:
        """It is quiet until something comes for one it watches, and when that is read."""
        reactor = Reactor()
        self.addCleanup(reactor._poller.close)
        isQuiet = quiet(reactor)
        one, other = socket.socketpair()
        with one, other:
            reactor._poller.register(one.fileno(), select.EPOLLIN)
            self.assertTrue(isQuiet())
            other.send(b"hello")
            self.assertFalse(isQuiet())
            self.assertFalse(isQuiet())
            one.recv(100)
            self.assertTrue(isQuiet())
            other.send(b"hello")
            reactor._poller.unregister(one.fileno())
            self.assertTrue(isQuiet())

    def test_others(self) -> None:
        """Of other reactors it is not known: they are asked to go round."""
        self.assertFalse(quiet(Clock())())
