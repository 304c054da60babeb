"""
The seams of MUCS: read this file first.

A line's way, and whose it is::

    bytes -> Telnet, Framing -> LineReceiver -> IDialect.parse -> intent
          -> Session: IFilter, ICommand -> Room.post -> Turn
    Turn: ILog.append -> IAudience.render, once per audience -> IMember.send -> IObserver

Plugins provide L{IFrontEnd}, L{ICommand}, L{IFilter} or L{IObserver}; Twisted finds them in
C{mucs.plugins}.  Everything else is how the floors of the house speak with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IProtocolFactory

    from mucs.events import Event, Intent, Tail


class INamed(Interface):
    """What every plugin tells of itself."""

    name: str = Attribute("One lower-case word, unique among the plugins of its kind.")
    summary: str = Attribute("One line of plain text, for C{--list-plugins} and C{/help}.")


class IFrontEnd(INamed):
    """Turns bytes into intents and events into bytes, for one listening endpoint."""

    def policy() -> Any:
        """The L{mucs.rules.Policy} its listeners have, where the configuration says no other."""

    def factory(hall: Any, listener: Any) -> IProtocolFactory:
        """
        Make what a listening endpoint needs.

        @param hall: the L{mucs.hall.Hall} that everyone shares.
        @param listener: the L{mucs.listener.Listener} with this endpoint's settings.
        """


class ICommand(INamed):
    """What C{/name argument} does."""

    role: str = Attribute("Who may, at least: one of L{mucs.roles.ROLES}.")
    usage: str = Attribute("How it is typed, e.g. C{/msg NAME text}; optional parts in [].")

    def run(session: Any, argument: str) -> Iterable[Event] | Deferred[Iterable[Event]]:
        """
        Do it.  What this person asks for next waits for the answer; nobody else does.

        @param session: the L{mucs.session.Session} that asks.
        @param argument: what stood behind the command's name, clean, not yet split.
        @return: what is answered to the one who asked (L{mucs.events.note}); what others see is
            posted to a room.
        @raise mucs.events.Refused: and then nothing has been done.
        """


class IFilter(INamed):
    """Sees every intent before it is carried out."""

    def filter(session: Any, intent: Intent) -> Intent:
        """
        Let it pass, changed or as it is.  Never waits.

        @raise mucs.events.Refused: it is not carried out, and the sender is told why.
        """


class IObserver(INamed):
    """Sees what has happened, after everyone else has."""

    def observe(batch: Sequence[tuple[Event, Any]]) -> None:
        """
        @param batch: events in their order, each with the L{mucs.session.Session} it came from,
            or L{None}.
        """


class ILog(Interface):
    """
    The durable, ordered store of events; L{mucs.log.memory} is the simplest provider.

    Nothing above this line may assume that an answer comes at once, nor that the
    answers of two logs come in the order they were asked.
    """

    level: str = Attribute("What outlives what: C{none}, C{process} or C{power}.")

    def open() -> None:
        """
        Begin; called once, when the service begins, before anything else is asked.

        @raise mucs.events.LogError: it cannot be used.
        """

    def append(batch: Sequence[Event]) -> Deferred[list[Event]]:
        """
        Store events, all of them or none.

        An event with an C{id} that the log already has, of the same room and author, is not
        stored again: the one it has stands in its place in the answer, with its old number; so
        it is too for one that stands twice in the batch.  An C{undo} makes the event whose
        number is its C{target} a withdrawn one.

        @param batch: events without C{seq} and C{time}, in the order they happened.
        @return: fires with the same events, numbered and timed, once they are stored; fails with
            L{NotStored<mucs.events.NotStored>} if they are not, or with
            L{Unknown<mucs.events.Unknown>} if they may be.  At most one call is under way at a
            time.
        """

    def tail(room: str, limit: int) -> Deferred[Tail]:
        """Fires with what is known of a room, and at most C{limit} of its last events."""

    def read(room: str, limit: int, before: int = 0, after: int = 0) -> Deferred[list[Event]]:
        """
        Fires with events of a room in their order: the last C{limit} whose seq is below
        C{before}, or the first C{limit} whose seq is above C{after} (and below C{before}), or
        the last C{limit} of all.  The text of what was withdrawn is empty, its kind C{withdrawn}.
        """

    def search(words: str, rooms: Sequence[str], limit: int) -> Deferred[list[Event]]:
        """
        Fires with at most C{limit} things said in C{rooms} that hold all C{words}, newest first;
        nothing withdrawn.
        """

    def present() -> Deferred[list[tuple[str, str]]]:
        """Fires with who, as far as the log knows, is in which room: room and name."""

    def remember(values: Mapping[str, bytes], until: int) -> Deferred[None]:
        """Keep small values by key, all or none, until a time (ms since 1970), replacing older."""

    def recall(key: str) -> Deferred[bytes | None]:
        """Fires with a value that was kept, and forgets it; L{None} if there is none any more."""

    def put(kind: str, key: str, value: bytes | None) -> Deferred[None]:
        """
        Keep a record for good, in place of another of the same kind and key; L{None} removes it.

        @return: fires once that is stored; fails as C{append} does.
        """

    def entries(kind: str, last: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        """
        Fires with the records of a kind, key and value, in the order of their keys (as UTF-8);
        only those with the C{last} so many keys, if not 0.
        """

    def close() -> None:
        """Let go of whatever it holds.  Nothing is asked of it after that."""


class IAudience(Interface):
    """The people in a room who get the same bytes.  Hashable; equal means the same bytes."""

    echoes: bool = Attribute("Whether speech is shown to its speaker as to anyone else.")

    counts: bool = Attribute("Whether they count the events by their numbers.")

    def render(events: Sequence[Event]) -> list[str]:
        """One string for each event, its line end included; empty where nothing is said."""

    def own(events: Sequence[Event]) -> str:
        """What is shown to the speaker of C{events}, where speech is not simply echoed."""


class ISession(Interface):
    """What the hall, and the writers of plugins, know of a session: L{mucs.session.Session}."""

    id: int = Attribute("A number no other session of this run has.")
    name: str = Attribute("What it is called; empty until it has a name.")
    account: str = Attribute("The key of the account it is logged in to, or nothing.")
    admin: bool = Attribute("Whether it is an admin of the server.")
    sanctions: Any = Attribute("The numbers of the bans and mutes that go with it.")
    host: str = Attribute("The address it comes from, without the port.")
    counted: bool = Attribute("Whether it counts among the connections from that address.")
    policy: Any = Attribute("The L{mucs.rules.Policy} it is treated by.")
    state: int = Attribute("Where it stands; see L{mucs.session}.")
    listener: Any = Attribute("The L{mucs.listener.Listener} it came in by.")
    hall: Any = Attribute("The L{mucs.hall.Hall}.")
    rooms: Any = Attribute("The rooms it is in.")
    token: str = Attribute("What it may come back with, or nothing.")
    current: Any = Attribute("The room it speaks in, or L{None}.")

    def role(room: Any = None) -> str:
        """Which of L{mucs.roles.ROLES} it has, in a room or anywhere."""

    def reply(*answers: Event) -> None:
        """Say something to this person only."""

    def place() -> Any:
        """Where it has read to: a L{mucs.places.Place}."""

    def lastWords() -> None:
        """Do now what still waits: the server is about to stop."""

    def dismiss(why: str) -> None:
        """Close the connection; C{why} is told."""


class IMember(ISession):
    """What a room and the turn know of someone in it."""

    def audience(room: Any) -> IAudience:
        """Whom this person, in this room, gets the same bytes as."""

    def own(room: Any, event: Event) -> str:
        """What this person is shown of a change that is their own: a join, a new name ..."""

    def send(data: bytes) -> None:
        """Pass bytes on.  Never raises, never calls back before the turn is over."""

    def sender() -> Any:
        """A L{mucs.volley.Sender} that could send them now, if there is one."""

    def stored(room: Any, event: Event) -> None:
        """A change that this person asked for is in the log: make it so.  Not called for speech."""

    def settled(room: Any, event: Event) -> None:
        """The same, after everyone has been told."""

    def failed(room: Any, event: Event, unknown: bool) -> None:
        """What this person asked for is not stored, or it is C{unknown} whether it is."""

    def repeated(room: Any, event: Event) -> None:
        """What this person said, with an id, was in the log already."""

    def waits() -> None:
        """The log takes its time with what this person asked for."""


class IDialect(Interface):
    """A way of writing, as a value: what a session and the line front end need to know of it."""

    framing: str = Attribute("How bytes become lines: a key of L{mucs.line.framing.FRAMINGS}.")
    pace: float = Attribute("Seconds between two sends; 0 for any number of them.")
    size: int = Attribute("Bytes that one paced send may have.")
    end: bytes = Attribute("What ends a paced send.")

    telnet: bool = Attribute("Whether a telnet may be there, to be told to hide what is typed.")
    framed: bool = Attribute("Whether what is said stands in frames, longer than it is.")

    def instead(line: str) -> Any:
        """Another dialect, if a connection's first line says that it is meant; else L{None}."""

    def speech(text: str) -> list[str]:
        """The lines of a text, clean, if each is plain speech; else nothing."""

    policy: Any = Attribute("The L{mucs.rules.Policy} its listeners have, if not told otherwise.")

    def parse(line: str) -> Intent:
        """What a line, already clean and not empty, asks for."""

    def audience(place: str, echo: str) -> IAudience:
        """
        Those who write so, and are in such a room.

        @param place: C{current} (the room they speak in), C{other}, or C{private} (of two).
        @param echo: C{none}, C{line} or C{ack}: what they see of their own speech.
        """

    def reply(events: Iterable[Event]) -> str:
        """What is said to one person, with line ends."""

    def history(events: Sequence[Event], now: int) -> str:
        """Things said earlier, as shown to someone who comes in; C{now} in ms since 1970."""

    def console(event: Event, peer: str, number: int) -> str:
        """
        Lines for the operator's console, or nothing.

        @param peer: where the one who did it comes from, C{IP:PORT}.
        @param number: the number of the connection.
        """


class IReader(Interface):
    """The receiving side of a connection, as far as a session must slow it."""

    def pauseProducing() -> None:
        """Read no more for now."""

    def resumeProducing() -> None:
        """Read on."""

    def conceal(hidden: bool) -> None:
        """Have what is typed not shown on the peer's terminal, or shown again, if that can be."""
