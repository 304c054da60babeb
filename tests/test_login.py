"""
Logging in: whose names are whose, and what becomes of passwords.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred, fail
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mucs import events as kinds
from mucs.events import Command, Intent, NotStored
from mucs.imucs import IFilter
from mucs.rules import Limits
from tests.house import House, HouseCase, Person, Witness

SECRET = "sesame-8"
REGISTERED = "! ada is a registered name; /login ada PASSWORD if it is yours, or choose another"
WRONG = "! that is not the name and password of an account; /login NAME tries again"
ASK = "-- what is your name?"
HIDE, SHOW = b"\xff\xfb\x01\r", b"\xff\xfc\x01\r"


class LoginCase(HouseCase):
    """A house where C{ada} is registered, and has gone again."""

    def setUp(self) -> None:
        super().setUp()
        self.leave(self.house.registers("ada"))

    def leave(self, person: Person) -> None:
        person.says("/quit")
        self.assertTrue(person.closed)
        self.house.turn()

    def comes(self, *lines: str, at: str = "members", dialect: str = "native") -> Person:
        """Someone comes to where passwords may be typed."""
        if (dialect, at) not in self.house._doors:
            self.house.listens(dialect, at, passwords=True)
        person = self.house.connect(dialect, at=at)
        person.seen()
        if lines:
            person.says(*lines)
        return person

    def account(self, person: Person) -> tuple[str, str, str]:
        """What someone is called, and logged in as, and is."""
        session = person.session
        return session.name, session.account, session.role()


class NameTests(LoginCase):
    """A registered name is its owner's."""

    def test_guestAtTheNamePrompt(self) -> None:
        guest = self.comes("ada")
        self.assertEqual(guest.lines(), [REGISTERED, ASK])
        guest.says("ADA")
        self.assertEqual(guest.lines(), [REGISTERED, ASK])
        guest.says("\u0430da")
        self.assertEqual(guest.lines(), [REGISTERED, ASK])
        guest.says("bob")
        self.assertEqual(self.account(guest), ("bob", "", "guest"))

    def test_guestByNick(self) -> None:
        guest = self.comes("bob", "/nick ada")
        self.assertEqual(guest.lines()[-1], REGISTERED)
        self.assertEqual(guest.session.name, "bob")

    def test_guestWhoReadsJson(self) -> None:
        guest = self.comes(dialect="json")
        self.assertEqual(guest.asks({"name": "ada"})[0], {"refused": REGISTERED[2:]})
        guest.asks({"name": "bob"})
        self.assertEqual(guest.asks({"name": "ada"}), [{"refused": REGISTERED[2:]}])

    def test_byResuming(self) -> None:
        """The owner is asked to log in too, and then is back in all the rooms."""
        ada = self.comes(f"/login ada {SECRET}", "/join garden")
        token = ada.token
        ada.resets()
        self.house.turn()
        back = self.comes(f"/resume {token}")
        self.assertEqual(
            back.lines(), [f"{REGISTERED}; you come back to your rooms all the same", ASK]
        )
        back.says(f"/login ada {SECRET}")
        self.assertEqual([room.name for room in back.session.public()], ["lobby", "garden"])
        self.assertEqual(self.account(back), ("ada", "ada", "member"))

    def test_beginningOfAName(self) -> None:
        """Who is called as a registered name begins, or begins as one, could speak for it."""
        guest = self.comes("ada left")
        like = "too much like ada, which is registered; choose another"
        self.assertEqual(guest.lines(), [f"! the name ada left is {like}", ASK])
        self.leave(self.house.registers("bob roy"))
        guest.says("bob")
        self.assertIn("bob roy, which is registered", guest.lines()[0])
        guest.says('/login "bob roy" ' + SECRET)
        self.assertEqual(guest.session.name, "bob roy")

    def test_memberWithAnotherName(self) -> None:
        """Stays a member, and can take the own name again."""
        ada = self.comes(f"/login ada {SECRET}", "/nick eve")
        self.assertEqual(self.account(ada), ("eve", "ada", "member"))
        guest = self.comes("ada")
        self.assertEqual(guest.lines()[0], REGISTERED)
        ada.says("/nick ada")
        self.assertEqual(self.account(ada), ("ada", "ada", "member"))

    def test_afterARestart(self) -> None:
        """Accounts are in the log's database."""
        again = House(log=self.house.log)
        again.listens("native", "members", passwords=True)
        guest = again.connect("native", "ada", at="members")
        self.assertEqual(guest.lines()[2:], [REGISTERED, ASK])
        guest.says(f"/login ada {SECRET}")
        self.assertEqual(guest.session.account, "ada")


