"""Tests for L{mucs.mail} and C{/tell}: words for those who are not there."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from mucs.events import LogError
from mucs.log.memory import MemoryLog
from mucs.mail import LONGEST, MOST
from tests.house import House, HouseCase, register
from tests.test_person import comes, logIn
from tests.test_records import FullLog


class TellTests(HouseCase):
    def setUp(self) -> None:
        super().setUp()
        register(self.house, "ada", "Bob")
        self.ada = comes(self.house, "ada")

    def test_whoIsThereGetsAPrivateWord(self) -> None:
        """Registered or not, and by whatever name they go."""
        cyd, bob = self.house.enters("cyd"), self.house.enters("rob")
        logIn(bob, "bob")
        self.house.rests()
        self.ada.says("/tell cyd one", "/tell bob two", "/tell rob three")
        self.assertEqual(self.ada.lines(), [])
        self.assertEqual(cyd.lines(), ["ada -> you: one"])
        self.assertEqual(bob.lines(), ["ada -> you: two", "ada -> you: three"])

    def test_whoIsNotGetsItWhenTheyCome(self) -> None:
        """Once, when they have logged in; the sender is told that it is kept."""
        self.ada.says("/tell bob tea at four", "/tell BOB or five")
        self.assertEqual(self.ada.lines(), ["-- Bob is told that when they come"] * 2)
        at = self.house.wall()
        bob = comes(self.house, "bob")
        clock = self.house.at(self.house.stored()[-1])
        self.assertEqual(at, self.house.wall())
        self.assertEqual(
            bob.lines(),
            [
                "-- while you were not here, 2 left for you:",
                f"{clock} ada -> you: tea at four",
                f"{clock} ada -> you: or five",
            ],
        )
        bob.says("/quit")
        bob = comes(self.house, "bob")
        self.assertEqual(bob.lines(), [])

    def test_itIsAnswered(self) -> None:
        """By C{/reply}: at once if who left it is here, by whatever name; else it is left too."""
        self.ada.says("/tell bob tea at four", "/nick eve")
        bob = comes(self.house, "bob")
        self.ada.seen()
        bob.says("/reply gladly")
        self.assertEqual(self.ada.lines(), ["bob -> you: gladly"])
        bob.says("/quit")
        self.ada.says("/tell bob or five", "/quit")
        bob = comes(self.house, "bob")
        bob.seen()
        bob.says("/reply five then")
        self.assertEqual(bob.lines(), ["-- ada is told that when they come"])
        self.assertIn("bob -> you: five then", comes(self.house, "ada").lines()[-1])

    def test_theOneWhoBorrowsANameGetsNothing(self) -> None:
        """A guest who was called so before somebody else registered the name is not them."""
        guest = self.house.enters("cyd")
        register(self.house, "Cyd")
        self.ada.says("/tell cyd tea")
        self.assertEqual(guest.lines(), [])
        self.assertEqual(self.ada.lines()[-1], "-- Cyd is told that when they come")

    def test_afterARestart(self) -> None:
        """It is kept like what is said, and shown once all the same."""
        self.ada.says("/tell bob one", "/tell bob two")
        log = self.house.log
        assert isinstance(log, MemoryLog)
        for expected in (3, 0):
            house = House(log=log)
            register(house, "ada", "bob")
            bob = comes(house, "bob")
            self.assertEqual(len(bob.lines()), expected)
        comes(house, "ada").says("/tell bob three")
        self.assertEqual(bob.lines(), ["* ada joined", "ada -> you: three"])

    def test_moreAfterARestart(self) -> None:
        """What is left then does not stand in the place of what was left before."""
        self.ada.says("/tell bob one", "/tell bob two")
        log = self.house.log
        assert isinstance(log, MemoryLog)
        house = House(log=log)
        register(house, "bob")
        house.enters("ada").says("/tell bob three")
        bob = comes(House(log=log), "bob")
        self.assertEqual([line.split()[-1] for line in bob.lines()[1:]], ["one", "two", "three"])

    def test_wrong(self) -> None:
        """Each is one line, and nothing is kept."""
        for text, why in (
            ("/tell", "say to whom, and what: /tell NAME TEXT"),
            ("/tell bob", "say to whom, and what: /tell NAME TEXT"),
            ("/tell ada hi", "that is you"),
            ("/tell cyd hi", "nobody called cyd is here or registered; /who lists who is here"),
            (
                "/tell bob " + "é" * (LONGEST // 2 + 1),
                f"what is left for someone has at most {LONGEST} bytes; that has {LONGEST + 2}",
            ),
        ):
            self.ada.seen()
            self.ada.says(text)
            self.assertEqual(self.ada.lines(), [f"! {why}"])
        bob = comes(self.house, "bob")
        self.assertEqual(bob.lines(), [])

    def test_noMoreThanMayWait(self) -> None:
        """Then it is refused, until they have come."""
        self.ada.says(*(f"/tell bob {n}" for n in range(MOST + 1)))
        self.assertEqual(
            self.ada.lines()[-1], f"! {MOST} messages wait there already; say it when they are here"
        )
        bob = comes(self.house, "bob")
        self.assertEqual([line.split()[-1] for line in bob.lines()[1:]], [*map(str, range(MOST))])
        bob.says("/quit")
        self.ada.seen()
        self.ada.says("/tell bob again")
        self.assertEqual(self.ada.lines()[-1], "-- Bob is told that when they come")

    def test_thoseWhoAreIgnoredAreNotShown(self) -> None:
        """Their mail is dropped, and they are not told so."""
        bob = comes(self.house, "bob")
        bob.says("/ignore ada", "/quit")
        self.ada.seen()
        self.ada.says("/tell bob hello")
        self.house.enters("cyd").says("/tell bob tea")
        self.assertEqual(self.ada.lines()[0], "-- Bob is told that when they come")
        bob = comes(self.house, "bob")
        self.assertEqual(
            [line[-15:] for line in bob.lines()], ["1 left for you:", "cyd -> you: tea"]
        )
        bob.says("/unignore ada", "/quit")
        bob = comes(self.house, "bob")
        self.assertEqual(bob.lines(), [])

    def test_notStoredIsRefused(self) -> None:
        house = House(log=FullLog(lambda: 0.0))
        ada = house.enters("ada")
        register(house, "bob")
        ada.says(*["/tell bob tea"] * (MOST + 1))
        self.assertEqual(
            ada.lines(),
            ["! not stored: the log cannot be written to; try again later"] * (MOST + 1),
        )
        bob = comes(house, "bob")
        self.assertEqual(bob.lines(), [])
        self.assertEqual(len(self.flushLoggedErrors(LogError)), MOST + 1)

    def test_whatIsOnItsWayStays(self) -> None:
        """A letter that the log has not answered for is not shown, nor lost, by coming."""
        log = SlowPuts(self.house.wall)
        house = House(log=log)
        ada, bob = house.enters("ada"), house.enters("bob")
        register(house, "bob")
        ada.says("/tell bob tea")
        house.rests()
        logIn(bob)
        self.assertEqual(bob.lines(), [])
        log.answers.pop().callback(None)
        self.assertEqual(ada.lines(), ["-- bob is told that when they come"])
        logIn(bob)
        self.assertEqual(len(bob.lines()), 2)


class SlowPuts(MemoryLog):
    """A log that answers for a letter when it is told to."""

    def __init__(self, clock: object) -> None:
        super().__init__(lambda: 0.0)
        self.answers: list[Deferred[None]] = []

    def put(self, kind: str, key: str, value: bytes | None) -> Deferred[None]:
        stored = super().put(kind, key, value)
        if value is None:
            return stored
        self.answers.append(Deferred())
        return self.answers[-1]
