"""
What the operator wants: the TOML file, C{--port}, and what becomes of them.

Everything is checked before anything is begun.  What is wrong is a L{ConfigError}: one line that
names the option, or the file and the key in it.  Only what cannot be known before, such as a
port that another program has, is found later, by L{mucs.listener}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from twisted.internet.interfaces import IReactorTime

from mucs.endpoints import (
    EXAMPLE,
    BadEndpoint,
    isLocal,
    isPrivate,
    isProxied,
    isUnix,
    openable,
)
from mucs.imucs import IFrontEnd, ILog
from mucs.listener import Listener, reason
from mucs.log.memory import MemoryLog
from mucs.log.sqlite import LEVELS, SqliteLog
from mucs.names import BadName, checkName, nearest
from mucs.rules import Limits, Policy
from mucs.text import clean

#: What a listener speaks, where nothing is said of it.
NATIVE = "native"

#: Where MUCS listens, if it is not told anything.
DEFAULT_PORT = EXAMPLE

#: Lines of a message of the day; what a file has more is left out.
MOTD = 100


class ConfigError(Exception):
    """Something in the configuration is wrong; C{str(it)} is one line that says what."""

    def __init__(self, why: str) -> None:
        # What is quoted, a path or a key, may hold anything.
        super().__init__(" ".join(why.split()))


class Listen(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One C{[[listen]]} of the file; what is not given is as the dialect has it."""

    port: str
    seats: Annotated[int, Meta(ge=0)] | None = None
    full: Literal["wait", "refuse"] | None = None
    echo: Literal["none", "line", "ack"] | None = None
    history: bool | None = None
    console: bool | None = None
    trusted: bool | None = None
    guests: bool | None = None
    passwords: bool | None = None
    admins: bool | None = None


class Keep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of what was said is kept; 0 keeps all."""

    days: Annotated[float, Meta(ge=0, le=36500)] = 0
    events: Annotated[int, Meta(ge=0)] = 0


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file; C{etc/mucs.toml} is its manual."""

    name: str = "MUCS"
    motd: str = ""
    log: str = "sqlite:mucs.sqlite"
    metrics: str = ""
    io_uring: bool = True
    off: tuple[str, ...] = ()
    auth: Annotated[tuple[str, ...], Meta(min_length=1)] = ("accounts",)
    admins: tuple[str, ...] = ()
    listen: Annotated[tuple[Listen, ...], Meta(min_length=1)] = (Listen(port=DEFAULT_PORT),)
    keep: Keep = Keep()
    limits: Limits = Limits()


#: What stands where in the file.
TABLES: dict[str, type[Struct]] = {"": Config, "limits": Limits, "listen": Listen}


def load(path: str, folder: str = "") -> Config:
    """
    Read a configuration file.

    @param folder: from where C{path} counts.
    @raise ConfigError: it cannot be read, or holds a mistake.
    """
    try:
        return msgspec.toml.decode(_read(path, "--config", folder), type=Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_located(str(error))}") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"--config {path}: not TOML: {error}") from error


def _located(message: str) -> str:
    """msgspec's sentence with the key first: C{limits.line: Expected `int` >= 64}."""
    text, _, place = message.partition(" - at `$.")
    place = place.rstrip("`")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL)
    if unknown is None:
        return f"{place}: {text}"
    key = unknown[1]
    table = TABLES.get(place.partition("[")[0], Config)
    near = nearest(key, table.__struct_fields__)
    hint = f"; did you mean {near}?" if near else ""
    return f"{place + '.' if place else ''}{key}: there is no such key{hint}"


def _read(path: str, where: str, folder: str) -> bytes:
    """The bytes of a file. @raise ConfigError: it cannot be read."""
    try:
        return Path(folder, path).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{where} {path}: {reason(error)}") from error


def serverName(name: str, where: str) -> str:
    """A name for the server. @raise ConfigError: it cannot be called so."""
    try:
        return checkName(name)
    except BadName as bad:
        raise ConfigError(f"{where}: {bad}") from bad


