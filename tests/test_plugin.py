"""Tests for L{mucs.plugin}."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.plugin import IPlugin
from twisted.python.filepath import FilePath
from twisted.python.reflect import InvalidName
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

import mucs.plugins
from mucs.events import Command, Event, Intent, Look, Name, Refused, Say, note
from mucs.imucs import ICommand, IFilter, IFrontEnd, IObserver
from mucs.plugin import (
    KINDS,
    Filter,
    FrontEnd,
    Guard,
    Observer,
    command,
    forget,
    found,
    listing,
)


@implementer(IPlugin, IFilter)
@dataclass
class Shout:
    """A filter as other people may write it: it cannot be hashed, for one thing."""

    name = "shout"
    summary = "makes everything loud"

    def filter(self, session: Any, intent: Intent) -> Intent:
        """Nothing of it matters here."""
        return intent


@implementer(IPlugin, IObserver)
class Bot:
    """An observer."""

    name = "bot"
    summary = "listens"

    def observe(self, batch: Sequence[tuple[Event, Any]]) -> None:
        """Nothing of it matters here."""


def fails(*args: object) -> Any:
    """What a faulty plugin does."""
    raise RuntimeError("it is broken")


def texts(events: Iterable[LogEvent]) -> list[str]:
    """Log events as they are read."""
    return [formatEvent(event) for event in events]


class GuardTests(SynchronousTestCase):
    """What plugins raise is kept from everyone else."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.guard = Guard(self.clock.seconds)
        self.bot = Bot()

    def fault(self, plugin: Any) -> None:
        """Let a plugin fail."""
        self.assertEqual(self.guard.call(plugin, "otherwise", fails), "otherwise")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_given(self) -> None:
        """What a plugin gives is passed on."""
        self.assertEqual(self.guard.call(self.bot, "", "{} {}".format, "good", "day"), "good day")

    def test_named(self) -> None:
        """One that raises is named in the log, with what it raised."""
        with capturedLogs() as events:
            self.guard.call(self.bot, None, fails)
        self.assertEqual(texts(events)[0].split("\n")[0], "the plugin bot failed")
        [failure] = self.flushLoggedErrors(RuntimeError)
        self.assertEqual(failure.getErrorMessage(), "it is broken")

    def test_exit(self) -> None:
        """One that would end the process does not."""
        self.assertEqual(self.guard.call(self.bot, "otherwise", sys.exit, 2), "otherwise")
        self.assertEqual(len(self.flushLoggedErrors(SystemExit)), 1)

    def test_refusals(self) -> None:
        """A refusal is no fault, however often it comes: it is for the one who asked."""
        plugin = Shout()

        def refuse() -> None:
            raise Refused("not so loud")

        for _ in range(10):
            error = self.assertRaises(Refused, self.guard.call, plugin, None, refuse)
            self.assertEqual(str(error), "not so loud")
        self.assertFalse(self.guard.isOff(plugin))

    def test_observersCannotRefuse(self) -> None:
        """For what has happened nobody asks them; that they do is a fault."""

        def refuse() -> None:
            raise Refused("I do not like that")

        self.assertIs(self.guard.call(self.bot, None, refuse), None)
        self.assertEqual(len(self.flushLoggedErrors(Refused)), 1)

    def test_switchedOff(self) -> None:
        """At the fifth fault within a minute it is switched off, and the log says so."""
        for _ in range(4):
            self.fault(self.bot)
            self.clock.advance(14.9)
        self.assertFalse(self.guard.isOff(self.bot))
        with capturedLogs() as events:
            self.fault(self.bot)
        self.assertEqual(
            texts(events)[-1], "the plugin bot failed 5 times in a minute and is switched off"
        )
        self.assertTrue(self.guard.isOff(self.bot))
        called: list[int] = []
        self.assertIs(self.guard.call(self.bot, None, called.append, 1), None)
        self.assertEqual(called, [])

    def test_onceAQuarter(self) -> None:
        """Five faults in more than a minute do not switch it off; it is any minute that counts."""
        for _ in range(20):
            self.fault(self.bot)
            self.clock.advance(15)
        self.assertFalse(self.guard.isOff(self.bot))
        self.fault(self.bot)
        self.assertFalse(self.guard.isOff(self.bot))
        self.fault(self.bot)
        self.assertTrue(self.guard.isOff(self.bot))

    def test_eachItsOwn(self) -> None:
        """What one does is not laid to another, even to one that is equal to it."""
        first, second = Shout(), Shout()
        for _ in range(4):
            self.fault(first)
            self.fault(second)
        self.fault(first)
        self.assertTrue(self.guard.isOff(first))
        self.assertFalse(self.guard.isOff(second))


