"""
What happened, and what is asked for: the values that travel through MUCS.

An L{Event} is what a room's log holds and what everyone sees, each in their own
dialect.  An intent (L{Say}, L{Command}) is what a client asks for, already parsed.
Both are immutable, know nothing of bytes or sockets, and are cheap to make (0.1 us;
a frozen dataclass costs 0.7): one of each is made for every line of chat.

What is said to one person only (a note, a refusal, a greeting) is an event too, with
no room and no place in a log, so that every front end can say it in its own words.
"""

from __future__ import annotations

from msgspec import Struct

from mucs.text import clean

# Kinds that stand in a room's log.
SAY = "say"  # text
ME = "me"  # text: what the author does
TELL = "tell"  # text; target: whom.  In a private room of two
JOIN = "join"
LEAVE = "leave"  # text: why, or nothing; target: who kicked them out, or nothing
NICK = "nick"  # target: the new name; author: the old one
TOPIC = "topic"  # text: the new topic, or nothing
UNDO = "undo"  # target: the seq of something said in this room, that is withdrawn
WITHDRAWN = "withdrawn"  # what stands in the place of something withdrawn; no text

# Kinds said to one person, in no log.
GREETING = "greeting"  # text: the server's name
ASK = "ask"  # the question for a name
WELCOME = "welcome"  # the first room; author: the name given; text: who else is there
TOLD = "told"  # a private word of one's own, shown again; target: whom it was said to
ENTER = "enter"  # the same for another room
NOW = "now"  # what was shown so far is past
PLACE = "place"  # text: the place in the queue, from 1
FULL = "full"  # text: how many seats there are
NOTE = "note"  # text
REFUSAL = "refusal"  # text
FAREWELL = "farewell"  # the answer to whoever quits
DONE = "done"  # id: of the command that is done, and everything it changed
ACK = "ack"  # seq; id: of what was said with that id before, and is stored
NAK = "nak"  # text: why what was said is not stored; target: its id
MISSED = "missed"  # room; text: how many events one has missed, that are shown now
GAP = "gap"  # room; seq: the last that was seen; text: how many events are skipped
TOKEN = "token"  # text: what to come back with

# Kinds only observers see, in no log.
CONNECT = "connect"  # a connection was accepted
NAMED = "named"  # it has a name, and is in
DISCONNECT = "disconnect"  # it is over; text: what went wrong, if something did

#: What is not a change of who is there or what is so; the other kinds are.
SPEECH = frozenset((SAY, ME, TELL))

#: What was said, as against who came and went: what history shows.
SAID = frozenset((SAY, ME, TOPIC))

#: What a search finds.
FOUND = SAID | {TELL}

#: What those who may not speak may not do either.
SPOKEN = frozenset((SAY, ME, TOPIC, UNDO))


class Event(Struct, frozen=True, gc=False):
    """
    Something that happened.

    @ivar room: the room's name, without C{#}; empty where it stands in no log.
    @ivar seq: its place in that room's log, from 1 without gaps; 0 until it is stored.
    @ivar time: milliseconds since 1970-01-01 UTC, never going back within a room.
    @ivar author: the name of whoever did it, at that time.
    @ivar kind: one of this module's constants.
    @ivar origin: the L{session<mucs.session.Session>} it came from by its number; 0 for
        none of this run.
    @ivar id: what the client that sent it calls it; empty if it called it nothing.
    """

    room: str
    seq: int
    time: int
    author: str
    kind: str
    text: str = ""
    target: str = ""
    origin: int = 0
    id: str = ""


class Tail(Struct, frozen=True):
    """
    The end of a room's log.

    @ivar name: the room's name, as it was first written; empty if there is no such room.
    @ivar head: the seq of the last event.
    @ivar events: the last ones.
    """

    name: str = ""
    topic: str = ""
    head: int = 0
    events: tuple[Event, ...] = ()


class Say(Struct, frozen=True, gc=False):
    """
    Say C{text} in the current room, or give the name that was asked for.

    @ivar room: where, if not in the current room.
    @ivar id: what the client calls it; the same id twice is stored once.
    """

    text: str
    room: str = ""
    id: str = ""


class Name(Struct, frozen=True):
    """
    Come in as C{name}, or be called so from now on.

    @ivar rooms: the rooms to come into, if not the lobby, each with the seq of the last event
        that was seen of it; 0 for none.
    """

    name: str
    rooms: tuple[tuple[str, int], ...] = ()


class Look(Struct, frozen=True):
    """
    See what was said.

    @ivar room: where; empty for the current room.
    @ivar words: only what holds all of them, in any room one is in.
    @ivar before: only what has a lower seq, or any if 0.
    @ivar after: everything that happened from the next seq on, not only what was said; or L{None}.
    """

    room: str = ""
    words: str = ""
    before: int = 0
    limit: int = 20
    after: int | None = None


class Command(Struct, frozen=True, gc=False):
    """
    Run the command C{name} (lower-case, without its slash) with C{argument}.

    @ivar id: what the client calls it, if it wants to be told when it is done.
    """

    name: str
    argument: str = ""
    id: str = ""


Intent = Say | Command | Name | Look


class Typed(Struct, frozen=True, gc=False):
    """A line as it was typed: what it asks for depends on what is done before its turn comes."""

    text: str


class Refused(Exception):
    """
    What was asked for is refused, and nothing of it was done.  C{str(it)} is one line for
    the one who asked, that says why and what would do.
    """

    #: What was to be said, if it had an id: that, and the room.
    id = ""
    room = ""


class Unsaid(Refused):
    """What was to be said, and had an id, is refused: whoever sent it wants to know which."""

    def __init__(self, why: str, room: str, id: str) -> None:
        super().__init__(why)
        self.room = room
        self.id = id


class LogError(Exception):
    """A log cannot be used; C{str(it)} is one line that says which and why."""


class NotStored(LogError):
    """What was to be stored is not, for certain."""


class Unknown(LogError):
    """
    What was to be stored may be, or may not: a failed flush to the disk may have written all the
    same.
    """


def reply(kind: str, text: str = "", author: str = "", room: str = "") -> Event:
    """An event for one person only; what could move a terminal is taken out of it."""
    return Event(room, 0, 0, author, kind, clean(text))


def note(text: str) -> Event:
    """One line of information for the one who asked."""
    return reply(NOTE, text)


def refusal(text: str) -> Event:
    """One line that says why something was not done."""
    return reply(REFUSAL, text)
