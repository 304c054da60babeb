"""
Rooms that are kept: whose they are, how they are set, and who may come in.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail

from mucs import roomrules
from mucs.events import NotStored
from mucs.names import fold
from mucs.roomrules import INVITED, locked
from mucs.rules import Limits
from tests.company import CompanyCase, comes
from tests.house import House, Person
from tests.test_orders import SlowLog


class OwnerTests(CompanyCase):
    """Whose a room is."""

    def owner(self, room: str) -> str:
        return self.house.room(room).settings.owner

    def test_theFirstMember(self) -> None:
        """The first registered member to join owns it, whoever else was there before."""
        self.does(self.bob, "/join attic")
        self.assertEqual(self.owner("attic"), "")
        seen = self.does(self.cyd, "/join attic")
        self.assertEqual(seen[-1], "-- #attic is yours; /room shows how it is")
        self.assertEqual(self.owner("attic"), "cyd")
        self.does(self.mod, "/join attic")
        self.assertEqual(self.owner("attic"), "cyd")

    def test_aGuestWhoLogsIn(self) -> None:
        """In a room that is nobody's, and joins it again."""
        self.does(self.bob, "/join attic")
        self.bob.session.account = "bob"
        self.assertEqual(
            self.does(self.bob, "/join attic"),
            [
                "-- you are bob in #attic with nobody else",
                "-- #attic is yours; /room shows how it is",
            ],
        )
        self.assertEqual(self.owner("attic"), "bob")

    def test_notTheLobby(self) -> None:
        """It is the admins'."""
        self.assertEqual(self.owner("lobby"), "")
        self.assertIn(
            "-- #lobby is owned by the admins", self.does(self.ada, "/join Lobby", "/room")
        )
        self.assertRefused(self.ada, "/room moderated on", "that is for the room's owner")
        self.does(self.root, "/join lobby")
        self.assertSays(self.root, "/room moderated on", "-- #lobby has moderated on now")
        self.does(self.bob, "/join lobby")
        self.assertRefused(self.bob, "hello", "only members speak in #lobby")
        for setting in ("private on", "key x", "seats 3", "owner ada"):
            self.assertRefused(self.root, f"/room {setting}", "everyone comes into the lobby")

    def test_kept(self) -> None:
        """An owned room that is empty is listed, also after a restart, and as it was set."""
        self.does(self.ada, "/room moderated on", "/topic roses")
        for person in (self.ada, self.mod, self.cyd, self.bob, self.root):
            self.does(person, "/leave garden")
        self.assertNotIn("garden", self.house.hall.rooms)
        self.assertIn("-- #garden, 0 in it", self.does(self.bob, "/rooms"))
        self.assertRefused(self.bob, "/who garden", "nobody is in #garden; /join it")
        self.again()
        bob = comes(self.house, "bob")
        self.assertIn("-- #garden, 0 in it", self.does(bob, "/rooms"))
        self.does(bob, "/join garden")
        self.assertRefused(bob, "hello", "only members speak in #garden")
        self.assertEqual(self.owner("garden"), "ada")

    def test_unownedRoomsVanish(self) -> None:
        """Their log stays."""
        self.does(self.bob, "/join shed", "hello", "/leave")
        self.assertNotIn("shed", "\n".join(self.does(self.bob, "/rooms")))
        self.assertIn("bob: hello", self.does(self.bob, "/join shed")[1])

    def test_givenAway(self) -> None:
        """To a member, here or not; the one who had it is a member like any other."""
        self.assertSays(self.ada, "/room owner mod", "-- #garden is mod's now")
        self.assertEqual(self.mod.lines(), ["-- ada gave you #garden; /room shows how it is"])
        self.assertEqual(self.house.room("garden").settings.moderators, ())
        self.assertRefused(self.ada, "/room owner ada", "that is for the room's owner")
        self.assertSays(self.mod, '/room owner "eve"', "-- #garden is eve's now")
        self.assertEqual(self.owner("garden"), "eve")
        self.assertRefused(self.root, "/room owner bob", "bob is a guest")
        self.assertRefused(self.root, "/room owner nobody", "nobody called nobody")
        self.assertRefused(self.root, "/room owner eve", "is eve's already")

    def test_nobodys(self) -> None:
        """It is as any other room then, and goes when it is empty."""
        self.does(self.ada, "/room moderated on", "/room seats 9", "/room owner -")
        room = self.house.room("garden")
        self.assertEqual((room.guarded, room.settings.owner, room.settings.seats), (False, "", 0))
        self.assertSays(self.bob, "hello")
        for person in (self.ada, self.mod, self.cyd, self.bob, self.root):
            self.does(person, "/leave garden")
        self.assertNotIn("garden", "\n".join(self.does(self.bob, "/rooms")))

    def test_notStored(self) -> None:
        """Where that cannot be written down, nobody owns it until somebody else joins."""
        put = self.house.log.put

        def refuse(kind: str, key: str, value: bytes | None) -> Deferred[None]:
            return fail(NotStored("no room"))

        self.house.log.put = refuse  # type: ignore[method-assign]
        self.assertEqual(self.does(self.cyd, "/join attic")[-1], "-- now")
        self.assertEqual(self.owner("attic"), "")
        self.house.log.put = put  # type: ignore[method-assign]
        self.flushLoggedErrors(NotStored)
        self.does(self.mod, "/join attic")
        self.assertEqual(self.owner("attic"), fold("mod"))

    def test_twoAtOnce(self) -> None:
        """While it is not stored yet whose it is, it is not promised to another."""
        log = self.house.log
        log.__class__ = SlowLog
        assert isinstance(log, SlowLog)
        log.waiting = []
        self.cyd.says("/join attic")
        self.mod.says("/join attic")
        self.assertEqual(len(log.waiting), 1)
        log.waiting.pop().callback(None)
        self.assertEqual(self.owner("attic"), "cyd")
        self.assertIn("-- #attic is yours; /room shows how it is", self.cyd.lines())
        self.assertNotIn("-- #attic is yours; /room shows how it is", self.mod.lines())

    def test_afterACrash(self) -> None:
        """A room that somebody seemed to be in is as it was decided to be from the first."""
        house = House(self.limits, log=self.house.log, clock=self.house.clock)
        self.assertEqual(house.room("garden").settings.owner, "ada")
        self.assertEqual(house.room("garden").settings.moderators, (fold("mod"),))

    def test_names(self) -> None:
        """They are folded, Unicode, and up to 50 characters."""
        name = "Café " + "ж" * 45
        self.does(self.ada, f"/join {name}")
        self.assertEqual(self.owner(self.house.hall.room(name).key), "ada")
        self.does(self.bob, f"/join #CAFÉ {'Ж' * 45}")
        self.assertEqual(self.bob.session.current, self.ada.session.current)
        self.assertRefused(self.ada, "/join " + "x" * 51, "a room's name has at most 50")


