"""
Spans of time, typed and told.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.spans import LONGEST, span, words


class SpanTests(SynchronousTestCase):
    def test_typed(self) -> None:
        for word, seconds in (
            ("30s", 30),
            ("10m", 600),
            ("2h", 7200),
            ("7d", 604800),
            ("3650d", LONGEST),
        ):
            self.assertEqual(span(word), seconds)
        for word in ("", "0s", "10", "m", "-1m", "1.5h", "3651d", "1000000s", "٣m", "10m ", "10M"):
            self.assertEqual(span(word), 0, word)

    @given(st.text())
    def test_anything(self, text: str) -> None:
        """Whatever is typed, nothing is raised."""
        self.assertTrue(0 <= span(text) <= LONGEST)

    def test_told(self) -> None:
        """In the largest unit that says it exactly."""
        for seconds, said in ((60, "1 min"), (90, "90 s"), (7200, "2 h"), (604800, "7 d")):
            self.assertEqual(words(seconds), said)
