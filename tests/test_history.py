"""Tests for L{mucs.history} and its commands: looking back, finding, and taking back."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail

from mucs.events import SAY, UNDO, WITHDRAWN, NotStored
from mucs.gaps import MOST
from mucs.history import AT_ONCE, LEAVEN
from mucs.log.memory import MemoryLog
from mucs.plugins.command_history import USAGE as USE
from mucs.plugins.command_search import MOST as FOUND
from mucs.plugins.command_status import LATE
from mucs.plugins.command_undo import WITHIN
from mucs.rules import Limits
from tests.house import BEGINNING, House, HouseCase, Person
from tests.log.late import LateLog, LogFault

NOTHING = "-- nothing was said here in that time"
NOT_FOUND = "-- nothing found in the rooms you are in"
USAGE = f"! {USE}; N is at most 500, a time is like 30s, 10m, 2h or 3d"


def more(seq: int, count: int = 20) -> str:
    """What is said below what was said, if there is something before it."""
    return f"-- that was it; /history {count} before {seq} shows what was before"


#: And if there is not.
ALL = "-- that was it"


class BackCase(HouseCase):
    """With two people in the lobby, who have not said anything yet: numbers go on at 3."""

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def asks(self, person: Person, *texts: str) -> list[str]:
        """What someone is answered, the times left out."""
        person.seen()
        person.says(*texts)
        return [line[6:] if line[2:3] == ":" else line for line in person.lines()]


class HistoryTests(BackCase):
    """C{/history}."""

    def test_aPageAtATime(self) -> None:
        """20 things, or as many as one asks for; then those before them, to the first."""
        said = [f"ada: {n}" for n in range(45)]
        for n in range(45):
            self.ada.says(str(n))
        self.assertEqual(self.asks(self.bob, "/history"), [*said[25:], more(28)])
        self.assertEqual(self.asks(self.bob, "/history 2"), [*said[43:], more(46, 2)])
        self.assertEqual(self.asks(self.bob, "/history before 28"), [*said[5:25], more(8)])
        self.assertEqual(self.asks(self.bob, "/history before 8"), [*said[:5], ALL])
        self.assertEqual(self.asks(self.bob, "/history before 3"), [NOTHING])
        self.assertEqual(self.asks(self.bob, f"/history {MOST}"), [*said, ALL])

    def test_aPageBeforeAnother(self) -> None:
        """As many as one asks for, in whichever order one says so; and that of another room."""
        said = [f"ada: {n}" for n in range(45)]
        for n in range(45):
            self.ada.says(str(n))
        for asked in ("/history 5 before 28", "/history before 28 5"):
            self.assertEqual(self.asks(self.bob, asked), [*said[20:25], more(23, 5)])
        self.assertEqual(self.asks(self.bob, "/history 5 before 8"), [*said[:5], ALL])
        self.bob.says("/join garden")
        self.assertEqual(
            self.asks(self.bob, "/history 5 before 28 in lobby"),
            [
                *said[20:25],
                "-- that was it; /history 5 before 23 in lobby shows what was before",
            ],
        )
        self.assertEqual(
            self.asks(self.ada, "/history in garden"),
            ["! you are not in #garden; /join it first"],
        )

    def test_muchComingAndGoing(self) -> None:
        """What was said before it is found all the same, as is the way to it."""
        self.ada.says("one", "two")
        for _ in range(AT_ONCE):
            self.house.enters("eve").says("/quit")
        self.assertEqual(self.asks(self.bob, "/history 1"), ["ada: two", more(4, 1)])
        self.assertEqual(self.asks(self.bob, "/history"), ["ada: one", "ada: two", ALL])

    def test_whatWasSkipped(self) -> None:
        """The line that says so says how one sees it, and that is so: also in another room."""
        log = MemoryLog(lambda: BEGINNING)
        self.house = House(Limits(rate=0, behind=10, resume=2), log=log)
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        ada.says("/join garden")
        ada.wire.bufferSize = 5
        ada.seen()
        ada.holds()
        for n in range(30):
            bob.says(str(n))
        ada.reads()
        self.house.turn()
        lines = ada.lines()
        (skipped,) = (line for line in lines if "skipped" in line)
        self.assertEqual(
            skipped, "-- 27 messages skipped; /history 27 before 31 in lobby shows them"
        )
        found = self.asks(ada, "/history 27 before 31 in lobby")
        self.assertEqual(len(found), 28)
        self.assertEqual((found[0], found[26]), ("bob: 1", "bob: 27"))

    def test_since(self) -> None:
        """By seconds, minutes, hours or days; with the time at which each was said."""
        for text, wait in (("one", 3600), ("two", 50), ("three", 10)):
            self.ada.says(text)
            self.house.clock.advance(wait)
        for time, lines in (
            ("9s", [NOTHING]),
            ("10s", ["ada: three", more(5, MOST)]),
            ("1m", ["ada: two", "ada: three", more(4, MOST)]),
            ("1h", ["ada: two", "ada: three", more(4, MOST)]),
            ("2h", ["ada: one", "ada: two", "ada: three", ALL]),
            ("999999d", ["ada: one", "ada: two", "ada: three", ALL]),
        ):
            self.assertEqual(self.asks(self.bob, f"/history since {time}"), lines, time)
        self.bob.says("/history 1")
        at = self.house.at(self.house.stored()[-1])
        self.assertEqual(self.bob.lines(), [f"{at} ada: three", more(5, 1)])

    def test_whatWasSaid(self) -> None:
        """What people do, and topics, are; who came and went is not, and takes no place."""
        self.ada.says("one", "/me waves", "/topic tea", "/nick eve")
        for n in range(LEAVEN):
            self.house.enters(f"c{n}").says("/quit")
        lines = ["ada: one", "* ada waves", "* ada changed the topic to: tea", ALL]
        self.assertEqual(self.asks(self.bob, "/history"), lines)

    def test_whatCannotBe(self) -> None:
        """Is refused with how it is written."""
        for wrong in (
            "0",
            str(MOST + 1),
            "-1",
            "\u00b2",
            "1 2",
            "x",
            "since",
            "since 10",
            "since m",
            "since 10 m",
            "since -1m",
            "since 9999999d",
            "before",
            "before x",
            "before -1",
            "5 before",
            "before 3 before 4",
            "before 3 since 1m",
            "501 before 3",
            "0 before 3",
            "in",
        ):
            self.assertEqual(self.asks(self.bob, f"/history {wrong}"), [USAGE], wrong)
        self.assertEqual(self.asks(self.bob, f"/history before {'9' * 40}"), [NOTHING])

    def test_whereOneSpeaks(self) -> None:
        """And nowhere else; in no room there is none."""
        self.ada.says("/join garden", "roses")
        self.bob.says("tea")
        self.assertEqual(self.asks(self.ada, "/history"), ["ada: roses", ALL])
        refused = "! you are in no room; /join ROOM takes you to one"
        self.assertEqual(self.asks(self.bob, "/leave", "/history")[1:], [refused])

    def test_whatWasSaidJustNow(self) -> None:
        """Is there already, though it came in the same segment."""
        self.ada.sends(b"one\n/history\ntwo\n")
        self.house.turn()
        self.assertEqual(self.ada.lines()[0][6:], "ada: one")
        self.assertEqual(self.bob.lines(), ["ada: one", "ada: two"])

    def test_aSlowLog(self) -> None:
        """What one asks for next waits for the answer; nobody else does."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.says("one")
        self.house.rests()
        log.prompt = False
        ada.says("/history", "two")
        bob.says("three")
        log.stores()
        self.house.turn()
        self.assertEqual((ada.lines(), bob.lines()), (["bob: three"], []))
        log.finds()
        self.house.turn()
        self.assertEqual([line[6:] for line in ada.lines()][:2], ["ada: one", "bob: three"])
        log.stores()
        self.assertEqual(bob.lines(), ["ada: two"])

    def test_aLogThatCannotBeRead(self) -> None:
        """One is told, and the operator is; what one asks for next is done."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()
        log.prompt = False
        for text in ("/history", "/search tea"):
            ada.says(text)
            log.findsNothing()
            self.house.turn()
            self.assertEqual(len(self.flushLoggedErrors(LogFault)), 1)
            self.assertEqual(ada.lines(), ["! that failed; the server's log says why"])
        ada.says("one")
        log.stores()
        self.assertEqual(bob.lines(), ["ada: one"])

    def test_goneBeforeTheAnswer(self) -> None:
        """It is nobody's then."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada = self.house.enters("ada")
        log.prompt = False
        ada.says("/history")
        ada.session.dismiss("begone")
        log.answers()
        self.house.turn()
        log.answers()
        self.assertGone(ada)


