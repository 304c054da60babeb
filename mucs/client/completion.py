"""
What Tab makes of a line that is being typed: commands, names and rooms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mucs.client.wording import Line
from mucs.text import quote

#: The commands that a server has to begin with; others are learnt from its C{/help}.
COMMANDS = (
    "/accounts",
    "/announce",
    "/audit",
    "/away",
    "/ban",
    "/bans",
    "/deop",
    "/help",
    "/history",
    "/hold",
    "/ignore",
    "/invite",
    "/join",
    "/kick",
    "/leave",
    "/login",
    "/logout",
    "/me",
    "/msg",
    "/mute",
    "/nick",
    "/op",
    "/password",
    "/quit",
    "/register",
    "/reload",
    "/reply",
    "/resume",
    "/room",
    "/rooms",
    "/search",
    "/set",
    "/shutdown",
    "/status",
    "/tell",
    "/topic",
    "/unban",
    "/undo",
    "/unignore",
    "/unmute",
    "/who",
)

#: Commands whose argument is a room.
_ROOMS = frozenset(("/join", "/leave", "/who"))


#: A room, as notes name it.
_ROOM = re.compile(r"#([^\s#,:;!?()]+)")


class Completer:
    """What Tab does, again and again; it learns commands and rooms from what the server notes."""

    def __init__(self) -> None:
        self._commands = dict.fromkeys(COMMANDS)
        self._rooms: dict[str, None] = {}
        self._choices: list[str] = []
        self._choice = 0
        self._made: tuple[str, int] | None = None  # what Tab has made of the line, and from where

    def learn(self, line: Line) -> None:
        """A line was shown; C{/help} and C{/rooms} are answered with notes."""
        if line.kind == "note":
            if line.text.startswith("-- /"):
                self._commands.setdefault(line.text[3:].split()[0])
            self._rooms.update(dict.fromkeys(_ROOM.findall(line.text)))

    def complete(
        self, before: str, people: Iterable[str], rooms: Iterable[str], step: int
    ) -> str | None:
        """
        Complete the last word, or go on to what else it may become.

        @param before: the line up to the cursor.
        @param rooms: those one is in.
        @param step: 1 for the next choice, -1 for the one before.
        @return: what is to stand in place of C{before}; L{None} if there is nothing.
        """
        if self._made is not None and self._made[0] == before:
            start = self._made[1]
            self._choice = (self._choice + step) % len(self._choices)
        else:
            places = dict.fromkeys([*rooms, *self._rooms])
            found = completions(before, self._commands, dict.fromkeys(people), places)
            start, self._choices = found
            self._choice = 0
            if not self._choices:
                return None
        made = before[:start] + self._choices[self._choice]
        self._made = made, start
        return made


def completions(
    before: str, commands: Iterable[str], names: Iterable[str], rooms: Iterable[str]
) -> tuple[int, list[str]]:
    """
    What could stand where something is being typed.

    @param before: the line up to the cursor.
    @return: where in C{before} the word begins that is completed, and what it may become, the
        likeliest first.
    """
    command, space, rest = before.partition(" ")
    if before.startswith("/") and not space:
        return 0, [f"{each} " for each in sorted(_begin(before, commands))]
    if command in _ROOMS:
        rest = rest.lstrip()
        begins = rest.lstrip("#")
        return len(before) - len(rest), _begin(begins, rooms)
    if before.startswith("/") and rest.startswith('"'):
        return len(before) - len(rest), [f"{quote(each)} " for each in _begin(rest[1:], names)]
    start = max(before.rfind(" "), before.rfind("@")) + 1
    word = before[start:]
    if not word:
        return start, []
    found = _begin(word, names)
    if before.startswith("/"):
        return start, [f"{quote(each)} " for each in found]
    return start, [f"{each}: " if start == 0 else f"{each} " for each in found]


def _begin(word: str, candidates: Iterable[str]) -> list[str]:
    folded = word.casefold()
    return [each for each in candidates if each.casefold().startswith(folded)]
