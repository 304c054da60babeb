"""
Reading the configuration again: what changes, what waits for the next start, and what is wrong.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor
from twisted.internet.ssl import Certificate

from mucs import tap
from mucs.events import Refused
from mucs.hall import Hall
from mucs.listener import Listener
from mucs.log.retention import Retention
from mucs.reload import Reload
from mucs.rules import Policy
from tests.house import HouseCase
from tests.live.server import makeCertificate
from tests.test_tap import TapCase

LISTEN = "[[listen]]\nport = 'tcp:1'\n"


class ReloadCase(TapCase):
    """Tests with a folder of an operator's, and a service that was made from it."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix="mucs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def write(self, toml: str) -> None:
        (self.folder / "mucs.toml").write_text(toml)

    def begin(self, toml: str = "", *words: str) -> Hall:
        """A service; afterwards we are elsewhere, as a daemon may be."""
        self.write(toml)
        options = tap.Options()
        options.parseOptions(["--config", "mucs.toml", "--log", "memory:", *words])
        hall = tap.makeService(options)
        assert isinstance(hall, Hall)
        self.service = hall
        os.chdir("/")
        return hall

    def again(self, toml: str | None = None) -> list[str]:
        if toml is not None:
            self.write(toml)
        reload: Any = self.service.getServiceNamed("reload")
        said: list[str] = reload.again()
        return said

    def wrong(self, toml: str) -> str:
        """What is said of a file that is wrong."""
        self.write(toml)
        return str(self.assertRaises(Refused, self.again))


class ChangeTests(ReloadCase):
    """What changes."""

    def test_nothing(self) -> None:
        self.begin()
        self.assertEqual(self.again(), ["reloaded: nothing has changed"])

    def test_limits(self) -> None:
        """Of the server and of the rooms that there are; of private ones too."""
        hall = self.begin()
        hall.history.open()
        room = hall.room("lobby")
        said = self.again("[limits]\nline = 99\nbehind = 7\nhistory = 3\nconnections = 5\n")
        self.assertEqual(said, ["reloaded: limits"])
        self.assertEqual((hall.limits.line, hall._most), (99, 5))
        self.assertIs(hall._addresses.limits, hall.limits)
        self.assertEqual((hall._turn.limits, hall._scratch.limits), (hall.limits, hall.limits))
        self.assertEqual((room.recent.maxlen, room.said.maxlen), (7, 3))

    def test_theMessageOfTheDay(self) -> None:
        """Another file, and other words in the same one."""
        (self.folder / "motd").write_text("hello\n")
        hall = self.begin()
        self.assertEqual(self.again("motd = 'motd'"), ["reloaded: motd"])
        self.assertEqual(list(hall.motd), ["hello"])
        (self.folder / "motd").write_text("goodbye\n")
        self.assertEqual(self.again(), ["reloaded: motd"])
        self.assertEqual(list(hall.motd), ["goodbye"])

    def test_plugins(self) -> None:
        hall = self.begin("off = ['me']")
        self.assertEqual(self.again("off = ['topic', 'console']"), ["reloaded: off"])
        self.assertIn("me", hall.commands)
        self.assertNotIn("topic", hall.commands)

    def test_admins(self) -> None:
        """Those who are here are admins at once, or are none any more."""
        hall = self.begin("admins = ['ada']")
        here: list[Any] = [
            SimpleNamespace(account=name, admin=name == "ada", hall=hall, policy=Policy())
            for name in ("ada", "bob", "")
        ]
        hall.sessions.update(enumerate(here))
        self.assertEqual(self.again("admins = ['Bob']"), ["reloaded: admins"])
        self.assertEqual([each.admin for each in here], [False, True, False])

    def test_retention(self) -> None:
        hall = self.begin()
        self.assertEqual(self.again("[keep]\ndays = 2\nevents = 9\n"), ["reloaded: keep"])
        [retention] = [each for each in hall if isinstance(each, Retention)]
        self.assertEqual((retention._age, retention._keep), (2 * 86400, 9))

    def test_howPeopleAreTreated(self) -> None:
        """Those who come from now on; the console looks where it has something to look at."""
        hall = self.begin(LISTEN + "seats = 1")
        [listener] = [each for each in hall if isinstance(each, Listener)]
        said = self.again(LISTEN + "seats = 3\necho = 'ack'\ntrusted = true\nconsole = true\n")
        self.assertEqual(said, ["reloaded: tcp:1"])
        self.assertEqual((listener.seats.count, listener.policy.echo), (3, "ack"))
        self.assertTrue(listener.trusted)
        self.assertEqual([each.name for each in hall._observers], ["console"])
        self.again(LISTEN)
        self.assertEqual((listener.seats.count, list(hall._observers)), (0, []))

    def test_certificates(self) -> None:
        old = makeCertificate(self.folder)
        hall = self.begin("", "--port", "ssl:1:privateKey=key.pem:certKey=cert.pem")
        [listener] = [each for each in hall if isinstance(each, Listener)]
        assert listener.certificates is not None
        self.assertEqual(self.again(), ["reloaded: nothing has changed"])
        new = makeCertificate(self.folder)
        self.assertEqual(
            self.again(), ["reloaded: ssl:1:privateKey=key.pem:certKey=cert.pem"]
        )
        shown = Certificate(listener.certificates.serverConnectionForTLS(None).get_certificate())
        self.assertEqual(shown.digest(), new.digest())
        self.assertNotEqual(shown.digest(), old.digest())