class FewTests(CompanyCase):
    """No more than there may be."""

    limits = Limits(rate=0, owned=2)

    def test_rooms(self) -> None:
        """A room beyond those is nobody's, until it is somebody's who may have it."""
        self.does(self.ada, "/join a2", "/join a3")
        self.assertEqual(self.house.room("a2").settings.owner, "ada")
        self.assertEqual(self.house.room("a3").settings.owner, "")
        self.does(self.cyd, "/join a3", "/join c2")
        self.assertEqual(self.house.room("a3").settings.owner, "cyd")
        self.assertRefused(self.cyd, "/room owner ada", "ada owns 2 rooms already")


class SettingTests(CompanyCase):
    """C{/room}"""

    def test_shown(self) -> None:
        """Everyone sees how it is; whether there is a key, only who keeps it in order."""
        self.does(self.ada, "/room key sesame", "/room seats 7")
        everyone = self.does(self.bob, "/room")
        self.assertEqual(everyone[:2], ["-- #garden is owned by ada", "-- moderators: mod"])
        self.assertFalse([line for line in everyone if "key" in line or "sesame" in line])
        self.assertIn("-- seats 7  (how many may be in at a time, or 0 for any number)", everyone)
        keepers = self.does(self.mod, "/room")
        self.assertIn("-- key set  (a word that one must know to enter, or - for none)", keepers)
        self.assertNotIn("sesame", "\n".join(keepers))

    def test_onlyTheOwner(self) -> None:
        for person in (self.mod, self.cyd, self.bob):
            for value in ("private on", "key x", "moderated on", "seats 1", "history off"):
                self.assertRefused(person, f"/room {value}", "that is for the room's owner")
        before = self.house.room("garden").settings
        self.assertEqual((before.private, before.key, before.seats), (False, "", 0))

    def test_wrongly(self) -> None:
        """One line that says what it takes; nothing has changed."""
        before = self.house.room("garden").settings
        for argument, why in (
            ("colour red", "a room has no colour; /room [SETTING VALUE]"),
            ("private", "/room private takes on or off"),
            ("private maybe", "/room private takes on or off"),
            ("private on off", "/room private takes on or off"),
            ("seats -1", "/room seats takes how many"),
            ("seats ٣", "/room seats takes how many"),
            ("seats 99999999", "at most 1000000"),
            ("days 1.5", "/room days takes"),
            ("key two words", "/room key takes a word"),
            ("key " + "x" * 101, "a key has at most 100"),
            ("owner", "/room owner takes the NAME"),
        ):
            self.assertRefused(self.ada, f"/room {argument}", why)
        self.assertEqual(self.house.room("garden").settings, before)

    def test_moderated(self) -> None:
        """Only members speak, do, set a topic, or take back."""
        self.does(self.bob, "before")
        self.does(self.ada, "/room moderated on")
        for text in ("hello", "/me waves", "/topic tea", "/undo"):
            self.assertRefused(
                self.bob, text, "only members speak in #garden; /register makes you one"
            )
        self.assertSays(self.cyd, "hello")
        self.assertSays(self.root, "hello")
        zoe = self.house.connect("native", "zoe")
        self.does(zoe, "/join garden")
        self.does(zoe, "/quit hear me")
        self.assertIn("* zoe left", self.ada.lines())
        self.does(self.ada, "/room moderated off")
        self.assertSays(self.bob, "hello")

    def test_twoAtOnce(self) -> None:
        """Nothing of what two people change is lost while the log takes its time."""
        log = self.house.log
        log.__class__ = SlowLog
        assert isinstance(log, SlowLog)
        log.waiting = []
        self.ada.says("/room private on", "/op cyd")
        self.root.says("/room moderated on")
        while log.waiting:
            log.waiting.pop(0).callback(None)
        settings = self.house.room("garden").settings
        self.assertEqual((settings.private, settings.moderated), (True, True))
        self.assertEqual(settings.moderators, (fold("mod"), "cyd"))

    def test_retention(self) -> None:
        """What a room keeps at most, for the log that forgets the rest."""
        self.does(self.ada, "/room days 7", "/room events 1000")
        self.assertEqual(self.house.hall.rules.keeps("Garden"), (7, 1000))
        self.assertEqual(self.house.hall.rules.keeps("lobby"), (0, 0))


