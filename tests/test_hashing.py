"""
Hashing: two at a time, addresses in turn, and an end of what waits.
"""

from __future__ import annotations

import threading
from typing import Any

from argon2 import PasswordHasher, extract_parameters
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mucs.events import Refused
from mucs.hashing import EACH, MOST, THREADS, Hashing, threads
from tests.house import hands


class HashingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.hands, self.hashing = hands()
        self.hashing.start()
        self.done: list[str] = []

    def sawKnown(self, isRight: bool, what: str) -> None:
        self.done.append(what)

    def asks(self, address: str, what: str) -> Deferred[Any]:
        return self.hashing.make(address, what).addCallback(lambda _: self.done.append(what))

    def test_hashes(self) -> None:
        made = self.successResultOf(self.hashing.make("a", "sesame"))
        self.assertIs(self.successResultOf(self.hashing.verify("a", made, "sesame")), True)
        self.assertIs(self.successResultOf(self.hashing.verify("a", made, "sesam")), False)
        self.assertNotEqual(self.successResultOf(self.hashing.make("a", "sesame")), made)

    def test_nobody(self) -> None:
        """Where there is no hash the same is done, and no password is right."""
        self.assertIs(self.successResultOf(self.hashing.verify("a", "", "sesame")), False)
        usual = Hashing(self.hands, lambda do, *args: do(*args))
        parameters = extract_parameters(usual._none)
        self.assertEqual(
            (parameters.memory_cost, parameters.time_cost, parameters.parallelism), (19456, 2, 1)
        )
        made = extract_parameters(PasswordHasher(2, 19 * 1024, 1).hash("x"))
        self.assertEqual(parameters, made)

    def test_twoAtATime(self) -> None:
        self.hands.busy = True
        for number in range(20):
            self.asks("a", str(number))
        self.assertEqual((len(self.hands.waiting), len(self.hashing)), (2, 18))
        for left in range(19, -1, -1):
            self.hands.work(1)
            self.assertEqual(self.hashing.under, min(THREADS, left))
        self.assertEqual(self.hands.most, THREADS)
        self.assertEqual(self.done, [str(number) for number in range(20)])

    def test_addressesTakeTurns(self) -> None:
        """However much one of them asks for."""
        self.hands.busy = True
        for number in range(10):
            self.asks("many", f"m{number}")
        self.asks("few", "f0")
        self.asks("few", "f1")
        self.asks("one", "o0")
        self.hands.work()
        self.assertEqual(self.done[:8], ["m0", "m1", "m2", "f0", "o0", "m3", "f1", "m4"])

    def test_thoseWhoAreKnown(self) -> None:
        """Have every other turn, and strangers give up theirs first."""
        self.hands.busy = True
        for number in range(4):
            self.asks(f"s{number}", f"s{number}")
        for number in range(3):
            known = self.hashing.verify(f"k{number}", "", "x", True)
            known.addCallback(self.sawKnown, f"k{number}")
        self.hands.work()
        self.assertEqual(self.done, ["s0", "s1", "k0", "s2", "k1", "s3", "k2"])
        self.done.clear()
        tries = [self.asks(f"s{number}", "x") for number in range(MOST + 2)]
        self.failureResultOf(self.asks("s", "x"), Refused)
        owner = self.hashing.verify("home", "", "owner", True)
        self.assertEqual(len([each for each in tries if each.called]), 1)
        self.failureResultOf(next(each for each in tries if each.called), Refused)
        self.hands.work(4)
        self.successResultOf(owner)
        self.hands.work()

    def test_oneAddressIsRefused(self) -> None:
        """With so much waiting it gets one line, and others are not touched."""
        self.hands.busy = True
        for number in range(EACH + 2):
            self.asks("many", str(number))
        refused = self.failureResultOf(self.asks("many", "more"), Refused)
        self.assertIn("too many people are logging in", str(refused.value))
        self.asks("one", "o")
        self.hands.work()
        self.assertEqual(len(self.done), EACH + 3)

    def test_full(self) -> None:
        """Whoever has most gives up the last, for one who has nothing there yet."""
        self.hands.busy = True
        self.asks("0", "a")
        self.asks("0", "b")
        every = [
            (address, self.asks(str(address), f"{address} {number}"))
            for address in range(MOST // EACH)
            for number in range(EACH)
        ]
        self.assertEqual(len(self.hashing), MOST)
        self.asks("one", "owner")
        self.assertEqual(len(self.hashing), MOST)
        gone = [(address, each) for address, each in every if each.called]
        self.assertEqual(len(gone), 1)
        self.failureResultOf(gone[0][1], Refused)
        self.hands.work()
        self.assertIn("owner", self.done[: MOST // EACH + 4])
        self.assertEqual(len(self.done), MOST + 2)

    def test_fullOfEveryone(self) -> None:
        """Where all have the same, who comes last is refused."""
        self.hands.busy = True
        for number in range(MOST + 2):
            self.asks(str(number), "x")
        self.failureResultOf(self.asks("one", "owner"), Refused)

    def test_damaged(self) -> None:
        """A hash that is none is a fault, and nothing waits behind it for ever."""
        self.failureResultOf(self.hashing.verify("a", "none", "sesame"))
        self.successResultOf(self.asks("a", "next"))

    def test_theEnd(self) -> None:
        """What waits is refused, and what comes later, and what was under way."""
        self.hands.busy = True
        asked = [self.asks("a", str(number)) for number in range(5)]
        self.hashing.stop()
        for each in asked[2:]:
            self.failureResultOf(each, Refused)
        self.hands.work()
        for each in asked[:2]:
            self.failureResultOf(each, Refused)
        self.failureResultOf(self.asks("a", "x"), Refused)
        self.assertEqual(self.done, [])


class ThreadTests(TestCase):
    """In real threads."""

    async def test_theReactorsThreadDoesNoHashing(self) -> None:
        hashing = threads(reactor)
        hashing.start()
        self.addCleanup(hashing.stop)
        where: list[threading.Thread] = []
        work = hashing._make

        def make(password: str) -> str:
            where.append(threading.current_thread())
            return work(password)

        self.patch(hashing, "_make", make)
        made = await gatherResults([hashing.make("a", "sesame") for _ in range(6)])
        self.assertTrue(await hashing.verify("b", made[0], "sesame"))
        self.assertNotIn(threading.main_thread(), where)
        self.assertLessEqual(len(set(where)), THREADS)
