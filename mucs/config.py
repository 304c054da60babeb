"""
What the operator wants: the TOML file, C{--port}, and what becomes of them.

Everything is checked before anything is begun.  What is wrong is a L{ConfigError}: one line that
names the option or the key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint

from mucs.imucs import IFrontEnd
from mucs.listener import Listener
from mucs.names import BadName, checkName, nearest
from mucs.rules import Limits
from mucs.text import clean

#: What a listener speaks, where nothing is said of it.
NATIVE = "native"

#: Where MUCS listens, if it is not told anything.
DEFAULT_PORT = "tcp:7000"

#: Lines of a message of the day.
MOTD = 100


class ConfigError(Exception):
    """Something in the configuration is wrong; C{str(it)} is one line that says what."""


class Listen(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One C{[[listen]]} of the file; what is not given is as the dialect has it."""

    port: str
    seats: Annotated[int, Meta(ge=0)] | None = None
    full: Literal["wait", "refuse"] | None = None
    echo: Literal["none", "line", "ack"] | None = None
    history: bool | None = None
    console: bool | None = None
    trusted: bool | None = None


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file; C{etc/mucs.toml} is its manual."""

    name: str = "MUCS"
    motd: str = ""
    log: str = "memory:"
    off: tuple[str, ...] = ()
    listen: tuple[Listen, ...] = (Listen(port=DEFAULT_PORT),)
    limits: Limits = Limits()


def load(path: str) -> Config:
    """Read a configuration file. @raise ConfigError: it cannot be read, or holds a mistake."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"--config {path}: {error.strerror}") from error
    try:
        return msgspec.toml.decode(data, type=Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"--config {path}: {_located(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"--config {path}: not TOML: {error}") from error


def _located(message: str) -> str:
    """msgspec's sentence with the key first: C{limits.line: Expected `int` >= 64}."""
    text, _, place = message.partition(" - at `$.")
    key = place.rstrip("`").replace("[...]", "")
    text = text.replace("Object contains unknown field", "there is no key")
    return f"{key}: {text}" if key else text


def serverName(name: str, where: str) -> str:
    """A name for the server. @raise ConfigError: it cannot be called so."""
    try:
        return checkName(name)
    except BadName as bad:
        raise ConfigError(f"{where}: {bad}") from bad


def readMotd(path: str, where: str) -> list[str]:
    """The lines of a message of the day. @raise ConfigError: it cannot be read."""
    if not path:
        return []
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{where} {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} {path}: that file is no UTF-8") from error
    return [clean(line) for line in text.rstrip("\n").split("\n")][:MOTD]


def listener(
    listen: Listen, frontEnds: dict[str, IFrontEnd], reactor: Any, where: str
) -> Listener:
    """
    What one C{[FRONTEND@]ENDPOINT} asks for.

    @param where: what it is called in a message: C{--port}, or the key.
    @raise ConfigError: there is no such front end, or no such endpoint.
    """
    port = listen.port
    name, at, endpoint = port.partition("@")
    if not at or ":" in name:
        name, endpoint = NATIVE, port
    frontEnd = frontEnds.get(name)
    if frontEnd is None:
        near = nearest(name, frontEnds) or ", ".join(frontEnds)
        raise ConfigError(f"{where} {port}: there is no front end {name}; there is {near}")
    try:
        policy = frontEnd.policy()
    except Exception as error:
        raise ConfigError(f"{where} {port}: the front end {name} fails: {error}") from error
    changed = {
        key: value
        for key in ("seats", "full", "echo", "history", "console")
        if (value := getattr(listen, key)) is not None
    }
    trusted = _isLocal(endpoint) if listen.trusted is None else listen.trusted
    return Listener(
        port,
        frontEnd,
        _endpoint(endpoint, port, reactor, where),
        msgspec.structs.replace(policy, **changed),
        trusted=trusted,
        proxied=endpoint.startswith("haproxy:"),
    )


def _endpoint(description: str, port: str, reactor: Any, where: str) -> IStreamServerEndpoint:
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    except Exception as error:
        # Endpoint plugins raise whatever they like: a wrong number is a ValueError, an unreadable
        # certificate an OSError, systemd: without sockets an IndexError.
        raise ConfigError(f"{where} {port}: {_because(description, error)}") from error
    return endpoint


def _because(description: str, error: Exception) -> str:
    kind = description.partition(":")[0]
    if isinstance(error, OSError) and error.filename:
        return f"cannot read {error.filename}: {error.strerror}"
    if isinstance(error, IndexError | KeyError) and kind == "systemd":
        return "systemd passed no such socket"
    if isinstance(error, TypeError):
        return f"an endpoint is written KIND:WHERE[:KEY=VALUE...], e.g. {DEFAULT_PORT}"
    if type(error).__module__.startswith("OpenSSL"):
        return f"no usable key and certificate: {_openssl(error)}"
    return " ".join(str(error).split()) or type(error).__name__


def _openssl(error: Exception) -> str:
    """The reason in what OpenSSL raises: a list of triples."""
    try:
        return str(error.args[0][0][2])
    except (IndexError, TypeError):
        return str(error)


def _isLocal(endpoint: str) -> bool:
    """Whether only this machine can reach an endpoint."""
    if endpoint.startswith("unix:"):
        return True
    return not {"interface=127.0.0.1", "interface=localhost"}.isdisjoint(endpoint.split(":"))
