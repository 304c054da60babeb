"""
The documents: what they refer to is there, and everything there is is referred to.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]


class DocumentTests(SynchronousTestCase):
    def test_links(self) -> None:
        """Each leads to a file of the project."""
        found = 0
        for page in PAGES:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
                if "://" not in link:
                    found += 1
                    self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")
        self.assertGreater(found, 20)

    def test_modules(self) -> None:
        """Each that the plan of the house names is there."""
        text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
        folders = "mucs|tests|line|log|client|logtool|twisted"
        for name in re.findall(rf"`((?:{folders})/[\w/]+\.py)`", text):
            places = (ROOT / name, ROOT / "mucs" / name)
            self.assertTrue(any(place.exists() for place in places), name)

    def test_everyPageIsFound(self) -> None:
        """From the README."""
        readme = PAGES[0].read_text("utf-8")
        for page in PAGES[1:]:
            self.assertIn(f"({page.relative_to(ROOT)})", readme)
