"""
The realm: checkers of Twisted's cred, ours and others, in their order.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.cred.checkers import ANONYMOUS, ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.strcred import ICheckerFactory, findCheckerFactory
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mucs import tap
from mucs.accounts import Account
from mucs.checkers import adminKeys, checker
from mucs.config import ConfigError, Listen, listener
from mucs.events import Refused
from mucs.imucs import IFrontEnd
from mucs.plugin import found
from mucs.realm import OwnAccounts
from tests.house import House
from tests.test_tap import TapCase


@implementer(ICredentialsChecker)
class Elsewhere:
    """Knows one password; answers at once, later, or breaks."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, name: Any = b"zoe", password: bytes = b"open barley") -> None:
        self.name = name
        self.password = password
        self.asked = 0
        self.broken: Exception | None = None

    def requestAvatarId(self, credentials: Any) -> Any:
        self.asked += 1
        if self.broken is not None:
            raise self.broken
        if credentials.password == self.password:
            return self.name
        return fail(UnauthorizedLogin())


class RealmTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.realm = self.house.hall.realm
        self.house.registers("ada", "sesame-8")
        self.count = 0

    def login(self, name: str, password: str) -> Deferred[Account]:
        self.count += 1
        return self.realm.login(name, password, f"192.0.2.{self.count}")

    def isIn(self, name: str, password: str) -> str:
        """Who that is, or why it is nobody."""
        logged = self.login(name, password)
        said: list[str] = []
        logged.addCallback(lambda account: said.append(account.name))
        logged.addErrback(lambda failure: said.append(str(failure.trap(Refused) and failure.value)))
        return said[0]

    def test_severalInOrder(self) -> None:
        first, last = Elsewhere(), Elsewhere(b"carol", b"open rye")
        self.realm.open([first, OwnAccounts(), last])
        self.assertEqual(self.isIn("zoe", "open barley"), "zoe")
        self.assertEqual((first.asked, last.asked, self.house.hands.most), (1, 0, 1))
        self.assertEqual(self.isIn("ada", "sesame-8"), "ada")
        self.assertEqual((first.asked, last.asked), (2, 0))
        self.assertEqual(self.isIn("carol", "open rye"), "carol")
        self.assertIn("is not the name and password", self.isIn("ada", "sesame-9"))

    def test_anAccountWithoutAPassword(self) -> None:
        """Comes of the first login elsewhere: the name is theirs from then on."""
        self.realm.open([OwnAccounts(), Elsewhere(b"Zoe")])
        guest = self.house.connect("native", "zoe", at="members")
        self.assertEqual(guest.session.name, "zoe")
        guest.says("/quit")
        self.assertEqual(self.isIn("zoe", "open barley"), "Zoe")
        account = self.realm.accounts.find("zoe")
        assert account is not None
        self.assertEqual((account.name, account.hash), ("Zoe", ""))
        guest = self.house.connect("native", "zoe", at="members")
        self.assertIn("Zoe is a registered name", guest.lines()[2])
        self.assertEqual(self.isIn("zoe", "open barley"), "Zoe")
        self.assertIn("is not the name", self.isIn("zoe", ""))
        guest.says("/login zoe open barley", "/password open-barley another-one")
        self.assertIn("your password is kept elsewhere", guest.lines()[-1])

    def test_withoutOwnAccounts(self) -> None:
        """Nobody can register."""
        self.realm.open([Elsewhere()])
        bob = self.house.registers("bob")
        bob.says("/register sesame-8")
        self.assertIn("whose names are whose is kept elsewhere", bob.lines()[0])
        self.assertIn("is not the name", self.isIn("ada", "sesame-8"))

    def test_namesThatCannotBe(self) -> None:
        """Who is known elsewhere by the server's name, by none, or by another's likeness."""
        for name, why in (
            (b"mucs", "too much like the server itself"),
            ("\u0430da left", "too much like ada"),
            (b"-- now", "is not the name"),
            (b"a:b", "is not the name"),
            (b"\xff", "is not the name"),
            (b"", "is not the name"),
            (ANONYMOUS, "is not the name"),
            (None, "is not the name"),
        ):
            self.realm.open([Elsewhere(name)])
            self.assertIn(why, self.isIn("zoe", "open barley"), name)
        self.assertEqual([account.name for account in self.realm.accounts], ["ada"])

    def test_brokenChecker(self) -> None:
        """Is named in the log, without what it was asked; those behind it are asked."""
        broken = Elsewhere()
        broken.broken = RuntimeError("sesame-8")
        self.realm.open([broken, OwnAccounts()])
        self.assertEqual(self.isIn("ada", "sesame-8"), "ada")

    def test_busy(self) -> None:
        """Whoever finds the queue full has not tried."""
        self.house.hands.busy = True
        waiting = [self.realm.login("ada", "x", "192.0.2.1") for _ in range(5)]
        self.assertRaises(Refused, self.realm.login, "ada", "sesame-8", "192.0.2.1")
        self.realm.hashing._running = False
        self.failureResultOf(self.realm.login("eve", "x", "192.0.2.2"), Refused)
        self.assertEqual(len(self.realm._tries._addresses), 1)
        self.realm.hashing._running = True
        self.house.hands.work()
        for each in waiting:
            self.failureResultOf(each, Refused)


