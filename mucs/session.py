"""
A session: one connection's standing in the hall.

It takes intents from its front end, one after another, at the pace the rules allow, and ends in
good order.  How it came in is L{mucs.newcomer}'s, what it does with an intent L{mucs.speaker}'s,
and what the rooms give back L{mucs.member}'s.  It writes in its dialect, and knows nothing of
bytes or sockets.

What it may do follows from its state::

    WAITING   no seat yet; what it sends is answered with its place
    NAMING    asked for a name, or waiting for its address to be known
    JOINING   has a name, and its first join is under way
    IN        can do everything
    LEAVING   its leaves are under way; then it is closed
    GONE      nothing reaches it, nothing comes from it

A change (joining, leaving, a new name, a topic) holds back the intents behind it until it is
stored, so that a script may send all its lines at once and each finds what the one before did.
"""

from __future__ import annotations

from mucs import events as kinds
from mucs.events import Command, Event, Intent, Refused, Typed, refusal, reply
from mucs.hall import Hall
from mucs.imucs import IDialect, IReader
from mucs.inbox import Inbox
from mucs.listener import Listener
from mucs.outlet import Outlet
from mucs.paced import Paced
from mucs.speaker import Speaker
from mucs.viewer import GONE, IN, LEAVING, WAITING


class Session(Speaker):
    """
    @ivar ending: why its connection ended, if that was no good end.
    """

    __slots__ = (
        "_finished",
        "_inbox",
        "_noticed",
        "_quits",
        "ending",
    )

    def __init__(
        self, hall: Hall, listener: Listener, dialect: IDialect, reader: IReader, peer: str
    ) -> None:
        super().__init__(hall, listener, dialect, peer)
        self.ending = ""
        self._inbox = Inbox(hall.reactor, hall.limits, self, reader)
        self._reader = reader
        self._finished = False
        self._quits = False
        self._noticed = ""  # what the others are told of a connection that is lost

    def open(self, outlet: Outlet | Paced) -> None:
        """Begin: there is a connection, and C{outlet} leads to it."""
        self._outlet = outlet
        self.send = outlet.send
        hall, seats = self.hall, self.listener.seats
        try:
            hall.arrive(self)
        except Refused as refused:
            self.reply(refusal(str(refused)))
            if hall.isCrowded():
                outlet.cut()
            else:
                outlet.close()
            return
        hall.observe(self, kinds.CONNECT)
        self.state = WAITING
        if self.policy.full == "refuse" and seats.isFull():
            hall.counts.refused["seats"] += 1
            self.reply(reply(kinds.FULL, str(seats.count)))
            self._end()
        else:
            seats.enter(self)

    # Intents.

    def waiting(self) -> bool:
        return bool(self._inbox or self.changes)

    def queued(self) -> bool:
        return bool(self._inbox)

    def keepsTyped(self) -> bool:
        """Whether lines are to be received as they were typed."""
        return self._then is not None or self.waiting()

    def receive(self, intent: Intent | Typed) -> None:
        """Something is asked for: do it now, or when its turn comes."""
        self.lookUp()
        if self.state == WAITING:
            # Never paused, or nobody would notice that they have gone.
            if type(intent) is Command and intent.name == "quit":
                self._end()
            elif self._inbox.bucket.take():
                self.placed(self.listener.seats.place(self))
        elif self.state == GONE:
            # The rest of a segment, say, in which something else ended the connection.
            return
        elif self._inbox or self.changes or not self._inbox.bucket.take():
            self._inbox.wait(intent)
        else:
            self.perform(intent)

    def speak(self, lines: list[str], size: int) -> bool:
        """
        Say several things at once, if nothing stands against any of them.

        @param size: the sum of their lengths, or somewhat more.
        @return: whether they were said.
        """
        room = self.current
        if (
            self.state != IN
            or room is None
            or room.guarded
            or self.changes
            or self._inbox
            or self._then is not None
            or self.away is not None
            or self.settings.hold
            or self.hall.filters
            or self.hall.isSlow(room, len(lines))
            or not self._inbox.bucket.take(len(lines))
        ):
            return False
        where, name, origin = room.name, self.name, self.id
        said = [Event(where, 0, 0, name, kinds.SAY, text, "", origin) for text in lines]
        room.postSpeech(said, self, size)
        return True

    def quit(self, why: str = "") -> None:
        """Leave everything, in good order."""
        self._quits = True
        self._leave(why)
        if not self.changes:
            self._end()

    @property
    def spent(self) -> bool:
        """Whether nothing more that comes is done: the connection ends."""
        return self._inbox.spent

    def drop(self, lines: int) -> None:
        """So many lines more came, and are not done."""
        self._inbox.undone += lines

    def lastWords(self) -> None:
        self._inbox.hurry()
        self._inbox.work()

    def dismiss(self, why: str) -> None:
        """Close the connection; C{why} is told."""
        for room in self.rooms:
            self.readUp(room)
        self.reply(refusal(why))
        self.ending = why
        self._outlet.close()
        self._leave(why)
        self._end()

    def console(self, event: Event) -> str:
        """What the console says of an event that came from here: lines, or nothing."""
        return self._dialect.console(event, self.peer, self.id)

    def stuck(self, why: str) -> None:
        """The peer takes nothing, and the connection is being lost."""
        self.hall.counts.refused["unread"] += 1
        self.ending = self._noticed = why

    def proceed(self) -> None:
        if self.state == LEAVING:
            self._end()
        else:
            self.done()
            self._inbox.work()

    def worked(self) -> None:
        """Some of what waited is done."""
        undone, self._inbox.undone = self._inbox.undone, 0
        if undone:
            # Where the server ends the connection they can still be told.
            last = f"last {undone} lines" if undone > 1 else "last line"
            self.reply(refusal(f"not said, as it was too much at once: the {last} from you"))
        if self._inbox.isPaused() and self._outlet.isReset():
            # The reactor does not notice while the connection is not read.
            self._gone(clean=False)
        else:
            self._perhapsFinish()

    # Going.

    def finish(self) -> None:
        """Nothing more will come: leave when everything that came is done."""
        self._finished = True
        self._perhapsFinish()

    def _perhapsFinish(self) -> None:
        if self._finished and not self._inbox and not self.changes and self.state < LEAVING:
            self._leave(self._noticed)
            if not self.changes:
                self._end()

    def unplugged(self) -> None:
        """The connection is gone, and nothing is sent any more."""
        self.hall.counts.broken += self._outlet.lost()

    def lost(self, clean: bool) -> None:
        """
        The connection is gone: so it is L{unplugged} already.

        What came before is still done, at once, as far as L{Inbox.hurry} lets it.

        @param clean: whether the peer closed it in good order.
        """
        self.hall.closed(self)
        if self.state != GONE:
            self._gone(clean)

    def _gone(self, clean: bool) -> None:
        # Others are told what was noticed here, but not how a line was lost.
        if not clean:
            self.ending = self.ending or "connection lost"
        if (self._inbox or self.changes) and self.state < LEAVING:
            self._inbox.hurry()
            self._finished = True
            if not self.changes:
                self._inbox.work()
            return
        self._leave(self._noticed)
        self._end()

    def _leave(self, why: str) -> None:
        if self.state in (LEAVING, GONE):
            return
        place = self.place()
        for queued in list(self._queued):
            self.unqueue(queued)
        rooms = [each for each in {**self.rooms, **self._joining} if not each.private]
        self.state = LEAVING
        if self.token and self.hall.tokens.pop(self.token, None) is self:
            if self._quits:
                self.hall.places.forget(self.token)
            else:
                self.hall.places.keep(self.token, place)
        for room in rooms:
            if room not in self._going:
                # What one says oneself at the end is shown only where one may speak.
                told = not (self._quits and room.guarded and self.hall.rules.speak(self, room))
                self.change(room, kinds.LEAVE, why * told)

    def _end(self) -> None:
        """Give everything back; close the connection, if there still is one."""
        if self.state == GONE:
            return
        for room in list(self.rooms):
            self._out(room)
        if self.state == LEAVING:
            self.reply(reply(kinds.FAREWELL))
        self.state = GONE
        self._inbox.close()
        self.arrived()
        self._outlet.close()
        self.hall.observe(self, kinds.DISCONNECT, self.ending)
        self.hall.names.release(self, self._renaming)
        self.hall.depart(self)
        self.listener.seats.leave(self)
