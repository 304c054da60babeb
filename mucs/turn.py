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

This module gathers and commits; L{mucs.outcome} is what comes of a batch, L{mucs.delivery}
renders and delivers.  What a log could not store may be I{owed} to it, and comes before anything
else then.

Always true: nobody is shown what is not stored; only one batch of a log is under way, and what
comes meanwhile gathers into the next; all who see two events of a room see them in the
same order.  The way from C{wake} to C{send} makes no Deferred and logs nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs import doubt, outcome
from mucs.counts import Counts
from mucs.events import Event, Unknown
from mucs.imucs import ILog, IMember
from mucs.linger import Linger
from mucs.outcome import Batch, Found, Owed, Part
from mucs.patience import Patience
from mucs.quiet import quiet
from mucs.room import Room
from mucs.rules import Limits
from mucs.volley import Volley

log = Logger()

#: Seconds after which it is tried again to store what is owed.
AGAIN = 1.0

#: Comings and goings that are owed to the log at most; the oldest are given up.
MOST_OWED = 4096


class Turn:
    """The turns of one log."""

    def __init__(
        self,
        reactor: IReactorTime,
        store: ILog,
        limits: Limits,
        volley: Volley,
        observe: Callable[[Batch], None] | None = None,
    ) -> None:
        """
        @param volley: where sends are gathered while a batch is delivered.
        @param observe: is shown each batch after it was delivered.
        """
        self.patience = Patience(reactor)
        self.log = store
        self.observe = observe
        self._reactor = reactor
        self._volley = volley
        self._isQuiet = quiet(reactor)
        self._linger = Linger(self._isQuiet, reactor.seconds)
        self.limits = limits
        self._dirty: list[Room] = []
        self._owed: list[Owed] = []
        self._asking: list[Deferred[None]] = []  # these wait for what is posted to be stored
        self._due: list[Deferred[None]] = []  # and these for what is being stored
        self._retry: IDelayedCall | None = None
        self.counts = Counts()
        self.failing = False  # nothing can be stored
        self.late = False  # the log has not answered yet
        self._underway = False
        self._parts: list[Part] = []  # what is being stored
        self._begun = 0.0
        self._given = 0.0  # when that was
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
            and posted < self.limits.events
            and not self._isQuiet()
            and self._reactor.seconds() - self._begun < self.limits.gather
        ):
            self._seen = posted
            self._reactor.callLater(0, self._look)
        else:
            self._commit()

    def flush(self) -> None:
        """Store and show what was posted so far, without waiting for the reactor."""
        while self._dirty and not self._underway:
            self._commit()

    def stored(self) -> Deferred[None]:
        """Fires when what was posted so far is stored, or refused."""
        if not self._dirty and not self._underway:
            return succeed(None)
        answer: Deferred[None] = Deferred()
        (self._asking if self._dirty else self._due).append(answer)
        return answer

    def stop(self) -> None:
        """Do nothing more by itself."""
        self.patience.stop()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def silence(self) -> float:
        """Seconds for which the log has not answered what it was given."""
        return self._reactor.seconds() - self._given if self._underway else 0.0

    # Commit.

    def _commit(self) -> None:
        """What is owed first, then what was posted."""
        self._underway = True
        paying = bool(self._owed)
        batch, self._parts = self._debts() if paying else self._fill()
        self._given = self._reactor.seconds()
        answer = self.log.append(batch)
        answer.addCallbacks(
            self._stored, self._failed, callbackArgs=(paying,), errbackArgs=(batch, paying)
        )
        answer.addErrback(self._broken)
        if self._underway:
            self.late = True
            self.patience.begin(self, self._waiting)

    def _waiting(self) -> Iterator[IMember | None]:
        """Those whose words are being stored, or wait behind them."""
        for _, posters, _, _ in self._parts:
            yield from posters
        for room in self._dirty:
            yield from room.posters

    def _debts(self) -> tuple[list[Event], list[Part]]:
        """Take what is owed: everyone has seen it, so nobody posts it any more."""
        owed, self._owed = self._owed, []
        shares: dict[Room, list[Event]] = {}
        for room, event in owed:
            shares.setdefault(room, []).append(event)
        parts: list[Part] = [(room, [None] * len(mine), 0, False) for room, mine in shares.items()]
        return [event for mine in shares.values() for event in mine], parts

    def _fill(self) -> tuple[list[Event], list[Part]]:
        """Take drafts, within the bounds of a batch; what is over stays for the next."""
        batch: list[Event] = []
        parts: list[Part] = []
        rooms, self._dirty = self._dirty, []
        left, space = self.limits.events, self.limits.batch
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
        if not self._dirty:
            self._due, self._asking = self._due + self._asking, []
        return batch, parts

    def _answered(self, failure: Failure | None) -> None:
        """The log has answered.  That it fails is written down once, and that it works again."""
        if failure is not None and not self.failing:
            log.failure("the log cannot store anything", failure)
        elif failure is None and self.failing:
            log.info("the log stores again")
        self.failing = failure is not None

    def _stored(self, events: list[Event], paying: bool) -> Deferred[None] | None:
        self._answered(None)
        self.counts.stored(len(events), self._reactor.seconds() - self._given)
        behind: list[Room] = []
        at = 0
        for room, posters, _, _ in self._parts:
            start, at = at, at + len(posters)
            if events[at - 1].seq - room.head != len(posters):
                if doubt.jumps(room, events[start:at]):
                    behind.append(room)
        if not behind:
            self._took(events, paying, {})
            return None
        return doubt.find(self.log, behind).addCallback(lambda f: self._took(events, paying, f))

    def _took(self, events: list[Event], paying: bool, found: Found) -> None:
        now = self._reactor.seconds()
        for room, _, _, _ in self._parts:
            room.mark(now)
        outcome.take(self._parts, events, found, paying, self._volley, self.observe)
        self._next()

    def _failed(self, failure: Failure, batch: list[Event], paying: bool) -> Deferred[None] | None:
        self._answered(failure)
        self.counts.failures += 1
        if not failure.check(Unknown):
            self._refused(batch, paying, False, {})
            return None
        rooms = [room for room, _, _, _ in self._parts]
        return doubt.find(self.log, rooms).addCallback(
            lambda found: self._refused(batch, paying, True, found)
        )

    def _refused(self, batch: list[Event], paying: bool, unknown: bool, found: Found) -> None:
        parts, volley, observe = self._parts, self._volley, self.observe
        owed = outcome.refuse(parts, batch, found, unknown, paying, volley, observe)
        if paying and owed:
            # Then nothing else can be stored either.
            batch, self._parts = self._fill()
            owed += outcome.refuse(self._parts, batch, {}, False, False, volley, observe)
        self._owed = owed[-MOST_OWED:]
        self._next()

    def _broken(self, failure: Failure) -> None:
        """A fault of ours.  It is named, and the turns go on."""
        log.failure("a turn failed", failure)
        self._next()

    def _next(self) -> None:
        self._underway = False
        self._parts = []
        if self.late:
            self.late = False
            self.patience.end(self)
        due, self._due = self._due, []
        for answer in due:
            answer.callback(None)
        if self._dirty:
            self._begin()
        elif self._owed and self._retry is None:
            self._retry = self._reactor.callLater(AGAIN, self._pay)
        else:
            self._linger.wait()

    def _pay(self) -> None:
        """Try again to store what is owed, if nothing else has made that happen."""
        self._retry = None
        if self._owed and not self._underway:
            self._commit()
