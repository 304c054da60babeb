"""
The options of C{twistd mucs}, and the service that is made of them.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import IServiceMaker
from twisted.internet import reactor
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from mucs import tap
from mucs.config import DEFAULT_PORT
from mucs.hall import Hall
from mucs.imucs import ICommand, INamed
from mucs.listener import Listener, StartError
from mucs.manual import MANUAL
from mucs.plugin import found, listing
from mucs.rules import Limits

ETC = Path(__file__).resolve().parent.parent / "etc"


class TapCase(SynchronousTestCase):
    """Tests that change neither this process's clock nor its way of reporting errors."""

    def setUp(self) -> None:
        self.patch(reactor, "seconds", time.monotonic)
        self.patch(sys, "excepthook", sys.excepthook)

    def options(self, *words: str, toml: str = "") -> tap.Options:
        """
        What stands behind C{twistd mucs}.

        @param toml: what the file has that C{--config} names.
        """
        if toml:
            with tempfile.NamedTemporaryFile("w", prefix="mucs-", delete=False) as file:
                self.addCleanup(os.unlink, file.name)
                file.write(toml)
            words = ("--config", file.name, *words)
        options = tap.Options()
        options.parseOptions(list(words))
        return options

    def hall(self, *words: str, toml: str = "") -> Hall:
        hall = tap.makeService(self.options(*words, toml=toml))
        assert isinstance(hall, Hall)
        return hall

    def ports(self, hall: Hall) -> list[str]:
        """Where it would listen."""
        return [each.port for each in hall if isinstance(each, Listener)]

    def refusal(self, *words: str, toml: str = "") -> str:
        """What is said of a mistake."""
        return str(self.assertRaises(SystemExit, self.hall, *words, toml=toml).code)

    def said(self, *words: str) -> str:
        """What goes to stdout, where nothing is started."""
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        self.assertEqual(self.assertRaises(SystemExit, self.options, *words).code or 0, 0)
        return out.getvalue()


class PluginTests(SynchronousTestCase):
    """What twistd finds."""

    def test_twistdFindsIt(self) -> None:
        [maker] = [each for each in getPlugins(IServiceMaker) if each.tapname == "mucs"]
        self.assertIs(maker.options, tap.Options)
        self.assertIs(maker.makeService, tap.makeService)


class OptionsTests(TapCase):
    """The command line, and the file."""

    def test_placesAreNoted(self) -> None:
        """Every minute, so that a crash leaves them."""
        hall = self.hall()
        timers = [each for each in hall if isinstance(each, TimerService)]
        noting = [(each.step, each.call[0]) for each in timers]
        self.assertIn((60, hall.notePlaces), noting)

    def test_nothing(self) -> None:
        """One native listener at the usual port, all the commands, and no message of the day."""
        hall = self.hall()
        self.assertEqual(self.ports(hall), [DEFAULT_PORT])
        self.assertEqual((hall.called, list(hall.motd), hall.limits), ("MUCS", [], Limits()))
        self.assertEqual(hall.commands.keys(), found(ICommand).keys())

    def test_ports(self) -> None:
        """Any number of them, long and short."""
        hall = self.hall("--port", "tcp:1", "-p", "shh@tcp:2", "--port=unix:s")
        self.assertEqual(self.ports(hall), ["tcp:1", "shh@tcp:2", "unix:s"])

    def test_theFile(self) -> None:
        hall = self.hall(
            toml="name = 'Harbour'\noff = ['me']\n[limits]\nline = 99\n"
            "[[listen]]\nport = 'tcp:1'\nseats = 3\n[[listen]]\nport = 'addr@tcp:2'\n"
        )
        self.assertEqual(self.ports(hall), ["tcp:1", "addr@tcp:2"])
        self.assertEqual((hall.called, hall.limits.line), ("Harbour", 99))
        self.assertEqual(found(ICommand).keys() - hall.commands.keys(), {"me"})

    def test_theCommandLineGoesFirst(self) -> None:
        """Each option in place of what the file says; all ports in place of all of the file's."""
        toml = "name = 'Harbour'\nmotd = 'missing'\n[limits]\nline = 99\n[[listen]]\nport = 'tcp:1'"
        hall = self.hall("--name", "Port", "--port", "tcp:2", "--motd", "", toml=toml)
        self.assertEqual((hall.called, hall.limits.line, list(hall.motd)), ("Port", 99, []))
        self.assertEqual(self.ports(hall), ["tcp:2"])

    def test_mistakesAreNamedByWhereTheyWereMade(self) -> None:
        """An option by its name, a key by the file and its place there."""
        self.assertEqual(self.refusal("--name", ""), "mucs: --name: a name cannot be empty")
        self.assertRegex(
            self.refusal(toml="name = ''"), r"^mucs: \S+: name: a name cannot be empty$"
        )
        self.assertEqual(
            self.refusal("--port", "tcp:x"), "mucs: --port tcp:x: 'x' is no number"
        )
        self.assertRegex(
            self.refusal(toml="[[listen]]\nport = 'tcp:1'\n[[listen]]\nport = 'tcp:x'"),
            r"^mucs: \S+: listen\[1\].port tcp:x: 'x' is no number$",
        )
        logs = "there is no such log; there is sqlite:FILE, sqlite:FILE:level=process or memory:"
        self.assertEqual(self.refusal("--log", "x"), f"mucs: --log x: {logs}")
        self.assertRegex(self.refusal(toml="log = ''"), rf"^mucs: \S+: log : {logs}$")

    def test_aPortWithoutItsOption(self) -> None:
        self.assertEqual(
            self.refusal("tcp:7000"),
            "mucs: tcp:7000: not an option; a port is given as --port tcp:7000",
        )

    def test_whatIsOff(self) -> None:
        """It must be there; a front end that is off is none."""
        self.assertRegex(self.refusal(toml="off = ['mee']"), "did you mean me?")
        self.assertRegex(self.refusal(toml="off = ['xyzzy']"), "--list-plugins lists them$")
        self.assertRegex(
            self.refusal("--port", "shh@tcp:1", toml="off = ['shh']"), "there is no front end 'shh'"
        )

    def test_help(self) -> None:
        """The options first, and then the manual as it was written."""
        usage = self.options().getUsage(80)
        self.assertTrue(usage.startswith("Options:\n"))
        self.assertTrue(usage.endswith(MANUAL))
        self.assertEqual([line for line in MANUAL.split("\n") if len(line) > 78], [])

    def test_itsExamplesWork(self) -> None:
        """Those that need no files."""
        for line in MANUAL.split("\n"):
            words = line.split()
            if words[:3] == ["twistd", "-n", "mucs"] and ".pem" not in line:
                self.hall(*[word.replace("etc/", f"{ETC}/") for word in words[3:]])

    def test_listPlugins(self) -> None:
        self.assertEqual(self.said("--list-plugins"), "\n".join(listing()) + "\n")

    def test_version(self) -> None:
        self.assertRegex(self.said("--version"), r"^MUCS \S+, Twisted \d+\.\d+\.\d+\n$")

    def test_versionOfACheckout(self) -> None:
        def version(name: str) -> str:
            raise PackageNotFoundError(name)

        self.patch(tap, "version", version)
        self.assertRegex(self.said("--version"), r"^MUCS \(not installed\), Twisted ")


