"""
What was typed and is not known to be done.

Each thing has an id that nobody else will choose (C{docs/protocol.md}), so that it can be said
again after a lost line and is stored once.  What is no speech is done by a command, and a command
is done once the server has said so; where the line is lost before that, a command that may be
repeated is, and of another one it is said that nobody knows.

Always true: things are sent in the order in which they were typed, each once on a connection; and
what is not acknowledged, and not given up with a word to the user, is still here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

#: Things that are on their way at a time: what is more waits here, and not in a socket.
WINDOW = 100

#: Commands that may be done twice with no more come of it than by once; C{/me} has an id in the
#: log, so that a second one is none.
AGAIN = frozenset(
    "me join nick who help rooms history search status set away ignore unignore".split()
)

#: Commands by which something is said, that is acknowledged like speech.
SPEAKS = frozenset(("me", "msg", "reply"))

#: One by which something is said only if the other one is there; otherwise it is kept for them.
MAY_SPEAK = "tell"

#: Commands after which one may speak in another room.
MOVES = frozenset(("join", "leave"))


class Item:
    """
    @ivar text: what was typed; of speech, what is said.
    @ivar command: the command's name, or nothing for speech.
    @ivar room: where it is to be said; nothing for where one speaks by then.
    @ivar sent: whether it is on its way on this connection.
    @ivar since: the time at which it was typed, or was last sent, in seconds.
    @ivar done: whether it is a command that the server has done; of what is said by one, the ack
        is still to come.
    @ivar refused: whether it was refused.
    """

    __slots__ = ("command", "done", "id", "refused", "room", "sent", "since", "text")

    def __init__(self, text: str, command: str, room: str, id: str, since: float) -> None:
        self.text = text
        self.command = command
        self.room = room
        self.id = id
        self.sent = False
        self.since = since
        self.done = False
        self.refused = False

    def mayRepeat(self) -> bool:
        """Whether it can be sent again where it is not known whether it was done."""
        leaves = self.command == "leave" and " " in self.text
        return not self.command or self.command in AGAIN or leaves

    def typed(self) -> str:
        """How it was typed."""
        return f"/{self.text}" if not self.command and self.text.startswith("/") else self.text

    def request(self) -> dict[str, str]:
        """What the server is sent."""
        if self.command:
            return {"do": self.text, "id": self.id}
        asked = {"say": self.text, "id": self.id}
        return {**asked, "room": self.room} if self.room else asked


class Outbox:
    """@param seconds: the time, which never goes back."""

    def __init__(
        self, seconds: Callable[[], float], newId: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        self._seconds = seconds
        self._newId = newId
        self._items: dict[str, Item] = {}
        self._perhaps: Item | None = None  # of which an ack may still come

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def add(self, text: str, room: str) -> Item:
        """
        Something was typed.

        @param text: a command with its slash, or speech; C{//} says a line that begins with one.
        @param room: where one speaks now.
        """
        command = ""
        if text.startswith("//"):
            text = text[1:]
        elif text.startswith("/"):
            command = text[1:].partition(" ")[0].lower()
            if command == "leave" and " " not in text and room and not self._moves():
                # So that it is this room that is left, however often it is said.
                text = f"/leave {room}"
        item = Item(text, command, "" if self._moves() else room, self._newId(), self._seconds())
        self._items[item.id] = item
        return item

    def _moves(self) -> bool:
        """Whether one will perhaps speak in another room soon."""
        return any(item.command in MOVES for item in self)

    def due(self) -> list[Item]:
        """What is to be sent now; it counts as sent."""
        under = sum(item.sent for item in self)
        due = [item for item in self if not item.sent][: max(0, WINDOW - under)]
        for item in due:
            item.sent = True
            item.since = self._seconds()
        return due

    def oldest(self) -> Item | None:
        """What has been on its way for the longest time."""
        return next((item for item in self if item.sent), None)

    def pop(self, id: str) -> Item | None:
        """It is done, or given up: forget it. @return: what it was, if it was here."""
        perhaps = self._perhaps
        if perhaps is not None and perhaps.id == id:
            self._perhaps = None
            return perhaps
        return self._items.pop(id, None)

    def again(self, id: str) -> None:
        """It is to be sent once more."""
        if id in self._items:
            self._items[id].sent = False

    def lost(self) -> list[Item]:
        """
        The line is lost: what was on its way is to be sent again.

        @return: what cannot be, as it may have been done; it is given up.
        """
        unknown = [item for item in self if item.sent and not item.mayRepeat()]
        for item in unknown:
            del self._items[item.id]
        for item in self:
            item.sent = item.done = False
        return unknown

    def underWay(self) -> Item | None:
        """The command that the server is at: it does them one after another."""
        return next((item for item in self if item.command and item.sent and not item.done), None)

    def finish(self, id: str) -> None:
        """The server is done with this command."""
        item = self._items.get(id)
        if item is not None:
            item.done = True
            if item.refused or item.command not in SPEAKS:
                del self._items[id]
            if item.command == MAY_SPEAK and not item.refused:
                self._perhaps = item
