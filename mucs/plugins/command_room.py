from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from mucs import orders
from mucs.events import Event, Refused, note
from mucs.names import fold
from mucs.plugin import command
from mucs.roles import least
from mucs.roomrules import locked
from mucs.rooms import LOBBY
from mucs.sanctions import BAN
from mucs.settings import RoomSettings
from mucs.text import firstWord

USAGE = "/room [SETTING VALUE]"
MOST = 1_000_000

#: What can be set, and to what.
SETTINGS = {
    "private": "on or off: entered by invitation, and not listed",
    "key": "a word that one must know to enter, or - for none",
    "moderated": "on or off: only members speak",
    "seats": "how many may be in at a time, or 0 for any number",
    "history": "on or off: guests see what was said before they came",
    "days": "for which what was said is kept, or 0 for as long as the server keeps it",
    "events": "how many are kept, or 0 for as many as the server keeps",
    "owner": "the NAME of the member it is given to, or - for nobody",
}

#: What the lobby cannot have: everyone comes in there.
ELSEWHERE = frozenset(("private", "key", "seats", "owner"))


@command(USAGE, "shows how the room is, or sets it; /room SETTING explains one")
def room(session: Any, argument: str) -> Iterable[Event] | Deferred[Iterable[Event]]:
    place = session.here()
    setting, rest = firstWord(argument)
    if not setting:
        return _show(session, place)
    if setting not in SETTINGS:
        known = ", ".join(SETTINGS)
        raise Refused(f"a room has no {setting:.50}; {USAGE}, where SETTING is {known}")
    if not rest:
        raise Refused(f"/room {setting} takes {SETTINGS[setting]}")
    session.need(least("set how a room is"), place)
    if setting in ELSEWHERE and place.key == fold(LOBBY):
        raise Refused(f"everyone comes into the lobby: it has no {setting}; /room shows it")
    value, more = firstWord(rest)
    if setting == "owner":
        return _giveAway(session, place, rest.strip('"'))
    if more:
        raise Refused(f"/room {setting} takes {SETTINGS[setting]}")
    changed = VALUES[setting](place.settings, setting, value)
    told = f"{setting} {value}"
    if setting == "key":
        told = "no key" if value == "-" else "a key"

    def do(_: int) -> Deferred[Iterable[Event]]:
        kept: Deferred[None] = session.hall.rules.change(
            place, lambda settings: replace(settings, name=place.name, **changed)
        )
        return kept.addCallback(lambda _: [note(f"#{place.name} has {told} now")])

    return orders.give(session, "room", do, room=place, text=told)


def _show(session: Any, place: Any) -> Iterable[Event]:
    settings: RoomSettings = place.settings
    hall = session.hall
    owner = orders.shown(hall, settings.owner) if settings.owner else "nobody"
    yield note(f"#{place.name} is owned by {'the admins' if place.key == fold(LOBBY) else owner}")
    if settings.moderators:
        names = ", ".join(orders.shown(hall, key) for key in settings.moderators)
        yield note(f"moderators: {names}")
    values = {setting: getattr(settings, setting) for setting in SETTINGS if setting != "owner"}
    if orders.sees(session, place):
        values["key"] = "set" if settings.key else "none"
    else:
        del values["key"]
    words = {True: "on", False: "off"}
    for setting, value in values.items():
        said = words[value] if isinstance(value, bool) else value
        yield note(f"{setting} {said}  ({SETTINGS[setting]})")


def _giveAway(session: Any, place: Any, name: str) -> Deferred[Iterable[Event]]:
    hall = session.hall
    settings: RoomSettings = place.settings
    target = None if name == "-" else orders.whom(session, name, "/room owner NAME")
    if target is not None:
        if not target.account:
            raise Refused(f"{target.name} is a guest, and only members own rooms; /room owner NAME")
        if target.account == settings.owner:
            raise Refused(f"#{place.name} is {target.name}'s already; /room owner NAME")
        if (ban := hall.sanctions.find(BAN, place.key, target.account)) is not None:
            raise Refused(f"{target.name} is banned from #{place.name}; /unban {ban.number} first")
        if hall.rules.owned(target.account) >= hall.limits.owned:
            raise Refused(f"{target.name} owns {hall.limits.owned} rooms already; /room owner NAME")

    def told(_: None) -> Iterable[Event]:
        if target is None:
            return [note(f"#{place.name} is nobody's now, and as any other room")]
        if target.session is not None:
            gave = f"{session.name} gave you #{place.name}"
            target.session.reply(note(f"{gave}; /room shows how it is"))
        return [note(f"#{place.name} is {target.name}'s now")]

    def give(account: str, was: RoomSettings) -> RoomSettings:
        others = tuple(key for key in was.moderators if key != account)
        return replace(was, name=place.name, owner=account, moderators=others)

    def do(_: int) -> Deferred[Iterable[Event]]:
        kept: Deferred[None]
        if target is None:
            kept = hall.rules.release(place)
        else:
            kept = hall.rules.change(place, partial(give, target.account))
        return kept.addCallback(told)

    return orders.give(session, "room", do, name, place, "owner")


def _switch(settings: RoomSettings, setting: str, value: str) -> dict[str, object]:
    if value not in ("on", "off"):
        raise Refused(f"/room {setting} takes {SETTINGS[setting]}")
    return {setting: value == "on"}


def _number(settings: RoomSettings, setting: str, value: str) -> dict[str, object]:
    if not (value.isascii() and value.isdecimal() and len(value) < 8 and int(value) <= MOST):
        raise Refused(f"/room {setting} takes {SETTINGS[setting]}; at most {MOST}")
    return {setting: int(value)}


def _key(settings: RoomSettings, setting: str, value: str) -> dict[str, object]:
    if len(value) > 100:
        raise Refused("a key has at most 100 characters; /room key WORD")
    return {setting: "" if value == "-" else locked(settings.name, value)}


VALUES: dict[str, Callable[[RoomSettings, str, str], dict[str, object]]] = {
    "private": _switch,
    "key": _key,
    "moderated": _switch,
    "seats": _number,
    "history": _switch,
    "days": _number,
    "events": _number,
}