class SearchTests(BackCase):
    """C{/search}."""

    def test_nothingButSigns(self) -> None:
        """There is nothing to look for in them, and one is asked; but an emoji is a word."""
        which = "! which words? /search tea four finds what has both"
        bot = self.house.enters("bot", "json")
        for nothing in ('"', "*", "( )", "...", "_"):
            self.assertEqual(self.asks(self.ada, f"/search {nothing}"), [which], nothing)
            self.assertEqual(bot.asks({"search": nothing}), [{"refused": which[2:]}], nothing)
        self.assertEqual(self.asks(self.ada, "/search"), [which])
        self.ada.says("今日は🍕")
        for words in ("今日", "🍕"):
            self.assertEqual(
                self.asks(self.ada, f"/search {words}"), ["ada: 今日は🍕", "-- 1 found"], words
            )

    def test_allWords(self) -> None:
        """However they are written; the newest first, with the time."""
        for text in ("Tea at four", "coffee at four", "four cups of TEA", "teapot, four"):
            self.ada.says(text)
        lines = ["ada: four cups of TEA", "ada: Tea at four", "-- 2 found"]
        self.assertEqual(self.asks(self.bob, "/search tea FOUR"), lines)
        self.bob.says("/search coffee")
        at = self.house.at(self.house.stored()[3])
        self.assertEqual(self.bob.lines(), [f"{at} ada: coffee at four", "-- 1 found"])

    def test_inTheRoomsOneIsIn(self) -> None:
        """In all of them, and in no others; private words are in none."""
        self.ada.says("tea one", "/join garden", "tea two", "/msg bob tea three")
        lines = [line for line in self.asks(self.ada, "/search tea") if "found" not in line]
        self.assertEqual(len(lines), 2)
        self.assertEqual(self.asks(self.bob, "/search tea"), ["ada: tea one", "-- 1 found"])
        self.bob.says("/leave")
        self.assertEqual(self.asks(self.bob, "/search tea"), [NOT_FOUND])

    def test_nothing(self) -> None:
        """Is found, or looked for: one is told."""
        self.ada.says("tea")
        self.assertEqual(self.asks(self.bob, "/search coffee"), [NOT_FOUND])
        which = "! which words? /search tea four finds what has both"
        self.assertEqual(self.asks(self.bob, "/search"), [which])
        for signs in ("tea OR", "-x", "NEAR(", "{author}", "%s"):
            self.assertEqual(self.asks(self.bob, f"/search {signs}"), [NOT_FOUND], signs)

    def test_notTooMuch(self) -> None:
        """So many, and that there may be more."""
        for n in range(FOUND + 5):
            self.ada.says(f"tea {n}")
        lines = self.asks(self.bob, "/search tea")
        newest = [f"ada: tea {n}" for n in reversed(range(5, FOUND + 5))]
        self.assertEqual(lines, [*newest, f"-- {FOUND} found, and perhaps more"])


