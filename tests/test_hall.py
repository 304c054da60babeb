"""Tests for L{mucs.hall}."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs.events import DISCONNECT, JOIN, LEAVE, SAY, Event, LogError, Refused
from mucs.imucs import ICommand, IObserver
from mucs.listener import StartError
from mucs.log.memory import MemoryLog
from mucs.outlet import PATIENCE
from mucs.people import LINGER
from mucs.plugin import Guard
from mucs.rules import Limits
from tests.house import ENDS, House, HouseCase, Person

STOPPING = "! the server is shutting down"


class ConnectionsTests(HouseCase):
    """How many may come."""

    def test_asManyAsThereMayBe(self) -> None:
        """The next is told so and closed; when one has gone there is room again."""
        self.house = House(Limits(rate=0, connections=2))
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        eve = self.house.connect("native", "eve")
        self.assertEqual(
            eve.lines(), ["! the server has as many connections as it can; try again later"]
        )
        self.assertGone(eve)
        self.assertEqual(ada.lines(), ["* bob joined"])
        bob.closes()
        self.house.turn()
        self.assertFalse(self.house.connect("native", "eve").closed)

    def test_whoIsBeingClosedStillCounts(self) -> None:
        """Their descriptor is in use until the connection is gone."""
        self.house = House(Limits(rate=0, connections=1))
        ada = self.house.enters("ada")
        ada.wire.bufferSize = 1
        ada.holds()
        ada.says("/help")
        ada.says("/quit")
        self.assertTrue(self.house.connect().closed)
        self.house.clock.advance(PATIENCE)
        self.assertFalse(self.house.connect().closed)

    def test_someDescriptorsAreKept(self) -> None:
        """Without a limit there are as many as the system gives, less some for ourselves."""
        self.patch(resource, "getrlimit", lambda which: (66, 4096))
        self.house = House()
        self.assertEqual([self.house.connect().closed for _ in range(3)], [False, False, True])
        self.patch(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
        self.assertFalse(House().connect().closed)

    def test_asManyFromOneAddress(self) -> None:
        """As may be, and in ten minutes; not of those whom the listener trusts."""
        self.house = House(Limits(rate=0, address=2, arrivals=4))
        self.house.listens("native", trusted=False)
        self.house.listens("native", "local", trusted=True)
        people = [self.house.connect(host="192.0.2.1") for _ in range(3)]
        self.assertEqual([person.closed for person in people], [False, False, True])
        self.assertEqual(people[2].lines(), ["! there are 2 connections from your address already"])
        people[0].closes()
        people[1].resets()
        self.house.turn()
        self.assertEqual(self.house.hall._addresses._now, {})
        again = [self.house.connect(host="192.0.2.1") for _ in range(2)]
        self.assertEqual([person.closed for person in again], [False, False])
        again[0].closes()
        late = self.house.connect(host="192.0.2.1")
        self.assertEqual(
            late.lines(), ["! too many connections from your address: come back in 10 min"]
        )
        self.assertFalse(self.house.connect(host="192.0.2.2").closed)
        self.assertFalse(self.house.connect(host="192.0.2.1", at="local").closed)
        self.house.turn()
        self.assertGone(*people, again[0], late)

    def test_inEveryDialect(self) -> None:
        """Whoever is over a limit is told so as their client understands it; nobody else is."""
        for dialect in ENDS:
            for limits, why in (
                (Limits(rate=0, address=1), "there is 1 connection from your address already"),
                (Limits(rate=0, arrivals=1), "too many connections from your address: come back"),
                (Limits(rate=0, connections=1), "the server has as many connections as it can"),
            ):
                self.house = House(limits)
                self.house.listens(dialect, trusted=False)
                named = dialect not in ("hithere", "addr", "json")
                ada = self.house.connect(dialect, "ada" if named else "", host="192.0.2.1")
                self.house.waits(1)
                ada.seen()
                eve = self.house.connect(dialect, host="192.0.2.1")
                self.house.waits(1)
                seen = eve.seen().decode()
                self.assertIn(why, seen, dialect)
                self.assertEqual(len(seen.rstrip("\r\n\0").splitlines()), 1, seen)
                self.assertEqual((eve.wire.connected, ada.wire.connected), (False, True))
                self.assertEqual(ada.seen(), b"")

    def test_whoMustBeGoneAtOnce(self) -> None:
        """When many are over the limit that are not closed yet, the next are cut off."""
        self.house = House(Limits(rate=0, connections=2))
        self.house.listens("shh")
        people = [self.house.connect("shh") for _ in range(2 + LINGER)]
        self.assertEqual([person.wire.connected for person in people], [True] * len(people))
        for dialect in ("shh", "native"):
            late = self.house.connect(dialect)
            self.assertTrue(late.wire.disconnecting)
            self.house.clock.advance(0)
            self.assertFalse(late.wire.connected)
        self.assertTrue(people[0].wire.connected)

    def test_whoIsRefusedIsSilent(self) -> None:
        """They are no session: what they send is nothing, and no observer sees them."""
        self.house = House(Limits(connections=1), observers=[self.witness])
        ada = self.house.enters("ada")
        seen = len(self.witness.events)
        self.house.hall.seconds = self.house.clock.seconds
        eve = self.house.connect()
        eve.seen()
        for text in (b"eve\n", b"hello\n", b"/help\n", b"/quit\n", b"\xff\xfe\n", b"x" * 9999):
            eve.sends(text)
        self.house.turn()
        self.assertEqual((eve.seen(), ada.seen()), (b"", b""))
        self.assertEqual(self.witness.events[seen:], [])
        self.assertGone(eve)


class NamesTests(HouseCase):
    """Who is called what."""

    def test_namesThatNobodyCouldTellApart(self) -> None:
        """Are one: whoever has it has them all."""
        self.house.enters("Ada")
        for name in ("ada", "ADA", "\u0410da", "\uff21\uff44\uff41", "Ad\u0430"):
            person = self.house.connect("native", name)
            self.assertIn("who is here; choose another", person.lines()[-2])
            person.says(f"{name}2")
            person.says("/quit")

    def test_oneMayWriteOnesOwnNameOtherwise(self) -> None:
        """And still has it."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.seen()
        ada.says("/nick Ada")
        self.assertEqual(ada.lines(), ["-- you are now Ada"])
        self.assertEqual(bob.lines(), ["* ada is now Ada"])
        bob.says("/nick ADA", "/msg ada hi")
        self.assertIn("is too much like Ada", bob.lines()[0])
        self.assertEqual(ada.lines(), ["bob -> you: hi"])
        ada.says("/quit")
        self.assertEqual(list(self.house.hall.names._names), ["bob"])

    def test_exchangingNames(self) -> None:
        """By way of a third."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.says("/nick cyd")
        bob.says("/nick ada")
        ada.says("/nick bob")
        self.assertEqual((ada.session.name, bob.session.name), ("bob", "ada"))
        self.assertIs(self.house.hall.names.find("bob"), ada.session)
        self.assertIs(self.house.hall.names.find("ADA"), bob.session)

    def test_whoIsNotHere(self) -> None:
        """Cannot be found, nor can nobody; someone of a like name is named."""
        self.house.enters("Herleen")
        hall = self.house.hall
        for name, hint in (
            ("herlen", "; did you mean Herleen?"),
            ("xyz", "; /who lists who is"),
            ("", "; /who lists who is"),
        ):
            error = self.assertRaises(Refused, hall.names.find, name)
            self.assertEqual(str(error), f"nobody called {name} is here{hint}")

    def test_namesThatCouldBeSentences(self) -> None:
        """Who is called C{bob left} would say of C{bob} what is not so: one of them is refused."""
        bob = self.house.enters("bob")
        for name in ("Bob left", "B0B is now eve"):
            person = self.house.connect("native", name)
            about = f"! the name {name} could be about bob, who is here; choose another"
            self.assertEqual(person.lines()[-2], about)
            person.says("/quit")
        eve = self.house.enters("eve waves")
        bob.seen()
        bob.says("/nick Eve")
        self.assertEqual(
            bob.lines(), ["! the name Eve could be about eve waves, who is here; choose another"]
        )
        eve.says("/nick eve left", "/nick eve", "/quit")
        bob.says("/nick Eve", "/nick Eve left")
        self.assertEqual(bob.lines()[-2:], ["-- you are now Eve", "-- you are now Eve left"])
        self.assertEqual(self.house.hall.names._spaced, {"eve": {"eve left": bob.session}})

    def test_theServersOwnName(self) -> None:
        """Nobody has it, however it is written."""
        self.house = House(called="Mühle 7")
        person = self.house.connect("native", "MÜHLE 7")
        self.assertIn("is the server's own name", person.lines()[-2])


class RoomsTests(HouseCase):
    """Which rooms there are."""

    def test_aRoomIsMadeWhenItIsEntered(self) -> None:
        """By whatever it is called first; later it is found however that is written."""
        hall = self.house.hall
        room = hall.room("#Garden")
        self.assertEqual(room.name, "Garden")
        self.assertIs(hall.room("gARDEN"), room)
        self.assertIs(hall.room(" garden ", make=False), room)
        self.assertIsNot(hall.room("lobby"), room)

    def test_aRoomThatThereIsNot(self) -> None:
        """Is not made by asking for it."""
        hall = self.house.hall
        self.assertRaises(Refused, hall.room, "garden", make=False)
        self.assertRaises(Refused, hall.room, "a,b")
        self.assertRaises(Refused, hall.room, "x" * 51)
        self.assertEqual(hall.rooms, {})

    def test_aRoomGoesWhenNothingIsToBeStoredThere(self) -> None:
        """Not before."""
        hall = self.house.hall
        room = hall.room("garden")
        room.post(Event("garden", 0, 0, "ada", SAY, "hello"), None)
        hall.left(room)
        self.assertEqual(list(hall.rooms), ["garden"])
        self.house.turn()
        hall.left(room)
        self.assertEqual(hall.rooms, {})
        hall.left(room)

    def test_anOldRoomIsNotTakenForTheNewOne(self) -> None:
        """A room that went, and was made again, is not taken away with the old one."""
        hall = self.house.hall
        old = hall.room("garden")
        hall.left(old)
        new = hall.room("garden")
        hall.left(old)
        self.assertEqual(hall.rooms, {"garden": new})

    def test_whoHasNoPlaceIsNotAskedForOne(self) -> None:
        """
        Where the log forgets the quietest rooms, people in them still see everything, also those
        who have fallen behind.
        """
        from mucs.log import memory

        self.patch(memory, "ROOMS", 1)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.seen()
        ada.wire.bufferSize = 1
        ada.holds()
        bob.says("one", "two")
        bob.says("/msg ada x", "/join garden", "elsewhere", "/join lobby", "three")
        ada.reads()
        self.house.turn()
        self.assertEqual(ada.lines(), ["bob: one", "bob: two", "bob: three", "bob -> you: x"])
        self.assertEqual(self.house.room().head, 5)


class PluginsTests(HouseCase):
    """What plugins may do to the hall."""

    def test_aBrokenObserver(self) -> None:
        """Is named in the log, is left out after five faults, and is in nobody's way."""

        @implementer(IObserver)
        class Broken:
            name = "broken"
            summary = "raises"

            def observe(self, batch: Sequence[tuple[Event, Any]]) -> None:
                if batch[0][0].kind == SAY:
                    raise ZeroDivisionError

        self.house = House(observers=[Broken(), self.witness])
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        for n in range(10):
            ada.says(str(n))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), Guard.FAULTS)
        self.assertEqual(len(bob.lines()), 10)
        self.assertEqual(len(self.witness.saw(SAY)), 10)

    def test_aBrokenCommand(self) -> None:
        """Its caller is told, each time, and in the end that it is switched off."""

        @implementer(ICommand)
        class Broken:
            name = "broken"
            summary = "raises"
            role = "guest"
            usage = "/broken"

            def run(self, session: Any, argument: str) -> Sequence[Event]:
                raise ZeroDivisionError

        self.house = House()
        self.house.hall.commands = {"broken": Broken(), **self.house.hall.commands}
        ada = self.house.enters("ada")
        ada.says(*["/broken"] * (Guard.FAULTS + 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), Guard.FAULTS)
        failed = "! /broken failed; the server's log says why"
        off = "! /broken is switched off, because it failed too often"
        self.assertEqual(ada.lines(), [failed] * Guard.FAULTS + [off])