class ConsoleTests(TapCase):
    """The observer that writes what the five older servers wrote on their consoles."""

    def observes(self, *words: str, toml: str = "") -> bool:
        """Whether it sees what happens."""
        seen: list[str] = []

        class Observed(Hall):
            def __init__(self, *args: Any, observers: list[INamed], **keys: Any) -> None:
                super().__init__(*args, **keys)
                seen.extend(each.name for each in observers)

        self.patch(tap, "Hall", Observed)
        self.hall(*words, toml=toml)
        return "console" in seen

    def test_whereSomeoneComesInByIt(self) -> None:
        self.assertTrue(self.observes("--port", "tcp:1", "--port", "addr@tcp:2"))
        self.assertTrue(self.observes(toml="[[listen]]\nport = 'tcp:1'\nconsole = true"))

    def test_whereItWouldLookAtEverythingForNothing(self) -> None:
        self.assertFalse(self.observes("--port", "tcp:1"))
        self.assertFalse(self.observes(toml="[[listen]]\nport = 'shh@tcp:1'\nconsole = false"))

    def test_whereItIsOff(self) -> None:
        self.assertFalse(self.observes("--port", "shh@tcp:1", toml="off = ['console']"))


class ServiceTests(TapCase):
    """What is set once, for the process."""

    def test_theClockNeverGoesBack(self) -> None:
        """Everything that waits goes by it."""
        self.patch(reactor, "seconds", time.time)
        hall = self.hall()
        self.assertIs(vars(reactor)["seconds"], time.monotonic)
        self.assertIs(hall.seconds, time.monotonic)

    def hook(self, error: BaseException) -> None:
        """Report an error, as Python does when nobody else has."""
        self.hall()
        sys.excepthook(type(error), error, error.__traceback__)

    def test_whyItCannotStart(self) -> None:
        """In the log, which is where twistd lets stderr lead, and on the real one."""
        log, errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stderr", log)
        self.patch(sys, "__stderr__", errors)
        self.hook(StartError("--port tcp:1: cannot listen: no"))
        said = "mucs: --port tcp:1: cannot listen: no\n"
        self.assertEqual((log.getvalue(), errors.getvalue()), (said, said))

    def test_whyItCannotStartIsSaidOnce(self) -> None:
        """Where there is no log yet."""
        errors: Any = io.StringIO()
        self.patch(sys, "stderr", errors)
        self.patch(sys, "__stderr__", errors)
        self.hook(StartError("no"))
        self.assertEqual(errors.getvalue(), "mucs: no\n")

    def test_noStderrAtAll(self) -> None:
        self.patch(sys, "stderr", None)
        self.patch(sys, "__stderr__", None)
        self.hook(StartError("no"))

    def test_otherErrors(self) -> None:
        """A fault of ours keeps its traceback."""
        calls: list[object] = []
        self.patch(sys, "__excepthook__", lambda *args: calls.append(args))
        error = ValueError("a fault")
        self.hook(error)
        self.assertEqual(calls, [(ValueError, error, None)])
