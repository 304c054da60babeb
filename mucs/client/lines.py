"""
A conversation with a server that only has lines: C{mucs.client.dialects} says how it speaks.

Such a server counts nothing and acknowledges little, so what was said when a line is lost may be
lost with it: there is no coming back, and that is said.  What comes is shown as it comes.

What is typed waits until one is in, so that nothing of it is ever taken for a name.  That is so
when the server says something to our name that is no refusal; those of C{fiveseat} say nothing, so
L{SETTLES} without a word will do.

A message ends where the dialect says so, or where a line ends.  Some servers end nothing: what
came and has no end is taken for whole when nothing follows for a moment, L{QUIET}.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mucs.client.dialects import ASKED, QUEUE, Dialect, packed
from mucs.client.kept import masked
from mucs.client.timers import Timers
from mucs.client.views import REFUSED, Clock, View
from mucs.client.wording import LOG_IN, Line, note, raw
from mucs.text import clean, cut

#: Seconds after which what has no end is whole.
QUIET = 0.02

#: Characters of a message that has no end.
LONGEST = 1 << 16

#: Seconds without a word after which a name is not refused, or is not asked for.
SETTLES = 2.0


class Part(NamedTuple):
    """
    Something to be sent.

    @ivar shown: what of it is shown as said; L{None} of what is no speech.
    @ivar early: whether it is sent before one is in.
    """

    data: bytes
    shown: str | None
    early: bool = False


class Lines:
    """See L{mucs.client.views.Talk}."""

    def __init__(
        self, view: View, clock: Clock, dialect: Dialect, name: str, patient: bool = True
    ) -> None:
        """@param patient: whether there is someone who can choose another name."""
        self.name = name
        self.isIn = False
        self.asks = dialect.naming in ("at once", "greeted") and not name
        self._view = view
        self._dialect = dialect
        self._patient = patient
        self._send: Callable[[bytes], None] | None = None
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._text = ""  # what came and has not ended
        self._isGreeted = dialect.naming == "at once"
        self._named = False  # the server was told our name, and has not refused it
        self._out: deque[Part] = deque()
        self._unacked: deque[str | None] = deque()  # what these parts showed
        self._timers = Timers(clock)

    # The connection.

    def connected(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        if self._dialect.naming == "never":
            self.name = ""
            self._comeIn()
        elif self._dialect.naming == "asked":
            self._timers.after("settles", SETTLES, self._comeIn)
        self._introduce()
        self._next()
        self._view.changed()

    def lost(self) -> bool:
        self._flush()
        self._send = None
        self.isIn = False
        self._timers.stop()
        return False

    def heard(self, data: bytes) -> None:
        self._timers.stop("quiet")
        text = self._text + self._decode(data)
        greeting = self._dialect.greeting
        if greeting and not self._isGreeted and text.startswith(greeting):
            # It has no end, and what follows may have come with it.
            self._message(greeting)
            text = text[len(greeting) :]
        if self._dialect.frame == b"\0":
            text = text.replace("\0", "\n")
        *messages, self._text = text.split("\n")
        for message in messages:
            self._message(message)
        if len(self._text) > LONGEST:
            self._flush()
        elif self._text and self._send is not None:
            self._timers.after("quiet", QUIET, self._flush)

    def _flush(self) -> None:
        text, self._text = self._text, ""
        self._message(text)

    def _message(self, message: str) -> None:
        """A message came."""
        text = clean(message.replace("\0", ""))
        if not text:
            return
        if text == self._dialect.ack:
            self._acked()
            return
        why = text.removeprefix("! ")
        isRefusal = why != text
        if isRefusal and not self.isIn and not self._patient:
            self._timers.stop()
            self._view.over(REFUSED, f"the server refuses: {why}")
            return
        wasIn = self.isIn
        if not wasIn:
            # Before it is shown, since for some views all begins with being in.
            self._arriving(text, isRefusal)
        if isRefusal:
            self._view.failed("", why)
            if self.asks and "/login" in why:
                self._view.show(note(LOG_IN.partition(";")[0]))
        elif text != "!q" or self._dialect.quit != "!q":
            self._view.show(raw(text, self.name))
        if not wasIn:
            self._goOn()
        elif self._unacked and (isRefusal or self._unacked[0] is None):
            # That is the answer.
            self._unacked.popleft()
            self._view.changed()

    def _acked(self) -> None:
        """What was sent is processed; of a command nobody says so, but in other words."""
        while self._unacked and self._unacked[0] is None:
            self._unacked.popleft()
        if self._unacked:
            if shown := self._unacked.popleft():
                self._show(shown)
            self._view.changed()

    # Coming in.

    def _arriving(self, text: str, isRefusal: bool) -> None:
        """A message came, and we are not in yet."""
        if isRefusal:
            self._timers.stop("settles")
            if self._named:
                self._named = False
                self._asksAgain()
        elif ASKED in text:
            if self._dialect.naming == "asked" and not self._named:
                self._timers.stop("settles")
                self._asked()
        elif QUEUE in text:
            self._timers.stop("settles")
        elif self._named:
            self._letIn()
        elif self._dialect.naming == "asked":
            if text.startswith("-- "):
                # A server of ours, that is about to ask.
                self._timers.stop("settles")
            else:
                self._letIn()
        elif not self._isGreeted and not text.startswith("-- "):
            self._isGreeted = True
            self._introduce()

    def _asked(self) -> None:
        """The server asks for a name."""
        if self.name:
            self._first(self.name)
        elif self._patient:
            self._asksAgain()
        else:
            self._view.over(REFUSED, "the server asks for a name; --name gives one")

    def _asksAgain(self) -> None:
        self.name = ""
        self.asks = True
        self._view.changed()

    def _introduce(self) -> None:
        """Say who we are, once the server is ready for that."""
        if self._isGreeted and self.name and not self._named and self._send is not None:
            self._first(self.name)

    def _first(self, text: str) -> None:
        """Say who we are, before all that was typed while nobody had asked."""
        self._named = True
        self._out.appendleft(Part(text.encode("utf-8", "replace"), None, True))
        self._timers.after("settles", SETTLES, self._comeIn)
        self._next()

    def _letIn(self) -> None:
        """We are in."""
        self._timers.stop("settles")
        self.isIn = True
        self.asks = False
        self._view.changed()

    def _comeIn(self) -> None:
        """We are in, as nothing was said against it."""
        self._letIn()
        self._goOn()

    # What is said.

    def typed(self, text: str) -> None:
        isCommand = text.startswith("/") and not text.startswith("//")
        if not self.asks:
            self._queue(text, None if isCommand else text)
        elif isCommand and self._send is not None:
            # To log in may be the only way to come in.
            self._first(text)
        else:
            self.name = text
            self.asks = False
            if self._dialect.naming == "asked":
                self._first(self.name)
            else:
                self._introduce()
        self._view.changed()

    @property
    def unfinished(self) -> int:
        return len(self._out) + sum(shown is not None for shown in self._unacked)

    def waiting(self) -> list[str]:
        shown = [*self._unacked, *(part.shown for part in self._out)]
        return [each for each in shown if each]

    def leave(self, why: str = "") -> bool:
        if self._send is not None and self._dialect.quit:
            self._queue(self._dialect.quit, None, early=True)
            return True
        return False

    def _queue(self, text: str, shown: str | None, early: bool = False) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            length = cut(data, self._dialect.size)
            self._out.append(Part(data[:length], shown, early))
            data, shown = data[length:], shown and ""
        self._next()

    def _next(self) -> None:
        """Send what may be sent now."""
        while self._out and self._send is not None and not self._timers.runs("pause"):
            if not self.isIn and not self._out[0].early:
                return
            part = self._out.popleft()
            if part.shown is None and not part.early:
                # A command: as it was typed, since not every one has an answer.
                typed = masked(part.data.decode("utf-8", "replace"))
                self._view.show(Line("raw", [("note", typed)], own=True))
            if self._dialect.ack and not part.early:
                self._unacked.append(part.shown)
            elif part.shown:
                self._show(part.shown)
            self._send(packed(self._dialect, part.data))
            if self._dialect.pace:
                self._timers.after("pause", self._dialect.pace, self._goOn)

    def _goOn(self) -> None:
        """What had to wait may be sent now."""
        self._next()
        self._view.changed()

    def _show(self, said: str) -> None:
        """Show a line of our own, if the server does not."""
        if self._dialect.own:
            name = self.name or "you"
            shown = self._dialect.own.format(name=name, text=said)
            self._view.show(Line("say", [("text", shown)], own=True))
