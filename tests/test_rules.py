"""Tests for L{mucs.rules}."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.rules import Addresses, Bucket, Limits
from tests.house import many

quiet = settings(deadline=None, database=None)

# Seconds in 64ths, which floating-point numbers add without rounding.
GRAIN = 1 / 64


class BucketTests(SynchronousTestCase):
    """How fast one may be."""

    def setUp(self) -> None:
        self.clock = Clock()

    def taken(self, bucket: Bucket) -> int:
        """How many tokens there are just now."""
        count = 0
        while bucket.take():
            count += 1
        return count

    def test_theBurstGoesAtOnce(self) -> None:
        """A bucket is full at first, and then empty."""
        self.assertEqual(self.taken(Bucket(50, 4, self.clock.seconds)), 50)

    def test_thenAtItsRate(self) -> None:
        """A token comes every so often, and not before."""
        bucket = Bucket(50, 4, self.clock.seconds)
        self.taken(bucket)
        for _ in range(100):
            self.clock.advance(0.25 - GRAIN)
            self.assertFalse(bucket.take())
            self.clock.advance(GRAIN)
            self.assertTrue(bucket.take())
            self.assertFalse(bucket.take())

    def test_itHoldsNoMoreThanTheBurst(self) -> None:
        """However long one is silent."""
        bucket = Bucket(50, 4, self.clock.seconds)
        self.taken(bucket)
        self.clock.advance(1e6)
        self.assertEqual(self.taken(bucket), 50)

    def test_severalAtOnce(self) -> None:
        """All of them, or none."""
        bucket = Bucket(5, 4, self.clock.seconds)
        self.assertTrue(bucket.take(3))
        self.assertFalse(bucket.take(3))
        self.assertTrue(bucket.take(2))
        self.clock.advance(0.5)
        self.assertFalse(bucket.take(3))
        self.assertEqual(self.taken(bucket), 2)
        self.assertTrue(Bucket(1, 0, self.clock.seconds).take(1000))

    def test_noRate(self) -> None:
        """With a rate of 0 there always is a token."""
        bucket = Bucket(1, 0, self.clock.seconds)
        self.assertTrue(all(bucket.take() for _ in range(1000)))
        self.assertEqual(bucket.wait(), 0)

    @quiet
    @given(
        st.integers(1, 10),
        st.sampled_from([0.25, 0.5, 1, 2, 4, 16]),
        many(st.integers(0, 300)),
    )
    def test_exactly(self, burst: int, rate: float, pauses: list[int]) -> None:
        """To the token what counting in whole numbers gives, for any times of asking."""
        clock = Clock()
        bucket = Bucket(burst, rate, clock.seconds)
        whole = int(1 / GRAIN / rate * 4)  # what a token is worth, in quarters of a grain
        held = burst * whole
        for pause in pauses:
            clock.advance(pause * GRAIN)
            held = min(burst * whole, held + pause * 4)
            self.assertEqual(bucket.take(), held >= whole)
            held -= whole if held >= whole else 0

    @quiet
    @given(st.integers(1, 5), st.floats(0.001, 1000), st.floats(0, 10))
    def test_waiting(self, burst: int, rate: float, pause: float) -> None:
        """Who waits as long as they are told finds a token, and nearly as long finds none."""
        clock = Clock()
        bucket = Bucket(burst, rate, clock.seconds)
        while bucket.take():
            pass
        clock.advance(pause)
        while bucket.take():
            pass
        wait = bucket.wait()
        self.assertGreater(wait, 0)
        self.assertLessEqual(wait, 1 / rate + 1e-6)
        early = wait * (1 - 1e-6) - 2e-6
        if early > 0:
            clock.advance(early)
            self.assertFalse(bucket.take())
            clock.advance(wait - early)
        else:
            clock.advance(wait)
        self.assertTrue(bucket.take())


class AddressesTests(SynchronousTestCase):
    """How many may come from one place."""

    def setUp(self) -> None:
        self.clock = Clock()

    def addresses(self, address: int = 0, arrivals: int = 0) -> Addresses:
        """A count with these limits."""
        limits = Limits(address=address, arrivals=arrivals)
        return Addresses(limits, self.clock.seconds)

    def enters(self, addresses: Addresses, *hosts: str) -> list[bool]:
        """Whether each of them is let in."""
        return [addresses.enter(host) is None for host in hosts]

    def test_soManyAtATime(self) -> None:
        """Who is refused is told so, and not counted; who leaves makes room for one."""
        addresses = self.addresses(address=2)
        self.assertEqual(self.enters(addresses, "10.0.0.1", "10.0.0.1"), [True, True])
        self.assertEqual(
            addresses.enter("10.0.0.1"), "there are 2 connections from your address already"
        )
        self.assertIsNone(addresses.enter("10.0.0.2"))
        addresses.leave("10.0.0.1")
        self.assertEqual(self.enters(addresses, "10.0.0.1", "10.0.0.1"), [True, False])

    def test_anyNumber(self) -> None:
        """With a limit of 0 there is none."""
        addresses = self.addresses()
        self.assertTrue(all(self.enters(addresses, *["10.0.0.1"] * 1000)))

    def test_soManyInTenMinutes(self) -> None:
        """Also when they do not stay; and the window slides."""
        addresses = self.addresses(arrivals=3)
        for _ in range(3):
            self.assertIsNone(addresses.enter("10.0.0.1"))
            addresses.leave("10.0.0.1")
            self.clock.advance(100)
        self.assertFalse(addresses.enter("10.0.0.1") is None)
        self.assertIsNone(addresses.enter("10.0.0.2"))
        self.clock.advance(300 - GRAIN)
        self.assertFalse(addresses.enter("10.0.0.1") is None)
        self.clock.advance(GRAIN)
        self.assertEqual(self.enters(addresses, "10.0.0.1", "10.0.0.1"), [True, False])

    def test_whenToComeBack(self) -> None:
        """The minutes are rounded up, and true: who comes back then is let in."""
        addresses = self.addresses(arrivals=1)
        addresses.enter("10.0.0.1")
        for passed, minutes in ((0, 10), (1, 10), (60, 9), (539, 2), (540, 1), (599, 1)):
            self.clock.rightNow = passed
            self.assertEqual(
                addresses.enter("10.0.0.1"),
                f"too many connections from your address: come back in {minutes} min",
            )
        self.clock.rightNow = 600
        self.assertIsNone(addresses.enter("10.0.0.1"))

    def test_whoIsRefusedIsNotCountedTwice(self) -> None:
        """To knock in vain does not make the wait longer."""
        addresses = self.addresses(address=5, arrivals=2)
        self.enters(addresses, "10.0.0.1", "10.0.0.1")
        for _ in range(599):
            self.clock.advance(1)
            self.assertEqual(self.enters(addresses, "10.0.0.1"), [False])
        self.clock.advance(1)
        self.assertEqual(self.enters(addresses, "10.0.0.1", "10.0.0.1"), [True, True])

    def test_oneHousehold(self) -> None:
        """IPv6 addresses that differ in their last 64 bits only are one; others are not."""
        same = ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:0DB8:1:2:3::%eth0")
        self.assertEqual({Addresses.network(each) for each in same}, {"2001:db8:1:2::/64"})
        self.assertNotEqual(Addresses.network("2001:db8:1:3::1"), "2001:db8:1:2::/64")
        addresses = self.addresses(address=3)
        self.assertEqual(self.enters(addresses, *same, "2001:db8:1:2::2"), [True] * 3 + [False])
        addresses.leave("2001:db8:1:2:9:9:9:9")
        self.assertEqual(self.enters(addresses, "2001:db8:1:2::3"), [True])

    def test_oneMachineByTwoProtocols(self) -> None:
        """An IPv4 address is itself, also as IPv6 writes it."""
        self.assertEqual(Addresses.network("::ffff:192.0.2.7"), "192.0.2.7")
        self.assertEqual(Addresses.network("192.0.2.7"), "192.0.2.7")
        self.assertNotEqual(Addresses.network("::ffff:192.0.2.8"), "192.0.2.7")

    def test_whatIsNoAddress(self) -> None:
        """A UNIX socket's peers count as one."""
        self.assertEqual(Addresses.network("unix"), "unix")
        self.assertEqual(Addresses.network(""), "")

    def test_theDepartedAreForgotten(self) -> None:
        """Whoever is gone, and has not come for ten minutes, takes no memory."""
        addresses = self.addresses(address=5, arrivals=5)
        for n in range(200):
            host = f"10.0.0.{n}"
            addresses.enter(host)
            addresses.leave(host)
            self.clock.advance(1)
        self.assertEqual(len(addresses._now), 0)
        self.assertEqual(len(addresses._arrivals), 200)
        self.clock.advance(500)
        addresses.enter("10.0.0.199")
        self.assertEqual(len(addresses._arrivals), 99)
        self.clock.advance(600)
        addresses.enter("10.1.0.0")
        self.assertEqual(list(addresses._arrivals), ["10.1.0.0"])

    @quiet
    @given(
        st.integers(0, 3),
        st.integers(0, 4),
        many(st.tuples(st.integers(0, 3), st.integers(-1, 300))),
    )
    def test_asCountedByHand(
        self, address: int, arrivals: int, moves: list[tuple[int, int]]
    ) -> None:
        """For any comings and goings, as lists of them say; and no stamp is kept for nothing."""
        clock = Clock()
        limits = Limits(address=address, arrivals=arrivals)
        addresses = Addresses(limits, clock.seconds)
        here = [0, 0, 0, 0]
        came: list[list[float]] = [[], [], [], []]
        for who, pause in moves:
            host = f"192.0.2.{who}"
            if pause < 0:
                if here[who]:
                    here[who] -= 1
                    addresses.leave(host)
                continue
            clock.advance(pause)
            now = clock.seconds()
            recent = [then for then in came[who] if now - then < 600]
            allowed = (not address or here[who] < address) and (
                not arrivals or len(recent) < arrivals
            )
            self.assertEqual(addresses.enter(host) is None, allowed)
            if allowed:
                here[who] += 1
                came[who].append(now)
            self.assertEqual(sum(addresses._now.values()), sum(here))
            kept = sum(map(len, addresses._arrivals.values()))
            self.assertLessEqual(kept, 4 * arrivals)


