"""
Measuring: one load on one server.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from bench.figures import derive, faults
from bench.loads import Load
from bench.processes import ending, start
from bench.saved import Record
from bench.servers import Place, Server

#: Seconds for a server to begin to listen.
BEGIN = 20.0


@dataclass(frozen=True)
class Stage:
    """
    Where a run takes place.

    @ivar folder: the tools are there, and the files of the servers.
    @ivar cpus: the processors of server and generator; L{None}: wherever they like.
    """

    folder: Path
    cpus: tuple[int, int] | None
    isQuick: bool


def freePort() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def measure(turn: int, load: Load, server: Server, stage: Stage) -> Record:
    """Start a server, put a load on it, end it."""
    place = Place(freePort(), stage.folder, load.isAnnounced)
    cpus = stage.cpus or (None, None)

    def failed(why: str) -> Record:
        return Record(load.name, server.name, turn, {}, why)

    with TemporaryFile() as log, TemporaryFile() as output, TemporaryFile() as errors:
        try:
            process = start(server.command(place), cpus[0], stage.folder, log, log)
        except OSError as error:
            return failed(f"does not start: {error.strerror}")
        with ending(process):
            if not _listens(process, place.port):
                return failed(f"does not listen: {_lastLine(log)}")
            command = [str(stage.folder / "gen"), "-p", str(place.port), "-P", str(process.pid)]
            command += load.arguments(server, stage.isQuick)
            with ending(start(command, cpus[1], stage.folder, output, errors)) as generator:
                try:
                    generator.wait(load.bound(stage.isQuick))
                except subprocess.TimeoutExpired:
                    return failed("took too long")
            died = process.poll()
        output.seek(0)
        try:
            raw = json.load(output)
        except ValueError:
            return failed(f"the generator failed: {_lastLine(errors)}")
        if died is not None:
            return failed(f"the server died: {_lastLine(log)}")
    return Record(load.name, server.name, turn, derive(raw), faults(raw, load, server))


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until a server accepts connections: whether it does."""
    end = time.monotonic() + BEGIN
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            time.sleep(0.1)  # for it to forget the one that only looked
            return True
    return False


def _lastLine(file: IO[bytes]) -> str:
    """The last line a program wrote, as far as it is fit to be shown."""
    file.seek(0)
    lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[:200]
