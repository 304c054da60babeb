"""
The servers that are measured, and how each of them is started.

All listen on one port of 127.0.0.1, and let many wait to be let in; all that can be told so are
told to have no limits on how fast one may speak.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Place:
    """
    Where a server is to run.

    @ivar port: on 127.0.0.1.
    @ivar folder: for its files; the tools and the certificate are in it.
    @ivar isAnnounced: whether it tells a room of each who joins it.
    """

    port: int
    folder: Path
    isAnnounced: bool


@dataclass(frozen=True)
class Server:
    """
    @ivar talk: what the generator speaks with it.
    @ivar command: the words of its command line.
    @ivar isTls: whether its connections are under TLS.
    @ivar isCalm: whether slow readers stay away from it.
    @ivar program: what must be installed for it, if that is not ours.
    @ivar atOnce: how many come in at a time.  InspIRCd lets in all who wait once a second; ngircd
        lets ten wait, and who is turned away tries again after seconds.
    """

    name: str
    title: str
    talk: str
    command: Callable[[Place], list[str]]
    isTls: bool = False
    isCalm: bool = False
    program: str = ""
    atOnce: int = 200


def find(program: str) -> str | None:
    """Where a program is; servers are often where only root looks."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def certificate(folder: Path) -> Path:
    """Where the key and the certificate are."""
    return folder / "certificate.pem"


def _endpoint(place: Place, isTls: bool) -> str:
    where = f"{place.port}:interface=127.0.0.1:backlog=4096"
    if not isTls:
        return f"tcp:{where}"
    pem = certificate(place.folder)
    return f"ssl:{where}:privateKey={pem}:certKey={pem}"


def _mucs(isTls: bool = False) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        twistd = "from twisted.scripts.twistd import run; run()"
        words = [sys.executable, "-c", twistd, "-n", "--pidfile=", "mucs"]
        words += ["--config", str(HERE / "mucs.toml"), "--log", "memory:"]
        return [*words, "--port", _endpoint(place, isTls)]

    return command


def _naive(isTls: bool = False) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        words = [sys.executable, str(HERE / "naive.py"), _endpoint(place, isTls)]
        return words + ["announce"] * place.isAnnounced

    return command


def _climit(*options: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        announce = ["-a"] * place.isAnnounced
        return [str(place.folder / "climit"), *announce, *options, str(place.port)]

    return command


def _configured(name: str, *words: str) -> Callable[[Place], list[str]]:
    """A server that finds its port in a file."""

    def command(place: Place) -> list[str]:
        text = (HERE / f"{name}.conf").read_text("utf-8")
        path = place.folder / f"{name}.conf"
        path.write_text(text.replace("@PORT@", str(place.port)), "utf-8")
        root = ["--runasroot"] if name == "inspircd" and os.geteuid() == 0 else []
        return [find(name) or name, *(word.replace("@FILE@", str(path)) for word in words), *root]

    return command


SERVERS = {
    server.name: server
    for server in (
        Server("climit", "C", "name", _climit()),
        Server("linger", "C, lingering", "name", _climit("-l", "0.1")),
        Server("naive", "naive Twisted", "name", _naive()),
        Server("naive-tls", "naive Twisted, TLS", "name", _naive(isTls=True), isTls=True),
        Server("mucs", "MUCS", "mucs", _mucs()),
        Server("mucs-tls", "MUCS, TLS", "mucs", _mucs(isTls=True), isTls=True),
        Server("mucs-calm", "MUCS, without slow ones", "mucs", _mucs(), isCalm=True),
        Server(
            "ngircd",
            "ngircd",
            "irc",
            _configured("ngircd", "-n", "-f", "@FILE@"),
            program="ngircd",
            atOnce=16,
        ),
        Server(
            "inspircd",
            "InspIRCd",
            "irc",
            _configured("inspircd", "--nofork", "--config=@FILE@"),
            program="inspircd",
            atOnce=1000,
        ),
    )
}
