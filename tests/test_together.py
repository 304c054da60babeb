"""
Accounts, rooms and what each sets for themselves, where one has to do with the other: what comes
with a login, goes with a logout, and holds through both.
"""

from __future__ import annotations

from tests.company import CompanyCase
from tests.house import House, Person

SECRET = "sesame-8"


class TogetherCase(CompanyCase):
    """The company, and C{fay}, who is registered with a password and has gone again."""

    def furnish(self, house: House) -> None:
        super().furnish(house)
        house.listens("native", "afar", trusted=False, passwords=True)
        house.registers("fay").closes()
        house.turn()
        house.rests()

    def fay(self, host: str = "", *texts: str) -> Person:
        """Fay comes and logs in, at the name prompt."""
        person = self.house.connect("native", host=host, at="afar")
        person.says(f"/login fay {SECRET}", *texts)
        self.house.turn()
        return person


class LogoutTests(TogetherCase):
    """What came with the account goes with it."""

    def test_settings(self) -> None:
        """They are the account's, and are there at the next login."""
        fay = self.fay("", "/set times on", "/set echo on", "/hold", "/ignore bob")
        self.does(fay, "/logout")
        session = fay.session
        self.assertEqual((session.settings.ignored, session.policy.echo), ((), "none"))
        self.does(self.bob, "/join lobby", "hello")
        self.assertEqual(fay.lines()[-1], "bob: hello")
        self.does(fay, f"/login fay {SECRET}")
        self.assertEqual((session.settings.ignored, session.policy.echo), (("bob",), "line"))

    def test_roles(self) -> None:
        fay = self.fay("", "/join attic")
        self.assertEqual(fay.session.role(self.house.room("attic")), "owner")
        self.does(fay, "/logout")
        self.assertEqual(fay.session.role(self.house.room("attic")), "guest")

    def test_rooms(self) -> None:
        """Where only the account may be, one is no longer."""
        self.does(self.ada, "/room private on", "/invite fay")
        fay = self.fay("", "/join garden")
        self.assertTrue(self.isIn(fay))
        self.house.rests()
        seen = self.does(fay, "/logout")
        self.assertIn("! #garden is private: who keeps it in order can /invite you", seen)
        self.assertEqual(
            [line for line in self.mod.lines() if "#lobby" not in line],
            ["* fay is now guest-1", "* guest-1 left"],
        )
        self.assertFalse(self.isIn(fay))
        self.assertRefused(fay, "/join garden", "#garden is private")
        self.does(fay, f"/login fay {SECRET}", "/join garden")
        self.assertTrue(self.isIn(fay))

    def test_aKeyIsKnownAllTheSame(self) -> None:
        self.does(self.ada, "/room key mint")
        fay = self.fay("", "/join garden mint")
        self.does(fay, "/logout")
        self.assertTrue(self.isIn(fay))

    def test_privateWords(self) -> None:
        """Who has logged out is shown none, and has nobody to reply to."""
        fay = self.fay()
        self.does(self.ada, "/msg fay psst")
        self.does(fay, "/logout")
        self.assertFalse([room for room in fay.session.rooms if room.private])
        self.assertRefused(fay, "/reply yes", "nobody has said anything to you alone yet")
        again = self.fay()
        self.does(self.ada, "/msg fay hush")
        self.assertEqual((again.lines()[-1], fay.lines()[-1]), ("ada -> you: hush", "* fay joined"))

    def test_whereGuestsAreBanned(self) -> None:
        """A member from there is a guest from there then."""
        fay = self.fay("10.1.0.4", "/join garden")
        self.does(self.ada, "/ban bob")
        self.assertTrue(self.isIn(fay))
        self.assertIn("! you are banned from #garden by ada", self.does(fay, "/logout"))
        self.assertFalse(self.isIn(fay))
        self.does(fay, f"/login fay {SECRET}")
        self.does(self.root, "/ban --server bob")
        self.does(fay, "/logout")
        self.assertGone(fay)

    def test_aNameThatIsBanned(self) -> None:
        """Is not given to who has logged out."""
        guest = self.house.enters("guest-1")
        self.does(self.root, "/ban --server guest-1")
        self.assertGone(guest)
        fay = self.fay()
        self.does(fay, "/logout")
        self.assertEqual(fay.session.name, "guest-2")

    def test_aMuteOfTheAccountStays(self) -> None:
        """Of whoever logged in after it was ordered, too."""
        self.does(self.mod, "/mute fay")
        fay = self.fay("", "/join garden")
        self.does(fay, "/logout")
        self.assertRefused(fay, "hello", "you are muted in #garden")
        guest = self.house.connect("native", "guest", at="afar")
        self.does(guest, "/join garden", f"/login fay {SECRET}", "/logout")
        self.assertRefused(guest, "hello", "you are muted in #garden")