class LaterTests(ReloadCase):
    """What waits for the next start is named each time."""

    def test_settings(self) -> None:
        self.begin()
        later = "only at the next start: name, metrics"
        toml = "name = 'Harbour'\nmetrics = 'tcp:2'\nlog = 'sqlite:x'\n"
        self.assertEqual(self.again(toml), ["reloaded: nothing has changed", later])
        self.assertEqual(self.again(toml + "[limits]\nline = 99"), ["reloaded: limits", later])

    def test_accountsOfAFile(self) -> None:
        """It is not looked for again, wherever we are by now; others wait."""
        (self.folder / "words").write_text("ada:secret\n")
        self.begin("auth = ['file:words']")
        self.assertEqual(self.again(), ["reloaded: nothing has changed"])
        self.assertEqual(
            self.again("auth = ['accounts']"),
            ["reloaded: nothing has changed", "only at the next start: auth"],
        )

    def test_theCommandLineGoesFirst(self) -> None:
        """What stands there is not changed by the file, and so is not named."""
        self.begin("", "--name", "Harbour", "--port", "tcp:3", "--motd", "")
        said = self.again("name = 'Port'\nmotd = 'missing'\n" + LISTEN)
        self.assertEqual(said, ["reloaded: nothing has changed"])

    def test_listeners(self) -> None:
        self.begin(LISTEN + "[[listen]]\nport = 'tcp:2'\n")
        said = self.again("[[listen]]\nport = 'tcp:2'\nseats = 2\n[[listen]]\nport = 'shh@tcp:3'")
        later = "only at the next start: listening on shh@tcp:3, not listening on tcp:1 any more"
        self.assertEqual(said, ["reloaded: tcp:2", later])

    def test_twoThatSayTheSame(self) -> None:
        hall = self.begin(LISTEN * 2)
        self.again(LISTEN + "seats = 1\n" + LISTEN + "seats = 2\n")
        seats = [each.seats.count for each in hall if isinstance(each, Listener)]
        self.assertEqual(seats, [1, 2])