class KeyTests(CompanyCase):
    """A room with a key."""

    def setUp(self) -> None:
        super().setUp()
        self.does(self.ada, "/room key sesame")
        self.does(self.bob, "/leave garden")

    def test_neededToEnter(self) -> None:
        """And told what is missing, or that it is wrong, in one line."""
        self.assertRefused(self.bob, "/join garden", "#garden has a key: /join garden KEY")
        self.assertRefused(self.bob, "/join garden Sesame", "that is not the key of #garden")
        self.assertRefused(self.bob, '/join "garden" open sesame', "a key is one word")
        self.does(self.bob, "/join #garden sesame")
        self.assertTrue(self.isIn(self.bob))

    def test_takenAway(self) -> None:
        self.assertSays(self.ada, "/room key -", "-- #garden has no key now")
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))

    def test_keptAsAHash(self) -> None:
        """Nobody reads it in the log, nor the same of two rooms."""
        rows: list[tuple[str, bytes]] = self.successResultOf(self.house.log.entries("room"))
        kept = dict(rows)
        self.assertNotIn(b"sesame", kept["garden"])
        self.assertIn(locked("garden", "sesame").encode(), kept["garden"])
        self.assertNotEqual(locked("garden", "sesame"), locked("attic", "sesame"))
        audit: list[tuple[str, bytes]] = self.successResultOf(self.house.log.entries("audit"))
        self.assertFalse([value for _, value in audit if b"sesame" in value])

    def test_namesWithSpaces(self) -> None:
        """The whole argument is a room's name if there is such a room; or it stands in quotes."""
        self.does(self.ada, "/join tea house", "/room key leaf")
        self.assertRefused(
            self.bob, "/join tea house", '#tea house has a key: /join "tea house" KEY'
        )
        self.does(self.bob, '/join "tea house" leaf')
        self.assertTrue(self.isIn(self.bob, "tea house"))
        self.does(self.cyd, "/join tea house leaf")
        self.assertTrue(self.isIn(self.cyd, "tea house"))
        self.does(self.bob, "/join garden shed")
        self.assertRefused(self.bob, "/join garden sesam", "that is not the key of #garden")

    def test_aNewName(self) -> None:
        """Where neither is there, it is the name of a new room."""
        self.does(self.bob, "/join sea view")
        self.assertTrue(self.isIn(self.bob, "sea view"))

    def test_whoKeepsIt(self) -> None:
        """Moderators, the owner and admins need none."""
        for person in (self.ada, self.mod, self.root):
            self.does(person, "/leave garden", "/join garden")
            self.assertTrue(self.isIn(person))

    def test_comingBack(self) -> None:
        """Who has known it comes back without, until there is another."""
        self.does(self.bob, "/join garden sesame")
        for key, back in (("", True), ("/room key other", False)):
            self.does(self.ada, key or "hello")
            token = self.bob.token
            self.bob.resets()
            self.house.turn()
            self.bob = self.house.connect("native", at="far")
            seen = self.does(self.bob, f"/resume {token}")
            self.assertEqual(self.isIn(self.bob), back)
        self.assertEqual(seen[0], "! #garden has a key: /join garden KEY")
        self.assertTrue(self.isIn(self.bob, "lobby"))


