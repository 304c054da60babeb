"""
The configuration: the file, what becomes of a port, and what is said of mistakes.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from pathlib import Path

import msgspec
from twisted.internet.endpoints import TCP4ServerEndpoint, UNIXServerEndpoint
from twisted.internet.protocol import ServerFactory
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from mucs.config import (
    MOTD,
    Config,
    ConfigError,
    Listen,
    listener,
    load,
    readMotd,
    serverName,
)
from mucs.endpoints import BACKLOG
from mucs.imucs import IFrontEnd
from mucs.listener import Listener
from mucs.plugin import FrontEnd, found
from mucs.rules import Limits
from mucs.text import clean

ETC = Path(__file__).resolve().parent.parent / "etc"


class ConfigCase(SynchronousTestCase):
    """Tests with files."""

    def write(self, data: str | bytes) -> str:
        """@return: the path of a file that holds this."""
        with tempfile.NamedTemporaryFile(prefix="mucs-", delete=False) as file:
            self.addCleanup(os.unlink, file.name)
            file.write(data.encode() if isinstance(data, str) else data)
        return file.name

    def mistake(self, toml: str | bytes) -> str:
        """@return: what is said of this file, without its name."""
        path = self.write(toml)
        with self.assertRaises(ConfigError) as caught:
            load(path)
        said = str(caught.exception)
        self.assertEqual(said.split("\n"), [said])
        self.assertIn(f"{path}: ", said)
        return said.replace(f"{path}: ", "")


class ManualTests(ConfigCase):
    """C{etc/mucs.toml}, the manual, says what is so."""

    def setUp(self) -> None:
        self.text = (ETC / "mucs.toml").read_text("utf-8")

    def examples(self) -> str:
        """The manual with its examples as settings: no space stands behind their C{#}."""
        return re.sub(r"(?m)^#(?=\S)", "", self.text)

    def test_itsValuesAreTheDefaults(self) -> None:
        config = load(str(ETC / "mucs.toml"))
        self.assertEqual(msgspec.structs.replace(config, listen=Config().listen), Config())

    def test_itListensWhereMucsListens(self) -> None:
        """Whoever starts with the manual and without it gets the same."""
        self.assertEqual(load(str(ETC / "mucs.toml")).listen, Config().listen)

    def test_everyKeyIsInIt(self) -> None:
        settings = tomllib.loads(self.text)
        self.assertEqual(set(settings), set(Config.__struct_fields__))
        self.assertEqual(set(settings["limits"]), set(Limits.__struct_fields__))

    def test_everyKeyOfAListenerIsInItsExamplesAndExplained(self) -> None:
        listens = tomllib.loads(self.examples())["listen"]
        self.assertEqual(set().union(*listens), set(Listen.__struct_fields__))
        explained = re.findall(r"(?m)^#   (\w+) +\w", self.text)
        self.assertLessEqual(set(Listen.__struct_fields__), set(explained))

    def test_itsExamplesAreGood(self) -> None:
        """All at once, even: no two of them want the same port."""
        listens = load(self.write(self.examples())).listen
        self.assertGreater(len(listens), 10)
        ports = [re.findall(r"\d{4,5}", listen.port)[:1] or listen.port for listen in listens[2:]]
        self.assertEqual(len({str(port) for port in ports}), len(ports))
        names = {listen.port.partition("@")[0] for listen in listens if "@" in listen.port}
        self.assertEqual(names, set(found(IFrontEnd)))

    def test_itsDialectsAreAsTheyComeToBe(self) -> None:
        """What its examples for the older systems say is what these have anyway."""
        reactor, frontEnds = MemoryReactor(), found(IFrontEnd)
        for listen in load(self.write(self.examples())).listen:
            if "@" in listen.port and not listen.port.startswith("native@"):
                bare = listener(Listen(port=listen.port), frontEnds, reactor, "")
                said = listener(listen, frontEnds, reactor, "")
                self.assertEqual(said.policy, bare.policy)

    def test_itFitsOnAPage(self) -> None:
        self.assertEqual([line for line in self.text.split("\n") if len(line) > 100], [])

    def test_theMotdThatComesWithIt(self) -> None:
        """A few lines, for terminals of 80 columns, with the two dashes before them."""
        lines = readMotd(str(ETC / "motd"), "")
        self.assertEqual(lines, (ETC / "motd").read_text("utf-8").splitlines())
        self.assertTrue(2 <= len(lines) <= 6)
        self.assertEqual([line for line in lines if not line or len(line) > 77], [])


class LoadTests(ConfigCase):
    """A file of the operator's own."""

    def test_anEmptyFile(self) -> None:
        """What is not in it is as it comes."""
        self.assertEqual(load(self.write("")), Config())

    def test_aFile(self) -> None:
        config = load(
            self.write(
                'name = "Küche"\noff = ["console"]\n[limits]\nnaming = 5\n'
                '[[listen]]\nport = "shh@tcp:1"\nseats = 5\nfull = "refuse"\ntrusted = true\n'
            )
        )
        listen = Listen(port="shh@tcp:1", seats=5, full="refuse", trusted=True)
        self.assertEqual(
            config,
            Config(name="Küche", off=("console",), listen=(listen,), limits=Limits(naming=5.0)),
        )

    def test_anUnknownKey(self) -> None:
        self.assertEqual(
            self.mistake("mtod = 'x'"), "mtod: there is no such key; did you mean motd?"
        )
        self.assertEqual(self.mistake("xyzzy = 1"), "xyzzy: there is no such key")
        self.assertEqual(
            self.mistake("[limits]\nline = 100\nrates = 1"),
            "limits.rates: there is no such key; did you mean rate?",
        )
        self.assertEqual(
            self.mistake("[[listen]]\nport = 'tcp:1'\n[[listen]]\nport = 'tcp:2'\nseat = 1"),
            "listen[1].seat: there is no such key; did you mean seats?",
        )

    def test_aMissingKey(self) -> None:
        self.assertEqual(
            self.mistake("[[listen]]\nport = 'tcp:1'\n[[listen]]\nseats = 2"),
            "listen[1]: Object missing required field `port`",
        )

    def test_aWrongType(self) -> None:
        self.assertEqual(self.mistake("name = 1"), "name: Expected `str`, got `int`")
        self.assertEqual(self.mistake("off = 'x'"), "off: Expected `array`, got `str`")
        self.assertEqual(self.mistake("off = ['x', 1]"), "off[1]: Expected `str`, got `int`")
        self.assertEqual(self.mistake("limits = 1"), "limits: Expected `object`, got `int`")
        self.assertEqual(
            self.mistake("[limits]\nrate = true"), "limits.rate: Expected `float`, got `bool`"
        )

    def test_outOfRange(self) -> None:
        self.assertEqual(self.mistake("[limits]\nburst = 0"), "limits.burst: Expected `int` >= 1")
        self.assertEqual(self.mistake("listen = []"), "listen: Expected `array` of length >= 1")
        self.assertEqual(
            self.mistake("[[listen]]\nport = 'tcp:1'\nfull = 'queue'"),
            "listen[0].full: Invalid enum value 'queue'",
        )

    def test_secondsForWhichNoReactorWaits(self) -> None:
        for value in ("inf", "nan", "1e300", "-1.0", "0"):
            self.assertIn("limits.naming: ", self.mistake(f"[limits]\nnaming = {value}"))

    def test_noToml(self) -> None:
        self.assertIn("not TOML: ", self.mistake("name MUCS"))
        self.assertIn("not TOML: ", self.mistake(b"\xff\xfe"))
        self.assertIn("not TOML: ", self.mistake("x = " + "[" * 100_000))

    def test_aKeyWithALineBreak(self) -> None:
        """What is said is one line, whatever it quotes."""
        self.assertEqual(self.mistake('"a\\n\\nb" = 1'), "a b: there is no such key")

    def test_noFile(self) -> None:
        error = self.assertRaises(ConfigError, load, "no.toml")
        self.assertEqual(str(error), "--config no.toml: No such file or directory")
        error = self.assertRaises(ConfigError, load, "no\0.toml")
        self.assertEqual(str(error), "--config no\0.toml: embedded null byte")


class MotdTests(ConfigCase):
    """The message of the day."""

    def test_itsLines(self) -> None:
        path = self.write("one\n\n  two\r\nthree\n\n")
        self.assertEqual(readMotd(path, ""), ["one", "", "  two", "three"])

    def test_none(self) -> None:
        self.assertEqual(readMotd("", ""), [])

    def test_itReachesTerminals(self) -> None:
        """It is no way around what keeps terminals whole."""
        [line] = readMotd(self.write("\x1b[31mred\u2028"), "")
        self.assertEqual(line, clean("\x1b[31mred\u2028"))

    def test_itEndsSomewhere(self) -> None:
        path = self.write("line\n" * (MOTD + 5))
        self.assertEqual(len(readMotd(path, "")), MOTD)

    def test_noUtf8(self) -> None:
        path = self.write(b"\xff")
        error = self.assertRaises(ConfigError, readMotd, path, "--motd")
        self.assertEqual(str(error), f"--motd {path}: that file is no UTF-8")

    def test_noFile(self) -> None:
        error = self.assertRaises(ConfigError, readMotd, "no", "m.toml: motd")
        self.assertEqual(str(error), "m.toml: motd no: No such file or directory")


class ServerNameTests(SynchronousTestCase):
    """What the server is called."""

    def test_asPeople(self) -> None:
        self.assertEqual(serverName(" The Harbour ", "--name"), "The Harbour")
        error = self.assertRaises(ConfigError, serverName, "x" * 33, "--name")
        self.assertEqual(str(error), "--name: a name has at most 32 characters")


class ListenerTests(SynchronousTestCase):
    """What becomes of C{[FRONTEND@]ENDPOINT}."""

    def setUp(self) -> None:
        self.frontEnds = found(IFrontEnd)

    def listener(self, port: str, **settings: object) -> Listener:
        listen = msgspec.convert({"port": port, **settings}, Listen)
        return listener(listen, self.frontEnds, MemoryReactor(), "--port")

    def mistake(self, port: str) -> str:
        error = self.assertRaises(ConfigError, self.listener, port)
        start = f"--port {' '.join(port.split())}: "
        self.assertEqual(str(error)[: len(start)], start)
        return str(error)[len(start) :]

    def test_native(self) -> None:
        """Who is not named is native, and known to the operator by the option."""
        made = self.listener("tcp:7000")
        self.assertEqual((made.frontEnd.name, made.source), ("native", "--port tcp:7000"))
        self.assertIsInstance(made.endpoint, TCP4ServerEndpoint)

    def test_aNamedFrontEnd(self) -> None:
        made = self.listener("shh@unix:/run/mucs")
        self.assertEqual((made.frontEnd.name, made.port), ("shh", "shh@unix:/run/mucs"))
        self.assertIsInstance(made.endpoint, UNIXServerEndpoint)

    def test_anAtInAPath(self) -> None:
        """Behind a colon it is no front end's."""
        self.assertEqual(self.listener("unix:a@b").frontEnd.name, "native")
        self.assertEqual(self.listener("addr@unix:a@b").frontEnd.name, "addr")

    def test_noSuchFrontEnd(self) -> None:
        self.assertEqual(
            self.mistake("hihtere@tcp:1"), "there is no front end 'hihtere'; there is hithere"
        )
        every = "addr, cstring, fiveseat, hithere, json, native, shh"
        self.assertEqual(self.mistake("@tcp:1"), f"there is no front end ''; there is {every}")

    def test_aBrokenFrontEnd(self) -> None:
        """One of a third party, say, is named."""
        self.frontEnds["irc"] = FrontEnd("irc", "", "mucs.nowhere.irc")
        self.assertIn("the front end irc fails: ", self.mistake("irc@tcp:1"))

    def test_noSuchEndpoint(self) -> None:
        for port in ("", ":", "udp:1", "shh@", "haproxy:udp:1"):
            self.assertIn("there is no kind of endpoint ", self.mistake(port))
        for port in ("tcp", "unix", "tcp:1:2:3:4", "haproxy:tcp", "tls"):
            self.assertEqual(self.mistake(port), "it is written KIND:WHERE, as in tcp:7000")

    def test_theTerminal(self) -> None:
        self.assertEqual(self.mistake("stdio:"), "nobody can connect to that")

    def test_anUnknownPart(self) -> None:
        self.assertEqual(self.mistake("tcp:1:iface=lo"), "iface= is not known there")

    def test_aMissingCertificate(self) -> None:
        said = self.mistake("ssl:1:privateKey=no.pem")
        self.assertRegex(said, r"^cannot read \S+/no.pem: No such file or directory$")

    def test_badNumbers(self) -> None:
        self.assertEqual(self.mistake("tcp:http"), "'http' is no number")
        self.assertEqual(self.mistake("tcp:1:backlog=x"), "'x' is no number")
        self.assertEqual(self.mistake("unix:s:mode=rw"), "'rw' is no octal number")

    def test_systemd(self) -> None:
        self.assertEqual(
            self.mistake("systemd:domain=INET:index=0"), "systemd passed no such socket"
        )
        self.assertEqual(
            self.mistake("systemd:domain=INET:name=x"), "systemd passed no such socket"
        )

    def test_oneLine(self) -> None:
        self.assertEqual(self.mistake("tcp:1\n2"), "'1\\n2' is no number")

    def test_policy(self) -> None:
        """It is the front end's, but for what the file says."""
        plain = self.listener("fiveseat@tcp:1").policy
        self.assertEqual(plain, self.frontEnds["fiveseat"].policy())
        self.assertEqual((plain.seats, plain.echo, plain.console), (5, "ack", True))
        other = self.listener("fiveseat@tcp:1", seats=0, console=False, history=True).policy
        self.assertEqual((other.seats, other.echo, other.console), (0, "ack", False))
        self.assertTrue(other.history)

    def test_seats(self) -> None:
        self.assertEqual(self.listener("tcp:1", seats=3).seats.count, 3)

    def test_whomItTrusts(self) -> None:
        """Where only this machine can come in; and where the file says so."""
        trusted = (
            "unix:s",
            "shh@unix:s",
            "tcp:1:interface=127.0.0.1",
            "tcp:1:interface=127.1.2.3",
            "tcp:1:interface=localhost",
            r"tcp6:1:interface=\:\:1",
        )
        for port in trusted:
            self.assertTrue(self.listener(port).trusted, port)
            self.assertFalse(self.listener(port, trusted=False).trusted, port)
        others = (
            "tcp:1",
            "tcp6:1",
            "tcp:1:interface=192.0.2.1",
            "tcp:1:interface=127.0.0.1.example",
            r"tcp6:1:interface=\:\:",
            "haproxy:tcp:1",
            # The proxy is on this machine, its people are not.
            "haproxy:tcp:1:interface=127.0.0.1",
            "haproxy:unix:s",
        )
        for port in others:
            self.assertFalse(self.listener(port).trusted, port)
            self.assertTrue(self.listener(port, trusted=True).trusted, port)

    def test_theBacklog(self) -> None:
        """Where nothing is said of it there is room for a storm."""
        ports = {
            "tcp:1": BACKLOG,
            "tcp:1:127.0.0.1": BACKLOG,
            "tcp:1:interface=127.0.0.1": BACKLOG,
            "tcp:1:backlog=7": 7,
            "tcp:1:127.0.0.1:7": 7,
            "shh@haproxy:tcp:1": BACKLOG,
            "haproxy:tcp:1:backlog=7": 7,
        }
        for port, backlog in ports.items():
            reactor = MemoryReactor()
            made = listener(Listen(port=port), self.frontEnds, reactor, "")
            self.successResultOf(made.endpoint.listen(ServerFactory()))
            self.assertEqual(reactor.tcpServers[0][2], backlog, port)
        for port, backlog in {"unix:s": BACKLOG, "unix:s:666:7": 7, "unix:s:backlog=7": 7}.items():
            reactor = MemoryReactor()
            made = listener(Listen(port=port), self.frontEnds, reactor, "")
            self.successResultOf(made.endpoint.listen(ServerFactory()))
            self.assertEqual(reactor.unixServers[0][2], backlog, port)

    def test_theBacklogOfOtherEndpoints(self) -> None:
        """It is said to those only that know it, and never twice."""
        for port in ("tcp6:1", "tcp6:1:7", r"tcp6:1:interface=\:\:1:backlog=7"):
            self.listener(port)
        self.assertEqual(
            self.mistake("systemd:domain=INET:index=0"), "systemd passed no such socket"
        )

    def test_whoseAddressIsKnownLater(self) -> None:
        self.assertTrue(self.listener("haproxy:tcp:1").proxied)
        self.assertTrue(self.listener("addr@HAProxy:tcp:1").proxied)
        self.assertFalse(self.listener("tcp:1").proxied)
        self.assertFalse(self.listener("unix:haproxy").proxied)