class UndoTests(BackCase):
    """C{/undo}."""

    TOO_LATE = f"! there is nothing of yours here that is less than {WITHIN} s old"

    def test_takenBack(self) -> None:
        """All are told; nobody is shown the text again, and its number stays in its place."""
        self.ada.says("the key is under the mat")
        self.house.rests()
        self.ada.says("/undo")
        self.assertEqual(self.ada.lines(), ["-- taken back"])
        self.assertEqual(self.bob.lines(), ["* ada took back something said before"])
        stored = [(event.seq, event.kind, event.text) for event in self.house.stored()[2:]]
        self.assertEqual(stored, [(3, WITHDRAWN, ""), (4, UNDO, "")])

    def test_nobodyIsShownItAgain(self) -> None:
        """Neither who looks, nor who searches, comes, comes back, or has not read it yet."""
        eve = self.house.enters("eve")
        bot = self.house.enters("bot", "json")
        token, seq = eve.token, self.house.room().head
        eve.resets()
        bot.resets()
        self.house.turn()
        self.bob.wire.bufferSize = 5
        self.bob.holds()
        for text in ("x" * 10, "the key is under the mat", "/undo", "never mind"):
            self.ada.says(text)
        self.bob.reads()
        self.house.turn()
        come = self.house.connect("native", "cyd")
        back = self.house.connect()
        back.says(f"/resume {token}")
        late = self.house.connect("json")
        late.asks({"name": "bot", "rooms": {"lobby": seq}})
        late.asks({"history": "lobby", "limit": 500}, {"search": "key"})
        self.bob.says("/history", "/search key", "/search mat", "/history before 99")
        for person in self.house.people:
            seen = b"".join(data for _, data in person.wire.writes)
            self.assertNotIn(b"the mat", seen)
            if person in (come, back, late, self.bob):
                self.assertIn(b"never mind", seen)
        self.assertIn("* ada took this back", self.asks(self.bob, "/history"))
        self.assertIn(NOT_FOUND, self.asks(self.bob, "/search key"))

    def test_withinAMinute(self) -> None:
        """And not after it."""
        self.ada.says("one")
        self.house.clock.advance(WITHIN - 2)
        self.assertEqual(self.asks(self.ada, "/undo"), ["-- taken back"])
        self.ada.says("two")
        self.house.clock.advance(WITHIN + 2)
        self.assertEqual(self.asks(self.ada, "/undo"), [self.TOO_LATE])
        self.assertEqual(self.house.stored()[-1].text, "two")

    def test_byWhoeverHasSaidIt(self) -> None:
        """By any name they have now, and by nobody else, whatever they are called."""
        self.ada.says("one", "/nick eve")
        self.bob.says("/nick ada")
        self.assertEqual(self.asks(self.bob, "/undo"), [self.TOO_LATE])
        self.assertEqual(self.asks(self.ada, "/undo"), ["-- taken back"])
        self.ada.says("two", "/quit")
        again = self.house.enters("eve")
        self.assertEqual(self.asks(again, "/undo"), [self.TOO_LATE])

    def test_byWhoeverComesBack(self) -> None:
        """What they said before their line was lost is still theirs, after two losses too."""
        self.ada.says("one", "two")
        ada = self.ada
        for text in ("two", "one"):
            token = ada.token
            ada.resets()
            ada = self.house.connect("native", f"/resume {token}")
            self.assertEqual(self.asks(ada, "/undo"), ["-- taken back"], text)
        self.assertEqual(self.asks(ada, "/undo"), [self.TOO_LATE])

    def test_byNobodyElseAfterARestart(self) -> None:
        """There are other sessions of the same numbers then."""
        log = MemoryLog(self.house.wall)
        self.house = House(log=log)
        ada = self.house.enters("ada")
        ada.says("one")
        token = ada.token
        ada.resets()
        self.house.turn()
        self.house = House(log=log)
        bob = self.house.enters("bob")
        self.assertEqual(bob.session.id, ada.session.id)
        bob.says("two")
        back = self.house.connect("native", f"/resume {token}")
        self.assertEqual(back.session.name, "ada")
        self.assertEqual(self.asks(back, "/undo"), [self.TOO_LATE])
        self.assertEqual(self.asks(bob, "/undo"), ["-- taken back"])

    def test_oneAfterTheOther(self) -> None:
        """The last one first; nothing but what was said is taken back."""
        self.ada.says("one", "/me waves", "/topic tea")
        self.bob.says("two")
        self.assertEqual(
            self.asks(self.ada, "/undo", "/undo", "/undo"), ["-- taken back"] * 2 + [self.TOO_LATE]
        )
        self.assertEqual(
            self.asks(self.bob, "/history"),
            [
                "* ada took this back",
                "* ada took this back",
                "* ada changed the topic to: tea",
                "bob: two",
                ALL,
            ],
        )

    def test_whereOneSpeaks(self) -> None:
        """What was said elsewhere stays."""
        self.ada.says("one", "/join garden")
        self.assertEqual(self.asks(self.ada, "/undo"), [self.TOO_LATE])
        self.ada.says("two", "/join lobby")
        self.assertEqual(self.asks(self.ada, "/undo"), ["-- taken back"])
        self.assertEqual(self.house.stored("garden")[-1].text, "two")
        refused = "! you are in no room; /join ROOM takes you to one"
        self.assertEqual(self.asks(self.bob, "/leave", "/undo")[1:], [refused])

    def test_whatIsNotStoredYet(self) -> None:
        """It is the last thing said that is taken back, also where that came in one segment."""
        self.ada.says("to be kept")
        self.ada.sends(b"to be taken back\n/undo\n")
        self.house.turn()
        self.assertEqual(self.ada.lines(), ["-- taken back"])
        texts = [event.text for event in self.house.stored() if event.kind == SAY]
        self.assertEqual(texts, ["to be kept"])

    def test_goneBeforeItIsStored(self) -> None:
        """What they said stays said, and nothing is left of them."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada = self.house.enters("ada")
        log.prompt = False
        ada.sends(b"one\n/undo\n")
        self.house.turn()
        ada.session.dismiss("begone")
        for _ in range(3):
            log.answers()
            self.house.turn()
        self.assertGone(ada)
        self.assertEqual([event.kind for event in log.kept("lobby")], ["join", SAY, "leave"])

    def test_whatCannotBeStored(self) -> None:
        """Then nothing is taken back, and its author knows."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.says("one")
        self.house.rests()
        log.prompt = False
        ada.says("/undo")
        log.fails()
        self.house.turn()
        self.assertEqual(len(self.flushLoggedErrors(NotStored)), 1)
        self.assertEqual(
            (ada.lines(), bob.lines()),
            (["! not stored: the log cannot be written to; try again later"], []),
        )
        self.assertEqual(self.house.room().recent[-1].text, "one")
        ada.says("/undo")
        log.stores()
        self.assertEqual(ada.lines(), ["-- taken back"])


