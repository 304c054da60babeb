"""
A room: a name, a topic, the people in it, and the newest part of its log.

A room is a log, and everyone in it is a cursor over that log.  Almost everyone has read to
the end, and shares the room's own cursor (C{head}): they are grouped by L{audience
<mucs.imucs.IAudience>}, so that what happens is rendered once for each group.  Only who is
slow, or sent to in paced batches, has a cursor of their own, until they have caught up.

What is posted waits in C{drafts} until the L{turn<mucs.turn.Turn>} stores it; what is stored
comes back through L{Room.take}.  Nothing else changes C{head}, C{topic} or C{recent}.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import SAID, SPEECH, TOPIC, UNDO, WITHDRAWN, Event, Tail
from mucs.group import Group
from mucs.imucs import IAudience, IMember
from mucs.names import fold
from mucs.rules import Limits
from mucs.settings import RoomSettings

log = Logger()

#: Seconds for which a room knows when something was stored there, at least.
MARKS = 70


class Room:
    """
    @ivar name: as it is shown, without C{#}.
    @ivar topic: what it is about, or nothing.
    @ivar key: its name, folded.
    @ivar settings: what its owner decides.
    @ivar guarded: whether it must be asked who may speak here.
    @ivar seating: its seats, where there are only so many.
    @ivar members: everyone in it, in order, with their audience; L{None} for who has a cursor.
    @ivar audiences: those who have read to C{head}, by audience.
    @ivar cursors: the seq up to which the others have read.
    @ivar head: the seq of the last event.
    @ivar recent: the last events; C{said}: the last things said, for whoever comes in.
    @ivar drafts: what was posted and is not stored yet.
    @ivar size: the sum of the lengths of its texts.
    @ivar underway: whether some of it is being stored now.
    @ivar changing: whether something other than speech is among it.
    @ivar ready: whether its log has been read.
    @ivar posters: who posted it, draft by draft; L{None} for one who is gone.
    """

    __slots__ = (
        "_limits",
        "_marks",
        "_size",
        "_wake",
        "audiences",
        "changing",
        "cursors",
        "drafts",
        "guarded",
        "head",
        "key",
        "members",
        "name",
        "posters",
        "private",
        "ready",
        "recent",
        "said",
        "seating",
        "settings",
        "size",
        "topic",
        "underway",
    )

    def __init__(
        self, name: str, wake: Callable[[Room], None], limits: Limits, private: bool = False
    ) -> None:
        """@param wake: is called when the first draft of a turn is posted."""
        self.name = name
        self.key = fold(name)
        self.topic = ""
        self.settings = RoomSettings(name=name)
        self.guarded = False
        self.seating: Any = None
        self.private = private
        self.members: dict[IMember, IAudience | None] = {}
        self.audiences: dict[IAudience, Group] = {}
        self.cursors: dict[IMember, int] = {}
        self.head = 0
        self.recent: deque[Event] = deque(maxlen=limits.behind)
        self.said: deque[Event] = deque(maxlen=limits.history)
        self.drafts: list[Event] = []
        self.posters: list[IMember | None] = []
        self.size = 0
        self.changing = False
        self.underway = False
        self._wake = wake
        self.ready = True
        self._limits = limits
        self._size = 0
        self._marks: deque[tuple[int, float]] = deque(maxlen=MARKS)

    def post(self, event: Event, poster: IMember | None) -> None:
        """Something happens here: it is stored, and then shown, with this turn."""
        if not self.drafts and self.ready:
            self._wake(self)
        self.drafts.append(event)
        self.posters.append(poster)
        self.size += len(event.text)
        if event.kind not in SPEECH:
            self.changing = True

    def postSpeech(self, events: list[Event], poster: IMember, size: int) -> None:
        """Several things are said by one person; C{size} is the sum of their lengths."""
        if not self.drafts and self.ready:
            self._wake(self)
        self.drafts += events
        self.posters += [poster] * len(events)
        self.size += size

    def recall(self, tail: Deferred[Tail]) -> None:
        """There may be a log of this room: until its end is read, nothing is stored here."""
        self.ready = False
        tail.addErrback(self._forgotten).addCallback(self._recalled)

    def _forgotten(self, failure: Failure) -> Tail:
        log.failure("the log of #{room} cannot be read", failure, room=self.name)
        return Tail()

    def _recalled(self, tail: Tail) -> None:
        self.name = tail.name or self.name
        self.topic = tail.topic
        self.head = tail.head
        # Whoever has come into a private room meanwhile has come now.
        self.cursors = dict.fromkeys(self.cursors, self.head)
        if tail.events:
            self.take(tail.events, sum([len(event.text) for event in tail.events]))
        self.ready = True
        if self.drafts:
            self._wake(self)

    def rewrite(self, origin: int, wrong: str, right: str) -> None:
        """What waits here of one session's is by another name than it was posted with."""
        for at, event in enumerate(self.drafts):
            if event.origin == origin and event.author == wrong:
                self.drafts[at] = replace(event, author=right)

    def isBusy(self) -> bool:
        """Whether something posted here is not stored yet."""
        return bool(self.drafts) or self.underway

    def take(self, events: Sequence[Event], size: int) -> None:
        """These are stored now; C{size} is the sum of their texts' lengths."""
        recent, limits = self.recent, self._limits
        recent.extend(events)
        self.head = events[-1].seq
        # What falls off at the left is not taken off the size: it is counted again when it
        # seems too much, which is rare.
        self._size += size
        if self._size > limits.recent:
            self._size = sum([len(event.text) for event in recent])
            while self._size > limits.recent:
                self._size -= len(recent.popleft().text)
        # From the end, so that it is seldom necessary to look at all of them.
        said = (event for event in reversed(events) if event.kind in SAID)
        self.said.extend(list(islice(said, limits.history))[::-1])

    def bound(self, limits: Limits) -> None:
        """Other limits hold from now on."""
        self._limits = limits
        self.recent = deque(self.recent, limits.behind)
        self.said = deque(self.said, limits.history)

    def mark(self, seconds: float) -> None:
        """What is taken next is stored now, by a clock that does not step."""
        if not self._marks or seconds - self._marks[-1][1] >= 1:
            self._marks.append((self.head + 1, seconds))

    def since(self, seconds: float) -> int:
        """The seq of the first event that was stored then or later, to within a second."""
        return next((seq for seq, at in self._marks if at > seconds - 1), self.head + 1)

    def change(self, event: Event) -> None:
        """What is stored now is no speech: make it so."""
        if event.kind == TOPIC:
            self.topic = event.text
        elif event.kind == UNDO and event.target.isdecimal():
            self._withdraw(int(event.target))

    def find(self, seq: int) -> Event | None:
        """One of the events at hand."""
        at = seq - self.recent[0].seq if self.recent else -1
        return self.recent[at] if 0 <= at < len(self.recent) else None

    def _withdraw(self, seq: int) -> None:
        """Nobody is shown again what was said there."""
        event = self.find(seq)
        if event is not None:
            gone = replace(event, kind=WITHDRAWN, text="")
            self.recent[seq - self.recent[0].seq] = gone
        kept = [said for said in self.said if said.seq != seq]
        self.said.clear()
        self.said.extend(kept)

    def isFull(self, more: int = 1) -> bool:
        """Whether more would wait for the log than may."""
        return len(self.drafts) + more > self._limits.events

    def earlier(self, seq: int) -> list[Event]:
        """The last things said before an event, as many as are shown on joining."""
        if not self.said or self.said[-1].seq < seq:
            return list(self.said)
        earlier = (event for event in reversed(self.recent) if event.seq < seq)
        said = (event for event in earlier if event.kind in SAID)
        found = list(islice(said, self._limits.history))[::-1]
        # What was said long ago may have left C{recent} since, pushed out by comings and goings.
        return max(found, [event for event in self.said if event.seq < seq], key=len)

    def between(self, after: int, before: int) -> tuple[int, list[Event]]:
        """
        What happened between two places, for someone who comes back.

        @return: how many events are skipped because they are not at hand, and the others.
        """
        missed = [event for event in self.recent if after < event.seq < before]
        skipped = max(0, before - after - 1) - len(missed)
        if skipped:
            last = missed[-self._limits.resume :] if self._limits.resume else []
            return skipped + len(missed) - len(last), last
        return 0, missed

    def remove(self, member: IMember) -> None:
        """Someone is no longer in it."""
        if member in self.members:
            self._part(member, self.members.pop(member))

    def regroup(self, member: IMember) -> None:
        """Someone's audience may have changed."""
        audience = self.members[member]
        if audience is not None:
            self._part(member, audience)
            self.add(member)

    def detach(self, member: IMember, seq: int | None = None) -> None:
        """Someone reads from a cursor of their own from here on: after C{seq}, or the head."""
        audience = self.members[member]
        if audience is not None:
            self._part(member, audience)
            self.members[member] = None
            self.cursors[member] = self.head if seq is None else seq

    def missed(self, member: IMember, most: int) -> tuple[int, list[Event]]:
        """
        What comes next for someone with a cursor of their own, and moves the cursor past it.

        @return: how many events are skipped because they are no longer at hand, or are too
            many; and at most C{most} events.  Both empty: they share the head again.
        """
        cursor = self.cursors[member]
        behind = self.head - cursor
        if behind <= 0:
            del self.cursors[member]
            self.add(member)
            return 0, []
        keep = behind
        if behind > self._limits.behind or behind > len(self.recent):
            keep = min(self._limits.resume, len(self.recent))
        start = len(self.recent) - keep
        events = list(islice(self.recent, start, start + most))
        self.cursors[member] = self.head - keep + len(events)
        return behind - keep, events

    def add(self, member: IMember) -> None:
        """Someone is in the room now, and has read to its head."""
        audience = member.audience(self)
        self.members[member] = audience
        if audience not in self.audiences:
            self.audiences[audience] = Group()
        self.audiences[audience].add(member)

    def _part(self, member: IMember, audience: IAudience | None) -> None:
        if audience is None:
            del self.cursors[member]
            return
        group = self.audiences[audience]
        group.remove(member)
        if not group:
            del self.audiences[audience]
