"""
Endpoints: the strings that say where one listens, and what is said of those that are wrong.

The strings are Twisted's own, and so are its plugins for them; what these raise is whatever they
like, and becomes one sentence here.
"""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_address
from typing import Any

from twisted.internet.interfaces import IStreamServerEndpoint

from mucs.certificates import Certificates, secured
from mucs.listener import reason

#: How an endpoint is written.
EXAMPLE = "tcp:7000"


class BadEndpoint(Exception):
    """There is no such endpoint; C{str(it)} says why."""


def openable(
    description: str, source: str, reactor: Any
) -> tuple[IStreamServerEndpoint, Certificates | None]:
    """
    An endpoint that can be listened on.

    @param source: what the operator knows it by.
    @return: it, and its certificates, if it has any.
    @raise BadEndpoint: there is none.
    """
    kind = _pieces(description)[0]
    if kind == "stdio":
        raise BadEndpoint("nobody can connect to that")
    try:
        return secured(_backlogged(description), reactor, partial(_because, kind), source)
    except Exception as error:
        # Endpoint plugins raise whatever they like: a wrong number is a ValueError, an unreadable
        # certificate an OSError, systemd: without sockets an IndexError.
        raise BadEndpoint(_because(kind, error)) from error


def isProxied(description: str) -> bool:
    """Whether a proxy says who comes."""
    return _pieces(description)[0] == "haproxy"


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
    (r".* (missing|takes) .* arguments?\b.*", f"it is written KIND:WHERE, as in {EXAMPLE}"),
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


def isLocal(endpoint: str) -> bool:
    """
    Whether only this machine can reach an endpoint.  A proxy on this machine is local, but those
    who come by it are not.
    """
    kind, *rest = _pieces(endpoint)
    if kind == "systemd":
        return not {"UNIX", "domain=UNIX"}.isdisjoint(rest)
    return kind == "unix" or (kind != "haproxy" and any(map(_isLoopback, rest)))


def isUnix(endpoint: str) -> bool:
    """Whether people come by a UNIX socket, which tells whose process it is."""
    kind = _pieces(endpoint)[0]
    return kind == "unix" or (kind == "systemd" and isLocal(endpoint))


def isPrivate(endpoint: str) -> bool:
    """Whether nobody can read what is sent by an endpoint: it is encrypted, or stays here."""
    kind = _pieces(endpoint.lower().removeprefix("haproxy:"))[0]
    return kind in ("ssl", "tls") or isLocal(endpoint)


def _isLoopback(piece: str) -> bool:
    key, _, value = piece.partition("=")
    try:
        return key == "interface" and (value == "localhost" or ip_address(value).is_loopback)
    except ValueError:
        return False
