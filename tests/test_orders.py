"""
Orders: kicks, mutes, bans, who gives them to whom, and what is written down.
"""

from __future__ import annotations

from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from mucs import audit, orders
from mucs.events import LEAVE, NotStored
from mucs.leavers import KEPT, MOST
from mucs.log.memory import MemoryLog
from mucs.plugins import command_op
from tests.company import CompanyCase, comes
from tests.house import House, Person
from tests.test_person import logIn


class KickTests(CompanyCase):
    """C{/kick NAME [WHY]}"""

    def test_whatIsSeen(self) -> None:
        """The others see by whom and why; the kicked one is told, and speaks elsewhere."""
        self.assertEqual(
            self.does(self.mod, "/kick bob spam, again"),
            ["-- bob is kicked out of #garden", "* bob was kicked out by mod (spam, again)"],
        )
        self.assertEqual(self.ada.lines(), ["* bob was kicked out by mod (spam, again)"])
        self.assertEqual(
            self.bob.lines(),
            [
                "-- you were kicked out of #garden by mod (spam, again)",
                "-- you speak in #lobby now",
            ],
        )
        self.assertFalse(self.isIn(self.bob))
        event = self.house.stored("garden")[-1]
        self.assertEqual(
            (event.kind, event.author, event.target, event.text),
            (LEAVE, "bob", "mod", "spam, again"),
        )

    def test_withoutWhy(self) -> None:
        """Nothing stands in brackets then."""
        self.does(self.mod, "/kick bob")
        self.assertEqual(self.ada.lines(), ["* bob was kicked out by mod"])
        self.assertEqual(self.bob.lines()[0], "-- you were kicked out of #garden by mod")

    def test_otherDialects(self) -> None:
        """The older ones say their own words for leaving; json has who and why."""
        seen = {}
        for dialect in ("shh", "cstring", "fiveseat", "hithere", "addr", "json"):
            seen[dialect] = self.house.connect(dialect, "" if dialect in NAMELESS else dialect)
            join = '{"do": "join garden"}' if dialect == "json" else "/join garden"
            seen[dialect].says(join)
        self.house.waits(1)
        self.house.rests()
        self.does(self.mod, "/kick bob spam")
        self.house.waits(1)
        self.assertEqual(seen["shh"].seen(), b"bob has left the chat room.")
        self.assertIn(b'"bob" disconnected from the server', seen["cstring"].seen())
        self.assertIn(b'"bob" disconnected from the server', seen["fiveseat"].seen())
        self.assertEqual((seen["hithere"].seen(), seen["addr"].seen()), (b"", b""))
        (told,) = seen["json"].told()
        self.assertEqual(
            (told["event"], told["author"], told["target"], told["text"]),
            ("leave", "bob", "mod", "spam"),
        )

    def test_whoIsKickedReadsAnything(self) -> None:
        """In every dialect the kicked one is told who and why."""
        for dialect in ("shh", "cstring", "fiveseat", "hithere", "addr"):
            fay = self.house.connect(dialect, "" if dialect in NAMELESS else "fay")
            fay.says("/join garden")
            self.house.waits(1)
            fay.seen()
            self.does(self.mod, f"/kick {fay.session.name} spam")
            self.house.waits(1)
            self.assertIn(b"you were kicked out of #garden by mod (spam)", fay.seen(), dialect)
            fay.closes()
            self.house.turn()

    def test_theLastRoom(self) -> None:
        """Who is in no room then is told so when they speak, and can join again."""
        self.does(self.bob, "/leave lobby")
        self.does(self.mod, "/kick bob")
        self.bob.seen()
        self.assertRefused(self.bob, "hello", "you are in no room")
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))

    def test_twiceAtOnce(self) -> None:
        """Two who kick the same person do it once; one who quits at once goes once."""
        self.mod.sends(b"/kick bob\n")
        self.ada.sends(b"/kick bob\n")
        self.bob.sends(b"/quit\n")
        self.house.turn()
        left = [event.author for event in self.house.stored("garden") if event.kind == LEAVE]
        self.assertEqual(left, ["bob"])
        self.assertGone(self.bob)

    def test_whoIsNotThere(self) -> None:
        """One line, and nothing is written down."""
        self.does(self.bob, "/leave")
        self.assertRefused(self.mod, "/kick bob", "bob is not in #garden; /kick NAME [WHY]")
        self.assertRefused(self.mod, "/kick nobody", "nobody called nobody is here")
        self.assertRefused(self.mod, "/kick eve", "eve is not in #garden")
        self.assertNotIn("kick", "\n".join(self.does(self.root, "/audit")))


NAMELESS = ("hithere", "addr")


