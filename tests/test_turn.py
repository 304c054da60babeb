"""Tests for L{mucs.turn} and L{mucs.delivery}: what is said is stored, and then shown, together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs import turn
from mucs.events import JOIN, LEAVE, ME, NICK, SAID, SAY, TOPIC, Event, Unknown
from mucs.imucs import IObserver
from mucs.line.dialect import Audience
from mucs.log.memory import MemoryLog
from mucs.patience import SECONDS
from mucs.room import Room
from mucs.rules import Limits
from mucs.turn import AGAIN, Turn
from mucs.volley import Volley
from tests.house import TOKEN, House, HouseCase, Person, many
from tests.log.late import LateLog, LogFault

NOT_STORED = "! not stored: the log cannot be written to; try again later"
UNKNOWN = "! it is unknown whether that was stored; look, and say it again if not"
quiet = settings(deadline=None, database=None)


class LateCase(HouseCase):
    """With a house whose log answers when it is told to."""

    def setUp(self) -> None:
        super().setUp()
        self.log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(self.limits, self.log, observers=[self.witness])
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()
        self.log.prompt = False
        self.log.asked.clear()

    def asked(self) -> list[list[str]]:
        """The texts of each batch that the log was asked to store."""
        return [[event.text for event in batch] for batch in self.log.asked]

    def stores(self) -> None:
        """The log answers, and then the next turn comes."""
        self.log.stores()
        self.house.turn()

    def fails(self, count: int = 1) -> None:
        """The log cannot store what is under way, and the operator is told: once."""
        for _ in range(count):
            self.log.fails()
            self.house.turn()
        self.assertEqual(len(self.flushLoggedErrors(LogFault)), 1)

    def failsStill(self) -> None:
        """The same, once the operator knows."""
        self.log.fails()
        self.house.turn()
        self.assertEqual(self.flushLoggedErrors(LogFault), [])

    def losesTouch(self, stored: bool) -> None:
        """The log does not know whether it has stored what is under way."""
        self.log.losesTouch(stored)
        self.assertEqual(len(self.flushLoggedErrors(Unknown)), 1)
        while self.log.reads:
            self.log.finds()
        self.house.turn()

    def kept(self, after: int = 2) -> list[tuple[int, str, str]]:
        """What the log has of the lobby since the two came in: number, kind and author."""
        events = self.log.kept("lobby")[after:]
        return [(event.seq, event.kind, event.author) for event in events]


class OrderTests(LateCase):
    """Gather, commit, render, deliver, observe."""

    def test_nothingIsShownBeforeItIsStored(self) -> None:
        """To nobody, neither in the room nor beside it; then to all."""
        self.house.connect("shh", "shy")
        self.stores()
        self.house.waits(0.2)
        self.house.rests()
        self.witness.events.clear()
        self.ada.says("hello")
        self.assertEqual(self.asked()[-1], ["hello"])
        self.house.clock.advance(1)
        self.assertEqual([person.seen() for person in self.house.people], [b""] * 3)
        self.assertEqual(self.witness.events, [])
        self.stores()
        self.assertEqual(
            [person.seen() for person in self.house.people],
            [b"", b"ada: hello\r\n", b"->ada: hello"],
        )
        self.assertEqual(self.witness.saw(SAY), [("ada", "hello")])

    def test_oneBatchUnderWay(self) -> None:
        """What comes meanwhile gathers into the next."""
        self.ada.says("one")
        self.bob.says("two")
        self.ada.says("three", "four")
        self.assertEqual(self.asked(), [["one"]])
        self.stores()
        self.assertEqual(self.asked(), [["one"], ["two", "three", "four"]])
        self.assertEqual(self.bob.lines(), ["ada: one"])
        self.stores()
        self.assertEqual(self.bob.lines(), ["ada: three", "ada: four"])
        self.assertEqual(self.ada.lines(), ["bob: two"])
        self.house.clock.advance(1)
        self.assertEqual(self.log.appends, 0)

    def test_oneOrder(self) -> None:
        """Two who see the same things see them in the same order: the log's."""
        eve = self.house.connect("native", "eve")
        self.stores()
        self.house.rests()
        for n in range(5):
            self.ada.sends(b"a%d\n" % n)
            self.bob.sends(b"b%d\nb\n" % n)
        self.house.turn()
        self.stores()
        stored = [f"{event.author}: {event.text}" for event in self.log.asked[-1]]
        self.assertEqual(eve.lines(), stored)
        self.assertEqual(self.ada.lines(), [line for line in stored if line[0] != "a"])
        self.assertEqual(self.bob.lines(), [line for line in stored if line[0] != "b"])

    def test_oneSendForEachMember(self) -> None:
        """However much was said, and in however many rooms."""
        self.log.prompt = True
        for person in (self.ada, self.bob):
            person.says("/join garden", "/join attic", "/join lobby")
        eve = self.house.enters("eve")
        eve.says("/join garden")
        self.house.rests()
        for n in range(10):
            self.ada.sends(b"x%d\n" % n)
            eve.sends(b"y%d\n" % n)
        self.house.turn()
        self.assertEqual([person.sent() for person in self.house.people], [1, 1, 1])
        self.assertEqual(len(self.bob.lines()), 20)
        self.assertEqual(self.ada.lines(), [f"[#garden] eve: y{n}" for n in range(10)])
        self.assertEqual(eve.lines(), [f"[#lobby] ada: x{n}" for n in range(10)])

    def test_observersSeeItAfterEveryoneElse(self) -> None:
        """With the session it came from, and all of a batch at once."""
        seen: list[tuple[bytes, list[tuple[str, Any]]]] = []

        @implementer(IObserver)
        class Observer:
            name = "late"
            summary = "looks whether others have seen it"

            def observe(observer, batch: Sequence[tuple[Event, Any]]) -> None:
                if batch[0][0].kind == SAY:
                    seen.append((bob.seen(), [(event.text, who) for event, who in batch]))

        self.house = House(observers=[Observer()])
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.sends(b"one\n")
        ada.sends(b"two\n")
        self.house.turn()
        who = ada.session
        self.assertEqual(seen, [(b"ada: one\r\nada: two\r\n", [("one", who), ("two", who)])])

    def test_observersSeeThingsInTheirOrder(self) -> None:
        """One is named when one's join is there, and gone when all that one said is told."""
        self.witness.events.clear()
        self.log.prompt = True
        self.house.enters("eve").says("hello", "/quit")
        self.assertEqual(
            [event.kind for event in self.witness.events],
            ["connect", "join", "named", "say", "leave", "disconnect"],
        )

    def test_privateWordsDoNotWaitForTheLog(self) -> None:
        """They stand in another, and one log's answers are not in the order of another's."""
        self.ada.says("in the room", "/msg bob psst")
        self.assertEqual(self.bob.lines(), ["ada -> you: psst"])
        self.stores()
        self.assertEqual(self.bob.lines(), ["ada: in the room"])

    def test_aRoomWhoseLogIsReadLate(self) -> None:
        """Who enters waits for it; then they see what it holds, and nothing of theirs is lost."""
        self.log.prompt = True
        self.ada.says("/join garden", "roses", "/leave")
        self.house.rests()
        self.log.prompt = False
        self.bob.says("/join garden", "tulips")
        self.assertEqual((self.log.reads, self.log.appends), (1, 0))
        self.ada.says("meanwhile")
        self.stores()
        self.assertEqual(self.bob.lines(), ["ada: meanwhile"])
        self.log.finds()
        self.house.turn()
        self.stores()
        self.stores()
        lines = self.bob.lines()
        self.assertEqual(lines[0], "-- you are bob in #garden with nobody else")
        self.assertRegex(lines[1], "^[0-9:]{5} ada: roses$")
        self.assertEqual(lines[2:], ["-- now"])
        self.assertEqual(self.asked()[-1], ["tulips"])
        self.assertEqual([event.seq for event in self.house.room("garden").recent][-2:], [4, 5])


