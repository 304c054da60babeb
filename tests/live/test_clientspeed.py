"""
How long the line client takes to be there, and how long a key takes to show while others flood.

The terminal is a bare pair of descriptors here, and the server a thread that writes: nothing of
the test stands between a key and what is measured.  The figures are printed; only the long form,
which floods for some seconds, holds them against what is promised.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from twisted.trial.unittest import SynchronousTestCase

from tests.live.server import ROOT
from tests.reading import figure

LONG = bool(os.environ.get("MUCS_LONG"))

#: Lines a second, and for how many seconds.
RATE, SECONDS = 10_000, 6

#: What is promised, in seconds.
START, LAG = 0.5, 0.05

#: Keys that stand nowhere else.
KEYS = [chr(number) for number in range(0x4E00, 0x4E00 + 60)]


def flood(listening: socket.socket, begins: threading.Event, ends: threading.Event) -> None:
    """A server: let one in, and then say so many lines a second, until it is over."""
    connection, _ = listening.accept()
    connection.sendall(b"-- welcome to flood\r\n-- what is your name?\r\n")
    connection.recv(4096)
    connection.sendall(
        b'{"welcome":"flood","protocol":1}\r\n{"entered":"lobby","name":"ada","others":"bob"}\r\n'
        b'{"now":"lobby","seq":1}\r\n'
    )
    begins.wait()
    seq, started = 1, time.monotonic()
    with connection:
        while not ends.is_set():
            due = int((time.monotonic() - started) * RATE)
            lines = []
            while seq <= due:
                seq += 1
                lines.append(
                    f'{{"event":"say","room":"lobby","seq":{seq},"time":1790000000000,'
                    f'"author":"bob","text":"this is the line number {seq} of many"}}\r\n'
                )
            try:
                connection.sendall("".join(lines).encode())
            except OSError:
                return
            time.sleep(0.01)


@contextmanager
def client(port: int) -> Iterator[int]:
    """The client on a terminal. @return: our side of that."""
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(
            TERM="xterm-256color", XDG_STATE_HOME=tempfile.mkdtemp(), PYTHONPATH=str(ROOT)
        )
        words = [sys.executable, "-m", "mucs.client", "--name", "ada", f"127.0.0.1:{port}"]
        os.execv(sys.executable, words)
    try:
        yield terminal
    finally:
        os.close(terminal)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


class Seen:
    """
    What came from a terminal.

    @ivar number: that of the last line of the flood.
    """

    number = 0

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._rest = b""

    def until(self, word: str, patience: float) -> float | None:
        """Wait for a word. @return: the seconds that took, or L{None} if it never came."""
        wanted, start = word.encode(), time.monotonic()
        while (left := start + patience - time.monotonic()) > 0:
            if wanted in self._rest:
                self._rest = self._rest[-100:].replace(wanted, b"")
                return time.monotonic() - start
            self._rest = self._rest[-100:]
            if select.select([self._terminal], [], [], left)[0]:
                self._rest += os.read(self._terminal, 1 << 16)
                for found in re.findall(rb"number (\d+) of", self._rest)[-1:]:
                    self.number = int(found)
        return None


class SpeedTests(SynchronousTestCase):
    """Figures."""

    def serve(self) -> None:
        """The server of these tests begins."""
        self.begins, self.ends = threading.Event(), threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        args = (self.listening, self.begins, self.ends)
        self.thread = threading.Thread(target=flood, args=args, daemon=True)
        self.thread.start()
        self.addCleanup(self.thread.join, 5)
        self.addCleanup(self.begins.set)
        self.addCleanup(self.ends.set)

    def test_start(self) -> None:
        """From the start to the prompt, and until one is in."""
        self.serve()
        with client(self.listening.getsockname()[1]) as terminal:
            seen = Seen(terminal)
            prompt, inside = seen.until("connecting to", 20), seen.until("#lobby 2", 20)
        assert prompt is not None and inside is not None
        figure(f"start to prompt {prompt:.2f} s, to being in {prompt + inside:.2f} s", aloud=LONG)
        if LONG:
            self.assertLess(prompt, START)

    if LONG:

        def test_typingWhileOthersFlood(self) -> None:
            """What one types is there at once."""
            self.serve()
            with client(self.listening.getsockname()[1]) as terminal:
                seen = Seen(terminal)
                self.assertIsNotNone(seen.until("#lobby 2", 20))
                self.begins.set()
                self.assertIsNotNone(seen.until("number 1000 of", 20))
                lags, first, start = [], seen.number, time.monotonic()
                for key in KEYS:
                    os.write(terminal, key.encode())
                    lag = seen.until(key, 10)
                    assert lag is not None, key
                    lags.append(lag)
                    # Keys come at no particular moment of a batch.
                    seen.until("\0", SECONDS / len(KEYS))
                rate = (seen.number - first) / (time.monotonic() - start)
            lags.sort()
            most = lags[-len(lags) // 20]
            figure(
                f"{rate:.0f} lines a second: a key shows after"
                f" {1000 * statistics.median(lags):.0f} ms,"
                f" 95 % within {1000 * most:.0f} ms, all within {1000 * lags[-1]:.0f} ms",
                aloud=True,
            )
            self.assertLess(most, LAG)
