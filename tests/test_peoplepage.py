"""
C{docs/people.md} says what is so: its conversations are performed, in order, in one house.

Above each block stands whose terminal it is.  A line behind C{>} is typed there; all others are
what comes.  Where two times stand for one another, or a token for another, they are made alike.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.house import House, HouseCase, Person

PAGE = Path(__file__).resolve().parent.parent / "docs" / "people.md"

DROPS = "Her line drops."


def blocks() -> list[tuple[str, list[str]]]:
    """Whose terminal, and what stands on it, in the order of the page; C{DROPS} is one too."""
    found = re.findall(rf"^```(\w+)\n(.*?)^```$|({DROPS})", PAGE.read_text("utf-8"), re.M | re.S)
    return [(who, said.splitlines()) if who else ("", [drops]) for who, said, drops in found]


class PageTests(HouseCase):
    def setUp(self) -> None:
        self.house = House()
        self.house.listens("native", passwords=True)
        self.people: dict[str, Person] = {}
        self.tokens: dict[str, str] = {}

    def test_theConversationsAreSo(self) -> None:
        """Everyone sees what the page says, and nothing else."""
        performed = 0
        last = ""
        for who, lines in blocks():
            if not who:
                self.people.pop(last).resets()
                self.house.turn()
                continue
            last = who
            person = self.people.get(who)
            if person is None:
                person = self.people[who] = self.house.connect()
            shown: list[str] = []
            for line in lines:
                if line.startswith(">"):
                    self.assertSeen(who, person, shown)
                    typed = line[2:].replace("TOKEN", self.tokens.get(who, ""))
                    person.says(typed)
                    self.house.hands.work()
                    self.house.turn()
                    shown = []
                else:
                    shown.append(line[2:])
                performed += 1
            self.assertSeen(who, person, shown)
        self.assertGreater(performed, 100)

    def assertSeen(self, who: str, person: Person, shown: list[str]) -> None:
        """This has come since they were last looked at."""
        # What tells a telnet to hide what is typed is not seen.
        data = re.sub(rb"\xff[\xfb\xfc]\x01\r?", b"", person.seen())
        seen = data.decode().replace("\r\n", "\n").splitlines()
        for line in seen:
            if token := re.search(r"/resume ([a-z2-7]{26})$", line):
                self.tokens[who] = token[1]
        seen = [re.sub(r"/resume [a-z2-7]{26}$", "/resume TOKEN", line) for line in seen]
        seen = [re.sub(r"^\d\d:\d\d ", "HH:MM ", line) for line in seen]
        self.assertEqual(seen, shown, who)

    def test_theCommandsThereAre(self) -> None:
        """What the page calls a command is one, and it names them all."""
        named = set(re.findall(r"`/(\w+)", PAGE.read_text("utf-8")))
        self.assertEqual(named, set(self.house.hall.commands))
