"""
Coming in, and coming back, to a server that counts.

A connection goes through these phases::

    GREETING   nothing is sent until the server has said that it is one
    NAMING     it knows who we are, and which rooms we come back to, and what we have seen of each
    IN         all these rooms have said C{now}: what was typed goes out

What is said and told then is L{mucs.client.conversation}'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from mucs.client.outbox import Outbox
from mucs.client.rooms import Room
from mucs.client.told import Rubbish, Told, read
from mucs.client.views import NOT_RIGHT, REFUSED, Clock, View
from mucs.client.wording import LOG_IN, note, refusal
from mucs.text import clean, quote

GREETING, NAMING, IN = range(3)

#: The line after which a native listener understands json.
WELCOME = "-- welcome to "

#: Bytes of a line.  What is said in one has 4 KiB at most, so an event is far below this.
LONGEST = 1 << 18

#: Seconds before a name is tried again on the same connection.
AGAIN = 2.0

#: The id of the command that logs in.
LOGIN = "login"


class Arrival:
    """
    See L{mucs.client.views.Talk}.

    @ivar current: the room one speaks in, or nothing.
    @ivar rooms: those one is in.
    @ivar outbox: what was typed and is not done.
    """

    def __init__(
        self,
        view: View,
        clock: Clock,
        name: str,
        rooms: dict[str, int] | None = None,
        password: str = "",
        patient: bool = True,
    ) -> None:
        """
        @param rooms: where to go, if not to the lobby, and what was seen of each; 0 for nothing.
        @param patient: whether there is someone who can choose another name.
        """
        self.name = name
        self.asks = not name
        self.rooms: dict[str, Room] = {}
        self.current = ""
        self.server = ""
        self.outbox = Outbox(clock.seconds)
        self._view = view
        self._clock = clock
        self._wanted = dict(rooms or {})
        self._password = password
        self._patient = patient
        self._phase = GREETING
        self._hasBeenIn = False
        self._send: Callable[[bytes], None] | None = None
        self._buffer = b""
        self._expected = 0  # rooms that have not said "now" yet
        self._logsIn = False
        self._isThere = False  # on this connection a room was entered
        self._refused = ""  # why the name or the password is, on this connection
        self._told = ""  # of what was refused the user was told this last
        self._calls: list[Any] = []

    @property
    def isIn(self) -> bool:
        return self._phase == IN

    @property
    def greeted(self) -> bool:
        """Whether the server has said on this connection that it is one."""
        return self._phase != GREETING

    def connected(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._phase = GREETING
        self._buffer = b""

    def lost(self) -> bool:
        self._send = None
        self._phase = GREETING
        for call in self._calls:
            if call.active():
                call.cancel()
        self._calls.clear()
        for item in self.outbox.lost():
            why = "the line was lost, and it is not known whether this was done"
            self._view.failed(item.text, why)
        self._view.changed()
        return True

    def heard(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if self._send is None:
                return
            self._line(line.removesuffix(b"\r"))
        if len(self._buffer) > LONGEST:
            self._over("a line of it never ends")

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"{"):
            self._plain(clean(line.decode("utf-8", "replace")))
            return
        try:
            told = read(line)
        except Rubbish as rubbish:
            self._over(str(rubbish))
        else:
            self._hear(told)

    def _plain(self, line: str) -> None:
        """A line of the native dialect, from before the server knows how we speak."""
        if line.startswith(WELCOME) and self._phase == GREETING:
            self.server = line.removeprefix(WELCOME)
            self._hello()
        elif line.startswith("-- You are number "):
            self._view.show(note(line.removeprefix("-- ")))
        elif line.startswith("! "):
            self._refuse(line.removeprefix("! "))
        elif line and not line.startswith("-- "):
            self._over(f"it says {line[:60]!r}")

    def _over(self, what: str) -> None:
        self._view.over(NOT_RIGHT, f"what the server says is not MUCS's protocol: {what}")

    def _ask(self, **request: Any) -> None:
        if self._send is not None:
            self._send(json.dumps(request, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def _hear(self, told: Told) -> None:
        raise NotImplementedError

    def _flush(self) -> None:
        raise NotImplementedError

    # Names.

    def _hello(self) -> None:
        """Say who we are, and where we want to be."""
        self._phase = NAMING
        self._refused = ""
        self._isThere = False
        if not self.name:
            self.asks = True
            self._view.changed()
            return
        # The last one is where we speak.
        names = sorted(self.rooms, key=lambda name: name == self.current)
        places = {name: self.rooms[name].seen for name in names} or self._wanted
        self._expected = len(places) or 1
        self._ask(name=self.name, **({"rooms": places} if places else {}))
        self._logsIn = bool(self._password)
        if self._logsIn:
            # A name that belongs to an account is refused, and logging in then gives it to us, in
            # the rooms that were asked for.
            self._ask(do=f"/login {quote(self.name)} {self._password}", id=LOGIN)

    def _helloAgain(self) -> None:
        if self._phase == NAMING and not self._isThere:
            self._hello()

    def _refuse(self, why: str) -> None:
        """We cannot come in; or, by this name."""
        if self._logsIn:
            self._refused = why
        elif self._hasBeenIn:
            # The server has perhaps not noticed yet that our line was lost.
            if why != self._told:
                self._told = why
                self._view.show(refusal(f"{why} (trying again)"))
            if self._phase == NAMING:
                self._later(AGAIN, self._helloAgain)
        elif self._patient and self._phase == NAMING:
            self._view.show(refusal(why))
            if "/login" in why:
                self._view.show(note(LOG_IN))
            self.asks = True
            self.name = ""
            self._view.changed()
        else:
            self._view.over(REFUSED, f"the server refuses: {why}")

    def _loggedIn(self) -> None:
        """What we asked for with a password is done, or refused."""
        self._logsIn = False
        if not self._refused:
            return
        if not self._password:
            # It was typed, and can be typed again.
            self._view.failed("", self._refused)
            return
        if self._hasBeenIn and not self._isThere:
            self._refuse(self._refused)
        else:
            self._view.over(REFUSED, f"the server refuses: {self._refused}")

    def _logIn(self, line: str) -> None:
        """Log in at the name prompt, with C{/login NAME PASSWORD} as it was typed."""
        self._refused = ""
        self._logsIn = True
        self._ask(do=line, id=LOGIN)

    def _call(self, name: str) -> None:
        """Someone has said what they want to be called."""
        if name.startswith("/"):
            self._view.show(refusal("first say what you want to be called, or /login"))
            return
        self.name = name
        self.asks = False
        if self._phase == NAMING:
            self._hello()
        self._view.changed()

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._calls = [call for call in self._calls if call.active()]
        self._calls.append(self._clock.callLater(seconds, do))

    # Rooms.

    def _entered(self, told: Told) -> None:
        name = told.entered
        assert name is not UNSET
        self.name = told.name or self.name
        self.asks = False
        self._isThere = True
        # What is refused after this is no name.
        self._refused = ""
        new = name not in self.rooms
        room = self.rooms.setdefault(name, Room(name))
        room.meets(told.others)
        # Of a room we are in we are only told again that we are.
        room.arriving = new or self._phase == NAMING
        self.current = name
        room.unread = 0
        if new:
            self._view.show(note(f"you are {self.name} in #{name} with {told.others}"))
        self._view.changed()

    def _now(self, told: Told) -> None:
        assert told.now is not UNSET
        room = self.rooms.get(told.now)
        if room is None:
            return
        room.arriving = False
        room.seen = max(room.seen, told.seq)
        if self._phase == NAMING:
            self._expected -= 1
            if self._expected <= 0:
                self._phase = IN
                if self._hasBeenIn:
                    self._view.show(note("you are back"))
                self._hasBeenIn = True
                self._told = ""
                self._flush()
        self._view.changed()
