"""
A long piece of work: how far it has come, and that it may be stopped.

On a terminal a bar is shown on stderr, painted over itself at most ten times a second, and gone
when the work is done. Nothing is shown where stderr is no terminal.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import TextIO

#: Seconds between two paintings.
PAINTED = 0.1

#: Columns of the bar, and of everything where the terminal does not say how wide it is.
BAR = 30
COLUMNS = 80

#: What may stop it.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ToolError(Exception):
    """Something cannot be done; C{str(it)} is one line that says what, and what would do."""


class Stopped(Exception):
    """
    A signal has come.

    @ivar number: which.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Work:
    """@ivar stopped: the signal that came, or L{None}."""

    def __init__(self, stream: TextIO, quiet: bool = False) -> None:
        """@param stream: where a bar is shown, if it is a terminal."""
        self.stopped: Stopped | None = None
        self._stream = stream
        self._isShown = not quiet and stream.isatty()
        self._isCatching = False
        self._what = ""
        self._all = 0
        self._next = 0.0

    def catch(self) -> None:
        """Let signals stop it from now on; C{Stopped} is raised wherever it happens to be."""
        self._isCatching = True
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._stop)

    @contextmanager
    def interrupting(self, db: sqlite3.Connection) -> Iterator[None]:
        """
        Within this a signal ends at once what SQLite does, and not only between two of its steps:
        one step looks at all pages of a table.
        """
        if not self._isCatching:
            yield
            return
        reads, writes = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(writes, False)

        def wait() -> None:
            if os.read(reads, 1):
                db.interrupt()

        # Python's own part of a signal waits for SQLite to return; this byte does not.
        before = signal.set_wakeup_fd(writes)
        waiting = Thread(target=wait, daemon=True)
        waiting.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            os.close(writes)
            waiting.join()
            os.close(reads)

    def finish(self) -> None:
        """It is all but done: signals have no effect any more."""
        if self._isCatching:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # What is half done is undone now, and that is not to be stopped in its turn.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        self.stopped = Stopped(number)
        raise self.stopped

    def begin(self, what: str, all: int = 0) -> None:
        """
        Something begins.

        @param what: a word or two.
        @param all: how much there is to do, in any unit; 0 if nobody knows.
        """
        self._what = what
        self._all = all
        self._next = 0.0
        self.at(0)

    def at(self, done: int) -> None:
        """
        So much is done.

        @raise Stopped: a signal came where it could not be raised, in a call back from SQLite say.
        """
        if self.stopped is not None:
            raise self.stopped
        if self._isShown and time.monotonic() >= self._next:
            self._next = time.monotonic() + PAINTED
            self._paint(done)

    def end(self) -> None:
        """It is over: the bar goes away."""
        if self._isShown and self._next:
            self._next = 0.0
            self._write("")

    def _paint(self, done: int) -> None:
        if not self._all:
            self._write(f"{self._what}  {done}" if done else f"{self._what} ...")
            return
        part = min(1.0, done / self._all)
        bar = "#" * int(part * BAR)
        self._write(f"{self._what}  [{bar:.<{BAR}}]  {int(part * 100)}%  {done}/{self._all}")

    def _write(self, text: str) -> None:
        width = shutil.get_terminal_size((COLUMNS, 24)).columns
        # "Erase to the end of the line"; ECMA-48, 8.3.41.
        self._stream.write(f"\r{text[: width - 1]}\x1b[K")
        self._stream.flush()
