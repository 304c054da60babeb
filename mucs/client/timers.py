"""
Timers, by what they are for: one at a time of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mucs.client.views import Clock


class Timers:
    """What is to be done later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, Any] = {}

    def after(self, name: str, seconds: float, do: Callable[[], None]) -> None:
        """Do this in so many seconds, and nothing else of that name."""
        self.stop(name)
        self._timers[name] = self._clock.callLater(seconds, do)

    def stop(self, *names: str) -> None:
        """Do nothing of these names; or, without any, nothing at all."""
        for name in names or tuple(self._timers):
            timer = self._timers.pop(name, None)
            if timer is not None and timer.active():
                timer.cancel()

    def runs(self, name: str) -> bool:
        """Whether something of that name is still to be done."""
        return name in self._timers and bool(self._timers[name].active())