class ChangesTests(LateCase):
    """What is so is so from the commit on."""

    def test_aNewName(self) -> None:
        """Nobody knows it before, but nobody else can take it either."""
        self.ada.sends(b"/nick eve\n")
        self.house.turn()
        self.bob.says("/who", "/nick eve")
        self.assertEqual(
            self.bob.lines(),
            [
                "-- #lobby has 2 in it: ada, bob",
                "! the name eve is too much like ada, who is here; choose another",
            ],
        )
        self.stores()
        self.assertEqual(self.bob.lines(), ["* ada is now eve"])
        self.bob.says("/who")
        self.assertEqual(self.bob.lines(), ["-- #lobby has 2 in it: eve, bob"])

    def test_aTopic(self) -> None:
        """Is what it was until then, and what stands behind it waits for it."""
        self.ada.says("/topic tea", "/topic")
        self.bob.says("/topic")
        self.assertEqual(self.ada.lines(), [])
        self.assertEqual(
            self.bob.lines(), ["-- the topic of #lobby is not set; /topic TEXT sets it"]
        )
        self.stores()
        self.assertEqual(
            self.ada.lines(),
            ["-- the topic of #lobby is now: tea", "-- the topic of #lobby is: tea"],
        )

    def test_aJoin(self) -> None:
        """Until it is stored one is in no room; all one sends waits."""
        eve = self.house.connect()
        eve.seen()
        eve.sends(b"eve\nhello\n/who\n")
        self.house.turn()
        self.bob.says("/who")
        self.assertEqual(self.bob.lines(), ["-- #lobby has 2 in it: ada, bob"])
        self.bob.says("early")
        self.assertEqual(self.asked(), [[""]])
        self.stores()
        self.assertEqual(eve.lines()[-2:], ["-- now", "-- #lobby has 3 in it: ada, bob, eve"])
        self.assertEqual(self.asked()[-1], ["early", "hello"])
        self.stores()
        self.assertEqual(eve.lines(), ["bob: early"])
        self.assertEqual(self.bob.lines(), ["* eve joined", "eve: hello"])

    def test_aLeave(self) -> None:
        """Until it is stored one sees everything; what came after it in the batch one does not."""
        self.bob.says("one")
        self.ada.sends(b"/leave\n")
        self.bob.sends(b"two\n")
        self.house.turn()
        self.stores()
        self.assertEqual(self.ada.lines(), ["bob: one"])
        self.stores()
        self.assertEqual(self.ada.lines(), ["-- you left #lobby"])
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.assertEqual(self.asked()[-1], ["", "two"])

    def test_quittingWhileTheLogIsSlow(self) -> None:
        """One is there until it is stored, and does nothing more; the name is free then."""
        self.ada.says("/quit bye", "too late")
        self.assertFalse(self.ada.closed)
        self.bob.says("/nick ada")
        self.assertEqual(self.bob.lines(), ["! the name ada is taken; choose another"])
        self.stores()
        self.assertEqual(self.bob.lines(), ["* ada left (bye)"])
        self.assertGone(self.ada)
        self.assertEqual(self.log.appends, 0)

    def test_goneWhileTheLogIsSlow(self) -> None:
        """At once, whatever is under way: the join, a new name, the topic."""
        eve = self.house.connect()
        eve.sends(b"eve\n")
        self.house.turn()
        self.ada.sends(b"/nick cyd\n")
        self.bob.sends(b"/topic tea\n")
        for person in (eve, self.ada, self.bob):
            person.session.dismiss("begone")
        self.assertGone(eve, self.ada, self.bob)
        dan = self.house.connect()
        dan.sends(b"cyd\n")
        self.stores()
        self.stores()
        self.assertEqual(dan.lines()[2][:14], "-- you are cyd")
        self.assertEqual([member.name for member in self.house.room().members], ["cyd"])
        kinds = [(event.kind, event.author) for event in self.log.kept("lobby")[2:]]
        self.assertEqual(
            kinds,
            [
                (JOIN, "eve"),
                (NICK, "ada"),
                (TOPIC, "bob"),
                (LEAVE, "eve"),
                (LEAVE, "cyd"),
                (LEAVE, "bob"),
                (JOIN, "cyd"),
            ],
        )

    def test_stoppingWhileTheLogIsSlow(self) -> None:
        """Everyone is told and closed all the same."""
        self.ada.says("one")
        stopped = self.house.hall.stopService()
        self.house.turn()
        self.successResultOf(stopped)
        self.assertEqual(self.bob.lines(), ["! the server is shutting down"])
        self.stores()
        self.stores()
        self.assertEqual(len(self.log.kept("lobby")), 5)
        self.assertGone(self.ada, self.bob)


