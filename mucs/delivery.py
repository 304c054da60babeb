"""
Rendering and delivering what a turn has stored: once per audience, and one send per member.

Everyone in an audience gets the same bytes, but for those of whom events of their own are among
them: they get slices of the same text, and between them what their dialect says to an author.
Nothing here is made for each recipient but that.
"""

from __future__ import annotations

from itertools import accumulate, groupby

from twisted.logger import Logger

from mucs.events import JOIN, LEAVE, SPEECH, Event
from mucs.imucs import IAudience, IMember
from mucs.ring import Part, join
from mucs.room import Room
from mucs.volley import Volley

log = Logger()

# What of a room's text a member sees otherwise: from, to (as events), and the change of theirs
# that stands there, or None for speech.
Cut = tuple[int, int, Event | None]
# A room's events of a batch, and what their authors see otherwise.
Share = tuple[Room, list[Event], dict[IMember, list[Cut]]]
# What has changed, where, and who did it.
Change = tuple[Room, Event, IMember]


def runs(posters: list[IMember | None]) -> dict[IMember, list[Cut]]:
    """What each author sees otherwise, where there is nothing but speech."""
    cuts: dict[IMember, list[Cut]] = {}
    at = 0
    for poster, run in groupby(posters):
        start, at = at, at + len(list(run))
        if poster is not None:
            cuts.setdefault(poster, []).append((start, at, None))
    return cuts


def changes(
    room: Room,
    events: list[Event],
    posters: list[IMember | None],
    done: list[Change],
) -> dict[IMember, list[Cut]]:
    """
    Make changes true, and find what each author sees otherwise than everyone else: speech of
    one's own is not shown again, or acknowledged; who joins sees nothing of what was before
    it, who leaves nothing after.

    @param done: what was changed is added to it.
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
        done.append((room, event, poster))
        if event.kind == JOIN:
            cuts[poster] = [(0, at + 1, event)]
        else:
            stop = len(events) if event.kind == LEAVE else at + 1
            cuts.setdefault(poster, []).append((at, stop, event))
    return cuts


def deliver(shares: list[Share], volley: Volley, again: bool = False) -> None:
    """
    One send per member: whoever is in several of the rooms gets them joined.

    @param volley: takes the sends.
    @param again: everyone has seen all of it before it had numbers: only those who count them
        are told.
    """
    several: set[IMember] = set()
    if len(shares) > 1:
        seen: set[IMember] = set()
        for room, _, _ in shares:
            several |= seen & room.members.keys()
            seen |= room.members.keys()
    gathered: dict[IMember, list[bytes]] = {member: [] for member in several}
    volley.open()
    try:
        for room, events, cuts in shares:
            for audience in room.audiences:
                if again and not audience.counts:
                    continue
                try:
                    _tell(audience, room, events, cuts, gathered, volley)
                except Exception:
                    # A dialect of somebody else's, say.  All others are told.
                    log.failure("an audience of #{room} could not be told", room=room.name)
        for member, pieces in gathered.items():
            data = b"".join(pieces)
            if data:
                member.send(data)
    finally:
        volley.fire()


def _tell(
    audience: IAudience,
    room: Room,
    events: list[Event],
    cuts: dict[IMember, list[Cut]],
    gathered: dict[IMember, list[bytes]],
    volley: Volley,
) -> None:
    """Tell one audience; those who are in C{gathered} get it with the rest of theirs."""
    lines = _render(audience, room, events)
    text = "".join(lines)
    data = text.encode("utf-8", "replace")
    ends: list[int] = []
    if cuts:
        # Where all is ASCII, characters are bytes.
        plain = len(data) == len(text)
        each = lines if plain else [line.encode("utf-8", "replace") for line in lines]
        ends = [0, *accumulate(map(len, each))]
    group = room.audiences[audience]
    if not gathered and volley.lists(group):
        own = {
            member: _view(room, member, audience, events, data, ends, mine)
            for member, mine in cuts.items()
            if member in group
        }
        volley.spread(group, data, own)
        return
    for member in group:
        mine = data
        if member in cuts:
            mine = join(_view(room, member, audience, events, data, ends, cuts[member]))
        if member in gathered:
            gathered[member].append(mine)
        elif mine:
            member.send(mine)


def _render(audience: IAudience, room: Room, events: list[Event]) -> list[str]:
    """What an audience is told; nothing of an event that their dialect cannot say."""
    try:
        return audience.render(events)
    except Exception:
        # A dialect of somebody else's, say.
        log.failure("an audience of #{room} could not be told all", room=room.name)
    lines: list[str] = []
    for event in events:
        try:
            lines += audience.render([event])
        except Exception:
            lines.append("")
    return lines


def _view(
    room: Room,
    member: IMember,
    audience: IAudience,
    events: list[Event],
    whole: bytes,
    ends: list[int],
    cuts: list[Cut],
) -> list[Part]:
    """
    What someone sees of a room's bytes in which events of their own stand: slices of them, with
    what their dialect says instead between them.  None of its bytes are copied here.

    @param ends: where each event begins in C{whole}, and where the last one ends.
    """
    parts: list[Part] = []
    at = 0
    for start, stop, change in cuts:
        if change is None and audience.echoes:
            continue
        try:
            if change is None:
                instead = audience.own(events[start:stop])
            else:
                instead = member.own(room, change)
        except Exception:
            log.failure("an author in #{room} could not be shown their own", room=room.name)
            instead = ""
        if at < ends[start]:
            parts.append((whole, at, ends[start]))
        if instead:
            told = instead.encode("utf-8", "replace")
            parts.append((told, 0, len(told)))
        at = ends[stop]
    if at < len(whole):
        parts.append((whole, at, len(whole)))
    return parts