class StatusTests(HouseCase):
    """C{/status}."""

    limits = Limits(rate=0)

    def test_status(self) -> None:
        """How many are here, what outlives what, and whether anything can be stored."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.house = House(log=log)
        ada = self.house.enters("ada")
        lines = [
            "-- 1 connection, 1 room",
            "-- what is said is in memory, and lost when the server ends (none)",
        ]
        ada.says("/status")
        self.assertEqual(ada.lines()[:2], lines)
        ada.says("/status")
        self.assertNotIn("-- at the moment nothing can be stored", ada.lines())
        log.prompt = False
        ada.says("one")
        log.fails()
        self.flushLoggedErrors(NotStored)
        ada.seen()
        ada.says("/status")
        self.assertIn("-- at the moment nothing can be stored", ada.lines())
        ada.says("two")
        log.stores()
        log.prompt = True
        ada.says("/status")
        lines = ada.lines()
        self.assertIn("-- 1 connection, 1 room", lines)
        self.assertNotIn("-- at the moment nothing can be stored", lines)

    def test_itTries(self) -> None:
        """That nothing can be stored is said before anyone has tried to speak."""
        ada = self.house.enters("ada")
        fault = fail(NotStored("the disk is full"))
        self.patch(self.house.hall.history, "probe", lambda: fault)
        ada.says("/status")
        self.assertIn("-- at the moment nothing can be stored", ada.lines())
        self.patch(self.house.hall.history, "probe", Deferred)  # it never answers
        ada.says("/status")
        self.assertEqual(ada.lines(), [])
        self.house.clock.advance(LATE)
        self.assertIn("-- at the moment nothing can be stored", ada.lines())
