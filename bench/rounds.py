"""
All loads on all servers, round by round, and what has to be left out.

Within a round every load meets its servers one right after the other, every second round in
the opposite order, so that what slows the machine for a while slows all of them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import processes, saved, tools
from bench.loads import Load
from bench.run import Stage, measure
from bench.saved import Record, Saved
from bench.servers import SERVERS, Server, find

#: Open files beside those of the members.
SPARE = 200
#: The note on a run that is not whole.
INTERRUPTED = "it was interrupted"
#: What the figures that loads are compared by are counted in.
UNITS = {
    "deliveries": "lines delivered a second",
    "joins": "joins a second",
    "bytes": "bytes of memory for each",
    "p99_us": "us until 99 % are delivered",
}


def say(text: str) -> None:
    """Progress, beside what may go into a file."""
    print(text, file=sys.stderr, flush=True)


def plan(
    loads: Sequence[Load], rounds: int, isThere: Callable[[Server], bool]
) -> list[tuple[int, Load, Server]]:
    """All that is to be measured, in order."""
    steps: list[tuple[int, Load, Server]] = []
    for turn in range(rounds):
        for load in loads:
            servers = [SERVERS[name] for name in load.servers if isThere(SERVERS[name])]
            if turn % 2:
                servers.reverse()
            if load.isFor(turn):
                steps += [(turn, load, server) for server in servers]
    return steps


def possible(loads: Sequence[Load], files: int, notes: list[str]) -> list[Load]:
    """
    The loads that can be put on.

    @param files: how many may be open.
    @param notes: why others cannot be is added to them.
    """
    for load in loads:
        if load.members + SPARE > files:
            notes.append(
                f"{load.name} is left out: it needs {load.members + SPARE} open files, and"
                f" {files} are allowed (ulimit -Hn)"
            )
    return [load for load in loads if load.members + SPARE <= files]


def missing(loads: Sequence[Load], isTls: bool, isQuick: bool, notes: list[str]) -> set[str]:
    """
    The servers that are not measured.

    @param isTls: whether the generator knows TLS.
    @param notes: why is added to them.
    """
    wanted = {name for load in loads for name in load.servers}
    absent: set[str] = set()
    for server in map(SERVERS.__getitem__, sorted(wanted)):
        if server.program and isQuick:
            absent.add(server.name)
            notes.append(f"{server.title} is left out of a quick run: it lets people in slowly")
        elif server.program and find(server.program) is None:
            absent.add(server.name)
            notes.append(
                f"{server.title} is left out: it is not installed (Debian and Ubuntu:"
                f" apt install {server.program})"
            )
        elif server.isTls and not isTls:
            absent.add(server.name)
            if tools.NO_TLS not in notes:
                notes.append(tools.NO_TLS)
    return absent


def run(loads: Sequence[Load], rounds: int, isQuick: bool) -> Saved:
    """
    Measure; on Ctrl-C what was measured until then counts.

    @raise BenchError: nothing can be measured.
    """
    notes: list[str] = []
    loads = possible(loads, processes.raiseFiles(), notes)
    allowed = os.sched_getaffinity(0)
    cpus = processes.choose(allowed, processes.siblings)
    if cpus is None:
        notes.append("there is one processor only: server and generator share it")
    found = Saved(saved.machine(len(allowed)), isQuick, notes, [])
    with TemporaryDirectory(prefix="mucs-bench-") as name:
        folder = Path(name)
        say("building the load generator and the C server ...")
        absent = missing(loads, tools.build(folder), isQuick, notes)
        for note in notes:
            say(f"note: {note}")

        def isThere(server: Server) -> bool:
            return server.name not in absent

        steps = plan(loads, rounds, isThere)
        begun = time.monotonic()
        try:
            for done, (turn, load, server) in enumerate(steps):
                head = f"[{done + 1}/{len(steps)}] {load.name}, {server.title}"
                record = measure(turn, load, server, Stage(folder, cpus, isQuick))
                found.records.append(record)
                left = (time.monotonic() - begun) / (done + 1) * (len(steps) - done - 1)
                say(f"{head}: {outcome(load, record)}; about {left / 60:.1f} min left")
        except KeyboardInterrupt:
            notes.append(INTERRUPTED)
            say("interrupted: this is what there is")
    return found


def outcome(load: Load, record: Record) -> str:
    """How one measurement went, for whoever waits."""
    if record.fault:
        return record.fault
    return f"{record.figures.get(load.figure, 0):,.0f} {UNITS[load.figure]}"