def logOf(log: str, where: str) -> Callable[[IReactorTime, Callable[[], float]], ILog]:
    """
    What makes the log that is asked for: C{memory:}, C{sqlite:FILE} or C{sqlite:FILE:level=LEVEL}.

    @raise ConfigError: there is no such log.
    """
    kind, colon, rest = log.partition(":")
    if kind == "memory" and colon and not rest:
        return lambda reactor, clock: MemoryLog(clock)
    path, _, level = rest.partition(":level=")
    if kind == "sqlite" and path and (level or "power") in LEVELS:
        return lambda reactor, clock: SqliteLog(path, reactor, clock, level or "power")
    known = "sqlite:FILE, sqlite:FILE:level=process or memory:"
    raise ConfigError(f"{where} {log}: there is no such log; there is {known}")


def readMotd(path: str, where: str, folder: str = "") -> list[str]:
    """
    The lines of a message of the day.

    @param folder: from where C{path} counts.
    @raise ConfigError: it cannot be read.
    """
    if not path:
        return []
    try:
        text = _read(path, where, folder).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} {path}: that file is no UTF-8") from error
    # clean() takes the "\r" from the ends of lines, where there is one.
    return [clean(line) for line in text.rstrip("\r\n").split("\n")][:MOTD]


def listener(
    listen: Listen, frontEnds: dict[str, IFrontEnd], reactor: Any, where: str
) -> Listener:
    """
    What one C{[FRONTEND@]ENDPOINT} asks for.

    @param where: what it is called in a message: C{--port}, or the file and the key.
    @raise ConfigError: there is no such front end, or no such endpoint.
    """
    port = listen.port
    source = f"{where} {port}"
    frontEnd, endpoint, policy, trusted = treatment(listen, frontEnds, source)
    try:
        place, certificates = openable(endpoint, source, reactor)
    except BadEndpoint as error:
        raise ConfigError(f"{source}: {error}") from error
    return Listener(
        port,
        frontEnd,
        place,
        policy,
        trusted=trusted,
        proxied=isProxied(endpoint),
        source=source,
        certificates=certificates,
    )


def metrics(port: str, where: str, reactor: Any) -> Listener:
    """
    Where figures are.

    @param port: an endpoint.
    @param where: what it is called in a message.
    @raise ConfigError: there is no such endpoint, or what it takes is not installed.
    """
    source = f"{where} {port}"
    try:
        from mucs.metrics import Metrics
    except ImportError as error:
        raise ConfigError(
            f"{source}: that takes prometheus-client, which is not installed:"
            " pip install prometheus-client"
        ) from error
    try:
        place, certificates = openable(port, source, reactor)
    except BadEndpoint as error:
        raise ConfigError(f"{source}: {error}") from error
    found = Listener(port, Metrics(), place, Policy(), source=source, certificates=certificates)
    found.configured = False
    return found


def treatment(
    listen: Listen, frontEnds: dict[str, IFrontEnd], source: str
) -> tuple[IFrontEnd, str, Policy, bool]:
    """
    Who is expected there, and how they are treated.

    @param source: what it is called in a message.
    @return: the front end, the endpoint, the policy, and whether its people are trusted.
    @raise ConfigError: there is no such front end.
    """
    port = listen.port
    name, at, endpoint = port.partition("@")
    if not at or ":" in name:
        name, endpoint = NATIVE, port
    frontEnd = frontEnds.get(name)
    if frontEnd is None:
        near = nearest(name, frontEnds) or ", ".join(frontEnds)
        raise ConfigError(f"{source}: there is no front end {name!r}; there is {near}")
    try:
        policy = frontEnd.policy()
    except Exception as error:
        raise ConfigError(f"{source}: the front end {name} fails: {error}") from error
    changed = {
        key: value
        for key in ("seats", "full", "echo", "history", "console", "guests", "admins")
        if (value := getattr(listen, key)) is not None
    }
    if listen.admins and not isUnix(endpoint):
        raise ConfigError(f"{source}: admins: only a UNIX socket tells who connects")
    passwords = isPrivate(endpoint) if listen.passwords is None else listen.passwords
    treated = msgspec.structs.replace(policy, passwords=passwords, **changed)
    trusted = isLocal(endpoint) if listen.trusted is None else listen.trusted
    return frontEnd, endpoint, treated, trusted
