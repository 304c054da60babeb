"""
Orders: what those do who keep a room, or the server, in order.

Every order is asked for alike: whom it is about, and where; whether whoever gives it may
(L{check}); then it is written to the audit log; and only then it is done (L{give}).  The commands
say what that is.  A person who is not here is known by the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note, refusal
from mucs.names import fold
from mucs.register import LONGEST, TOO_LONG
from mucs.roles import can, had, least, outranks
from mucs.room import Room
from mucs.rules import Addresses
from mucs.sanctions import BAN, MOST, Sanction, origin, parse
from mucs.spans import span, words
from mucs.text import firstWord, quote

#: Before whom a ban holds, if not in the room.
SERVER = "--server"

Answer = Iterable[Event]


class Target(Struct, frozen=True):
    """
    Whom an order is about.

    @ivar name: as it is shown.
    @ivar account: the key of the account, or nothing.
    @ivar session: the one of that name; L{None} for who is not here.
    @ivar network: where a guest came from who is not here any more, if that is known.
    """

    name: str
    account: str
    session: Any
    network: str = ""


def shown(hall: Any, key: str) -> str:
    """The name of an account by its key; the key where that is all there is."""
    return str(hall.names.registered(key) or key)


def where(session: Any, argument: str) -> tuple[Room | None, str]:
    """
    Where a ban is meant to hold.

    @return: the room, or L{None} for the server; and the rest of the argument.
    @raise Refused: it is not for this person to say so.
    """
    word, rest = firstWord(argument)
    if word != SERVER or argument.lstrip().startswith('"'):
        return session.here(), argument
    session.need(least("ban from the server"))
    return None, rest


def whom(session: Any, name: str, usage: str, left: Room | None = None) -> Target:
    """
    Someone who is here, or registered, or a guest who has just C{left} a room.

    @raise Refused: nobody is called so.
    """
    names = session.hall.names
    if len(name) > LONGEST:
        raise Refused(f"{TOO_LONG}; {usage}")
    if names.get(name) is None and (key := names.whose(name)):
        return Target(names.registered(name), key, None)
    if names.get(name) is None and left is not None:
        leaver = session.hall.leavers.find(left.key, name)
        if leaver is not None:
            still = session.hall.sessions.get(leaver.session)
            account = "" if still is None else still.account
            return Target(leaver.name, account, still, leaver.network)
    other = names.find(name)
    return Target(other.name, other.account, other)


def check(session: Any, target: Target, room: Room | None, usage: str) -> None:
    """@raise Refused: it is not for this person to give orders about that one."""
    account = target.account
    if target.session is session or (account and account == session.account):
        ends = target.session not in (None, session)
        instead = f"/logout {quote(target.name)} ends that connection" if ends else usage
        raise Refused(f"that is you; {instead}")
    others = [each for each in session.hall.sessions.values() if account == each.account != ""]
    if target.session is not None:
        others.append(target.session)
    role = had(account, None if room is None else room.settings)
    mine = session.role(room)
    for theirs in [role, *(other.role(room) for other in others)]:
        if not outranks(mine, theirs):
            raise Refused(f"{target.name} is {theirs}, and you are {mine}: not for you; {usage}")


def give(
    session: Any,
    what: str,
    do: Callable[[int], Answer | Deferred[Answer]],
    whom: str = "",
    room: Room | None = None,
    text: str = "",
) -> Deferred[Answer]:
    """
    Write an order down, and then have it done.

    @param do: is called with its number; may raise L{Refused}.
    @return: fires with what is answered.
    """
    place = "" if room is None else room.name
    written: Deferred[int] = session.hall.audit.write(session, what, whom, place, text)
    return written.addCallback(do)


def reason(session: Any, text: str, usage: str) -> str:
    """Why, as it was said. @raise Refused: it is too long."""
    most = session.hall.limits.topic
    if len(text) > most:
        raise Refused(f"a reason has at most {most} characters, not {len(text)}; {usage}")
    return text


def term(text: str) -> tuple[int, str]:
    """How long something is to hold, in seconds, if that is said: 0 for ever; and the rest."""
    word, rest = firstWord(text)
    seconds = span(word)
    return (seconds, rest) if seconds else (0, text)


def network(word: str) -> str:
    """What a ban on an address goes by; nothing where a word is no address."""
    found = parse(word)
    if found is None:
        return ""
    return str(found) if "/" in word else Addresses.network(word)


def impose(
    session: Any, kind: str, whom: Target | str, room: Room | None, seconds: int, why: str
) -> Deferred[Answer]:
    """
    Ban or mute someone; a ban kicks first who is here.

    @param whom: who, or a network.
    @param seconds: for how long; 0 for ever.
    @raise Refused: that is so already, or there are too many.
    """
    hall = session.hall
    key = "" if room is None else room.key
    target = whom if isinstance(whom, Target) else None
    name = target.name if target is not None else str(whom)
    done = "banned from" if kind == BAN else "muted in"
    place = hall.called if room is None else f"#{room.name}"
    before = hall.sanctions.find(kind, key, name)
    if before is not None:
        undo = f"/unban {before.number}" if kind == BAN else f"/unmute {name}"
        raise Refused(f"{name} is {done} {place} already{before.terms()}; {undo} first")
    if len(hall.sanctions.of(key)) >= MOST:
        raise Refused(f"{MOST} bans and mutes hold here already; /unban or /unmute some first")
    guest = target is not None and not target.account
    now = hall.history.now()

    def put(number: int) -> Deferred[Answer]:
        source = ""
        if target is not None:
            source = target.network if target.session is None else origin(target.session)
        sanction = Sanction(
            number=number,
            kind=kind,
            room=key,
            name=name,
            account=target.account if target is not None else "",
            person=fold(name) if guest else "",
            network=str(whom) if target is None else source,
            everyone=target is None,
            until=now + seconds * 1000 if seconds else 0,
            by=session.name,
            why=why,
        )
        stored: Deferred[Sanction] = hall.sanctions.put(sanction)
        return stored.addCallback(enforce)

    def enforce(sanction: Sanction) -> Answer:
        if target is not None:
            for other in _connections(hall, target):
                other.sanctions = (*hall.sanctions.carried(other), sanction.number)
        _tell(session, sanction, room)
        sure = ""
        if guest and not sanction.network:
            sure = ", by name only: everyone there comes from the same address"
        return [note(f"{name} is {done} {place}{sanction.terms()}, number {sanction.number}{sure}")]

    line = ": ".join(filter(None, [f"for {words(seconds)}" if seconds else "", why]))
    return give(session, kind, put, name, room, line)


def _connections(hall: Any, target: Target) -> list[Any]:
    """The connections of someone."""
    return [
        each
        for each in hall.sessions.values()
        if each is target.session or (target.account and each.account == target.account)
    ]


def _tell(session: Any, sanction: Sanction, room: Room | None) -> None:
    """Have a sanction's consequences, for all whom it hits."""
    hall = session.hall
    if room is not None:
        hall.mind(room)
    for other in list(hall.sessions.values()):
        if hall.sanctions.hit(sanction.kind, room, other) is not sanction:
            continue
        if room is None:
            for each in other.public():
                other.kick(each, sanction.by, sanction.why)
            other.dismiss(f"you are banned from {hall.called}{sanction.terms()}")
        elif other.comesTo(room):
            if sanction.kind == BAN:
                other.kick(room, sanction.by, sanction.why)
                other.unqueue(room)
                done = "banned from"
            else:
                done = "muted in"
            other.reply(refusal(f"you are {done} #{room.name}{sanction.terms()}"))


def lift(session: Any, kind: str, sanction: Sanction, room: Room | None) -> Deferred[Answer]:
    """End a ban or a mute."""
    hall = session.hall

    def remove(_: int) -> Deferred[Answer]:
        removed: Deferred[None] = hall.sanctions.remove(sanction)
        return removed.addCallback(done)

    def done(_: None) -> Answer:
        if room is not None:
            hall.mind(room)
        free = "banned" if kind == BAN else "muted"
        return [note(f"{sanction.name} is {free} no longer")]

    return give(session, f"un{kind}", remove, sanction.name, room, f"number {sanction.number}")


def sees(session: Any, room: Room) -> bool:
    """Whether someone is told of what only those see who keep a room in order."""
    return can(session.role(room), "see a room's bans and key")
