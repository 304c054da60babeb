"""
Rooms as JSON lines: one event a line, as C{mucs-log export} writes and C{mucs-log import} reads it.

An event has C{room}, C{seq}, C{time} (milliseconds since 1970-01-01 UTC), C{author} and C{kind}
(L{mucs.events} has them), and C{text}, C{target} and C{id} where they are not empty. What was
withdrawn has the kind C{withdrawn}, and no text. A room whose first events were pruned begins with
a line that has only C{room}, C{pruned} (the seq of the last that is gone), and its C{topic}, the
event of which may be gone too.

Always true: what L{read} returns holds nothing that could move or forge someone's screen, and is
what L{write} was given if that did not either.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from mucs.events import JOIN, LEAVE, NICK, SAID, SPEECH, UNDO, WITHDRAWN, Event
from mucs.text import clean

#: Kinds of events that stand in a log.
KINDS = SPEECH | SAID | {JOIN, LEAVE, NICK, UNDO, WITHDRAWN}

#: Bytes of a line; some ten times what anyone can say.
LONGEST = 1 << 20

#: What SQLite's and JavaScript's numbers both hold.
MOST = (1 << 53) - 1

#: The end of the year 9999, less the hours of a time zone: what has a date that can be shown.
LAST = 253_402_214_400_000

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


def read(data: bytes) -> Line:
    """
    Understand a line.

    @param data: with its end or without.
    @raise BadLine: it is none.
    """
    if len(data) > LONGEST:
        raise BadLine(f"it has more than {LONGEST} bytes")
    try:
        line = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadLine(f"it is not understood: {error}") from error
    for field in ("room", "author", "text", "target", "id", "topic"):
        if value := getattr(line, field):
            # Behind something that is seen no white space is taken away.
            setattr(line, field, clean(f"{value}.")[:-1])
    line.room = line.room.removeprefix("#")
    _check(line)
    return line


def _check(line: Line) -> None:
    if not line.room.strip():
        raise BadLine("it names no room")
    if max(len(line.room), len(line.author)) > NAME:
        raise BadLine(f"a name has at most {NAME} characters")
    if not line.seq:
        if not 0 < line.pruned <= MOST:
            raise BadLine("it has neither a seq, which is from 1, nor pruned")
        if line != Line(line.room, pruned=line.pruned, topic=line.topic):
            raise BadLine("it has no seq, and is more than a line about a room")
        return
    if not 0 < line.seq <= MOST:
        raise BadLine(f"a seq is from 1 to {MOST}")
    if line.pruned or line.topic:
        raise BadLine("it has a seq, and pruned or topic")
    if not 0 <= line.time <= LAST:
        raise BadLine(f"a time is from 0 to {LAST}, in milliseconds")
    if line.kind not in KINDS:
        raise BadLine(f"there is no kind {line.kind!r}; there is {', '.join(sorted(KINDS))}")
    if not line.author.strip():
        raise BadLine("it has no author")
    if line.kind == WITHDRAWN and (line.text or line.target):
        raise BadLine("what is withdrawn has no text and no target")
