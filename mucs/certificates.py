"""
Certificates that are renewed while the server runs.

Twisted's C{ssl:} keeps for ever what it has read at the start, and its C{tls:} reads its folder
again only when somebody asks for a host that is not in it.  Here each connection is made from the
newest certificate: when one comes, the times of the files are looked at, at most once in L{LOOK}
seconds, and a reload reads them at once.  An OpenSSL context cannot be changed once it was used,
so there is a new one each time; those who are connected stay with theirs.

Always true: what cannot be used leaves in use what was.  The log says so once, and it is looked at
again with the next connection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from OpenSSL import SSL
from twisted.internet.endpoints import (
    TCP4ServerEndpoint,
    quoteStringArgument,
    serverFromString,
    wrapServerTLS,
)
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.protocols.haproxy import proxyEndpoint
from zope.interface import implementer

from mucs import pems
from mucs.pems import Unusable

log = Logger()

#: Seconds between two looks at the files.
LOOK = 5.0

#: What C{ssl:} takes without a name, in this order, and which of it are files.
UNNAMED = (
    "port",
    "privateKey",
    "certKey",
    "sslmethod",
    "interface",
    "backlog",
    "extraCertChain",
    "dhParameters",
)
FILES = {"privateKey", "certKey", "extraCertChain", "dhParameters"}


# Files: path, time of the last change, size and number of each; zeros where there is none.
State = tuple[tuple[str, int, int, int], ...]


class Fresh(NamedTuple):
    """What was read: what connections are made from, the hosts it is for, the files' state."""

    context: SSL.Context
    hosts: frozenset[str]
    state: State


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """What the TLS of one listener is made from."""

    def __init__(
        self,
        read: Callable[[], tuple[SSL.Context, frozenset[str]]],
        paths: Callable[[], Iterator[str]],
        seconds: Callable[[], float],
        because: Callable[[Exception], str],
        source: str,
    ) -> None:
        """
        @param read: reads the files; raises whatever it likes.
        @param paths: which files these are.
        @param seconds: a clock that never goes back.
        @param because: says in a line why C{read} failed.
        @param source: what the operator knows the listener by.
        @raise Exception: what C{read} does.
        """
        self._read = read
        self._paths = paths
        self._seconds = seconds
        self._because = because
        self._source = source
        self._trouble = ""
        self._looked = seconds()
        state = self._state()
        self._now = Fresh(*read(), state)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """TLS for a new connection."""
        now = self._seconds()
        if now - self._looked >= LOOK:
            self._looked = now
            self._look()
        return SSL.Connection(self._now.context, None)

    def fresh(self) -> Fresh:
        """Read the files again. @raise Unusable: that would not do."""
        # Looked at before they are read: what is written meanwhile is another state.
        state = self._state()
        try:
            fresh = Fresh(*self._read(), state)
        except Exception as error:
            raise Unusable(f"{self._source}: {self._because(error)}") from error
        lost = self._now.hosts - fresh.hosts
        gone = {path for path, *_ in self._now.state} - {path for path, *_ in state}
        if lost and not gone:
            # A key without its certificate, say, since one of the two was not written yet.
            raise Unusable(f"{self._source}: nothing is there for {min(lost)} any more")
        return fresh

    def use(self, fresh: Fresh) -> bool:
        """From now on connections are made from this. @return: whether it is another one."""
        changed = fresh.state != self._now.state
        self._now = fresh
        self._trouble = ""
        return changed

    def _look(self) -> None:
        if self._state() == self._now.state and not self._trouble:
            return
        try:
            fresh = self.fresh()
        except Unusable as why:
            if str(why) != self._trouble:
                self._trouble = str(why)
                log.error("{why}; the certificate in use stays", why=why)
        else:
            self.use(fresh)
            log.info("{source}: a new certificate is in use", source=self._source)

    def _state(self) -> State:
        return tuple(map(_stat, self._paths()))


