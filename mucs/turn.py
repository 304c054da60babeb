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

Always true: nobody is shown what is not stored; only one batch of a log is under way, and what
comes meanwhile gathers into the next; all who see two events of a room see them in the
same order.  The way from C{wake} to C{send} makes no Deferred and logs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import JOIN, LEAVE, SPEECH, Event
from mucs.imucs import IAudience, ILog, IMember
from mucs.room import Room
from mucs.rules import Limits

log = Logger()

Batch = Sequence[tuple[Event, IMember | None]]
# One room's share of a batch: who posted each of its events.
Part = tuple[Room, list[IMember | None]]
# What of a room's text a member sees otherwise: from, to (as events), and the change of theirs
# that stands there, or None for speech.
Cut = tuple[int, int, Event | None]
# A room's events of a batch, and what their authors see otherwise.
Share = tuple[Room, list[Event], dict[IMember, list[Cut]]]


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
        left, size = self._limits.events, self._limits.batch
        for room in rooms:
            fits = min(len(room.drafts), left)
            # Only where the longest lines would not fit is it worth counting bytes.
            if fits * self._limits.line > size:
                lengths = accumulate(len(event.text) for event in room.drafts[:fits])
                fits = max(sum(1 for length in lengths if length <= size), not batch)
            drafts, posters = room.drafts[:fits], room.posters[:fits]
            room.drafts, room.posters = room.drafts[fits:], room.posters[fits:]
            if room.drafts:
                self._dirty.append(room)
            if drafts:
                room.underway = True
                left -= fits
                size -= sum([len(event.text) for event in drafts])
                batch += drafts
                parts.append((room, posters))
        return batch, parts

    def _stored(self, events: list[Event], parts: list[Part]) -> None:
        shares: list[Share] = []
        changes: list[tuple[Room, Event, IMember]] = []
        at = 0
        for room, posters in parts:
            mine = events[at : at + len(posters)]
            at += len(posters)
            room.underway = False
            room.take(mine)
            shares.append((room, mine, _cuts(room, mine, posters, changes)))
        _deliver(shares)
        for room, event, poster in changes:
            poster.settled(room, event)
        if self.observe is not None:
            everyone = [poster for _, posters in parts for poster in posters]
            self.observe(list(zip(events, everyone, strict=True)))
        self._next()

    def _failed(self, failure: Failure, batch: list[Event], parts: list[Part]) -> None:
        log.failure("the log could not store {count} events", failure, count=len(batch))
        at = 0
        for room, posters in parts:
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


# Deliver.


def _cuts(
    room: Room,
    events: list[Event],
    posters: list[IMember | None],
    changes: list[tuple[Room, Event, IMember]],
) -> dict[IMember, list[Cut]]:
    """
    Make changes true, and find what each author sees otherwise than everyone else: speech of
    one's own is not shown again, or acknowledged; who joins sees nothing of what was before
    it, who leaves nothing after.

    @param changes: what was changed is added to it.
    """
    cuts: dict[IMember, list[Cut]] = {}
    last: IMember | None = None
    begun = 0
    for at, (event, poster) in enumerate(zip(events, posters, strict=True)):
        if event.kind in SPEECH:
            if poster is not last:
                last, begun = poster, at
                if poster is not None:
                    cuts.setdefault(poster, []).append((at, at + 1, None))
            elif poster is not None:
                cuts[poster][-1] = (begun, at + 1, None)
            continue
        last = None
        room.change(event)
        if poster is None:
            continue
        poster.stored(room, event)
        changes.append((room, event, poster))
        if event.kind == JOIN:
            cuts[poster] = [(0, at + 1, event)]
        else:
            stop = len(events) if event.kind == LEAVE else at + 1
            cuts.setdefault(poster, []).append((at, stop, event))
    return cuts


def _deliver(shares: list[Share]) -> None:
    """One send per member: whoever is in several of the rooms gets them joined."""
    several: set[IMember] = set()
    if len(shares) > 1:
        seen: set[IMember] = set()
        for room, _, _ in shares:
            several |= seen & room.members.keys()
            seen |= room.members.keys()
    gathered: dict[IMember, list[bytes]] = {member: [] for member in several}
    for room, events, cuts in shares:
        for audience, members in room.audiences.items():
            lines = audience.render(events)
            text = "".join(lines)
            data = text.encode("utf-8", "replace")
            ends = [0, *accumulate(map(len, lines))] if cuts else []
            for member in members:
                mine = data
                if member in cuts:
                    mine = _view(room, member, audience, events, text, ends, cuts[member])
                if member in several:
                    gathered[member].append(mine)
                elif mine:
                    member.send(mine)
    for member, pieces in gathered.items():
        data = b"".join(pieces)
        if data:
            member.send(data)


def _view(
    room: Room,
    member: IMember,
    audience: IAudience,
    events: list[Event],
    text: str,
    ends: list[int],
    cuts: list[Cut],
) -> bytes:
    """
    What someone sees of a room's text in which events of their own stand: slices of it, with
    what their dialect says instead between them.

    @param ends: where in the text each event begins, and where the last one ends.
    """
    pieces: list[str] = []
    at = 0
    for start, stop, change in cuts:
        if change is None:
            if audience.echoes:
                continue
            instead = audience.own(events[start:stop])
        else:
            instead = member.own(room, change)
        pieces.append(text[at : ends[start]])
        pieces.append(instead)
        at = ends[stop]
    pieces.append(text[at:])
    return "".join(pieces).encode("utf-8", "replace")
