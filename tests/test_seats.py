"""Tests for L{mucs.seats}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.seats import Seats
from tests.house import many

quiet = settings(deadline=None, database=None, max_examples=200)

SEATED = 0


class Guest:
    """
    @ivar told: each place they were told, C{SEATED} for a seat.
    @ivar shy: whether they go as soon as they are seated.
    """

    def __init__(self, seats: Seats[Guest], shy: bool = False) -> None:
        self.told: list[int] = []
        self.shy = shy
        self._seats = seats

    def seated(self) -> None:
        self.told.append(SEATED)
        if self.shy:
            self._seats.leave(self)

    def placed(self, place: int) -> None:
        self.told.append(place)


# Who comes (-1), or who goes: one of those who have ever come.
comings = many(st.just(-1) | st.integers(0, 30))


class SeatsTests(SynchronousTestCase):
    """Who sits, who waits, and what they are told."""

    def guests(self, seats: Seats[Guest], count: int) -> list[Guest]:
        """So many have come, one after the other."""
        guests = [Guest(seats) for _ in range(count)]
        for guest in guests:
            seats.enter(guest)
        return guests

    def test_thoseWhoFindASeat(self) -> None:
        """As many sit down as there are seats; the others wait, and are told their place."""
        seats: Seats[Guest] = Seats(2)
        guests = self.guests(seats, 5)
        self.assertEqual([guest.told for guest in guests], [[SEATED], [SEATED], [1], [2], [3]])
        self.assertEqual((len(seats), seats.waiting, seats.isFull()), (2, 3, True))
        self.assertEqual([seats.place(guest) for guest in guests], [0, 0, 1, 2, 3])

    def test_anotherNumberOfSeats(self) -> None:
        """More are given to those who wait; with fewer nobody loses theirs, but none is given."""
        seats: Seats[Guest] = Seats(1)
        guests = self.guests(seats, 5)
        seats.resize(3)
        self.assertEqual([g.told[1:] for g in guests], [[], [SEATED], [SEATED], [1], [2]])
        seats.resize(2)
        self.assertEqual((len(seats), seats.waiting, guests[3].told), (3, 2, [3, 1]))
        seats.leave(guests[0])
        self.assertEqual((len(seats), seats.waiting), (2, 2))
        seats.leave(guests[1])
        self.assertEqual(guests[3].told, [3, 1, SEATED])
        seats.resize(0)
        self.assertEqual((len(seats), seats.waiting), (3, 0))

    def test_aSeatGoesToTheFirstInTheQueue(self) -> None:
        """Everyone behind them moves up, and is told so once."""
        seats: Seats[Guest] = Seats(2)
        guests = self.guests(seats, 5)
        seats.leave(guests[1])
        self.assertEqual(
            [guest.told for guest in guests], [[SEATED], [SEATED], [1, SEATED], [2, 1], [3, 2]]
        )

    def test_leavingTheQueue(self) -> None:
        """Only those behind are told, for only they move."""
        seats: Seats[Guest] = Seats(1)
        guests = self.guests(seats, 5)
        seats.leave(guests[2])
        self.assertEqual([guest.told for guest in guests], [[SEATED], [1], [2], [3, 2], [4, 3]])
        self.assertEqual(len(seats), 1)

    def test_anyNumber(self) -> None:
        """With a count of 0 there is a seat for everyone."""
        seats: Seats[Guest] = Seats(0)
        guests = self.guests(seats, 100)
        self.assertEqual([guest.told for guest in guests], [[SEATED]] * 100)
        self.assertFalse(seats.isFull())
        seats.leave(guests[3])
        self.assertEqual(len(seats), 99)

    def test_whoIsNotThereCannotLeave(self) -> None:
        """To leave without having come, or twice, changes nothing."""
        seats: Seats[Guest] = Seats(1)
        guests = self.guests(seats, 3)
        seats.leave(Guest(seats))
        seats.leave(guests[1])
        seats.leave(guests[1])
        self.assertEqual([guest.told for guest in guests], [[SEATED], [1], [2, 1]])

    @quiet
    @given(st.integers(0, 4), comings)
    def test_firstComeFirstServed(self, count: int, moves: list[int]) -> None:
        """Whatever comings and goings there are: as a plain list has it."""
        seats: Seats[Guest] = Seats(count)
        guests: list[Guest] = []
        present: list[Guest] = []  # in the order they came
        expected: dict[Guest, list[int]] = {}

        def places() -> dict[Guest, int]:
            free = count or len(present)
            return {guest: max(0, at - free + 1) for at, guest in enumerate(present)}

        for move in moves:
            before = places()
            if move < 0:
                guests.append(Guest(seats))
                present.append(guests[-1])
            elif move < len(guests) and guests[move] in present:
                present.remove(guests[move])
            for guest, place in places().items():
                if before.get(guest) != place:
                    expected.setdefault(guest, []).append(place)
            if move < 0:
                seats.enter(guests[-1])
            elif move < len(guests):
                seats.leave(guests[move])
            self.assertEqual({guest: guest.told for guest in guests}, expected)
            self.assertEqual({guest: seats.place(guest) for guest in present}, places())
            sitting = list(places().values()).count(SEATED)
            self.assertEqual((len(seats), seats.waiting), (sitting, len(present) - sitting))
            self.assertEqual(seats.isFull(), 0 < count == sitting)

    @quiet
    @given(st.integers(1, 3), st.lists(st.booleans(), max_size=20), comings)
    def test_thoseWhoGoAtOnce(self, count: int, shy: list[bool], moves: list[int]) -> None:
        """
        Some are refused as soon as they sit: their seat is not lost, nobody waits beside a free
        one, and what everyone was told last is true.
        """
        seats: Seats[Guest] = Seats(count)
        guests = [Guest(seats, each) for each in shy]
        for guest in guests:
            seats.enter(guest)
        gone = set()
        for move in moves:
            if 0 <= move < len(guests):
                gone.add(guests[move])
                seats.leave(guests[move])
        self.assertTrue(seats.isFull() or not seats.waiting)
        waiting = [guest for guest in guests if seats.place(guest)]
        self.assertEqual([guest.told[-1] for guest in waiting], list(range(1, len(waiting) + 1)))
        for guest in guests:
            self.assertLessEqual(guest.told.count(SEATED), 1)
            if not guest.shy and guest not in gone and guest not in waiting:
                self.assertEqual(guest.told[-1], SEATED)
