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
LEAVE = "leave"  # text: why, or nothing
NICK = "nick"  # target: the new name; author: the old one
TOPIC = "topic"  # text: the new topic, or nothing

# Kinds said to one person, in no log.
GREETING = "greeting"  # text: the server's name
ASK = "ask"  # the question for a name
WELCOME = "welcome"  # the first room; author: the name given; text: who else is there
ENTER = "enter"  # the same for another room
NOW = "now"  # what was shown so far is past
PLACE = "place"  # text: the place in the queue, from 1
FULL = "full"  # text: how many seats there are
NOTE = "note"  # text
REFUSAL = "refusal"  # text
FAREWELL = "farewell"  # the answer to whoever quits

# Kinds only observers see, in no log.
CONNECT = "connect"  # a connection was accepted
NAMED = "named"  # it has a name, and is in
DISCONNECT = "disconnect"  # it is over; text: what went wrong, if something did

#: What is not a change of who is there or what is so; the other kinds are.
SPEECH = frozenset((SAY, ME, TELL))

#: What was said, as against who came and went: what history shows.
SAID = frozenset((SAY, ME, TOPIC))


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
    """

    room: str
    seq: int
    time: int
    author: str
    kind: str
    text: str = ""
    target: str = ""
    origin: int = 0


class Say(Struct, frozen=True, gc=False):
    """Say C{text} in the current room, or give the name that was asked for."""

    text: str


class Command(Struct, frozen=True, gc=False):
    """Run the command C{name} (lower-case, without its slash) with C{argument}."""

    name: str
    argument: str = ""


Intent = Say | Command


class Refused(Exception):
    """
    What was asked for is refused, and nothing of it was done.  C{str(it)} is one line for
    the one who asked, that says why and what would do.
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