class LoginTests(LoginCase):
    def test_atTheNamePrompt(self) -> None:
        ada = self.comes(f"/login Ada {SECRET}")
        lines = ada.lines()
        self.assertEqual(lines[0], "-- you are logged in as ada")
        self.assertIn("-- you are ada in #lobby with nobody else", lines[1])
        self.assertEqual(self.account(ada), ("ada", "ada", "member"))

    def test_afterwards(self) -> None:
        """Whoever is in is called so from then on."""
        bob = self.house.enters("bob")
        ada = self.comes("guest")
        bob.seen()
        ada.says(f"/login ada {SECRET}")
        self.assertEqual(bob.lines(), ["* guest is now ada"])
        self.assertEqual(self.account(ada), ("ada", "ada", "member"))

    def test_allAtOnce(self) -> None:
        """A script may send everything in one piece, whole or cut anywhere."""
        sent = f"/login ada\r\n{SECRET}\r\nhello\r\n/me waves\r\n".encode()
        for cut in range(0, len(sent), 3):
            bob = self.house.enters("bob")
            ada = self.comes()
            ada.sends(sent[:cut])
            ada.sends(sent[cut:])
            self.house.turn()
            self.assertEqual(bob.lines(), ["* ada joined", "ada: hello", "* ada waves"])
            for each in (ada, bob):
                self.leave(each)

    def test_scriptThatGoes(self) -> None:
        """What came before the end is done, late as the answer is."""
        self.house.hands.busy = True
        bob = self.house.enters("bob")
        ada = self.comes()
        ada.sends(f"/login ada {SECRET}\nhello\n".encode())
        ada.finishes()
        self.house.hands.work()
        self.house.turn()
        self.assertEqual(bob.lines(), ["* ada joined", "ada: hello", "* ada left"])
        self.assertGone(ada)

    def test_wrong(self) -> None:
        """Nobody is told whether there is such an account; and the same is done for both."""
        for wrong in ("/login ada sesame-9", "/login eve sesame-8"):
            self.house.hands.busy = True
            self.comes(wrong)
            [(_, work, (hash, password))] = self.house.hands.waiting
            self.assertTrue(hash.startswith("$argon2id$v=19$m=8,t=1,p=1$"), hash)
            self.assertEqual((work.__name__, password), ("_verify", wrong.split()[-1]))
            self.house.hands.busy = False
            self.house.hands.work()
        for wrong in ("/login ada sesame-9", "/login eve sesame-8"):
            guest = self.comes(wrong)
            self.assertEqual(guest.lines(), [WRONG, ASK])
            self.house.waits(1.1)
            guest.says("bob", wrong)
            self.assertEqual(guest.lines()[-1], WRONG)
            self.assertEqual(self.account(guest), ("bob", "", "guest"))
            self.leave(guest)
        guest = self.comes("/login")
        self.assertIn("as whom? /login NAME PASSWORD", guest.lines()[0])

    def test_restOfTheLine(self) -> None:
        """Is the password; however its accents are typed, and whatever stands around it."""
        carol = self.house.registers("carol", "caf\u00e9 au  lait")
        self.assertEqual(carol.session.account, "carol")
        for typed in ("caf\u00e9 au  lait", "cafe\u0301 au  lait", "  caf\u00e9 au  lait  "):
            again = self.comes(f"/login carol {typed}")
            self.assertEqual(again.session.account, "carol")
        self.assertEqual(self.comes("/login carol caf\u00e9 au lait").session.account, "")

    def test_onlyOthersDoNotWait(self) -> None:
        """What this person asks for next waits; nobody else does."""
        bob = self.house.enters("bob")
        ada = self.comes("guest")
        self.house.hands.busy = True
        ada.says(f"/login ada {SECRET}", "hello")
        bob.says("anyone?")
        self.assertEqual(ada.lines()[-1], "bob: anyone?")
        self.assertEqual(bob.lines(), ["* guest joined"])
        self.house.hands.work()
        self.house.turn()
        self.assertEqual(bob.lines(), ["* guest is now ada", "ada: hello"])

    def test_waiting(self) -> None:
        """Is told to who waits behind others; what comes of it is told once."""
        self.house.hands.busy = True
        first, second, third = (self.comes(f"/login {name} x") for name in ("a1", "b1", "c1"))
        fourth = self.comes(f"/login ada {SECRET}")
        self.assertEqual((first.lines(), second.lines()), ([], []))
        for each in (third, fourth):
            self.assertEqual(each.lines(), ["-- one moment: others are logging in too"])
        self.house.hands.work()
        self.house.turn()
        self.assertEqual(third.lines(), [WRONG, ASK])
        self.assertEqual(fourth.lines()[0], "-- you are logged in as ada")

    def test_slowed(self) -> None:
        """After five wrong ones of one account from one address; not from elsewhere."""
        for _ in range(5):
            self.house.connect("native", host="192.0.2.7", at="members").says("/login ada x")
        wrong = self.house.connect("native", host="192.0.2.7", at="members")
        wrong.seen()
        wrong.says(f"/login ada {SECRET}")
        self.assertEqual(
            wrong.lines(), ["! too many tries from your address; try again in 30 s", ASK]
        )
        self.assertEqual(self.comes(f"/login ada {SECRET}").session.account, "ada")
        # Its time to give a name is over, and that of others has only begun.
        self.house.waits(30)
        again = self.house.connect("native", host="192.0.2.7", at="members")
        again.says(f"/login ada {SECRET}")
        self.assertEqual(again.session.account, "ada")

    def test_slowedWhereAllShareAnAddress(self) -> None:
        """Trying many accounts slows nobody else by a trusted listener; by others it does."""
        self.house.listens("native", "afar", trusted=False, passwords=True)
        for at, account in (("members", "ada"), ("afar", "")):
            for number in range(20):
                guest = self.house.connect("native", host="127.0.0.1", at=at)
                guest.says(f"/login n{number} x")
            ada = self.house.connect("native", host="127.0.0.1", at=at)
            ada.says(f"/login ada {SECRET}")
            self.assertEqual(ada.session.account, account)

    def test_twice(self) -> None:
        ada = self.comes(f"/login ada {SECRET}")
        ada.seen()
        ada.says(f"/login ada {SECRET}")
        self.assertEqual(ada.lines(), ["! you are logged in already; /logout first"])

    def test_beforeTheRecordsAreRead(self) -> None:
        guest = self.comes()
        self.house.hall.ready = False
        guest.says(f"/login ada {SECRET}")
        self.assertIn("still beginning", guest.lines()[0])

    def test_recognized(self) -> None:
        """Once in: at the login, or when the first join is settled."""
        seen: list[tuple[str, str, list[str]]] = []
        self.house.hall.recognizers.append(
            lambda session: seen.append(
                (session.name, session.account, [room.name for room in session.rooms])
            )
        )
        self.comes(f"/login ada {SECRET}")
        self.assertEqual(seen, [("ada", "ada", ["lobby"])])
        other = self.comes("bob")
        self.assertEqual(len(seen), 1)
        other.says(f"/login ada {SECRET}")
        self.assertEqual(seen[1:], [("bob", "ada", ["lobby"])])
        self.assertEqual(other.session.name, "ada-2")


