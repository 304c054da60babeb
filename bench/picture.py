"""
The picture for the README: what share of the C limit each server reaches.

Only this needs matplotlib, which C{pip install -e '.[bench]'} brings; it is imported when a picture
is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from bench.figures import compare, measuredLoads, middle
from bench.goals import C
from bench.loads import Load
from bench.saved import BenchError, Record, Saved
from bench.servers import SERVERS

#: Who is drawn, and in what colour; that of MUCS is the one that is seen.
COLOURS = {
    "mucs": "#c2410c",
    "inspircd": "#64748b",
    "ngircd": "#94a3b8",
    "naive": "#cbd5e1",
}
THICK = 0.8


def bars(records: Sequence[Record]) -> list[tuple[Load, list[tuple[str, float]]]]:
    """For each load with deliveries: whom to draw, and their share of C."""
    found: list[tuple[Load, list[tuple[str, float]]]] = []
    for load in measuredLoads(records):
        if not load.window or not set(C) & set(load.servers):
            continue
        shares = [
            (name, share)
            for name in COLOURS
            if (share := middle(compare(records, load.name, "deliveries", name, C))) is not None
        ]
        if shares:
            found.append((load, shares))
    return found


def matplotlib() -> Any:
    """What draws. @raise BenchError: it is not installed."""
    try:
        return import_module("matplotlib.figure")
    except ImportError as error:
        raise BenchError(
            "--picture needs matplotlib, which is not installed: pip install -e '.[bench]'"
        ) from error


def draw(saved: Saved, path: str) -> None:
    """
    Draw a run.

    @param path: where to; its ending says in which format.
    @raise BenchError: there is no matplotlib, nothing to draw, or no way to write it.
    """
    figures = matplotlib()
    groups = bars(saved.records)
    if not groups:
        raise BenchError(f"--picture {path}: nothing was measured that it shows")
    count = sum(len(shares) + 1 for _, shares in groups)
    figure = figures.Figure(figsize=(9, 1.2 + count * 0.16), layout="constrained")
    axes = figure.add_subplot()
    places: dict[str, list[tuple[float, float]]] = {name: [] for name in COLOURS}
    ticks: list[float] = []
    at = 0.0
    for _, shares in groups:
        ticks.append(at + (len(shares) - 1) / 2)
        for name, share in shares:
            places[name].append((at, share * 100))
            text = axes.text(share * 100 + 1, at, f"{share * 100:.0f} %", va="center", fontsize=7)
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            at += 1
        at += 1
    for name, marks in places.items():
        if marks:
            where, share100 = zip(*marks, strict=True)
            label = SERVERS[name].title
            axes.barh(where, share100, THICK, color=COLOURS[name], label=label)
    axes.axvline(100, color="#0f172a", linewidth=1, linestyle="--", label="C, one core")
    axes.set_yticks(ticks, [load.title for load, _ in groups], fontsize=8)
    axes.invert_yaxis()
    words = "deliveries a second, as a share of the better C server of the same round"
    axes.set_xlabel(words, fontsize=8)
    axes.xaxis.set_major_formatter("{x:.0f} %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.06, y=0.02)
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=8)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise BenchError(f"--picture {path}: {error}") from error
