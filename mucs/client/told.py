"""
What a server that speaks C{json} says: one object a line, as C{docs/protocol.md} has it.

L{read} makes a L{Told} of a line or refuses it; every text in it has passed L{mucs.text.clean}.
Fields that are not known here are passed over, as the page says they are to be.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mucs.text import clean


class Rubbish(Exception):
    """That is nothing a server says; C{str(it)} is one line that says what is wrong with it."""


class Ack(Struct):
    """What was said is stored."""

    room: str = ""
    seq: int = 0
    time: int = 0
    id: str = ""


class Nak(Struct):
    """What was said is not stored, or perhaps not."""

    id: str = ""
    room: str = ""
    why: str = ""


class Gap(Struct):
    """Events that are not shown."""

    room: str = ""
    after: int = 0
    skipped: int = 0


class Missed(Struct):
    """How many events come that were missed."""

    room: str = ""
    count: int = 0


class Told(Struct):
    """One thing that was said; what it is shows by the first field here that is set."""

    welcome: str | UnsetType = UNSET
    entered: str | UnsetType = UNSET
    event: str | UnsetType = UNSET
    ack: Ack | UnsetType = UNSET
    nak: Nak | UnsetType = UNSET
    now: str | UnsetType = UNSET
    done: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    refused: str | UnsetType = UNSET
    missed: Missed | UnsetType = UNSET
    gap: Gap | UnsetType = UNSET
    place: int | UnsetType = UNSET
    # With an event, and some of them with the others.
    room: str = ""
    seq: int = 0
    time: int = 0
    author: str = ""
    text: str = ""
    target: str = ""
    id: str = ""
    past: bool = False
    name: str = ""
    others: str = ""


_decode = msgspec.json.Decoder(Told, strict=False).decode

#: What may hold what someone has written.
_TEXTS = ("welcome", "entered", "now", "note", "refused", "room", "author", "text", "target")

#: Milliseconds: times past the year 9999 no calendar can show.
_LAST = 253_402_214_400_000


def read(line: bytes) -> Told:
    """
    Understand a line.

    @raise Rubbish: that is none of the protocol.
    """
    try:
        told = _decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Rubbish(clean(str(error))) from error
    # What needs no cleaning, and that is nearly everything, is found out at once, in C.
    if not line.isascii() or b"\\" in line or b"\x7f" in line:
        for name in (*_TEXTS, "name", "others"):
            value: Any = getattr(told, name)
            if value is not UNSET:
                setattr(told, name, clean(value))
        if told.nak is not UNSET:
            told.nak.why = clean(told.nak.why)
    if not 0 <= told.time < _LAST or told.seq < 0:
        raise Rubbish("a number is out of its range")
    return told
