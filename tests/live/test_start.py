"""
Starting the service, and failing to: what an operator sees who made a mistake.

A mistake is one line on stderr that begins with C{mucs: } and says where it is, and nothing is left
of the attempt.  Each is made in three ways, for C{twistd}, in the foreground and as a daemon, and
C{twist} begin at different times, and end in different ways.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from twisted import copyright
from twisted.internet.protocol import Factory

from tests.live import inside
from tests.live.inside import HOST, reactor
from tests.live.server import (
    DAEMON,
    FOREGROUND,
    HOWS,
    ROOT,
    TWIST,
    Server,
    ServerCase,
    command,
    makeCertificate,
    together,
)

Prepare = Callable[[Path], object]

#: What takes a right that only the kernel can give: to be root and not to be let, nevertheless.
WITHOUT_RIGHT = ["setpriv", "--bounding-set=-net_bind_service"]


def _canBeDenied() -> bool:
    """Whether here a process can be made that may not listen on port 1."""
    unprivileged = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not unprivileged.exists() or int(unprivileged.read_text()) < 2:
        return False
    if os.geteuid():
        return True
    if shutil.which(WITHOUT_RIGHT[0]) is None:
        return False
    return subprocess.run([*WITHOUT_RIGHT, "true"], check=False).returncode == 0


def writes(name: str, text: str | bytes) -> Prepare:
    """Write a file into the folder in which the service is started."""
    data = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / name).write_bytes(data)


def everything(folder: Path) -> set[str]:
    """What stands in a folder, and below."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class MistakeCase(ServerCase):
    """Tests in which the service does not start."""

    async def attempt(self, how: str, options: tuple[str, ...], prepare: Prepare) -> Server:
        """
        Start the service, which ends again: all its processes, for that is waited for, and
        without leaving any files.
        """
        folder = self.folder()
        prepare(folder)
        before = everything(folder) | {"twistd.log"}
        server = self.start(*options, how=how, folder=folder, argv=self.argv(how))
        await server.ends()
        self.assertNotIn("Traceback", server.seen.decode() + server.errors.decode() + server.log())
        self.assertEqual(server.status, 1, server.errors)
        self.assertEqual(everything(folder) - before, set())
        return server

    def argv(self, how: str) -> list[str]:
        """What starts the service."""
        return command(how)

    async def refuses(
        self, *options: str, says: str, prepare: Prepare = lambda folder: None
    ) -> None:
        """
        What is wrong is found before anything begins.

        @param says: the line, without what it begins with; what follows C{...} may be anything.
        """

        async def one(how: str) -> None:
            server = await self.attempt(how, options, prepare)
            self.assertLine(server.errors.decode(), says)

        await together(*map(one, HOWS))

    async def failsToBegin(
        self, *options: str, says: str, prepare: Prepare = lambda folder: None
    ) -> None:
        """
        What is wrong is found when the service begins, and a daemon is one already: twistd has a
        sentence of its own then, and we are in it with 98 bytes.
        """

        async def one(how: str) -> None:
            server = await self.attempt(how, options, prepare)
            errors = server.errors.decode()
            if how == DAEMON:
                self.assertIn(f"{f'mucs: {says}'.encode()[:98]!r}\n", errors)
                self.assertEqual(errors.count("\n"), 2, errors)
                self.assertIn(f"mucs: {says}\n", server.log())
            else:
                self.assertLine(errors, says)

        await together(*map(one, HOWS))

    def assertLine(self, errors: str, says: str) -> None:
        start, more, _ = f"mucs: {says}".partition("...")
        if more:
            self.assertEqual(errors[: len(start)], start)
            self.assertEqual(errors[len(start) :].count("\n"), 1, errors)
            self.assertTrue(errors.endswith("\n"), errors)
        else:
            self.assertEqual(errors, start + "\n")


