"""
C{twistd mucs} and C{twist mucs}: the options, and the service they make.

What is wrong is told before anything begins, as one line on stderr that begins with C{mucs: }.
What goes wrong while listening begins is told in the same way, by an excepthook: raising is the
only way by which C{twistd}, as a daemon too, and C{twist} both end as they should.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from mucs.config import (
    Config,
    ConfigError,
    Listen,
    listener,
    load,
    readMotd,
    serverName,
)
from mucs.hall import Hall
from mucs.imucs import ICommand, IFilter, IFrontEnd, ILog, IObserver
from mucs.listener import StartError
from mucs.log.memory import MemoryLog
from mucs.plugin import KINDS, found, listing
from mucs.rules import Limits


class Options(usage.Options):
    """What stands behind C{twistd mucs}."""

    synopsis = "Usage: twistd [twistd's options] mucs [--port [FRONTEND@]ENDPOINT]... [options]"
    longdesc = """\
A multi-user chat service. Anyone joins with netcat, telnet, or the clients of five older chat
systems, all in the same rooms:

  twistd -n mucs --port tcp:7000
  twistd -n mucs --port tcp:7000 --port shh@tcp:33000 --port unix:mucs.sock:mode=660
  twistd -n mucs --config etc/mucs.toml
"""
    optParameters = [
        ["config", "c", None, "A TOML file; etc/mucs.toml explains every key."],
        ["log", "l", None, "Where what is said is kept: memory: (the default) forgets it all."],
        ["name", None, None, "What the server is called. [default: MUCS]"],
        ["motd", None, None, "A file with a message of the day."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []

    def opt_port(self, port: str) -> None:
        """
        Where to listen: [FRONTEND@]ENDPOINT, any number of times, in place of the file's. An
        endpoint is Twisted's (tcp: ssl: tls: unix: systemd: haproxy: ...); the front end is
        native unless named. [default: tcp:7000]
        """
        self["port"].append(port)

    opt_p = opt_port

    def opt_list_plugins(self) -> None:
        """Show the installed plugins, one a line: kind, name, summary."""
        print("\n".join(listing()))
        raise SystemExit(0)

    def parseArgs(self, *rest: str) -> None:
        if rest:
            raise SystemExit(f"mucs: {rest[0]}: not an option; a port is given as --port {rest[0]}")

    def postOptions(self) -> None:
        try:
            config = load(self["config"]) if self["config"] else Config()
            self.update(_settings(self, config))
        except ConfigError as error:
            raise SystemExit(f"mucs: {error}") from error


def _settings(options: Options, config: Config) -> dict[str, object]:
    """The file's settings, with those of the command line in their place."""
    if options["port"]:
        listens = [(Listen(port=port), "--port") for port in options["port"]]
    else:
        listens = [
            (listen, f"listen[{at}].port" if options["config"] else "--port")
            for at, listen in enumerate(config.listen)
        ]
    log, where = _either(options, config, "log")
    if log != "memory:":
        raise ConfigError(f"{where} {log}: there is no such log; there is memory:")
    for name in config.off:
        if not any(name in found(kind) for kind in KINDS.values()):
            raise ConfigError(f"off: there is no plugin {name}")
    return {
        "listens": listens,
        "limits": config.limits,
        "off": config.off,
        "called": serverName(*_either(options, config, "name")),
        "words": readMotd(*_either(options, config, "motd")),
    }


def _either(options: Options, config: Config, key: str) -> tuple[str, str]:
    """A setting, and what it is called where it was made."""
    if options[key]:
        return options[key], f"--{key}"
    return getattr(config, key), key


def makeService(options: Options) -> IService:
    """
    The service that the options ask for.

    @raise SystemExit: with one line, where that cannot be.
    """
    from twisted.internet import reactor

    # callLater follows the wall clock otherwise, and an hour's step fires or freezes timers.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    limits: Limits = options["limits"]
    store: ILog = MemoryLog(time.time, limits.behind)
    hall = Hall(
        reactor,
        store,
        MemoryLog(time.time, limits.behind),
        limits,
        called=options["called"],
        motd=options["words"],
        commands=_wanted(ICommand, options),
        filters=list(_wanted(IFilter, options).values()),
        observers=list(_wanted(IObserver, options).values()),
    )
    try:
        frontEnds = found(IFrontEnd)
        for listen, where in options["listens"]:
            listener(listen, frontEnds, reactor, where).setServiceParent(hall)
    except ConfigError as error:
        raise SystemExit(f"mucs: {error}") from error
    sys.excepthook = _excepthook
    return hall


def _wanted(kind: Any, options: Options) -> dict[str, Any]:
    """The plugins of a kind, without those that are switched off."""
    return {name: each for name, each in found(kind).items() if name not in options["off"]}


def _excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if isinstance(error, StartError):
        sys.stderr.write(f"mucs: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)
