from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from mucs.events import Event, Refused, note
from mucs.names import nearest
from mucs.plugin import command

WHAT = {
    "times": "begins each line with the time",
    "quiet": "shows nobody coming and going",
    "bell": "rings when somebody says your name",
    "colour": "colours names",
    "echo": "shows you what you say",
    "ack": "tells you when what you say is stored",
    "hold": "keeps lines back until you press Enter",
}
POLICIES = {"echo": "line", "ack": "ack"}
VALUES = {"on": True, "off": False}


def isOn(session: Any, name: str) -> bool:
    if name in POLICIES:
        return bool(session.policy.echo == POLICIES[name])
    return bool(getattr(session.settings, name)) and not session.isCounting()


def line(session: Any, name: str) -> Event:
    return note(f"{name} is {'on' if isOn(session, name) else 'off'}: {name} on {WHAT[name]}")


@command("/set [NAME on|off]", "shows what you can set for yourself, or sets it")
def set(session: Any, argument: str) -> Iterable[Event] | Deferred[Iterable[Event]]:
    if not argument:
        return [*(line(session, name) for name in WHAT), note("/set NAME on or off changes one")]
    name, _, value = argument.lower().partition(" ")
    wanted = VALUES.get(value.strip())
    if name not in WHAT:
        near = nearest(name, WHAT)
        hint = f"did you mean {near}?" if near else "/set lists what there is"
        raise Refused(f"there is no {name} to set; {hint}")
    if wanted is None:
        raise Refused(f"on or off? /set {name} on")
    if name in POLICIES:
        echo = POLICIES[name] if wanted else "none"
        if not wanted and not isOn(session, name):
            echo = session.policy.echo  # the other one may be on
        if echo == session.listener.policy.echo:
            echo = ""
        changed = session.hall.wishes.change(session, echo=echo)
    else:
        changed = session.hall.wishes.change(session, **{name: wanted})
    answered: Deferred[Iterable[Event]] = changed.addCallback(lambda _: [line(session, name)])
    return answered
