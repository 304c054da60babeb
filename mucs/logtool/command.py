"""
The command line of C{mucs-log}: what is asked for, and what is said of it.

What went wrong is one line on stderr that begins with C{mucs-log: }, and an exit code that is not
0: 2 for a command line that is not understood, 1 for all else, and 128 and the number of the signal
for what was stopped by one. What is done is said on stdout, unless that is where an export goes.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from typing import Any, BinaryIO, NoReturn, TextIO, cast

from mucs.events import LogError
from mucs.log.steps import why
from mucs.logtool.backup import backup
from mucs.logtool.exports import export
from mucs.logtool.imports import importLines
from mucs.logtool.prune import prune
from mucs.logtool.verify import verify
from mucs.logtool.work import Stopped, ToolError, Work
from mucs.text import clean

#: Exit codes.
FINE, FAULT, MISTAKE = 0, 1, 2

#: What C{--log} of the server writes before the name of the file.
KIND = "sqlite:"


class UsageError(Exception):
    """The command line is not understood; C{str(it)} is one line that says why."""


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; {self.prog} --help shows how it is written")


def main() -> NoReturn:
    """What C{mucs-log} runs."""
    for stream in (sys.stdout, sys.stderr):
        # A room may be called what this terminal cannot show.
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:], sys.stdin.buffer, sys.stdout, sys.stderr, signals=True))


def run(
    argv: Sequence[str], stdin: BinaryIO, stdout: TextIO, stderr: TextIO, signals: bool = False
) -> int:
    """
    Do what the command line asks for.

    @param argv: what stands behind C{mucs-log}.
    @param signals: whether signals stop it.
    @return: the exit code.
    """
    try:
        asked = parser().parse_args(argv)
    except UsageError as error:
        return _say(stderr, str(error), MISTAKE)
    work = Work(stderr, asked.quiet)
    if signals:
        work.catch()
    try:
        code, told = asked.run(asked, work, stdin, stdout)
        work.end()
        if told and not asked.quiet:
            print("\n".join(map(clean, told.split("\n"))), file=stdout)
        stdout.flush()
    except Stopped as stopped:
        return _stopped(work, stopped, asked, stderr)
    except BrokenPipeError:
        # Python would flush it once more, and say so.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return _say(stderr, "nobody reads what is written here", FAULT)
    except (ToolError, LogError) as error:
        message = str(error)
    except sqlite3.Error as error:
        if work.stopped is not None:
            return _stopped(work, work.stopped, asked, stderr)
        message = f"{asked.database}: {why(error)}"
    except OSError as error:
        name = os.fsdecode(error.filename) if error.filename else asked.database
        message = f"{name}: {error.strerror or error}"
    else:
        return int(code)
    work.end()
    return _say(stderr, message, FAULT)


def _stopped(work: Work, stopped: Stopped, asked: argparse.Namespace, stderr: TextIO) -> int:
    work.end()
    return _say(stderr, f"stopped; {asked.stopped}", 128 + stopped.number)


def _say(stderr: TextIO, message: str, code: int) -> int:
    # At once, so that nothing of another program's comes in between.
    stderr.write(f"mucs-log: {clean(' '.join(message.split()))}\n")
    return code


def parser() -> argparse.ArgumentParser:
    """@return: what understands the command line."""
    top = Parser(
        prog="mucs-log",
        description="What the operator of a MUCS server does with what was said.",
        epilog="docs/operators.md has more.",
    )
    try:
        mine = version("mucs")
    except PackageNotFoundError:
        mine = "(not installed)"
    top.add_argument("--version", action="version", version=f"mucs-log of MUCS {mine}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Callable[..., Any], summary: str, stopped: str) -> Parser:
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(run=run, stopped=stopped)
        command.add_argument("database", metavar="DATABASE", type=_path, help="mucs.sqlite, say")
        command.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
        return command

    each = add("backup", _backup, "Copy a database while the server runs.", "nothing is left of it")
    each.add_argument("copy", metavar="COPY", help="the file to make")
    each.add_argument("--force", action="store_true", help="replace COPY if it is there")

    each = add(
        "export", _export, "Write rooms as JSON lines while the server runs.", "it is not whole"
    )
    each.add_argument("rooms", metavar="ROOM", nargs="*", help="all, if none is named")
    each.add_argument("-o", "--output", metavar="FILE", default="", help="in place of stdout")
    each.add_argument("--force", action="store_true", help="replace FILE if it is there")

    each = add(
        "import",
        _import,
        "Store JSON lines in a database that no server is using; make it if it is not there.",
        "the same command again goes on from here",
    )
    each.add_argument("file", metavar="FILE", nargs="?", default="-", help="stdin, if not named")
    each.add_argument(
        "--append",
        action="store_true",
        help="put events behind what their rooms have already, under new numbers",
    )
    each.add_argument("--anew", action="store_true", help="with --append: forget one interrupted")

    add(
        "verify",
        _verify,
        "Read all of a database, and say what is wrong with it.",
        "there may be more to say",
    )

    each = add(
        "prune",
        _prune,
        "Remove the oldest events from a database that no server is using.",
        "the same command again goes on from here",
    )
    each.add_argument("rooms", metavar="ROOM", nargs="*", help="all, if none is named")
    each.add_argument(
        "--before", metavar="WHEN", help="what is older: an age, 90d, 12h or 2w; or 2026-01-31"
    )
    each.add_argument(
        "--keep", metavar="N", type=int, help="the last N events of each room stay in any case"
    )
    each.add_argument("--dry-run", action="store_true", help="only say what would go")
    return top


def _path(word: str) -> str:
    return word.removeprefix(KIND).partition(":level=")[0] if word.startswith(KIND) else word


def _backup(asked: Any, work: Work, stdin: BinaryIO, stdout: TextIO) -> tuple[int, str]:
    return FINE, backup(asked.database, asked.copy, work, asked.force)


def _export(asked: Any, work: Work, stdin: BinaryIO, stdout: TextIO) -> tuple[int, str]:
    output = "" if asked.output == "-" else asked.output
    return FINE, export(asked.database, asked.rooms, stdout.buffer, work, output, asked.force)


def _import(asked: Any, work: Work, stdin: BinaryIO, stdout: TextIO) -> tuple[int, str]:
    if asked.anew and not asked.append:
        raise ToolError("--anew goes with --append only")
    if asked.file == "-":
        return FINE, importLines(asked.database, stdin, work, asked.append, asked.anew)
    with open(asked.file, "rb") as file:
        return FINE, importLines(asked.database, file, work, asked.append, asked.anew)


def _verify(asked: Any, work: Work, stdin: BinaryIO, stdout: TextIO) -> tuple[int, str]:
    faults = 0
    for fault in verify(asked.database, work):
        work.end()
        print(clean(fault), file=stdout)
        faults += 1
    return (FAULT, "") if faults else (FINE, f"{asked.database}: no fault was found")


def _prune(asked: Any, work: Work, stdin: BinaryIO, stdout: TextIO) -> tuple[int, str]:
    done = prune(asked.database, asked.rooms, work, asked.before, asked.keep, asked.dry_run)
    return FINE, "\n".join(done)
