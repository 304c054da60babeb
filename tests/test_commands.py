"""
Every command there is, of whatever package: who may run it, and what becomes of nonsense.

The commands are taken from the plugins, so one that is added is walked through here as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mucs import roles
from mucs.asker import SOON
from mucs.events import Event, note
from mucs.imucs import ICommand
from mucs.plugin import Command
from mucs.roles import HOW, LEAST, ROLES, STRANGER, least, may
from mucs.rules import Limits
from mucs.text import clean
from tests.company import CompanyCase, comes, furnish
from tests.house import ENDS, House, HouseCase, Person, installed
from tests.test_orders import Stopping

quiet = settings(
    deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

#: Dialects that ask nobody for a name.
NAMELESS = ("hithere", "addr")

#: What each role may do that is no command, from the table as it is meant.
ACTS = {
    "speak where it is moderated": ("member", "moderator", "owner", "admin"),
    "look back where guests may not": ("member", "moderator", "owner", "admin"),
    "own a room": ("member", "moderator", "owner", "admin"),
    "enter any room": ("moderator", "owner", "admin"),
    "see a room's bans and key": ("moderator", "owner", "admin"),
    "set how a room is": ("owner", "admin"),
    "ban from the server": ("admin",),
}

#: And for commands that are not for every guest, the least role.
COMMANDS = {
    "logout": "member",
    "password": "member",
    "invite": "moderator",
    "kick": "moderator",
    "mute": "moderator",
    "unmute": "moderator",
    "ban": "moderator",
    "unban": "moderator",
    "bans": "moderator",
    "op": "owner",
    "deop": "owner",
    "announce": "admin",
    "shutdown": "admin",
    "audit": "admin",
    "accounts": "admin",
}


def typed(dialect: str, text: str) -> str:
    """A command as a client of this dialect sends it."""
    return msgspec.json.encode({"do": text}).decode() if dialect == "json" else text


class TableTests(HouseCase):
    """The one table."""

    def test_acts(self) -> None:
        """Each role may do what it is meant to, and no more; the table has nothing else."""
        for act, allowed in ACTS.items():
            self.assertEqual(tuple(role for role in ROLES if roles.can(role, act)), allowed, act)
        for name, role in COMMANDS.items():
            self.assertEqual(least(name), role, name)
        acts = {act for act in LEAST if " " in act}
        self.assertEqual(acts, set(ACTS))

    def test_commands(self) -> None:
        """Every command of ours is as the table says, and the table has no other."""
        ours = installed(ICommand)
        for name, command in ours.items():
            self.assertEqual(command.role, least(name), name)
        self.assertLessEqual({act for act in LEAST if " " not in act}, set(ours))


class WalkTests(HouseCase):
    """Roles x commands x dialects."""

    limits = Limits(rate=0, naming=86400)

    def person(self, dialect: str, role: str, number: int) -> Person:
        """Someone who has this role in #garden, and speaks there."""
        person = self.house.connect(dialect)
        if role == STRANGER:
            return person
        session = person.session
        session.account = {"guest": "", "admin": ""}.get(role, f"{role}{number}")
        if dialect not in NAMELESS:
            name = f"{role}{number}"
            person.says(name if dialect != "json" else f'{{"name": "{name}"}}')
        session.admin = role == "admin"
        person.says(typed(dialect, "/join garden"))
        return person

    def test_everyone(self) -> None:
        """In every dialect everyone runs what their role may, and is told whose the rest is."""
        ran: list[tuple[str, int]] = []

        def record(name: str) -> Callable[[Any, str], Iterable[Event]]:
            def run(session: Any, argument: str) -> Iterable[Event]:
                ran.append((name, session.id))
                return [note(f"{name} was run")]

            return run

        real = self.house.hall.commands
        wrapped: dict[str, ICommand] = {
            name: Command(record(name), each.usage, each.summary, each.role)
            for name, each in real.items()
        }
        people: dict[tuple[str, str], Person] = {}
        first = self.house.enters("first")
        first.session.account = "first"
        first.says("/join garden")
        for number, dialect in enumerate(ENDS):
            self.house.listens(dialect, seats=0)
            for role in ROLES:
                if role != STRANGER or dialect not in NAMELESS:
                    people[dialect, role] = self.person(dialect, role, number)
        room = self.house.room("garden")
        self.house.waits(1)
        keepers = tuple(f"moderator{number}" for number in range(len(ENDS)))
        self.house.hall.commands = wrapped
        walked = 0
        for (dialect, role), person in people.items():
            owner = person.session.account if role == "owner" else "first"
            room.settings = msgspec.structs.replace(room.settings, owner=owner, moderators=keepers)
            if role != STRANGER:
                self.assertEqual(person.session.role(room), role, (dialect, role))
            for name, command in wrapped.items():
                person.seen()
                ran.clear()
                person.says(typed(dialect, f"/{name}"))
                self.house.waits(0.1)
                seen = person.seen().decode()
                if may(role, command.role):
                    self.assertEqual(ran, [(name, person.session.id)], (dialect, role, name))
                    self.assertIn(f"{name} was run", seen)
                else:
                    self.assertEqual(ran, [], (dialect, role, name))
                    # What follows at once on a refused /password might be one.
                    self.house.waits(SOON * (name in ("password", "register")), step=SOON)
                    why = HOW["guest"] if role == STRANGER else HOW[command.role]
                    self.assertIn(why, seen, (dialect, role, name))
                walked += 1
        self.assertEqual(walked, len(wrapped) * (len(ROLES) * len(ENDS) - len(NAMELESS)))


