"""
Whether it is worth it to wait a moment for what comes next.

Whoever waits for input in the kernel is put to sleep, and so is an idle processor; to wake them
takes a twentieth of the time in which one line goes round a room of a hundred and the next is said.
So after a turn the reactor's epoll is asked for a moment, again and again, whether there is more;
but only as long as that has been so of late: where little is said it would be asked for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable

#: Seconds for which it is asked.
MOMENT = 0.00015

#: After so many turns it is tried again, at the latest.
MOST_PASSED = 1023

#: With a single one, nobody else could go on meanwhile.
PROCESSORS = os.cpu_count() or 1


class Linger:
    """What waits, and knows whether that was worth it."""

    def __init__(self, isQuiet: Callable[[], bool], seconds: Callable[[], float]) -> None:
        """
        @param isQuiet: whether there is nothing to read.
        @param seconds: tells the time.
        """
        self._isQuiet = isQuiet
        self._seconds = seconds
        self._vain = 0  # so many turns pass after each time that it was in vain
        self._passing = 0  # so many of them are left

    def wait(self) -> None:
        """A turn is over: wait until there is more, for a moment, if that is worth it."""
        if PROCESSORS == 1:
            return
        if self._passing:
            self._passing -= 1
            return
        end = self._seconds() + MOMENT
        while self._isQuiet():
            if self._seconds() >= end:
                self._vain = min(2 * self._vain + 1, MOST_PASSED)
                self._passing = self._vain
                return
        self._vain = 0
