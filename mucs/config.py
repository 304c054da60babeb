"""
What the operator wants: the TOML file, C{--port}, and what becomes of them.

Everything is checked before anything is begun.  What is wrong is a L{ConfigError}: one line that
names the option, or the file and the key in it.  Only what cannot be known before, such as a
port that another program has, is found later, by L{mucs.listener}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorTime, IStreamServerEndpoint

from mucs.imucs import IFrontEnd, ILog
from mucs.listener import Listener, reason
from mucs.log.memory import MemoryLog
from mucs.log.sqlite import LEVELS, SqliteLog
from mucs.names import BadName, checkName, nearest
from mucs.rules import Limits
from mucs.text import clean

#: What a listener speaks, where nothing is said of it.
NATIVE = "native"

#: Where MUCS listens, if it is not told anything.
DEFAULT_PORT = "tcp:7000"

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


class Keep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of what was said is kept; 0 keeps all."""

    days: Annotated[float, Meta(ge=0, le=36500)] = 0
    events: Annotated[int, Meta(ge=0)] = 0


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file; C{etc/mucs.toml} is its manual."""

    name: str = "MUCS"
    motd: str = ""
    log: str = "sqlite:mucs.sqlite"
    off: tuple[str, ...] = ()
    listen: Annotated[tuple[Listen, ...], Meta(min_length=1)] = (Listen(port=DEFAULT_PORT),)
    keep: Keep = Keep()
    limits: Limits = Limits()


#: What stands where in the file.
TABLES: dict[str, type[Struct]] = {"": Config, "limits": Limits, "listen": Listen}


def load(path: str) -> Config:
    """Read a configuration file. @raise ConfigError: it cannot be read, or holds a mistake."""
    try:
        return msgspec.toml.decode(_read(path, "--config"), type=Config)
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


def _read(path: str, where: str) -> bytes:
    """The bytes of a file. @raise ConfigError: it cannot be read."""
    try:
        return Path(path).read_bytes()
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


def readMotd(path: str, where: str) -> list[str]:
    """The lines of a message of the day. @raise ConfigError: it cannot be read."""
    if not path:
        return []
    try:
        text = _read(path, where).decode()
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
        for key in ("seats", "full", "echo", "history", "console")
        if (value := getattr(listen, key)) is not None
    }
    return Listener(
        port,
        frontEnd,
        _endpoint(endpoint, source, reactor),
        msgspec.structs.replace(policy, **changed),
        trusted=_isLocal(endpoint) if listen.trusted is None else listen.trusted,
        proxied=_pieces(endpoint)[0] == "haproxy",
        source=source,
    )


def _endpoint(description: str, source: str, reactor: Any) -> IStreamServerEndpoint:
    kind = _pieces(description)[0]
    if kind == "stdio":
        raise ConfigError(f"{source}: nobody can connect to that")
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, _backlogged(description))
        # tls: takes any folder, and where it finds nothing there fails each handshake.
        creator = getattr(endpoint, "connectionCreator", None)
        if creator is not None and creator.serverConnectionForTLS(None).get_certificate() is None:
            raise ConfigError(
                f"{source}: no .pem file there holds a key and its certificate for a DNS name"
            )
    except ConfigError:
        raise
    except Exception as error:
        # Endpoint plugins raise whatever they like: a wrong number is a ValueError, an unreadable
        # certificate an OSError, systemd: without sockets an IndexError.
        raise ConfigError(f"{source}: {_because(kind, error)}") from error
    return endpoint


#: Connections that may wait in the kernel for us to accept them.  With Twisted's 50, most of a
#: storm of 200 wait a second more, until they ask again.  The kernel has a limit of its own.
BACKLOG = 1024

#: The endpoints that take a backlog, and which of their unnamed parts it is.
BACKLOGGED = {"tcp": 3, "tcp6": 2, "ssl": 6, "tls": 3, "unix": 3}

#: The kinds of endpoints that come with Twisted.
ENDPOINTS = "tcp, tcp6, ssl, tls, unix, systemd, haproxy"

#: What the endpoints' own errors say, and what is said to people.
SENTENCES = (
    (r"Unknown endpoint type: (.*)", rf"there is no kind of endpoint \1; there are {ENDPOINTS}"),
    (r"invalid literal for int\(\) with base 8: (.*)", r"\1 is no octal number"),
    (r"invalid literal for int\(\) with base 10: (.*)", r"\1 is no number"),
    (r".*got an unexpected keyword argument '(.*)'", r"\1= is not known there"),
    (r".* (missing|takes) .* arguments?\b.*", f"it is written KIND:WHERE, as in {DEFAULT_PORT}"),
    (r"module 'socket' has no attribute 'AF_(.*)'", r"\1 is neither INET, INET6 nor UNIX"),
)


def _because(kind: str, error: Exception) -> str:
    if isinstance(error, IndexError | KeyError) and kind == "systemd":
        return "systemd passed no such socket"
    if isinstance(error, OSError) and error.filename:
        return f"cannot read {error.filename}: {error.strerror}"
    text = reason(error)
    if type(error).__module__.startswith("OpenSSL"):
        return f"no usable key and certificate: {text}"
    for said, better in SENTENCES:
        match = re.fullmatch(said, text, re.DOTALL)
        if match:
            return match.expand(better)
    return text


def _backlogged(description: str) -> str:
    """An endpoint with our backlog, if it takes one and has not its own."""
    kind, *rest = _pieces(description.lower().removeprefix("haproxy:"))
    unnamed = [piece for piece in rest if "=" not in piece]
    own = any(piece.startswith("backlog=") for piece in rest)
    if own or len(unnamed) >= BACKLOGGED.get(kind, 0):
        return description
    return f"{description}:backlog={BACKLOG}"


def _pieces(description: str) -> list[str]:
    """What stands between an endpoint's colons; the first piece is its kind, in small letters."""
    kind, *rest = (piece.replace("\\:", ":") for piece in re.split(r"(?<!\\):", description))
    return [kind.lower(), *rest]


def _isLocal(endpoint: str) -> bool:
    """
    Whether only this machine can reach an endpoint.  A proxy on this machine is local, but those
    who come by it are not.
    """
    kind, *rest = _pieces(endpoint)
    if kind == "systemd":
        return not {"UNIX", "domain=UNIX"}.isdisjoint(rest)
    return kind == "unix" or (kind != "haproxy" and any(map(_isLoopback, rest)))


def _isLoopback(piece: str) -> bool:
    key, _, value = piece.partition("=")
    try:
        return key == "interface" and (value == "localhost" or ip_address(value).is_loopback)
    except ValueError:
        return False
