"""
Nobody's terminal is anyone else's: what people write is shown on its own lines, and does nothing.

Seen through a terminal emulator.  The screen has something on it when what a victim gets is shown
there; afterwards that is as it was, the cursor stands below the new lines, and nothing is coloured,
hidden, renamed or switched.
"""

from __future__ import annotations

import json
import os
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte
from twisted.trial.unittest import SynchronousTestCase

from mucs.config import readMotd
from mucs.rules import Limits
from tests.house import ENDS, House, Person, register
from tests.payloads import payloads
from tests.test_person import comes

LONG = bool(os.environ.get("MUCS_LONG"))

#: How many payloads; each is put in C{AT_ONCE} places, one after another.
COUNT = 20_000 if LONG else 5000
AT_ONCE = 2

#: What stands on the screen before.
BEFORE = [f"this is line {n} of the victim's" for n in range(8)]

PLACES: tuple[str, ...] = (
    *("{}", "/me {}", "/topic {}", "/msg victim {}", "/away {}", "/nick {}", "/join {}"),
    *("/tell bob {}", "/quit {}", "/{}", "//{}", "/who {}", "/ignore {}", "/set {}"),
    *("/history with {}", "/search {}"),
)


def faults(data: bytes) -> list[str]:
    """
    What a terminal does with what it is sent, but for showing it on new lines.

    @param data: with CR and LF at the end of each line, as a terminal gets it.
    """
    lines = data.decode().split("\r\n")
    wide = max(map(len, lines + BEFORE)) * 2 + 2
    screen = pyte.Screen(wide, len(BEFORE) + len(lines) + 2)
    stream = pyte.ByteStream(screen)
    stream.feed("".join(f"{line}\r\n" for line in BEFORE).encode())
    modes, tabs, charset = set(screen.mode), set(screen.tabstops), screen.charset
    answers: list[str] = []
    setattr(screen, "write_process_input", answers.append)  # noqa: B010
    stream.feed(data)
    found = []
    for at, line in enumerate(BEFORE):
        if "".join(screen.buffer[at][x].data for x in range(len(line) + 1)) != line + " ":
            found.append(f"line {at} has changed")
    if (screen.cursor.x, screen.cursor.y) != (0, len(BEFORE) + len(lines) - 1):
        found.append(f"the cursor is at {screen.cursor.x}, {screen.cursor.y}")
    plain = pyte.screens.Char(" ")[1:]
    if any(char[1:] != plain for row in screen.buffer.values() for char in row.values()):
        found.append("something is coloured")
    if screen.cursor.attrs[1:] != plain or screen.cursor.hidden:
        found.append("what comes next is coloured, or the cursor hidden")
    now = set(screen.mode), set(screen.tabstops), screen.charset, screen.margins
    if now != (modes, tabs, charset, None) or screen.title or screen.icon_name or answers:
        found.append("something is switched")
    for at, line in enumerate(lines, len(BEFORE)):
        if line.isascii() and "".join(screen.buffer[at][x].data for x in range(len(line))) != line:
            found.append(f"{line!r} is not what is seen")
    return found


class EmulatorTests(SynchronousTestCase):
    """That the test could fail."""

    def test_payloadsDoHarm(self) -> None:
        """Shown as they are, eight of ten do something to the screen that they should not."""
        harmful = 0
        for payload in payloads(500):
            data = f"bob: {payload}\r\n".encode("utf-8", "surrogateescape")
            try:
                harmful += bool(faults(data))
            except UnicodeDecodeError:
                harmful += 1
        self.assertGreater(harmful, 400)

    def test_linesDoNot(self) -> None:
        """What is sent every day does nothing."""
        self.assertEqual(faults("bob: hello\r\n* 漢字 joined\r\n".encode()), [])