class RankTests(CompanyCase):
    """Whom one may give orders about."""

    def test_nobodyAboveOrBeside(self) -> None:
        """Not about oneself, an admin, nor whoever has the same role or a higher one."""
        for order in ("/kick", "/mute", "/ban"):
            for one, other in (
                (self.mod, "ada"),
                (self.mod, "root"),
                (self.ada, "root"),
                (self.mod, "mod"),
                (self.ada, "ada"),
                (self.root, "root"),
            ):
                self.assertRefused(one, f"{order} {other}", order)
                self.assertTrue(
                    self.isIn(self.ada) and self.isIn(self.mod) and self.isIn(self.root)
                )
        self.assertEqual(
            self.does(self.ada, "/bans"), ["-- nobody is banned from #garden, or muted there"]
        )

    def test_anotherModerator(self) -> None:
        """A moderator cannot, the owner can."""
        self.does(self.ada, "/op cyd")
        self.assertRefused(self.mod, "/kick cyd", "cyd is moderator, and you are moderator")
        self.does(self.ada, "/mute cyd", "/kick cyd")
        self.assertFalse(self.isIn(self.cyd))

    def test_anAdminsOtherConnection(self) -> None:
        """Whose account is an admin's somewhere else here is one."""
        other = comes(self.house, "root2", account="root")
        self.does(other, "/join garden")
        self.assertRefused(self.ada, "/kick root2", "root2 is admin")

    def test_membersAndGuests(self) -> None:
        """They are told for whom that is; elsewhere a moderator is a member."""
        for person in (self.cyd, self.bob):
            self.assertRefused(person, "/kick root", "that is for the room's moderators")
        self.does(self.mod, "/join lobby")
        self.assertRefused(self.mod, "/kick bob", "that is for the room's moderators")
        self.does(self.root, "/join lobby")
        self.assertIn("-- bob is kicked out of #lobby", self.does(self.root, "/kick bob"))