class FilteredTests(SynchronousTestCase):
    """What a filter gives."""

    said = Say("hello")

    def filtered(self, run: Callable[[], Any]) -> Intent:
        """What becomes of an intent."""
        return Guard(Clock().seconds).call(Shout(), self.said, run)

    def test_intents(self) -> None:
        """An intent is passed on, of whichever kind: the same one, or another."""
        self.assertIs(self.filtered(lambda: self.said), self.said)
        self.assertEqual(self.filtered(lambda: Say("HELLO")), Say("HELLO"))
        for asked in (Command("me", "waves"), Name("eve", (("lobby", 7),)), Look("lobby", "tea")):
            self.assertEqual(self.filtered(lambda asked=asked: asked), asked)  # type: ignore[misc]

    def test_clean(self) -> None:
        """It is as clean as what comes from a client, so that no one's screen is forged."""
        forged = Say("a\r\n* bob left \x1b[2J ")
        self.assertEqual(self.filtered(lambda: forged), Say("a* bob left [2J"))
        self.assertEqual(
            self.filtered(lambda: Say("a ", "garden", "an id")), Say("a", "garden", "an id")
        )
        self.assertEqual(
            self.filtered(lambda: Name("a\n* bob left", (("lobby", 7),))),
            Name("a* bob left", (("lobby", 7),)),
        )
        self.assertEqual(
            self.filtered(lambda: Command("me", "waves\n* bob left")),
            Command("me", "waves* bob left"),
        )

    def test_nothingLeft(self) -> None:
        """An intent from which everything was taken is refused."""
        error = self.assertRaises(Refused, self.filtered, lambda: Say(" \x07"))
        self.assertEqual(str(error), "nothing is left of what you said")

    def test_noIntent(self) -> None:
        """Anything else is a fault, and the intent is passed on as it was."""
        for wrong in (None, "HELLO", ("say", "HELLO")):
            self.assertIs(self.filtered(lambda wrong=wrong: wrong), self.said)  # type: ignore[misc]
            self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertIs(self.filtered(lambda: Say(7)), self.said)  # type: ignore[arg-type]
        self.assertEqual(len(self.flushLoggedErrors()), 1)


class CommandTests(SynchronousTestCase):
    """What L{command} makes of a function."""

    def test_command(self) -> None:
        """It is called what its usage begins with, and runs as the function does."""

        @command("/Roll [SIDES]", "rolls a die")
        def roll(session: Any, argument: str) -> Iterable[Event]:
            return [note(f"{session} rolls {argument}")]

        self.assertTrue(verifyObject(ICommand, roll))
        self.assertTrue(IPlugin.providedBy(roll))
        self.assertEqual(
            (roll.name, roll.usage, roll.summary, roll.role),
            ("roll", "/Roll [SIDES]", "rolls a die", "guest"),
        )
        self.assertEqual(list(roll.run("ada", "6")), [note("ada rolls 6")])

    def test_role(self) -> None:
        """Those without a name may use it where that is said."""
        help = command("/help", "helps", role="stranger")(lambda session, argument: ())
        self.assertEqual(help.role, "stranger")