class SeveralTests(LoginCase):
    """The same account, several times."""

    def test_side(self) -> None:
        """Each has a name of its own, that belongs to the account for as long."""
        first = self.comes(f"/login ada {SECRET}")
        second = self.comes(f"/login ada {SECRET}")
        self.assertEqual(
            second.lines()[1], "-- ada is here already; /logout ada ends it; you are ada-2"
        )
        third = self.comes("bob", f"/login ada {SECRET}")
        self.assertIn("-- you are now ada-3", third.lines())
        for each, name in ((first, "ada"), (second, "ada-2"), (third, "ada-3")):
            self.assertEqual(self.account(each), (name, "ada", "member"))
        guest = self.comes("ada-2")
        like = "too much like ada, which is registered; choose another"
        self.assertEqual(guest.lines()[0], f"! the name ada-2 is {like}")
        for each in (first, second, third):
            self.leave(each)
        for name in ("ada-2", "Ada-77", "ada-2!", "ada \u2013 3"):
            guest.says(name)
            self.assertEqual(guest.lines()[-2:], [f"! the name {name} is {like}", ASK])

    def test_endingTheOther(self) -> None:
        first = self.comes(f"/login ada {SECRET}")
        second = self.comes(f"/login ada {SECRET}")
        guest = self.comes("bob")
        first.seen(), second.seen()
        second.says("/logout bob")
        self.assertEqual(
            second.lines(), ["! bob is not you; you can end your own connections only"]
        )
        second.says("/logout ada-2")
        self.assertIn("! that is this connection", second.lines()[0])
        second.says("/logout ada", "/nick ada")
        self.assertEqual(
            second.lines(),
            ["-- ada is ended", "* ada left (ended from another connection)", "-- you are now ada"],
        )
        self.assertGone(first)
        self.assertFalse(guest.closed)

    def test_deadConnection(self) -> None:
        """Is closed, and its name taken over, at the prompt and later."""
        for before in ((), ("bob",)):
            dead = self.comes(f"/login ada {SECRET}")
            dead.seen()
            with patch("mucs.login.isDead", return_value=True):
                ada = self.comes(*before, f"/login ada {SECRET}")
            self.assertEqual(self.account(ada), ("ada", "ada", "member"))
            self.assertIn("! you logged in again from elsewhere", dead.lines())
            self.assertGone(dead)
            self.leave(ada)

    def test_deadConnectionOfAGuest(self) -> None:
        """Is nobody's to close: the name is free when it has gone."""
        self.leave(self.house.registers("carol"))
        guest = self.house.enters("dora")
        self.house.hall.realm.accounts.add("dora", "hash")
        self.house.hall.realm.accounts.change(
            self.house.hall.realm.accounts.get("dora"),  # type: ignore[arg-type]
            self.house.hall.realm.accounts.get("carol").hash,  # type: ignore[union-attr]
        )
        with patch("mucs.login.isDead", return_value=True):
            dora = self.comes(f"/login dora {SECRET}")
        self.assertEqual(dora.lines()[1], "-- dora is here already; you are dora-2")
        self.assertFalse(guest.closed)

    def test_longName(self) -> None:
        """The number stands in the place of its end."""
        name = "a" * 32
        self.house.registers(name)
        second = self.comes(f"/login {name} {SECRET}")
        self.assertEqual(second.session.name, "a" * 30 + "-2")


