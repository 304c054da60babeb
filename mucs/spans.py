"""
Spans of time as people type them (C{30s}, C{10m}, C{2h}, C{7d}), and moments as they read them.
"""

from __future__ import annotations

import re
import time

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NAMES = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_SPAN = re.compile(r"([0-9]{1,6})([smhd])")

#: The longest span there is, in seconds: ten years.
LONGEST = 3650 * 86400


def span(word: str) -> int:
    """
    @return: a span in seconds; 0 for what is none, or is none of at most L{LONGEST}.
    """
    found = _SPAN.fullmatch(word)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    return seconds if seconds <= LONGEST else 0


def words(seconds: int) -> str:
    """A span as it is told: C{5 min}, C{7 d}."""
    for name, size in _NAMES:
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def moment(ms: int) -> str:
    """A time in milliseconds since 1970 as it is told, in the server's zone."""
    local = time.localtime(ms / 1000)
    return time.strftime(f"{local.tm_mday} %b %Y %H:%M", local)