class PrivateTests(CompanyCase):
    """A room that is entered by invitation."""

    def setUp(self) -> None:
        super().setUp()
        self.does(self.bob, "/leave garden")
        self.does(self.cyd, "/leave garden")
        self.does(self.ada, "/room private on")

    def test_notSeen(self) -> None:
        """It is not listed, nor its people, nor proposed, but to those who may come in."""
        for person in (self.bob, self.cyd):
            self.assertNotIn("garden", "\n".join(self.does(person, "/rooms")))
            self.assertRefused(person, "/who garden", "there is no room #garden; /rooms lists them")
            self.assertRefused(person, "/who gardem", "there is no room #gardem; /rooms lists them")
        for person in (self.ada, self.mod, self.root):
            self.assertIn("#garden, 3 in it, private", "\n".join(self.does(person, "/rooms")))
        self.assertIn("#garden has 3 in it", self.does(self.mod, "/who garden")[0])

    def test_emptyAndPrivate(self) -> None:
        """Listed for those who may enter."""
        for person in (self.ada, self.mod, self.root):
            self.does(person, "/leave garden")
        self.assertIn("-- #garden, 0 in it", self.does(self.mod, "/rooms"))
        self.assertNotIn("garden", "\n".join(self.does(self.bob, "/rooms")))
        self.assertRefused(self.bob, "/who garden", "there is no room #garden")

    def test_byInvitation(self) -> None:
        """Whoever is invited comes in, for a day; nobody else."""
        self.assertRefused(self.bob, "/join garden", "#garden is private")
        self.assertSays(self.mod, "/invite bob", "-- bob can enter #garden for a day from now")
        self.assertEqual(
            self.bob.lines(), ["-- mod invites you to #garden; /join garden takes you there"]
        )
        self.assertIn("#garden, 3 in it, private", "\n".join(self.does(self.bob, "/rooms")))
        self.assertRefused(self.cyd, "/join garden", "#garden is private")
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))
        self.does(self.bob, "/leave")
        self.house.clock.advance(INVITED)
        self.assertRefused(self.bob, "/join garden", "#garden is private")

    def test_theSessionComesBack(self) -> None:
        """The invitation of a guest goes with the session, also where it comes back to."""
        self.does(self.mod, "/invite bob")
        self.does(self.bob, "/join garden", "/nick rob")
        token = self.bob.token
        self.bob.resets()
        self.house.turn()
        bob = self.house.connect("native", host="10.9.9.9", at="far")
        self.does(bob, f"/resume {token}")
        self.assertTrue(self.isIn(bob))
        other = comes(self.house, "bob")
        self.assertRefused(other, "/join garden", "#garden is private")

    def test_theAccount(self) -> None:
        """That of a member holds for every connection, here now or not."""
        self.does(self.mod, "/invite cyd", "/invite eve")
        self.does(self.cyd, "/quit")
        for name in ("cyd", "eve"):
            person = comes(self.house, name, account=name)
            self.does(person, "/join garden")
            self.assertTrue(self.isIn(person))

    def test_notForEver(self) -> None:
        """No more invitations are remembered than may be: the oldest goes."""
        self.patch(roomrules, "MOST", 1)
        self.patch(roomrules, "MOST_PASSES", 1)
        self.does(self.mod, "/invite cyd", "/invite eve", "/invite bob")
        self.assertEqual(list(self.house.hall.rules._invited), [("garden", "eve")])
        self.does(self.ada, "/join attic", "/room private on", "/invite bob")
        self.assertEqual(list(self.bob.session.passes), ["attic"])

    def test_wrongly(self) -> None:
        for text, why in (
            ("/invite", "/invite NAME"),
            ("/invite nobody", "nobody called nobody"),
            ("/invite ada", "ada is in #garden already"),
        ):
            self.assertRefused(self.mod, text, why)
        self.does(self.mod, "/ban bob")
        self.assertRefused(self.mod, "/invite bob", "bob is banned from #garden; /unban 3 first")
        self.assertRefused(self.bob, "/invite cyd", "that is for the room's moderators")

    def test_invitedIntoALockedRoom(self) -> None:
        """An invitation is as good as the key; knowing the key is no invitation."""
        self.does(self.ada, "/room key sesame")
        self.assertRefused(self.bob, "/join garden sesame", "#garden is private")
        self.does(self.mod, "/invite bob")
        self.does(self.bob, "/join garden")
        self.assertTrue(self.isIn(self.bob))

    def test_knownBefore(self) -> None:
        """Who has known the key of a room that is private now is not invited by that."""
        self.does(self.ada, "/room private off", "/room key sesame")
        self.does(self.bob, "/join garden sesame", "/leave garden", "/join garden")
        self.assertTrue(self.isIn(self.bob))
        self.does(self.bob, "/leave garden")
        self.does(self.ada, "/room private on")
        self.assertRefused(self.bob, "/join garden sesame", "#garden is private")
        self.assertNotIn("garden", "\n".join(self.does(self.bob, "/rooms")))


