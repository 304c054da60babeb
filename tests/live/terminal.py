"""
A program on a terminal of its own, whose screen can be read: pyte is the terminal.

L{Terminal} keeps what has scrolled away too.  Like all of L{tests.live}, it waits for what should
be seen, and says what is there instead if it never comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyte
from twisted.internet.defer import Deferred

from tests.live.inside import PATIENCE, LiveCase, Program, bounded, reactor

#: Rows that are kept of what has scrolled away.
KEPT = 100_000

#: Keys, as a terminal sends them.
ENTER, TAB, CTRL_C, CTRL_D, UP = "\r", "\t", "\x03", "\x04", "\x1b[A"


class Terminal(Program):
    """
    @ivar screen: pyte's screen; what has scrolled away is in C{screen.history.top}.
    @ivar master: another descriptor of our side of it; with none of them, it is closed.
    @ivar before: how it was set at the beginning.
    """

    master: int
    before: list[Any]

    def __init__(self, name: str, columns: int, rows: int) -> None:
        super().__init__(name)
        self.screen = pyte.HistoryScreen(columns, rows, history=KEPT)
        self._stream = pyte.ByteStream(self.screen)
        self._isSo: tuple[Callable[[], bool], Deferred[None]] | None = None

    def saw(self, data: bytes) -> None:
        # pyte takes the private form of "select graphic rendition" for the common one.
        self._stream.feed(data)
        super().saw(data)
        self._lookAtScreen()

    def sawEnd(self) -> None:
        super().sawEnd()
        self._lookAtScreen()

    def resizes(self, columns: int, rows: int) -> None:
        """The window gets another size, and the program is told."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.transport.fd, termios.TIOCSWINSZ, size)
        if (self.screen.columns, self.screen.lines) != (columns, rows):
            self.screen.resize(rows, columns)

    def keys(self, *keys: str) -> None:
        """Someone types."""
        self.gives("".join(keys).encode())

    def enters(self, *lines: str) -> None:
        """Someone types lines, each with Enter."""
        self.keys(*(f"{line}{ENTER}" for line in lines))

    def display(self) -> list[str]:
        """What stands on the screen, row by row."""
        return [row.rstrip() for row in self.screen.display]

    def scrolled(self) -> list[str]:
        """Everything that was ever above, and what is on the screen now."""
        columns = self.screen.columns
        above = ["".join(row[at].data for at in range(columns)) for row in self.screen.history.top]
        return [row.rstrip() for row in above] + self.display()

    async def shows(self, *words: str) -> None:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(any(w in row for row in self.display()) for w in words), words)

    async def until(self, isSo: Callable[[], bool], what: object = "") -> None:
        """Wait until the screen is so."""
        if isSo():
            return
        waits: Deferred[None] = Deferred()
        self._isSo = isSo, waits
        await bounded(waits, lambda: f"{what!r} is not shown; but:\n{chr(10).join(self.display())}")


    def _lookAtScreen(self) -> None:
        if self._isSo is None:
            return
        isSo, waits = self._isSo
        if isSo():
            self._isSo = None
            waits.callback(None)
        elif self._isOver:
            self._isSo = None
            shown = "\n".join(self.display())
            waits.errback(AssertionError(f"it ended ({self.status}), and shows:\n{shown}"))


def _close(descriptor: int) -> None:
    """Close it, if the test has not."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


class TerminalCase(LiveCase):
    """A test with terminals."""

    def terminal(
        self,
        *argv: str | Path,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> Terminal:
        """Start a program on a terminal."""
        words = [str(word) for word in argv]
        program = Terminal(words[0], columns, rows)
        # Opened by us, so that it has its size before the program looks.
        master, slave = os.openpty()
        name = os.ttyname(slave)
        kept, before = os.dup(master), termios.tcgetattr(slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        reactor.spawnProcess(
            program,
            words[0],
            words,
            env={**os.environ, **self.environment(), **(env or {})},
            usePTY=(master, slave, name),
        )
        self.addCleanup(self._kill, program)
        program.master = kept
        self.addCleanup(_close, kept)
        program.before = before
        return program

    def environment(self) -> dict[str, str]:
        """What stands in a program's environment; its state is kept in a folder of the test's."""
        self._state = getattr(self, "_state", None) or str(self.folder())
        return {
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": self._state,
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent),
            "NO_COLOR": "",
        }

    def mucs(
        self,
        *options: str,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
    ) -> Terminal:
        """Start the line client on a terminal."""
        argv = (sys.executable, "-m", "mucs.client", *options)
        return self.terminal(*argv, columns=columns, rows=rows, env=env)


__all__ = ["CTRL_C", "CTRL_D", "ENTER", "PATIENCE", "TAB", "UP", "Terminal", "TerminalCase"]
