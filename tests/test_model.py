"""
Roles and rooms against a small model of them, in any order that hypothesis can think of.

The model knows who is in which room, whose it is, who keeps it, who is banned or muted, and how it
is set; for everything that somebody tries it says whether it is allowed.  After each step the
server must be as the model is.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mucs.names import fold
from mucs.roles import ROLES
from tests.company import comes, furnish
from tests.house import UNHURRIED, House, Person

MEMBERS = ("ada", "mod", "cyd", "root")
PEOPLE = (*MEMBERS, "bob", "gus")
ROOMS = ("garden", "attic")
HOSTS = {name: f"10.1.0.{number}" for number, name in enumerate(PEOPLE, 1)}

people = st.sampled_from(PEOPLE)
rooms = st.sampled_from(ROOMS)
switches = st.sampled_from(("on", "off"))


class Model:
    """One room, as it should be."""

    def __init__(self) -> None:
        self.members: list[str] = []
        self.owner = ""
        self.moderators: set[str] = set()
        self.banned: set[str] = set()
        self.muted: set[str] = set()
        self.invited: set[str] = set()
        self.private = self.moderated = False

    def role(self, who: str) -> str:
        if who == "root":
            return "admin"
        if who not in MEMBERS:
            return "guest"
        if who == self.owner:
            return "owner"
        return "moderator" if who in self.moderators else "member"

    def has(self, who: str, role: str) -> bool:
        """Whether they have that role, or a higher one."""
        return ROLES.index(self.role(who)) >= ROLES.index(role)

    def outranks(self, who: str, other: str) -> bool:
        return ROLES.index(self.role(who)) > ROLES.index(self.role(other))

    def mayEnter(self, who: str) -> bool:
        if who in self.banned:
            return False
        return not self.private or who in self.invited or self.has(who, "moderator")

    def mayOrder(self, who: str, whom: str) -> bool:
        """Whether one may kick, mute or ban the other."""
        return self.has(who, "moderator") and who != whom and self.outranks(who, whom)

    def enters(self, who: str) -> None:
        if who not in self.members:
            self.members.append(who)
            if not self.owner and who in MEMBERS:
                self.owner = who

    def leaves(self, who: str) -> None:
        if who in self.members:
            self.members.remove(who)


class Machine(RuleBasedStateMachine):
    """People who do whatever comes to mind."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(UNHURRIED)
        furnish(self.house)
        self.models = {room: Model() for room in ROOMS}
        self.people: dict[str, Person] = {}
        for name in PEOPLE:
            self.comes(name)

    def comes(self, name: str) -> None:
        account = name if name in MEMBERS else ""
        person = self.people[name] = comes(self.house, name, HOSTS[name], account)
        person.session.admin = name == "root"

    def tries(self, who: str, text: str, allowed: bool) -> None:
        """Someone sends this; it is refused with one line exactly if it is not allowed."""
        person = self.people[who]
        person.seen()
        person.says(text)
        self.house.turn()
        lines = person.lines()
        refused = [line for line in lines if line.startswith("! ")]
        assert bool(refused) != allowed, (who, text, lines)
        if refused:
            assert len(lines) == 1, (who, text, lines)

    def goes(self, who: str, room: str) -> bool:
        """Have someone speak in a room. @return: whether they are in it."""
        if who not in self.models[room].members:
            return False
        self.people[who].says(f"/join {room}")
        return True

    @rule(who=people, room=rooms)
    def join(self, who: str, room: str) -> None:
        model = self.models[room]
        allowed = who in model.members or model.mayEnter(who)
        self.tries(who, f"/join {room}", allowed)
        if allowed:
            model.enters(who)

    @rule(who=people, room=rooms)
    def leave(self, who: str, room: str) -> None:
        model = self.models[room]
        self.tries(who, f"/leave {room}", who in model.members)
        model.leaves(who)

    @rule(who=people, room=rooms)
    def speak(self, who: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            quiet = who in model.muted or (model.moderated and not model.has(who, "member"))
            for text in ("hello", "/me waves", "/topic tea"):
                self.tries(who, text, not quiet)

    @rule(who=people, whom=people, room=rooms)
    def kick(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.mayOrder(who, whom) and whom in model.members
            self.tries(who, f"/kick {whom} because", allowed)
            if allowed:
                model.leaves(whom)

    @rule(who=people, whom=people, room=rooms)
    def ban(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.mayOrder(who, whom) and whom not in model.banned
            self.tries(who, f"/ban {whom} 7d because", allowed)
            if allowed:
                model.banned.add(whom)
                model.leaves(whom)

    @rule(who=people, whom=people, room=rooms)
    def unban(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.has(who, "moderator") and whom in model.banned
            self.tries(who, f"/unban {whom}", allowed)
            if allowed:
                model.banned.discard(whom)

    @rule(who=people, whom=people, room=rooms)
    def mute(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.mayOrder(who, whom) and whom not in model.muted
            self.tries(who, f"/mute {whom} 7d", allowed)
            if allowed:
                model.muted.add(whom)

    @rule(who=people, whom=people, room=rooms)
    def unmute(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.has(who, "moderator") and whom in model.muted
            self.tries(who, f"/unmute {whom}", allowed)
            if allowed:
                model.muted.discard(whom)

    @rule(who=people, whom=people, room=rooms, more=st.booleans())
    def op(self, who: str, whom: str, room: str, more: bool) -> None:
        model = self.models[room]
        if not self.goes(who, room):
            return
        allowed = model.has(who, "owner") and whom in MEMBERS
        if more:
            allowed = allowed and whom not in model.moderators and whom != model.owner
        else:
            allowed = allowed and whom in model.moderators
        self.tries(who, f"/{'op' if more else 'deop'} {whom}", allowed)
        if allowed:
            (model.moderators.add if more else model.moderators.discard)(whom)

    @rule(who=people, room=rooms, value=switches, what=st.sampled_from(("private", "moderated")))
    def set(self, who: str, room: str, value: str, what: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.has(who, "owner")
            self.tries(who, f"/room {what} {value}", allowed)
            if allowed:
                setattr(model, what, value == "on")

    @rule(who=people, whom=people, room=rooms)
    def giveAway(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.has(who, "owner") and whom in MEMBERS
            allowed = allowed and whom != model.owner and whom not in model.banned
            self.tries(who, f"/room owner {whom}", allowed)
            if allowed:
                model.owner = whom
                model.moderators.discard(whom)

    @rule(who=people, whom=people, room=rooms)
    def invite(self, who: str, whom: str, room: str) -> None:
        model = self.models[room]
        if self.goes(who, room):
            allowed = model.has(who, "moderator") and whom not in model.members
            allowed = allowed and whom not in model.banned
            self.tries(who, f"/invite {whom}", allowed)
            if allowed:
                model.invited.add(whom)

    @rule(who=people, comesBack=st.booleans())
    def loseLine(self, who: str, comesBack: bool) -> None:
        """Their line is lost; they come back with the token, or by their name as if new."""
        token = self.people[who].token
        self.people[who].resets()
        self.house.turn()
        were = [room for room in ROOMS if who in self.models[room].members]
        for room in were:
            self.models[room].leaves(who)
        if comesBack:
            person = self.house.connect("native", host=HOSTS[who], at="far")
            person.session.account = fold(who) if who in MEMBERS else ""
            person.session.admin = who == "root"
            person.says(f"/resume {token}")
            self.house.turn()
            self.people[who] = person
            for room in were:
                if self.models[room].mayEnter(who):
                    self.models[room].enters(who)
        else:
            self.comes(who)
            if who not in MEMBERS:
                for model in self.models.values():
                    model.invited.discard(who)

    @rule()
    def restart(self) -> None:
        """The server ends and begins again: invitations are forgotten, nothing else is."""
        for person in self.people.values():
            person.resets()
        self.house.turn()
        self.house = House(UNHURRIED, log=self.house.log, clock=self.house.clock)
        furnish(self.house)
        for model in self.models.values():
            model.members = []
            model.invited = set()
        for name in PEOPLE:
            self.comes(name)

    @invariant()
    def same(self) -> None:
        """The server is as the model is."""
        hall: Any = self.house.hall
        for name, model in self.models.items():
            there = hall.rooms.get(name)
            names = [member.name for member in there.members] if there is not None else []
            assert sorted(names) == sorted(model.members), (name, names, model.members)
            kept = hall.settings.rows.get(name)
            if kept is None:
                assert not model.owner, name
                continue
            assert kept.owner == fold(model.owner)
            assert set(kept.moderators) == {*map(fold, model.moderators)}
            assert (kept.private, kept.moderated) == (model.private, model.moderated)
            assert there is None or there.settings == kept
            for kind, whom in (("ban", model.banned), ("mute", model.muted)):
                found = {each.name for each in hall.sanctions.of(name) if each.kind == kind}
                assert found == whom, (kind, found, whom)
            if there is not None:
                assert there.guarded or not (model.moderated or model.muted)
        for who, person in self.people.items():
            assert not person.closed
            assert person.session.name == who


LONG = bool(os.environ.get("MUCS_LONG"))

MachineTests = Machine.TestCase
MachineTests.settings = settings(
    max_examples=600 if LONG else 40,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
