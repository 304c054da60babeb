"""
C{docs/client.md} says what is so: its command lines are understood, and its tables are complete.

That each of them does what the page says is shown in C{tests/live/test_client*.py}.
"""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mucs.client import views
from mucs.client.dialects import DIALECTS
from mucs.client.options import parse

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "client.md"


def helped() -> str:
    """What C{mucs --help} prints."""
    written = io.StringIO()
    with redirect_stdout(written):
        try:
            parse(["--help"])
        except SystemExit:
            pass
    return written.getvalue()


class PageTests(SynchronousTestCase):
    """The page, and the help."""

    def setUp(self) -> None:
        self.page = PAGE.read_text("utf-8")

    def test_commandLines(self) -> None:
        """Each is understood."""
        lines = re.findall(r"^(?:echo .*\| )?(mucs .*)$", self.page, re.M)
        lines += re.findall(r"`(mucs [^`\u2026]+)`", self.page)
        self.assertGreater(len(lines), 8)
        for line in lines:
            self.assertTrue(parse(shlex.split(line)[1:]).where, line)

    def test_options(self) -> None:
        """Those on the page are those of the help, and the other way round."""
        inHelp = set(re.findall(r"--[a-z][a-z-]+", helped())) - {"--help", "--version"}
        onPage = set(re.findall(r"--[a-z][a-z-]+", self.page))
        self.assertEqual(inHelp, onPage)

    def test_exitCodes(self) -> None:
        """The page and the help have all of them."""
        codes = {
            value
            for name, value in vars(views).items()
            if name.isupper() and isinstance(value, int)
        }
        onPage = {int(code) for code in re.findall(r"^\| (\d+) \|", self.page, re.M)}
        inHelp = {int(code) for code in re.findall(r"^  (\d) ", helped(), re.M)}
        self.assertEqual((onPage | {141}, inHelp | {141}), (codes, codes))

    def test_dialects(self) -> None:
        """Each is on the page, with its port."""
        table = dict(re.findall(r"^\| `--dialect (\w+)` \| (\d+) \|", self.page, re.M))
        self.assertEqual(table, {name: str(each.port) for name, each in DIALECTS.items()})