class MuteTests(CompanyCase):
    """C{/mute NAME [10m]} and C{/unmute NAME}"""

    def test_silent(self) -> None:
        """Speech, deeds, topics, taking back are refused with one line; private words are not."""
        self.does(self.bob, "before")
        self.house.rests()
        (told,) = self.does(self.mod, "/mute bob")
        self.assertRegex(told, "-- bob is muted in #garden by mod, number [0-9]+$")
        (why,) = self.bob.lines()
        self.assertEqual(why, "! you are muted in #garden by mod")
        for text in ("hello", "/me waves", "/topic tea", "/undo", "two\nlines"):
            self.bob.sends(text.encode() + b"\r\n")
            self.house.turn()
            self.assertEqual(set(self.bob.lines()), {why}, text)
        self.assertEqual(self.ada.lines(), [])
        self.does(self.bob, "/msg ada psst")
        self.assertEqual(self.ada.lines(), ["bob -> you: psst"])
        self.does(self.bob, "/join lobby", "hello there")
        self.assertEqual(self.ada.lines(), ["[#lobby] bob: hello there"])

    def test_lastWords(self) -> None:
        """The reason given with C{/quit} is left out there, as it would be read by all."""
        self.does(self.mod, "/mute bob")
        self.house.rests()
        self.bob.says("/quit you are all wrong")
        self.assertEqual(
            self.ada.lines(), ["[#lobby] * bob left (you are all wrong)", "* bob left"]
        )

    def test_json(self) -> None:
        """What has an id is answered with a nak that has it."""
        eve = self.house.connect("json", "jay")
        eve.asks({"do": "join garden"})
        self.does(self.mod, "/mute jay")
        eve.told()
        (nak,) = eve.asks({"say": "hello", "id": "x1"})
        self.assertEqual(
            nak, {"nak": {"id": "x1", "room": "garden", "why": "you are muted in #garden by mod"}}
        )

    def test_ends(self) -> None:
        """After the time, or by C{/unmute}; then the room need not be asked any more."""
        self.does(self.mod, "/mute bob 10m")
        self.house.clock.advance(599)
        self.assertRefused(self.bob, "hello", "you are muted in #garden by mod until ")
        self.house.clock.advance(1)
        self.assertSays(self.bob, "hello")
        self.assertFalse(self.house.room("garden").guarded)
        self.does(self.mod, "/mute bob 10m")
        self.assertSays(self.mod, "/unmute bob", "-- bob is muted no longer")
        self.assertSays(self.bob, "hello again")
        self.assertFalse(self.house.room("garden").guarded)
        self.assertRefused(self.mod, "/unmute bob", "nobody called bob is muted in #garden")

    def test_twice(self) -> None:
        """It says so, and changes nothing."""
        self.does(self.mod, "/mute bob")
        self.assertRefused(
            self.mod, "/mute bob 10m", "bob is muted in #garden already by mod; /unmute bob first"
        )

    def test_notATime(self) -> None:
        for argument in ("bob soon", "bob 10x", "bob 0m", "bob 10m please", "bob 999999d"):
            self.assertRefused(self.mod, f"/mute {argument}", "/mute NAME [10m]")

    def test_cannotBeShakenOff(self) -> None:
        """Not by a new name, another connection, another dialect, coming back, or a restart."""

        def silent(person: Person) -> None:
            self.assertRefused(person, "hello", "you are muted in #garden by mod")

        self.does(self.mod, "/mute bob")
        self.does(self.bob, "/nick bobby")
        silent(self.bob)
        token = self.bob.token
        self.bob.resets()
        self.house.turn()
        self.bob = self.house.connect("native", host="10.2.2.2", at="far")
        self.does(self.bob, f"/resume {token}")
        self.assertTrue(self.isIn(self.bob))
        silent(self.bob)
        other = comes(self.house, "robert", "10.1.0.4")
        self.does(other, "/join garden")
        silent(other)
        self.house.listens("addr", "far", trusted=False)
        older = self.house.connect("addr", host="10.1.0.4", at="far")
        older.says("/join garden")
        older.seen()
        older.says("hello")
        self.assertIn(b"you are muted", older.seen())
        self.does(self.bob, "/nick rob")
        token = self.bob.token
        self.bob.resets()
        self.house.turn()
        self.again()
        self.bob = self.house.connect("native", host="10.3.3.3", at="far")
        self.does(self.bob, f"/resume {token}")
        self.assertEqual(self.bob.session.name, "rob")
        silent(self.bob)
        self.assertEqual(self.house.stored("garden")[-1].kind, "join")

    def test_aMember(self) -> None:
        """By the account, from anywhere, on every connection; and as a guest from there too."""
        second = comes(self.house, "cyd-2", "10.7.7.7", "cyd")
        self.does(second, "/join garden")
        self.does(self.mod, "/mute cyd")
        for person in (self.cyd, second):
            self.assertRefused(person, "hello", "you are muted")
        self.does(self.cyd, "/quit")
        for name, host, account in (("cyd", "10.8.8.8", "cyd"), ("noone", "10.1.0.3", "")):
            back = comes(self.house, name, host, account)
            self.does(back, "/join garden")
            self.assertRefused(back, "hello", "you are muted")

    def test_othersFromThere(self) -> None:
        """A guest's mute hits guests from that address, not members who are logged in."""
        self.does(self.mod, "/mute bob")
        eve = comes(self.house, "eve", "10.1.0.4", "eve")
        self.does(eve, "/join garden")
        self.assertSays(eve, "hello")

    def test_whereEveryoneIsFromOneAddress(self) -> None:
        """On a trusted listener a guest is known by name only, and the moderator is told so."""
        self.house.listens("native", "near")
        near = comes(self.house, "near", "127.0.0.1", at="near")
        also = comes(self.house, "also", "127.0.0.1", at="near")
        for person in (near, also):
            self.does(person, "/join garden")
        (told,) = self.does(self.mod, "/mute near")
        self.assertIn("by name only: everyone there comes from the same address", told)
        self.assertSays(also, "hello")
        # Another connection by that name, and with it whatever it is called after.
        near.closes()
        self.house.turn()
        near = comes(self.house, "near", "127.0.0.1", at="near")
        self.does(near, "/join garden", "/nick far away")
        self.assertRefused(near, "hello", "you are muted")

    def test_aMutedName(self) -> None:
        """Who has been called so stays silent, whatever they are called next."""
        self.house.listens("native", "near")
        near = comes(self.house, "near", "127.0.0.1", at="near")
        self.does(near, "/join garden")
        self.does(self.mod, "/mute near")
        near.closes()
        self.house.turn()
        also = comes(self.house, "also", "127.0.0.1", at="near")
        self.does(also, "/join garden", "/nick near", "/nick other")
        self.assertRefused(also, "hello", "you are muted")


