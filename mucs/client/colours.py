"""
Colours for the pieces of a line, as a terminal is told of them (ECMA-48, 8.3.117).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from mucs.client.wording import COLOURS, Line

#: Colours of names that can be read on black and on white, of 256 and of 8.
MANY = (25, 28, 31, 64, 91, 94, 97, 124, 130, 133, 161, 166)
FEW = (31, 32, 33, 34, 35, 36)

SGR: Mapping[str, str] = {
    "time": "2",
    "room": "36",
    "star": "2",
    "note": "2",
    "refusal": "31",
    "mention": "1;7",
}
BEGINS, ENDS = "\x1b[", "\x1b[0m"


class Palette:
    """@ivar isOn: whether there are colours, which C{NO_COLOR} in the environment denies."""

    def __init__(self) -> None:
        self.isOn = not os.environ.get("NO_COLOR")
        self._many = "256" in os.environ.get("TERM", "") or "COLORTERM" in os.environ

    def painted(self, line: Line) -> str:
        """A line with its colours."""
        if not self.isOn:
            return line.text
        return "".join([self._piece(style, text) for style, text in line.pieces])

    def _piece(self, style: str, text: str) -> str:
        if style.startswith("name:"):
            number = int(style[5:])
            colour = f"38;5;{MANY[number % COLOURS]}" if self._many else str(FEW[number % len(FEW)])
            return f"{BEGINS}{colour}m{text}{ENDS}"
        code = SGR.get(style)
        return f"{BEGINS}{code}m{text}{ENDS}" if code else text
