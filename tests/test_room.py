"""Tests for L{mucs.room}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, LEAVE, ME, NICK, SAY, TOPIC, UNDO, WITHDRAWN, Event, Tail
from mucs.room import Room
from mucs.rules import Limits
from tests.house import many

LIMITS = Limits(behind=8, resume=3, history=4, recent=1024)
quiet = settings(deadline=None, database=None)


class Guest:
    """As much of a member as a room needs: someone with an audience."""

    def __init__(self, audience: str = "native") -> None:
        self.seen = audience

    def audience(self, room: Any) -> str:
        return self.seen


def said(seq: int, text: str = "", kind: str = SAY) -> Event:
    """An event that is stored."""
    return Event("lobby", seq, 1000 * seq, "ada", kind, text or str(seq))


def tail(*events: Event, topic: str = "") -> Tail:
    """The end of a log that has these."""
    return Tail("lobby", topic, events[-1].seq, events)


class RoomTests(SynchronousTestCase):
    """A room, as its members and its turns use it."""

    def setUp(self) -> None:
        self.woken: list[Room] = []
        self.room = self.makeRoom()

    def makeRoom(self, **limits: int) -> Room:
        """A room with other limits than C{LIMITS}."""
        changed = {key: getattr(LIMITS, key) for key in LIMITS.__struct_fields__} | limits
        return Room("lobby", self.woken.append, Limits(**changed))

    def guest(self, audience: str = "native") -> Any:
        """Someone who is in."""
        guest = cast(Any, Guest(audience))
        self.room.add(guest)
        return guest

    def take(self, *seqs: int, kind: str = SAY) -> None:
        """A batch is stored."""
        self.store(*(said(seq, kind=kind) for seq in seqs))

    def store(self, *events: Event) -> None:
        """The turn has stored a batch."""
        self.room.take(events, sum(len(event.text) for event in events))

    def groups(self) -> dict[str, list[Any]]:
        """Who is in which audience."""
        audiences = cast(dict[str, dict[Any, None]], self.room.audiences)
        return {audience: list(members) for audience, members in audiences.items()}

    def reads(self, guest: Any, most: int = 100) -> tuple[int, list[int]]:
        """What comes next for someone."""
        skipped, events = self.room.missed(guest, most)
        return skipped, [event.seq for event in events]

    # Drafts.

    def test_theFirstDraftWakesTheTurn(self) -> None:
        """And only the first, until they are taken away."""
        ada = self.guest()
        for text in "abc":
            self.room.post(Event("lobby", 0, 0, "ada", SAY, text), ada)
        self.assertEqual(self.woken, [self.room])
        self.assertEqual([draft.text for draft in self.room.drafts], list("abc"))
        self.assertEqual(self.room.posters, [ada] * 3)
        self.assertTrue(self.room.isBusy())

    def test_itIsBusyUntilAllIsStored(self) -> None:
        """What is under way counts, too."""
        self.assertFalse(self.room.isBusy())
        self.room.underway = True
        self.assertTrue(self.room.isBusy())

    def test_nothingIsStoredBeforeTheLogIsRead(self) -> None:
        """What is posted meanwhile waits, and wakes the turn then."""
        answer: Deferred[Tail] = Deferred()
        self.room.recall(answer)
        self.room.post(Event("lobby", 0, 0, "ada", SAY, "early"), None)
        self.assertEqual(self.woken, [])
        self.assertFalse(self.room.ready)
        answer.callback(tail(said(1), said(2, "tea", TOPIC), said(3), topic="tea"))
        self.assertEqual(self.woken, [self.room])
        self.assertTrue(self.room.ready)
        self.assertEqual((self.room.head, self.room.topic), (3, "tea"))
        self.assertEqual([event.seq for event in self.room.earlier(4)], [1, 2, 3])

    def test_asItWasFirstWritten(self) -> None:
        """The room is called what its log calls it; of an old log only its end need be at hand."""
        answer: Deferred[Tail] = Deferred()
        self.room.recall(answer)
        answer.callback(Tail("Lobby", "tea", 7))
        self.assertEqual((self.room.name, self.room.topic, self.room.head), ("Lobby", "tea", 7))
        self.assertEqual(self.room.earlier(8), [])
        ada = self.guest()
        self.room.detach(ada)
        self.take(8)
        self.assertEqual(self.reads(ada), (0, [8]))

    def test_anEmptyLog(self) -> None:
        """There may be nothing to recall, and nobody who waits."""
        answer: Deferred[Tail] = Deferred()
        self.room.recall(answer)
        answer.callback(Tail())
        self.assertEqual((self.woken, self.room.head), ([], 0))
        self.room.post(Event("lobby", 0, 0, "ada", SAY, "late"), None)
        self.assertEqual(self.woken, [self.room])

    def test_aLogThatCannotBeRead(self) -> None:
        """Is named, and the room begins without it."""
        answer: Deferred[Tail] = Deferred()
        self.room.recall(answer)
        self.room.post(Event("lobby", 0, 0, "ada", SAY, "early"), None)
        answer.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.woken, [self.room])

    def test_theTopicIsTheLastOne(self) -> None:
        """And none, where it was removed; nothing else is a topic."""
        for event in (said(1, "tea", TOPIC), said(2, "coffee"), said(3, "milk", LEAVE)):
            self.room.change(event)
        self.assertEqual(self.room.topic, "tea")
        self.room.change(Event("lobby", 4, 0, "ada", TOPIC))
        self.assertEqual(self.room.topic, "")

    # What was taken back.

    def undoes(self, seq: int, target: str) -> None:
        """Something is taken back."""
        undo = Event("lobby", seq, 1000 * seq, "ada", UNDO, "", target)
        self.store(undo)
        self.room.change(undo)

    def test_whatIsTakenBack(self) -> None:
        """Its place stays, and its text is nowhere: neither for who comes, nor for who is slow."""
        ada = self.guest()
        self.room.detach(ada)
        self.take(1, 2, 3)
        self.undoes(4, "2")
        self.assertEqual([event.seq for event in self.room.earlier(99)], [1, 3])
        found = self.room.find(2)
        assert found is not None
        self.assertEqual((found.kind, found.text, found.author), (WITHDRAWN, "", "ada"))
        skipped, events = self.room.missed(ada, 100)
        self.assertEqual((skipped, [event.seq for event in events]), (0, [1, 2, 3, 4]))
        self.assertNotIn("2", [event.text for event in events])
        skipped, events = self.room.between(1, 9)
        self.assertNotIn("2", [event.text for event in events])

    def test_whatIsNoLongerAtHandIsTakenBack(self) -> None:
        """Nothing is to be done, then; nor where there is no such number."""
        self.room = self.makeRoom(history=2)
        self.take(*range(1, 20))
        for target in ("1", "99", "0", "-1", "", "x", "\u00b2"):
            self.undoes(self.room.head + 1, target)
        self.assertEqual([event.seq for event in self.room.earlier(99)], [18, 19])
        self.undoes(self.room.head + 1, "18")
        self.assertEqual([event.seq for event in self.room.earlier(99)], [19])

    # Coming back.

    def between(self, after: int, before: int) -> tuple[int, list[int]]:
        """What someone missed."""
        skipped, events = self.room.between(after, before)
        return skipped, [event.seq for event in events]

    def test_whatHappenedBetween(self) -> None:
        """Everything between two places, whoever came and went too."""
        self.take(1, 2, 3)
        self.take(4, kind=JOIN)
        self.take(5, kind=NICK)
        self.assertEqual(self.between(1, 5), (0, [2, 3, 4]))
        self.assertEqual(self.between(0, 6), (0, [1, 2, 3, 4, 5]))
        self.assertEqual(self.between(5, 6), (0, []))

    def test_moreThanIsAtHand(self) -> None:
        """Only the last few are shown then, and how many are skipped is right."""
        self.take(*range(1, 21))
        self.assertEqual(self.between(12, 21), (0, list(range(13, 21))))
        self.assertEqual(self.between(11, 21), (6, [18, 19, 20]))
        self.assertEqual(self.between(0, 21), (17, [18, 19, 20]))
        self.room = self.makeRoom(resume=0)
        self.take(*range(1, 21))
        self.assertEqual(self.between(3, 21), (17, []))

    def test_aPlaceThatIsStillToCome(self) -> None:
        """Nothing was missed there, and nothing is skipped."""
        self.take(1, 2, 3)
        self.assertEqual(self.between(7, 4), (0, []))

    # Members.

    def test_thoseWhoGetTheSameBytes(self) -> None:
        """Members are grouped by audience; an audience without members is gone."""
        ada, bob, eve = self.guest(), self.guest("shh"), self.guest()
        self.assertEqual(self.groups(), {"native": [ada, eve], "shh": [bob]})
        self.assertEqual(list(self.room.members), [ada, bob, eve])
        self.room.remove(bob)
        self.assertEqual(self.groups(), {"native": [ada, eve]})
        self.room.remove(bob)
        self.room.remove(ada)
        self.room.remove(eve)
        self.assertEqual((self.groups(), self.room.members), ({}, {}))

    def test_anotherAudience(self) -> None:
        """Someone may come to be shown things otherwise."""
        ada, bob = self.guest(), self.guest()
        ada.seen = "other"
        self.room.regroup(ada)
        self.assertEqual(self.groups(), {"native": [bob], "other": [ada]})
        self.assertEqual(list(self.room.members), [ada, bob])

    def test_whoIsDetachedIsInNoAudience(self) -> None:
        """They read on from the head, from a place of their own; to detach twice is once."""
        self.take(1, 2)
        ada = self.guest()
        self.room.detach(ada)
        self.take(3)
        self.room.detach(ada)
        self.assertEqual((self.groups(), self.room.members), ({}, {ada: None}))
        self.assertEqual(self.reads(ada), (0, [3]))
        self.assertEqual(self.groups(), {})
        self.assertEqual(self.reads(ada), (0, []))
        self.assertEqual((self.groups(), self.room.cursors), ({"native": [ada]}, {}))

    def test_aPlaceBeforeTheHead(self) -> None:
        """A joiner who cannot be sent to yet has not read their own join."""
        self.take(1, 2, 3)
        ada = self.guest()
        self.room.detach(ada, 1)
        self.assertEqual(self.reads(ada), (0, [2, 3]))

    def test_anAudienceIsAskedForWhenTheyAreBack(self) -> None:
        """It may have changed since, and to regroup those who are away is not needed."""
        ada = self.guest()
        self.room.detach(ada)
        ada.seen = "other"
        self.room.regroup(ada)
        self.assertEqual(self.groups(), {})
        self.reads(ada)
        self.assertEqual(self.groups(), {"other": [ada]})

    def test_whoIsAwayCanLeave(self) -> None:
        """Their place is forgotten."""
        ada = self.guest()
        self.room.detach(ada)
        self.room.remove(ada)
        self.assertEqual((self.room.members, self.room.cursors), ({}, {}))

    # Reading.

    def test_aStretchAtATime(self) -> None:
        """No more at once than is asked for."""
        ada = self.guest()
        self.room.detach(ada)
        self.take(1, 2, 3, 4, 5)
        self.assertEqual(self.reads(ada, 2), (0, [1, 2]))
        self.take(6)
        self.assertEqual(self.reads(ada, 2), (0, [3, 4]))
        self.assertEqual(self.reads(ada, 2), (0, [5, 6]))
        self.assertEqual(self.reads(ada, 2), (0, []))

    def test_asFarBehindAsOneMayBe(self) -> None:
        """All that is kept is read, and nothing is skipped."""
        ada = self.guest()
        self.room.detach(ada)
        self.take(*range(1, 9))
        self.assertEqual(self.reads(ada), (0, list(range(1, 9))))

    def test_furtherBehind(self) -> None:
        """One skips to the last few, and knows how many are missing."""
        ada = self.guest()
        self.room.detach(ada)
        self.take(*range(1, 10))
        self.assertEqual(self.reads(ada), (6, [7, 8, 9]))

    def test_furtherBehindThanIsKept(self) -> None:
        """Long texts take the room of many: what is no longer at hand is skipped."""
        ada = self.guest()
        self.room.detach(ada)
        self.store(*(said(seq, "x" * 500) for seq in range(1, 6)))
        self.assertEqual([event.seq for event in self.room.recent], [4, 5])
        self.assertEqual(self.reads(ada), (3, [4, 5]))

    def test_nothingIsKept(self) -> None:
        """A text too long to keep at all is skipped; so is everything, if none is resumed."""
        ada = self.guest()
        self.room.detach(ada)
        self.store(said(1, "x" * 1025))
        self.assertEqual(list(self.room.recent), [])
        self.assertEqual(self.reads(ada), (1, []))
        self.assertEqual(self.reads(ada), (0, []))
        self.assertEqual(self.groups(), {"native": [ada]})
        self.room = self.makeRoom(resume=0)
        self.room.add(ada)
        self.room.detach(ada)
        self.take(*range(1, 10))
        self.assertEqual(self.reads(ada), (9, []))
        self.assertEqual(self.reads(ada), (0, []))

    def test_textsThatAreNoLongerKeptTakeNoRoom(self) -> None:
        """However many there were, as many short ones are kept as may be."""
        for seq in range(1, 100):
            self.store(said(seq, "x" * 100))
            self.assertEqual(len(self.room.recent), min(seq, 8))

    def test_aLogThatCountsAnew(self) -> None:
        """It should not; if it does, those who were away are back at the head at once."""
        ada = self.guest()
        self.take(*range(1, 6))
        self.room.detach(ada)
        self.take(1)
        self.assertEqual(self.reads(ada), (0, []))
        self.assertEqual(self.groups(), {"native": [ada]})

    # What was said before.

    def test_theLastThingsSaid(self) -> None:
        """As many as are shown on joining, and none that came later."""
        self.take(1, 2, 3, 4, 5, 6)
        self.assertEqual([event.seq for event in self.room.earlier(99)], [3, 4, 5, 6])
        self.assertEqual([event.seq for event in self.room.earlier(5)], [1, 2, 3, 4])
        self.assertEqual([event.seq for event in self.room.earlier(3)], [1, 2])
        self.assertEqual(self.room.earlier(1), [])

    def test_whoCameAndWentIsNotHistory(self) -> None:
        """Only what was said is, and the topics; also where very many came since."""
        self.take(1, 2)
        self.take(3, kind=TOPIC)
        self.take(4, kind=ME)
        self.take(5, 6, 7, kind=JOIN)
        self.assertEqual([event.seq for event in self.room.earlier(99)], [1, 2, 3, 4])
        self.take(*range(8, 30), kind=JOIN)
        self.assertEqual([event.seq for event in self.room.earlier(99)], [1, 2, 3, 4])

    def test_thingsSaidAndManyComingsInOneBatch(self) -> None:
        """What was said at the beginning of a batch is history as well."""
        joins = [said(seq, kind=JOIN) for seq in range(3, 20)]
        self.store(said(1), said(2), *joins, said(20))
        self.assertEqual([event.seq for event in self.room.earlier(99)], [1, 2, 20])
        self.assertEqual([event.seq for event in self.room.earlier(19)], [1, 2])

    def test_manyComingsInARecalledLog(self) -> None:
        """After the server was started again, too."""
        answer: Deferred[Tail] = Deferred()
        self.room.recall(answer)
        answer.callback(tail(said(1), said(2), *(said(seq, kind=LEAVE) for seq in range(3, 20))))
        self.assertEqual([event.seq for event in self.room.earlier(99)], [1, 2])

    def test_noHistory(self) -> None:
        """With a limit of 0 none is shown."""
        self.room = self.makeRoom(history=0)
        self.take(1, 2, 3)
        self.assertEqual(self.room.earlier(99), [])
        self.assertEqual(self.room.earlier(2), [])

    # All of it at once.

    @quiet
    @given(
        many(
            st.one_of(
                st.tuples(st.just("take"), st.integers(1, 12)),
                st.tuples(st.just("detach"), st.integers(0, 2)),
                st.tuples(st.just("read"), st.integers(0, 2)),
                st.tuples(st.just("stretch"), st.integers(0, 2)),
            ),
        )
    )
    def test_noGapAndNoRepeat(self, moves: Sequence[tuple[str, int]]) -> None:
        """
        Whenever three members fall behind and read on: each gets every event once and in order,
        live or later, but for those they are told are skipped, and that only where they are
        further behind than the room keeps.
        """
        self.room = self.makeRoom()
        guests = [self.guest(str(n)) for n in range(3)]
        reached = [0, 0, 0]
        head = 0

        def show(n: int, seqs: Sequence[int]) -> None:
            for seq in seqs:
                self.assertEqual(seq, reached[n] + 1)
                reached[n] = seq

        def read(n: int, most: int) -> bool:
            behind = head - reached[n]
            skipped, seqs = self.reads(guests[n], most)
            if skipped:
                self.assertGreater(behind, LIMITS.behind)
                self.assertEqual(behind - skipped, LIMITS.resume)
            reached[n] += skipped
            show(n, seqs)
            self.assertLessEqual(len(seqs), most)
            return bool(skipped or seqs)

        for move, amount in moves:
            away = [self.room.members[guest] is None for guest in guests]
            if move == "take":
                self.take(*range(head + 1, head + amount + 1))
                for n in range(3):
                    if not away[n]:
                        self.assertIn([guests[n]], self.groups().values())
                        show(n, range(head + 1, head + amount + 1))
                head += amount
            elif move == "detach":
                self.room.detach(guests[amount])
            elif away[amount]:
                if move == "stretch":
                    read(amount, 2)
                else:
                    while read(amount, 3):
                        pass
                    self.assertIsNotNone(self.room.members[guests[amount]])
            for n in range(3):
                place = self.room.cursors.get(guests[n], self.room.head)
                self.assertEqual(place, reached[n])
