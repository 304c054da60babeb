"""
The hall: the whole service.  It holds the rooms (L{mucs.rooms}), the people (L{mucs.people}) and
the plugins, and is what every factory holds.

Its children are the listeners.  When it stops it says so to everyone, delivers what was
accepted, and closes every connection, whatever the peers do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.audit import Audit
from mucs.closing import Closing
from mucs.events import LEAVE, Event, LogError, Refused
from mucs.hashing import Hashing
from mucs.imucs import ICommand, IFilter, ILog, IMember, IObserver
from mucs.listener import Listener, StartError
from mucs.mail import Letter, Mail
from mucs.names import nearest
from mucs.outcome import Batch
from mucs.pairs import Pair, Pairs
from mucs.people import People
from mucs.places import Places
from mucs.plugin import Guard
from mucs.roomrules import RoomRules
from mucs.rules import Limits
from mucs.settings import Settings
from mucs.wishes import Wishes

log = Logger()


class Hall(People):
    """
    @ivar motd: the lines of the message of the day.
    @ivar commands: by name.
    @ivar wishes: what people have set for themselves.
    @ivar mail: what waits for those who are not here.
    @ivar audit: who ordered what.
    @ivar rules: who may do what in which room.
    @ivar closing: the end, if somebody has ordered it.
    @ivar ready: whether the records are read, and people can come in.
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
        hashing: Hashing | None = None,
    ) -> None:
        observe = self._observe if observers else None
        super().__init__(reactor, store, scratch, limits, clock, observe, called, hashing)
        self.motd = motd
        self.commands = commands or {}
        self.filters = filters
        self.guard = Guard(self.seconds)
        self._observers = observers
        self.wishes = Wishes(self.table("settings", Settings))
        self.mail = Mail(self.table("mail", Letter))
        self.pairs = Pairs(self.table("pair", Pair))
        self.ready = False
        self.audit = Audit(store, clock)
        self._tables.append(self.audit)
        self.rules = RoomRules(self)
        self.recognizers += [self.rules.recognize, self.wishes.recall, self.mail.bring]
        self.closing = Closing(self)
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
        read = DeferredList([table.load() for table in self._tables], fireOnOneErrback=True)
        read.addCallbacks(self._read, self._unread)
        self.realm.hashing.start()

    def _read(self, _: object) -> None:
        for room in self.rooms.values():
            self.prepare(room)
        self.ready = True

    def _unread(self, failure: Failure) -> None:
        """Nobody can come in: names and rooms would not be whose they are."""
        log.failure("the records cannot be read", failure)

    def _absent(self, present: list[tuple[str, str]]) -> None:
        """Whoever the log still shows as present, since a crash say, is not."""
        for room, name in present:
            self.room(room).post(Event(room, 0, 0, name, LEAVE, "the server stopped"), None)
        self.stored().addCallback(self._tidy)

    def _tidy(self, _: None) -> None:
        for room in [*self.rooms.values()]:
            self.left(room)

    # What may change while it runs.

    def equip(
        self,
        commands: dict[str, ICommand],
        filters: Sequence[IFilter],
        observers: Sequence[IObserver],
    ) -> None:
        """From now on these are the plugins."""
        self.commands = commands
        self.filters = filters
        self._observers = observers
        self._turn.observe = self._observe if observers else None

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

    def notePlaces(self) -> None:
        """Keep the places of all who are in, in case that this run ends without warning."""
        inside = {token: each for token, each in self.tokens.items() if each.rooms}
        self.places.note({token: each.place() for token, each in inside.items()})

    # The end.

    def stopService(self) -> Deferred[Any]:
        """
        Stop listening, say so to everyone, deliver what was accepted, close.

        @return: fires when every connection is gone: within some 5 s, the outlet's patience.
        """
        self.closing.cancel()
        stopped = super().stopService()
        self._closing = Deferred()
        # Those who wait for a seat first, the last in the queue before the others: so nobody
        # is told of a place, or given a seat, that is of no use any more.
        sessions = sorted(self.sessions.values(), key=lambda session: (session.state, -session.id))
        for session in sessions:
            session.lastWords()
        self.flush()
        self.places.gather()
        for session in sessions:
            session.dismiss("the server is shutting down")
        self.flush()
        self.places.flush()
        if not self._open and not self._closing.called:
            self._closing.callback(None)
        ended = DeferredList([stopped, self._closing], consumeErrors=True)
        return ended.addCallback(self._close)

    def _close(self, _: object) -> None:
        self.realm.hashing.stop()
        self._turn.stop()
        self._scratch.stop()
        self.history.close()
