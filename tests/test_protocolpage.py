"""
C{docs/protocol.md} says what is so: its examples are performed, in order, against a server.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.house import HouseCase, Person

PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"


def examples() -> list[list[tuple[str, str]]]:
    """The page's examples: for each, who says what: C{>} the client, C{<} the server."""
    blocks = re.findall(r"^```\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return [
        [(line[0], line[2:]) for line in block.splitlines() if line[:2] in ("> ", "< ")]
        for block in blocks
    ]


def same(shown: Any, said: str) -> bool:
    """Whether an answer is as an example has it; TIME stands for any time."""
    if isinstance(shown, dict):
        for value in [shown, *shown.values()]:
            if isinstance(value, dict) and isinstance(value.get("time"), int):
                value["time"] = 0
    expected = json.loads(said.replace(":TIME", ":0"))
    return bool(shown == expected)


class PageTests(HouseCase):
    """The examples that show a conversation: those in which the client speaks, or is greeted."""

    def test_theExamplesAreSo(self) -> None:
        """Each line that a client is shown to get is what it gets, when it sends the others."""
        person: Person | None = None
        pending: list[str] = []
        performed = 0
        for block in examples():
            if not any(who == ">" for who, _ in block) and not block[0][1].startswith('{"welcome'):
                continue  # an event or a gap shown alone
            for who, line in block:
                if who == "<" and line.startswith('{"welcome'):
                    if person is not None:
                        person.closes()
                        self.house.turn()
                    person = self.house.connect("json")
                    pending = person.lines()
                assert person is not None
                if who == ">":
                    self.assertEqual(pending, [], "more came than the page says")
                    person.sends(line.encode() + b"\n")
                    self.house.turn()
                    pending = person.lines()
                else:
                    self.assertTrue(pending, f"nothing came in place of {line}")
                    came = json.loads(pending.pop(0))
                    self.assertTrue(same(came, line), f"{came}\nin place of\n{line}")
                    performed += 1
        self.assertGreater(performed, 15)
