"""
What comes of a batch: it is stored, or not, or nobody knows.

What is stored becomes true and is shown.  What is not stored is refused to whoever asked for it,
but for comings and goings: they have happened, whatever the log says.  They are shown, without a
number, and I{owed} to the log; when they are stored after all, only those who count are shown
them again.  Where nobody knows, the log was asked what it has (L{mucs.doubt}): that is stored.

Always true: a room's events are taken in the order of their numbers, and each has been shown to
everyone who has read to the head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from mucs import delivery, doubt
from mucs.events import JOIN, LEAVE, NICK, SPEECH, Event
from mucs.imucs import IMember
from mucs.room import Room
from mucs.volley import Volley

Batch = Sequence[tuple[Event, IMember | None]]
# One room's share of a batch: who posted each of its events, how long their texts are, and
# whether some are no speech.
Part = tuple[Room, list[IMember | None], int, bool]
# What was found in the log that a room has not seen.
Found = dict[Room, list[Event]]
Owed = tuple[Room, Event]
Observe = Callable[[Batch], None] | None


def take(
    parts: list[Part],
    events: list[Event],
    found: Found,
    paying: bool,
    volley: Volley,
    observe: Observe,
) -> None:
    """
    A batch is stored.

    @param found: what its rooms had missed.
    @param paying: whether it was owed, and everyone has seen it.
    """
    shares: list[delivery.Share] = []
    changes: list[delivery.Change] = []
    told: list[tuple[Event, IMember | None]] = []
    repeats: list[delivery.Change] = []
    at = 0
    for room, posters, size, changing in parts:
        mine = events[at : at + len(posters)]
        at += len(posters)
        room.underway = False
        if mine[-1].seq - room.head != len(mine):
            missed = found.get(room, [])
            mine, posters, same = doubt.fresh(room, mine, posters, missed)
            repeats += [(room, event, poster) for event, poster in same]
            changing = changing or bool(missed)
            if not mine:
                continue
        room.take(mine, size)
        if changing:
            cuts = delivery.changes(room, mine, posters, changes)
        else:
            cuts = delivery.runs(posters)
        shares.append((room, mine, cuts))
        if observe is not None and not paying and not room.private:
            told += zip(mine, posters, strict=True)
    delivery.deliver(shares, volley, again=paying)
    # Whoever has said something twice in one batch is to see it in its place first.
    for room, event, poster in repeats:
        poster.repeated(room, event)
    _finish(told, changes, observe)


def refuse(
    parts: list[Part],
    batch: list[Event],
    found: Found,
    unknown: bool,
    paying: bool,
    volley: Volley,
    observe: Observe,
) -> list[Owed]:
    """
    A batch is not stored, or it is C{unknown} whether it is.

    @param found: what the log has of it all the same.
    @return: what is owed.
    """
    shares: list[delivery.Share] = []
    changes: list[delivery.Change] = []
    told: list[tuple[Event, IMember | None]] = []
    owed: list[Owed] = []
    at = 0
    for room, posters, _, _ in parts:
        drafts = batch[at : at + len(posters)]
        at += len(posters)
        room.underway = False
        stored = found.get(room, [])
        known: list[IMember | None] = [None] * len(stored)
        shown: list[Event] = []
        who: list[IMember | None] = []
        places = doubt.match(drafts, stored)
        kept: dict[tuple[int, str], str] = {}  # names that people keep, by those they wanted
        for draft, poster, place in zip(drafts, posters, places, strict=True):
            if kept and (draft.origin, draft.author) in kept:
                # Who leaves by a new name that is not stored leaves by the old one.
                draft = replace(draft, author=kept[draft.origin, draft.author])
            if draft.kind in SPEECH:
                # What was read back may not outlive a power cut yet, so it is not acknowledged.
                if poster is not None:
                    poster.failed(room, draft, unknown)
            elif place is not None:
                known[place] = poster
            elif draft.kind in (JOIN, LEAVE):
                owed.append((room, draft))
                if not paying:
                    shown.append(draft)
                    who.append(poster)
            elif poster is not None:
                if draft.kind == NICK:
                    kept[draft.origin, draft.target] = draft.author
                poster.failed(room, draft, unknown)
        if stored:
            room.take(stored, sum([len(event.text) for event in stored]))
        mine, who = stored + shown, known + who
        if mine:
            shares.append((room, mine, delivery.changes(room, mine, who, changes)))
        if mine and not room.private:
            told += zip(mine, who, strict=True)
    delivery.deliver(shares, volley, again=paying)
    _finish([] if paying else told, changes, observe)
    return owed


def _finish(
    told: list[tuple[Event, IMember | None]], changes: list[delivery.Change], observe: Observe
) -> None:
    if observe is not None and told:
        observe(told)
    # What comes of being settled, someone's going say, happened after all this.
    for room, event, poster in changes:
        poster.settled(room, event)