class OptionTests(MistakeCase):
    """Mistakes on the command line."""

    async def test_aWordThatIsNoOption(self) -> None:
        await self.refuses(
            "tcp:7000", says="tcp:7000: not an option; a port is given as --port tcp:7000"
        )

    async def test_anUnknownDialect(self) -> None:
        await self.refuses(
            "--port",
            "ssh@tcp:0",
            says="--port ssh@tcp:0: there is no front end 'ssh'; there is shh",
        )

    async def test_anUnknownKindOfEndpoint(self) -> None:
        await self.refuses(
            "--port",
            "tpc:0",
            says="--port tpc:0: there is no kind of endpoint 'tpc'; there are tcp, ...",
        )

    async def test_aPortThatIsNoNumber(self) -> None:
        await self.refuses("--port", "tcp:bad", says="--port tcp:bad: 'bad' is no number")

    async def test_systemdWithoutSockets(self) -> None:
        await self.refuses(
            "--port",
            "systemd:domain=INET:index=0",
            says="--port systemd:domain=INET:index=0: systemd passed no such socket",
        )

    async def test_oneGoodPortAndOneBad(self) -> None:
        """Nothing is begun, not even what is right."""
        await self.refuses(
            "--port", "unix:a", "--port", "tcp:b", says="--port tcp:b: 'b' is no number"
        )

    async def test_aBadServerName(self) -> None:
        await self.refuses("--name", "a:b", says='--name: a name holds no ":"')

    async def test_anUnknownLog(self) -> None:
        await self.refuses(
            "--log",
            "paper:",
            says="--log paper:: there is no such log; there is sqlite:FILE, "
            "sqlite:FILE:level=process or memory:",
        )

    async def test_aMissingMotd(self) -> None:
        await self.refuses("--motd", "motd", says="--motd motd: No such file or directory")

    async def test_aMotdThatCannotBeRead(self) -> None:
        await self.refuses("--motd", ".", says="--motd .: Is a directory")

    async def test_aMotdThatIsNoUtf8(self) -> None:
        await self.refuses(
            "--motd",
            "motd",
            says="--motd motd: that file is no UTF-8",
            prepare=writes("motd", b"caf\xe9\n"),
        )

    async def test_aMissingFile(self) -> None:
        await self.refuses("--config", "m.toml", says="--config m.toml: No such file or directory")


class FileTests(MistakeCase):
    """Mistakes in the configuration file."""

    async def refused(self, toml: str | bytes, says: str) -> None:
        await self.refuses("--config", "m.toml", says=says, prepare=writes("m.toml", toml))

    async def test_noToml(self) -> None:
        await self.refused("name: MUCS\n", "--config m.toml: not TOML: Expected '=' after ...")

    async def test_anUnknownKey(self) -> None:
        await self.refused("nmae = 'x'\n", "m.toml: nmae: there is no such key; did you mean name?")

    async def test_aValueOfTheWrongType(self) -> None:
        await self.refused(
            "[limits]\nline = '9'\n", "m.toml: limits.line: Expected `int`, got `str`"
        )

    async def test_aValueOutOfRange(self) -> None:
        await self.refused("[limits]\nline = 9\n", "m.toml: limits.line: Expected `int` >= 64")

    async def test_aBadPort(self) -> None:
        await self.refused(
            "[[listen]]\nport = 'tcp:0'\n[[listen]]\nport = 'tcp:bad'\n",
            "m.toml: listen[1].port tcp:bad: 'bad' is no number",
        )

    async def test_noListener(self) -> None:
        await self.refused("listen = []\n", "m.toml: listen: Expected `array` of length >= 1")

    async def test_aPluginThatIsNotThere(self) -> None:
        await self.refused(
            "off = ['topics']\n", "m.toml: off: there is no plugin topics; did you mean topic?"
        )

    async def test_aFrontEndThatIsOff(self) -> None:
        await self.refused(
            "off = ['shh']\n[[listen]]\nport = 'shh@tcp:0'\n",
            "m.toml: listen[0].port shh@tcp:0: there is no front end 'shh'; there is ...",
        )


