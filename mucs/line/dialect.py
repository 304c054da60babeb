"""
Dialects: ways of writing, as values.

Most of a dialect is data: for each kind of event the words it is said in.  L{phrasebook} makes a
dialect from such a table; what the table has no words for is said as the native dialect says
it, and where it has an empty string nothing is said; see L{mucs.line.phrases}.

An L{Audience} is the people who write so and see a room in the same way: their speech is
rendered once for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IProtocolFactory
from twisted.python.reflect import namedAny
from zope.interface import implementer

from mucs import events as kinds
from mucs.events import Command, Event, Intent, Say
from mucs.imucs import IAudience, IDialect
from mucs.line.phrases import (
    CONSOLE,
    FAULT,
    NATIVE,
    NATIVE_KICKED,
    NATIVE_KICKED_WHY,
    NATIVE_LEFT_WHY,
    NATIVE_NO_TOPIC,
    phrase,
    plain,
)
from mucs.line.protocol import LineFactory
from mucs.rules import Policy
from mucs.text import clean

if TYPE_CHECKING:
    from mucs.hall import Hall
    from mucs.listener import Listener

#: The ASCII that is seen, blanks, and what ends lines.
PRINTED = bytes(range(0x20, 0x7F)) + b"\n"


@implementer(IAudience)
class Audience:
    """See L{IAudience}; one object for each way of seeing, so that comparing them is cheap."""

    __slots__ = ("_ack", "_others", "_speech", "_words", "echoes")

    counts = False

    def __init__(self, dialect: Dialect, place: str, echo: str) -> None:
        self.echoes = echo == "line" and place != "private"
        self._others = place == "other"
        self._words = dialect.words
        self._speech = dialect.speechWords
        self._ack = "" if echo == "none" else dialect.ack
        if echo == "line":
            self._ack = "you -> {target}: {text}" + dialect.newline

    def render(self, events: Sequence[Event]) -> list[str]:
        words = self._words
        if self._speech is None:
            lines = [words[event.kind](event) for event in events]
        else:
            # Nearly everything is speech, and calling a function for it would take longer
            # than saying it.
            before, between, after = self._speech
            lines = [
                f"{before}{event.author}{between}{event.text}{after}"
                if event.kind == kinds.SAY
                else words[event.kind](event)
                for event in events
            ]
        if self._others:
            return [
                line and f"[#{event.room}] {line}"
                for line, event in zip(lines, events, strict=True)
            ]
        return lines

    def own(self, events: Sequence[Event]) -> str:
        if not self._ack:
            return ""
        return "".join(
            [self._ack.format(target=event.target, text=event.text) for event in events]
        )


@implementer(IDialect)
class Dialect:
    """
    @ivar name: what it is called.
    @ivar framing: how a client's bytes become lines: L{mucs.line.framing.FRAMINGS}.
    @ivar words: for each kind of event, what says it, with its line end.
    @ivar newline: what ends a line.
    @ivar unended: the kinds that are said without a line end.
    @ivar console: what the operator's console says, by kind, or L{FAULT}; with the fields
        C{{peer}}, C{{ip}}, C{{port}}, C{{author}}, C{{text}} and C{{number}}, that of the
        connection.
    @ivar instead: by what a first line may begin with, the path of the dialect that is meant then.
    @ivar pace: seconds between two sends; 0 for any number of them.
    @ivar size: bytes that one paced send may have.
    @ivar end: what ends a paced send.
    @ivar telnet: whether a telnet may be there that can be told to hide what is typed.
    """

    def __init__(
        self,
        name: str,
        words: Mapping[str, str],
        framing: str = "line",
        newline: str = "\r\n",
        policy: Policy | None = None,
        ack: str = "-- said",
        unended: Collection[str] = (),
        console: Mapping[str, str] = CONSOLE,
        instead: Mapping[str, str] | None = None,
        pace: float = 0.0,
        size: int = 1024,
        end: bytes = b"",
        telnet: bool = False,
    ) -> None:
        self.name = name
        self.framing = framing
        self.newline = newline
        self.policy = policy or Policy()
        self.pace = pace
        self.size = size
        self.end = end
        self.telnet = telnet
        self.ack = ack + newline
        self._unended = unended
        self._console = console
        self._instead = instead or {}
        self.words = {
            kind: phrase(self._ended(kind, text)) for kind, text in {**NATIVE, **words}.items()
        }
        self.speechWords = plain(self._ended(kinds.SAY, words.get(kinds.SAY, NATIVE[kinds.SAY])))
        if kinds.LEAVE not in words:
            self._either(kinds.LEAVE, NATIVE_LEFT_WHY, words.get(kinds.LEAVE, NATIVE[kinds.LEAVE]))
            self._kicked()
        if kinds.TOPIC not in words:
            self._either(kinds.TOPIC, NATIVE[kinds.TOPIC], NATIVE_NO_TOPIC)
        if "named" in words:
            self._named(words[kinds.SAY], words["named"])
        self._audiences: dict[tuple[str, str], Audience] = {}

    def _ended(self, kind: str, words: str) -> str:
        """Words with their line ends, and one behind them, if they are words."""
        if not words or kind in self._unended:
            return words
        return words.replace("\n", self.newline) + self.newline

    def _either(self, kind: str, withText: str, without: str) -> None:
        """An event of this kind may have a text or not."""
        full, bare = phrase(self._ended(kind, withText)), phrase(self._ended(kind, without))
        self.words[kind] = lambda event: full(event) if event.text else bare(event)

    def _kicked(self) -> None:
        """Who leaves may have been kicked out."""
        left = self.words[kinds.LEAVE]
        why = phrase(self._ended(kinds.LEAVE, NATIVE_KICKED_WHY))
        bare = phrase(self._ended(kinds.LEAVE, NATIVE_KICKED))
        self.words[kinds.LEAVE] = lambda event: (
            left(event) if not event.target else why(event) if event.text else bare(event)
        )

    def _named(self, byAddress: str, byName: str) -> None:
        """Speech of those who have a name, and of those who are called by their address."""
        address = phrase(self._ended(kinds.SAY, byAddress))
        name = phrase(self._ended(kinds.SAY, byName))
        self.speechWords = None
        self.words[kinds.SAY] = lambda event: (
            address(event) if ":" in event.author else name(event)
        )

    framed = False

    def instead(self, line: str) -> IDialect | None:
        path = self._instead.get(line[0])
        if path is None:
            return None
        other: IDialect = namedAny(path)
        return other

    # What a session needs.

    def parse(self, line: str) -> Intent:
        # Blanks before it are a slip, and must not make speech of a password.
        typed = line.lstrip()
        if typed[0] == "/":
            if typed.startswith("//"):
                return Say(line[1:] if line is typed else line)
            name, _, argument = typed[1:].partition(" ")
            return Command(name.lower(), argument.strip())
        if line == "!q":
            return Command("quit")
        return Say(line)

    def speech(self, text: str) -> list[str]:
        """
        The lines of a text, clean, if L{parse} would take each of them for speech; else nothing.
        """
        if text[:1] in "/!":
            return []
        # Looking for one character is forty times as fast as for two.
        if "!" in text and "\n!" in text:
            return []
        if "/" in text and any(line.lstrip()[:1] == "/" for line in text.split("\n")):
            return []
        lines = text.split("\n")
        if not text.isascii():
            if not "".join(lines).isprintable():
                return []
        elif text.encode().translate(None, PRINTED):
            return []
        # An empty line can only be the first: the framings make one line end of several.
        elif text[0] != "\n" and text[-1] != " " and (" " not in text or " \n" not in text):
            return lines
        return [line for line in map(clean, lines) if line]

    def audience(self, place: str, echo: str) -> Audience:
        audience = self._audiences.get((place, echo))
        if audience is None:
            audience = self._audiences[place, echo] = Audience(self, place, echo)
        return audience

    def reply(self, events: Iterable[Event]) -> str:
        return "".join([self.words[event.kind](event) for event in events])

    def history(self, events: Sequence[Event], now: int) -> str:
        pieces: list[str] = []
        shown = _day(now) if events else ""
        for event in events:
            day = _day(event.time)
            if day != shown:
                shown = day
                pieces.append(f"-- {day}{self.newline}")
            at = time.strftime("%H:%M", time.localtime(event.time / 1000))
            pieces.append(f"{at} {self.words[event.kind](event)}")
        return "".join(pieces)

    def console(self, event: Event, peer: str, number: int) -> str:
        kind = event.kind
        if kind == kinds.DISCONNECT and event.text and FAULT in self._console:
            kind = FAULT
        words = self._console.get(kind, "")
        if "{author}" in words and not event.author:
            # Whoever goes without having given a name was nobody to these servers.
            return ""
        ip, _, port = peer.rpartition(":")
        return words.format(
            peer=peer, ip=ip, port=port, author=event.author, text=event.text, number=number
        )

    # What a listener needs.

    def factory(self, hall: Hall, listener: Listener) -> IProtocolFactory:
        """The protocol factory for one endpoint at which this dialect is spoken."""
        return LineFactory(hall, listener, self)


def _day(time_: int) -> str:
    """C{Thu 19 Nov}, in the server's zone."""
    local = time.localtime(time_ / 1000)
    return time.strftime(f"%a {local.tm_mday} %b", local)


def phrasebook(name: str, words: Mapping[str, str], **rest: object) -> Dialect:
    """
    A dialect from words alone; C{rest} are L{Dialect}'s other arguments.

    @param words: by kind, or C{named}: speech of those who have a name, where C{say} is the
        speech of those who are called by their address.
    """
    return Dialect(name, words, **rest)  # type: ignore[arg-type]


#: The native dialect: for a person with C{nc} or telnet, and for a script.
native = Dialect("native", {}, instead={"{": "mucs.line.jsonlines.json"}, telnet=True)
