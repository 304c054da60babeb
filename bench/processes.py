"""
Processes of a run: each on a processor of its own, and none left behind.

Whoever starts one ends it, by its id, whatever happens; should this program itself be killed, the
kernel ends them (Linux, C{PR_SET_PDEATHSIG}).  Each is a process group of its own, so
that Ctrl-C comes to us alone.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.servers import HERE

#: Open files a process of a run may have, if that is allowed.
FILES = 65536
#: Seconds for a process to end in good order.
PATIENCE = 3.0
PR_SET_PDEATHSIG = 1


def raiseFiles() -> int:
    """Let us, and what we start, open as many files as is allowed; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft == resource.RLIM_INFINITY or wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def siblings(cpu: int) -> set[int]:
    """The processors that are the same core as one, itself among them."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return parseCpus(path.read_text())
    except (OSError, ValueError):
        return {cpu}


def parseCpus(text: str) -> set[int]:
    """What the kernel writes for a set of processors: C{0-2,8}."""
    cpus: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


def choose(allowed: set[int], same: Callable[[int], set[int]]) -> tuple[int, int] | None:
    """
    A processor for the server and one for the generator, of another core if there is one.

    @param same: the processors that are one core with a processor.
    @return: L{None} where there is only one.
    """
    if len(allowed) < 2:
        return None
    server, *others = sorted(allowed)
    apart = [cpu for cpu in others if cpu not in same(server)]
    return server, (apart or others)[0]


def start(
    command: list[str], cpu: int | None, folder: Path, output: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    """
    Start a program, in a folder.

    @param cpu: the processor it is to stay on.
    @raise OSError: it cannot be started.
    """
    libc = ctypes.CDLL(None)

    def settle() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})

    # The checkout this file is in, even where another MUCS is installed.
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        preexec_fn=settle,
    )


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Whatever happens, the process has ended afterwards."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
