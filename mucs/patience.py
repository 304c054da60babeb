"""
Patience: those who wait for a log that takes its time are told that they do.

Whoever waits on something says so by L{Patience.begin}, with a way to ask who they are; after
L{SECONDS} they are told, each once, and those who have come to wait since are told as often
again, until L{Patience.end}.

Always true: nothing is asked of a log here, and where it answers at once there is no timer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mucs.imucs import IMember

#: Seconds without an answer after which those who wait are told.
SECONDS = 5.0

Waiting = Callable[[], Iterable[IMember | None]]


class Patience:
    """What is waited for, by anything hashable."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._calls: dict[object, IDelayedCall] = {}

    def begin(self, what: object, waiting: Waiting) -> None:
        """@param waiting: gives those who wait for it; L{None} among them is nobody."""
        if what not in self._calls:
            self._calls[what] = self._reactor.callLater(SECONDS, self._tell, what, waiting, set())

    def end(self, what: object) -> None:
        """It has come, whether anyone waited for it or not."""
        call = self._calls.pop(what, None)
        if call is not None:
            call.cancel()

    def stop(self) -> None:
        """Tell nobody any more."""
        for what in list(self._calls):
            self.end(what)

    def _tell(self, what: object, waiting: Waiting, told: set[IMember]) -> None:
        self._calls[what] = self._reactor.callLater(SECONDS, self._tell, what, waiting, told)
        for member in {each for each in waiting() if each is not None} - told:
            told.add(member)
            member.waits()
