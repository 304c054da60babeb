"""
What a conversation needs of those around it: a clock, someone to show things to, and a way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from mucs.client.wording import Line

# Exit codes; docs/client.md has the table for people.
FINE = 0
GONE = 1  # the server disconnected
MISTAKE = 2  # the command line
NOT_THERE = 3
NOT_RIGHT = 4  # not the server, certificate or protocol that was expected
REFUSED = 5
NOT_SAID = 6
NO_READER = 141  # nobody reads what we print: what SIGPIPE would say


class Clock(Protocol):
    """The part of a reactor that keeps time."""

    def seconds(self) -> float:
        """The time in seconds; it never goes back."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any) -> Any:
        """Call something, in C{delay} seconds; what is returned has C{cancel()}."""


class View(Protocol):
    """Someone who is shown a conversation."""

    def show(self, line: Line) -> None:
        """One line of it."""

    def happened(self, event: dict[str, Any]) -> None:
        """An event, as a server that counts has told it."""

    def changed(self) -> None:
        """The state of things is another: where one is, with whom, what is not said yet."""

    def failed(self, text: str, why: str) -> None:
        """
        Something that was typed is not done.

        @param text: what was typed, or nothing if it is not known what was refused.
        """

    def over(self, code: int, why: str) -> None:
        """
        This was all.

        @param why: one line to say, if there is something to say.
        """


class Talk(Protocol):
    """
    A conversation with a server, over all the connections it takes.

    @ivar name: what one is called, or nothing yet.
    @ivar isIn: whether what is typed goes out now.
    @ivar asks: whether what is typed next is one's name.
    @ivar unfinished: how many things that were typed are not done yet.
    """

    name: str
    asks: bool

    @property
    def isIn(self) -> bool: ...

    @property
    def unfinished(self) -> int: ...

    def connected(self, send: Callable[[bytes], None]) -> None:
        """There is a connection, that takes bytes."""

    def heard(self, data: bytes) -> None:
        """The server says something."""

    def lost(self) -> bool:
        """The connection is gone. @return: whether another one is of any use."""

    def typed(self, text: str) -> None:
        """A line was typed; it is clean, and not empty."""

    def waiting(self) -> list[str]:
        """What was typed, and is not acknowledged yet."""

    def leave(self, why: str = "") -> bool:
        """Say goodbye, if the server wants to hear that. @return: whether it will close."""
