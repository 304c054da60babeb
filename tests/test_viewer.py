"""Tests for L{mucs.viewer}: those who read later, from a place of their own."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import SAY
from mucs.follower import STRETCH
from mucs.rules import Limits
from tests.house import House, Person, many
from tests.log.late import LateLog

quiet = settings(deadline=None, database=None)


def readOn(house: House, slow: Person) -> list[str]:
    """Someone who read nothing reads everything. @return: its lines."""
    slow.reads()
    house.turn()
    return slow.lines()


class CursorTests(SynchronousTestCase):
    """Those who cannot be sent to for some time."""

    LIMITS = Limits(rate=0, behind=10, resume=3, history=2)

    def test_slowReadersReadOn(self) -> None:
        """Nothing is kept for them, and nothing is lost: no word, no join, no private word."""
        house = House(self.LIMITS)
        ada, bob = house.enters("ada"), house.enters("bob")
        ada.wire.bufferSize = 20
        ada.seen()
        ada.holds()
        bob.says("one, and it is a long one")
        house.turn()
        unsent = len(ada.wire.unsent)
        bob.says("two", "/nick eve", "/msg ada three", "/topic four", "five")
        self.assertEqual(len(ada.wire.unsent), unsent)
        self.assertEqual(
            readOn(house, ada),
            [
                "bob: one, and it is a long one",
                "bob: two",
                "* bob is now eve",
                "* eve changed the topic to: four",
                "eve: five",
                "eve -> you: three",
            ],
        )
        bob.says("six")
        self.assertEqual(ada.lines(), ["eve: six"])

    def test_aStretchAtATime(self) -> None:
        """
        Who reads on gets no more at once than there is room for: a stretch of all their rooms
        together, and the next when that has been taken.
        """
        house = House()
        ada, bob = house.enters("ada"), house.enters("bob")
        for person in (ada, bob):
            person.says("/join garden")
        house.rests()
        ada.wire.bufferSize = 100
        ada.holds()
        bob.says("x" * 101)
        for n in range(STRETCH):
            bob.says(f"g{n}", "/join lobby", f"l{n}", "/join garden")
        ada.reads(200)
        ada.seen()
        for _ in range(2):
            house.turn()
            lines = ada.wire.unsent.decode().split("\r\n")[:-1]
            self.assertEqual(len(lines), STRETCH)
            self.assertEqual(sum("lobby" in line for line in lines), STRETCH // 2)
            ada.reads(len(ada.wire.unsent))
        house.turn()
        self.assertEqual((ada.wire.unsent, len(ada.lines())), (b"", 2 * STRETCH))

    def test_tooFarBehind(self) -> None:
        """How many were skipped is said, and the last few are shown."""
        house = House(self.LIMITS)
        ada, bob = house.enters("ada"), house.enters("bob")
        ada.wire.bufferSize = 5
        ada.seen()
        ada.holds()
        for n in range(13):
            bob.says(str(n))
        self.assertEqual(
            readOn(house, ada),
            [
                "bob: 0",
                "-- 9 messages skipped; /history 9 before 13 shows them",
                "bob: 10",
                "bob: 11",
                "bob: 12",
            ],
        )

    def test_farBehindAndNothingResumed(self) -> None:
        """With none to be shown, the note alone is."""
        house = House(Limits(rate=0, behind=5, resume=0))
        ada, bob = house.enters("ada"), house.enters("bob")
        ada.wire.bufferSize = 5
        ada.seen()
        ada.holds()
        for n in range(10):
            bob.says(str(n))
        skipped = "-- 9 messages skipped; /history 9 before 13 shows them"
        self.assertEqual(readOn(house, ada), ["bob: 0", skipped])

    def slow(self, dialect: str) -> tuple[House, Person, Person]:
        """Ada reads nothing; bob does."""
        house = House(self.LIMITS)
        bob = house.enters("bob")
        ada = house.connect(dialect)
        ada.sends(b'{"name":"ada"}\n' if dialect == "json" else b"ada\n")
        ada.wire.bufferSize = 5
        house.turn()
        ada.seen()
        ada.holds()
        bob.says("zero")
        return house, ada, bob

    def test_leavingWhileSlow(self) -> None:
        """Who leaves is told how much of the room they have not seen, and that they left."""
        house, ada, bob = self.slow("native")
        bob.says("one", "two")
        ada.says("/leave lobby")
        bob.says("not for ada")
        gone = ["bob: zero", "-- 2 messages skipped", "-- you left #lobby"]
        self.assertEqual(readOn(house, ada), gone)

    def test_comingBackWhileSlow(self) -> None:
        """Who comes back is shown that they do, however much has happened since."""
        house, ada, bob = self.slow("native")
        ada.says("/leave lobby", "/join lobby")
        for n in range(13):
            bob.says(str(n))
        self.assertEqual(
            readOn(house, ada),
            [
                "bob: zero",
                "-- you left #lobby",
                "-- you are ada in #lobby with bob",
                "-- now",
                "-- 10 messages skipped; /history 10 before 16 shows them",
                "bob: 10",
                "bob: 11",
                "bob: 12",
            ],
        )

    def test_theNumbersOfWhoLeavesWhileSlow(self) -> None:
        """Nobody who counts misses a number that is not declared, whatever they do meanwhile."""
        house, ada, bob = self.slow("json")
        bob.says("one", "two")
        for line in ("leave lobby", "join garden", "join lobby"):
            ada.sends(b'{"do":"%s"}\n' % line.encode())
            house.turn()
            bob.says("three", "four")
        for n in range(13):
            bob.says(str(n))
        told = [json.loads(line) for line in readOn(house, ada)]
        here, seqs = True, [2]
        for each in told:
            if each.get("event") and each["room"] == "lobby" and not each.get("past"):
                self.assertEqual(each["seq"], seqs[-1] + 1)
                seqs.append(each["seq"])
                here = here and each["event"] != "leave"
            elif each.get("now") == "lobby":
                here = True
                seqs.append(each["seq"])
            elif each.get("gap") and each["gap"]["room"] == "lobby":
                self.assertEqual((here, each["gap"]["after"]), (True, seqs[-1]))
                seqs.append(seqs[-1] + each["gap"]["skipped"])
        self.assertEqual(seqs[-1], house.hall.rooms["lobby"].head)
        self.assertEqual(len([each for each in told if each.get("entered") == "lobby"]), 1)

    def test_onesOwnWordsAreNotSeenLater(self) -> None:
        """As they would not have been at once; changes of one's own are."""
        house = House(self.LIMITS)
        ada, bob = house.enters("ada"), house.enters("bob")
        ada.wire.bufferSize = 5
        ada.seen()
        ada.holds()
        bob.says("hello")
        ada.says("mine", "/nick eve", "/join garden", "mine too")
        self.assertEqual(
            readOn(house, ada),
            [
                "bob: hello",
                "-- you are now eve",
                "-- you are eve in #garden with nobody else",
                "-- now",
            ],
        )

    def test_whatIsNotReadYetWhenOneLeaves(self) -> None:
        """A paced client is shown all that was before its end, though the batch was not due."""
        house = House()
        bob = house.enters("bob")
        for last in ("/leave", "!q"):
            shh = house.connect("shh", "eve")
            bob.says("hello")
            shh.says("hi")
            shh.sends(last.encode())
            bob.sends(b"too late\n")
            house.turn()
            bob.says("much too late")
            house.waits(0.2)
            texts = b"\n".join(data for _, data in shh.wire.writes).decode().split("\n")
            hello = "Hello eve! If you ever want to quit , type !q to log out of the chat room."
            end = "-- you left #lobby" if last == "/leave" else "!q"
            self.assertEqual(texts[1:], [hello, "->bob: hello", "->eve: hi", end])
            shh.closes()
            house.turn()

    @quiet
    @given(
        st.integers(1, 60),
        many(
            st.one_of(
                st.tuples(st.just("say"), st.integers(0, 2)),
                st.tuples(st.just("hold"), st.just(0)),
                st.tuples(st.just("take"), st.integers(0, 80)),
                st.tuples(st.just("drain"), st.just(0)),
                st.tuples(st.just("come"), st.just(0)),
                st.tuples(st.just("nick"), st.just(0)),
                st.tuples(st.just("turn"), st.just(0)),
            ),
        ),
    )
    def test_noGapAndNoRepeat(self, size: int, moves: list[tuple[str, int]]) -> None:
        """
        Whatever is said while someone holds, takes a little, and drains: they see everything of
        the log but their own words once and in order, except across gaps of which they are told,
        and how long they are.
        """
        log = LateLog(lambda: 0.0, prompt=True)
        house = House(self.LIMITS, log)
        ada = house.enters("ada")
        speakers = [ada, house.enters("bob"), house.enters("eve")]
        house.rests()
        start = house.room().head
        ada.wire.bufferSize = size
        for count, (move, amount) in enumerate(moves):
            if move == "say":
                speakers[amount].sends(b"%d\n" % count)
            elif move == "hold":
                ada.holds()
            elif move == "take":
                ada.reads(amount)
            elif move == "drain":
                ada.reads()
            elif move == "come":
                house.connect().sends(b"c%d\n" % count)
            elif move == "nick":
                speakers[1].sends(b"/nick bob%d\n" % count)
            else:
                house.turn()
        house.turn()
        ada.reads()
        house.turn()
        own = {0}
        places = {}
        for event in log.kept("lobby"):
            words = {
                SAY: f"{event.author}: {event.text}",
                "join": f"* {event.author} joined",
                "nick": f"* {event.author} is now {event.target}",
            }
            places[words[event.kind]] = event.seq
            if event.author == "ada":
                own.add(event.seq)
        seq, skipped = start, 0
        for line in [*ada.lines(), "the end"]:
            if " messages skipped; " in line:
                skipped = int(line.split()[1])
                self.assertGreater(skipped + self.LIMITS.resume, self.LIMITS.behind)
                continue
            place = places.get(line, house.room().head + 1)
            # All that lies between is their own, or was skipped, own words among it.
            between = range(seq + 1, place)
            mine = len(own.intersection(between))
            self.assertNotIn(place, own)
            self.assertTrue(len(between) - mine <= skipped <= len(between), (line, skipped))
            seq, skipped = place, 0
        self.assertEqual(dict(house.room().cursors), {})