class CertificateTests(MistakeCase):
    """Mistakes with keys and certificates."""

    async def refused(self, port: str, says: str, prepare: Prepare) -> None:
        await self.refuses("--port", port, says=f"--port {port}: {says}", prepare=prepare)

    async def test_aKeyThatCannotBeRead(self) -> None:
        port = "ssl:0:privateKey=.:certKey=cert.pem"
        await self.refused(port, "cannot read ...", makeCertificate)

    async def test_aDamagedCertificate(self) -> None:
        def damage(folder: Path) -> None:
            makeCertificate(folder)
            pem = (folder / "cert.pem").read_bytes()
            (folder / "cert.pem").write_bytes(pem[:200] + b"*" + pem[201:])

        port = "ssl:0:privateKey=key.pem:certKey=cert.pem"
        await self.refused(port, "no usable key and certificate: ...", damage)

    async def test_aDamagedKey(self) -> None:
        def damage(folder: Path) -> None:
            makeCertificate(folder)
            (folder / "key.pem").write_text("no key\n")

        port = "ssl:0:privateKey=key.pem:certKey=cert.pem"
        await self.refused(port, "no usable key and certificate: ...", damage)

    async def test_aKeyForAnotherCertificate(self) -> None:
        def mix(folder: Path) -> None:
            makeCertificate(folder)
            (folder / "cert.pem").rename(folder / "old.pem")
            makeCertificate(folder)

        port = "ssl:0:privateKey=key.pem:certKey=old.pem"
        await self.refused(port, "Certificate public and private keys do not match.", mix)

    async def test_aFolderWithoutCertificates(self) -> None:
        await self.refused(
            "tls:.:0",
            "no .pem file there holds a key and its certificate for a DNS name",
            lambda folder: None,
        )

    async def test_aFolderWithACertificateForNoHost(self) -> None:
        await self.refused(
            "tls:.:0",
            "no .pem file there holds a key and its certificate for a DNS name",
            makeCertificate,
        )

    async def test_aFolderWithADamagedCertificate(self) -> None:
        def damage(folder: Path) -> None:
            makeCertificate(folder, "localhost")
            pem = (folder / "cert.pem").read_bytes()
            (folder / "cert.pem").write_bytes(pem[:200] + b"*" + pem[201:])

        await self.refused("tls:.:0", "no usable key and certificate: ...", damage)


class BeginningTests(MistakeCase):
    """What cannot be known before the service begins."""

    def taken(self) -> str:
        """A port that is in use."""
        port = reactor.listenTCP(0, Factory(), interface=HOST)
        self.addCleanup(port.stopListening)
        return f"tcp:{port.getHost().port}:interface={HOST}"

    async def test_aPortInUse(self) -> None:
        port = self.taken()
        await self.failsToBegin(
            "--port", port, says=f"--port {port}: cannot listen: Address already in use"
        )

    async def test_aPortInUseThatTheFileNames(self) -> None:
        port = self.taken()
        await self.failsToBegin(
            "--config",
            "m.toml",
            says=f"m.toml: listen[0].port {port}: cannot listen: Address already in use",
            prepare=writes("m.toml", f"[[listen]]\nport = '{port}'\n"),
        )

    async def test_aUnixSocketWithoutAFolder(self) -> None:
        await self.failsToBegin(
            "--port", "unix:no/s", says="--port unix:no/s: cannot listen: No such file or directory"
        )

    async def test_aUnixSocketWhereAFileIs(self) -> None:
        """Neither is the file touched nor its lock left."""
        await self.failsToBegin(
            "--port",
            "unix:s",
            says="--port unix:s: cannot listen: Address already in use",
            prepare=writes("s", ""),
        )

    async def test_aUnixSocketWithTooLongAPath(self) -> None:
        """twistd's parent shows as much of the line as it takes; the log has all of it."""
        long = "s" * 120
        await self.failsToBegin(
            "--port",
            f"unix:{long}",
            says=f"--port unix:{long}: cannot listen: AF_UNIX path too long",
        )

    async def test_aPortThatIsTooHigh(self) -> None:
        await self.failsToBegin(
            "--port",
            "tcp:65536",
            says="--port tcp:65536: cannot listen: bind(): port must be 0-65535.",
        )

    async def test_theSecondOfTwoPorts(self) -> None:
        """The first one's socket is gone, and so is its lock."""
        port = self.taken()
        await self.failsToBegin(
            "--port",
            "unix:s",
            "--port",
            port,
            says=f"--port {port}: cannot listen: Address already in use",
        )


if _canBeDenied():

    class PrivilegeTests(MistakeCase):
        """A port that only root may have."""

        def argv(self, how: str) -> list[str]:
            path = shutil.which(WITHOUT_RIGHT[0]) or ""
            return [*([] if os.geteuid() else [path, WITHOUT_RIGHT[1]]), *command(how)]

        async def test_aPrivilegedPort(self) -> None:
            await self.failsToBegin(
                "--port", "tcp:1", says="--port tcp:1: cannot listen: Permission denied"
            )