# What may stand behind a command: nothing, too much, too long, in quotes, Unicode, controls.
WORDS = st.sampled_from(
    "ada mod cyd bob root eve nobody garden lobby attic #garden -1 0 1 2 7 10m 7d no in on off -"
    " private key moderated seats history days events owner --server -- 10.1.0.4 10.1.0.0/16 ::1"
    " 0.0.0.0/0 since before with".split()
)
NONSENSE = (
    st.just("")
    | st.lists(WORDS, max_size=6).map(" ".join)
    | st.text(max_size=40)
    | st.text(alphabet="\x00\x01\x07\x1b[31m\x7f\x85\u2028\u202e\u200b\ufeff \t\"'", max_size=20)
    | st.builds('"{}" {}'.format, WORDS | st.text(max_size=10), WORDS)
    | st.builds('"{}'.format, WORDS)
    | st.integers(65, 3000).map(lambda count: "x" * count)
    | st.builds("{} {}".format, WORDS, st.integers(301, 3000).map(lambda count: "y" * count))
    | st.sampled_from(
        [
            "ж" * 60,
            "👩‍👩‍👧‍👧 x",
            "a\u0301\u0301\u0301\u0301\u0301\u0301",
            "٣",
            "½",
            "{0} %s {author}",
        ]
    )
)


class NonsenseTests(CompanyCase):
    """Commands with arguments that are missing, too many, too long, quoted, strange."""

    def setUp(self) -> None:
        self.reactor = Stopping()
        super().setUp()

    def furnish(self, house: House) -> None:
        self.house = House(self.limits, clock=self.reactor)
        super().furnish(self.house)

    def person(self, name: str) -> Person:
        """One of the company, who is there again if gone."""
        person: Person = getattr(self, name)
        if person.closed or name not in [each.name for each in self.house.hall.sessions.values()]:
            if not person.closed:
                person.says(f"/nick {name}")
                person.seen()
            if person.closed or person.session.name != name:
                person.resets()
                account = "" if name == "bob" else name
                person = comes(self.house, name, account=account)
                person.session.admin = name == "root"
                setattr(self, name, person)
        return person

    def state(self) -> Any:
        """All that commands may change."""
        hall = self.house.hall
        return (
            {
                name: (
                    room.topic,
                    room.settings,
                    [member.name for member in room.members],
                    room.head,
                )
                for name, room in hall.rooms.items()
            },
            {
                n: (s.name, s.account, s.current and s.current.name)
                for n, s in hall.sessions.items()
            },
            dict(hall.settings.rows),
            dict(hall.sanctions.table.rows),
            dict(hall.rules._invited),
            len(hall.closing._calls),
            hall.audit._last,
        )

    def run_(self, who: str, name: str, argument: str) -> list[str]:
        """Someone runs a command; what they see. Whatever is refused has changed nothing."""
        person = self.person(who)
        person.says("/join garden")
        self.house.turn()
        person.seen()
        before = self.state()
        # What stands behind a line's end is another line.
        argument = argument.replace("\n", " ")
        person.says(f"/{name} {argument}".rstrip(" "))
        self.house.turn()
        seen = person.seen().decode()
        self.assertNotIn("Traceback", seen)
        lines = seen.split("\r\n")[:-1]
        refused = [line for line in lines if line.startswith("! ")]
        if refused and not person.closed:
            self.assertEqual(len(lines), 1, (name, argument, lines))
            self.assertEqual(self.state(), before, (name, argument))
        for line in lines:
            self.assertEqual(clean(line), line.rstrip())
        return refused

    @settings(quiet, max_examples=400)
    @given(
        st.sampled_from(["ada", "mod", "cyd", "bob", "root"]),
        st.sampled_from(sorted(installed(ICommand))),
        NONSENSE,
    )
    def test_anything(self, who: str, name: str, argument: str) -> None:
        """It is done, or refused with one line and nothing changed; never anything else."""
        self.run_(who, name, argument)

    def test_missing(self) -> None:
        """A command that takes something, without it, says how it is typed."""
        for name, command in installed(ICommand).items():
            required = re.sub(r"\[.*?\]", "", command.usage).split()[1:]
            if required and command.role != STRANGER:
                refused = self.run_("root", name, "")
                self.assertIn(f"/{name}", "".join(refused), name)

    def test_surplus(self) -> None:
        """One that takes nothing says so."""
        for name, command in installed(ICommand).items():
            if " " not in command.usage:
                (refused,) = self.run_("root", name, "something")
                self.assertIn(f"/{name}", refused)

    def test_tooLong(self) -> None:
        """Whom orders are about, and why, has an end: the line says how it is typed."""
        for name in ("invite", "kick", "mute", "unmute", "ban", "unban", "op", "deop"):
            (refused,) = self.run_("root", name, "x" * 3000)
            self.assertIn(f"/{name}", refused)
            self.assertLess(len(refused), 200)
        for name in ("kick", "ban"):
            (refused,) = self.run_("root", name, "bob " + "y" * 3000)
            self.assertIn(f"/{name}", refused)
        # No password is taken here, and there is nobody to reply to: that comes first.
        others = {"login", "password", "register", "reply"}
        for name in sorted(set(installed(ICommand)) - others):
            for refused in self.run_("root", name, "x" * 3000):
                self.assertIn(f"/{name}", refused)


class EveryoneTests(HouseCase):
    """Before one has a name."""

    def test_strangers(self) -> None:
        """Nonsense of a stranger is answered, and asked again; nothing is done."""
        furnish(self.house)
        for name in installed(ICommand):
            for argument in ("", "x", '"', "x" * 3000, "\x1b[31m"):
                eve = self.house.connect("native", at="far")
                eve.seen()
                eve.says(f"/{name} {argument}")
                self.house.turn()
                self.assertNotIn("Traceback", eve.seen().decode())
                self.assertEqual(dict(eve.session.rooms), {})
                eve.resets()
                self.house.turn()