class SeatTests(CompanyCase):
    """A room with few seats."""

    def setUp(self) -> None:
        super().setUp()
        self.does(self.cyd, "/leave garden")
        self.does(self.ada, "/room seats 4")  # ada, mod, bob and root have them
        self.eve, self.fay = comes(self.house, "eve", account="eve"), comes(self.house, "fay")
        self.house.rests()

    def wait(self) -> None:
        for place, person in enumerate((self.cyd, self.eve, self.fay), 1):
            seat = f"-- you are number {place} in the queue for #garden"
            self.assertSays(person, "/join garden", seat)

    def test_firstComeFirstServed(self) -> None:
        """Whoever finds it full is told their place, as it moves, and comes in when it is free."""
        self.wait()
        self.does(self.bob, "/leave")
        self.assertIn("-- you are cyd in #garden with ada, mod, root", self.cyd.lines())
        self.assertEqual(self.eve.lines(), ["-- you are number 1 in the queue for #garden"])
        self.assertEqual(self.fay.lines(), ["-- you are number 2 in the queue for #garden"])
        self.does(self.mod, "/kick cyd")
        self.assertTrue(self.isIn(self.eve))
        self.root.resets()
        self.house.turn()
        self.assertTrue(self.isIn(self.fay))

    def test_meanwhile(self) -> None:
        """Who waits speaks where they are, may not queue twice, and may leave the queue."""
        self.wait()
        self.does(self.eve, "hello")
        self.assertIn("[#lobby] eve: hello", self.ada.lines())
        self.assertRefused(
            self.eve, "/join garden", "you wait for a seat in #garden; /leave garden"
        )
        self.fay.seen()
        self.assertSays(self.eve, "/leave garden", "-- you wait no longer for a seat in #garden")
        self.assertEqual(self.fay.lines()[-1], "-- you are number 2 in the queue for #garden")
        self.assertRefused(self.eve, "/leave garden", "you are not in #garden")

    def test_endsWithTheSession(self) -> None:
        """Every way out gives the place up."""
        self.wait()
        self.cyd.resets()
        self.does(self.eve, "/quit")
        self.house.turn()
        self.assertIn("-- you are number 1 in the queue for #garden", self.fay.lines())
        self.assertEqual(self.house.room("garden").seating.waiting, 1)
        self.assertGone(self.cyd, self.eve)

    def test_bannedMeanwhile(self) -> None:
        """Who may not come in any more is told so, and leaves the queue."""
        self.wait()
        self.does(self.mod, "/ban eve")
        self.assertEqual(self.eve.lines()[-1], "! you are banned from #garden by mod")
        self.assertEqual(self.house.room("garden").seating.waiting, 2)
        self.does(self.ada, "/room private on")
        self.does(self.bob, "/leave garden")
        self.assertIn("! #garden is private", "\n".join(self.cyd.lines()))
        self.assertIn("! #garden is private", "\n".join(self.fay.lines()))
        self.assertEqual(self.house.room("garden").seating.waiting, 0)

    def test_moreSeats(self) -> None:
        """Those who wait come in; with fewer nobody loses theirs."""
        self.wait()
        self.does(self.ada, "/room seats 6")
        self.assertEqual(
            [self.isIn(each) for each in (self.cyd, self.eve, self.fay)], [True, True, False]
        )
        self.does(self.ada, "/room seats 1")
        self.assertTrue(self.isIn(self.cyd))
        self.does(self.ada, "/room seats 0")
        self.assertTrue(self.isIn(self.fay))

    def test_whoKeepsIt(self) -> None:
        """Moderators need no free seat."""
        self.wait()
        self.does(self.mod, "/leave")
        self.assertTrue(self.isIn(self.cyd))
        self.does(self.mod, "/join garden")
        self.assertTrue(self.isIn(self.mod))

    def test_onTheWay(self) -> None:
        """Who is coming in while it gets seats has one of them."""
        self.does(self.ada, "/join attic")
        self.cyd.sends(b"/join attic\n")
        self.ada.sends(b"/room seats 2\n")
        self.house.turn()
        self.assertTrue(self.isIn(self.cyd, "attic"))
        self.assertSays(self.eve, "/join attic", "-- you are number 1 in the queue for #attic")

    def test_comingBack(self) -> None:
        """Who comes back only to a full room waits for it in the lobby."""
        self.does(self.bob, "/leave lobby")
        token = self.bob.token
        self.bob.resets()
        self.house.turn()
        self.does(self.eve, "/join garden")
        self.assertTrue(self.isIn(self.eve))
        bob = self.house.connect("native", at="far")
        seen = self.does(bob, f"/resume {token}")
        self.assertEqual(seen[0], "-- you are number 1 in the queue for #garden")
        self.assertTrue(self.isIn(bob, "lobby"))
        self.does(self.eve, "/quit")
        self.assertTrue(self.isIn(bob))

    def test_afterARestart(self) -> None:
        """There are as many seats."""
        self.again()
        people = [comes(self.house, name) for name in ("a", "b", "c", "d", "e")]
        for person in people:
            self.does(person, "/join garden")
        self.assertEqual([self.isIn(person) for person in people], [True] * 4 + [False])