class LogoutTests(LoginCase):
    def test_guestAgain(self) -> None:
        """The name stays the account's."""
        ada = self.comes(f"/login ada {SECRET}")
        ada.seen()
        ada.says("/logout")
        self.assertEqual(
            ada.lines(),
            ["-- you are logged out, and a guest; your name stays yours", "-- you are now guest-1"],
        )
        self.assertEqual(self.account(ada), ("guest-1", "", "guest"))
        ada.says("/nick ada")
        self.assertEqual(ada.lines(), [REGISTERED])

    def test_withAnotherName(self) -> None:
        ada = self.comes(f"/login ada {SECRET}", "/nick eve", "/logout")
        self.assertEqual(self.account(ada), ("eve", "", "guest"))

    def test_guestWhereThatIsRegistered(self) -> None:
        """Names like guest-1 are that account's then."""
        self.leave(self.house.registers("guest"))
        ada = self.comes(f"/login ada {SECRET}", "/logout")
        self.assertEqual(self.account(ada), ("guest1", "", "guest"))

    def test_guest(self) -> None:
        guest = self.comes("bob", "/logout")
        self.assertIn("that is for members", guest.lines()[-1])


class RegisterTests(LoginCase):
    def test_register(self) -> None:
        bob = self.comes("Bob")
        bob.seen()
        bob.says(f"/register {SECRET}")
        self.assertEqual(bob.lines(), ["-- Bob is yours now; from elsewhere: /login Bob PASSWORD"])
        self.assertEqual(self.account(bob), ("Bob", "bob", "member"))
        bob.says(f"/register {SECRET}")
        self.assertEqual(
            bob.lines(), ["! you are registered and logged in; /password changes the password"]
        )

    def test_withoutAName(self) -> None:
        guest = self.comes(f"/register {SECRET}")
        self.assertEqual(guest.lines(), ["! first say who you are: type a name", ASK])

    def test_passwords(self) -> None:
        """From 8 to 1024 bytes."""
        bob = self.comes("bob")
        for wrong in ("seven-7", "x" * 1025, "é" * 513):
            bob.seen()
            bob.says(f"/register {wrong}")
            self.assertEqual(
                bob.lines(), ["! a password has 8 to 1024 bytes; longer ones are better"]
            )
        bob.says("/register " + "é" * 512)
        self.assertEqual(bob.session.account, "bob")

    def test_names(self) -> None:
        """An address is nobody's name, and the server's is its own."""
        someone = self.comes(dialect="addr")
        someone.says(f"/register {SECRET}")
        self.assertIn("cannot be registered: it is none of a person", someone.lines()[-1])
        guest = self.comes("mucs")
        self.assertIn("the server's own name", guest.lines()[0])

    def test_notStored(self) -> None:
        """Then it is not registered."""
        bob = self.comes("bob")
        bob.seen()
        with patch.object(self.house.log, "put", lambda *_: fail(NotStored("full"))):
            bob.says(f"/register {SECRET}")
        self.assertIn("! not stored", bob.lines()[0])
        self.assertEqual(self.account(bob), ("bob", "", "guest"))
        self.assertEqual(len(self.flushLoggedErrors(NotStored)), 1)
        self.assertEqual(self.comes(f"/login bob {SECRET}").lines()[0], WRONG)

    def test_goneMeanwhile(self) -> None:
        """Who has gone has not registered a name that another may have by now."""
        self.house.hands.busy = True
        bob = self.comes("bob")
        bob.says(f"/register {SECRET}")
        bob.session.dismiss("for a test")
        other = self.comes("bob")
        self.house.hands.work()
        self.house.turn()
        self.assertIsNone(self.house.hall.realm.accounts.find("bob"))
        self.assertEqual(other.session.name, "bob")

    def test_slowed(self) -> None:
        for number in range(6):
            person = self.house.connect("native", f"n{number}x", "192.0.2.7", "members")
            person.says(f"/register {SECRET}")
        self.assertIn(
            "! too many new accounts from your address; come back in 5 min", person.lines()
        )
        self.assertEqual(len(self.house.hall.realm.accounts), 6)

    def test_most(self) -> None:
        house = House(Limits(rate=0, accounts=1))
        house.registers("ada")
        bob = house.registers("bob")
        self.assertEqual(bob.session.account, "")
        bob.says(f"/register {SECRET}")
        self.assertIn("as many accounts as there may be", bob.lines()[0])


