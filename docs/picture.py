"""
Draw C{docs/client.svg}, what the line client looks like, from the real program's screen.

Run it in a checkout, with an environment that has the extras C{client} and C{test}::

    python docs/picture.py docs/client.svg

It starts a server and a client on a terminal of its own, lets people talk, reads the screen with
pyte, and writes each cell's character and colour as SVG.  Everything it starts it ends.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from html import escape
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 72, 16

#: Of one cell, in units of the picture.
WIDTH, HEIGHT = 8.4, 18

PAPER, INK = "#fdf6e3", "#3b4a50"
COLOURS = {"red": "#b3261e", "cyan": "#1f7a74", "brown": "#8a5a00", "green": "#2f6f2f"}

#: Seconds that anything here may take.
PATIENCE = 20


def main(path: str) -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": folder,
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "",
        }
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
        options = ["--log", "memory:", "--port", f"tcp:{port}:interface=127.0.0.1"]
        server = subprocess.Popen(
            [*twistd, "-n", "--pidfile=", "mucs", *options],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            screen = perform(port, environment)
        finally:
            server.terminate()
            server.wait()
    Path(path).write_text(drawn(screen), "utf-8")


def perform(port: int, environment: dict[str, str]) -> pyte.Screen:
    """Let people talk. @return: what Ada sees of it."""
    bob, eve = come(port, "bob"), come(port, "eve")
    say(bob, "/topic the release")
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if not pid:
        words = [sys.executable, "-m", "mucs.client", "--name", "ada", f"localhost:{port}"]
        os.execve(sys.executable, words, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def shows(word: str) -> None:
        end = time.monotonic() + PATIENCE
        while not any(word in row for row in screen.display):
            if time.monotonic() > end:
                raise SystemExit(f"{word!r} is not shown: {screen.display}")
            if select.select([terminal], [], [], 0.1)[0]:
                stream.feed(os.read(terminal, 1 << 16))

    try:
        shows("ada at")
        say(bob, "good morning, ada!")
        shows("good morning, ada")
        os.write(terminal, b"/me yawns\r")
        shows("* ada yawns")
        os.write(terminal, b"/join garden\r")
        shows("ada in #garden")
        os.write(terminal, "the plums are ripe \U0001f60b\r".encode())
        shows("plums")
        say(eve, "the tests pass", "/me opens a window")
        shows("opens a window")
        say(bob, "/msg ada shall we?")
        shows("shall we?")
        os.write(terminal, b"/msg bob yes, at f")
        shows("yes, at f")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
        bob.close()
        eve.close()
    return screen


def come(port: int, name: str) -> socket.socket:
    """Someone comes with a bare socket."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            person = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    say(person, name)
    seen = b""
    while b"-- now" not in seen:
        seen += person.recv(4096)
    return person


def say(person: socket.socket, *lines: str) -> None:
    """They say lines."""
    person.sendall("".join(f"{line}\n" for line in lines).encode())


def drawn(screen: pyte.Screen) -> str:
    """A screen as SVG."""
    width, height = round(COLUMNS * WIDTH + 24), ROWS * HEIGHT + 24
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">',
        "<title>The line client mucs on a terminal</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>',
    ]
    for y in range(ROWS):
        for x in range(COLUMNS):
            pieces += cell(screen.buffer[y][x], 12 + x * WIDTH, 12 + y * HEIGHT)
    left, top = 12 + screen.cursor.x * WIDTH, 12 + screen.cursor.y * HEIGHT
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    pieces.append(f'<rect x="{left:.1f}" y="{top}" {size} fill="{INK}" opacity=".4"/>')
    return "\n".join([*pieces, "</svg>", ""])


def cell(char: pyte.screens.Char, x: float, y: float) -> list[str]:
    """One cell of it."""
    colour = char.fg if char.fg != "default" else INK
    # pyte names some, and gives the others as six digits.
    colour = COLOURS.get(colour, colour if colour.startswith("#") else f"#{colour}")
    found = []
    if char.reverse:
        found.append(
            f'<rect x="{x:.1f}" y="{y}" width="{WIDTH + 0.3:.1f}" height="{HEIGHT}"'
            f' fill="{colour}"/>'
        )
        colour = PAPER
    if char.data.strip():
        weight = ' font-weight="bold"' if char.bold else ""
        style = ' font-style="italic"' if char.italics else ""
        found.append(
            f'<text x="{x:.1f}" y="{y + HEIGHT - 5}" fill="{colour}"{weight}{style}>'
            f"{escape(char.data)}</text>"
        )
    return found


if __name__ == "__main__":
    main(sys.argv[1])
