"""
Where a server is: what C{mucs} is told on its command line, as a value.

C{HOST}, C{HOST:PORT}, C{[IPv6]:PORT}, C{tls:HOST:PORT} and C{unix:PATH} are understood here;
whatever else has a colon is a Twisted client endpoint, and is left to Twisted.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mucs.text import clean

#: What a server listens at if nothing is said.
PORT = 7000

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]+))(?::(\d{1,5}))?")

#: Words that no host is called here, since an endpoint begins so.
_KINDS = ("tcp", "tcp4", "tcp6", "ssl", "tls", "unix", "tls-insecure")


class BadAddress(ValueError):
    """That is no address; C{str(it)} is one line that says what would be."""


class Address(NamedTuple):
    """
    @ivar kind: C{tcp}, C{tls}, C{unix}, or C{endpoint}.
    @ivar host: the host; for a UNIX socket its path, for an endpoint its description.
    """

    kind: str
    host: str
    port: int = 0

    def __str__(self) -> str:
        if self.kind in ("unix", "endpoint"):
            return f"unix:{self.host}" if self.kind == "unix" else self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls:' * (self.kind == 'tls')}{host}:{self.port}"


def address(text: str, port: int = PORT) -> Address:
    """
    Read an address.

    @param port: the one that is meant where none is said.
    @raise BadAddress: it is none.
    """
    text = clean(text).strip()
    kind, colon, rest = text.partition(":")
    if kind == "unix" and rest:
        return Address("unix", rest)
    if kind in ("tls", "tcp") and colon:
        found = _HOST.fullmatch(rest.replace("\\:", ":"))
        if found is None and "=" not in rest and rest.count(":") != 1:
            raise BadAddress(f"{text} is no address; {kind}:HOST:PORT would be")
        if found is not None:
            return _at(kind, found, port)
    found = _HOST.fullmatch(text)
    if found is not None and kind not in _KINDS:
        return _at("tcp", found, port)
    if text.count(":") > 1 and re.fullmatch(r"[0-9A-Fa-f:.]+", text):
        return Address("tcp", text, port)
    if colon and re.fullmatch(r"[A-Za-z][\w-]*", kind) and rest:
        return Address("endpoint", text)
    raise BadAddress(f"{text or 'nothing'} is no address; HOST:PORT, tls:HOST:PORT or unix:PATH is")


def _at(kind: str, found: re.Match[str], port: int) -> Address:
    number = int(found[3] or port)
    if not 0 < number < 65536:
        raise BadAddress(f"{number} is no port; ports are numbers from 1 to 65535")
    return Address(kind, found[1] or found[2], number)