class FailureTests(LateCase):
    """What cannot be stored."""

    def test_speechIsRefused(self) -> None:
        """To each who said it, a line for each; nobody else knows of it, and chat goes on."""
        self.ada.says("one")
        self.ada.says("two")
        self.bob.says("three", "/me waves")
        self.fails(2)
        self.assertEqual(self.ada.lines(), [NOT_STORED] * 2)
        self.assertEqual(self.bob.lines(), [NOT_STORED] * 2)
        self.assertEqual(self.witness.saw(SAY), [])
        self.assertEqual(len(self.log.kept("lobby")), 2)
        self.ada.says("four")
        self.stores()
        self.assertEqual(self.bob.lines(), ["ada: four"])
        self.assertEqual(self.log.kept("lobby")[-1].seq, 3)

    def test_aNewNameIsGivenBack(self) -> None:
        """One keeps the old one; what stands behind it is done by that."""
        self.ada.says("/nick eve", "hello")
        self.fails()
        self.assertEqual(self.ada.lines(), [NOT_STORED])
        self.stores()
        self.assertEqual(self.bob.lines(), ["ada: hello"])
        self.bob.says("/nick eve")
        self.stores()
        self.assertEqual(self.ada.lines(), ["* bob is now eve"])

    def test_aNewNameInManyRoomsIsOneRefusal(self) -> None:
        """However many of them cannot store it."""
        self.log.prompt = True
        self.ada.says("/join garden", "/join attic")
        self.log.prompt = False
        self.house.rests()
        self.ada.says("/nick eve", "/who")
        self.fails()
        self.assertEqual(self.ada.lines(), [NOT_STORED, "-- #attic has 1 in it: ada"])
        self.assertEqual(sorted(self.house.hall.names._names), ["ada", "bob"])

    def test_aTopicStays(self) -> None:
        """As it was."""
        self.ada.says("/topic tea", "/topic")
        self.fails()
        self.assertEqual(
            self.ada.lines(),
            [NOT_STORED, "-- the topic of #lobby is not set; /topic TEXT sets it"],
        )
        self.assertEqual(self.house.room().topic, "")

    def test_aRoomIsEnteredAllTheSame(self) -> None:
        """It is stored before what is said there, as soon as that can be."""
        self.ada.says("/join garden", "hello")
        self.log.finds()
        self.house.turn()
        self.fails()
        lines = ["-- you are ada in #garden with nobody else", "-- now"]
        self.assertEqual(self.ada.lines(), lines)
        self.failsStill()
        self.assertEqual(self.ada.lines(), [NOT_STORED])
        self.ada.says("again")
        self.stores()
        self.stores()
        stored = [(event.seq, event.kind, event.text) for event in self.log.kept("garden")]
        self.assertEqual(stored, [(1, JOIN, ""), (2, SAY, "again")])
        self.assertEqual(self.house.room("garden").head, 2)
        self.assertEqual(self.ada.lines(), [])

    def test_comingInAllTheSame(self) -> None:
        """All see that; it is stored by itself when that is possible, and seen by nobody again."""
        eve = self.house.connect("native", "eve")
        eve.seen()
        self.fails()
        welcome = "-- you are eve in #lobby with ada, bob; /help lists commands, /quit leaves"
        self.assertEqual(eve.lines(), [welcome, "-- now"])
        self.assertEqual(self.bob.lines(), ["* eve joined"])
        self.assertEqual(self.witness.saw(JOIN)[-1], ("eve", ""))
        seen = len(self.witness.events)
        self.assertEqual(self.log.appends, 0)
        self.house.clock.advance(AGAIN)
        self.failsStill()
        self.house.clock.advance(AGAIN)
        self.assertEqual(self.log.appends, 1)
        self.stores()
        self.assertEqual(self.kept(), [(3, JOIN, "eve")])
        self.assertEqual(self.house.room().head, 3)
        self.assertEqual(self.ada.lines(), ["* eve joined"])
        self.assertEqual((self.bob.lines(), eve.lines()), ([], []))
        self.assertEqual(len(self.witness.events), seen)
        self.house.clock.advance(2 * AGAIN)
        self.assertEqual(self.log.appends, 0)
        eve.says("hello")
        self.stores()
        self.assertEqual(self.bob.lines(), ["eve: hello"])

    def test_leavingARoomAllTheSame(self) -> None:
        """Who has left is not there any more, whatever can be stored."""
        self.ada.says("/leave", "hello")
        self.fails()
        self.assertEqual(
            self.ada.lines(),
            ["-- you left #lobby", "! you are in no room; /join ROOM takes you to one"],
        )
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.assertEqual(list(self.house.room().members), [self.bob.session])

    def test_whatIsOwedComesFirst(self) -> None:
        """In the order in which it was seen, and nothing is said before it is stored."""
        self.ada.says("/leave")
        self.fails()
        eve = self.house.connect("native", "eve")
        self.bob.says("too early")
        self.failsStill()
        self.assertEqual(self.bob.lines(), ["* ada left", NOT_STORED, "* eve joined"])
        self.bob.says("in time")
        self.stores()
        self.assertEqual(self.kept(), [(3, LEAVE, "ada"), (4, JOIN, "eve")])
        self.assertNotIn("bob: in time", eve.lines())
        self.stores()
        self.assertEqual(eve.lines(), ["bob: in time"])
        self.assertEqual(self.kept(4), [(5, SAY, "bob")])

    def test_whoCountsIsToldTheNumber(self) -> None:
        """What was shown without one is shown again with it, to those, when it is stored."""
        self.log.prompt = True
        bot = self.house.enters("bot", "json")
        self.log.prompt = False
        self.house.rests()
        self.ada.says("/leave")
        self.fails()
        self.house.clock.advance(AGAIN)
        self.stores()
        self.assertEqual([(told["event"], told["seq"]) for told in bot.told()][-1:], [(LEAVE, 4)])
        self.assertEqual(self.bob.lines(), ["* ada left"])

    def test_notMoreIsOwedThanMayBe(self) -> None:
        """The oldest is given up."""
        self.patch(turn, "MOST_OWED", 3)
        self.ada.says("/leave")
        self.fails()
        for _ in range(2):
            self.ada.says("/join lobby")
            self.failsStill()
            self.ada.says("/leave")
            self.failsStill()
        self.house.clock.advance(AGAIN)
        self.stores()
        self.assertEqual([kind for _, kind, _ in self.kept()], [LEAVE, JOIN, LEAVE])

    def test_quitting(self) -> None:
        """Nobody is kept here by a full disk, whatever they have asked for before."""
        self.ada.says("/nick eve", "/quit")
        self.fails(2)
        self.assertEqual(self.ada.lines(), [NOT_STORED])
        self.assertGone(self.ada)
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.house.clock.advance(AGAIN)
        self.stores()
        self.assertEqual(self.kept(), [(3, LEAVE, "ada")])

    def test_goneMeanwhile(self) -> None:
        """A lost connection gives everything back as well, the last room too."""
        self.ada.sends(b"/nick eve\n")
        self.house.turn()
        self.ada.resets()
        self.bob.resets()
        self.fails(2)
        self.assertGone(self.ada, self.bob)
        self.assertEqual(self.house.hall.names._names, {})
        self.house.clock.advance(AGAIN)
        self.stores()
        self.log.answers()
        self.assertEqual(self.house.hall.rooms, {})
        self.assertEqual(self.kept(), [(3, LEAVE, "bob"), (4, LEAVE, "ada")])
        self.log.prompt = True
        self.assertEqual(self.successResultOf(self.log.present()), [])

    def test_goneByANameThatIsNotStored(self) -> None:
        """Who is closed while it is tried has left by the one they had."""
        self.ada.sends(b"/nick eve\n")
        self.house.turn()
        self.ada.session.dismiss("begone")
        self.fails(2)
        self.assertGone(self.ada)
        self.assertEqual(self.bob.lines(), ["* ada left (begone)"])
        self.house.clock.advance(AGAIN)
        self.stores()
        self.assertEqual(self.kept(), [(3, LEAVE, "ada")])

    def test_goneWithANameThatIsNotStored(self) -> None:
        """The same, where both stand in one batch."""
        self.ada.sends(b"/nick eve\n")
        self.ada.session.dismiss("begone")
        self.house.turn()
        self.fails()
        self.assertGone(self.ada)
        self.assertEqual(self.bob.lines(), ["* ada left (begone)"])
        self.house.clock.advance(AGAIN)
        self.stores()
        self.assertEqual(self.kept(), [(3, LEAVE, "ada")])

    def test_privateWords(self) -> None:
        """The same holds for them."""
        scratch = LateLog(self.house.wall)
        self.house = House(scratch=scratch)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()
        ada.says("/msg bob psst")
        scratch.fails()
        self.flushLoggedErrors(LogFault)
        self.assertEqual((ada.lines(), bob.lines()), ([NOT_STORED], []))


