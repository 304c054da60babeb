"""
Views without a screen: lines on stdout.

L{Plain} is for someone who types and reads lines: a screen reader, a log, a terminal that can do
nothing.  L{Pipe} says what comes on stdin, and nothing itself.  L{Follow} only prints.
"""

from __future__ import annotations

import json
import os
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from mucs.client.client import Client
from mucs.client.kept import masked
from mucs.client.reader import Reader
from mucs.client.typist import Typist, question
from mucs.client.views import FINE, NO_READER, NOT_SAID
from mucs.client.wording import Line, note, refusal
from mucs.text import clean


class Printed:
    """
    What these views have in common.

    @ivar code: how it ended, once it has.
    @ivar why: and why.
    """

    def __init__(self, reactor: Any, out: TextIO, errors: TextIO) -> None:
        self.code: int | None = None
        self.why = ""
        self._reactor = reactor
        self._out = out
        self._errors = errors
        self.client: Client
        self.atEnd: Callable[[], None] = lambda: None

    def start(self, client: Client) -> None:
        """Here is the client."""
        self.client = client

    def show(self, line: Line) -> None:
        raise NotImplementedError

    def happened(self, event: dict[str, Any]) -> None:
        """Is shown as a line."""

    def changed(self) -> None:
        """Is of no interest."""

    def failed(self, text: str, why: str) -> None:
        self._complain(f"{why}: {text}" if text else why)

    def over(self, code: int, why: str) -> None:
        self.code, self.why = code, why
        self.atEnd()

    def interrupted(self) -> bool:
        """Ctrl-C. @return: whether that ends it."""
        return True

    def _print(self, text: str) -> None:
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except BrokenPipeError:
            self._noReader()
        except OSError as error:
            self.client.over(NO_READER, f"cannot write: {error.strerror}")

    def _noReader(self) -> None:
        # Python would flush it once more, and say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
        self.client.over(NO_READER, "")

    def _complain(self, text: str) -> None:
        print(f"mucs: {clean(text)}", file=self._errors, flush=True)


class Plain(Printed):
    """Lines for someone who reads them, and lines that they type."""

    def start(self, client: Client) -> None:
        super().start(client)
        self._echoed = sys.stdin.isatty() and self._out.isatty()
        self._typist = Typist(self._say, self.show)
        self._isHidden = False
        self._reader = Reader(self._reactor, self._typed, client.leave)
        self._reader.start()

    def show(self, line: Line) -> None:
        # What was typed on a terminal stands there already.
        if not (line.own and self._echoed):
            self._print(("\a" if line.bell and self._echoed else "") + line.text)

    def failed(self, text: str, why: str) -> None:
        self._print(refusal(f"{why}: {text}" if text else why).text)

    def interrupted(self) -> bool:
        if self._echoed:
            # The terminal has cleared the line.
            self._typist.nothing()
            self._hide(False)
            self._print(note("Ctrl-D or !q leaves").text)
        return not self._echoed

    def _typed(self, line: bytes) -> None:
        self._reader.more(1)
        text = _decoded(self, line)
        if text or self._typist.prompt:
            self._typist.typed(text, self.client.talk.name)
            if self._typist.prompt:
                self._print(note(f"{self._typist.prompt}; an empty line: never mind").text)
            self._hide(bool(self._typist.prompt))

    def _say(self, text: str) -> None:
        self.client.typed(text)
        talk = self.client.talk
        if not talk.isIn and not talk.asks and not self.client.isOver:
            self._print(note("that is kept until the line is there").text)

    def _hide(self, hides: bool) -> None:
        """Show what is typed, or not."""
        if hides == self._isHidden or not sys.stdin.isatty():
            return
        self._isHidden = hides
        # Its terminal may be gone.
        with suppress(termios.error, OSError):
            modes = termios.tcgetattr(sys.stdin)
            modes[3] = modes[3] & ~termios.ECHO if hides else modes[3] | termios.ECHO
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)
            if not hides:
                # Nor was the Enter behind it.
                self._print("")

    def over(self, code: int, why: str) -> None:
        self._hide(False)
        super().over(code, why)


class Pipe(Printed):
    """Every line of stdin is said; and that is all."""

    def __init__(self, reactor: Any, out: TextIO, errors: TextIO, patience: float) -> None:
        """@param patience: seconds without any progress after which it gives up."""
        super().__init__(reactor, out, errors)
        self._patience = patience
        self._given = 0
        self._finished = 0
        self._isAll = False
        self._failures = 0
        self._timer: Any = None

    def start(self, client: Client) -> None:
        super().start(client)
        self._reader = Reader(self._reactor, self._typed, self._ended)
        self._reader.start()
        self._progress()

    def show(self, line: Line) -> None:
        """Nobody reads it."""

    def failed(self, text: str, why: str) -> None:
        self._failures += 1
        super().failed(text, why)

    def changed(self) -> None:
        finished = self._given - self.client.talk.unfinished
        if finished > self._finished:
            self._reader.more(finished - self._finished)
            self._finished = finished
            self._progress()
        self._perhapsLeave()

    def over(self, code: int, why: str) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        super().over(NOT_SAID if code == FINE and self._failures else code, why)

    def _typed(self, line: bytes) -> None:
        if self._isAll:
            return
        text = clean(_decoded(self, line))
        if question(text, "") is not None:
            # What comes next may be the password.
            why = "nobody is asked in a pipe, so a password stands in the same line"
            self.failed(text, f"{why}; this and the rest is not said")
            self._ended()
            return
        if self.client.isLeaving:
            if text:
                self.failed(masked(text), "not said, as it comes after the end")
            return
        self._given += 1
        if text:
            self.client.typed(text)
        self.changed()

    def _ended(self) -> None:
        self._isAll = True
        self._perhapsLeave()

    def _perhapsLeave(self) -> None:
        client = self.client
        if self._isAll and client.talk.isIn and not client.talk.unfinished:
            client.leave()

    def _progress(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(self._patience, self._stuck)

    def _stuck(self) -> None:
        if self._isAll or self.client.talk.unfinished:
            count = self.client.talk.unfinished
            why = f"no answer for {self._patience:g} s; {count} of the lines may not be stored"
            self.client.over(NOT_SAID, why)
        else:
            self._progress()


class Follow(Printed):
    """
    What happens, from now on, and nothing else on stdout; what was missed while the line was lost
    too.
    """

    def __init__(self, reactor: Any, out: TextIO, errors: TextIO, asJson: bool) -> None:
        super().__init__(reactor, out, errors)
        self._asJson = asJson

    def show(self, line: Line) -> None:
        if line.kind == "note":
            if self.client.hasBeenIn:
                print(line.text, file=self._errors, flush=True)
        elif not self._asJson and self.client.hasBeenIn:
            self._print(line.text)

    def happened(self, event: dict[str, Any]) -> None:
        if self._asJson and self.client.hasBeenIn:
            self._print(json.dumps(event, ensure_ascii=False, separators=(",", ":")))


def _decoded(view: Printed, line: bytes) -> str:
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        view.failed("", "that was no UTF-8, and is not said")
        return ""
