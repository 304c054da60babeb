"""
How lines are shown to whoever sits here: what C{/set} changes in the client itself.

A server that counts sends the same to all, so it sets none of this; one of lines does, and is left
to do it.  It lasts as long as the client does.
"""

from __future__ import annotations

import os

from mucs.client.wording import Line, note, refusal

#: What can be set, and what it does where it is on.
WHAT = {
    "times": "begins each line with the time",
    "quiet": "shows nobody coming and going",
    "bell": "rings when somebody says your name, or something to you alone",
    "colour": "colours names",
}
VALUES = {"on": True, "off": False}


class Display:
    """What is set."""

    def __init__(self) -> None:
        self._set = {"times": True, "quiet": False, "bell": True}
        self._set["colour"] = not os.environ.get("NO_COLOR")

    def shown(self, line: Line) -> Line | None:
        """A line as it is to be shown; L{None} if it is not to be."""
        if self._set["quiet"] and line.kind in ("join", "leave"):
            return None
        pieces = line.pieces
        if not self._set["times"]:
            pieces = [piece for piece in pieces if piece[0] != "time"]
        if not self._set["colour"]:
            pieces = [("", text) for _, text in pieces]
        return line._replace(pieces=pieces, bell=line.bell and self._set["bell"])

    def does(self, text: str) -> list[Line]:
        """
        Do what was typed, if it is ours.

        @return: what there is to say about it; nothing if it is for the server.
        """
        command, *words = text.lower().split() or [""]
        if command != "/set":
            return []
        if not words:
            hint = note("mucs does this itself; /set NAME on or off changes one, until you leave")
            return [*map(self._line, WHAT), hint]
        if words[0] not in WHAT:
            return []
        if len(words) != 2 or words[1] not in VALUES:
            return [refusal(f"on or off? /set {words[0]} on")]
        name, value = words[0], VALUES[words[1]]
        if name == "colour" and value and os.environ.get("NO_COLOR"):
            return [refusal("NO_COLOR is set in the environment; colours need mucs without it")]
        self._set[name] = value
        return [self._line(name)]

    def _line(self, name: str) -> Line:
        return note(f"{name} is {'on' if self._set[name] else 'off'}: {name} on {WHAT[name]}")