class PasswordTests(LoginCase):
    def test_change(self) -> None:
        ada = self.comes(f"/login ada {SECRET}", f'/password {SECRET} "open barley"')
        self.assertEqual(ada.lines()[-1], "-- your password is another one now")
        self.assertEqual(self.comes(f"/login ada {SECRET}").session.account, "")
        self.assertEqual(self.comes("/login ada open barley").session.account, "ada")

    def test_quotes(self) -> None:
        """They are taken off only around white space; elsewhere they are part of the password."""
        ada = self.house.registers("bob", '"two words"')
        for old, new, typed in (
            ('""two words""', '"quoted-1"', '"quoted-1"'),
            ('"quoted-1"', "'\"quoted-2", "'\"quoted-2"),
            ("'\"quoted-2", '"three more words"', "three more words"),
            ('"three more words"', '""two words""', '"two words"'),
            ('""two words""', '"half-open', '"half-open'),
        ):
            ada.seen()
            ada.says(f"/password {old} {new}")
            self.assertEqual(ada.lines(), ["-- your password is another one now"])
            again = self.comes(f"/login bob {typed}")
            self.assertEqual(again.session.account, "bob")
            self.leave(again)

    def test_wrong(self) -> None:
        ada = self.comes(f"/login ada {SECRET}")
        ada.seen()
        for asked, said in (
            ("sesame-9 open-barley", "! that is not your old password; /password asks for both"),
            (f"{SECRET} short", "! a password has 8 to 1024 bytes; longer ones are better"),
            (SECRET, "! what was, and what is to be? /password OLD NEW"),
            (f"{SECRET} one two", "! what was, and what is to be? /password OLD NEW"),
        ):
            ada.says(f"/password {asked}")
            self.assertIn(said, ada.lines()[0])
        self.assertEqual(self.comes(f"/login ada {SECRET}").session.account, "ada")

    def test_whileALoginIsUnderWay(self) -> None:
        """The old one is no good any more."""
        ada = self.comes(f"/login ada {SECRET}")
        self.house.hands.busy = True
        other = self.comes(f"/login ada {SECRET}")
        account = self.house.hall.realm.accounts.get("ada")
        assert account is not None
        self.house.hall.realm.accounts.change(account, "another hash")
        self.house.hands.work()
        self.assertEqual(other.lines()[0], WRONG)
        self.assertEqual(ada.session.account, "ada")


