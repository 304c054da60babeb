"""
Figures: what is worked out of what the generator printed.

Only ratios between servers of the same round are formed, then the median of the rounds is taken;
a record with a fault does not count.  Besides the generator's own figures (the C{printf}s of
C{gen.c}) there are C{joins}, a second, until everyone has been told of everyone; C{bytes},
memory for each connection; and C{efficiency}, deliveries in a second of the server's
processor time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.goals import C, Goal
from bench.loads import LOADS, Load, subject
from bench.saved import Record
from bench.servers import Server

#: The figures of which more is better; of all others less is.
MORE = frozenset(("deliveries", "joins", "efficiency", "complete"))
#: What is said of a run that was too short for the server.
TOO_SLOW = "nothing arrived in time"


def derive(raw: Mapping[str, float]) -> dict[str, float]:
    """The figures of one run of the generator."""
    figures = {name: float(value) for name, value in raw.items()}
    joined = figures.get("joined", 0.0)
    if joined and figures["told_s"]:
        figures["joins"] = joined / figures["told_s"]
        figures["bytes"] = figures["grown_kb"] * 1024 / joined
    if figures.get("deliveries") and figures["server_cpu"]:
        figures["efficiency"] = figures["deliveries"] / figures["server_cpu"]
    return figures


def faults(raw: Mapping[str, float], load: Load, server: Server) -> str:
    """Why one run of the generator does not count: nothing, if it does."""
    found: list[str] = []
    if raw["joined"] < raw["members"]:
        found.append(f"only {raw['joined']:.0f} of {raw['members']:.0f} came in")
    if load.isAnnounced:
        wanted = load.members * (load.members - 1) // 2
        if raw["announced"] != wanted:
            found.append(f"{raw['announced']:.0f} of {wanted} joins told")
    for name, words in (
        ("lost", "{:.0f} lost"),
        ("repeated", "{:.0f} twice"),
        ("gaps", "{:.0f} out of order"),
        ("own", "{:.0f} back to their sender"),
        ("lost_members_then", "{:.0f} members thrown out"),
    ):
        if raw.get(name):
            found.append(words.format(raw[name]))
    if raw.get("deliveries") == 0 and not found:
        found.append(TOO_SLOW)
    if server.talk == "mucs":
        # Who reads nothing is thrown out in the end; who reads slowly must not be.
        out = raw.get("lost_slow", 0) - load.stalled
        if out > 0:
            found.append(f"{out:.0f} thrown out who do read, slowly")
        missed = raw.get("slow_gaps", 0) - raw.get("slow_skipped", 0)
        if missed > 0:
            found.append(f"{missed:.0f} kept from slow readers without a word")
    return ", ".join(found)


def byRound(records: Iterable[Record], load: str, figure: str) -> dict[int, dict[str, float]]:
    """A figure of every server under a load, by round and server; only what counts."""
    rounds: dict[int, dict[str, float]] = {}
    for record in records:
        if record.load == load and not record.fault and figure in record.figures:
            rounds.setdefault(record.round, {})[record.server] = record.figures[figure]
    return rounds


def compare(
    records: Iterable[Record], load: str, figure: str, server: str, against: Sequence[str]
) -> list[float]:
    """
    A server's figure in each round, as a ratio to the best of others in the same round.

    @param against: the others; with nobody there, the figure itself.
    """
    ratios: list[float] = []
    best = max if figure in MORE else min
    for values in byRound(records, load, figure).values():
        if server not in values:
            continue
        if not against:
            ratios.append(values[server])
            continue
        others = [values[other] for other in against if other in values]
        if others and best(others) > 0:
            ratios.append(values[server] / best(others))
    return ratios


def middle(ratios: Sequence[float]) -> float | None:
    """The median, if there is any."""
    return median(ratios) if ratios else None


def ownShare(records: Iterable[Record]) -> float | None:
    """
    How much of a processor the busier of C server and generator got under those loads where
    either could have used all of one; less than nearly all means that something else was busy.
    """
    greedy = {load.name for load in LOADS if load.window > 1}
    return middle(
        [
            max(record.figures["server_cpu"], record.figures["generator_cpu"])
            for record in records
            if record.load in greedy and record.server in C and not record.fault
        ]
    )


@dataclass(frozen=True)
class Verdict:
    """
    Whether a goal is reached.

    @ivar values: what was measured, round by round.
    @ivar fault: what went wrong with what is to reach it.
    """

    load: Load
    goal: Goal
    values: list[float]
    fault: str

    @property
    def value(self) -> float | None:
        """What counts: the median; where all is asked for, the least."""
        if self.goal.unit == "all" and self.values:
            return min(self.values)
        return middle(self.values)

    @property
    def isReached(self) -> bool | None:
        """L{None} if it was not measured."""
        if self.fault:
            return False
        return None if self.value is None else self.goal.isReached(self.value)


def measuredLoads(records: Sequence[Record]) -> list[Load]:
    """The loads of which there are records."""
    names = {record.load for record in records}
    return [load for load in LOADS if load.name in names]


def verdicts(records: Sequence[Record]) -> list[Verdict]:
    """On each goal of each load that was measured."""
    found: list[Verdict] = []
    for load in measuredLoads(records):
        server = subject(load)
        wrong = [
            record.fault
            for record in records
            if record.load == load.name and record.server == server and record.fault
        ]
        for goal in load.goals:
            values = compare(records, load.name, goal.figure, server, goal.against)
            found.append(Verdict(load, goal, values, wrong[0] if wrong else ""))
    return found
