"""
C{twistd mucs} and C{twist mucs}: the options, and the service they make.

What is wrong is told before anything begins, as one line on stderr that begins with C{mucs: }.
What goes wrong while listening begins is told in the same way, by an excepthook: raising is the
only way by which C{twistd}, as a daemon too, and C{twist} both end as they should.
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any

from twisted import copyright
from twisted.application.service import IService
from twisted.python import usage

from mucs.config import (
    Config,
    ConfigError,
    Keep,
    Listen,
    listener,
    load,
    logOf,
    readMotd,
    serverName,
)
from mucs.hall import Hall
from mucs.imucs import ICommand, IFilter, IFrontEnd, ILog, IObserver
from mucs.listener import StartError
from mucs.log.memory import MemoryLog
from mucs.log.retention import Retention
from mucs.names import nearest
from mucs.plugin import KINDS, found, listing
from mucs.rules import Limits

#: What stands below the options in C{--help}; lines of at most 78 characters.
MANUAL = """
A multi-user chat service. Anyone joins with netcat, telnet or the clients of
five older chat systems, and all of them meet in the same rooms.

A PORT is an ENDPOINT, or FRONTEND@ENDPOINT.

  FRONTEND  who is expected there: one of the front ends that --list-plugins
            lists. Unless named it is native: for people with nc or telnet.
  ENDPOINT  where that is, written as everywhere in Twisted:
              tcp:7000                      every IPv4 address of this machine
              tcp:7000:interface=127.0.0.1  this machine only
              tcp6:7000                     IPv6 (and mostly IPv4 too)
              ssl:7443:privateKey=key.pem:certKey=cert.pem
              tls:FOLDER:7443               TLS with the .pem files in it
              unix:mucs.sock:mode=660       a socket in the file system
              systemd:domain=INET:index=0   a socket that systemd opened
              haproxy:tcp:7000              behind a proxy that says who it is
            A colon inside a path is written \\:

A certificate and the message of the day are looked for where twistd is
started, a UNIX socket in the folder that twistd's own --rundir names.

Examples:

  twistd -n mucs
  twistd -n mucs --port tcp:7000 --port shh@tcp:33000
  twistd -n mucs --port 'ssl:7443:privateKey=key.pem:certKey=cert.pem'
  twistd -n mucs --config etc/mucs.toml
  nc localhost 7000

-n keeps twistd in the foreground, with its log on stdout; without it, it is
a daemon with twistd.log and twistd.pid. SIGTERM stops it in good order.
"""


class Options(usage.Options):
    """What stands behind C{twistd mucs}."""

    synopsis = "[--port PORT]... [options]"
    longdesc = ""
    optParameters = [
        ["config", "c", None, "A TOML file with all settings; etc/mucs.toml explains each."],
        [
            "log",
            "l",
            None,
            "Where what is said is kept: sqlite:FILE, or memory:, which forgets it."
            " [default: sqlite:mucs.sqlite]",
        ],
        ["name", None, None, "What the server is called. [default: MUCS]"],
        ["motd", None, None, "A text file: the message of the day, shown on joining."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []

    def opt_port(self, port: str) -> None:
        self["port"].append(port)

    # Not as the method's own: its lines would be shown as they are indented here.
    opt_port.__doc__ = (
        "Where to listen, see below; any number of times, and in place of all that the file lists."
        " [default: tcp:7000]"
    )
    opt_p = opt_port

    def opt_list_plugins(self) -> None:
        """List the installed plugins, one a line: kind, name, summary."""
        print("\n".join(listing()))
        raise SystemExit(0)

    def opt_version(self) -> None:
        """Show the versions of MUCS and Twisted, and exit."""
        try:
            mine = version("mucs")
        except PackageNotFoundError:
            mine = "(not installed)"
        print(f"MUCS {mine}, Twisted {copyright.version}")
        raise SystemExit(0)

    def getUsage(self, width: int | None = None) -> str:
        """What C{--help} shows: the options, and what takes more than a line to say."""
        return super().getUsage(width) + MANUAL

    def parseArgs(self, *rest: str) -> None:
        if rest:
            raise SystemExit(f"mucs: {rest[0]}: not an option; a port is given as --port {rest[0]}")

    def postOptions(self) -> None:
        try:
            self.update(_settings(self))
        except ConfigError as error:
            raise SystemExit(f"mucs: {error}") from error


def _settings(options: Options) -> dict[str, object]:
    """The file's settings, with those of the command line in their place."""
    path = options["config"]
    config = Config() if path is None else load(path)

    def either(key: str) -> tuple[str, str]:
        """A setting, and what it is called where it was made."""
        if options[key] is not None:
            return options[key], f"--{key}"
        return getattr(config, key), f"{path}: {key}"

    if options["port"]:
        listens = [(Listen(port=port), "--port") for port in options["port"]]
    else:
        listens = [
            (listen, "--port" if path is None else f"{path}: listen[{at}].port")
            for at, listen in enumerate(config.listen)
        ]
    plugins = {name for kind in KINDS.values() for name in found(kind)}
    for name in config.off:
        if name not in plugins:
            near = nearest(name, plugins)
            hint = f"; did you mean {near}?" if near else "; --list-plugins lists them"
            raise ConfigError(f"{path}: off: there is no plugin {name}{hint}")
    return {
        "listens": listens,
        "limits": config.limits,
        "keep": config.keep,
        "store": logOf(*either("log")),
        "off": config.off,
        "called": serverName(*either("name")),
        "words": readMotd(*either("motd")),
    }


def makeService(options: Options) -> IService:
    """
    The service that the options ask for.

    @raise SystemExit: with one line, where that cannot be.
    """
    from twisted.internet import reactor

    # callLater follows the wall clock otherwise, and an hour's step fires or freezes timers.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    frontEnds = _wanted(IFrontEnd, options)
    try:
        listeners = [
            listener(listen, frontEnds, reactor, where) for listen, where in options["listens"]
        ]
    except ConfigError as error:
        raise SystemExit(f"mucs: {error}") from error
    observers = _wanted(IObserver, options)
    if not any(each.policy.console for each in listeners):
        # It would look at each event for nothing: 5 % of the work.
        observers.pop("console", None)
    limits: Limits = options["limits"]
    store: ILog = options["store"](reactor, time.time)
    hall = Hall(
        reactor,
        store,
        MemoryLog(time.time, limits.behind),
        limits,
        called=options["called"],
        motd=options["words"],
        commands=_wanted(ICommand, options),
        filters=list(_wanted(IFilter, options).values()),
        observers=list(observers.values()),
    )
    for each in listeners:
        each.setServiceParent(hall)
    keep: Keep = options["keep"]
    retention = Retention(store, reactor, time.time, keep.days * 86400, keep.events)
    retention.setServiceParent(hall)
    sys.excepthook = _excepthook
    return hall


def _wanted(kind: Any, options: Options) -> dict[str, Any]:
    """The plugins of a kind, without those that are switched off."""
    return {name: each for name, each in found(kind).items() if name not in options["off"]}


def _excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not isinstance(error, StartError):
        sys.__excepthook__(kind, error, trace)
        return
    # By now twistd has put its log in the place of stderr: there too.  twist has not.
    for stream in {sys.stderr, sys.__stderr__}:
        if stream is not None:
            stream.write(f"mucs: {error}\n")