class PromptTests(LoginCase):
    """Asked for on a line of its own, that nobody sees."""

    def test_login(self) -> None:
        ada = self.comes("/login ada")
        self.assertEqual(
            ada.seen(), HIDE + b"-- the password of ada; an empty line: never mind\r\n"
        )
        ada.sends(b"\xff\xfd\x01")  # DO ECHO: consent, and no request
        self.assertEqual(ada.seen(), b"")
        ada.says(SECRET)
        self.assertTrue(ada.seen().startswith(SHOW + b"-- you are logged in as ada\r\n"))

    def test_whateverItBeginsWith(self) -> None:
        for odd in ("/quit now", "//sesame", "!q", "{json: 1}", "-- now --"):
            self.house = House()
            self.house.registers("ada", odd + " sesame")
            ada = self.comes("/login ada", odd + " sesame")
            self.assertEqual(self.account(ada), ("ada-2", "ada", "member"))
            ada.says("/password", odd + " sesame", "!q and more")
            self.assertIn(b"-- your password is another one now", ada.seen())

    def test_register(self) -> None:
        bob = self.comes("bob")
        bob.seen()
        bob.says("/register")
        self.assertEqual(bob.seen(), HIDE + b"-- a password for bob; an empty line: never mind\r\n")
        bob.says("short")
        self.assertEqual(
            bob.seen(),
            SHOW + HIDE + b"! a password has 8 to 1024 bytes; longer ones are better\r\n"
            b"-- a password for bob; an empty line: never mind\r\n",
        )
        bob.says(SECRET)
        self.assertEqual(self.account(bob), ("bob", "bob", "member"))

    def test_again(self) -> None:
        """A wrong answer leaves the question standing: the next is no speech, and no name."""
        bob = self.house.enters("bob")
        for lines in (("guest",), ()):
            ada = self.comes(*lines, "/login ada")
            ada.seen(), bob.seen()
            ada.says("sesame-9")
            asked = f"{WRONG}\r\n-- the password of ada; an empty line: never mind\r\n"
            self.assertEqual(ada.seen(), SHOW + HIDE + asked.encode())
            ada.says(SECRET)
            self.assertEqual(ada.session.account, "ada")
            self.assertNotIn("sesame", "".join(bob.lines()))
            self.leave(ada)

    def test_againAndNeverMind(self) -> None:
        """An empty line takes the question back then too."""
        bob = self.house.enters("bob")
        guest = self.comes("guest", "/register", "short")
        guest.seen(), bob.seen()
        guest.says("", "hello")
        self.assertEqual(guest.seen(), SHOW + b"-- never mind\r\n")
        self.assertEqual(bob.lines(), ["guest: hello"])

    def test_noMore(self) -> None:
        """Asked three times, and then no more; what comes at once after that is not said."""
        bob = self.house.enters("bob")
        for lines in (("guest",), ()):
            guest = self.comes(*lines, "/login ada", "sesame-1", "sesame-2")
            guest.seen(), bob.seen()
            guest.says("sesame-3")
            said = guest.seen()
            self.assertTrue(said.startswith(SHOW + WRONG.encode() + b"; you are asked no more"))
            guest.says("sesame-4")
            self.assertIn("! that was not said", guest.lines()[0])
            self.house.waits(1.1)
            guest.says("hello")
            self.assertEqual(bob.lines(), ["guest: hello"] if lines else ["* hello joined"])
            guest.says("/login ada", "sesame-5", SECRET)
            self.leave(guest)
            self.house.waits(60, 1)

    def test_bothAgain(self) -> None:
        """Both are asked for again where the old one was wrong; the new one alone where it was."""
        ada = self.comes(f"/login ada {SECRET}", "/password", SECRET)
        ada.seen()
        ada.says("short")
        self.assertIn(b"\n-- the new one;", ada.seen())
        ada.says("open-barley")
        self.assertIn(b"another one now", ada.seen())
        ada.says("/password", SECRET, "open-wheat")
        self.assertIn(b"\n-- your password, as it is now;", ada.seen())
        ada.says("open-barley", "open-wheat")
        self.assertIn(b"another one now", ada.seen())

    def test_noNameSoonAfterALogin(self) -> None:
        """What follows a login that was refused, in one line, at once, may be a password."""
        guest = self.comes("/login ada sesame-9", "sesame-8")
        self.assertIn("! that is not taken for a name so soon", guest.lines()[-2])
        self.assertEqual(guest.session.name, "")
        guest.says(f"/login ada {SECRET}")
        self.assertEqual(guest.session.account, "ada")

    def test_both(self) -> None:
        ada = self.comes(f"/login ada {SECRET}")
        ada.seen()
        ada.says("/password")
        self.assertIn(HIDE + b"-- your password, as it is now;", ada.seen())
        ada.says(SECRET)
        self.assertIn(SHOW + HIDE + b"-- the new one;", ada.seen())
        ada.says("open barley")
        self.assertEqual(ada.seen(), SHOW + b"-- your password is another one now\r\n")
        self.assertEqual(self.comes("/login ada open barley").session.account, "ada")

    def test_nothing(self) -> None:
        """An empty line asks no more, and what follows is what it was before."""
        bob = self.house.enters("bob")
        ada = self.comes("guest", "/login ada")
        ada.seen(), bob.seen()
        ada.says("", "hello")
        self.assertEqual(ada.seen(), SHOW + b"-- never mind\r\n")
        self.assertEqual(bob.lines(), ["guest: hello"])
        stranger = self.comes("/login ada", "")
        self.assertTrue(
            stranger.seen().endswith(SHOW + b"-- never mind\r\n-- what is your name?\r\n")
        )

    def test_slips(self) -> None:
        """A line that cannot be read is refused, and asked for again: the next is no speech."""
        bob = self.house.enters("bob")
        ada = self.comes("guest", "/login ada")
        bob.seen(), ada.seen()
        for slip, why in (
            (b"\xe9\xe9\n", "that was no UTF-8"),
            (b"x" * 5000 + b"\n", "a line has"),
        ):
            ada.sends(slip)
            first, second = ada.lines()
            self.assertIn(f"! {why}", first)
            self.assertEqual(second, "-- the password of ada; an empty line: never mind")
        ada.says(SECRET)
        self.assertEqual(ada.session.account, "ada")
        self.assertEqual(bob.lines(), ["* guest is now ada"])

    def test_notAsked(self) -> None:
        """A password that follows a question that was refused is neither speech nor a name."""
        bob = self.house.enters("bob")
        member = self.comes(f"/login ada {SECRET}")
        afar = self.house.connect("native", "guest")
        stranger = self.house.connect("native")
        not_said = "! that was not said: it could be the password that was not asked for"
        for person, asked in (
            (member, "/login ada"),
            (afar, "/login ada"),
            (afar, "/register"),
            (afar, "/password"),
            (afar, "/logn ada"),
            (stranger, "/login ada"),
        ):
            person.seen(), bob.seen()
            person.sends(f"{asked}\r\n{SECRET}\r\n".encode())
            self.house.turn()
            self.assertIn(not_said, person.lines())
            self.assertEqual(bob.lines(), [])
        # Who has read the refusal is heard again.
        afar.says("/login ada")
        self.house.waits(1.1)
        afar.says("hello")
        self.assertEqual(bob.lines(), ["guest: hello"])
        afar.says("/login ada")
        afar.says("/me waves", "/who", "there")
        self.assertEqual(bob.lines(), ["guest: there"])
        self.assertEqual(stranger.session.name, "")

    def test_theEndInTheMiddle(self) -> None:
        """Nothing stays behind, and nothing is said."""
        bob = self.house.enters("bob")
        for end in ("finishes", "resets", "closes"):
            for lines in (("/login ada",), ("guest", "/login ada")):
                ada = self.comes(*lines)
                getattr(ada, end)()
                self.house.turn()
                self.assertGone(ada)
        self.assertEqual([line for line in bob.lines() if "guest" not in line], [])

    def test_tooFast(self) -> None:
        """An answer that waits for its turn is an answer still."""
        house = self.house = House(Limits(burst=1, rate=1))
        house.listens("native", "members", passwords=True)
        house.hall.realm.hashing.make("", SECRET).addCallback(
            lambda made: house.hall.realm.accounts.add("ada", made)
        )
        bob = house.connect("native", "bob")
        ada = house.connect("native", at="members")
        ada.sends(b"guest\n/login ada\nsesame-8\nhello\n/login\n")
        house.waits(6, 0.5)
        self.assertEqual(self.account(ada)[:2], ("ada", "ada"))
        self.assertEqual(bob.lines()[-3:], ["* guest joined", "* guest is now ada", "ada: hello"])

    def test_otherDialects(self) -> None:
        """Are sent no telnet; and programs are not asked."""
        for dialect in ("cstring", "shh", "hithere", "fiveseat", "addr"):
            self.house.listens(dialect, passwords=True)
            person = self.house.connect(dialect, "" if dialect in ("hithere", "addr") else "zoe")
            person.says("/login ada", SECRET)
            self.house.waits(1)
            seen = person.seen()
            self.assertIn(b"the password of ada", seen)
            self.assertNotIn(b"\xff", seen)
            self.assertEqual(person.session.account, "ada", dialect)
            self.leave(person)
        program = self.comes(dialect="json")
        program.asks({"name": "zoe"})
        [answer] = program.asks({"do": "login ada"})
        self.assertIn("/login NAME PASSWORD", answer["refused"])
        program.asks({"do": f"login ada {SECRET}"})
        self.assertEqual(self.account(program), ("ada", "ada", "member"))
        [answer] = program.asks({"do": "password"})
        self.assertIn("/password OLD NEW", answer["refused"])
        self.assertEqual(
            program.asks({"do": f"password {SECRET} open-barley"})[0],
            {"note": "your password is another one now"},
        )