class CheckerTests(SynchronousTestCase):
    """What stands behind C{--auth}."""

    def mistake(self, description: str) -> str:
        return str(self.assertRaises(ConfigError, checker, description, "--auth"))

    def test_accountsIsAPlugin(self) -> None:
        factory = findCheckerFactory("accounts")
        verifyObject(ICheckerFactory, factory)
        self.assertIsInstance(checker("accounts", ""), OwnAccounts)
        self.assertIsInstance(checker("accounts:", ""), OwnAccounts)
        self.assertEqual(self.mistake("accounts:x"), "--auth accounts: it takes no argument")

    def test_fileAndMemory(self) -> None:
        """They let in whom they know; C{memory:}, which is made of text, too."""
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            self.addCleanup(os.unlink, file.name)
            file.write("zoe:open barley\n")
        for description in (f"file:{file.name}", "memory:bob:x:zoe:open barley"):
            house = House()
            house.hall.realm.open([checker(description, "")])
            logged = house.hall.realm.login("zoe", "open barley", "192.0.2.1")
            self.assertEqual(self.successResultOf(logged).name, "zoe")
            wrong = house.hall.realm.login("zoe", "open rye", "192.0.2.1")
            self.failureResultOf(wrong, Refused)

    def test_mistakes(self) -> None:
        self.assertIn(
            "--auth acounts: that kind is not there; there is accounts", self.mistake("acounts")
        )
        self.assertIn("anonymous: that kind asks for no passwords", self.mistake("anonymous"))
        self.assertIn("there is no such file", self.mistake("file:/nowhere"))
        self.assertIn("--auth memory: ", self.mistake("memory:a"))
        self.assertNotIn("secret", self.mistake("memory:a:secret:b"))
        self.assertNotIn("secret", self.mistake("memry:a:secret"))

    def test_admins(self) -> None:
        self.assertEqual(adminKeys(["Ada", "bob"], ""), {"ada", "bob"})
        self.assertRaises(ConfigError, adminKeys, [":"], "x: admins")


class SettingsTests(TapCase):
    """What the operator says."""

    def checkers(self, *words: str, toml: str = "") -> list[str]:
        hall = self.hall(*words, toml=toml)
        [chain] = hall.realm._portal.checkers.values()
        checkers: Any = chain
        return [type(each).__name__ for each in checkers.checkers]

    def test_auth(self) -> None:
        memory = "InMemoryUsernamePasswordDatabaseDontUse"
        self.assertEqual(self.checkers(), ["OwnAccounts"])
        both = ["--auth", "memory:a:b", "--auth", "accounts"]
        self.assertEqual(self.checkers(*both), [memory, "OwnAccounts"])
        self.assertEqual(self.checkers(toml="auth = ['memory:a:b']"), [memory])
        self.assertEqual(
            self.checkers("--auth", "accounts", toml="auth = ['memory:a:b']"), ["OwnAccounts"]
        )

    def test_mistakes(self) -> None:
        self.assertIn("mucs: --auth nobody: that kind is not", self.refusal("--auth", "nobody"))
        self.assertRegex(self.refusal(toml="auth = ['nobody']"), r"^mucs: \S+: auth nobody: ")
        self.assertRegex(self.refusal(toml="auth = []"), r"^mucs: \S+: auth: Expected")
        self.assertRegex(self.refusal(toml="admins = ['-']"), r"^mucs: \S+: admins: a name begins")

    def test_helpListsThem(self) -> None:
        self.assertIn("accounts   No argument", self.said("--help-auth"))
        self.assertIn("--auth=", tap.Options().getUsage())

    def test_admins(self) -> None:
        hall = self.hall(toml="admins = ['Ada']\n[limits]\naccounts = 3")
        self.assertEqual(hall.realm.accounts.admins, {"ada"})

    def test_listeners(self) -> None:
        """Passwords where nobody can read them, if nothing else is said."""
        from twisted.internet.testing import MemoryReactor

        def passwords(port: str, **said: Any) -> bool:
            listen = Listen(port=port, **said)
            return bool(listener(listen, found(IFrontEnd), MemoryReactor(), "").policy.passwords)

        for port in ("unix:s", "tcp:1:interface=127.0.0.1", "tcp6:1:interface=\\:\\:1"):
            self.assertTrue(passwords(port), port)
            self.assertFalse(passwords(port, passwords=False), port)
        for port in ("tcp:1", "tcp6:1", "shh@tcp:1", "haproxy:tcp:1:interface=127.0.0.1"):
            self.assertFalse(passwords(port), port)
            self.assertTrue(passwords(port, passwords=True), port)
        made = listener(
            Listen(port="unix:s", guests=False, admins=True), found(IFrontEnd), MemoryReactor(), ""
        )
        self.assertEqual((made.policy.guests, made.policy.admins), (False, True))
        with self.assertRaises(ConfigError) as caught:
            listener(Listen(port="tcp:1", admins=True), found(IFrontEnd), MemoryReactor(), "x")
        self.assertEqual(
            str(caught.exception), "x tcp:1: admins: only a UNIX socket tells who connects"
        )
