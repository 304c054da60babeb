"""
The tables for people: the goals, and every server beside C and naive Twisted.

Both are Markdown that can be read as it is.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from bench.figures import Verdict, compare, measuredLoads, middle, ownShare, verdicts
from bench.goals import C, Goal
from bench.loads import Load
from bench.saved import Record, Saved
from bench.servers import SERVERS

NOTHING = "–"
#: With less of a processor than this the figures are rough.
DISTURBED = 0.85
FIGURES = {
    "deliveries": "deliveries",
    "joins": "joins/s",
    "bytes": "bytes each",
    "p99_us": "p99",
}


def write(goal: Goal, value: float) -> str:
    """A value as its goal has it."""
    match goal.unit:
        case "percent":
            return f"{value * 100:.3g} %"
        case "times":
            return f"{value:.3g}×"
        case "bytes":
            return f"{value:.0f} B"
        case "MiB":
            return f"{value / 1024:.1f} MiB"
        case "all":
            return "all" if value >= 1 else f"{min(value * 100, 99.9999):.6g} %"


def ask(goal: Goal) -> str:
    """What a goal asks for."""
    if goal.unit == "all":
        return "all delivered"
    sign = "≥" if goal.relation == "least" else "≤"
    return f"{sign} {write(goal, goal.bound)} {goal.what}"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]], right: Container[str]) -> str:
    """
    A table in Markdown, its columns in line.

    @param right: the heads of the columns that end at their right.
    """
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    columns = list(zip(head, widths, strict=True))

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, (name, width) in zip(row, columns, strict=True)
        )
        return f"| {' | '.join(cells)} |"

    rule = ["-" * (width - 1) + (":" if name in right else "-") for name, width in columns]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def goals(records: Sequence[Record]) -> str:
    """Each goal, what was measured, and whether that is enough."""
    rows: list[list[str]] = []
    before: Load | None = None
    for verdict in verdicts(records):
        load = verdict.load
        names = ["", ""] if load is before else [load.name, load.title]
        before = load
        measured, spread = NOTHING, ""
        if verdict.value is not None:
            measured = write(verdict.goal, verdict.value)
            low, high = min(verdict.values), max(verdict.values)
            if low != high:
                spread = f"{write(verdict.goal, low)} to {write(verdict.goal, high)}"
        rows.append([*names, ask(verdict.goal), measured, spread, _word(verdict)])
    head = ["load", "", "goal", "measured", "rounds", "reached"]
    return grid(head, rows, {"measured"})


def _word(verdict: Verdict) -> str:
    if verdict.fault:
        return f"no: {verdict.fault}"
    return {True: "yes", False: "no", None: "not measured"}[verdict.isReached]


def servers(records: Sequence[Record]) -> str:
    """Every server under every load."""
    rows: list[list[str]] = []
    for load in measuredLoads(records):
        title = load.name
        for name in load.servers:
            mine = [each for each in records if each.load == load.name and each.server == name]
            if mine:
                rows.append([title, SERVERS[name].title, *_cells(records, load, name, mine)])
                title = ""
    figures = ["of C", "of naive", "a CPU second", "p50", "p99", "CPU", "gen"]
    return grid(["load", "server", "what", *figures, "faults"], rows, figures)


def _cells(records: Sequence[Record], load: Load, server: str, mine: Sequence[Record]) -> list[str]:
    def ratio(figure: str, against: Sequence[str]) -> str:
        value = middle(compare(records, load.name, figure, server, against))
        return NOTHING if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"

    def plain(figure: str) -> str:
        value = middle(compare(records, load.name, figure, server, ()))
        return NOTHING if value is None else f"{value:.2f}"

    naive = ("naive-tls",) if "naive-tls" in load.servers else ("naive",)
    return [
        FIGURES[load.figure],
        ratio(load.figure, C),
        ratio(load.figure, naive),
        ratio("efficiency", C),
        ratio("p50_us", C),
        ratio("p99_us", C),
        plain("server_cpu"),
        plain("generator_cpu"),
        next((record.fault for record in mine if record.fault), ""),
    ]


def whole(saved: Saved) -> str:
    """Both tables, and what is to be known about them."""
    rounds = 1 + max((record.round for record in saved.records), default=-1)
    kind = "a quick look, rough figures" if saved.isQuick else "medians of the rounds"
    parts = [f"{saved.machine}; rounds: {rounds}; {kind}"]
    share = ownShare(saved.records)
    if share is not None and share < DISTURBED:
        parts.append(
            f"Note: something else was busy on this machine. Of their processors the C servers"
            f" or the generator got {share * 100:.0f} %, where they could have used all."
        )
    parts += [f"Note: {note}" for note in saved.notes]
    parts += [goals(saved.records), servers(saved.records)]
    return "\n\n".join(parts)