class DoubtTests(LateCase):
    """What may be stored, or may not."""

    def test_speechThatIsNotStored(self) -> None:
        """Its author is told that it is unknown; a program, what it should do."""
        self.log.prompt = True
        bot = self.house.enters("bot", "json")
        self.log.prompt = False
        self.house.rests()
        self.ada.says("one")
        self.losesTouch(False)
        self.assertEqual(self.ada.lines(), [UNKNOWN])
        self.assertEqual(bot.asks({"say": "two", "id": "x"}), [])
        self.log.losesTouch(False)
        self.log.answers()
        self.house.turn()
        why = "unknown, retry with the same id"
        self.assertEqual(bot.told(), [{"nak": {"id": "x", "room": "lobby", "why": why}}])
        self.assertEqual(self.bob.lines(), [])

    def test_speechThatIsStored(self) -> None:
        """All see it, once; saying it again with its id is acknowledged, and seen by nobody."""
        self.log.prompt = True
        bot = self.house.enters("bot", "json")
        self.log.prompt = False
        self.house.rests()
        bot.asks({"say": "one", "id": "x"})
        self.losesTouch(True)
        self.assertEqual(self.bob.lines(), ["bot: one"])
        self.assertEqual([list(told) for told in bot.told() if "nak" in told], [["nak"]])
        bot.asks({"say": "one", "id": "x"})
        self.stores()
        (told,) = bot.told()
        self.assertEqual((told["ack"]["id"], told["ack"]["seq"]), ("x", 4))
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(self.kept(3), [(4, SAY, "bot")])

    def test_changes(self) -> None:
        """Are so if they turn out to be stored, and else are not."""
        self.ada.says("/nick eve")
        self.losesTouch(True)
        self.assertEqual(self.ada.lines(), ["-- you are now eve"])
        self.assertEqual(self.bob.lines(), ["* ada is now eve"])
        self.bob.says("/topic tea", "/topic")
        self.log.losesTouch(False)
        self.log.answers()
        self.house.turn()
        self.assertEqual(
            self.bob.lines(), [UNKNOWN, "-- the topic of #lobby is not set; /topic TEXT sets it"]
        )
        self.assertEqual(self.house.room().topic, "")

    def test_comingsAndGoings(self) -> None:
        """Are shown once, and stored once, whether they had been stored or not."""
        for stored in (True, False):
            self.ada.says("/leave")
            self.log.losesTouch(stored)
            self.log.answers()
            self.house.turn()
            self.log.answers()
            self.house.clock.advance(AGAIN)
            self.log.answers()
            self.assertEqual(self.bob.lines(), ["* ada left"])
            self.ada.says("/join lobby")
            self.log.answers()
            self.house.turn()
            self.log.answers()
            self.assertEqual(self.bob.lines(), ["* ada joined"])
        self.assertTrue(self.flushLoggedErrors(Unknown))
        kinds = [(kind, author) for _, kind, author in self.kept()]
        self.assertEqual(kinds, [(LEAVE, "ada"), (JOIN, "ada")] * 2)


