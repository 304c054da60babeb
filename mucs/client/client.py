"""
The client: one person, or one script, at one server, however many connections that takes.

It finds out what the server speaks, says so when the line is lost and when it is back, gives up
after a while, and leaves in good order.  It stands between its L{Talk} and its L{View}, and is the
view that the talk knows.

Always true: L{View.over} is called once, and nothing is shown after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mucs.client.arrival import Arrival
from mucs.client.conversation import Conversation
from mucs.client.dialects import DIALECTS
from mucs.client.display import Display
from mucs.client.kept import masked
from mucs.client.lines import Lines
from mucs.client.strangers import isMucs, mayBeMucs, stranger
from mucs.client.timers import Timers
from mucs.client.views import FINE, GONE, NOT_RIGHT, NOT_SAID, REFUSED, Clock, Talk, View
from mucs.client.wording import Line, note
from mucs.text import clean

#: Seconds in which a server should have said something.
SILENCE = 10.0

#: Seconds for which a line without an answer is taken to be well.
STUCK = 30.0

#: Seconds that the last words may take.
FAREWELL = 5.0

#: Seconds after which a server of lines has either closed the line or never will.
LINGERS = 1.0


class Client:
    """
    @ivar talk: the conversation.
    @ivar where: what the server is called by whoever came.
    @ivar isConnected: whether there is a line.
    @ivar hasBeenIn: whether what was typed could ever go out.
    """

    def __init__(
        self,
        view: View,
        clock: Clock,
        where: str,
        name: str = "",
        dialect: str = "",
        rooms: dict[str, int] | None = None,
        password: str = "",
        patient: bool = True,
        giveUp: float = 600.0,
    ) -> None:
        """
        @param dialect: what the server speaks, or nothing: json, if it is a MUCS server.
        @param patient: whether someone is there who can choose another name.
        @param giveUp: seconds after which a lost line stays lost.
        """
        self.where = where
        self.isConnected = False
        self.talk: Talk
        self._view = view
        self._clock = clock
        self._patient = patient
        self._guesses = not dialect
        if dialect in DIALECTS:
            self.talk = Lines(self, clock, DIALECTS[dialect], name, patient)
        else:
            self.talk = Conversation(self, clock, name, rooms, password, patient)
        self._giveUp = giveUp
        self._first = b""  # what came before it was clear who says it
        self._isKnown = False  # that is clear
        self._send: Callable[[bytes], None] | None = None
        self._finish: Callable[[], None] | None = None
        self._abort: Callable[[], None] | None = None
        self._isOver = self._isLost = False
        self.hasBeenIn = False
        self._leaving: str | None = None
        self._saidGoodbye = False
        self._timers, self._display = Timers(clock), Display()

    @property
    def isOver(self) -> bool:
        """Whether the view was told that this was all."""
        return self._isOver

    @property
    def isLeaving(self) -> bool:
        """Whether nothing more is said than what was typed so far."""
        return self._isOver or self._leaving is not None

    # Connections.

    def connected(
        self,
        send: Callable[[bytes], None],
        finish: Callable[[], None],
        abort: Callable[[], None],
    ) -> None:
        """There is a line. @param finish: says that no more comes; C{abort}: ends it at once."""
        self._finish, self._abort = finish, abort
        self._send = send
        self.isConnected = True
        self._first = b""
        self._isKnown = False
        self.talk.connected(send)
        self._timers.after("silence", SILENCE, self._silent)
        self._timers.after("stuck", STUCK / 3, self._watch)

    def heard(self, data: bytes) -> None:
        """The server says something."""
        if self._isOver:
            return
        if isinstance(self.talk, Arrival) and not self._isKnown:
            data = self._first = self._first + data
            if not mayBeMucs(data):
                self._stranger(data)
                return
            if not isMucs(data):
                return
            self._isKnown = True
        self._timers.stop("silence")
        self.talk.heard(data)

    def lost(self, why: str = "", fatal: int = 0) -> None:
        """
        The line is lost.

        @param why: one line, if something was wrong with it; C{fatal}, the exit code if so it is
            useless to try again.
        """
        self.isConnected = False
        self._send = self._finish = self._abort = None
        self._timers.stop("silence", "stuck")
        if self._isOver:
            return
        if self._leaving is not None:
            self._left()
            return
        if fatal:
            self.over(fatal, why)
            return
        again = self.talk.lost()
        if not self.hasBeenIn and self.talk.asks:
            self.over(REFUSED, "no name was given in time")
        elif not self.hasBeenIn:
            self.over(NOT_RIGHT, why or f"{self.where} closes the line before anyone is let in")
        elif not again:
            self.over(GONE, "The server disconnected")
        elif not self._isLost:
            self._isLost = True
            self.show(note("the line is lost; trying again, and what you type is kept"))
            self._timers.after("give up", self._giveUp, self._givesUp)
        self.changed()

    def unreachable(self, code: int, why: str) -> None:
        """The first connection could not be made."""
        self.over(code, why)

    def _stranger(self, data: bytes) -> None:
        """It is no MUCS server, or speaks a dialect of its own."""
        if what := stranger(data):
            self.over(NOT_RIGHT, f"{self.where} {what}, and no chat")
            return
        if not self._guesses or self.hasBeenIn:
            said = clean(data[:60].decode("utf-8", "replace"))
            self.over(NOT_RIGHT, f"{self.where} is no MUCS server: it says {said!r}")
            return
        self._plainly(data)

    def _silent(self) -> None:
        if not isinstance(self.talk, Arrival):
            return
        if self.hasBeenIn:
            if self._abort is not None:
                self._abort()
        elif self._guesses:
            self._plainly(b"")
        else:
            self.over(NOT_RIGHT, f"{self.where} says nothing; --dialect says what it speaks")

    def _plainly(self, data: bytes) -> None:
        """Go on in lines."""
        self.talk.lost()
        what = "says nothing" if not data else "is no MUCS server"
        self.show(note(f"{self.where} {what}: what you type is sent to it as it is"))
        talk = Lines(self, self._clock, DIALECTS["plain"], self.talk.name, self._patient)
        if isinstance(self.talk, Arrival):
            for item in self.talk.outbox:
                talk.typed(item.typed())
        self.talk = talk
        self._timers.stop("silence")
        if self._send is not None:
            self.talk.connected(self._send)
            self.talk.heard(data)

    def _watch(self) -> None:
        """Look whether the line is well."""
        self._timers.after("stuck", STUCK / 3, self._watch)
        if isinstance(self.talk, Arrival) and self._abort is not None:
            oldest = self.talk.outbox.oldest()
            if oldest is not None and self._clock.seconds() - oldest.since > STUCK:
                # What is on its way is said again by another line, and stored once.
                self._abort()

    def _givesUp(self) -> None:
        for text in self.talk.waiting():
            self.failed(text, "the server is gone")
        self.over(GONE, "The server disconnected")

    # What is typed.

    def typed(self, text: str) -> None:
        """A line was typed."""
        text = clean(text)
        if text.lstrip().startswith("/") and not text.lstrip().startswith("//"):
            # A blank in front of /login would make a password speech.
            text = text.lstrip()
        command, _, why = text.partition(" ")
        if text == "!q" or command == "/quit":
            self.leave(why)
        elif text and not self.isLeaving:
            said = self._display.does(text) if isinstance(self.talk, Arrival) else []
            for line in said:
                self.show(line)
            if not said:
                self.talk.typed(text)

    def leave(self, why: str = "") -> None:
        """Leave, when everything that was typed is said."""
        if self.isLeaving:
            return
        self._leaving = why
        self._timers.after("farewell", FAREWELL, self._left)
        self._perhapsGoodbye()

    def _perhapsGoodbye(self) -> None:
        if self._leaving is None or self._saidGoodbye:
            return
        isEarly = self.talk.unfinished and not self.hasBeenIn
        if self.talk.asks or not (self.isConnected or isEarly):
            self._left()
        elif not self.talk.unfinished:
            self._saidGoodbye = True
            if isinstance(self.talk, Lines):
                self._timers.after("farewell", LINGERS, self._left)
            if not self.talk.leave(self._leaving) and self._finish is not None:
                self._finish()

    def _left(self) -> None:
        waiting = self.talk.unfinished
        if waiting:
            lines = "one line" if waiting == 1 else f"{waiting} lines"
            self.over(NOT_SAID, f"{lines} that you typed may not have been said")
        else:
            self.over(FINE, "")

    # The talk's view.

    def show(self, line: Line) -> None:
        # Our own leaving is nothing to read on the way out.
        shown = self._display.shown(line)
        if shown is not None and not self._isOver and not self._saidGoodbye:
            self._view.show(shown)

    def happened(self, event: dict[str, Any]) -> None:
        if not self._isOver:
            self._view.happened(event)

    def failed(self, text: str, why: str) -> None:
        if not self._isOver:
            self._view.failed(masked(text), why)

    def changed(self) -> None:
        if self._isOver:
            return
        if self.talk.isIn:
            self.hasBeenIn = True
            self._isLost = False
            self._timers.stop("give up")
        self._perhapsGoodbye()
        self._view.changed()

    def over(self, code: int, why: str) -> None:
        if self._isOver:
            return
        self._isOver = True
        self._timers.stop()
        if self._abort is not None:
            self._abort()
        self.talk.lost()
        self._view.over(code, why)
