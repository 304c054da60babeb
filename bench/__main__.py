"""
C{python -m bench}: measure, and show.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

try:
    from bench import picture, saved, table
    from bench.loads import LOADS
    from bench.rounds import INTERRUPTED, run, say
    from bench.saved import BenchError
    from bench.table import ask
except ModuleNotFoundError as error:
    sys.exit(
        f"bench: this Python has no {error.name}; use the one that MUCS is installed in"
        " (pip install -e .)"
    )

#: Rounds of a run that is not a quick one.
ROUNDS = 3


def options() -> argparse.ArgumentParser:
    """What may stand behind C{python -m bench}."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure MUCS beside a C server and naive Twisted, on this machine.",
        epilog="bench/README.md says how to read the tables.",
    )
    add = parser.add_argument
    names = [load.name for load in LOADS]
    add("--quick", action="store_true", help="about a minute: one round, rough figures")
    add("--rounds", type=int, metavar="N", help=f"how often each is measured [{ROUNDS}]")
    add("--load", nargs="+", choices=names, metavar="NAME", help="only these; see --list")
    add("--list", action="store_true", help="show the loads and their goals")
    add("--json", metavar="FILE", help="save what was measured")
    add("--from", dest="source", metavar="FILE", help="show what was saved; measure nothing")
    add("--picture", metavar="FILE", help="draw it: .svg, .png or .pdf (needs matplotlib)")
    return parser


def listing() -> str:
    """The loads and their goals."""
    lines: list[str] = []
    for load in LOADS:
        lines.append(f"{load.name:<10} {load.title}")
        lines += [f"{'':<12}{ask(goal)}" for goal in load.goals]
    return "\n".join(lines)


def interrupt(number: int, frame: FrameType | None) -> None:
    """However it is told to end, what was started is ended first."""
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    """@return: the exit status: 0, or 1 where something could not be done, or not to its end."""
    parser = options()
    asked = parser.parse_args(words)
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds: at least 1")
    if asked.list:
        print(listing())
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        # What would fail in the end is to fail before anything is measured.
        for option, path in (("--json", asked.json), ("--picture", asked.picture)):
            if path and not Path(path).absolute().parent.is_dir():
                raise BenchError(f"{option} {path}: there is no such folder")
        if asked.picture:
            picture.matplotlib()
        if asked.source:
            shown = saved.load(asked.source)
        else:
            rounds = asked.rounds or (1 if asked.quick else ROUNDS)
            loads = [load for load in LOADS if not asked.load or load.name in asked.load]
            shown = run(loads, rounds, asked.quick)
        # First what was asked to be kept: the other end of a pipe may be gone.
        if asked.json:
            saved.save(shown, asked.json)
        if asked.picture:
            picture.draw(shown, asked.picture)
        print(table.whole(shown))
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        say("bench: interrupted")
        return 1
    return 1 if INTERRUPTED in shown.notes and not asked.source else 0


if __name__ == "__main__":
    sys.exit(main())
