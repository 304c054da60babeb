"""
What everyone is told at once, and the end of the service, when an admin has ordered it.

The reactor is told to stop: that is what ends the service in good order, as a signal does.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall

from mucs.events import Refused, note
from mucs.spans import words

#: Seconds before the end at which everyone is told again.
LAST = 60


def announce(hall: Any, who: str, text: str) -> int:
    """Tell everyone who is in. @return: how many that are."""
    told = [session for session in hall.sessions.values() if session.name]
    for session in told:
        session.reply(note(f"{who} announces: {text}"))
    return len(told)


class Closing:
    """The end that somebody has ordered, if anybody has."""

    def __init__(self, hall: Any) -> None:
        """@param hall: the L{mucs.hall.Hall}, whose reactor is stopped."""
        self._hall = hall
        self._calls: list[IDelayedCall] = []

    def order(self, who: str, seconds: int) -> None:
        """End in so many seconds, whatever was ordered before."""
        self.cancel()
        if seconds:
            announce(self._hall, who, f"the server stops in {words(seconds)}")
        if seconds > LAST:
            self._later(seconds - LAST, announce, self._hall, who, "the server stops in 1 min")
        self._later(seconds, self._end, who)

    def check(self) -> None:
        """@raise Refused: no end was ordered."""
        if not self._calls:
            raise Refused("no shutdown was ordered; /shutdown in 5m orders one")

    def revoke(self, who: str) -> None:
        """Go on."""
        self.cancel()
        announce(self._hall, who, "the server does not stop")

    def cancel(self) -> None:
        """Forget the order."""
        for call in self._calls:
            if call.active():
                call.cancel()
        self._calls = []

    def _later(self, seconds: int, do: Any, *args: object) -> None:
        self._calls.append(self._hall.reactor.callLater(seconds, do, *args))

    def _end(self, who: str) -> None:
        announce(self._hall, who, "the server stops now")
        self._hall.reactor.stop()
