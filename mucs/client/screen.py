"""
The view on a terminal: lines go by above, the line that is being typed stays where it is.

prompt_toolkit draws the lower part: what is not acknowledged yet, the input, a status line.  The
conversation itself is printed above it like any program's output, so that the terminal's own
scrolling, searching and copying work.  What arrives is gathered for L{GATHERED} seconds and printed
at once: the lower part is taken away, the lines are written, and it is drawn again, so it costs the
same whether one line has come or a thousand.

Nothing is shown that could move the cursor: the lines are clean, and the colours are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import (
    BeforeInput,
    ConditionalProcessor,
    PasswordProcessor,
)
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from mucs.client.colours import Palette
from mucs.client.completion import Completer
from mucs.client.kept import masked
from mucs.client.recalled import recalled
from mucs.client.typist import Typist
from mucs.client.wording import Line, refusal

if TYPE_CHECKING:
    from mucs.client.client import Client

#: Seconds in which what arrives is gathered.  Someone who types notices 50 ms.
GATHERED = 0.04

#: Lines that are shown of what is not acknowledged yet.
PENDING = 3

#: Rows that the input may have: something pasted, a long line.
ROWS = 5


class Screen:
    """
    See L{mucs.client.views.View}.

    @ivar code: how it ended, once it has; C{why}: one line to say about that.
    """

    def __init__(self, where: str, name: str = "") -> None:
        self.code: int | None = None
        self.why = ""
        self.where = where
        self.atEnd: Callable[[], None] = lambda: None
        self.client: Client | None = None
        self._name = name
        self._early: list[str] = []  # typed before there was a client
        self._typist = Typist(self._typed, self.show)
        self._lines: list[str] = []  # arrived, and not printed yet
        self._isDue = False
        self._bell = False
        self._completer = Completer()
        self._palette = Palette()
        self._loop = asyncio.get_event_loop()
        self._input = Buffer(accept_handler=self._accept, history=recalled(), multiline=False)
        self.app: Application[None] = self._application()

    def _application(self) -> Application[None]:
        pending = Window(
            FormattedTextControl(self._pending), dont_extend_height=True, style="class:pending"
        )
        hidden = Condition(lambda: bool(self._typist.prompt))
        typed = [ConditionalProcessor(PasswordProcessor(), hidden), BeforeInput(self._prompt)]
        line = Window(
            BufferControl(self._input, typed, focusable=True),
            height=Dimension(min=1, max=ROWS),
            wrap_lines=True,
            dont_extend_height=True,
        )
        status = Window(FormattedTextControl(self._status), height=1, style="class:status")
        has = Condition(lambda: bool(self._waiting()))
        root = HSplit([ConditionalContainer(pending, has), line, status])
        size = Vt100_Output.from_pty(sys.stdout).get_size
        depth = None if self._palette.isOn else ColorDepth.DEPTH_1_BIT
        return Application(
            Layout(root, focused_element=line),
            key_bindings=self._keys(),
            style=Style.from_dict({"status": "reverse", "pending": "italic"}),
            color_depth=depth,
            input=create_input(sys.stdin),
            # Asking the terminal where the cursor is would cost a round trip for each batch.
            output=Vt100_Output(sys.stdout, size, os.environ.get("TERM"), enable_cpr=False),
            erase_when_done=True,
        )

    # Keys.

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if not self._input.text:
                self._typist.nothing()
            self._input.reset()

        @keys.add("c-d", filter=Condition(lambda: not self._input.text))
        def _(event: KeyPressEvent) -> None:
            self._leave()

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

        @keys.add("tab")
        def _(event: KeyPressEvent) -> None:
            self._complete(1)

        @keys.add("s-tab")
        def _(event: KeyPressEvent) -> None:
            self._complete(-1)

        return keys

    def _complete(self, step: int) -> None:
        """Complete the word at the cursor, or go on to the next that it may become."""
        if self._typist.prompt:
            return
        rooms = getattr(getattr(self.client, "talk", None), "rooms", {})
        people = [name for room in rooms.values() for name in reversed(room.people)]
        before = self._input.document.text_before_cursor
        made = self._completer.complete(before, people, rooms, step)
        if made is not None:
            self._input.delete_before_cursor(len(before))
            self._input.insert_text(made)

    def _accept(self, buffer: Buffer) -> bool:
        isSeen = True
        for line in buffer.text.split("\n"):
            isSeen = isSeen and not self._typist.prompt
            name = self._name if self.client is None else self.client.talk.name
            self._typist.typed(line, name)
        if not isSeen:
            # There was a password in it: nothing is left for the history.
            buffer.reset()
        return False

    def _typed(self, line: str) -> None:
        if self.client is None:
            self._early.append(line)
        else:
            self.client.typed(line)

    def _leave(self) -> None:
        if self.client is None:
            self.over(0, "")
        else:
            self.client.leave()

    # What stands below.

    def _prompt(self) -> str:
        if self._typist.prompt:
            return f"{self._typist.prompt}; an empty line: never mind: "
        return "your name: " if self.client is not None and self.client.talk.asks else "> "

    def _waiting(self) -> list[str]:
        from_ = self._early if self.client is None else self.client.talk.waiting()
        return [masked(text) for text in from_]

    def _pending(self) -> StyleAndTextTuples:
        waiting = self._waiting()
        shown = [f"... {text}" for text in waiting[:PENDING]]
        if len(waiting) > PENDING:
            shown[-1] = f"... and {len(waiting) - PENDING + 1} more"
        return [("", "\n".join(shown))]

    def _status(self) -> StyleAndTextTuples:
        client = self.client
        if client is None:
            return [("", f" connecting to {self.where}")]
        talk = client.talk
        rooms = getattr(talk, "rooms", {})
        current = getattr(talk, "current", "")
        words = []
        if current in rooms:
            words.append(f"#{current} {rooms[current].count}")
        words += [f"#{each.name} +{each.unread}" for each in rooms.values() if each.unread]
        if talk.waiting():
            words.append(f"{len(talk.waiting())} not said yet")
        if talk.isIn:
            words.append(f"{talk.name or self._name} at {self.where}".strip())
        elif client.isConnected:
            words.append(f"coming in at {self.where}")
        else:
            lost = "NO LINE to" if client.hasBeenIn else "connecting to"
            words.append(f"{lost} {self.where}")
        return [("", " " + " | ".join(words))]

    # What goes by.

    def start(self, client: Client) -> None:
        """Here is the client."""
        self.client = client
        early, self._early = self._early, []
        for line in early:
            client.typed(line)
        self.app.invalidate()

    def show(self, line: Line) -> None:
        self._completer.learn(line)
        self._bell = self._bell or line.bell
        self._lines.append(self._palette.painted(line))
        self._soon()

    def happened(self, event: dict[str, Any]) -> None:
        """Is shown as a line."""

    def changed(self) -> None:
        self._soon()

    def failed(self, text: str, why: str) -> None:
        self.show(refusal(f"{why}: {text}" if text else why))

    def over(self, code: int, why: str) -> None:
        if self.code is None:
            self.code, self.why = code, why
            with contextlib.suppress(OSError):
                self._print()
            # Where the terminal is gone it is on its way out by itself.
            if self.app.future is not None and not self.app.future.done():
                self.app.exit()
            self.atEnd()

    def _soon(self) -> None:
        if not self._isDue:
            self._isDue = True
            self._loop.call_later(GATHERED, self._printSoon)

    def _printSoon(self) -> None:
        self._isDue = False
        try:
            self._print()
        except OSError:
            # The terminal is gone.
            if self.client is not None:
                self.client.over(129, "")

    def _print(self) -> None:
        """Write what has arrived above the lower part, and draw that again."""
        app = self.app
        if not app.is_running:
            return
        lines, self._lines = self._lines, []
        with set_app(app):
            if lines:
                app.renderer.erase()
                app.output.write_raw("\r\n".join([*lines, ""]))
                if self._bell:
                    app.output.write_raw("\a")
                    self._bell = False
                app.output.flush()
            # What the windows hold is kept from one drawing to the next of the same number.
            app.render_counter += 1
            app.renderer.render(app, app.layout)