class NamedTests(SynchronousTestCase):
    """Plugins that are a name for something elsewhere."""

    def test_lazy(self) -> None:
        """What a plugin stands for is imported when it is used, and not before."""
        frontEnd = FrontEnd("x", "x", "no.such.frontend")
        observer = Observer("x", "x", "no.such.observer")
        filter = Filter("x", "x", "no.such.filter")
        self.assertRaises(InvalidName, frontEnd.policy)
        self.assertRaises(InvalidName, observer.observe, [])
        self.assertRaises(InvalidName, filter.filter, None, Say("x"))

    def test_frontEnd(self) -> None:
        """A front end gives the policy and the factory of what it stands for."""
        shh = FrontEnd("shh", "for clients of SHH", "mucs.line.systems.shh")
        self.assertTrue(verifyObject(IFrontEnd, shh))
        self.assertEqual(shh.policy().echo, "line")
        self.assertTrue(hasattr(shh.factory(None, None), "buildProtocol"))

    def test_functions(self) -> None:
        """An observer and a filter stand for functions, looked up once."""
        seen: list[object] = []
        module: Any = sys.modules[__name__]
        module.watch = seen.append
        module.loud = lambda session, intent: Say(intent.text.upper())
        self.addCleanup(delattr, module, "watch")
        self.addCleanup(delattr, module, "loud")
        observer = Observer("watch", "watches", f"{__name__}.watch")
        filter = Filter("loud", "is loud", f"{__name__}.loud")
        self.assertTrue(verifyObject(IObserver, observer))
        self.assertTrue(verifyObject(IFilter, filter))
        observer.observe([])
        module.watch = fails
        observer.observe([])
        self.assertEqual(seen, [[], []])
        self.assertEqual(filter.filter(None, Say("hello")), Say("HELLO"))


