"""
Rooms as JSON lines: one event a line, as C{mucs-log export} writes and C{mucs-log import} reads it.

An event has C{room}, C{seq}, C{time} (milliseconds since 1970-01-01 UTC), C{author} and C{kind}
(L{mucs.events} has them), and C{text}, C{target} and C{id} where they are not empty. What was
withdrawn has the kind C{withdrawn}, and no text. A room whose first events were pruned begins with
a line that has only C{room}, C{pruned} (the seq of the last that is gone), and its C{topic}, the
event of which may be gone too.

Always true: what L{read} returns is what a server may have written, so it holds nothing that could
move or forge someone's screen; and it is what L{write} was given if that was so too.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache

import msgspec
from msgspec import Struct

from mucs.events import JOIN, LEAVE, NICK, SAID, SPEECH, UNDO, WITHDRAWN, Event
from mucs.log.changes import undone
from mucs.names import BadName, checkRoom
from mucs.text import clean

#: Kinds of events that stand in a log.
KINDS = SPEECH | SAID | {JOIN, LEAVE, NICK, UNDO, WITHDRAWN}

#: Bytes of a line; some ten times what anyone can say.
LONGEST = 1 << 20

#: What SQLite's and JavaScript's numbers both hold.
MOST = (1 << 53) - 1

#: The end of the year 9999, less the hours of a time zone: what has a date that can be shown.
LAST = 253_402_214_400_000

#: Seconds of a day.
DAY = 86400

#: Bytes of what is said at once: as many as the configuration may allow.
TEXT = 65536

#: What private rooms of two registered people are called; see L{mucs.pairs}.
PAIR = re.compile(",[0-9a-f]{32}")

#: Code points of a name, of a person or a room: as many as the configuration may allow.
NAME = 100


class BadLine(Exception):
    """A line is wrong; C{str(it)} says why, but not which it is."""


class Line(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One line; C{seq} is 0 in one that is about a room."""

    room: str
    seq: int = 0
    time: int = 0
    author: str = ""
    kind: str = ""
    text: str = ""
    target: str = ""
    id: str = ""
    pruned: int = 0
    topic: str = ""

    def event(self) -> Event:
        """@return: the event that it is."""
        return Event(
            self.room,
            self.seq,
            self.time,
            self.author,
            self.kind,
            self.text,
            self.target,
            0,
            self.id,
        )


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def write(event: Event) -> bytes:
    """@return: the line of an event, with its end."""
    line = Line(
        event.room,
        event.seq,
        event.time,
        event.author,
        event.kind,
        event.text,
        event.target,
        event.id,
    )
    return _encode(line) + b"\n"


def writeStart(room: str, pruned: int, topic: str) -> bytes:
    """@return: the line that a room begins with of which events were pruned."""
    return _encode(Line(room, pruned=pruned, topic=topic)) + b"\n"


def read(data: bytes, latest: int = LAST) -> Line:
    """
    Understand a line.

    @param data: with its end or without.
    @param latest: the latest time that it may have, in milliseconds since 1970.
    @raise BadLine: it is none.
    """
    if len(data) > LONGEST:
        raise BadLine(f"it has more than {LONGEST} bytes")
    try:
        line = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadLine(f"it is not understood: {error}") from error
    line.room = line.room.removeprefix("#")
    checkPlace(line.room)
    if line.seq:
        if not 0 < line.seq <= MOST:
            raise BadLine(f"a seq is from 1 to {MOST}")
        if line.pruned or line.topic:
            raise BadLine("it has a seq, and pruned or topic")
        check(line.event(), latest)
        return line
    if not 0 < line.pruned <= MOST:
        raise BadLine("it has neither a seq, which is from 1, nor pruned")
    if line != Line(line.room, pruned=line.pruned, topic=line.topic):
        raise BadLine("it has no seq, and is more than a line about a room")
    _plain("topic", line.topic)
    return line


def soon() -> int:
    """@return: the latest time that anything can have, in milliseconds since 1970."""
    # Two machines need not agree about what time it is.
    return int((time.time() + DAY) * 1000)


@lru_cache(1000)
def checkPlace(room: str) -> None:
    """@raise BadLine: no room of a server's is called so."""
    if not room.strip():
        raise BadLine("it names no room")
    if PAIR.fullmatch(room):
        return
    try:
        same = checkRoom(room, NAME) == room
    except BadName as bad:
        raise BadLine(f"no room is called so: {bad}") from bad
    if not same:
        raise BadLine("no room is called so: its name is not as a server writes it")


def check(event: Event, latest: int) -> None:
    """
    See that a server may have written an event, whatever its room is called.

    @param latest: the latest time that it may have, in milliseconds since 1970.
    @raise BadLine: it would not.
    """
    if not 0 <= event.time <= latest:
        raise BadLine(f"a time is from 0 to {latest}, in milliseconds: what is yet to come is not")
    if event.kind not in KINDS:
        raise BadLine(f"there is no kind {event.kind!r}; there is {', '.join(sorted(KINDS))}")
    if not event.author.strip():
        raise BadLine("it has no author")
    if len(event.author) > NAME:
        raise BadLine(f"a name has at most {NAME} characters")
    for field in ("author", "text", "target", "id"):
        if value := getattr(event, field):
            _plain(field, value)
    if event.kind == WITHDRAWN and (event.text or event.target):
        raise BadLine("what is withdrawn has no text and no target")
    if event.kind == UNDO and not undone(event):
        raise BadLine("an undo has a target, the seq of what it takes back, which was before it")
    if event.kind == NICK and not event.target.strip():
        raise BadLine("a nick has a target, the new name")


def _plain(field: str, value: str) -> None:
    if len(value.encode("utf-8", "replace")) > TEXT:
        raise BadLine(f"its {field} has more than {TEXT} bytes")
    # Behind something that is seen no white space is taken away.
    if clean(f"{value}.")[:-1] != value:
        raise BadLine(f"its {field} holds what moves or forges a screen, a line break say")
