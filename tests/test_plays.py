"""
The plays of C{tests/transcripts/}, each performed on a real server over real sockets.

These are functions for pytest-twisted, which trial does not see; L{tests.plays} says how to write
one.
"""

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred  # type: ignore[import-untyped]

from tests.performance import perform
from tests.plays import PlayError, read
from tests.stage import Stage

PLAYS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
@ensureDeferred  # type: ignore[untyped-decorator]
async def test_play(path: Path) -> None:
    """What is written is what happens."""
    from twisted.internet import reactor

    await perform(read(path), Stage(reactor))


@ensureDeferred  # type: ignore[untyped-decorator]
async def test_aWrongPlayFails() -> None:
    """A play that goes otherwise fails on the real stage too."""
    from twisted.internet import reactor

    text = "The server listens as addr.\nAda connects to addr.\nAda sees nothing more."
    with pytest.raises(PlayError, match="line 3: .*\n.*nothing more\n.*Welcome to this chatroom"):
        await perform(read(Path("wrong.txt"), text), Stage(reactor))
