"""
What C{mucs} asks for before it goes anywhere: a name, a host and a port, and a password.

Each question has what was used last as its answer; Enter alone takes it.
"""

from __future__ import annotations

import getpass
import sys

from mucs.client import kept
from mucs.client.address import PORT, Address, BadAddress, address
from mucs.client.dialects import DIALECTS
from mucs.client.options import Asked
from mucs.text import clean


def ask(asked: Asked) -> None:
    """
    Ask for what is lacking, and fill it in.

    @raise EOFError: no answer comes.
    """
    used = kept.last()
    if not asked.name and isNamed(asked):
        asked.name = _answer("Enter your username", used.get("name") or _user())
    if asked.where is not None:
        return
    while asked.where is None:
        host = _answer("Enter your serverip", used.get("host") or "localhost")
        usual = DIALECTS[asked.dialect].port if asked.dialect in DIALECTS else PORT
        try:
            where = address(host, 0xFFFF)
            if where.kind in ("unix", "endpoint"):
                asked.where = where
                return
            port = _answer("Enter your port", used.get("port") or str(usual))
            scheme = "tls:" if where.kind == "tls" else ""
            name = f"[{where.host}]" if ":" in where.host else where.host
            asked.where = address(f"{scheme}{name}:{port}")
        except BadAddress as bad:
            print(f"! {bad}", file=sys.stderr)


def isNamed(asked: Asked) -> bool:
    """Whether people have names there."""
    return asked.dialect not in DIALECTS or DIALECTS[asked.dialect].naming != "never"


def remember(asked: Asked) -> None:
    """Keep what was chosen, as the next time's answers."""
    where = asked.where
    values = {"name": asked.name} if asked.name else {}
    if where is not None and where.kind in ("tcp", "tls"):
        values["host"] = f"tls:{where.host}" if where.kind == "tls" else where.host
        values["port"] = str(where.port)
    elif where is not None:
        values["host"] = str(where)
    kept.keep(**values)


def askPassword(name: str, where: Address | None) -> str:
    """
    Ask for a password, without showing it.

    @raise EOFError: none was given.
    """
    given = getpass.getpass(f"Password of {name} at {where}: ")
    if not given:
        raise EOFError
    return given


def usualName() -> str:
    """The name of someone who was asked for none."""
    return kept.last().get("name") or _user()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _answer(question: str, usual: str) -> str:
    while True:
        given = clean(input(f"{question} [{usual}]: " if usual else f"{question}: ")).strip()
        if given or usual:
            return given or usual
