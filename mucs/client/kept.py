"""
What is kept from one time to the next, where the XDG Base Directory Specification says: the name,
host and port that were used last, in C{$XDG_STATE_HOME/mucs/last}, and the lines that were typed,
in C{history} beside it.

Whatever cannot be read or written is not there: a chat does not depend on it.  A password is in
neither file.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

#: Commands in which a password may stand; a slip of the finger in front of them counts too.
_SECRET = re.compile(r"\s*/*\s*/(login|logn|register|password|passwd|oper)\b", re.I)


def folder() -> Path:
    """Where things are kept."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return Path(base if os.path.isabs(base) else Path.home() / ".local" / "state") / "mucs"


def isSecret(line: str) -> bool:
    """Whether a line is not to be kept."""
    return bool(_SECRET.match(line))


def masked(line: str) -> str:
    """A line as it may be shown again: without a password."""
    return f"{line.split()[0]} ..." if isSecret(line) else line


def last() -> dict[str, str]:
    """What was used last: C{name}, C{host} and C{port}, as far as it is known."""
    with suppress(OSError, ValueError, RuntimeError):
        kept = json.loads((folder() / "last").read_text("utf-8"))
        if isinstance(kept, dict):
            return {key: value for key, value in kept.items() if isinstance(value, str)}
    return {}


def keep(**values: str) -> None:
    """Remember these for the next time."""
    with suppress(OSError, RuntimeError):
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = place / f"last.{os.getpid()}"
        new.write_text(json.dumps({**last(), **values}), "utf-8")
        new.replace(place / "last")


def historyFile() -> Path | None:
    """Where the lines that were typed are kept; L{None} if that is not possible."""
    with suppress(OSError, RuntimeError):
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / "history"
        path.touch(0o600)
        return path
    return None