class BanTests(CompanyCase):
    """C{/ban}, C{/unban} and C{/bans}"""

    def number(self) -> int:
        """Of the last order."""
        return self.house.hall.audit._last

    def test_outAndStaysOut(self) -> None:
        """Who is there is kicked first; then they are told why they cannot come in."""
        (told, seen) = self.does(self.mod, "/ban bob 7d being rude")
        self.assertRegex(
            told, r"-- bob is banned from #garden by mod until .* \(being rude\), number 2"
        )
        self.assertEqual(seen, "* bob was kicked out by mod (being rude)")
        self.assertFalse(self.isIn(self.bob))
        self.assertRegex(
            self.bob.lines()[0], r"! you are banned from #garden by mod until .* \(being rude\)"
        )
        self.assertRefused(self.bob, "/join garden", "you are banned from #garden by mod until")
        self.assertSays(self.bob, "the lobby is open")
        self.house.clock.advance(7 * 86400)
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))
        self.assertEqual(
            self.does(self.mod, "/bans"), ["-- nobody is banned from #garden, or muted there"]
        )

    def test_guestWhoHasJustLeft(self) -> None:
        """By the name and the network they had, for ten minutes; whether they are still here."""
        self.does(self.bob, "/quit")
        self.assertRegex(self.does(self.mod, "/ban bob 7d")[0], "-- bob is banned from #garden")
        for name, host, barred in (("bob", "10.9.9.9", 1), ("rob", "10.1.0.4", 1), ("ted", "", 0)):
            guest = comes(self.house, name, host)
            self.does(guest, "/join garden")
            self.assertEqual(self.isIn(guest), not barred, name)
        self.does(guest, "/leave garden", "/nick fred")
        self.does(self.mod, "/ban ted")
        self.does(guest, "/nick max")
        self.assertRefused(guest, "/join garden", "you are banned from #garden by mod")

    def test_guestWhoLeftLongAgo(self) -> None:
        """Is nobody any more; nor is one after whom many have left."""
        self.does(self.bob, "/quit")
        for number in range(MOST):
            guest = comes(self.house, f"n{number}x", f"10.2.{number}.1")
            self.does(guest, "/join garden", "/leave garden", "/quit")
        self.assertRefused(self.mod, "/ban bob", "nobody called bob is here")
        self.assertRegex(self.does(self.mod, "/ban n0x")[0], "-- n0x is banned from #garden")
        self.house.clock.advance(KEPT + 1)
        self.assertRefused(self.mod, "/ban n1x", "nobody called n1x is here")

    def test_few(self) -> None:
        """No more hold in a room than may; another room has its own."""
        self.patch(orders, "MOST", 1)
        self.does(self.mod, "/ban bob")
        self.assertRefused(self.mod, "/mute cyd", "1 bans and mutes hold here already")
        self.assertIn("is banned from MUCS", self.does(self.root, "/ban --server 10.9.9.9")[0])

    def test_listedAndLifted(self) -> None:
        """With number, by whom, until when and why; by number or by name."""
        self.does(self.mod, "/ban bob 30m rude", "/mute cyd")
        first, second = self.does(self.ada, "/bans")
        self.assertRegex(first, r"-- 2 bob banned by mod until \d+ \w+ \d+ \d+:\d+ \(rude\)")
        self.assertEqual(second, "-- 3 cyd muted by mod")
        self.assertRefused(self.ada, "/unban 3", "there is no ban 3 here")
        self.assertSays(self.ada, "/unban 2", "-- bob is banned no longer")
        self.does(self.mod, "/ban bob")
        self.assertSays(self.ada, '/unban "bob"', "-- bob is banned no longer")
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))

    def test_whoIsNotHere(self) -> None:
        """A registered person can be banned who is away."""
        self.assertIn("eve is banned from #garden", self.does(self.mod, "/ban eve")[0])
        eve = comes(self.house, "Eve", account="eve")
        self.assertRefused(eve, "/join garden", "you are banned")
        self.assertRefused(self.mod, "/ban stranger", "nobody called stranger is here")

    def test_anAddress(self) -> None:
        """Everyone from there, but not who keeps the room; never where one is oneself."""
        eve = comes(self.house, "eve", "10.1.9.9", "eve")
        self.does(eve, "/join garden")
        self.assertRefused(self.mod, "/ban 10.1.0.0/16", "you come from there yourself")
        self.does(self.ada, "/ban 10.1.9.9 1h")
        self.assertFalse(self.isIn(eve))
        self.assertRefused(eve, "/join garden", "you are banned")
        self.does(self.ada, "/ban 10.1.0.2/31")  # mod's and cyd's
        self.assertEqual((self.isIn(self.mod), self.isIn(self.cyd)), (True, False))
        self.assertSays(self.ada, "/unban 10.1.0.2/31", "-- 10.1.0.2/31 is banned no longer")
        self.assertSays(self.ada, "/unban 10.1.9.9", "-- 10.1.9.9 is banned no longer")

    def test_ipv6(self) -> None:
        """An address of the sixth version is its household's; so is a guest's."""
        eve = comes(self.house, "eve", "2001:db8:1:2::3", "eve")
        self.does(eve, "/join garden")
        (told, _) = self.does(self.mod, "/ban 2001:db8:1:2::7")
        self.assertIn("2001:db8:1:2::/64 is banned", told)
        self.assertFalse(self.isIn(eve))
        two = comes(self.house, "two", "2001:db8:5:6::3")
        self.does(two, "/join garden")
        self.does(self.mod, "/ban two")
        other = comes(self.house, "other", "2001:db8:5:6::4")
        self.assertRefused(other, "/join garden", "you are banned")

    def test_calledByTheAddress(self) -> None:
        """Who is called IP:PORT is somebody, also where that could be an address."""
        self.house.listens("addr", "far", trusted=False)
        older = self.house.comes("addr", IPv6Address("TCP", "2001:db8::1", 4000), at="far")
        older.says("/join garden")
        self.assertEqual(older.session.name, "2001:db8::1:4000")
        eve = comes(self.house, "eve", "2001:db8::2", "eve")
        self.does(eve, "/join garden")
        self.does(self.mod, "/ban 2001:db8::1:4000")
        self.assertEqual((self.isIn(older), self.isIn(eve)), (False, True))
        comes(self.house, "10.77.0.1", "10.88.0.1")
        (told,) = self.does(self.mod, "/ban 10.77.0.1 1h")
        self.assertIn("-- 10.77.0.1 is banned", told)
        self.assertTrue(self.house.hall.sanctions.of("garden")[-1].everyone)

    def test_comingBackSomewhereElse(self) -> None:
        """Whoever comes back to several rooms comes into those they may."""
        token = self.bob.token
        self.bob.resets()
        self.house.turn()
        self.does(self.mod, "/ban 10.5.5.5")
        bob = self.house.connect("native", host="10.5.5.5", at="far")
        seen = self.does(bob, f"/resume {token}")
        self.assertEqual(seen[0], "! you are banned from #garden by mod")
        self.assertIn(
            "-- you are bob in #lobby with ada, mod, cyd, root; /help lists commands, /quit leaves",
            seen,
        )
        self.assertFalse(self.isIn(bob))

    def test_jsonComesWithRooms(self) -> None:
        """So does a bot that names its rooms."""
        self.does(self.mod, "/ban 10.5.5.5")
        jay = self.house.connect("json", host="10.5.5.5")
        told = jay.asks({"name": "jay", "rooms": {"garden": 3, "lobby": 0, "attic": 0}})
        self.assertIn({"refused": "you are banned from #garden by mod"}, told)
        self.assertEqual(
            [each["entered"] for each in told if "entered" in each], ["lobby", "attic"]
        )

    def test_aRestart(self) -> None:
        """A ban is there again, by the wall clock; one that ended meanwhile is not."""
        self.does(self.mod, "/ban bob 1h", "/ban cyd 1m")
        self.again()
        self.house.clock.advance(120)
        bob, cyd = comes(self.house, "bob", "10.1.0.4"), comes(self.house, "cyd", account="cyd")
        self.assertRefused(bob, "/join garden", "you are banned")
        self.does(cyd, "/join garden")
        self.assertTrue(self.isIn(cyd))
        self.house.clock.advance(3600)
        self.does(bob, "/join garden")
        self.assertTrue(self.isIn(bob))

    def test_bothWaiting(self) -> None:
        """Who is about to come in when the ban is given is out again."""
        self.does(self.bob, "/leave")
        self.bob.sends(b"/join garden\n")
        self.mod.sends(b"/ban bob\n")
        self.house.turn()
        self.assertFalse(self.isIn(self.bob))