class WrongTests(ReloadCase):
    """A mistake leaves everything as it was."""

    def wrong(self, toml: str) -> str:
        hall = self.service
        before = hall.limits, hall.motd, hall.commands, hall._observers
        said = super().wrong(toml)
        self.assertEqual((hall.limits, hall.motd, hall.commands, hall._observers), before)
        self.flushLoggedErrors()
        return said

    def test_inTheFile(self) -> None:
        """The file and the key are named, as at the start."""
        self.begin()
        self.assertEqual(
            self.wrong("off = ['me']\n[limits]\nline = 1"),
            "nothing is changed: mucs.toml: limits.line: Expected `int` >= 64",
        )
        self.assertIn("not TOML", self.wrong("off = "))
        self.assertIn("there is no plugin mee", self.wrong("off = ['mee']"))

    def test_noFile(self) -> None:
        self.begin()
        (self.folder / "mucs.toml").unlink()
        said = str(self.assertRaises(Refused, self.again))
        self.assertEqual(
            said, "nothing is changed: --config mucs.toml: No such file or directory"
        )

    def test_noMessageOfTheDay(self) -> None:
        self.begin()
        said = self.wrong("motd = 'missing'\n[limits]\nline = 99")
        self.assertIn("mucs.toml: motd missing: No such file", said)

    def test_aListenerThatIsToCome(self) -> None:
        """That it cannot be is known now, and not at the next start."""
        self.begin(LISTEN)
        said = self.wrong(LISTEN + "seats = 2\n[[listen]]\nport = 'tcp:x'")
        self.assertIn("mucs.toml: listen[1].port tcp:x: 'x' is no number", said)

    def test_aFrontEndThatIsOff(self) -> None:
        self.begin("[[listen]]\nport = 'shh@tcp:1'")
        said = self.wrong("off = ['shh']\n[[listen]]\nport = 'shh@tcp:1'")
        self.assertIn("there is no front end 'shh'", said)

    def test_aCertificate(self) -> None:
        """Half of one, say: the old one stays in use, and nothing else is changed either."""
        makeCertificate(self.folder)
        port = "[[listen]]\nport = 'ssl:1:privateKey=key.pem:certKey=cert.pem'\n"
        self.begin(port)
        pem = (self.folder / "cert.pem").read_bytes()
        (self.folder / "cert.pem").write_bytes(pem[:300])
        said = self.wrong(port + "[limits]\nline = 99")
        self.assertIn("listen[0].port ssl:1", said)
        self.assertIn("no usable key and certificate", said)


class SignalTests(ReloadCase):
    """SIGHUP."""

    def test_fromTheBeginningToTheEnd(self) -> None:
        """It is done by the reactor when there is time; and nothing is, once the service ends."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        calls: list[Any] = []
        hall = self.begin()
        reload = hall.getServiceNamed("reload")
        assert isinstance(reload, Reload)
        self.patch(reactor, "callFromThread", calls.append)
        reload.startService()
        os.kill(os.getpid(), signal.SIGHUP)
        self.write("[limits]\nline = 99")
        [call] = calls
        call()
        self.assertEqual(hall.limits.line, 99)
        self.write("[limits]\nline = 9")
        call()
        self.flushLoggedErrors()
        self.assertEqual(hall.limits.line, 99)
        reload.stopService()
        os.kill(os.getpid(), signal.SIGHUP)
        self.assertEqual(len(calls), 1)


class CommandTests(HouseCase):
    """C{/reload}."""

    def test_forAdmins(self) -> None:
        ada = self.house.enters("ada")
        ada.says("/reload")
        self.assertEqual(ada.lines(), ["! that is for the server's admins"])

    def test_whatItSays(self) -> None:
        ada = self.house.enters("ada")
        ada.session.admin = True
        ada.says("/reload")
        self.assertEqual(
            ada.lines(), ["! this server has no configuration that could be read again"]
        )
        said = ["reloaded: limits", "only at the next start: name"]

        class Told(Reload):
            def __init__(self) -> None:
                pass

            def startService(self) -> None:
                pass

            def again(self) -> list[str]:
                if not said:
                    raise Refused("nothing is changed: mucs.toml: no")
                return said

        Told().setServiceParent(self.house.hall)
        ada.says("/reload")
        self.assertEqual(ada.lines(), [f"-- {line}" for line in said])
        said.clear()
        ada.says("/reload")
        self.assertEqual(ada.lines(), ["! nothing is changed: mucs.toml: no"])
