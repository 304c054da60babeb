"""
Plugins of other people: what they ship is found, used, and kept from doing harm.

The first tests install a distribution, C{mucs-acme}, as its users would, with pip, in a virtual
environment beside MUCS.  That environment sees everything this one does, so that nothing is
fetched.  The others put plugin files into a folder on Python's path.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM
from textwrap import dedent

from twisted.internet.error import ConnectionRefusedError
from twisted.trial.unittest import SkipTest

from tests.live.inside import LiveCase, Person, Program

ROOT = Path(__file__).resolve().parents[2]

TWISTD = "from twisted.scripts.twistd import run; run()"

#: What is in the distribution.
ACME = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [project]
        name = "mucs-acme"
        version = "1.0"

        [tool.hatch.build.targets.wheel]
        only-include = ["mucs/plugins", "acme_loud.py"]
        """,
    "mucs/plugins/acme_command_roll.py": """
        from random import randint

        from mucs.events import Refused
        from mucs.plugin import command


        @command("/roll [SIDES]", "rolls a die for everyone to see")
        def roll(session, argument):
            sides = argument or "6"
            if not sides.isdecimal() or sides == "0":
                raise Refused("how many sides? /roll 6")
            session.act(f"rolls {randint(1, int(sides))}")
            return ()
        """,
    "mucs/plugins/acme_frontend_loud.py": """
        from mucs.plugin import FrontEnd

        loud = FrontEnd("loud", "for people who shout", "acme_loud.loud")
        """,
    "acme_loud.py": """
        from mucs.events import JOIN, SAY
        from mucs.line.dialect import phrasebook

        loud = phrasebook("loud", {SAY: "{author} SHOUTS {text}!", JOIN: "HERE IS {author}!"})
        """,
}

BOOM = """
    from mucs.plugin import command


    @command("/boom", "breaks")
    def boom(session, argument):
        raise RuntimeError("boom it goes")
    """

#: A filter that refuses, changes, loses its way, and is wrong, as it is told.
CENSOR = """
    from twisted.plugin import IPlugin
    from zope.interface import implementer

    from mucs.events import Refused, Say
    from mucs.imucs import IFilter


    @implementer(IPlugin, IFilter)
    class Censor:
        name = "censor"
        summary = "minds what is said"

        def filter(self, session, intent):
            if isinstance(intent, Say):
                if "spam" in intent.text:
                    raise Refused("no spam here")
                if "crash" in intent.text:
                    raise RuntimeError("what a word")
                if "forget" in intent.text:
                    return None
                return Say(intent.text.replace("darn", "d**n"))
            return intent


    censor = Censor()
    """

#: An observer that breaks at one word, and the function of one that tells what it sees.
OBSERVERS = {
    "acme_observer_brittle": """
        from mucs.plugin import Observer

        brittle = Observer("brittle", "breaks", "acme_watch.brittle")
        """,
    "acme_observer_steady": """
        from mucs.plugin import Observer

        steady = Observer("steady", "tells", "acme_watch.steady")
        """,
}
WATCH = """
    from twisted.logger import Logger

    log = Logger()


    def brittle(batch):
        for event, session in batch:
            if "crash" in event.text:
                raise RuntimeError("what a word")


    def steady(batch):
        for event, session in batch:
            if event.kind == "say":
                log.info("steady saw {text} of {name}", text=event.text, name=session.name)
    """


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, by their paths."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())


