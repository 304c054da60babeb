"""
The command line of C{mucs}: what is asked for, checked as far as it can be without a server.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from mucs.client.address import PORT, Address, BadAddress, address
from mucs.client.dialects import DIALECTS
from mucs.text import clean

ABOUT = """\
Talk in a MUCS chat, or any server of lines.

Where to:
  HOST, HOST:PORT       TCP; the port is 7000 if none is given
  tls:HOST:PORT         TLS; the certificate has to be right
  unix:PATH             a UNIX socket
  ENDPOINT              whatever else Twisted can connect to
Without it, mucs asks for your name, the host and the port.
"""

MORE = """\
On a terminal:
  /help                 lists the server's commands; // says a line that begins with /
  Tab                   completes commands, names and rooms
  Up, Down              what you typed before
  Ctrl-C                clears the line
  Ctrl-D, !q, /quit     leave

In a pipe, every line of the input is said, and mucs ends when all of it is stored:
  echo 'build passed' | mucs --name ci --room builds chat.example
As a source of events, one JSON object a line:
  mucs --follow --json --name watcher chat.example

Exit codes:
  0    all is well
  1    the server disconnected, and did not come back
  2    the command line is not understood
  3    the server is not there
  4    it is not the server that was expected: its certificate or its protocol
  5    it refuses: the name, the password, the room
  6    something that you said is not stored, or perhaps not
  128+N  stopped by the signal N (141: nobody reads what is printed)

MUCS_PASSWORD        the password for --login
NO_COLOR             if it is set, there are no colours
XDG_STATE_HOME       has the folder mucs/, where your last name, host and port are kept, and what
                     you typed; never a line with a password
"""


class UsageError(Exception):
    """The command line is not understood; C{str(it)} is one line that says why."""


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; mucs --help shows how it is written")


class Asked(argparse.Namespace):
    """What the command line asks for."""

    address: str
    name: str
    room: list[str]
    dialect: str
    trust: str
    insecure: bool
    login: bool
    password_file: str
    plain: bool
    follow: bool
    json: bool
    give_up: float
    where: Address | None


def parse(argv: Sequence[str]) -> Asked:
    """
    Understand a command line.

    @raise UsageError: it cannot be.
    @raise SystemExit: C{--help} or C{--version} was asked for, and printed.
    """
    parser = Parser(
        prog="mucs",
        description=ABOUT,
        epilog=MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("address", metavar="WHERE", nargs="?", default="", help="the server; see above")
    add("-n", "--name", default="", help="what you want to be called")
    add("-r", "--room", action="append", default=[], help="a room to go to; as often as you like")
    add("--login", action="store_true", help="log in; asks for the password of your account")
    add("--password-file", metavar="FILE", default="", help="log in with the first line of FILE")
    add("--trust", metavar="FILE", default="", help="for tls: the certificates to trust, as PEM")
    add("--insecure", action="store_true", help="for tls: trust anyone, who could read all you say")
    add(
        "--dialect",
        default="",
        choices=["json", *DIALECTS],
        help="what the server speaks, if mucs is not to find out; "
        + "; ".join(f"{each.name}: {each.summary}" for each in DIALECTS.values()),
    )
    add("--plain", action="store_true", help="lines only: for screen readers, and for logs")
    add("--follow", action="store_true", help="only print what happens, until it is stopped")
    add("--json", action="store_true", help="with --follow: print events as JSON, one a line")
    add(
        "--give-up",
        metavar="SECONDS",
        type=float,
        default=600.0,
        help="how long to try again when the line is lost (600)",
    )
    add("--version", action="version", version=f"mucs of MUCS {_version()}")
    asked = parser.parse_args(argv, Asked())
    if clean(asked.name) != asked.name:
        raise UsageError("--name has characters that no name can have")
    if asked.json and not asked.follow:
        raise UsageError("--json goes with --follow")
    if not asked.give_up >= 0:
        raise UsageError("--give-up takes seconds, 60 say")
    counts = asked.dialect in ("", "json")
    if not counts and (asked.room or asked.login or asked.password_file):
        raise UsageError(f"--room and --login need a MUCS server, and no --dialect {asked.dialect}")
    if not counts and asked.json:
        raise UsageError(f"--json needs a MUCS server, and no --dialect {asked.dialect}")
    asked.where = None
    if asked.address:
        usual = PORT if counts else DIALECTS[asked.dialect].port
        try:
            asked.where = address(asked.address, usual)
        except BadAddress as bad:
            raise UsageError(str(bad)) from bad
    if (asked.trust or asked.insecure) and (asked.where is None or asked.where.kind != "tls"):
        raise UsageError("--trust and --insecure go with tls:HOST:PORT")
    asked.room = [room.removeprefix("#") for room in asked.room]
    return asked


def password(asked: Asked) -> str | None:
    """
    The password to log in with, from where it is kept; L{None} if it is to be asked for, and an
    empty one if it is not to be logged in.

    @raise UsageError: it is not where it should be.
    """
    if asked.password_file:
        try:
            with open(os.path.expanduser(asked.password_file), encoding="utf-8") as file:
                found = file.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"--password-file {asked.password_file}: {why}") from error
        if not found:
            raise UsageError(f"--password-file {asked.password_file}: its first line is empty")
        return found
    if not asked.login:
        return ""
    return os.environ.get("MUCS_PASSWORD") or None


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mucs")
    except PackageNotFoundError:
        return "(not installed)"
