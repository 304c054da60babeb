"""
How plugins are written, found and kept from doing harm.

A plugin is one file in C{mucs/plugins/}, of ours or of another distribution, with one object
in it, made with L{FrontEnd}, L{Observer}, L{Filter} or L{command}.  The first three only
name what they stand for: the dotted path is imported when it is first used, so listing
plugins imports nothing heavy.

A plugin that raises is named in the log, and chat goes on without it: see L{Guard}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger
from twisted.plugin import IPlugin, getPlugins
from twisted.python.reflect import namedAny
from zope.interface import implementer

from mucs.events import Event, Intent, Refused
from mucs.imucs import ICommand, IFilter, IFrontEnd, INamed, IObserver

log = Logger()
T = TypeVar("T")

#: The kinds of plugins, as C{--list-plugins} shows them.
KINDS: dict[str, Any] = {
    "front end": IFrontEnd,
    "command": ICommand,
    "filter": IFilter,
    "observer": IObserver,
}


class Named:
    """
    A plugin that is a name for something elsewhere.

    @ivar path: where it is, e.g. C{mucs.line.systems.shh}.
    """

    def __init__(self, name: str, summary: str, path: str) -> None:
        self.name = name
        self.summary = summary
        self.path = path

    def load(self) -> Any:
        """What it stands for. @raise Exception: whatever importing it raises."""
        return namedAny(self.path)


@implementer(IPlugin, IFrontEnd)
class FrontEnd(Named):
    """A front end; C{path} leads to an object with the method C{factory}."""

    def policy(self) -> Any:
        return self.load().policy

    def factory(self, hall: Any, listener: Any) -> IProtocolFactory:
        made: IProtocolFactory = self.load().factory(hall, listener)
        return made


@implementer(IPlugin, IObserver)
class Observer(Named):
    """An observer; C{path} leads to a function that takes a batch."""

    def observe(self, batch: Sequence[tuple[Event, Any]]) -> None:
        self.load()(batch)


@implementer(IPlugin, IFilter)
class Filter(Named):
    """A filter; C{path} leads to a function of a session and an intent."""

    def filter(self, session: Any, intent: Intent) -> Intent:
        passed: Intent = self.load()(session, intent)
        return passed


Run = Callable[[Any, str], Iterable[Event]]


@implementer(IPlugin, ICommand)
class Command:
    """A command; made with L{command}."""

    def __init__(self, run: Run, usage: str, summary: str, role: str) -> None:
        self.name = usage.split()[0].lstrip("/")
        self.role = role
        self.usage = usage
        self.summary = summary
        self._run = run

    def run(self, session: Any, argument: str) -> Iterable[Event]:
        return self._run(session, argument)


def command(usage: str, summary: str, role: str = "guest") -> Callable[[Run], Command]:
    """
    Make a function a command::

        @command("/roll [SIDES]", "rolls a die for everyone to see")
        def roll(session, argument):
            session.act(f"rolls {randint(1, int(argument or 6))}")
            return ()
    """
    return lambda run: Command(run, usage, summary, role)


def found(kind: Any) -> dict[str, Any]:
    """
    The installed plugins of a kind, by name; of two with one name the first found, and the
    other is named in the log.
    """
    import mucs.plugins

    plugins: dict[str, Any] = {}
    for plugin in getPlugins(kind, mucs.plugins):
        if plugin.name in plugins:
            log.warn("a second plugin named {name} is left out", name=plugin.name)
        else:
            plugins[plugin.name] = plugin
    return dict(sorted(plugins.items()))


def listing() -> list[str]:
    """A line for each installed plugin: kind, name, and what it says of itself."""
    return [
        f"{kind:<10} {name:<10} {plugin.summary}"
        for kind, interface in KINDS.items()
        for name, plugin in found(interface).items()
    ]


class Guard:
    """
    Calls plugins, and keeps what they raise from everyone else.  One that raises is named in
    the log; at the fifth fault within a minute it is switched off until the next start.
    """

    FAULTS = 5
    WITHIN = 60.0  # seconds

    def __init__(self, clock: Callable[[], float]) -> None:
        """@param clock: gives seconds that never go back."""
        self._clock = clock
        self._faults: dict[INamed, list[float]] = {}
        self._off: set[INamed] = set()

    def isOff(self, plugin: INamed) -> bool:
        """Whether it was switched off."""
        return plugin in self._off

    def call(self, plugin: INamed, otherwise: T, run: Callable[..., T], *args: Any) -> T:
        """
        @return: what C{run(*args)} gives; C{otherwise} if it raises or is switched off.
        @raise Refused: if C{run} does: that is no fault.
        """
        if plugin in self._off:
            return otherwise
        try:
            return run(*args)
        except Refused:
            raise
        except Exception:
            self._fault(plugin)
            return otherwise

    def _fault(self, plugin: INamed) -> None:
        log.failure("the plugin {name} failed", name=plugin.name)
        now = self._clock()
        recent = [then for then in self._faults.get(plugin, ()) if now - then < self.WITHIN]
        self._faults[plugin] = [*recent, now]
        if len(recent) + 1 >= self.FAULTS:
            self._off.add(plugin)
            log.error(
                "the plugin {name} failed {count} times in a minute and is switched off",
                name=plugin.name,
                count=self.FAULTS,
            )