class ServerBanTests(CompanyCase):
    """C{/ban --server}"""

    def test_outOfEverything(self) -> None:
        """Kicked from all rooms, told why, and gone; the token is of no use."""
        self.does(self.bob, "/join attic")
        token = self.bob.token
        self.house.rests()
        self.does(self.root, "/ban --server bob 1h spam")
        self.assertEqual(
            self.ada.lines(),
            ["[#lobby] * bob was kicked out by root (spam)", "* bob was kicked out by root (spam)"],
        )
        self.assertRegex(
            self.bob.lines()[-1], r"^! you are banned from MUCS by root until .* \(spam\)$"
        )
        self.assertGone(self.bob)
        for name, host in (("bob", "10.6.6.6"), ("rob", "10.1.0.4")):
            back = self.house.connect("native", name, host, "far")
            self.assertIn("! you are banned from MUCS by root until", "\n".join(back.lines()))
            self.assertFalse(back.session.rooms)
        back = self.house.connect("native", "", "10.6.6.6", "far")
        self.assertIn("! you are banned from MUCS", "\n".join(self.does(back, f"/resume {token}")))

    def test_oneLineAtTheDoor(self) -> None:
        """Who comes from a banned network gets one line, no greeting, and is closed."""
        self.does(self.root, "/ban --server 10.66.0.0/16 1h spam")
        eve = self.house.connect("native", "", "10.66.1.2", "far")
        (line,) = eve.lines()
        self.assertRegex(line, r"^! your address is banned from MUCS by root until .* \(spam\)$")
        self.house.turn()
        self.assertTrue(eve.closed)
        self.assertNotIn(eve.session.id, self.house.hall.sessions)
        self.assertIn("10.66.0.0/16 banned by root", self.does(self.root, "/bans --server")[0])
        self.does(self.root, "/unban --server 10.66.0.0/16")
        self.assertIn(
            "-- welcome to MUCS", self.house.connect("native", "", "10.66.1.2", "far").lines()
        )

    def test_behindAProxy(self) -> None:
        """The same, once the proxy has told where they are from."""
        self.does(self.root, "/ban --server 10.66.0.0/16")
        self.house.listens("native", "proxied", trusted=False, proxied=True)
        eve = self.house.connect("native", "eve", "10.66.1.2", "proxied")
        self.assertIn("! your address is banned from MUCS by root", eve.lines())
        self.assertTrue(eve.closed)

    def test_everyoneWhoIsHere(self) -> None:
        """All who are hit go at once, also who has no name yet; an admin never."""
        nameless = self.house.connect("native", "", "10.1.0.4", "far")
        self.root.session.host = "10.1.0.5"
        other = comes(self.house, "other", "10.9.9.9", "root")
        other.session.admin = True
        self.does(other, "/ban --server 10.1.0.0/24")
        for person in (self.ada, self.mod, self.cyd, self.bob, nameless):
            self.assertGone(person)
        self.assertTrue(self.isIn(self.root))

    def test_onlyAdmins(self) -> None:
        for person in (self.ada, self.mod):
            for text in ("/ban --server bob", "/bans --server", "/unban --server bob"):
                self.assertRefused(person, text, "that is for the server's admins")

    def test_aNewNameThatIsBanned(self) -> None:
        """Nobody takes the name of a banned guest."""
        self.does(self.root, "/ban --server bob")
        eve = comes(self.house, "guest")
        self.assertRefused(eve, "/nick bob", "whoever is called bob is banned from MUCS")

    def test_whoLogsIn(self) -> None:
        """A guest who logs in to a banned account is out, in a room or at the name prompt."""
        self.house.registers("fay").closes()
        self.does(self.root, "/ban --server fay", "/ban cyd")
        for before in ((), ("guest",)):
            guest = self.house.connect("native", at="members")
            guest.says(*before, "/login fay sesame-8")
            self.assertIn("! you are banned from MUCS by root", guest.lines())
            self.assertGone(guest)
        other = comes(self.house, "other")
        self.does(other, "/join garden")
        logIn(other, "cyd")
        self.house.turn()
        self.assertFalse(self.isIn(other))


