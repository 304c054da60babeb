"""
C{twistd mucs} and C{twist mucs}: the options (L{mucs.manual}), and the service they make.

What is wrong is told before anything begins, as one line on stderr that begins with C{mucs: }.
What goes wrong while listening begins is told in the same way, by an excepthook: raising is the
only way by which C{twistd}, as a daemon too, and C{twist} both end as they should.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any

from msgspec.structs import replace
from twisted import copyright
from twisted.application.internet import TimerService
from twisted.application.service import IService
from twisted.cred import strcred
from twisted.python import usage

from mucs import jsonlog, selfsigned
from mucs.checkers import adminKeys, checker
from mucs.config import (
    Config,
    ConfigError,
    Keep,
    Listen,
    listener,
    load,
    logOf,
    metrics,
    readMotd,
    serverName,
)
from mucs.hall import Hall
from mucs.imucs import ICommand, IFilter, IFrontEnd, ILog, IObserver
from mucs.listener import Listener, StartError
from mucs.log.memory import MemoryLog
from mucs.log.retention import Retention
from mucs.login import grade
from mucs.manual import MANUAL
from mucs.names import nearest
from mucs.places import NOTED
from mucs.plugin import KINDS, found, listing
from mucs.reload import Reload
from mucs.rules import Limits


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
        [
            "metrics",
            None,
            None,
            "An ENDPOINT for Prometheus (/metrics) and health checks (/healthz), such as"
            " tcp:9100:interface=127.0.0.1.",
        ],
        [
            "tls-self-signed",
            None,
            None,
            "TLS at this PORT too, with a certificate that is made for it; the log says how"
            " people trust it. Without a number, 7443.",
        ],
    ]
    optFlags = [
        ["log-json", None, "Write the log as JSON, an object a line."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []
        self["auth"] = []
        # What is read again later is looked for from here: a daemon may go elsewhere.
        self["folder"] = os.getcwd()

    def opt_port(self, port: str) -> None:
        self["port"].append(port)

    # Not as the method's own: its lines would be shown as they are indented here.
    opt_port.__doc__ = (
        "Where to listen, see below; any number of times, and in place of all that the file lists."
        " [default: tcp:7000]"
    )
    opt_p = opt_port

    def opt_auth(self, description: str) -> None:
        self["auth"].append(description)

    opt_auth.__doc__ = (
        "Where passwords are known: KIND:ARGUMENT; any number of times, and in place of what the"
        " file says. [default: accounts]"
    )

    def opt_help_auth(self) -> None:
        """List the kinds of --auth."""
        kinds = strcred.findCheckerFactories()
        print("\n".join(sorted(f"{one.authType:<10} {one.argStringFormat}" for one in kinds)))
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        words = list(sys.argv[1:] if options is None else options)
        if selfsigned.OPTION in words:
            # The one option whose value may be left out.
            at = words.index(selfsigned.OPTION) + 1
            if not words[at:] or words[at].startswith("-"):
                words.insert(at, str(selfsigned.PORT))
        super().parseOptions(words)

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
            if self["log-json"] and self.parent is not None:
                jsonlog.use(self.parent)
        except ValueError as error:
            raise SystemExit(f"mucs: --log-json: {error}") from error
        try:
            self.update(_settings(self))
        except ConfigError as error:
            raise SystemExit(f"mucs: {error}") from error


def _settings(options: Options) -> dict[str, object]:
    """The file's settings, with those of the command line in their place."""
    path, folder = options["config"], options["folder"]
    config = Config() if path is None else load(path, folder)

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
    keys = ("log", "name", "motd", "metrics")
    given = {key: options[key] for key in keys if options[key] is not None}
    given["auth"] = tuple(options["auth"] or config.auth)
    if "whole" in options and options["whole"].auth == given["auth"]:
        # They do not change while it runs; and their files count from where it was started.
        checkers = options["checkers"]
    else:
        where = "--auth" if options["auth"] else f"{path}: auth"
        checkers = [checker(each, where) for each in given["auth"]]
    return {
        "whole": replace(config, listen=tuple(listen for listen, _ in listens), **given),
        "listens": listens,
        "limits": config.limits,
        "keep": config.keep,
        "figures": either("metrics"),
        "store": logOf(*either("log")),
        "off": config.off,
        "checkers": checkers,
        "admins": adminKeys(config.admins, f"{path}: admins"),
        "called": serverName(*either("name")),
        "words": readMotd(*either("motd"), folder),
    }


def makeService(options: Options) -> IService:
    """
    The service that the options ask for.

    @raise SystemExit: with one line, where that cannot be.
    """
    from twisted.internet import reactor

    # callLater follows the wall clock otherwise, and an hour's step fires or freezes timers.
    reactor.seconds = time.monotonic  # type: ignore[method-assign]
    ends = _wanted(IFrontEnd, options)
    try:
        listeners = [listener(one, ends, reactor, where) for one, where in options["listens"]]
        port, where = options["figures"]
        others = [metrics(port, where, reactor)] if port else []
        if options["tls-self-signed"] is not None:
            others.append(selfsigned.listener(options["tls-self-signed"], ends, reactor))
    except ConfigError as error:
        raise SystemExit(f"mucs: {error}") from error
    limits: Limits = options["limits"]
    store: ILog = options["store"](reactor, time.time)
    hall = Hall(
        reactor,
        store,
        MemoryLog(time.time, limits.behind),
        limits,
        called=options["called"],
        motd=options["words"],
        **_plugins(options, listeners),
    )
    hall.realm.open(options["checkers"])
    hall.realm.accounts.admins = options["admins"]
    rings = [hall.volley] if options["whole"].io_uring else []
    for each in [*listeners, *others, *rings]:
        each.setServiceParent(hall)
    keep: Keep = options["keep"]
    age, wanted = keep.days * 86400, hall.rules.keeps
    retention = Retention(store, reactor, time.time, age, keep.events, wanted)
    retention.setServiceParent(hall)
    noting = TimerService(NOTED, hall.notePlaces)
    noting.clock = reactor
    noting.setServiceParent(hall)

    def apply(settings: Mapping[str, Any], listeners: Iterable[Listener]) -> None:
        hall.motd = settings["words"]
        hall.realm.accounts.admins = settings["admins"]
        for session in hall.sessions.values():
            grade(session)
        hall.bound(settings["limits"])
        hall.equip(**_plugins(settings, listeners))
        retention.change(settings["keep"].days * 86400, settings["keep"].events)

    def read() -> Mapping[str, Any]:
        return _settings(options)

    Reload(reactor, options, read, apply, partial(_wanted, IFrontEnd)).setServiceParent(hall)
    sys.excepthook = _excepthook
    return hall


def _wanted(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The plugins of a kind, without those that are switched off."""
    return {name: each for name, each in found(kind).items() if name not in settings["off"]}


def _plugins(settings: Mapping[str, Any], listeners: Iterable[Listener]) -> dict[str, Any]:
    """What the hall is to be equipped with."""
    observers = _wanted(IObserver, settings)
    if not any(each.policy.console for each in listeners):
        # It would look at each event for nothing: 5 % of the work.
        observers.pop("console", None)
    return {
        "commands": _wanted(ICommand, settings),
        "filters": list(_wanted(IFilter, settings).values()),
        "observers": list(observers.values()),
    }


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
