"""
C{docs/plugins.md} says what is so: its files make a distribution that installs, and does what it
says.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from mucs.roles import ROLES
from tests.live.test_thirdparty import PluginCase, write

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"


def shown() -> dict[str, str]:
    """The files that the page shows, by their paths."""
    found = re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return dict(found)


class PageTests(PluginCase):
    async def test_theyAreUsed(self) -> None:
        """Each plugin of the page does what it is said to do, for everyone."""
        folder = self.folder()
        write(folder, shown())
        here = "tcp:0:interface=127.0.0.1"
        options = ("--log", "memory:", "--port", here, "--port", f"loud@{here}")
        server = self.twistd(sys.executable, *options, path=folder)
        native, loud = await self.opened(server, 2)
        ada = await self.visitor(native, "ada")
        ada.says("/ago")
        await ada.sees("-- nothing was said here yet\r\n")
        bob = await self.visitor(loud, "bob")
        await ada.sees("* bob joined\r\n")
        ada.says("/roll 1", "/roll 0", "that is stupid", "shut up")
        await ada.sees("! a die has 1 to 1000 sides: /roll 20\r\n", "! say it kindly\r\n")
        await bob.sees("* ada rolls 1 of 1\r\nada SHOUTS that is unwise\r\n")
        await self.visitor(native, "eve")
        await bob.sees("HERE IS eve\r\n")
        ada.says("/ago")
        await ada.sees("-- 0 s ago\r\n")
        log = await self.ending(server)
        self.assertNotIn("Traceback", log)

    def test_theyAreListed(self) -> None:
        """The files are those that the page lists, and each plugin of them is found."""
        files = shown()
        listed = re.search(r"^```\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
        assert listed is not None
        self.assertEqual(set(listed[1].split()), set(files))
        settings = tomllib.loads(files["pyproject.toml"])
        included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
        folder = self.folder()
        write(folder, files)
        for name in files:
            self.assertTrue(any(name.startswith(each) for each in (*included, "pyproject")), name)
        source = (
            f"import sys; sys.path[:0] = [{str(folder)!r}, {str(PAGE.parents[1])!r}]\n"
            "from mucs.plugin import listing; print(*listing(), sep='\\n')"
        )
        argv = [sys.executable, "-c", source]
        lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        for words in ("command    ago ", "command    roll ", "filter     kind "):
            self.assertIn(words, lines)
        self.assertIn("observer   counter ", lines)

    def test_theRoles(self) -> None:
        """Each role is named."""
        for role in ROLES:
            self.assertIn(f"`{role}`", PAGE.read_text("utf-8"))