class PastTests(CompanyCase):
    """What guests see of what was said before they came."""

    def setUp(self) -> None:
        super().setUp()
        self.does(self.cyd, "/leave garden")
        self.does(self.ada, "/room history off", "secret plans")
        self.gus = comes(self.house, "gus")

    def test_joining(self) -> None:
        """Nothing; members do."""
        self.assertEqual(
            self.does(self.gus, "/join garden"),
            ["-- you are gus in #garden with ada, mod, bob, root", "-- now"],
        )
        self.assertIn("ada: secret plans", "\n".join(self.does(self.cyd, "/join garden")))

    def test_looking(self) -> None:
        """Neither by history nor by search."""
        self.does(self.gus, "/join garden")
        why = "what was said in #garden is for members; /register makes you one"
        self.assertRefused(self.gus, "/history", why)
        self.assertSays(self.gus, "/search secret", "-- nothing found in the rooms you are in")
        self.assertIn("secret plans", "\n".join(self.does(self.mod, "/history")))
        self.assertIn("secret plans", "\n".join(self.does(self.mod, "/search secret")))

    def test_comingBack(self) -> None:
        """Not even what was said while they were away."""
        self.does(self.gus, "/join garden")
        token = self.gus.token
        self.gus.resets()
        self.house.turn()
        self.does(self.ada, "more plans")
        self.gus = self.house.connect("native", at="far")
        self.assertNotIn("plans", "\n".join(self.does(self.gus, f"/resume {token}")))

    def test_json(self) -> None:
        """A gap is declared, so that numbers are consecutive; history is refused."""
        jay = self.house.connect("json")
        seq = self.house.room("garden").head
        told = jay.asks({"name": "jay", "rooms": {"garden": seq - 1}})
        self.assertIn({"gap": {"room": "garden", "after": seq - 1, "skipped": 1}}, told)
        self.assertNotIn("plans", str(told))
        self.assertIn({"missed": {"room": "garden", "count": 0}}, told)
        (refused,) = jay.asks({"history": "garden"})
        self.assertIn("is for members", refused["refused"])


class FullLogTests(CompanyCase):
    """Settings that cannot be stored."""

    def test_asItWas(self) -> None:
        """The second write may fail: then nothing has changed either."""
        real = self.house.log.put

        def put(kind: str, key: str, value: bytes | None) -> Deferred[None]:
            return fail(NotStored("full")) if kind == "room" else real(kind, key, value)

        self.house.log.put = put  # type: ignore[method-assign]
        people: tuple[tuple[Person, str], ...] = (
            (self.ada, "/room moderated on"),
            (self.ada, "/op cyd"),
            (self.ada, "/room owner mod"),
        )
        before = self.house.room("garden").settings
        for person, text in people:
            self.assertRefused(person, text, "not stored")
        self.assertEqual(self.house.room("garden").settings, before)
        self.assertFalse(self.house.room("garden").guarded)
        self.assertEqual(len(self.flushLoggedErrors(NotStored)), 3)
