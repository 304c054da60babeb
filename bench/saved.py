"""
The records of a run: made by L{bench.run}, kept in a file of JSON, read by all that shows them.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from msgspec import Struct


class BenchError(Exception):
    """Something cannot be done; C{str(it)} is one line that says what, and what would help."""


class Record(Struct, frozen=True):
    """
    One load on one server.

    @ivar round: they count from 0.
    @ivar figures: what was measured, by name; see L{bench.figures}.
    @ivar fault: why it does not count, if so.
    """

    load: str
    server: str
    round: int
    figures: dict[str, float]
    fault: str = ""


class Saved(Struct):
    """
    A whole run.

    @ivar machine: what it ran on.
    @ivar isQuick: whether it was a quick one: then its figures are rough.
    @ivar notes: what was left out, and why.
    """

    machine: str
    isQuick: bool
    notes: list[str]
    records: list[Record]


def machine(cpus: int) -> str:
    """What a run is measured on, in words; nothing that tells whose it is."""
    try:
        twisted = version("twisted")
    except PackageNotFoundError:
        twisted = "?"
    system = f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{system}, {cpus} processors, {python}, Twisted {twisted}"


def save(saved: Saved, path: str) -> None:
    """Write a run to a file. @raise BenchError: that cannot be done."""
    try:
        Path(path).write_bytes(msgspec.json.format(msgspec.json.encode(saved)) + b"\n")
    except OSError as error:
        raise BenchError(f"--json {path}: {error.strerror}") from error


def load(path: str) -> Saved:
    """Read a run from a file. @raise BenchError: that cannot be done."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Saved)
    except OSError as error:
        raise BenchError(f"--from {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BenchError(f"--from {path}: no saved run: {error}") from error
