"""
Counts: what a server has done since it began, as plain numbers.

They are counted once a turn, or where something is rare; what can be seen by looking (who is
here, who waits, who is behind) is not counted but looked at, by whoever asks: L{mucs.metrics}, and
C{/status}.
"""

from __future__ import annotations

from bisect import bisect_left

#: Events in a turn, up to and with so many: the bounds of L{Counts.sizes}; the last has none.
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

#: Seconds that a commit took, in the same way: the bounds of L{Counts.commits}.
SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)

#: Why something was refused, or a connection closed.
REASONS = {
    "full": "the server has as many connections as it can",
    "address": "too many came from one address",
    "seats": "a listener that lets nobody wait has no seat",
    "late": "no name was given in time",
    "name": "someone could not come in as they wanted",
    "request": "what someone asked for could not be done",
    "log": "it could not be stored",
    "unread": "the peer has read nothing for long",
}


class Counts:
    """
    @ivar connections: connections that came, refused ones too.
    @ivar events: events that were stored.
    @ivar sizes: turns, by how many events they had.
    @ivar commits: turns, by how long their commit took.
    @ivar seconds: the sum of that.
    @ivar worst: the longest of them.
    @ivar failures: batches that were not stored, or of which it is unknown.
    @ivar broken: connections that were found lost in sending.
    @ivar entered: how many came in, by any name.
    @ivar logins: how many logged in.
    @ivar refused: by reason, one of L{REASONS}.
    """

    __slots__ = (
        "broken",
        "commits",
        "connections",
        "entered",
        "events",
        "failures",
        "logins",
        "refused",
        "seconds",
        "sizes",
        "worst",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.events = 0
        self.sizes = [0] * (len(SIZES) + 1)
        self.commits = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0
        self.worst = 0.0
        self.failures = 0
        self.broken = 0
        self.entered = 0
        self.logins = 0
        self.refused = dict.fromkeys(REASONS, 0)

    @property
    def turns(self) -> int:
        """Batches that were stored."""
        return sum(self.sizes)

    def stored(self, events: int, seconds: float) -> None:
        """A batch was stored, and that took so long."""
        self.events += events
        self.sizes[bisect_left(SIZES, events)] += 1
        self.commits[bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds
        if seconds > self.worst:
            self.worst = seconds
