"""Tests for L{mucs.member} and the commands: what people say and change, in rooms and alone."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mucs.events import SAY, Command, Intent, Refused, Say
from mucs.imucs import IFilter
from mucs.roles import GUEST, ROLES
from mucs.rules import Limits
from tests.house import House, HouseCase

PLACE = "-- You are number {} in the queue."


@implementer(IFilter)
class Censor:
    """A filter that counts, changes and refuses."""

    name = "censor"
    summary = "changes and refuses"

    def filter(self, session: Any, intent: Intent) -> Intent:
        if isinstance(intent, Say) and "tea" in intent.text:
            raise Refused("no tea here")
        if intent == Command("bye"):
            return Command("quit", "tired")
        return Say(intent.text.replace("coffee", "water")) if isinstance(intent, Say) else intent


#: The roles that a guest has not.
HIGHER = ROLES[ROLES.index(GUEST) + 1 :]


class RoomsTests(HouseCase):
    """Being in several rooms."""

    limits = Limits(rate=0, rooms=3)

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def test_oneSpeaksInTheLast(self) -> None:
        """And stays in the others, whose lines say where they are from."""
        self.ada.says("/join garden", "hello garden")
        self.bob.says("hello lobby")
        self.assertEqual(
            self.ada.lines(),
            ["-- you are ada in #garden with nobody else", "-- now", "[#lobby] bob: hello lobby"],
        )
        self.assertEqual(self.bob.lines(), [])
        self.bob.says("/join #Garden")
        lines = self.bob.lines()
        self.assertEqual(lines[0], "-- you are bob in #garden with ada")
        self.assertTrue(lines[1].endswith(" ada: hello garden"))
        self.assertEqual(self.ada.lines(), ["* bob joined"])

    def test_goingBack(self) -> None:
        """To a room one is in makes it the one to speak in; nobody is told."""
        self.ada.says("/join garden")
        self.house.rests()
        self.ada.says("/join lobby", "back")
        self.assertEqual(self.ada.lines(), ["-- you are ada in #lobby with bob"])
        self.assertEqual(self.bob.lines(), ["ada: back"])
        self.bob.says("/join garden", "here")
        self.assertEqual(self.ada.lines(), ["[#garden] * bob joined", "[#garden] bob: here"])

    def test_leaving(self) -> None:
        """One speaks in the room one came to last, of those that are left."""
        self.ada.says("/join garden", "/join attic")
        self.house.rests()
        self.ada.says("/leave")
        self.assertEqual(self.ada.lines(), ["-- you left #attic", "-- you speak in #garden now"])
        self.ada.says("/leave lobby")
        self.assertEqual(self.ada.lines(), ["-- you left #lobby"])
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.ada.says("/leave #garden", "hello?", "/me waves", "/leave", "/who", "/topic")
        self.assertEqual(
            self.ada.lines(),
            [
                "-- you left #garden",
                "! you are in no room; /join ROOM takes you to one",
                "! you are in no room; /join ROOM takes you to one",
                "! you are not in any room; /rooms lists the rooms",
                "! you are in no room; /who ROOM lists the people of one",
                "! you are in no room; /join ROOM takes you to one",
            ],
        )
        self.bob.says("alone")
        self.assertEqual((self.ada.lines(), self.bob.lines()), ([], []))
        self.assertEqual(list(self.house.hall.rooms), ["lobby"])

    def test_inNoRoomOneStillHasAName(self) -> None:
        """And can change it, say private words, and come back."""
        self.ada.says("/leave", "/nick eve", "/msg bob psst", "/join lobby")
        lines = self.ada.lines()
        self.assertEqual(
            lines[:3],
            ["-- you left #lobby", "-- you are now eve", "-- you are eve in #lobby with bob"],
        )
        self.assertEqual(self.bob.lines(), ["* ada left", "eve -> you: psst", "* eve joined"])

    def test_asManyAsOneMay(self) -> None:
        """The next is refused, and does not come to be; private words take no room."""
        self.bob.says("/msg ada hello")
        self.ada.says("/join one", "/join two", "/join three", "/join one")
        self.assertEqual(
            self.ada.lines()[-2:],
            [
                "! you are in 3 rooms already; /leave one first",
                "-- you are ada in #one with nobody else",
            ],
        )
        self.assertEqual(sorted(self.house.hall.rooms), ["lobby", "one", "two"])
        self.ada.says("/leave two", "/join three")
        self.assertEqual(sorted(self.house.hall.rooms), ["lobby", "one", "three"])

    def test_anEmptyRoomGoesAndItsLogStays(self) -> None:
        """Topic and history are there again when someone comes, and the name as it was written."""
        self.ada.says("/join garden", "/topic roses", "hello", "/leave")
        self.assertEqual(list(self.house.hall.rooms), ["lobby"])
        self.bob.says("/join GARDEN")
        lines = self.bob.lines()
        self.assertEqual(
            lines[:2], ["-- you are bob in #garden with nobody else", "-- topic: roses"]
        )
        self.assertEqual(
            [line[6:] for line in lines[2:4]], ["* ada changed the topic to: roses", "ada: hello"]
        )

    def test_quittingLeavesAll(self) -> None:
        """Each room is told; who is in two of them is told once for each."""
        self.bob.says("/join garden")
        self.ada.says("/join garden")
        self.house.rests()
        self.ada.says("/quit bye")
        self.assertEqual(
            sorted(self.bob.lines()), ["* ada left (bye)", "[#lobby] * ada left (bye)"]
        )
        self.assertEqual(self.bob.sent(), 1)
        self.assertGone(self.ada)

    def test_aNewNameIsToldInAll(self) -> None:
        """To oneself once."""
        self.bob.says("/join garden")
        self.ada.says("/join garden")
        self.house.rests()
        self.ada.says("/nick eve")
        self.assertEqual(self.ada.lines(), ["-- you are now eve"])
        self.assertEqual(
            sorted(self.bob.lines()), ["* ada is now eve", "[#lobby] * ada is now eve"]
        )
        self.bob.says("/who lobby", "/msg ada x", "/nick ADA")
        self.assertEqual(
            self.bob.lines(),
            [
                "-- #lobby has 2 in it: eve, bob",
                "! nobody called ada is here; /who lists who is",
                "-- you are now ADA",
            ],
        )


class PrivateTests(HouseCase):
    """Words for one person only."""

    def setUp(self) -> None:
        super().setUp()
        names = ("ada", "bob", "Fake Herleen")
        self.ada, self.bob, self.eve = (self.house.enters(name) for name in names)
        self.house.rests()

    def test_onlyForThatOne(self) -> None:
        """Nobody else sees them, nor does the log of a room, nor does the sender again."""
        self.ada.says("/msg bob psst", '/msg "fake herleen" you too')
        self.assertEqual(self.bob.lines(), ["ada -> you: psst"])
        self.assertEqual(self.eve.lines(), ["ada -> you: you too"])
        self.assertEqual(self.ada.lines(), [])
        self.assertNotIn(SAY, [event.kind for event in self.house.stored()])
        self.assertEqual(self.witness.saw("tell"), [])

    def test_whatTheSenderSees(self) -> None:
        """As they see their other words: not at all, as a line, or acknowledged."""
        cases: tuple[tuple[str, list[str]], ...] = (
            ("shh", ["you -> bob: psst"]),
            ("fiveseat", ["Processed your request"]),
            ("addr", []),
        )
        for dialect, lines in cases:
            person = self.house.enters(f"by {dialect}", dialect)
            self.house.waits(1)
            person.seen()
            person.says("/msg bob psst")
            self.assertEqual(person.seen().decode().rstrip("\0").splitlines(), lines)

    def test_byAnAddress(self) -> None:
        """Who is called by one is found by it."""
        hi = self.house.connect("hithere")
        hi.seen()
        self.ada.says("/msg 10.0.0.4:40004 hello")
        self.assertEqual(hi.seen(), b"ada -> you: hello\n")

    def test_answering(self) -> None:
        """Goes to whoever said something last, and back."""
        self.ada.says("/msg bob one")
        self.eve.says("/msg bob two")
        self.bob.says("/reply three")
        self.eve.says("/reply four")
        self.assertEqual(self.bob.lines()[-1], "Fake Herleen -> you: four")
        self.assertEqual(self.eve.lines(), ["bob -> you: three"])
        self.assertEqual(self.ada.lines(), [])

    def test_answeringOneWhoIsCalledOtherwiseNow(self) -> None:
        """The answer goes to them, and never to whoever has their name now."""
        self.ada.says("/msg bob one", "/nick Augusta")
        self.eve.says("/nick ada")
        self.house.rests()
        self.bob.says("/reply two")
        self.assertEqual((self.ada.lines(), self.eve.lines()), (["bob -> you: two"], []))

    def test_answeringOneWhoIsGone(self) -> None:
        """Is refused."""
        self.ada.says("/msg bob one", "/quit")
        self.house.rests()
        self.bob.says("/reply two")
        self.assertEqual(self.bob.lines(), ["! nobody called ada is here; /who lists who is"])

    def test_theyDoNotWaitForABusyRoom(self) -> None:
        """Who is paced reads all rooms alike: a busy one does not hold up the others."""
        shh = self.house.enters("shy", "shh")
        self.house.waits(1)
        shh.wire.writes.clear()
        shh.seen()
        self.ada.says("first")
        self.bob.says("/msg shy psst")
        for n in range(10):
            self.ada.says(f"busy {n}")
            self.house.waits(0.02)
        self.assertIn(b"bob -> you: psst", shh.seen())

    def test_thoseWhoAreGoneAreForgotten(self) -> None:
        """However many came to say something, no more is kept than of those who are here."""
        for n in range(20):
            guest = self.house.enters(f"c{n}")
            guest.says("/msg ada hello", "/msg bob hello", "/quit")
        self.assertLessEqual(len(self.ada.session.rooms), 2)
        self.assertLessEqual(len(self.bob.session.rooms), 2)
        self.assertLessEqual(len(self.house.hall._private), 2)
        self.ada.says("/quit")
        self.bob.says("/quit")
        self.assertEqual(len(self.house.hall._private), 0)
        self.assertGone(self.ada, self.bob)


class RefusalsTests(HouseCase):
    """What is refused is refused with one line, and nothing of it is done."""

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def test_oneLineAndNothingDone(self) -> None:
        """Each of them says why, and what would do."""
        stored = self.house.stored()
        for text, why in (
            ("/", "there is no command /; /help lists them all"),
            ("/joni x", "there is no command /joni; did you mean /join? /help lists them all"),
            ("/JOIN", "which room? /join ROOM; /rooms lists those there are"),
            (
                "/join ,",
                "a room's name begins with a letter, a digit or an emoji; /join ROOM [KEY]",
            ),
            ("/join a,b", 'a room\'s name holds no ","; /join ROOM [KEY]'),
            ("/join " + "x" * 51, "a room's name has at most 50 characters; /join ROOM [KEY]"),
            ("/leave garden", "there is no room #garden; /rooms lists them"),
            ("/leave lobbi", "there is no room #lobbi; did you mean #lobby?"),
            ("/who garden", "there is no room #garden; /rooms lists them"),
            ("/nick", "a name cannot be empty; /nick NAME"),
            ("/nick ada", "you are ada already"),
            ("/nick bob", "the name bob is taken; choose another"),
            ("/nick B0B", "the name B0B is too much like bob, who is here; choose another"),
            ("/nick a:b", 'a name holds no ":"; /nick NAME'),
            ("/topic " + "x" * 301, "a topic has at most 300 characters, not 301; /topic TEXT"),
            ("/me", "say what you do: /me waves"),
            ("/me left", "that would look as if it had happened; say it otherwise"),
            ("/msg", "say to whom, and what: /msg NAME TEXT"),
            ("/msg bob", "say to whom, and what: /msg NAME TEXT"),
            ("/msg bop hi", "nobody called bop is here; did you mean bob?"),
            ("/msg ada hi", "that is you"),
            ("/reply", "say what: /reply TEXT"),
            ("/reply hi", "nobody has said anything to you alone yet; /msg NAME TEXT does"),
            ("/quit " + "x" * 301, "a reason has at most 300 characters, not 301; /quit WHY"),
            ("/help qqq", "there is no command /qqq; /help lists them all"),
        ):
            self.ada.says(text)
            self.assertEqual(self.ada.lines(), [f"! {why}"], text)
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(self.house.stored(), stored)
        self.assertEqual(sorted(self.house.hall.names._names), ["ada", "bob"])
        self.assertEqual(list(self.house.hall.rooms), ["lobby"])

    def test_whatIsNotText(self) -> None:
        """Or is too long: its sender is told, nobody else."""
        self.ada.sends(b"caf\xe9\r\n")
        self.ada.sends(b"x" * 4097 + b"\r\n")
        self.house.turn()
        self.assertEqual(
            self.ada.lines(),
            [
                "! that was no UTF-8; set your terminal to UTF-8",
                "! a line has at most 4096 bytes; that one was not sent",
            ],
        )
        self.assertEqual(self.bob.lines(), [])

    def test_filters(self) -> None:
        """May refuse, and may change; what they refuse is not done."""
        self.house = House(filters=[Censor()])
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.seen()
        ada.says("tea?", "coffee?", "/bye")
        self.assertEqual(ada.lines(), ["! no tea here"])
        self.assertEqual(bob.lines(), ["ada: water?", "* ada left (tired)"])

    def test_aNameMayBeRefusedByAFilter(self) -> None:
        """And is asked for again."""
        self.house = House(filters=[Censor()])
        ada = self.house.connect()
        ada.seen()
        ada.says("teaman")
        self.assertEqual(ada.lines(), ["! no tea here", "-- what is your name?"])


class CommandsTests(HouseCase):
    """What the commands answer."""

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def test_who(self) -> None:
        """Here, and elsewhere."""
        self.bob.says("/join garden")
        self.ada.says("/who", "/who #GARDEN")
        self.assertEqual(
            self.ada.lines(), ["-- #lobby has 2 in it: ada, bob", "-- #garden has 1 in it: bob"]
        )

    def test_rooms(self) -> None:
        """With their topics, the fullest first."""
        self.bob.says("/join garden", "/topic roses", "/join attic")
        self.ada.says("/rooms")
        self.assertEqual(
            self.ada.lines(),
            [
                "-- #lobby, 2 in it (you speak here)",
                "-- #attic, 1 in it",
                "-- #garden, 1 in it: roses",
            ],
        )

    def test_topic(self) -> None:
        """Shown, set and removed; everyone sees that."""
        self.ada.says("/topic", "/topic tea  time", "/topic", "/topic -", "/topic")
        self.assertEqual(
            self.ada.lines(),
            [
                "-- the topic of #lobby is not set; /topic TEXT sets it",
                "-- the topic of #lobby is now: tea  time",
                "-- the topic of #lobby is: tea  time",
                "-- the topic of #lobby is gone",
                "-- the topic of #lobby is not set; /topic TEXT sets it",
            ],
        )
        self.assertEqual(
            self.bob.lines(), ["* ada changed the topic to: tea  time", "* ada removed the topic"]
        )

    def test_me(self) -> None:
        """Is seen by the others."""
        self.ada.says("/me waves  twice")
        self.assertEqual((self.ada.lines(), self.bob.lines()), ([], ["* ada waves  twice"]))

    def test_aSlashThatIsNoCommand(self) -> None:
        """Two of them are one."""
        self.ada.says("//quit", "///", "a /quit")
        self.assertEqual(self.bob.lines(), ["ada: /quit", "ada: //", "ada: a /quit"])

    def test_helpKnowsThemAll(self) -> None:
        """One line for each, and each explained alone."""
        self.ada.says("/help all")
        lines = self.ada.lines()
        self.assertEqual(len(lines), len(self.house.hall.commands) + 1)
        self.ada.says("/help")
        mine = self.ada.lines()
        theirs = [each.role for each in self.house.hall.commands.values() if each.role in HIGHER]
        self.assertIn(f"-- {len(theirs)} more are for others; /help all lists them", mine)
        self.assertLess(set(mine[:-2]), set(lines))
        self.assertEqual(len(mine), len(lines) - len(theirs) + 1)
        for name in self.house.hall.commands:
            self.ada.says(f"/help {name}", f"/help /{name.upper()}")
            once, again = self.ada.lines()
            self.assertTrue(once.startswith(f"-- /{name}"))
            self.assertEqual(once, again)

    def test_commandsInEveryState(self) -> None:
        """None raises, and none does anything for those who may not, whatever stands behind it."""
        self.house.listens("native", "small", seats=1)
        self.house.connect("native", "cyd", at="small")
        waiting = self.house.connect("native", at="small")
        naming = self.house.connect()
        gone = self.house.enters("dan")
        gone.says("/quit")
        self.house.rests()
        before = len(self.witness.events)
        for name in [*self.house.hall.commands, "nope"]:
            for argument in ("", "x", '"', '""', "ada", '"ada" x', "#", "-", " ", "é 🙂"):
                if name == "quit":
                    continue
                for person in (waiting, naming, gone):
                    person.session.receive(Command(name, argument))
                self.house.turn()
        self.assertEqual(set(waiting.lines()), {PLACE.format(1)})
        self.assertEqual(gone.lines(), [])
        self.assertEqual(self.ada.lines(), [])
        self.assertIn("! first say who you are: type a name", naming.lines())
        self.assertEqual(self.witness.events[before:], [])