class StartingTests(SynchronousTestCase):
    """The beginning."""

    def kept(self, house: House, room: str = "lobby") -> list[tuple[int, str, str, str]]:
        """What the log has of a room."""
        return [(event.seq, event.kind, event.author, event.text) for event in house.stored(room)]

    def test_thoseWhoWereHere(self) -> None:
        """When the server ended in whatever way: they are not any more, and that is known once."""
        old = House()
        for name in ("ada", "bob", "cyd"):
            old.enters(name).says("/join garden")
        old.people[1].says("/nick rob")
        old.people[2].says("/quit")
        house = House(log=old.log)
        eve = house.connect("native", "eve")
        self.assertEqual(eve.lines()[2].split(";")[0], "-- you are eve in #lobby with nobody else")
        why = "the server stopped"
        gone = [(LEAVE, "ada", why), (LEAVE, "rob", why)]
        self.assertEqual([event[1:] for event in self.kept(house, "garden")[-2:]], gone)
        lobby = self.kept(house)
        self.assertEqual([event[1:] for event in lobby[-3:]], [*gone, (JOIN, "eve", "")])
        self.assertEqual([event[0] for event in lobby], list(range(1, len(lobby) + 1)))
        eve.says("/quit")
        count = len(self.kept(house))
        again = House(log=old.log)
        again.turn()
        self.assertEqual(len(self.kept(again)), count)

    def test_anEmptyRoomDoesNotStay(self) -> None:
        """There is nobody in it, once that is stored."""
        old = House()
        old.enters("ada").says("/join garden")
        house = House(log=old.log)
        house.turn()
        eve = house.enters("eve")
        eve.says("/rooms")
        self.assertEqual(eve.lines(), ["-- #lobby, 1 in it (you speak here)"])

    def test_aLogThatCannotBeUsed(self) -> None:
        """Is refused with its own words, before anything listens."""

        class Broken(MemoryLog):
            def open(self) -> None:
                raise LogError("mucs.sqlite: it is damaged")

        error = self.assertRaises(StartError, House, log=Broken(lambda: 0.0))
        self.assertEqual(str(error), "mucs.sqlite: it is damaged")

    def test_itIsUnknownWhoWasHere(self) -> None:
        """That is written down, and the server begins."""

        class Forgetful(MemoryLog):
            def present(self) -> Deferred[list[tuple[str, str]]]:
                return fail(LogError("it cannot be read"))

        house = House(log=Forgetful(lambda: 0.0))
        self.assertEqual(len(self.flushLoggedErrors(LogError)), 1)
        self.assertFalse(house.enters("ada").closed)


