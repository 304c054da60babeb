"""
The turn: what one turn of the reactor gathered is stored at once and shown at once.

::

    gather     everything posted to any room; while input keeps coming, poll for more, briefly
    commit     log.append(batch): from here events have their numbers, and are true
    render     once per audience, joined once
    deliver    one send per member
    observers  see the batch

One C{send} on a socket costs 5 us, whatever the language, and 0.5 ns a byte: what counts is
how many there are.  So a line is never sent alone when more are at hand, and gathering until
input is quiet makes an overload cost less per line, not more.

This module gathers and commits; L{mucs.delivery} renders and delivers.

Always true: nobody is shown what is not stored; only one batch of a log is under way, and what
comes meanwhile gathers into the next; all who see two events of a room see them in the
same order.  The way from C{wake} to C{send} makes no Deferred and logs nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs import delivery
from mucs.events import Event
from mucs.imucs import ILog, IMember
from mucs.room import Room
from mucs.rules import Limits

log = Logger()

Batch = Sequence[tuple[Event, IMember | None]]
# One room's share of a batch: who posted each of its events, how long their texts are, and
# whether some are no speech.
Part = tuple[Room, list[IMember | None], int, bool]


class Turn:
    """The turns of one log."""

    def __init__(
        self,
        reactor: IReactorTime,
        store: ILog,
        limits: Limits,
        observe: Callable[[Batch], None] | None = None,
    ) -> None:
        """@param observe: is shown each batch after it was delivered."""
        self.log = store
        self.observe = observe
        self._reactor = reactor
        self._limits = limits
        self._dirty: list[Room] = []
        self._underway = False
        self._begun = 0.0
        self._seen = -1

    # Gather.

    def wake(self, room: Room) -> None:
        """The first draft of a turn was posted to a room."""
        if not self._dirty and not self._underway:
            self._begin()
        self._dirty.append(room)

    def _begin(self) -> None:
        self._begun = self._reactor.seconds()
        self._seen = -1
        self._reactor.callLater(0, self._look)

    def _look(self) -> None:
        """
        Every socket that was readable has been read once.  Let the reactor poll again as
        long as that brings more, but not for ever.
        """
        if not self._dirty or self._underway:
            return
        posted = sum([len(room.drafts) for room in self._dirty])
        if (
            posted != self._seen
            and posted < self._limits.events
            and self._reactor.seconds() - self._begun < self._limits.gather
        ):
            self._seen = posted
            self._reactor.callLater(0, self._look)
        else:
            self._commit()

    def flush(self) -> None:
        """Store and show what was posted so far, without waiting for the reactor."""
        while self._dirty and not self._underway:
            self._commit()

    # Commit.

    def _commit(self) -> None:
        batch, parts = self._fill()
        self._underway = True
        self.log.append(batch).addCallbacks(
            self._stored, self._failed, callbackArgs=(parts,), errbackArgs=(batch, parts)
        ).addErrback(self._broken)

    def _fill(self) -> tuple[list[Event], list[Part]]:
        """Take drafts, within the bounds of a batch; what is over stays for the next."""
        batch: list[Event] = []
        parts: list[Part] = []
        rooms, self._dirty = self._dirty, []
        left, space = self._limits.events, self._limits.batch
        for room in rooms:
            if len(room.drafts) <= left and room.size <= space:
                drafts, posters, size = room.drafts, room.posters, room.size
                room.drafts, room.posters, room.size = [], [], 0
            else:
                lengths = list(accumulate(len(event.text) for event in room.drafts[:left]))
                # One event at least, however long, or there would be no end of turns.
                fits = max(bisect_right(lengths, space), not batch and left > 0)
                drafts, posters = room.drafts[:fits], room.posters[:fits]
                size = lengths[fits - 1] if fits else 0
                room.drafts, room.posters = room.drafts[fits:], room.posters[fits:]
                room.size = max(0, room.size - size) if room.drafts else 0
                if room.drafts:
                    self._dirty.append(room)
            if drafts:
                room.underway = True
                left -= len(drafts)
                space -= size
                batch += drafts
                parts.append((room, posters, size, room.changing))
                room.changing = room.changing and bool(room.drafts)
        return batch, parts

    def _stored(self, events: list[Event], parts: list[Part]) -> None:
        shares: list[delivery.Share] = []
        changes: list[tuple[Room, Event, IMember]] = []
        at = 0
        for room, posters, size, changing in parts:
            mine = events[at : at + len(posters)]
            at += len(posters)
            room.underway = False
            room.take(mine, size)
            if changing:
                cuts = delivery.changes(room, mine, posters, changes)
            else:
                cuts = delivery.runs(posters)
            shares.append((room, mine, cuts))
        delivery.deliver(shares)
        if self.observe is not None:
            everyone = [poster for _, posters, _, _ in parts for poster in posters]
            self.observe(list(zip(events, everyone, strict=True)))
        # What comes of being settled, someone's going say, happened after all this.
        for room, event, poster in changes:
            poster.settled(room, event)
        self._next()

    def _failed(self, failure: Failure, batch: list[Event], parts: list[Part]) -> None:
        log.failure("the log could not store {count} events", failure, count=len(batch))
        at = 0
        for room, posters, _, _ in parts:
            room.underway = False
            for poster in posters:
                if poster is not None:
                    poster.failed(room, batch[at])
                at += 1
        self._next()

    def _broken(self, failure: Failure) -> None:
        """A fault of ours.  It is named, and the turns go on."""
        log.failure("a turn failed", failure)
        self._next()

    def _next(self) -> None:
        self._underway = False
        if self._dirty:
            self._begin()