class ModeratorTests(CompanyCase):
    """C{/op} and C{/deop}"""

    def test_members(self) -> None:
        """Here or not; they keep it after a restart; a guest cannot be one."""
        self.does(self.ada, "/op cyd", "/op eve")
        self.assertEqual(self.cyd.lines(), ["-- ada made you a moderator of #garden"])
        self.assertEqual(self.cyd.session.role(self.house.room("garden")), "moderator")
        self.assertRefused(self.ada, "/op bob", "bob is a guest")
        self.assertRefused(self.ada, "/op cyd", "keeps #garden in order already")
        self.assertRefused(self.mod, "/op bob", "that is for the room's owner")
        self.again()
        eve = comes(self.house, "eve", account="eve")
        self.does(eve, "/join garden")
        self.assertIn("-- moderators: mod, cyd, eve", self.does(eve, "/room"))
        self.assertEqual(eve.session.role(self.house.room("garden")), "moderator")

    def test_few(self) -> None:
        """There are no more than there may be."""
        self.patch(command_op, "MOST", 1)
        self.assertRefused(self.ada, "/op cyd", "a room has at most 1 moderators; /deop NAME")

    def test_noLonger(self) -> None:
        self.assertSays(self.ada, "/deop mod", "-- mod is no moderator of #garden any more")
        self.assertRefused(self.mod, "/kick bob", "that is for the room's moderators")
        self.assertRefused(self.ada, "/deop mod", "mod is no moderator of #garden; /deop NAME")