def _stat(path: str) -> tuple[str, int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return path, 0, 0, 0
    return path, found.st_mtime_ns, found.st_size, found.st_ino


def secured(
    description: str, reactor: Any, because: Callable[[Exception], str], source: str
) -> tuple[IStreamServerEndpoint, Certificates | None]:
    """
    What C{serverFromString} gives, but that the certificates of C{ssl:} and C{tls:} are renewed.

    @return: the endpoint, and its certificates if it has any.
    @raise Exception: what C{serverFromString} does; L{Unusable}.
    """
    kind, _, rest = description.partition(":")
    if kind == "haproxy":
        endpoint, certificates = secured(rest, reactor, because, source)
        return proxyEndpoint(endpoint), certificates
    if kind == "ssl":
        return _ssl(description, reactor, because, source)
    if kind == "tls":
        return _tls(rest, reactor, because, source)
    return serverFromString(reactor, description), None


def _tls(
    rest: str, reactor: Any, because: Callable[[Exception], str], source: str
) -> tuple[IStreamServerEndpoint, Certificates]:
    # As its parser has it, which reads the folder itself.
    parts = {"path": "", "port": "443", "backlog": "50", "interface": "\\:\\:"}
    unnamed = iter(list(parts))
    for key, value in map(_named, _split(rest)):
        parts[key or next(unnamed, "more")] = value
    if not parts["path"] or "more" in parts:
        raise TypeError("tls: takes two to four arguments")
    # In full: the daemon may have gone to another folder when it is read again.
    folder = os.path.abspath(_plain(parts.pop("path")))
    made = Certificates(
        lambda: pems.read(folder), lambda: pems.pems(folder), reactor.seconds, because, source
    )
    inner = ":".join(f"{key}={value}" for key, value in parts.items())
    return wrapServerTLS(made, serverFromString(reactor, f"tcp6:{inner}")), made


class _Asked:
    """In place of a reactor: learns what an C{ssl:} endpoint would listen with."""

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int, interface: str
    ) -> None:
        self.where = port, backlog, interface
        self.context: SSL.Context = contextFactory.getContext()


def _ssl(
    description: str, reactor: Any, because: Callable[[Exception], str], source: str
) -> tuple[IStreamServerEndpoint, Certificates]:
    def ask(text: str) -> _Asked:
        asked = _Asked()
        failed: list[Any] = []
        serverFromString(asked, text).listen(None).addErrback(failed.append)
        if failed:
            failed[0].raiseException()
        # Whether the key is that of the certificate.
        asked.context.check_privatekey()
        return asked

    # The daemon may have gone to another folder when they are read again.
    lasting, files = _absolute(description)
    port, backlog, interface = ask(lasting).where
    made = Certificates(
        lambda: (ask(lasting).context, frozenset()),
        lambda: iter(files),
        reactor.seconds,
        because,
        source,
    )
    return wrapServerTLS(made, TCP4ServerEndpoint(reactor, port, backlog, interface)), made


def _absolute(description: str) -> tuple[str, list[str]]:
    """An C{ssl:} endpoint with full paths, and the files that it names."""
    kind, *pieces = _split(description)
    here = quoteStringArgument(os.getcwd() + os.sep).replace("=", "\\=")
    parts = [_named(piece) for piece in pieces]
    if "privateKey" not in dict(parts) and [key for key, _ in parts].count("") < 2:
        parts.append(("privateKey", "server.pem"))  # as its parser has it
    unnamed = iter(UNNAMED)
    files: list[str] = []
    whole = [kind]
    for key, value in parts:
        if (key or next(unnamed, "")) in FILES:
            value = value if value.startswith(os.sep) else here + value
            files.append(_plain(value))
        whole.append(f"{key}={value}" if key else value)
    return ":".join(whole), files


def _split(description: str) -> list[str]:
    """The parts of an endpoint, as they are written: what is behind a backslash ends none."""
    pieces = [""]
    for each in re.findall(r"\\.|[^\\]", description, re.DOTALL):
        if each == ":":
            pieces.append("")
        else:
            pieces[-1] += each
    return pieces


def _named(piece: str) -> tuple[str, str]:
    """A part's name, if it has one, and its value."""
    match = re.fullmatch(r"(\w+)=(.*)", piece, re.DOTALL)
    return (match[1], match[2]) if match else ("", piece)


def _plain(value: str) -> str:
    """A value, without the backslashes that quote it."""
    return re.sub(r"\\(.)", r"\1", value)