class LimitsTests(SynchronousTestCase):
    """What may be configured."""

    def assertRefused(self, key: str, *values: Any) -> None:
        """None of these may stand in the configuration."""
        for value in values:
            with self.assertRaises(msgspec.ValidationError, msg=f"{key} = {value}"):
                msgspec.convert({key: value}, Limits)

    def test_theDefaultsStand(self) -> None:
        """They are within their own bounds."""
        given = msgspec.structs.asdict(Limits())
        self.assertEqual(msgspec.convert(given, Limits), Limits())

    def test_timesThatTheReactorCannotWait(self) -> None:
        """epoll takes no more than 24.8 days, and raises for ever after on more."""
        for key in ("naming", "stalled"):
            self.assertRefused(key, 0, -1, 86401, math.inf, math.nan)
            self.assertEqual(getattr(msgspec.convert({key: 86400}, Limits), key), 86400)

    def test_gatheringHoldsEveryoneUp(self) -> None:
        """So it is short, whatever is asked for."""
        self.assertRefused("gather", -0.001, 1.1, math.inf, math.nan)

    def test_aRateIsNoneOrSome(self) -> None:
        """A token must come while someone still waits for it."""
        self.assertRefused("rate", -1, 0.0009, math.inf, math.nan)
        for rate in (0, 0.001, 4, 1e6):
            self.assertEqual(msgspec.convert({"rate": rate}, Limits).rate, rate)

    def test_whatIsNoLimit(self) -> None:
        """A key that there is not is a mistake."""
        self.assertRefused("lines", 3)