class RegisteringTests(CompanyCase):
    """A guest under a sanction does not become a member, whom it would not hit."""

    def setUp(self) -> None:
        super().setUp()
        self.house.listens("native", "safe", trusted=False, passwords=True)

    def test_underASanction(self) -> None:
        """Not by the name it was given to, nor by another from the same address; then they may."""
        for order, end in (("/mute bob", "/unmute bob"), ("/ban bob", "/unban bob")):
            self.does(self.mod, order)
            for name in ("bob", "rob"):
                self.bob.resets()
                self.house.turn()
                self.bob = comes(self.house, name, "10.1.0.4", at="safe")
                (said,) = self.does(self.bob, "/register long enough")
                self.assertIn(f"! no account is made while a {order[1:5].strip()} holds", said)
            self.does(self.mod, end)
        self.does(self.bob, "/register long enough")
        self.house.hands.work()
        self.house.turn()
        self.assertEqual(self.bob.session.account, "rob")


class AuditTests(CompanyCase):
    """What was done by whom."""

    def test_everyOrder(self) -> None:
        """Who, their account, what, whom, where, what was said; numbers go on after a restart."""
        for person, text in (
            (self.mod, "/mute bob 10m"),
            (self.mod, "/unmute bob"),
            (self.mod, "/kick bob rude"),
            (self.ada, "/ban bob 7d rude"),
            (self.ada, "/unban bob"),
            (self.ada, "/deop mod"),
            (self.ada, "/room moderated on"),
            (self.ada, "/room key sesame"),
            (self.ada, "/invite bob"),
            (self.ada, "/room owner cyd"),
            (self.root, "/announce tea"),
            (self.root, "/shutdown in 5m"),
            (self.root, "/shutdown no"),
            (self.root, "/ban --server 10.9.0.0/16"),
        ):
            self.does(person, text)
        expected = [
            "1 ada (account ada) op mod in #garden",
            "2 mod (account mod) mute bob in #garden: for 10 min",
            "3 mod (account mod) unmute bob in #garden: number 2",
            "4 mod (account mod) kick bob in #garden: rude",
            "5 ada (account ada) ban bob in #garden: for 7 d: rude",
            "6 ada (account ada) unban bob in #garden: number 5",
            "7 ada (account ada) deop mod in #garden",
            "8 ada (account ada) room in #garden: moderated on",
            "9 ada (account ada) room in #garden: a key",
            "10 ada (account ada) invite bob in #garden",
            "11 ada (account ada) room cyd in #garden: owner",
            "12 root (account root) announce: tea",
            "13 root (account root) shutdown: in 5m",
            "14 root (account root) shutdown: no",
            "15 root (account root) ban 10.9.0.0/16",
        ]
        shown = [self.bare(line) for line in self.does(self.root, "/audit")]
        self.assertEqual(shown, expected)
        self.again()
        root = comes(self.house, "root", account="root")
        root.session.admin = True
        self.does(root, "/kick root", "/announce more")
        shown = [self.bare(line) for line in self.does(root, "/audit 2")]
        self.assertEqual(shown, [expected[-1], "16 root (account root) announce: more"])

    def bare(self, line: str) -> str:
        """An entry without its time."""
        number, _day, _month, _year, _time, rest = line.removeprefix("-- ").split(" ", 5)
        return f"{number} {rest}"

    def test_onlyAdmins(self) -> None:
        for person in (self.ada, self.bob):
            self.assertRefused(person, "/audit", "that is for the server's admins")
        for argument in ("0", "501", "x", "-1", "1 2"):
            self.assertRefused(self.root, f"/audit {argument}", "/audit [N]")

    def test_whatCannotBeWrittenIsNotDone(self) -> None:
        """While the log takes no records, orders are refused, and nothing has changed."""
        put, given = self.house.log.put, 0

        def refuse(kind: str, key: str, value: bytes | None) -> Deferred[None]:
            return fail(NotStored("no room"))

        self.house.log.put = refuse  # type: ignore[method-assign]
        for person, text in (
            (self.mod, "/kick bob"),
            (self.mod, "/mute bob"),
            (self.mod, "/ban bob"),
            (self.ada, "/op cyd"),
            (self.ada, "/room moderated on"),
            (self.root, "/announce tea"),
            (self.root, "/shutdown"),
        ):
            self.assertRefused(person, text, "not stored")
            given += 1
        self.house.log.put = put  # type: ignore[method-assign]
        self.assertEqual(len(self.flushLoggedErrors(NotStored)), given)
        self.assertTrue(self.isIn(self.bob))
        self.assertSays(self.bob, "hello")
        self.assertEqual(self.ada.lines(), ["bob: hello"])

    def test_theOldestGo(self) -> None:
        """No more are kept than there may be."""
        self.patch(audit, "KEPT", 3)
        for number in range(6):
            self.does(self.root, f"/announce {number}")
        last = self.successResultOf(self.house.hall.audit.last(100))
        self.assertEqual([entry.text for _, entry in last], ["3", "4", "5"])


