"""
Phrases: the words in which an event is said, and what is made of them.

In words stand C{{author}}, C{{text}}, C{{target}} (in a welcome: the server's name), C{{room}}, and
C{{ip}} and C{{port}}, those of an author who is called by an address.  (Of a gap, C{{text}} says
how much, and C{{target}} how one sees it.)  Words may be several lines.  The native dialect's are
here, because every other dialect falls back on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter

from mucs import events as kinds
from mucs.events import Event

#: How the native dialect says everything; with a reason where there is one.
NATIVE: Mapping[str, str] = {
    kinds.SAY: "{author}: {text}",
    kinds.ME: "* {author} {text}",
    kinds.TELL: "{author} -> you: {text}",
    kinds.TOLD: "you -> {target}: {text}",
    kinds.JOIN: "* {author} joined",
    kinds.LEAVE: "* {author} left",
    kinds.NICK: "* {author} is now {target}",
    kinds.TOPIC: "* {author} changed the topic to: {text}",
    kinds.GREETING: "-- welcome to {text}\n-- what is your name?",
    kinds.ASK: "-- what is your name?",
    kinds.WELCOME: "-- you are {author} in #{room} with {text}; /help lists commands, /quit leaves",
    kinds.ENTER: "-- you are {author} in #{room} with {text}",
    kinds.NOW: "-- now",
    kinds.PLACE: "-- You are number {text} in the queue.",
    kinds.FULL: "! no seat is free, of {text}; try again later",
    kinds.NOTE: "-- {text}",
    kinds.REFUSAL: "! {text}",
    kinds.FAREWELL: "",
    kinds.UNDO: "* {author} took back something said before",
    kinds.WITHDRAWN: "* {author} took this back",
    kinds.ACK: "-- said",
    kinds.DONE: "",
    kinds.NAK: "! {text}",
    kinds.MISSED: "-- {text} missed",
    kinds.GAP: "-- {text} skipped{target}",
    kinds.TOKEN: "-- if you lose the line, come back with: /resume {text}",
}

#: The same kinds, where the event has a reason, or someone else's doing, or lacks a text.
NATIVE_LEFT_WHY = "* {author} left ({text})"
NATIVE_KICKED = "* {author} was kicked out by {target}"
NATIVE_KICKED_WHY = "* {author} was kicked out by {target} ({text})"
NATIVE_NO_TOPIC = "* {author} removed the topic"

#: What the console says of people who write natively, if their listener has it say anything.
CONSOLE: Mapping[str, str] = {
    kinds.CONNECT: "{peer} connected",
    kinds.NAMED: "{peer} is {author}",
    kinds.DISCONNECT: "{peer} is gone",
}

#: In a table of console lines: a disconnection that is somebody's fault.
FAULT = "fault"

#: What may stand in words.
FIELDS = frozenset(("author", "text", "target", "room", "ip", "port"))

_FIELD = re.compile(r"\{(\w+)\}")


def plain(words: str) -> tuple[str, str, str] | None:
    """What stands before, between and after an author and a text, if there is nothing else."""
    if _FIELD.findall(words) != ["author", "text"]:
        return None
    before, between, after = _FIELD.sub("\0", words).split("\0")
    return before, between, after


def phrase(words: str) -> Callable[[Event], str]:
    """
    A function that says an event in words with C{{fields}}; without words it says nothing.

    @raise ValueError: there is no such field.
    """
    if not words:
        return lambda event: ""
    unknown = set(_FIELD.findall(words)) - FIELDS
    if unknown:
        raise ValueError(f"there is no field {{{unknown.pop()}}}, in: {words.strip()}")

    names = _FIELD.findall(words)
    if {"ip", "port"} & set(names):
        return partial(_format, words)
    # "{author}" is "%s" here, and takes a third of the time.
    template = _FIELD.sub("%s", words.replace("%", "%%"))
    if not names:
        said = template % ()
        return lambda event: said
    fields = attrgetter(*names)
    return lambda event: template % fields(event)


def _format(words: str, event: Event) -> str:
    """Say an event whose author may be called by their address."""
    ip, _, port = event.author.rpartition(":")
    return words.format(
        author=event.author,
        text=event.text,
        target=event.target,
        room=event.room,
        ip=ip,
        port=port,
    )
