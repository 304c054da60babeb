"""
The C{json} dialect: one JSON object a line, for bots and clients; see C{docs/protocol.md}.

Every event carries its room, seq, time and id.  What one says is answered with an C{ack} once it
is in the log, or a C{nak} if it is not; an ack is how this dialect shows an event to its author.
"""

from __future__ import annotations

import json as standard
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct
from twisted.internet.interfaces import IProtocolFactory
from zope.interface import implementer

from mucs import events as kinds
from mucs.events import Command, Event, Intent, Look, Name, Refused, Say, Unsaid
from mucs.imucs import IAudience, IDialect
from mucs.line.protocol import LineFactory
from mucs.rules import Policy
from mucs.text import clean

if TYPE_CHECKING:
    from mucs.hall import Hall
    from mucs.listener import Listener

#: The version of the protocol that the greeting names.
PROTOCOL = 1


# The number of an event; 0 stands for none.
Seq = Annotated[int, Meta(ge=0)]


class Request(Struct, forbid_unknown_fields=True):
    """What a client may send: exactly one of C{name}, C{say}, C{do}, C{history}, C{search}."""

    name: str | None = None
    rooms: dict[str, Seq] | None = None  # with name: the last seq seen of each
    say: str | None = None
    room: str = ""  # with say
    id: str = ""  # with say or do
    do: str | None = None
    history: str | None = None
    before: Seq = 0  # with history
    after: Seq | None = None  # with history
    search: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20  # with history or search


#: What may be asked for, one at a time.
ASKED = ("name", "say", "do", "history", "search")

#: Characters of an id.
LONGEST_ID = 64

_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode


def _line(**fields: Any) -> str:
    return _encode(fields).decode() + "\r\n"


def _seen(event: Event, **more: Any) -> dict[str, Any]:
    """An event, as a client is shown it."""
    fields: dict[str, Any] = {
        "event": event.kind,
        "room": event.room,
        "seq": event.seq,
        "time": event.time,
        "author": event.author,
    }
    for key in ("text", "target", "id"):
        if value := getattr(event, key):
            fields[key] = value
    return {**fields, **more}


@implementer(IAudience)
class JsonAudience:
    """Those who read JSON.  They all see the same, but for their own events."""

    echoes = False
    counts = True

    def render(self, events: Sequence[Event]) -> list[str]:
        return [_line(**_seen(event)) for event in events]

    def own(self, events: Sequence[Event]) -> str:
        return "".join([_line(ack=_place(event)) for event in events])


def _place(event: Event) -> dict[str, Any]:
    place: dict[str, Any] = {"room": event.room, "seq": event.seq, "time": event.time}
    if event.id:
        place["id"] = event.id
    return place


def _fault(line: str) -> str:
    """
    @return: what is wrong with a line that is no JSON, in words, if that is known. (msgspec calls
        it truncated, also where a word is none of JSON's, or half a character is escaped.)
    """
    try:
        standard.loads(line)
    except standard.JSONDecodeError as error:
        if error.pos >= len(line) or error.msg.startswith("Unterminated"):
            return "the line ends before the object does"
        return f"{error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError):
        return ""  # too long a number, too deep
    return "an escape such as \\ud83d is half a character, and must be followed by the other half"


def _check(id: str) -> None:
    """@raise Refused: that is no id."""
    if len(id) > LONGEST_ID or clean(id) != id:
        raise Refused(f"an id has at most {LONGEST_ID} characters, all of them printable")


@implementer(IDialect)
class JsonDialect:
    """See above."""

    name = "json"
    framing = "line"
    framed = True
    telnet = False
    pace = 0.0
    size = 0
    end = b""
    policy = Policy(echo="ack")
    _audience = JsonAudience()

    def parse(self, line: str) -> Intent:
        try:
            request = _decode(line.encode())
        except msgspec.ValidationError as error:
            raise Refused(f"not understood: {error}") from error
        except msgspec.MsgspecError as error:
            raise Refused(f"not understood: {_fault(line) or error}") from error
        asked = [getattr(request, key) for key in ASKED if getattr(request, key) is not None]
        if len(asked) != 1:
            raise Refused(f"one of {', '.join(ASKED)} is wanted")
        if request.name is not None:
            return Name(clean(request.name), tuple((request.rooms or {}).items()))
        if request.say is not None:
            return self._saying(request.say, request.room, request.id)
        if request.do is not None:
            name, _, argument = clean(request.do).lstrip().removeprefix("/").partition(" ")
            _check(request.id)
            return Command(name.lower(), argument.strip(), request.id)
        if request.history is not None:
            if request.before and request.after is not None:
                raise Refused("history takes either before or after")
            return Look(request.history, "", request.before, request.limit, request.after)
        words = clean(request.search or "")
        if not words:
            raise Refused("there is nothing to look for in that")
        return Look("", words, 0, request.limit)

    def _saying(self, said: str, room: str, id: str) -> Say:
        text = clean(said)
        _check(id)
        if not text:
            raise Unsaid("there is nothing to say in that", room, id)
        return Say(text, room, id)

    def instead(self, line: str) -> IDialect | None:
        return None

    def speech(self, text: str) -> list[str]:
        """Nothing is speech that is not inside an object."""
        return []

    def audience(self, place: str, echo: str) -> IAudience:
        return self._audience

    def reply(self, events: Iterable[Event]) -> str:
        return "".join([self._say(event) for event in events])

    def history(self, events: Sequence[Event], now: int) -> str:
        return "".join([_line(**_seen(event, past=True)) for event in events])

    def console(self, event: Event, peer: str, number: int) -> str:
        return ""

    def factory(self, hall: Hall, listener: Listener) -> IProtocolFactory:
        """The protocol factory for one endpoint at which JSON is spoken."""
        return LineFactory(hall, listener, self)

    def _say(self, event: Event) -> str:
        """What is said to one person."""
        kind, text = event.kind, event.text
        if kind == kinds.GREETING:
            return _line(welcome=text, protocol=PROTOCOL)
        if kind in (kinds.WELCOME, kinds.ENTER):
            return _line(entered=event.room, name=event.author, others=text)
        if kind == kinds.ACK:
            return _line(ack=_place(event))
        if kind == kinds.DONE:
            return _line(done=event.id)
        if kind == kinds.NAK:
            return _line(nak={"id": event.target, "room": event.room, "why": text})
        if kind == kinds.GAP:
            return _line(gap={"room": event.room, "after": event.seq, "skipped": int(text)})
        if kind == kinds.MISSED:
            return _line(missed={"room": event.room, "count": int(text)})
        if kind == kinds.FULL:
            return _line(refused=f"no seat is free, of {text}; try again later")
        if kind == kinds.REFUSAL:
            return _line(refused=text)
        if kind == kinds.PLACE:
            return _line(place=int(text))
        if kind in (kinds.ASK, kinds.FAREWELL):
            return ""
        if kind == kinds.NOW:
            return _line(now=event.room, seq=event.seq)
        if kind in SHORT:
            return _line(**{SHORT[kind]: text})
        return _line(**_seen(event))


#: Kinds that are said as one field.
SHORT = {kinds.NOTE: "note"}

#: The one there is.
json = JsonDialect()
