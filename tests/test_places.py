"""Tests for L{mucs.places}, and for coming back: C{/resume}, and C{rooms} in C{json}."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.log.memory import MemoryLog
from mucs.places import KEPT, Place, Places
from mucs.rules import Limits
from mucs.spans import moment
from tests.house import BEGINNING, TOKEN, House, HouseCase, Person
from tests.log.late import LateLog, LogFault

NO_GOOD = "! that token is good for nothing any more; what is your name?"
WELCOME = "-- you are {} in #lobby with {}; /help lists commands, /quit leaves"


class PlacesTests(SynchronousTestCase):
    """What is kept, and for how long."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.step = 0.0
        self.log = MemoryLog(self.wall)
        self.places = self.restarts()
        self.place = Place("ada", {"garden": 0, "lobby": 7}, 3)

    def wall(self) -> float:
        return BEGINNING + self.clock.seconds() + self.step

    def restarts(self) -> Places:
        """The server begins anew, with the same log."""
        return Places(self.log, self.wall, self.clock.seconds)

    def take(self, token: str) -> Place | None:
        return self.successResultOf(self.places.take(token))

    def test_tokens(self) -> None:
        """Each is another, of 128 bits, in letters and digits."""
        tokens = {self.places.token() for _ in range(100)}
        self.assertEqual(len(tokens), 100)
        for token in tokens:
            self.assertRegex(token, "^[a-z2-7]{26}$")

    def test_once(self) -> None:
        """Then it is of no more use; nor is one that never was."""
        token = self.places.token()
        self.places.keep(token, self.place)
        self.assertIsNone(self.take(("y" if token[0] == "x" else "x") + token[1:]))
        self.assertEqual(self.take(f" {token.upper()} "), self.place)
        self.assertIsNone(self.take(token))
        self.places = self.restarts()
        self.assertIsNone(self.take(token))

    def test_aRestart(self) -> None:
        """It is good after one, too, once; but the session's number is somebody else's then."""
        token = self.places.token()
        self.places.keep(token, self.place)
        self.places = self.restarts()
        self.assertEqual(self.take(token), self.place.elsewhere())
        self.assertEqual(self.place.elsewhere().session, 0)
        self.assertIsNone(self.take(token))
        self.places = self.restarts()
        self.assertIsNone(self.take(token))

    def test_tenMinutes(self) -> None:
        """And no longer, before a restart and after one."""
        for restarts in (False, True):
            for wait, kept in ((KEPT - 1, True), (KEPT + 1, False)):
                token = self.places.token()
                self.places.keep(token, self.place)
                self.clock.advance(wait)
                if restarts:
                    self.places = self.restarts()
                place = self.place.elsewhere() if restarts else self.place
                self.assertEqual(self.take(token), place if kept else None)

    def test_aClockThatSteps(self) -> None:
        """Makes no difference to those of this run."""
        for step in (3600, -86400, 86400):
            token, other = self.places.token(), self.places.token()
            self.places.keep(token, self.place)
            self.places.keep(other, self.place)
            self.step += step
            self.clock.advance(KEPT - 1)
            self.assertEqual(self.take(token), self.place)
            self.clock.advance(2)
            self.assertIsNone(self.take(other))

    def test_whatIsKeptOfAToken(self) -> None:
        """Its hash: nobody who reads the log can come back with it."""
        token = self.places.token()
        self.places.keep(token, self.place)
        self.assertNotIn(token, repr(self.log._memories))
        self.assertNotIn(token, repr(self.places._kept))

    def test_notForEver(self) -> None:
        """Those that nobody came back for are forgotten."""
        for _ in range(100):
            self.places.keep(self.places.token(), self.place)
            self.clock.advance(KEPT / 10)
        self.assertLessEqual(len(self.places._kept), 11)

    def test_aLogThatFails(self) -> None:
        """Its operator is told; the place is known as long as the server runs."""
        log = LateLog(self.wall)
        self.places = Places(log, self.wall, self.clock.seconds)
        token = self.places.token()
        self.places.keep(token, self.place)
        log.findsNothing()
        self.assertEqual(len(self.flushLoggedErrors(LogFault)), 1)
        answer = self.places.take(token)
        log.findsNothing()
        self.assertEqual(self.successResultOf(answer), self.place)
        self.assertEqual(len(self.flushLoggedErrors(LogFault)), 1)