class StoppingTests(HouseCase):
    """The end."""

    limits = Limits()

    def stops(self) -> Any:
        """The service is asked to stop."""
        return self.house.hall.stopService()

    def test_withNobodyHere(self) -> None:
        """It is over at once."""
        self.house.listens("native")
        self.successResultOf(self.stops())

    def test_everyoneIsTold(self) -> None:
        """And closed, wherever they stand; then it is over, and nothing is left."""
        self.house.listens("native", "small", seats=1)
        ada, shh, hi = (
            self.house.enters("ada"),
            self.house.enters("shy", "shh"),
            self.house.enters("", "hithere"),
        )
        seated = self.house.connect("native", "bob", at="small")
        waiting = [self.house.connect("native", at="small") for _ in range(3)]
        naming = self.house.connect()
        self.house.waits(1)
        self.house.rests()
        stopped = self.stops()
        everyone = [ada, seated, *waiting, naming, hi]
        self.assertEqual([person.lines() for person in everyone], [[STOPPING]] * 7)
        self.house.waits(0.1)
        self.assertEqual(shh.seen(), STOPPING.encode())
        self.assertGone(*everyone, shh)
        self.successResultOf(stopped)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.witness.saw(DISCONNECT)), 8)
        self.assertEqual(self.house.hall.rooms, {})
        leaves = [event.text for event in self.house.stored() if event.kind == "leave"]
        self.assertEqual(leaves, ["the server is shutting down"] * 4)

    def test_whatWaitsIsDone(self) -> None:
        """What people have sent, and may wait, is said to all before they are closed."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()
        for n in range(97):
            ada.sends(b"%d\n" % n)
        ada.sends(b"/nick eve\nbye\n")
        stopped = self.stops()
        said = [f"ada: {n}" for n in range(97)]
        self.assertEqual(bob.lines(), [*said, "* ada is now eve", "eve: bye", STOPPING])
        self.house.turn()
        self.successResultOf(stopped)

    def test_whatIsUnreadIsSent(self) -> None:
        """Also to those who are sent to in batches: what was said last is not lost."""
        ada, shh = self.house.enters("ada"), self.house.enters("shy", "shh")
        self.house.waits(1)
        shh.wire.writes.clear()
        for n in range(3):
            ada.says(str(n))
        ada.sends(b"last\n")
        stopped = self.stops()
        self.assertNoResult(stopped)
        self.house.waits(0.2)
        texts = [data for _, data in shh.wire.writes]
        self.assertEqual(
            texts, [b"->ada: 0", b"->ada: 1\n->ada: 2\n->ada: last\n" + STOPPING.encode()]
        )
        self.successResultOf(stopped)

    def test_whoDoesNotReadIsNotWaitedForLong(self) -> None:
        """Five seconds."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.wire.bufferSize = 1
        ada.holds()
        bob.says("hello")
        stopped = self.stops()
        self.house.clock.advance(PATIENCE - 0.1)
        self.assertNoResult(stopped)
        self.assertFalse(bob.wire.connected)
        self.house.clock.advance(0.1)
        self.successResultOf(stopped)
        self.assertGone(ada, bob)

    def test_whoComesNow(self) -> None:
        """Is refused: an accepted connection may still be on its way."""
        ada = self.house.enters("ada")
        ada.holds()
        ada.says("/who")
        factory = self.house._doors["native", ""].factory
        stopped = self.stops()
        self.assertIsNone(self.house._doors["native", ""].factory)
        self.house._doors["native", ""].factory = factory
        late = self.house.connect()
        self.assertEqual(late.lines(), [STOPPING])
        self.assertGone(late)
        ada.reads()
        self.house.turn()
        self.successResultOf(stopped)

    def test_whoLeavesMeanwhile(self) -> None:
        """Does so once."""
        people: list[Person] = [self.house.enters(f"c{n}") for n in range(3)]
        people[0].sends(b"/quit\n")
        people[1].finishes()
        stopped = self.stops()
        self.house.turn()
        self.assertGone(*people)
        self.successResultOf(stopped)
        leaves = [event.author for event in self.house.stored() if event.kind == "leave"]
        self.assertEqual(sorted(leaves), ["c0", "c1", "c2"])