class PatienceTests(LateCase):
    """A log that takes its time."""

    SLOW = "-- the log is slow: what you asked for is not stored yet"

    def test_thoseWhoWaitAreTold(self) -> None:
        """Once each, after 5 s; those behind them too. Nobody else is, and nothing is lost."""
        self.ada.says("one")
        self.house.clock.advance(SECONDS - 0.1)
        self.bob.says("two")
        self.assertEqual(self.ada.lines(), [])
        self.house.clock.advance(0.1)
        self.assertEqual((self.ada.lines(), self.bob.lines()), ([self.SLOW], [self.SLOW]))
        self.house.clock.advance(2 * SECONDS)
        self.assertEqual((self.ada.lines(), self.bob.lines()), ([], []))
        self.stores()
        self.stores()
        self.assertEqual((self.ada.lines(), self.bob.lines()), (["bob: two"], ["ada: one"]))
        self.house.clock.advance(2 * SECONDS)
        self.assertEqual((self.ada.lines(), self.bob.lines()), ([], []))

    def test_whatWaitsIsBounded(self) -> None:
        """More than a batch of it is refused, in whichever way it came; changes are not."""
        self.log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(Limits(rate=0, events=3), self.log)
        ada = self.house.enters("ada")
        self.log.prompt = False
        ada.says("1")
        ada.says("2", "3", "4")
        ada.sends(b"5\n6\n")
        ada.says("/me waves")
        self.house.turn()
        self.assertEqual(len(self.house.room().drafts), 3)
        refused = ["! not stored: the log is slow; try again later"] * 3
        self.assertEqual(ada.lines(), refused)
        ada.says("/quit")
        self.stores()
        self.stores()
        self.stores()
        self.assertGone(ada)