class StopTests(HouseCase):
    """The end of the server."""

    def test_oneCommitForAll(self) -> None:
        """However many are here, and each can come back after a restart."""
        calls: list[Mapping[str, bytes]] = []
        log = MemoryLog(lambda: self.house.wall())
        remember = log.remember

        def counted(values: Mapping[str, bytes], until: int) -> Deferred[None]:
            calls.append(values)
            return remember(values, until)

        self.patch(log, "remember", counted)
        self.house = House(log=log)
        tokens = [self.house.enters(f"person{n}").token for n in range(20)]
        left = self.house.enters("eve")
        left.resets()
        self.house.turn()
        self.assertEqual([len(each) for each in calls], [1])
        self.house.hall.stopService()
        self.house.turn()
        self.assertEqual([len(each) for each in calls], [1, 20])
        again = Places(log, self.house.wall, self.house.clock.seconds)
        found = [self.successResultOf(again.take(token)) for token in tokens]
        self.assertEqual([each and each.name for each in found], [f"person{n}" for n in range(20)])


class ResumeTests(HouseCase):
    """C{/resume}."""

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.house.enters("bob")
        self.ada = self.house.enters("ada")
        self.house.rests()

    def returns(self, token: str) -> Person:
        """Someone comes with a token."""
        person = self.house.connect()
        person.seen()
        person.says(f"/resume {token}")
        return person

    def shown(self, person: Person) -> list[str]:
        """What they see, without the times."""
        return [re.sub("^[0-9]{2}:[0-9]{2} ", "", line) for line in person.lines()]

    def test_whereTheTokenStands(self) -> None:
        """After the message of the day, and before what was said; and it is another each time."""
        self.house = House(motd=["tea at four"])
        bob = self.house.enters("bob")
        bob.says("hello")
        ada = self.house.connect("native", "ada")
        lines = ada.seen().decode().split("\r\n")[2:-1]
        self.assertEqual(lines[:2], [WELCOME.format("ada", "bob"), "-- tea at four"])
        self.assertEqual(lines[2], TOKEN + ada.token)
        self.assertEqual([line[-5:] for line in lines[3:]], ["hello", "- now"])
        ada.says("/join garden")
        self.assertNotIn(b"resume", ada.seen())
        self.assertNotEqual(ada.token, bob.token)

    def test_thoseWhoHaveNone(self) -> None:
        """Who is shown no history, or reads it by numbers, is told none."""
        for dialect in ("shh", "cstring", "hithere", "addr", "fiveseat", "json"):
            person = self.house.connect(dialect, "eve")
            self.house.waits(0.2, 0.05)
            self.assertNotIn(b"resume", person.seen())
            person.closes()
            self.house.turn()

    def test_whatWasMissed(self) -> None:
        """All of it, once, and then what is now: no gap, no repeat."""
        token = self.ada.token
        self.bob.says("before")
        self.ada.resets()
        self.house.turn()
        self.bob.says("one", "/me waves", "/topic tea", "/nick rob")
        self.house.enters("eve").says("two", "/quit bye")
        back = self.returns(token)
        self.assertEqual(
            self.shown(back),
            [
                WELCOME.format("ada", "rob"),
                "-- topic: tea",
                "-- 7 missed",
                "bob: one",
                "* bob waves",
                "* bob changed the topic to: tea",
                "* bob is now rob",
                "* eve joined",
                "eve: two",
                "* eve left (bye)",
                "-- now",
            ],
        )
        self.bob.says("three")
        self.assertEqual(back.lines(), ["rob: three"])
        self.assertNotEqual(back.token, token)

    def test_whatHadNotBeenRead(self) -> None:
        """Counts as missed."""
        token = self.ada.token
        self.ada.wire.bufferSize = 5
        self.ada.holds()
        self.bob.says("one, which fills it")
        self.house.turn()
        self.bob.says("two")
        self.ada.resets()
        self.house.turn()
        self.assertEqual(self.shown(self.returns(token))[1:], ["-- 1 missed", "bob: two", "-- now"])

    def test_tooMuchWasMissed(self) -> None:
        """How much is skipped is said, and the last of it is shown."""
        self.house = House(Limits(rate=0, behind=10, resume=2))
        self.bob, ada = self.house.enters("bob"), self.house.enters("ada")
        token = ada.token
        ada.resets()
        self.house.turn()
        for n in range(20):
            self.bob.says(str(n))
        lines = self.shown(self.returns(token))
        self.assertEqual(lines[1], "-- 19 messages skipped; /history 19 before 22 shows them")
        self.assertEqual(lines[2:], ["-- 2 missed", "bob: 18", "bob: 19", "-- now"])

    def test_everyRoom(self) -> None:
        """And one speaks in the one in which one did."""
        self.bob.says("/join garden")
        self.ada.says("/join attic", "/join garden", "/join lobby")
        token = self.ada.token
        self.ada.resets()
        self.house.turn()
        self.bob.says("roses", "/join lobby", "tea")
        back = self.returns(token)
        lines = self.shown(back)
        self.assertEqual(len([line for line in lines if line.startswith("-- you are ada in")]), 3)
        self.assertEqual(lines.count("bob: roses"), 1)
        self.assertEqual(lines.count("bob: tea"), 1)
        self.assertEqual(lines.count("-- now"), 3)
        rooms = [room.name for room in back.session.rooms]
        self.assertEqual(sorted(rooms), ["attic", "garden", "lobby"])
        self.bob.seen()
        back.says("here")
        self.assertEqual(self.bob.lines(), ["ada: here"])

    def test_anotherHasTheName(self) -> None:
        """It is theirs; one gives another, and has the rooms and places all the same."""
        token = self.ada.token
        self.ada.says("/join garden")
        self.ada.resets()
        self.house.turn()
        self.house.enters("Ada")
        self.bob.says("one")
        back = self.returns(token)
        self.assertEqual(
            back.lines(),
            [
                "! the name ada is too much like Ada, who is here; choose another; "
                "you come back to your rooms all the same",
                "-- what is your name?",
            ],
        )
        back.says("eve")
        lines = self.shown(back)
        self.assertIn("bob: one", lines)
        self.assertEqual(
            [line for line in lines if "missed" in line], ["-- 3 missed", "-- 1 missed"]
        )
        self.assertEqual([room.name for room in back.session.rooms], ["lobby", "garden"])

    def test_theNameOfTheDeadLine(self) -> None:
        """A line that is dead, and of which that is not known yet, has to give the name up."""
        token = self.ada.token
        self.bob.says("one")
        back = self.returns(token)
        self.assertEqual(self.shown(back)[1:], ["-- 0 missed", "-- now"])
        self.assertEqual(back.session.name, "ada")
        self.assertEqual(self.ada.lines(), ["bob: one", "! you came back by another line"])
        self.assertGone(self.ada)
        lines = self.bob.lines()
        self.assertEqual(lines, ["* ada left (you came back by another line)", "* ada joined"])
        self.assertEqual(self.returns(token).lines(), [NO_GOOD, "-- what is your name?"])

    def test_once(self) -> None:
        """A token is good for one return, which brings another."""
        token = self.ada.token
        self.ada.closes()
        self.house.turn()
        back = self.returns(token)
        self.assertEqual(back.session.name, "ada")
        again = self.returns(token)
        self.assertEqual(again.lines(), [NO_GOOD, "-- what is your name?"])
        back.resets()
        self.house.turn()
        self.assertEqual(self.returns(back.token).session.name, "ada")

    def test_everyEndButOne(self) -> None:
        """Keeps the place; C{/quit}, by whatever dialect's word, does not."""
        for end, kept in (
            (lambda person: person.closes(), True),
            (lambda person: person.resets(), True),
            (lambda person: person.finishes(), True),
            (lambda person: person.session.dismiss("begone"), True),
            (lambda person: person.says("/quit"), False),
            (lambda person: person.says("/quit for today"), False),
            (lambda person: person.says("!q"), False),
        ):
            eve = self.house.enters("eve")
            end(eve)
            self.house.turn()
            self.assertGone(eve)
            back = self.returns(eve.token)
            self.assertEqual(back.session.name, "eve" if kept else "")
            back.says("/quit")

    def test_tenMinutes(self) -> None:
        """Later it is good for nothing."""
        for wait, name in ((KEPT - 1, "ada"), (KEPT + 1, "")):
            token = self.ada.token
            self.ada.resets()
            self.house.turn()
            self.house.clock.advance(wait)
            self.ada = self.returns(token)
            self.assertEqual(self.ada.session.name, name)

    def test_afterARestart(self) -> None:
        """The log has the place, and who was in is told to have left."""
        token = self.ada.token
        self.bob.says("one")
        self.house.hall.stopService()
        self.house.turn()
        self.house = House(log=self.house.log, clock=self.house.clock)
        back = self.returns(token)
        self.assertEqual(self.shown(back)[0], WELCOME.format("ada", "nobody else"))
        self.assertEqual(back.session.name, "ada")

    def crash(self) -> None:
        """The process is killed: nothing more is written, and nobody is told."""
        self.house = House(log=self.house.log, clock=self.house.clock)

    def test_afterACrash(self) -> None:
        """One comes back to what was noted, and is shown what came since, once more perhaps."""
        token = self.ada.token
        self.ada.says("/join garden", "/join lobby")
        self.bob.says("one")
        self.house.hall.notePlaces()
        at = moment(self.house.hall.history.now())
        self.bob.says("two")
        self.house.clock.advance(50)
        self.crash()
        back = self.returns(token)
        lines = self.shown(back)
        self.assertEqual(
            lines[0], f"-- the server broke off; you are shown all since {at}, some of it again"
        )
        self.assertEqual([line for line in lines if line.startswith("bob: ")], ["bob: two"])
        self.assertEqual(sorted(room.name for room in back.session.rooms), ["garden", "lobby"])
        self.assertEqual(self.shown(self.returns(token))[0], NO_GOOD)

    def test_aTokenIsGoodForOneReturn(self) -> None:
        """Though its place was noted: not after a return, a quit, or a crash behind them."""
        ada, bob = self.ada.token, self.bob.token
        self.house.hall.notePlaces()
        self.bob.says("/quit")
        back = self.returns(ada)
        self.assertEqual(back.session.name, "ada")
        for token in (ada, bob):
            self.assertEqual(self.shown(self.returns(token))[0], NO_GOOD)
        self.crash()
        for token in (ada, bob):
            self.assertEqual(self.shown(self.returns(token))[0], NO_GOOD)

    def test_whatWasNotedIsReplaced(self) -> None:
        """By what is kept when a line is lost: that is exact, and says nothing of a crash."""
        token = self.ada.token
        self.house.hall.notePlaces()
        self.bob.says("one")
        self.ada.resets()
        self.house.turn()
        self.bob.says("two")
        self.crash()
        lines = self.shown(self.returns(token))
        self.assertEqual(lines[0], WELCOME.format("ada", "nobody else"))
        self.assertEqual([line for line in lines if line.startswith("bob: ")], ["bob: two"])

    def test_wrongly(self) -> None:
        """One is told, and asked again; who is in needs none."""
        eve = self.house.connect()
        eve.seen()
        for text, why in (
            ("/resume", "! with which token? it was shown when you came in: /resume TOKEN"),
            ("/resume abc", NO_GOOD),
            ("/resume " + "a" * 3000, NO_GOOD),
            ("/resume \u00e9\U0001f642", NO_GOOD),
        ):
            eve.says(text)
            self.assertEqual(eve.lines(), [why, "-- what is your name?"])
        eve.says("eve")
        eve.seen()
        eve.says(f"/resume {self.ada.token}")
        self.assertEqual(eve.lines(), ["! you are in already; /resume is for the first line"])
        self.assertFalse(self.ada.closed)

    def test_aSlowLog(self) -> None:
        """What stands behind the token waits; who is gone before the answer is not in."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        token = ada.token
        ada.resets()
        self.house.turn()
        bob.seen()
        self.house = House(log=log, clock=self.house.clock)
        log.prompt = False
        back = self.house.connect()
        back.seen()
        back.sends(f"/resume {token}\nhello\n".encode())
        self.house.turn()
        self.assertEqual(back.lines(), [])
        for _ in range(9):
            log.answers()
            self.house.turn()
        self.assertEqual(back.session.name, "ada")
        self.assertEqual(log.kept("lobby")[-1].text, "hello")
        self.house = House(log=log, clock=self.house.clock)
        gone = self.house.connect()
        gone.says(f"/resume {back.token}")
        gone.resets()
        for _ in range(9):
            log.answers()
            self.house.turn()
        self.assertGone(gone)


class NumbersTests(HouseCase):
    """A program remembers the numbers itself."""

    def test_whatWasMissed(self) -> None:
        """All of it, in every room, also one's own coming and going."""
        bob = self.house.enters("bob")
        bot = self.house.connect("json", "bot")
        self.assertEqual(bot.told()[-1], {"now": "lobby", "seq": 2})
        bot.asks({"do": "/join garden"})
        bob.says("one")
        self.assertEqual([told["seq"] for told in bot.told()], [3])
        bot.resets()
        self.house.turn()
        bob.says("two", "/join garden", "three")
        back = self.house.connect("json")
        told = back.asks({"name": "bot", "rooms": {"lobby": 3, "garden": 1}})
        seen = [(one["room"], one["seq"], one["event"]) for one in told if "event" in one]
        self.assertEqual(
            seen,
            [
                ("lobby", 4, "leave"),
                ("lobby", 5, "say"),
                ("garden", 2, "leave"),
                ("garden", 3, "join"),
                ("garden", 4, "say"),
            ],
        )
        self.assertTrue(all(one["past"] for one in told if "event" in one))
        counts = [one["missed"] for one in told if "missed" in one]
        self.assertEqual(counts, [{"room": "lobby", "count": 2}, {"room": "garden", "count": 3}])
        now = [one for one in told if "now" in one]
        self.assertEqual(now, [{"now": "lobby", "seq": 6}, {"now": "garden", "seq": 5}])

    def test_aGap(self) -> None:
        """More than is at hand is skipped, from where one was; and the numbers add up."""
        self.house = House(Limits(rate=0, behind=10, resume=2))
        bob = self.house.enters("bob")
        for n in range(20):
            bob.says(str(n))
        told = self.house.connect("json").asks({"name": "bot", "rooms": {"lobby": 1}})
        gap = next(one["gap"] for one in told if "gap" in one)
        seqs = [one["seq"] for one in told if "event" in one]
        self.assertEqual(gap, {"room": "lobby", "after": 1, "skipped": seqs[0] - 2})
        self.assertEqual([*seqs, told[-1]["seq"]], [20, 21, 22])
