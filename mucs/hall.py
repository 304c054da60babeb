"""
The hall: the whole service.  It holds the rooms, the names, the sessions and the limits, and is
what every factory holds.

Its children are the listeners.  When it stops it says so to everyone, delivers what was
accepted, and closes every connection, whatever the peers do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mucs.events import LEAVE, Event, LogError, Refused
from mucs.history import History
from mucs.imucs import ICommand, IFilter, ILog, IMember, IObserver
from mucs.listener import Listener, StartError
from mucs.names import BadName, checkRoom, fold, nearest
from mucs.outcome import Batch
from mucs.places import Places
from mucs.plugin import Guard
from mucs.register import Register
from mucs.room import Room
from mucs.rules import Addresses, Limits, descriptors
from mucs.turn import Turn

log = Logger()

LOBBY = "lobby"

#: How many names are listed to one who comes in.
NAMED = 20

#: File descriptors that connections leave to the rest: listeners, the log, the reactor.
SPARE = 64


class Hall(MultiService):
    """
    @ivar called: what the server is called.
    @ivar motd: the lines of the message of the day.
    @ivar seconds: a clock that never goes back.
    @ivar rooms: the public rooms, by folded name.
    @ivar sessions: every connection that has a place here, by number.
    @ivar commands: by name.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: ILog,
        scratch: ILog,
        limits: Limits,
        called: str = "MUCS",
        motd: Sequence[str] = (),
        commands: dict[str, ICommand] | None = None,
        filters: Sequence[IFilter] = (),
        observers: Sequence[IObserver] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """@param scratch: keeps private words, for as long as one of the two is here."""
        super().__init__()
        self.reactor = reactor
        self.seconds = reactor.seconds
        self.limits = limits
        self.called = called
        self.motd = motd
        self.commands = commands or {}
        self.filters = filters
        self.guard = Guard(self.seconds)
        self.rooms: dict[str, Room] = {}
        self.sessions: dict[int, IMember] = {}
        self._observers = observers
        self.names = Register(called)
        self._open: set[IMember] = set()
        self._private: dict[str, Room] = {}
        self._last = 0
        self._addresses = Addresses(limits, self.seconds)
        self._most = limits.connections or descriptors() - SPARE
        self._closing: Deferred[None] | None = None
        observe = self._observe if observers else None
        self._turn = Turn(reactor, store, limits, observe)
        self._scratch = Turn(reactor, scratch, limits)
        self.history = History(store, clock)
        self.places = Places(store, clock, reactor.seconds)
        self.tokens: dict[str, IMember] = {}

    def startService(self) -> None:
        """
        Listen, and then open the log: where the first fails, no file of the second is left, and its
        files are those of whoever the service runs as.

        @raise StartError: one of them is not possible.
        """
        super().startService()
        try:
            present = self.history.open()
        except LogError as error:
            for child in self:
                if isinstance(child, Listener):
                    child.close()
            raise StartError(str(error)) from error
        present.addCallback(self._absent)

    def _absent(self, present: list[tuple[str, str]]) -> None:
        """Whoever the log still shows as present, since a crash say, is not."""
        for room, name in present:
            self.room(room).post(Event(room, 0, 0, name, LEAVE, "the server stopped"), None)
        self.stored().addCallback(self._tidy)

    def _tidy(self, _: None) -> None:
        for room in [*self.rooms.values()]:
            self.left(room)

    # Connections.

    def number(self) -> int:
        """A number for a new session."""
        self._last += 1
        return self._last

    def arrive(self, session: IMember) -> None:
        """There is a new connection. @raise Refused: there is no room for it."""
        self._open.add(session)
        if self._closing is not None:
            raise Refused("the server is shutting down")
        if len(self._open) > self._most:
            raise Refused("the server has as many connections as it can; try again later")
        if not session.listener.proxied:
            self.arriveFrom(session)
        self.sessions[session.id] = session

    def arriveFrom(self, session: IMember) -> None:
        """It is known where a connection is from. @raise Refused: too many are from there."""
        if session.listener.trusted:
            return
        why = self._addresses.enter(session.host)
        if why is not None:
            raise Refused(why)
        session.counted = True

    def depart(self, session: IMember) -> None:
        """A session is over, and its name is free."""
        self.sessions.pop(session.id, None)
        self.names.release(session, session.name)

    def closed(self, session: IMember) -> None:
        """A connection is gone."""
        self._open.discard(session)
        if session.counted:
            session.counted = False
            self._addresses.leave(session.host)
        if self._closing is not None and not self._open and not self._closing.called:
            self._closing.callback(None)

    # Rooms.

    def room(self, name: str, make: bool = True) -> Room:
        """
        A public room.

        @param name: as it was typed, with or without C{#}.
        @raise Refused: it cannot have that name; or it is not there, and is not to be made.
        """
        try:
            name = checkRoom(name, self.limits.room)
        except BadName as bad:
            raise Refused(str(bad)) from bad
        room = self.rooms.get(fold(name))
        if room is None:
            if not make:
                near = nearest(name, [room.name for room in self.rooms.values()])
                hint = f"; did you mean #{near}?" if near else "; /rooms lists them"
                raise Refused(f"there is no room #{name}{hint}")
            room = self.rooms[fold(name)] = Room(name, self._turn.wake, self.limits)
            tail = self.history.tail(name, self.limits.behind)
            room.recall(tail)
            if not room.ready:
                self._turn.patience.begin(room, lambda: room.posters)
                tail.addBoth(lambda _: self._turn.patience.end(room))
        return room

    def privateRoom(self, one: IMember, other: IMember) -> Room:
        """The room in which two people speak in private."""
        # No public room has a comma in its name.
        name = ",".join(map(str, sorted((one.id, other.id))))
        room = self._private.get(name)
        if room is None:
            room = self._private[name] = Room(name, self._scratch.wake, self.limits, private=True)
        return room

    def left(self, room: Room) -> None:
        """Someone left a room: an empty one goes, its log stays."""
        if room.members or room.isBusy():
            return
        if room.private:
            self._private.pop(room.name, None)
        elif self.rooms.get(fold(room.name)) is room:
            del self.rooms[fold(room.name)]

    def company(self, room: Room, session: IMember, comes: bool) -> str:
        """
        Who else is in a room, in words.

        @param comes: whether C{session} comes in just now: then only who was there before, as
            those who come with the same batch, but later, are announced to them.
        """
        later = takewhile(lambda member: member is not session, reversed(room.members))
        count = max(0, len(room.members) - 1 - (len(list(later)) if comes else 0))
        others = (member.name for member in room.members if member is not session)
        names = list(islice(others, min(count, NAMED)))
        if not names:
            return "nobody else"
        more = count - len(names)
        return ", ".join(names) + (f" and {more} others" if more > 1 else " and one other" * more)

    # Plugins.

    def command(self, name: str) -> ICommand:
        """The command of that name. @raise Refused: there is none, or it is switched off."""
        command = self.commands.get(name)
        if command is None:
            near = nearest(name, self.commands)
            hint = f"did you mean /{near}? " if near else ""
            raise Refused(f"there is no command /{name}; {hint}/help lists them all")
        if self.guard.isOff(command):
            raise Refused(f"/{name} is switched off, because it failed too often")
        return command

    def observe(self, session: IMember, kind: str, text: str = "") -> None:
        """Tell the observers of something that stands in no log."""
        if self._observers:
            now = self.history.now()
            self._observe([(Event("", 0, now, session.name, kind, text, "", session.id), session)])

    def _observe(self, batch: Batch) -> None:
        for observer in self._observers:
            self.guard.call(observer, None, observer.observe, batch)

    # The end.

    def stopService(self) -> Deferred[Any]:
        """
        Stop listening, say so to everyone, deliver what was accepted, close.

        @return: fires when every connection is gone: within some 5 s, the outlet's patience.
        """
        stopped = super().stopService()
        self._closing = Deferred()
        # Those who wait for a seat first, the last in the queue before the others: so nobody
        # is told of a place, or given a seat, that is of no use any more.
        sessions = sorted(self.sessions.values(), key=lambda session: (session.state, -session.id))
        for session in sessions:
            session.lastWords()
        self.flush()
        for session in sessions:
            session.dismiss("the server is shutting down")
        self.flush()
        if not self._open and not self._closing.called:
            self._closing.callback(None)
        ended = DeferredList([stopped, self._closing], consumeErrors=True)
        return ended.addCallback(self._close)

    def _close(self, _: object) -> None:
        self._turn.stop()
        self._scratch.stop()
        self.history.close()

    def stored(self) -> Deferred[None]:
        """Fires when everything that was posted so far is stored, or refused."""
        return self._turn.stored()

    def isSlow(self, room: Room, more: int = 1) -> bool:
        """Whether so much waits there for a log that does not answer that C{more} may not."""
        turn = self._scratch if room.private else self._turn
        return room.isFull(more) and (turn.late or not room.ready)

    def isFailing(self) -> bool:
        """Whether nothing can be stored."""
        return self._turn.failing

    def flush(self) -> None:
        """Store and show everything that was posted, now."""
        self._turn.flush()
        self._scratch.flush()