class SplitTests(HouseCase):
    """More than fits in one batch."""

    limits = Limits(rate=0, events=3)

    def test_aChangeInTheNextBatch(self) -> None:
        """Is one, as if it had stood in the first."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()
        ada.sends(b"1\n2\n3\n4\n/topic tea\n5\n")
        bob.sends(b"6\n7\n/nick eve\n8\n")
        self.house.turn()
        self.assertEqual(
            bob.lines(),
            [
                *(f"ada: {n}" for n in range(1, 5)),
                "* ada changed the topic to: tea",
                "-- you are now eve",
                "ada: 5",
            ],
        )
        self.assertEqual(
            ada.lines(),
            [
                "-- the topic of #lobby is now: tea",
                "bob: 6",
                "bob: 7",
                "* bob is now eve",
                "eve: 8",
            ],
        )
        self.assertEqual(self.house.room().topic, "tea")


class FaultTests(HouseCase):
    """What is broken harms nobody else."""

    def test_anAudienceThatCannotBeTold(self) -> None:
        """All others are, and what follows is told to it again."""
        shh, ada, bob = (
            self.house.enters("shy", "shh"),
            self.house.enters("ada"),
            self.house.enters("bob"),
        )
        self.house.waits(1)
        self.house.rests()
        whole = Audience.render

        def render(audience: Audience, events: Sequence[Event]) -> list[str]:
            if audience.echoes and events[0].text == "poison":
                raise ZeroDivisionError
            return whole(audience, events)

        self.patch(Audience, "render", render)
        ada.says("poison")
        ada.says("/nick eve", "tea")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(bob.lines(), ["ada: poison", "* ada is now eve", "eve: tea"])
        self.house.waits(1)
        self.assertEqual(shh.seen(), b"* ada is now eve" + b"->eve: tea")

    def test_aLogThatIsWrong(self) -> None:
        """
        It is named, and the turns go on. What it has stored, and has not said so, is seen with
        what comes next.
        """

        class Short(MemoryLog):
            def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
                stored = super().append(batch)
                if batch[0].text == "poison":
                    return succeed([])
                return stored

        self.house = House(log=Short(lambda: 0.0))
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.says("poison")
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        ada.says("tea")
        self.assertEqual(bob.lines(), ["ada: poison", "ada: tea"])
        self.assertFalse(self.house.room().isBusy())


class GatheringTests(SynchronousTestCase):
    """How much, and for how long."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.batches: list[list[Event]] = []
        self.make(Limits())

    def make(self, limits: Limits) -> None:
        """A turn, and two rooms without members."""
        log = MemoryLog(self.clock.seconds)
        append = log.append

        def record(batch: Sequence[Event]) -> Deferred[list[Event]]:
            self.batches.append(list(batch))
            return append(batch)

        self.patch(log, "append", record)
        self.turn = Turn(self.clock, log, limits, Volley())
        self.rooms = [Room(name, self.turn.wake, limits) for name in ("lobby", "garden")]

    def post(self, *texts: str, room: int = 0) -> None:
        """This is said."""
        for text in texts:
            self.rooms[room].post(Event(self.rooms[room].name, 0, 0, "ada", SAY, text), None)

    def poll(self) -> None:
        """The reactor goes round once: what is due is done, but not what comes of it."""
        due: list[Callable[[], None]] = [
            call.func for call in self.clock.calls if call.getTime() <= self.clock.seconds()
        ]
        self.clock.calls[: len(due)] = []
        for call in due:
            call()

    def texts(self) -> list[list[str]]:
        return [[event.text for event in batch] for batch in self.batches]

    def test_whileInputKeepsComing(self) -> None:
        """The reactor is let go round once more, until a round has brought nothing."""
        for text in "abc":
            self.post(text)
            self.poll()
            self.assertEqual(self.batches, [])
        self.poll()
        self.assertEqual(self.texts(), [["a", "b", "c"]])
        self.poll()
        self.assertEqual(self.clock.calls, [])

    def test_notForEver(self) -> None:
        """After 2 ms it is enough."""
        for n in range(5):
            self.post(str(n))
            self.poll()
            self.clock.rightNow += 0.0004
        self.assertEqual(self.batches, [])
        self.post("last")
        self.poll()
        self.assertEqual(self.texts(), [["0", "1", "2", "3", "4", "last"]])

    def test_orUntilABatchIsFull(self) -> None:
        """Then nothing is waited for."""
        self.make(Limits(events=3))
        self.post("a")
        self.poll()
        self.post("b", "c", "d")
        self.poll()
        self.assertEqual(self.texts(), [["a", "b", "c"]])
        self.poll()
        self.poll()
        self.assertEqual(self.texts(), [["a", "b", "c"], ["d"]])

    def test_atOnce(self) -> None:
        """Where there is no time, all of it is stored without the reactor."""
        self.make(Limits(events=3))
        self.post(*"abcdefg")
        self.turn.flush()
        self.assertEqual(self.texts(), [list("abc"), list("def"), ["g"]])
        self.clock.advance(1)
        self.assertEqual(len(self.batches), 3)

    def test_atOnceAndOneAtATime(self) -> None:
        """What is stored without the reactor is under way like any other."""
        log = LateLog(self.clock.seconds)
        self.turn.log = log
        self.post("a")
        self.turn.flush()
        self.post("b")
        self.turn.flush()
        for _ in range(3):
            self.poll()
        self.assertEqual([event.text for batch in log.asked for event in batch], ["a"])
        log.stores()
        self.poll()
        self.poll()
        self.assertEqual([event.text for batch in log.asked for event in batch], ["a", "b"])

    def test_aBatchIsBoundedInBytes(self) -> None:
        """And still holds one event, however long that is."""
        self.make(Limits(batch=1024))
        long, longer = "x" * 500, "y" * 1500
        self.post(long, long, long, longer, longer, "z")
        self.turn.flush()
        sizes = [[len(text) for text in batch] for batch in self.texts()]
        self.assertEqual(sizes, [[500, 500], [500], [1500], [1500], [1]])

    @quiet
    @given(
        many(st.tuples(st.integers(0, 1), st.integers(0, 1500))),
        st.integers(1, 10),
    )
    def test_theBoundsHold(self, texts: list[tuple[int, int]], events: int) -> None:
        """
        For whatever is said in two rooms: each batch is within both bounds, or one event; all is
        stored once, and in the order it was said in its room.
        """
        self.batches.clear()
        self.make(Limits(events=events, batch=1024))
        for count, (room, size) in enumerate(texts):
            self.post(f"{count} ".ljust(size, "x"), room=room)
        self.turn.flush()
        for batch in self.batches:
            self.assertTrue(1 <= len(batch) <= events)
            size = sum(len(event.text) for event in batch)
            self.assertTrue(size <= 1024 or len(batch) == 1)
        for number, place in enumerate(self.rooms):
            numbers = [
                int(event.text.split()[0])
                for batch in self.batches
                for event in batch
                if event.room == place.name
            ]
            self.assertEqual(
                numbers, [count for count, (where, _) in enumerate(texts) if where == number]
            )
            self.assertEqual((place.drafts, place.posters, place.isBusy()), ([], [], False))
        while self.clock.calls:
            self.poll()