class ScreenTests(SynchronousTestCase):
    """Somebody in each dialect writes, somebody in each dialect sees it."""

    def setUp(self) -> None:
        self.house = House(Limits(rate=0, arrivals=0, address=0))
        register(self.house, "bob")
        self.victims: dict[str, Person] = {}
        for dialect in ENDS:
            if dialect != "json":
                name = "" if dialect in ("hithere", "addr") else f"seer {dialect}"
                self.victims[dialect] = self.house.connect(dialect, name)
        victim = self.house.connect("native", "victim")
        self.victims["victim"] = victim
        self.house.waits(1, 0.05)
        self.house.rests()

    def send(self, attacker: Person, dialect: str, text: str) -> None:
        """As bytes of the dialect; what JSON escapes is escaped."""
        if dialect == "json":
            said = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            request = {"do": said[1:]} if said[0] == "/" and said[1:2] != "/" else {"say": said}
            attacker.sends(json.dumps(request).encode() + b"\n")
        else:
            attacker.sends(text.encode("utf-8", "surrogateescape") + attacker.end)

    def attacker(self, dialect: str, count: int) -> Person:
        named = dialect not in ("hithere", "addr")
        return self.house.connect(dialect, f"eve {count}" if named else "")

    def assertHarmless(self, name: str) -> int:
        """@return: how many lines somebody saw."""
        victim = self.victims[name]
        data = victim.seen()
        if name in ("cstring", "shh", "fiveseat"):
            # Their clients print what one recv gives them, up to a NUL, and go to the next line.
            data = b"".join([sent.rstrip(b"\n\0") + b"\n" for _, sent in victim.wire.writes])
        victim.wire.writes.clear()
        if b"\r\n" not in data:
            data = data.replace(b"\n", b"\r\n")  # as a terminal driver does
        self.assertEqual(faults(data), [], data)
        return data.count(b"\n")

    def test_everyPlaceAndDialect(self) -> None:
        """Names, topics, rooms, speech, reasons: a victim's screen gets new lines, and no more."""
        attackers: dict[str, Person] = {}
        places, dialects, others = cycle(PLACES), cycle(ENDS), cycle(self.victims)
        room = self.house.room()
        lines = placed = 0
        for count, payload in enumerate(payloads(COUNT), 1):
            dialect = next(dialects)
            attacker = attackers.get(dialect)
            if attacker is None or attacker.closed:
                attacker = attackers[dialect] = self.attacker(dialect, count)
            for _ in range(AT_ONCE):
                self.send(attacker, dialect, next(places).format(payload))
                self.house.turn()
                placed += 1
            if count % 50 == 0:
                for person in attackers.values():
                    person.seen()
                victim = self.victims["victim"]
                victim.says("/who", "/rooms", "/topic", "/history", "/search evil", "/ignore")
                self.house.waits(0.5, 0.05)
                for name in {"victim", next(others)}:
                    lines += self.assertHarmless(name)
        self.assertEqual(placed, COUNT * AT_ONCE)
        self.assertGreater(lines, placed)
        self.assertFalse([event for event in room.recent if not event.text.isprintable()])

    def test_names(self) -> None:
        """Who gives such a name is refused, or comes in by one that does nothing."""
        for count, payload in enumerate(payloads(700)):
            dialect = ("native", "cstring", "shh", "fiveseat", "json")[count % 5]
            person = self.house.connect(dialect)
            if dialect == "json":
                said = payload.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                person.sends(json.dumps({"name": said}).encode() + b"\n")
            else:
                person.sends(payload.encode("utf-8", "surrogateescape") + person.end)
            self.house.turn()
            person.closes()
            if count % 25 == 24:
                self.house.waits(2, 0.05)
                for name in self.victims:
                    self.assertHarmless(name)

    def test_whatOthersDecide(self) -> None:
        """Reasons for putting somebody out, silencing and banning them; what is announced."""
        admin = self.house.connect("native", "admin")
        admin.session.admin = True
        for count, payload in enumerate(payloads(150)):
            # One in each dialect, by turns, is whom it is about, and sees it as well.
            dialect = ("native", "cstring", "shh", "fiveseat")[count % 4]
            eve = self.house.connect(dialect, "eve")
            self.house.waits(0.2, 0.05)
            eve.seen()
            eve.wire.writes.clear()
            for order in ("mute eve 1h", "kick eve", "ban eve", "ban 192.0.2.7", "announce"):
                # A telnet's own commands, among the bytes that are no UTF-8, would be answered.
                admin.sends(f"/{order} {payload}".encode("utf-8", "ignore") + b"\r\n")
                self.house.turn()
                eve.says("hello", "/join lobby")
            admin.says("/bans", "/audit 5", "/unmute eve", "/unban eve")
            self.house.waits(0.2, 0.05)
            self.victims[dialect], usual = eve, self.victims[dialect]
            self.assertHarmless(dialect)
            self.victims[dialect] = usual
            eve.closes()
            self.house.turn()
            if count % 25 == 24:
                self.house.waits(2, 0.05)
                self.victims["admin"] = admin
                for each in self.victims:
                    self.assertHarmless(each)
        self.assertGreater(len(self.house.stored()), 500)

    def test_theMessageOfTheDay(self) -> None:
        """A file with anything in it."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "motd")
        made = payloads(600)
        for start in range(0, len(made), 20):
            text = "\n".join(made[start : start + 20])
            path.write_text(text.encode("utf-8", "ignore").decode())
            house = House(motd=readMotd(str(path), "motd"))
            self.victims = {"victim": house.connect("native", "victim")}
            self.assertGreater(self.assertHarmless("victim"), 15)

    def test_lettersLeft(self) -> None:
        """What waits for somebody is as harmless when they come."""
        eve = self.house.enters("eve")
        made = payloads(100)
        for start in range(0, 100, 20):
            for payload in made[start : start + 20]:
                eve.sends(f"/tell bob {payload}".encode("utf-8", "surrogateescape") + b"\r\n")
            self.house.turn()
            bob = comes(self.house, "bob")
            self.victims = {"victim": bob}
            self.assertGreater(self.assertHarmless("victim"), 10)
            bob.says("/quit")
