"""
The stage that plays are performed on: a real server, and real loopback sockets.

The service is made as C{twistd mucs} makes it, with the listeners that a play wants, on ports that
the system chooses.  Players and server run in the same reactor, so the stage knows for
certain what the server has read of whom (there is an L{Ear} on each of its connections) and
whether it has anything left to do (the reactor's delayed calls).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, globalLogPublisher

from mucs.listener import Listener
from mucs.tap import Options, makeService
from tests.player import PATIENCE, Player, Surprise, Watched

#: Delayed calls that are due within so many seconds are work that the server still has to do;
#: the others (nobody gave a name in 30 s, say) only keep watch.
SOON = 1.0


@dataclass
class Setting:
    """
    What the server is like.

    @ivar listens: the listeners' settings, as in the configuration, by dialect.
    """

    listens: dict[str, dict[str, str]] = field(default_factory=dict)
    called: str = "MUCS"
    motd: str = ""

    def toml(self, motd: str) -> str:
        """The configuration file, in which a string is written as in JSON."""
        lines = [f"name = {json.dumps(self.called)}", f"motd = {json.dumps(motd)}"]
        lines.append('log = "memory:"')
        for dialect, settings in self.listens.items():
            lines += ["[[listen]]", f'port = "{dialect}@tcp:0:interface=127.0.0.1"']
            for key, value in settings.items():
                plain = value.isdecimal() or value in ("true", "false")
                lines.append(f"{key} = {value if plain else json.dumps(value)}")
        return "\n".join(lines)


class Ear(Watched):
    """
    What the server has noticed of one connection.

    @ivar read: bytes that it read.
    @ivar ended: whether it knows that no more will come.
    """

    def __init__(self, clock: Any, protocol: Any) -> None:
        super().__init__(clock)
        self.read = 0
        self.ended = False
        for name in ("dataReceived", "readConnectionLost", "connectionLost"):
            setattr(protocol, name, self._after(name, getattr(protocol, name)))

    def _after(self, name: str, do: Callable[..., None]) -> Callable[..., None]:
        def heard(*args: Any) -> None:
            do(*args)
            if name == "dataReceived":
                self.read += len(args[0])
            else:
                self.ended = True
            self.changed()

        return heard


class Stage(Watched):
    """
    The real server, and real sockets.

    @ivar console: the operator's console, as someone who sees it.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self._reactor = reactor
        self.console = Player("the console", "console", reactor)
        self._hall: Any = None
        self._stopped: Deferred[Any] | None = None
        self._ports: dict[str, int] = {}
        self._ears: dict[str, Ear] = {}
        self._players: list[Player] = []
        self._faults: list[str] = []
        self._others = set(reactor.getDelayedCalls())  # what another play left behind
        self._folder = tempfile.TemporaryDirectory()
        self._observer = cast(ILogObserver, self._logged)
        self._kept = (os.environ.get("TZ"), sys.excepthook)

    def open(self, setting: Setting) -> None:
        """Start the server. @raise Surprise: it does not start."""
        folder = Path(self._folder.name)
        motd = folder / "motd"
        motd.write_text(setting.motd, "utf-8")
        (folder / "mucs.toml").write_text(setting.toml(str(motd) * bool(setting.motd)), "utf-8")
        globalLogPublisher.addObserver(self._observer)
        # It is always shortly after noon, so that no play meets midnight.
        _zone(f"STAGE{time.gmtime().tm_hour - 12:+d}")
        options = Options()
        try:
            options.parseOptions(["--config", str(folder / "mucs.toml")])
            self._hall = makeService(options)
        except SystemExit as error:
            raise Surprise("everyone", "a server", str(error)) from error
        self._tokens: list[str] = []
        make = self._hall.places.token

        def token() -> str:
            self._tokens.append(make())
            return self._tokens[-1]

        self._hall.places.token = token
        self._hall.privilegedStartService()
        self._hall.startService()
        listeners = [each for each in self._hall if isinstance(each, Listener)]
        for dialect, listener in zip(setting.listens, listeners, strict=True):
            port: Any = listener.addresses()
            self._ports[dialect] = port.getHost().port
            port.factory.buildProtocol = self._listening(port.factory.buildProtocol)

    def _listening(self, build: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def buildProtocol(address: Any) -> Any:
            protocol = build(address)
            self._ears[f"{address.host}:{address.port}"] = Ear(self._reactor, protocol)
            self.changed()
            return protocol

        return buildProtocol

    def _logged(self, event: Any) -> None:
        if event.get("log_namespace") == "console":
            self.console.dataReceived(event["line"].encode() + b"\n")
        elif "log_failure" in event:
            self._faults.append(event["log_failure"].getTraceback())

    def tokens(self) -> list[str]:
        """What those who came in were told that they may come back with."""
        return self._tokens

    def player(self, name: str, dialect: str) -> Player:
        """Someone who is about to connect."""
        player = Player(name, dialect, self._reactor)
        self._players.append(player)
        return player

    async def enter(self, player: Player) -> None:
        """Connect; over when the server knows. @raise Surprise: it does not accept."""
        port = self._ports[player.dialect]
        await connectProtocol(TCP4ClientEndpoint(self._reactor, "127.0.0.1", port), player)
        if not await self.until(lambda: player.address() in self._ears):
            raise Surprise(player.name, "a connection", f"none in {PATIENCE:g} s")

    async def heard(self, player: Player) -> None:
        """Over when the server has read all that was sent, or knows that no more will come."""
        ear = self._ears[player.address()]
        if not await ear.until(lambda: ear.ended or (ear.read >= player.sent and not player.gone)):
            came = f"nothing; it read {ear.read} of {player.sent} bytes in {PATIENCE:g} s"
            raise Surprise(player.name, "that the server notices", came)

    async def settled(self) -> None:
        """Over when the server has nothing left to do, and what it sent has been read."""
        deadline = self._reactor.seconds() + PATIENCE
        soon = self._reactor.seconds()
        while soon:
            if soon > deadline:
                raise Surprise("everyone", "a server at rest", f"none in {PATIENCE:g} s")
            await deferLater(self._reactor, max(0.0, soon - self._reactor.seconds()))
            # Once more, so that the sockets have been looked at.
            await deferLater(self._reactor, 0)
            soon = self._soon()

    def _soon(self) -> float:
        """The moment of the last delayed call of ours that is due soon; 0 if there is none."""
        soon = self._reactor.seconds() + SOON
        calls = set(self._reactor.getDelayedCalls()) - self._others
        moments = [call.getTime() for call in calls]
        return max((moment for moment in moments if moment < soon), default=0.0)

    def close(self) -> Deferred[Any]:
        """Begin to stop the server. @return: fires when it has stopped."""
        if self._stopped is None:
            stopped: Deferred[Any] = self._hall.stopService()
            late = self._reactor.callLater(PATIENCE, self._late, stopped)
            self._stopped = stopped.addBoth(lambda _: late.active() and late.cancel())
        return self._stopped

    def _late(self, stopped: Deferred[Any]) -> None:
        self._faults.append(f"a server that did not stop in {PATIENCE:g} s")
        stopped.cancel()

    async def clear(self) -> None:
        """Take everything away. @raise Surprise: the server logged a failure, or did not stop."""
        for player in self._players:
            if player.isConnected():
                player.hangUp(reset=True)
        if self._hall is not None:
            await self.close()
        globalLogPublisher.removeObserver(self._observer)
        zone, sys.excepthook = self._kept
        _zone(zone)
        self._folder.cleanup()
        if self._faults:
            raise Surprise("the operator", "a server without a fault", self._faults[0])


def _zone(name: str | None) -> None:
    """Live in a time zone; L{None} is the system's."""
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    time.tzset()