class Watcher:
    """
    Works out from the log alone what someone who writes natively must have seen of the lobby.
    """

    def __init__(self, house: House, person: Person, history: int) -> None:
        self.house = house
        self.person = person
        self.history = history
        self.text = b""

    def look(self) -> None:
        self.text += self.person.seen()

    def say(self, event: Event, mine: bool) -> str:
        if mine:
            return {
                NICK: f"-- you are now {event.target}",
                TOPIC: f"-- the topic of #lobby is now: {event.text}",
            }.get(event.kind, "")
        return {
            SAY: f"{event.author}: {event.text}",
            ME: f"* {event.author} {event.text}",
            JOIN: f"* {event.author} joined",
            LEAVE: f"* {event.author} left" + (f" ({event.text})" if event.text else ""),
            NICK: f"* {event.author} is now {event.target}",
            TOPIC: f"* {event.author} changed the topic to: {event.text}",
        }[event.kind]

    def expected(self, events: Sequence[Event]) -> list[str]:
        lines = ["-- welcome to MUCS", "-- what is your name?"]
        number = self.person.session.id
        joins = [event for event in events if (event.kind, event.origin) == (JOIN, number)]
        if not joins:
            return lines
        begin = joins[0].seq
        lines.append(f"-- you are {joins[0].author} in #lobby")
        said = [event for event in events if event.seq < begin and event.kind in SAID]
        lines += [
            f"{self.house.at(event)} {self.say(event, False)}" for event in said[-self.history :]
        ]
        lines.append("-- now")
        for event in events:
            if event.seq <= begin:
                continue
            if (event.kind, event.origin) == (LEAVE, number):
                break
            line = self.say(event, event.origin == number)
            lines += [line] * bool(line)
        return lines

    def seen(self, events: Sequence[Event]) -> list[str]:
        """
        What they saw of that: no refusals, no topic on joining, no token, and not with whom they
        are; nor their own words, which they see if it was unknown for a while whether those
        are stored.
        """
        number = self.person.session.id
        own = {
            self.say(event, False)
            for event in events
            if event.origin == number and event.kind in (SAY, ME)
        }
        lines = self.text.decode().replace("\r\n", "\n").split("\n")[:-1]
        left_out = ("! ", "-- topic: ", "-- the log is slow: ", TOKEN)
        kept = [line for line in lines if not line.startswith(left_out) and line not in own]
        return [re.sub("(in #lobby) with .*", r"\1", line) for line in kept]


