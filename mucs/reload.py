"""
Reloading: the configuration is read again, and nobody is dropped.

SIGHUP asks for it, and C{/reload}.  First everything is read and checked, as at the start: the
file, the message of the day, the certificates.  What is wrong is one sentence, and all stays as it
was.  Then what can change does; what cannot before the next start is named each time until then.

A change of limits holds for the rooms and the server at once.  What one line may hold, how fast
one may be, and how much may wait for one connection, is settled when it comes; so is how a listener
treats its people.

Always true: nothing is half done, and no connection is lost.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.logger import Logger

from mucs.config import Config, ConfigError, Listen, listener, treatment
from mucs.events import Refused
from mucs.hall import Hall
from mucs.imucs import IFrontEnd
from mucs.listener import Listener
from mucs.pems import Unusable

log = Logger()

#: What the options and the file ask for together, as L{mucs.tap} makes it; C{whole} is the
#: L{Config} that says the same.
Settings = Mapping[str, Any]

#: The keys that can change while the server runs.
LIVE = ("motd", "limits", "keep", "off", "admins", "listen")


class Reload(Service):
    """The configuration of a hall, which is its parent, while it runs."""

    name = "reload"
    parent: Hall

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        read: Callable[[], Settings],
        apply: Callable[[Settings, list[Listener]], None],
        frontEnds: Callable[[Settings], dict[str, IFrontEnd]],
    ) -> None:
        """
        @param settings: those that hold.
        @param read: reads them again; raises L{ConfigError}.
        @param apply: makes what the service is made of be as they say, but for the listeners.
        @param frontEnds: those that may be used, by name.
        """
        self._reactor = reactor
        self._config: Config = settings["whole"]
        self._read = read
        self._apply = apply
        self._frontEnds = frontEnds

    def startService(self) -> None:
        """
        SIGHUP reloads from now on.  It stays ours: a server that is saying goodbye to everyone is
        not to be killed by it.
        """
        super().startService()
        signal.signal(signal.SIGHUP, self._hangUp)

    def _hangUp(self, *_: object) -> None:
        if self.running:
            # We are in the middle of anything: the reactor is to do it when there is time.
            self._reactor.callFromThread(self._asked)

    def _asked(self) -> None:
        try:
            self.again()
        except Refused:
            pass  # the log says so

    def again(self) -> list[str]:
        """
        Read everything, and change what can be changed.

        @return: in words what has changed, and what will only at the next start.
        @raise Refused: there is a mistake, and nothing has changed.
        """
        try:
            settings = self._read()
            certificates = self._check(settings)
        except ConfigError as error:
            log.error("nothing is changed: {why}", why=error)
            raise Refused(f"nothing is changed: {error}") from error
        config: Config = settings["whole"]
        changed = [key for key in LIVE if key != "listen" and self._differs(config, key)]
        if list(self.parent.motd) != settings["words"] and "motd" not in changed:
            changed.append("motd")  # the file that it names
        changed += self._treat(config)
        self._apply(settings, self._listeners())
        changed += [each.port for each, fresh in certificates if each.certificates.use(fresh)]
        later = [key for key in Config.__struct_fields__ if key not in LIVE]
        waits = [key for key in later if self._differs(config, key)]
        waits += self._doors(config)
        # What waits is to be named again the next time.
        self._config = replace(config, **{key: getattr(self._config, key) for key in later})
        said = [f"reloaded: {', '.join(changed)}" if changed else "reloaded: nothing has changed"]
        if waits:
            said.append(f"only at the next start: {', '.join(waits)}")
        for line in said:
            log.info("{line}", line=line)
        return said

    def _differs(self, config: Config, key: str) -> bool:
        return bool(getattr(config, key) != getattr(self._config, key))

    def _listeners(self) -> list[Listener]:
        """Those that the configuration lists, or its place on the command line."""
        return [each for each in self.parent if isinstance(each, Listener) and each.configured]

    def _pairs(self, config: Config) -> Iterator[tuple[Listener | None, Listen | None]]:
        """Who listens where, and what is to be there; two may say the same, in that order."""
        here = self._listeners()
        for listen in config.listen:
            mine = next((each for each in here if each.port == listen.port), None)
            if mine is not None:
                here.remove(mine)
            yield mine, listen
        yield from ((each, None) for each in here)

    def _check(self, settings: Settings) -> list[tuple[Any, Any]]:
        """
        Whether the listeners would be good.

        @return: those with certificates, and what these are now.
        """
        frontEnds = self._frontEnds(settings)
        sources = {listen.port: where for listen, where in settings["listens"]}
        certificates: list[tuple[Any, Any]] = []
        for mine, listen in self._pairs(settings["whole"]):
            if listen is not None and mine is None:
                listener(listen, frontEnds, self._reactor, sources[listen.port])
            elif listen is not None:
                treatment(listen, frontEnds, f"{sources[listen.port]} {listen.port}")
        for each in self._listeners():
            if each.certificates is not None:
                try:
                    certificates.append((each, each.certificates.fresh()))
                except Unusable as error:
                    raise ConfigError(str(error)) from error
        return certificates

    def _treat(self, config: Config) -> list[str]:
        """Those who come in from now on are treated so. @return: where that is new."""
        changed: list[str] = []
        for mine, listen in self._pairs(config):
            if mine is None or listen is None:
                continue
            frontEnds = {mine.frontEnd.name: mine.frontEnd}
            _, _, policy, trusted = treatment(listen, frontEnds, "")
            if (policy, trusted) != (mine.policy, mine.trusted):
                mine.treat(policy, trusted)
                changed.append(listen.port)
        return changed

    def _doors(self, config: Config) -> Iterator[str]:
        """Where nobody listens yet, or still somebody does."""
        for mine, listen in self._pairs(config):
            if mine is None and listen is not None:
                yield f"listening on {listen.port}"
            elif listen is None and mine is not None:
                yield f"not listening on {mine.port} any more"