class FoundTests(SynchronousTestCase):
    """How plugins are found, and what is done of those that cannot be used."""

    def setUp(self) -> None:
        folder = mkdtemp(prefix="mucs-")
        self.addCleanup(FilePath(folder).remove)
        self.folder = Path(folder)
        self.patch(mucs.plugins, "__path__", [*mucs.plugins.__path__, folder])
        forget()
        self.addCleanup(forget)
        self.addCleanup(self.unload)

    def unload(self) -> None:
        """As if what is in the folder had never been imported."""
        for path in self.folder.glob("*.py"):
            sys.modules.pop(f"mucs.plugins.{path.stem}", None)
            vars(mucs.plugins).pop(path.stem, None)

    def write(self, name: str, text: str) -> str:
        """Write a plugin file. @return: its path."""
        path = self.folder / f"{name}.py"
        path.write_text(dedent(text))
        return str(path)

    def writeCommand(self, name: str, usage: str, summary: str = "does something") -> None:
        """Write a plugin file with one command."""
        self.write(
            name,
            f"""
            from mucs.plugin import command

            @command({usage!r}, {summary!r})
            def it(session, argument):
                return ()
            """,
        )

    def look(self, kind: Any) -> tuple[dict[str, Any], list[str]]:
        """The plugins of a kind, and what the log says of them."""
        with capturedLogs() as events:
            plugins = found(kind)
        return plugins, [text.split("\n")[0] for text in texts(events)]

    def test_ours(self) -> None:
        """All of ours can be used, and stand in order."""
        for kind in KINDS.values():
            plugins, said = self.look(kind)
            self.assertEqual(said, [])
            self.assertEqual(list(plugins), sorted(plugins))
        self.assertIn("quit", found(ICommand))
        self.assertIn("native", found(IFrontEnd))

    def test_theirs(self) -> None:
        """One in another folder is found with ours, listed, and runs."""
        self.writeCommand("acme_command_dance", "/dance", "does a little dance")
        plugins, said = self.look(ICommand)
        self.assertEqual(said, [])
        self.assertEqual(plugins["dance"].run(None, ""), ())
        self.assertIn("help", plugins)
        self.assertIn("command    dance      does a little dance", listing())

    def test_once(self) -> None:
        """They are looked for once, until that is forgotten; what is given is one's own."""
        found(ICommand).clear()
        self.assertIn("help", found(ICommand))
        self.writeCommand("acme_command_later", "/later")
        self.assertNotIn("later", found(ICommand))
        forget()
        self.assertIn("later", found(ICommand))

    def test_cannotBeImported(self) -> None:
        """A file that cannot be imported is named, and the others are found."""
        broken = [
            self.write("acme_command_raises", "raise RuntimeError('it is broken')"),
            self.write("acme_command_syntax", "def it("),
            self.write("acme_command_exits", "import sys; sys.exit(1)"),
        ]
        self.writeCommand("acme_command_works", "/works")
        plugins, said = self.look(ICommand)
        for path in broken:
            self.assertIn(f"the plugin file {path} cannot be imported", said)
        self.assertIn("works", plugins)
        self.assertIn("help", plugins)
        self.assertEqual(len(self.flushLoggedErrors()), 3)

    def test_oneName(self) -> None:
        """Of two with one name the first is used, and the other is named; ours come first."""
        self.writeCommand("acme_command_dance", "/dance", "the first")
        self.writeCommand("acme_command_waltz", "/dance", "the second")
        self.writeCommand("acme_command_quit", "/quit", "theirs")
        plugins, said = self.look(ICommand)
        self.assertEqual(plugins["dance"].summary, "the first")
        self.assertEqual(plugins["quit"].summary, "leaves; so does !q")
        self.assertEqual(
            said,
            [
                "the plugin mucs.plugins.acme_command_quit.it is left out: another command is "
                "called quit, mucs.plugins.command_quit.quit",
                "the plugin mucs.plugins.acme_command_waltz.it is left out: another command is "
                "called dance, mucs.plugins.acme_command_dance.it",
            ],
        )

    def test_otherKinds(self) -> None:
        """Two of different kinds may have one name."""
        self.write(
            "acme_observer_quit",
            """
            from mucs.plugin import Observer
            quit = Observer("quit", "sees who quits", "acme.watch")
            """,
        )
        self.assertIn("quit", found(IObserver))
        self.assertIn("quit", found(ICommand))
        self.assertEqual(self.look(IObserver)[1], [])

    def test_notWhatItSays(self) -> None:
        """One that lacks what its kind must have is named, and left out."""
        self.write(
            "acme_filter_empty",
            """
            from twisted.plugin import IPlugin
            from zope.interface import implementer
            from mucs.imucs import IFilter

            @implementer(IPlugin, IFilter)
            class Empty:
                name = "empty"
                summary = "has no method"

            empty = Empty()
            """,
        )
        plugins, said = self.look(IFilter)
        self.assertNotIn("empty", plugins)
        self.assertEqual(said, ["the plugin mucs.plugins.acme_filter_empty.empty cannot be used"])
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_badWords(self) -> None:
        """A name that nobody could type is none, and a summary is one line."""
        for number, (name, summary) in enumerate(
            (
                ("Loud", "x"),
                ("very loud", "x"),
                ("", "x"),
                ("a@b", "x"),
                ("tcp:7000", "x"),
                ("/loud", "x"),
                (None, "x"),
                ("loud", "x\n* bob left"),
                ("loud", "\x1b[2J"),
                ("loud", None),
            )
        ):
            module = f"acme_frontend_number{number}"
            self.write(
                module,
                f"""
                from mucs.plugin import FrontEnd
                it = FrontEnd({name!r}, {summary!r}, "acme.loud")
                """,
            )
            forget()
            plugins, said = self.look(IFrontEnd)
            self.assertNotIn(name, plugins)
            self.assertEqual(said[-1], f"the plugin mucs.plugins.{module}.it cannot be used")
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), number + 1)

    def test_changed(self) -> None:
        """A file that was found before, and now cannot be imported, is named and left out."""
        self.writeCommand("acme_command_dance", "/dance")
        self.assertIn("dance", found(ICommand))
        self.unload()
        path = self.write("acme_command_dance", "raise RuntimeError('it is broken')")
        later = (self.folder / "dropin.cache").stat().st_mtime + 10
        os.utime(path, (later, later))
        forget()
        plugins, said = self.look(ICommand)
        self.assertNotIn("dance", plugins)
        self.assertIn("help", plugins)
        self.assertIn("the plugin mucs.plugins.acme_command_dance.it cannot be used", said)
        self.flushLoggedErrors()
