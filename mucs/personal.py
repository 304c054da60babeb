"""
What one person sees otherwise than everyone else: with the time, without those they ignore.

An audience is people who get the same bytes, so whoever has set something that changes them is
in an audience with those who have set the same: a L{Personal} one around that of their dialect.
It has the inner one render everything, leaves out what is not wanted (an empty line is nothing)
and puts before the rest what is.  Whoever has set nothing is in the dialect's own audience, and
none of this costs them anything.

The only escape characters that MUCS ever sends are made here, around a name: what people write has
lost its own (L{mucs.text.clean}) long before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from zlib import crc32

from msgspec.structs import replace
from zope.interface import implementer

from mucs.events import JOIN, LEAVE, ME, NICK, SAY, TELL, UNDO, WITHDRAWN, Event
from mucs.imucs import IAudience
from mucs.names import fold
from mucs.settings import Settings

#: What is left out of people who are ignored.  A topic is the room's.
IGNORED = frozenset((SAY, ME, TELL, JOIN, LEAVE, NICK, UNDO, WITHDRAWN))

#: Colours that can be read on black and on white: ECMA-48, 8.3.117, as xterm has them.
COLOURS = (31, 32, 33, 35, 36, 91, 94, 95)

# There are few names, and a name is folded for each line.
_fold = lru_cache(4096)(fold)


@lru_cache(4096)
def coloured(name: str) -> str:
    """A name in its colour, which is the same however it is written, and nothing else in it."""
    colour = COLOURS[crc32(_fold(name).encode("utf-8", "replace")) % len(COLOURS)]
    return f"\x1b[{colour}m{name}\x1b[0m"


class Taste:
    """
    What someone wants to see, and how.

    @ivar key: two with the same see the same.
    """

    __slots__ = ("_account", "_followed", "_ignored", "_mention", "_own", "_settings", "key")

    def __init__(
        self,
        settings: Settings,
        name: str,
        account: Callable[[int], str],
        followed: Collection[int] = (),
    ) -> None:
        """
        @param name: what they are called.
        @param account: gives the key of the account that a session is logged in to, or nothing.
        @param followed: sessions that they ignore, whatever those are called.
        """
        self._settings = settings
        self._ignored = frozenset(map(fold, settings.ignored))
        self._followed = frozenset(followed)
        self._account = account
        self._own = fold(name)
        # As a word: "ada" is not named in "Canada".
        self._mention = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        own = name if settings.bell else ""
        self.key = replace(settings, echo="", hold=False), own, self._followed

    def ignores(self, name: str, account: str) -> bool:
        """Whether they ignore whoever is called so, or has that account."""
        return _fold(name) in self._ignored or account in self._ignored

    def hides(self, event: Event) -> bool:
        """Whether they do not want to see an event."""
        kind = event.kind
        if kind == LEAVE and event.target:
            return False  # somebody was put out, which is the room's affair
        if self._settings.quiet and (kind == JOIN or kind == LEAVE):
            return True
        return (
            kind in IGNORED
            and bool(self._ignored)
            and (
                event.origin in self._followed
                or self.ignores(event.author, self._account(event.origin))
            )
        )

    def dress(self, event: Event) -> Event:
        """An event as they want to see it."""
        if self._settings.colour and event.author:
            return replace(event, author=coloured(event.author))
        return event

    def before(self, event: Event) -> str:
        """What stands before a line."""
        bell = ""
        if self._settings.bell and event.kind in (SAY, ME) and _fold(event.author) != self._own:
            bell = "\a" if self._mention.search(event.text) else ""
        if not self._settings.times:
            return bell
        return bell + time.strftime("%H:%M ", time.localtime(event.time / 1000))


@implementer(IAudience)
class Personal:
    """People of one audience and one taste; equal where both are."""

    __slots__ = ("_inner", "_key", "_taste", "counts", "echoes")

    def __init__(self, inner: IAudience, taste: Taste) -> None:
        self._inner = inner
        self._taste = taste
        self._key = inner, taste.key
        self.counts = inner.counts
        self.echoes = inner.echoes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def render(self, events: Sequence[Event]) -> list[str]:
        taste = self._taste
        lines = self._inner.render([taste.dress(event) for event in events])
        return [
            taste.before(event) + line if line and not taste.hides(event) else ""
            for event, line in zip(events, lines, strict=True)
        ]

    def own(self, events: Sequence[Event]) -> str:
        lines = [(event, self._inner.own([event])) for event in events]
        return "".join([self._taste.before(event) + line for event, line in lines if line])