class EveryoneTests(SynchronousTestCase):
    """All of it at once."""

    @settings(deadline=None, database=None, max_examples=150)
    @given(
        many(
            st.one_of(
                st.tuples(st.just("say"), st.integers(0, 5)),
                st.tuples(st.just("say"), st.integers(0, 5)),
                st.tuples(st.just("come"), st.integers(0, 2)),
                st.tuples(st.just("nick"), st.integers(0, 5)),
                st.tuples(st.just("topic"), st.integers(0, 5)),
                st.tuples(st.just("me"), st.integers(0, 5)),
                st.tuples(st.just("quit"), st.integers(0, 5)),
                st.tuples(st.just("close"), st.integers(0, 5)),
                st.tuples(st.just("reset"), st.integers(0, 5)),
                st.tuples(st.just("turn"), st.just(0)),
                st.tuples(st.just("store"), st.just(0)),
                st.tuples(st.just("store"), st.just(0)),
                st.tuples(st.just("fail"), st.just(0)),
                st.tuples(st.just("lose"), st.integers(0, 1)),
                st.tuples(st.just("wait"), st.just(0)),
            ),
        )
    )
    def test_everyoneSeesTheLog(self, moves: Sequence[tuple[str, int]]) -> None:
        """
        Whatever people do, and however late the log answers, or fails, or does not know: each of
        them has seen what was said before they came as history, and from their join to their
        leave every event of the log that is not their own, once and in order, and nothing else.
        In the end the log has everyone's coming and going.
        """
        clock = Clock()
        log = LateLog(lambda: 1_790_000_000 + clock.seconds())
        house = House(Limits(rate=0, history=3), log, clock=clock)
        watchers: list[Watcher] = []
        for count, (move, who) in enumerate(moves):
            there = [each for each in watchers if not each.person.closed]
            if move == "come":
                person = house.connect()
                watchers.append(Watcher(house, person, 3))
                person.sends(b"n%d\n" % count + b"early %d\n" % count * who)
            elif move == "turn":
                house.turn()
            elif move == "wait":
                clock.advance(AGAIN)
            elif move in ("store", "fail", "lose"):
                if log.reads:
                    log.finds()
                elif log.appends and move == "store":
                    log.stores()
                elif log.appends and move == "lose":
                    log.losesTouch(bool(who))
                elif log.appends:
                    log.fails()
                house.turn()
            elif there:
                person = there[who % len(there)].person
                if move == "close":
                    person.closes()
                elif move == "reset":
                    person.resets()
                else:
                    texts = {
                        "say": f"a{count}\nb{count}",
                        "nick": f"/nick m{count}",
                        "topic": f"/topic t{count}",
                        "me": f"/me m{count}",
                        "quit": f"/quit q{count}",
                    }
                    person.sends(texts[move].encode() + b"\n")
        for time in [*[0] * 100, AGAIN, *[0] * 100]:
            clock.advance(time)
            if log.appends or log.reads:
                log.answers()
        self.flushLoggedErrors(LogFault, Unknown)
        events = log.kept("lobby")
        self.assertEqual([event.seq for event in events], list(range(1, len(events) + 1)))
        gone = {event.origin for event in events if event.kind == LEAVE}
        for watcher in watchers:
            watcher.look()
            expected, seen = watcher.expected(events), watcher.seen(events)
            if watcher.person.closed:
                # Nothing can be shown to one whose connection is gone already.
                self.assertEqual(seen, expected[: len(seen)])
                if len(seen) > 2:
                    self.assertIn(watcher.person.session.id, gone)
            else:
                self.assertEqual(seen, expected)
        hall = house.hall
        log.prompt = True
        here = [each.person.session for each in watchers if not each.person.closed]
        names = {session.name for session in here if session.name}
        self.assertEqual({session.name for session in hall.names._names.values()}, names)
        self.assertEqual(len(hall.names._names), len(names))
        self.assertEqual({session.changes for session in here} | {0}, {0})
        for room in hall.rooms.values():
            self.assertLessEqual(set(room.members), set(here))
            self.assertTrue(room.members)
        lobby = hall.rooms.get("lobby")
        members = [member.name for member in lobby.members] if lobby else []
        present = [name for _, name in self.successResultOf(log.present())]
        self.assertEqual(sorted(present), sorted(members))