class WordsTests(ServerCase):
    """What it says without starting."""

    async def said(self, option: str) -> list[str]:
        """The same by twistd and twist. @return: lines."""
        servers = [self.start(option, how=how) for how in HOWS]
        said = []
        for server in servers:
            await server.ends()
            self.assertEqual((server.status, server.errors), (0, b""))
            self.assertEqual(os.listdir(server.folder), [])
            # What stands first are the options of twistd or twist itself.
            said.append(re.sub(r"^Usage: .* mucs ", "", server.seen.decode()).split("\n"))
        self.assertEqual(said[0], said[1])
        self.assertEqual(said[0], said[2])
        return said[0]

    async def test_help(self) -> None:
        """It fits on a terminal, and tells of every option."""
        lines = await self.said("--help")
        self.assertEqual([line for line in lines if len(line) > 80], [])
        words = " ".join(lines).split()
        for option in ("config", "log", "motd", "name", "port"):
            self.assertIn(f"--{option}=", words)
        for option in ("--help", "--list-plugins", "--version"):
            self.assertIn(option, words)

    async def test_version(self) -> None:
        version = re.search(r'(?m)^version = "(.*)"$', (ROOT / "pyproject.toml").read_text())
        assert version is not None
        lines = await self.said("--version")
        self.assertEqual(lines, [f"MUCS {version[1]}, Twisted {copyright.version}", ""])

    async def test_listPlugins(self) -> None:
        """One a line: kind, name, summary."""
        lines = await self.said("--list-plugins")
        self.assertEqual(lines.pop(), "")
        for line in lines:
            self.assertRegex(line, r"^(front end|command|filter|observer) +[a-z]+ +\S.*$")
        self.assertTrue([line for line in lines if line.startswith("front end  native  ")])
        self.assertTrue([line for line in lines if line.startswith("command    help  ")])


class PlaceTests(ServerCase):
    """Where it runs from."""

    async def greets(self, how: str, argv: list[str], env: dict[str, str], folder: Path) -> None:
        """Someone can come in."""
        server = self.start(
            "--port", "tcp:0:interface=127.0.0.1", how=how, argv=argv, env=env, folder=folder
        )
        [port] = await server.begins()
        person = await self.meet(port)
        await person.sees("-- welcome to MUCS\r\n-- what is your name?\r\n")
        await server.stops()

    async def test_thisEnvironment(self) -> None:
        await together(*[self.greets(how, command(how), {}, self.folder()) for how in HOWS])

    async def environment(self) -> Path:
        """@return: the Python of a new virtual environment with nothing in it."""
        folder = self.folder() / "venv"
        made = self.launch(sys.executable, "-m", "venv", "--without-pip", folder)
        await made.ends()
        self.assertEqual(made.status, 0, made.seen)
        return folder / "bin" / "python"

    def checkout(self) -> Path:
        """A copy of what this checkout ships."""
        folder = self.folder()
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, folder)
        ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
        for name in ("mucs", "twisted"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        return folder

    async def test_aCheckoutThatIsNotInstalled(self) -> None:
        """C{PYTHONPATH=. twistd mucs}, in an environment with what MUCS needs, and without MUCS."""
        python, folder = await self.environment(), self.checkout()
        [packages] = (python.parent.parent / "lib").glob("python*/site-packages")
        # Unlike site-packages itself, a path in a .pth file is not searched for .pth files, so that
        # MUCS, as an editable installation, is not found there.
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
        where = self.start(argv=[str(python), "-c", "import mucs"], env={"PYTHONPATH": ""})
        await where.ends()
        self.assertIn(b"No module named 'mucs'", where.errors)
        argv = command(FOREGROUND, python)
        await self.greets(FOREGROUND, argv, {"PYTHONPATH": "."}, folder)

    async def test_anInstallation(self) -> None:
        """C{pip install .}, in an environment with nothing in it, gives C{twistd mucs}."""
        # What it takes may have to come over the network.
        self.patch(inside, "PATIENCE", 100.0)
        python, folder = await self.environment(), self.checkout()
        pip = self.launch(
            *(sys.executable, "-m", "pip", "--python", python, "install"),
            *("--disable-pip-version-check", "--quiet", "--no-compile", folder),
        )
        await pip.ends()
        self.assertEqual(pip.status, 0, pip.seen)
        for how in (FOREGROUND, TWIST):
            argv = command(how, python)
            argv[1] = str(python.parent / how.split()[0])
            await self.greets(how, argv, {"PYTHONPATH": ""}, self.folder())
