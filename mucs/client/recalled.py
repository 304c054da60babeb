"""
The lines that were typed before, for Up and Down on the screen.
"""

from __future__ import annotations

import contextlib

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from mucs.client.kept import historyFile, isSecret


class Discreet(History):
    """One that keeps no line with a password."""

    def append_string(self, string: str) -> None:
        # Several, where they were pasted.
        if not any(map(isSecret, string.split("\n"))):
            super().append_string(string)


class Kept(Discreet, FileHistory):
    """In a file."""

    def store_string(self, string: str) -> None:
        # A full disk is no reason not to chat.
        with contextlib.suppress(OSError):
            super().store_string(string)


class Held(Discreet, InMemoryHistory):
    """As long as the client lasts."""


def recalled() -> History:
    """What was typed, from where it is kept, if that is possible."""
    path = historyFile()
    return Held() if path is None else Kept(str(path))