class Stopping(Clock):
    """A reactor that can be stopped."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


class AnnouncementTests(CompanyCase):
    """C{/announce} and C{/shutdown}"""

    def setUp(self) -> None:
        self.reactor = Stopping()
        super().setUp()

    def furnish(self, house: House) -> None:
        self.house = House(self.limits, clock=self.reactor)
        super().furnish(self.house)

    def test_everyoneInEveryDialect(self) -> None:
        """One line, wherever they are; not who has no name yet."""
        dialects = ("shh", "cstring", "fiveseat", "hithere", "addr")
        people = [self.house.connect(each, "" if each in NAMELESS else each) for each in dialects]
        bot, nameless = self.house.connect("json", "bot"), self.house.connect("native")
        self.does(self.bob, "/leave", "/leave")
        self.house.waits(1)
        self.house.rests()
        self.assertSays(
            self.root,
            "/announce tea  at four",
            "-- root announces: tea  at four",
            "-- 11 people were told",
        )
        self.house.waits(1)
        for person in people:
            self.assertIn(b"-- root announces: tea  at four", person.seen())
        self.assertEqual(bot.told(), [{"note": "root announces: tea  at four"}])
        self.assertEqual(self.bob.lines(), ["-- root announces: tea  at four"])
        self.assertEqual(nameless.lines(), [])

    def test_later(self) -> None:
        """It is announced at once, a minute before, and at the end; then the reactor stops."""
        self.assertSays(
            self.root,
            "/shutdown in 5m",
            "-- root announces: the server stops in 5 min",
            "-- the server stops in 5 min; /shutdown no takes it back",
        )
        self.assertEqual(self.ada.lines(), ["-- root announces: the server stops in 5 min"])
        self.reactor.advance(239)
        self.assertEqual(self.ada.lines(), [])
        self.reactor.advance(1)
        self.assertEqual(self.ada.lines(), ["-- root announces: the server stops in 1 min"])
        self.reactor.advance(59)
        self.assertEqual((self.ada.lines(), self.reactor.stopped), ([], False))
        self.reactor.advance(1)
        self.assertEqual(self.ada.lines(), ["-- root announces: the server stops now"])
        self.assertTrue(self.reactor.stopped)

    def test_takenBack(self) -> None:
        """Or ordered anew, for another time."""
        self.does(self.root, "/shutdown in 5m", "/shutdown in 2h")
        self.reactor.advance(600)
        self.assertFalse(self.reactor.stopped)
        self.assertSays(
            self.root,
            "/shutdown no",
            "-- root announces: the server does not stop",
            "-- the server goes on",
        )
        self.reactor.advance(7200)
        self.assertFalse(self.reactor.stopped)
        self.assertRefused(self.root, "/shutdown no", "no shutdown was ordered")

    def test_now(self) -> None:
        """The last line goes out, and then the reactor stops."""
        self.assertSays(self.root, "/shutdown", "-- root announces: the server stops now")
        self.assertTrue(self.reactor.stopped)

    def test_wrongly(self) -> None:
        for argument in ("in", "in 5", "5m", "in 8d", "yes", "in 5m please"):
            self.assertRefused(self.root, f"/shutdown {argument}", "/shutdown [in 5m | no]")
        self.assertRefused(self.ada, "/shutdown", "that is for the server's admins")

    def test_anEndThatComesFirst(self) -> None:
        """Nothing of it is left in the reactor when the service ends otherwise."""
        self.does(self.root, "/shutdown in 5m")
        self.house.hall.stopService()
        self.reactor.advance(1000)
        self.assertFalse(self.reactor.stopped)


class SlowLog(MemoryLog):
    """A log whose records are stored when the test says so."""

    waiting: list[Deferred[None]]

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        super().put(kind, key, value)
        answer: Deferred[None] = Deferred()
        self.waiting.append(answer)
        return answer


class LateTests(CompanyCase):
    """A log that takes its time."""

    def test_inOrder(self) -> None:
        """Nothing is done, or answered, before it is stored; what comes next waits."""
        log = self.house.log
        log.__class__ = SlowLog
        assert isinstance(log, SlowLog)
        log.waiting = []
        self.mod.says("/mute bob", "hello")
        self.assertEqual(self.mod.lines(), [])
        self.assertFalse(self.house.room("garden").guarded)
        log.waiting.pop(0).callback(None)  # the audit log
        self.assertEqual(self.mod.lines(), [])
        log.waiting.pop(0).callback(None)  # the mute
        self.house.turn()
        self.assertIn("-- bob is muted in #garden", self.mod.lines()[0])
        self.assertEqual(self.ada.lines(), ["mod: hello"])
        self.assertTrue(self.house.room("garden").guarded)
