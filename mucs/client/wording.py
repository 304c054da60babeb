"""
How what happens is put into a line: pieces of text, each with what it is.

A L{Line} is what a view shows: its C{pieces} are pairs of a style and a text, the styles being
those of L{STYLES}.  A view without colours joins the texts.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple
from zlib import crc32

from mucs.text import clean

Pieces = list[tuple[str, str]]

#: What a piece may be; C{name:N} is a name of the colour N.
STYLES = ("time", "room", "name", "text", "star", "note", "refusal", "mention")

#: What whoever wants a name that belongs to an account may do, on a terminal.
LOG_IN = "if it is yours: /login NAME asks for the password and logs in; so does mucs --login"

#: How many colours names have.
COLOURS = 12

#: Kinds that are speech: what counts as unread.
SPEECH = ("say", "me", "tell")


class Line(NamedTuple):
    """
    @ivar kind: the kind of an event; or C{note}, C{refusal}, C{raw}.
    @ivar pieces: the words.
    @ivar bell: whether it should be noticed.
    @ivar own: whether it is what one has just said oneself.
    """

    kind: str
    pieces: Pieces
    bell: bool = False
    own: bool = False

    @property
    def text(self) -> str:
        """All of it, without styles."""
        return "".join(text for _, text in self.pieces)


def note(text: str) -> Line:
    """Something to know."""
    return Line("note", [("note", f"-- {clean(text)}")])


def refusal(text: str) -> Line:
    """Something that is not done, and what would do instead."""
    return Line("refusal", [("refusal", f"! {clean(text)}")])


def raw(text: str, mine: str = "") -> Line:
    """A line of a server that only has lines. @param mine: one's own name."""
    text = clean(text)
    kind = "note" if text.startswith("-- ") else "raw"
    named = isNamed(mine, text) and kind == "raw" and not text.startswith((f"{mine}:", "* "))
    return Line(kind, [("mention" if named else kind.replace("raw", "text"), text)], named)


def colour(name: str) -> int:
    """Which colour a name has; the same one everywhere, and for good."""
    return crc32(name.casefold().encode("utf-8", "replace")) % COLOURS


def named(name: str) -> tuple[str, str]:
    """A name, as a piece."""
    return f"name:{colour(name)}", name


def isNamed(name: str, text: str) -> bool:
    """Whether a text names someone, as a word of its own."""
    # Looked for first as it is: nearly always it is not there at all.
    folded = name.casefold()
    if not folded or folded not in text.casefold():
        return False
    return bool(re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", text.casefold()))


def clock(ms: int) -> str:
    """The time of an event in this zone. @param ms: milliseconds since 1970, or 0 for now."""
    return time.strftime("%H:%M", time.localtime(ms / 1000 if ms else None))


def day(ms: int) -> str:
    """The day of an event, C{Thu 19 Nov}, in this zone."""
    local = time.localtime(ms / 1000)
    return time.strftime(f"%a {local.tm_mday} %b", local)


def happened(
    kind: str, author: str, text: str, target: str, ms: int, room: str, mine: str, past: bool
) -> Line:
    """
    An event.

    @param room: what stands before it as C{[#room]}; nothing for the room one speaks in.
    @param mine: one's own name.
    @param past: whether it was said before one came: such a thing rings no bell.
    """
    pieces: Pieces = [("time", f"{clock(ms)} ")]
    if room:
        pieces.append(("room", f"[#{room}] "))
    calls = kind in ("say", "me") and author != mine and isNamed(mine, text)
    words = "mention" if calls else "text"
    if kind == "say":
        pieces += [named(author), ("text", ": "), (words, text)]
    elif kind == "tell" and author == mine:
        pieces += [("text", "you -> "), named(target), ("text", f": {text}")]
    elif kind == "tell":
        pieces += [named(author), ("text", " -> you: "), ("mention", text)]
    elif kind == "me":
        pieces += [("star", "* "), named(author), (words, f" {text}")]
    else:
        pieces += [("star", "* "), named(author), ("star", f" {_did(kind, text, target)}")]
    bell = (calls or (kind == "tell" and author != mine)) and not past
    return Line(kind, pieces, bell, author == mine and kind in SPEECH and not past)


def _did(kind: str, text: str, target: str) -> str:
    if kind == "join":
        return "joined"
    if kind == "leave":
        return f"left ({text})" if text else "left"
    if kind == "nick":
        return f"is now {target}"
    if kind == "topic":
        return f"changed the topic to: {text}" if text else "removed the topic"
    if kind == "undo":
        return "took back something said before"
    if kind == "withdrawn":
        return "took this back"
    return f"{clean(kind)} {text} {target}".rstrip()