class LoginTests(TogetherCase):
    def test_lettersOfWhoIsBanned(self) -> None:
        """They wait until they can be read."""
        self.does(self.ada, "/tell fay tea")
        self.does(self.root, "/ban --server fay")
        self.assertGone(self.fay())
        self.does(self.root, "/unban fay")
        self.assertIn("fay", self.house.hall.mail._waiting())
        self.assertEqual(self.fay().lines()[-1][-15:], "ada -> you: tea")

    def test_ownWordsByAnotherName(self) -> None:
        """What C{fay-2} said is not shown to Fay as if it had been said to her."""
        first, second = self.fay(), self.fay()
        self.does(second, "/msg ada tea?")
        self.does(self.ada, "/msg fay coffee")
        first.closes()
        second.closes()
        self.house.turn()
        lines = [line[6:] for line in self.does(self.fay(), "/history with ada")]
        self.assertEqual(lines[:2], ["you -> ada: tea?", "ada -> you: coffee"])

    def test_ordersAboutOneself(self) -> None:
        """Another connection of one's own is ended otherwise."""
        other = self.house.enters("ada-2", account="ada")
        self.does(other, "/join garden")
        for text in ("/kick ada-2", "/ban ada-2", "/mute ada-2"):
            self.assertRefused(self.ada, text, "that is you; /logout ada-2 ends that connection")
        self.assertEqual(self.does(self.ada, "/logout ada-2")[0], "-- ada-2 is ended")
        self.assertRefused(self.ada, "/kick ada", "that is you; /kick NAME [WHY]")


class LastWordsTests(TogetherCase):
    def test_ofWhoIsIgnored(self) -> None:
        """By the account, even where the line is lost before they are stored."""
        fay = self.fay("", "/nick eva", "/join garden")
        self.does(self.bob, "/ignore fay")
        self.house.rests()
        fay.sends(b"hello\r\n")
        fay.resets()
        self.house.turn()
        self.assertNotIn(fay.session.id, self.house.hall.sessions)
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(self.ada.lines(), ["eva: hello", "* eva left", "[#lobby] * eva left"])
        self.assertEqual(self.house.hall._gone, {})


class HoldTests(TogetherCase):
    def test_whoIsAsked(self) -> None:
        """An empty line takes the question back, and is a look at what is new."""
        fay = self.fay("", "/join garden", "/hold", "/password")
        fay.seen()
        self.does(self.bob, "hello")
        self.assertEqual(fay.seen(), b"")
        fay.sends(b"\r\n")
        self.assertIn(b"bob: hello", fay.seen())
        self.assertIsNone(fay.session._then)

    def test_anAnswerIsNotSpeech(self) -> None:
        """Who is away is so still."""
        fay = self.fay("", "/away tea", "/password", SECRET, "open barley")
        self.assertEqual(fay.session.away, "tea")


class WhoTests(TogetherCase):
    def test_privateRooms(self) -> None:
        """Who is told that there is one is told who is in it."""
        self.does(self.ada, "/room private on")
        self.does(self.bob, "/leave garden")
        self.assertRefused(self.bob, "/who garden", "there is no room #garden")
        self.does(self.mod, "/leave garden")
        self.assertEqual(len(self.does(self.mod, "/who garden")), 1)
        self.assertTrue(self.does(self.mod, "/who garden")[0].startswith("-- #garden has"))
