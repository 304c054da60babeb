"""
Stdin, line by line.

It is read by a thread of its own, since a file, which it may be, is nothing a reactor can wait
for, and since nothing of how the terminal is set has to be changed for it; it is given no more
than L{AHEAD} lines of credit, so that it never runs away from the server.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

#: Lines that are read from stdin before those in front of them are said.
AHEAD = 200

#: Bytes that are read at once; also about how long a line can be before it is refused.
CHUNK = 1 << 16


class Reader:
    """Reads lines in a thread."""

    def __init__(
        self,
        reactor: Any,
        got: Callable[[bytes], None],
        ended: Callable[[], None],
        descriptor: int = 0,
    ) -> None:
        self._reactor = reactor
        self._got = got
        self._ended = ended
        self._descriptor = descriptor
        self._credit = threading.Semaphore(AHEAD)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def more(self, count: int) -> None:
        """So many lines are said."""
        for _ in range(count):
            self._credit.release()

    def _run(self) -> None:
        rest = b""
        while True:
            try:
                data = os.read(self._descriptor, CHUNK)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > CHUNK:
                lines, rest = [*lines, rest], b""
            if not data and rest:
                lines.append(rest)
            for line in lines:
                self._credit.acquire()
                self._reactor.callFromThread(self._got, line)
            if not data:
                self._reactor.callFromThread(self._ended)
                return
