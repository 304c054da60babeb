"""
How plugins are written, found and kept from doing harm.

A plugin is one file in C{mucs/plugins/}, of ours or of another distribution, with one object
in it, made with L{FrontEnd}, L{Observer}, L{Filter} or L{command}.  The first three only
name what they stand for: the dotted path is imported when it is first used, so listing
plugins imports nothing heavy.

A file that cannot be imported, and a plugin that is not what it says, are named in the log and left
out.  A plugin that raises is named in the log, and chat goes on without it: see L{Guard}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger
from twisted.plugin import CachedDropin, IPlugin, getCache
from twisted.python.modules import getModule
from twisted.python.reflect import namedAny
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mucs.events import Command as Asked
from mucs.events import Event, Intent, Look, Name, Refused, Say
from mucs.imucs import ICommand, IFilter, IFrontEnd, INamed, IObserver
from mucs.roles import ROLES, least
from mucs.text import clean

log = Logger()
T = TypeVar("T")

# What a plugin may raise.  One that parses its argument as programs do theirs exits; that
# must not be the end of the server.
FAULTS = (Exception, SystemExit)

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
        self._loaded: Any = None

    def load(self) -> Any:
        """What it stands for. @raise Exception: whatever importing it raises."""
        if self._loaded is None:
            self._loaded = namedAny(self.path)
        return self._loaded


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


Answers = Iterable[Event] | Deferred[Iterable[Event]]
Run = Callable[[Any, str], Answers]


@implementer(IPlugin, ICommand)
class Command:
    """A command; made with L{command}."""

    def __init__(self, run: Run, usage: str, summary: str, role: str) -> None:
        self.name = usage.split()[0].lstrip("/").lower()
        self.role = role or least(self.name)
        self.usage = usage
        self.summary = summary
        self._run = run

    def run(self, session: Any, argument: str) -> Answers:
        return self._run(session, argument)


def command(usage: str, summary: str, role: str = "") -> Callable[[Run], Command]:
    """
    Make a function a command; without a C{role} its least one is what L{mucs.roles} says::

        @command("/roll [SIDES]", "rolls a die for everyone to see")
        def roll(session, argument):
            sides = argument or "6"
            if not sides.isdecimal() or sides == "0":
                raise Refused("how many sides? /roll 6")
            session.act(f"rolls {randint(1, int(sides))}")
            return ()
    """
    return lambda run: Command(run, usage, summary, role)


def found(kind: Any) -> dict[str, Any]:
    """
    The installed plugins of a kind, by name; of two with one name the first found.

    They are looked for once in the life of the process.  What cannot be used is named in the
    log then, and why.
    """
    return dict(_found(kind))


def forget() -> None:
    """Look for plugins anew when they are next asked for."""
    _found.cache_clear()
    _dropins.cache_clear()


@cache
def _found(kind: Any) -> dict[str, Any]:
    plugins: dict[str, Any] = {}
    places: dict[str, str] = {}
    for place, plugin in _provided(kind):
        name = plugin.name
        if name in plugins:
            log.error(
                "the plugin {place} is left out: another {kind} is called {name}, {other}",
                place=place,
                kind=next((word for word, each in KINDS.items() if each is kind), "plugin"),
                name=name,
                other=places[name],
            )
        else:
            plugins[name], places[name] = plugin, place
    return dict(sorted(plugins.items()))


def _provided(kind: Any) -> Iterator[tuple[str, Any]]:
    """The plugins of a kind that can be used, and their dotted names."""
    for dropin in _dropins():
        for cached in dropin.plugins:
            place = f"{dropin.moduleName}.{cached.name}"
            try:
                plugin = kind(cached, None)
                if plugin is None:
                    continue
                verifyObject(kind, plugin)
                _checkWords(plugin)
            except FAULTS:
                log.failure("the plugin {place} cannot be used", place=place)
            else:
                yield place, plugin


def _checkWords(plugin: Any) -> None:
    """@raise ValueError: it cannot be called what it is called, or described so."""
    name = plugin.name
    if not isinstance(name, str) or [name.lower()] != name.split() or {*"/@:"} & {*name}:
        raise ValueError(f"a name is one lower-case word without / @ : and not {name!r}")
    if getattr(plugin, "role", ROLES[0]) not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, and not {plugin.role!r}")
    for words in (plugin.summary, getattr(plugin, "usage", "")):
        if not isinstance(words, str) or clean(words) != words.rstrip():
            raise ValueError(f"what a plugin says of itself is one line, and not {words!r}")


@cache
def _dropins() -> list[CachedDropin]:
    """The plugin files that can be imported."""
    import mucs.plugins

    files = getCache(mucs.plugins)
    for module in getModule(mucs.plugins.__name__).iterModules():
        if module.name.rpartition(".")[2] not in files:
            # Twisted has logged why, but not always of which file.
            log.error("the plugin file {file} cannot be imported", file=module.filePath.path)
    return list(files.values())


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
        # By id: plugins live as long as the process, and need not be hashable.
        self._faults: dict[int, list[float]] = {}
        self._off: set[int] = set()

    def isOff(self, plugin: INamed) -> bool:
        """Whether it was switched off."""
        return id(plugin) in self._off

    def call(self, plugin: INamed, otherwise: T, run: Callable[..., T], *args: Any) -> T:
        """
        @return: what C{run(*args)} gives; C{otherwise} if it raises or is switched off, or if
            an intent is expected and it gives something else.
        @raise Refused: if C{run} does: that is no fault, but in an observer, which nobody asked.
        """
        if id(plugin) in self._off:
            return otherwise
        try:
            given = run(*args)
            return _intent(given) if isinstance(otherwise, Intent) else given
        except Refused:
            if not IObserver.providedBy(plugin):
                raise
            self._fault(plugin)
        except FAULTS:
            self._fault(plugin)
        return otherwise

    def _fault(self, plugin: INamed) -> None:
        log.failure("the plugin {name} failed", name=plugin.name)
        now = self._clock()
        recent = [then for then in self._faults.get(id(plugin), ()) if now - then < self.WITHIN]
        self._faults[id(plugin)] = [*recent, now]
        if len(recent) + 1 >= self.FAULTS:
            self._off.add(id(plugin))
            log.error(
                "the plugin {name} failed {count} times in a minute and is switched off",
                name=plugin.name,
                count=self.FAULTS,
            )


def _intent(given: Any) -> Any:
    """
    What a filter made of an intent, as clean as what comes from a client.

    @raise TypeError: that is no intent.
    @raise Refused: nothing is left of what was said.
    """
    if isinstance(given, Say):
        text = clean(given.text)
        if not text:
            raise Refused("nothing is left of what you said")
        return given if text == given.text else replace(given, text=text)
    if isinstance(given, Name):
        return replace(given, name=clean(given.name))
    if isinstance(given, Look):
        return given
    if isinstance(given, Asked):
        return replace(given, name=clean(given.name), argument=clean(given.argument))
    raise TypeError(f"a filter gives an intent, and not {given!r}")