@implementer(IFilter)
class Peeping:
    """Sees every intent."""

    name = "peeping"
    summary = "sees every intent"

    def __init__(self) -> None:
        self.seen: list[Intent] = []

    def filter(self, session: Any, intent: Intent) -> Intent:
        self.seen.append(intent)
        return intent


@implementer(ILogObserver)
class Journal:
    """All that is logged."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        self.events.append(repr(event))


class SecrecyTests(HouseCase):
    """A password never reaches a log, history, a filter, an observer or another person."""

    def setUp(self) -> None:
        self.filter, self.witness = Peeping(), Witness()
        self.house = House(filters=[self.filter], observers=[self.witness])
        self.journal = Journal()
        globalLogPublisher.addObserver(self.journal)
        self.addCleanup(globalLogPublisher.removeObserver, self.journal)

    def test_nowhere(self) -> None:
        bob = self.house.enters("bob")
        ada = self.house.registers("ada", "hidden-one")
        ada.says("/password hidden-one hidden-two", "/logout", "/login ada hidden-two", "/logout")
        ada.says("/login ada", "hidden-two", "/password", "hidden-two", "/hidden-three")
        ada.says(" /login ada hidden-four", "/logn ada hidden-four", "/LOGIN ada hidden-four")
        ada.says("/ login ada hidden-four", "/regster hidden-four", "/pasword hidden-four x")
        ada.says("/login ada " + "hidden-" * 1000, "/login ada", "hidden-" * 1000, "hidden-five")
        self.assertEqual(ada.session.account, "ada")
        told = self.house.registers("carol", "hidden-six")
        self.house.hall.commands = {
            name: each for name, each in self.house.hall.commands.items() if name != "login"
        }
        told.says("/login ada hidden-seven")
        everywhere = [
            *bob.lines(),
            ada.seen().decode("latin-1"),
            *told.lines(),
            *map(repr, self.filter.seen),
            *map(repr, self.witness.events),
            *map(repr, self.house.stored()),
            *self.journal.events,
        ]
        self.assertGreater(len(everywhere), 10)
        self.assertEqual([each for each in everywhere if "hidden" in each], [])
        self.assertIn(Command("login"), self.filter.seen)

    def test_filtersStillRefuse(self) -> None:
        """They see that there is such a command, and other commands whole."""

        def filter(session: Any, intent: Intent) -> Intent:
            if intent == Command("register"):
                raise kinds.Refused("not today")
            return intent

        with patch.object(self.filter, "filter", filter):
            bob = self.house.registers("bob")
            bob.says("/register sesame-8")
        self.assertEqual(bob.lines(), ["! not today"])
        bob.says("/me waves", "/nosuch thing")
        self.assertEqual(self.filter.seen, [Command("me", "waves"), Command("nosuch", "thing")])


class ListenerTests(LoginCase):
    def test_passwordsCouldBeRead(self) -> None:
        """Where they could, they are refused."""
        guest = self.house.connect("native")
        guest.seen()
        for asked in (f"/login ada {SECRET}", "/login ada"):
            guest.says(asked)
            self.assertIn("! no passwords here: this connection is not encrypted", guest.lines()[0])
        self.house.waits(1.1)
        guest.says("bob")
        guest.seen()
        guest.says(f"/register {SECRET}")
        self.assertIn("! no passwords here", guest.lines()[0])
        self.assertIsNone(self.house.hall.realm.accounts.find("bob"))

    def test_membersOnly(self) -> None:
        for dialect in ("native", "addr", "json"):
            self.house.listens(dialect, "closed", passwords=True, guests=False)
            person = self.house.connect(dialect, at="closed")
            person.seen()
            if dialect == "json":
                [answer] = person.asks({"name": "bob"})
                said = answer["refused"]
            else:
                person.says("bob")
                said = person.lines()[0]
            self.assertIn("only those who have an account come in here: /login", said)
            self.assertEqual(person.session.name, "")
            login = f"login ada {SECRET}"
            if dialect == "json":
                person.asks({"do": login})
            else:
                person.says(f"/{login}")
            self.assertEqual(self.account(person), ("ada", "ada", "member"))
            person.session.reply()
            if dialect == "json":
                person.asks({"do": "logout"})
            else:
                person.says("/logout")
            self.assertTrue(person.closed)
            self.house.turn()

    def test_notAGuestByItsAddress(self) -> None:
        """Whoever is called by the address is so once that is known, but not in a closed house."""
        self.house.listens("addr", "closed", passwords=True, guests=False)
        person = self.house.connect("addr", at="closed")
        self.assertFalse(person.closed)
        self.house.waits(31, 1)
        self.assertTrue(person.closed)


class AdminTests(LoginCase):
    def setUp(self) -> None:
        super().setUp()
        self.house.hall.realm.accounts.admins = frozenset({"ada", "boss"})

    def test_account(self) -> None:
        ada = self.comes(f"/login ada {SECRET}")
        self.assertEqual(ada.session.role(), "admin")
        ada.seen()
        ada.says("/accounts")
        self.assertRegex(ada.lines()[0], r"^-- ada, since 20\d\d-\d\d-\d\d, here$")
        ada.says("/logout")
        self.assertEqual(ada.session.role(), "guest")
        ada.seen()
        ada.says("/accounts")
        self.assertEqual(ada.lines(), ["! that is for the server's admins"])

    def test_registering(self) -> None:
        """An admin's name is not for whoever comes first from afar."""
        self.house.listens("native", "afar", trusted=False, passwords=True)
        guest = self.comes("boss", at="afar")
        kept = "! the name boss is kept for an admin; choose another"
        self.assertEqual(guest.lines(), [kept, ASK])
        self.house.hall.realm.accounts.admins = frozenset()
        guest.says("boss")
        self.house.hall.realm.accounts.admins = frozenset({"ada", "boss"})
        guest.says(f"/register {SECRET}")
        self.assertIn("that is an admin's name", guest.lines()[-1])
        self.assertEqual(guest.session.role(), "guest")
        self.leave(guest)
        boss = self.comes("boss", f"/register {SECRET}")
        self.assertEqual(boss.session.role(), "admin")

    def test_withoutAnAccount(self) -> None:
        """Who is an admin by the way they came has no account, and nobody else is them."""
        guest, admin = self.comes("bob"), self.comes("root")
        admin.session.admin = True
        admin.seen()
        for asked in ("/logout", "/logout bob", "/password", "/password a b"):
            admin.says(asked)
            self.assertIn("! you are not logged in", admin.lines()[0])
            self.house.waits(1.1)
        self.assertFalse(guest.closed)
        admin.says(f"/login ada {SECRET}")
        self.assertEqual(admin.session.role(), "admin")

    def test_memberIsNone(self) -> None:
        self.assertEqual(self.house.registers("bob").session.role(), "member")

    def test_loginThatCannotBe(self) -> None:
        """Leaves nobody an admin."""
        guest = self.comes()
        with patch.object(self.house.hall, "isSlow", return_value=True):
            guest.says(f"/login ada {SECRET}")
        self.assertIn("the log is slow", guest.lines()[0])
        self.assertEqual((guest.session.account, guest.session.admin), ("", False))


class RestTests(LoginCase):
    """What is not for the screen."""

    def test_theTableKnowsNoPassword(self) -> None:
        rows = repr(self.house.hall.realm.accounts.get("ada"))
        self.assertIn("$argon2id$", rows)
        self.assertNotIn("sesame", rows)

    def test_whatTheHallStops(self) -> None:
        """Who waits for an answer when the server ends is told only that it ends."""
        self.house.hands.busy = True
        ada = self.comes(f"/login ada {SECRET}")
        self.successResultOf(self._stops())
        self.assertEqual(ada.lines(), ["! the server is shutting down"])
        self.house.hands.work()

    def _stops(self) -> Deferred[Any]:
        stopped = self.house.hall.stopService()
        self.house.waits(6, 1)
        return stopped