@cache
def environment() -> Path:
    """
    A virtual environment with the distribution in it, made once.

    @return: its Python.
    """
    folder = Path(tempfile.mkdtemp(prefix="mucs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    argv = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    asked = subprocess.run(argv, check=True, capture_output=True, text=True)
    packages = Path(asked.stdout.rstrip())
    paths = [str(ROOT), *(path for path in sys.path if os.path.isabs(path))]
    # As site does, so that what is installed here as editable is seen there.
    line = f"import site; list(map(site.addsitedir, {paths!r}))\n"
    (packages / "beside.pth").write_text(line)
    write(folder / "acme", ACME)
    pip = "-m pip --no-input --disable-pip-version-check install --quiet --no-index --no-deps"
    argv = [str(python), *pip.split(), "--no-build-isolation", str(folder / "acme")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return python


class PluginCase(LiveCase):
    """A test with C{twistd} in a process of its own."""

    def twistd(self, python: Path | str, *options: str, path: Path | None = None) -> Program:
        """
        Start C{twistd mucs}.

        @param path: a folder in which Python is to look, too.
        """
        env = {"PYTHONPATH": f"{path}:{ROOT}"} if path else {}
        argv = (python, "-c", TWISTD, "-n", "--pidfile=", "mucs", *options)
        return self.launch(*argv, folder=self.folder(), env=env)

    def withPlugins(self, files: dict[str, str], modules: dict[str, str] | None = None) -> Program:
        """Start C{twistd mucs}, with more plugins and modules than it has."""
        folder = self.folder()
        write(folder, {f"mucs/plugins/{name}.py": text for name, text in files.items()})
        write(folder, {f"{name}.py": text for name, text in (modules or {}).items()})
        port = "tcp:0:interface=127.0.0.1"
        return self.twistd(sys.executable, "--log", "memory:", "--port", port, path=folder)

    async def opened(self, server: Program, count: int = 1) -> list[int]:
        """Wait until it listens. @return: its ports, in the order they were given."""
        ports: list[int] = []
        for _ in range(count):
            await server.sees(" starting on ")
            ports.append(int(await server.sees("\n")))
        return ports

    async def visitor(self, port: int, name: str) -> Person:
        """Let someone in."""
        person: Person | None = None
        while person is None:
            try:
                person = await self.person(port, name)
            except ConnectionRefusedError:
                # A port is named in the log a moment before it is open.
                await self.turn()
        await person.sees("-- now\r\n")
        return person

    async def ending(self, server: Program) -> str:
        """Stop it. @return: its whole log."""
        server.signals(SIGTERM)
        await server.ends()
        self.assertEqual(server.status, -SIGTERM)
        return server.seen.decode()


class DistributionTests(PluginCase):
    """What someone else ships and pip installs is there, without anything being told to MUCS."""

    def setUp(self) -> None:
        for tool in ("pip", "hatchling"):
            if find_spec(tool) is None:
                raise SkipTest(f"there is no {tool} here")

    async def test_listed(self) -> None:
        """C{--list-plugins} shows theirs among ours."""
        program = self.twistd(environment(), "--list-plugins")
        lines = (await program.ends()).decode().split("\n")
        self.assertEqual(program.status, 0)
        self.assertIn("front end  loud       for people who shout", lines)
        self.assertIn("command    roll       rolls a die for everyone to see", lines)
        self.assertIn("command    quit       leaves; so does !q", lines)

    async def test_used(self) -> None:
        """Their command runs, their dialect is spoken, and their refusal is one."""
        server = self.twistd(
            environment(),
            *("--log", "memory:"),
            *("--port", "tcp:0:interface=127.0.0.1"),
            *("--port", "loud@tcp:0:interface=127.0.0.1"),
        )
        native, loud = await self.opened(server, 2)
        ada = await self.visitor(native, "ada")
        bob = await self.visitor(loud, "bob")
        await ada.sees("* bob joined\r\n")
        ada.says("/roll 1", "/roll 0", "/help roll", "well")
        await ada.sees("! how many sides? /roll 6\r\n")
        await ada.sees("-- /roll [SIDES]  rolls a die for everyone to see\r\n")
        await bob.sees("* ada rolls 1\r\nada SHOUTS well!\r\n")
        bob.says("/roll")
        await ada.sees("* bob rolls ")
        self.assertIn(await ada.sees("\r\n"), [f"{side}\r\n".encode() for side in range(1, 7)])
        eve = await self.visitor(native, "eve")
        await bob.sees("HERE IS eve!\r\n")
        eve.leaves()
        await ada.sees("* eve left\r\n")
        await self.ending(server)


class FaultTests(PluginCase):
    """Plugins that are at fault do no harm to others, and are named in the log."""

    async def test_command(self) -> None:
        """
        One that raises says so to whoever used it; after five faults it is switched off, and
        chat goes on all the while.
        """
        server = self.withPlugins({"acme_command_boom": BOOM})
        [port] = await self.opened(server)
        ada = await self.visitor(port, "ada")
        bob = await self.visitor(port, "bob")
        for number in range(5):
            ada.says("/boom", f"still here {number}")
            await ada.sees("! /boom failed; the server's log says why\r\n")
            await bob.sees(f"ada: still here {number}\r\n")
        bob.says("/boom")
        await bob.sees("! /boom is switched off, because it failed too often\r\n")
        ada.says("good bye")
        await bob.sees("ada: good bye\r\n")
        log = await self.ending(server)
        self.assertEqual(log.count("the plugin boom failed\n"), 5)
        self.assertEqual(log.count("RuntimeError: boom it goes\n"), 5)
        self.assertIn("the plugin boom failed 5 times in a minute and is switched off\n", log)

    async def test_cannotBeImported(self) -> None:
        """
        A file that cannot be imported does not keep the server from starting, and is named;
        so is the second of two with one name.
        """
        server = self.withPlugins(
            {
                "acme_command_broken": "import there_is_no_such_thing",
                "acme_command_boom": BOOM,
                "acme_command_bust": BOOM,
            }
        )
        [port] = await self.opened(server)
        ada = await self.visitor(port, "ada")
        ada.says("/broken", "/help boom")
        await ada.sees("! there is no command /broken", "-- /boom  breaks\r\n")
        log = await self.ending(server)
        self.assertRegex(
            log, r"the plugin file \S+/mucs/plugins/acme_command_broken\.py cannot be imported\n"
        )
        self.assertIn("No module named 'there_is_no_such_thing'\n", log)
        self.assertIn(
            "the plugin mucs.plugins.acme_command_bust.boom is left out: another command is "
            "called boom, mucs.plugins.acme_command_boom.boom\n",
            log,
        )

    async def test_filter(self) -> None:
        """
        A filter refuses to the speaker alone, and changes what the others see; where it fails,
        what was said is said; and after five faults it is switched off.
        """
        server = self.withPlugins({"acme_filter_censor": CENSOR})
        [port] = await self.opened(server)
        ada = await self.visitor(port, "ada")
        bob = await self.visitor(port, "bob")
        ada.says("darn it", "buy spam", "a crash!", "forget it", "/me darns")
        await ada.sees("! no spam here\r\n")
        shown = await bob.sees("* ada darns\r\n")
        self.assertEqual(
            shown,
            b"ada: d**n it\r\nada: a crash!\r\nada: forget it\r\n* ada darns\r\n",
        )
        bob.says("crash", "crash", "crash", "darn spam")
        await ada.sees("bob: crash\r\nbob: crash\r\nbob: crash\r\nbob: darn spam\r\n")
        log = await self.ending(server)
        self.assertEqual(log.count("the plugin censor failed\n"), 5)
        self.assertIn("the plugin censor failed 5 times in a minute and is switched off\n", log)

    async def test_observer(self) -> None:
        """An observer that raises is named, and the others see what it did not."""
        server = self.withPlugins(OBSERVERS, {"acme_watch": WATCH})
        [port] = await self.opened(server)
        ada = await self.visitor(port, "ada")
        ada.says("crash")
        await server.sees("the plugin brittle failed\n", "RuntimeError: what a word\n")
        await server.sees("steady saw crash of ada\n")
        ada.says("all is well")
        await server.sees("steady saw all is well of ada\n")
        await self.ending(server)
