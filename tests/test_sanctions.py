"""
Bans and mutes as records: whom they hit, when they end, and that looking them up stays cheap.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import LogError, NotStored
from mucs.log.memory import MemoryLog
from mucs.names import fold
from mucs.sanctions import BAN, MUTE, Sanction, Sanctions, origin, parse
from mucs.settings import RoomSettings

GARDEN: Any = SimpleNamespace(
    key="garden", settings=RoomSettings(name="garden", owner="ada", moderators=("mod",))
)


def session(
    name: str,
    account: str = "",
    host: str = "10.0.0.1",
    trusted: bool = False,
    admin: bool = False,
    sanctions: tuple[int, ...] = (),
) -> Any:
    """Someone who is connected."""
    role = "member" if account else "guest"
    if account == "mod":
        role = "moderator"
    return SimpleNamespace(
        name=name,
        account=account,
        host=host,
        admin=admin,
        sanctions=sanctions,
        listener=SimpleNamespace(trusted=trusted),
        role=lambda room: role,
    )


class SanctionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wall, self.steady = 1_000_000.0, 0.0
        self.store = MemoryLog(lambda: self.wall)
        self.sanctions = self.load()

    def load(self) -> Sanctions:
        """Those that the log has."""
        sanctions = Sanctions(self.store, lambda: self.wall, lambda: self.steady)
        self.successResultOf(sanctions.load())
        return sanctions

    def put(self, number: int = 1, kind: str = BAN, room: str = "garden", **rest: Any) -> Sanction:
        sanction = Sanction(number=number, kind=kind, room=room, name="bob", by="ada", **rest)
        return self.successResultOf(self.sanctions.put(sanction))

    def hits(self, who: Any, room: Any = GARDEN, kind: str = BAN) -> bool:
        return self.sanctions.hit(kind, room, who) is not None

    def test_aMember(self) -> None:
        """By the account, whatever they are called and wherever they come from."""
        self.put(account="bob")
        self.assertTrue(self.hits(session("b", "bob", "10.9.9.9")))
        self.assertFalse(self.hits(session("bob", "rob")))
        self.assertFalse(self.hits(session("bob")))
        self.assertFalse(self.hits(session("b", "bob"), kind=MUTE))
        self.assertFalse(self.hits(session("b", "bob"), room=None))

    def test_aGuest(self) -> None:
        """By the name, folded; by the network, if they are guests; by what the session carries."""
        self.put(person=fold("Bob"), network="10.0.0.1")
        self.assertTrue(self.hits(session("B0b".replace("0", "o"), host="10.9.9.9")))
        self.assertTrue(self.hits(session("eve")))
        self.assertFalse(self.hits(session("eve", trusted=True)))
        self.assertFalse(self.hits(session("eve", "eve")))
        self.assertFalse(self.hits(session("eve", host="10.0.0.2")))
        self.assertFalse(self.hits(session("bob", "bob", "10.9.9.9")))
        self.assertTrue(self.hits(session("eve", "eve", "10.9.9.9", sanctions=(7, 1))))

    def test_aNetwork(self) -> None:
        """Everyone from there, but not who keeps the room, nor an admin."""
        self.put(network="10.0.0.0/24", everyone=True)
        self.assertTrue(self.hits(session("eve", "eve")))
        self.assertTrue(self.hits(session("eve", "eve", trusted=True)))
        self.assertTrue(self.hits(session("eve", host="::ffff:10.0.0.77")))
        self.assertFalse(self.hits(session("eve", host="10.0.1.1")))
        self.assertFalse(self.hits(session("eve", host="unix")))
        self.assertFalse(self.hits(session("mod", "mod")))
        self.assertFalse(self.hits(session("root", admin=True)))
        self.assertIsNone(self.sanctions.door("10.0.0.1"))
        self.put(2, room="", network="2001:db8::/32", everyone=True)
        self.assertIsNotNone(self.sanctions.door("2001:db8:1::1"))
        self.assertIsNotNone(self.sanctions.door("2001:db8:1::1%eth0"))
        self.assertIsNone(self.sanctions.door("2001:db9::1"))
        self.assertIsNone(self.sanctions.door("not an address"))

    def test_nothingHitsAnAdmin(self) -> None:
        """By whatever it goes."""
        self.put(account="root")
        self.put(2, person="root")
        self.assertFalse(self.hits(session("root", "root", admin=True, sanctions=(1, 2))))

    def test_endsByASteadyClock(self) -> None:
        """In the run it was given in, whatever the wall clock does."""
        self.put(account="bob", until=int((self.wall + 60) * 1000))
        bob = session("bob", "bob")
        self.wall += 3600
        self.assertTrue(self.hits(bob))
        self.wall -= 7200
        self.steady += 59
        self.assertTrue(self.hits(bob))
        self.steady += 1
        self.assertFalse(self.hits(bob))
        self.assertEqual(self.successResultOf(self.store.entries("sanction")), [])

    def test_endsByTheWallClock(self) -> None:
        """In later runs; what ended before is not there any more."""
        self.put(account="bob", until=int((self.wall + 60) * 1000))
        self.put(2, kind=MUTE, account="bob")
        self.wall += 59
        self.sanctions = self.load()
        self.assertTrue(self.hits(session("bob", "bob")))
        self.wall += 1
        self.assertFalse(self.hits(session("bob", "bob")))
        self.assertTrue(self.hits(session("bob", "bob"), kind=MUTE))
        self.sanctions = self.load()
        self.assertEqual([each.number for each in self.sanctions.of("garden")], [2])

    def test_nothingIsLeft(self) -> None:
        """Of what was taken back: no mark, no network, no clock."""
        first = self.put(account="bob", network="10.0.0.0/8", until=int(2e9 * 1000))
        second = self.put(2, room="", person="eve", network="10.0.0.0/8")
        for each in (first, second, first):
            self.successResultOf(self.sanctions.remove(each))
        inside = vars(self.sanctions)
        for name in ("_ends", "_marks", "_lengths", "_rooms"):
            self.assertEqual(inside[name], {}, name)
        self.assertEqual(self.sanctions.table.rows, {})

    def test_notStored(self) -> None:
        """What cannot be stored does not hold; what cannot be removed has ended all the same."""
        real = self.store.put

        def refuse(kind: str, key: str, value: bytes | None) -> Deferred[None]:
            return fail(NotStored("full"))

        self.store.put = refuse  # type: ignore[method-assign]
        self.failureResultOf(self.sanctions.put(Sanction(number=1, kind=BAN, room="", name="x")))
        self.assertEqual(self.sanctions.of(""), [])
        self.store.put = real  # type: ignore[method-assign]
        self.put(account="bob", until=int((self.wall + 60) * 1000))
        self.store.put = refuse  # type: ignore[method-assign]
        self.steady += 60
        self.assertFalse(self.hits(session("bob", "bob")))
        self.assertFalse(self.hits(session("bob", "bob")))
        self.assertEqual(len(self.flushLoggedErrors(LogError)), 2)

    def test_found(self) -> None:
        """By the name it was given for, however it is written, or the account's key."""
        self.put(account="rob")
        for name in ("bob", "BOB", "Rob"):
            found = self.sanctions.find(BAN, "garden", name)
            self.assertIsNotNone(found, name)
        self.assertIsNone(self.sanctions.find(MUTE, "garden", "bob"))
        self.assertIsNone(self.sanctions.find(BAN, "", "bob"))

    def test_many(self) -> None:
        """However many there are, few are looked at for one person."""
        for number in range(1, 1001):
            network = f"10.{number >> 8}.{number & 255}.0/24"
            self.put(number, network=network, everyone=True, account=f"a{number}")
        known = list(self.sanctions._known(session("x", "a5", "10.0.7.1"), "x"))
        self.assertEqual(sorted(each.number for each in known), [5, 7])

    def test_words(self) -> None:
        """By whom, until when, why."""
        self.assertEqual(self.put(why="rude").terms(), " by ada (rude)")
        self.assertRegex(
            self.put(2, until=1_790_000_000_000).terms(), r"^ by ada until 21 Sep 2026 \d\d:\d\d$"
        )


class AddressTests(SynchronousTestCase):
    def test_parsed(self) -> None:
        """Addresses and networks, in either version, mapped ones as what they are."""
        for text, network in (
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
            ("fe80::1%eth0", "fe80::1/128"),
            ("2001:db8::1/32", "2001:db8::/32"),
        ):
            self.assertEqual(str(parse(text)), network)
        for text in (
            "",
            "bob",
            "10.1.2.3:40000",
            "10.1.2",
            "10.1.2.3/33",
            "10.1.2.3/",
            "::1/x",
            "::ffff:1.2.3.4/x",
            "1.2.3.4/-1",
            "unix",
            "/8",
        ):
            self.assertIsNone(parse(text), text)

    def test_origin(self) -> None:
        """The household's network; nothing where everyone has the same address, or none."""
        self.assertEqual(origin(session("x", host="2001:db8::1")), "2001:db8::/64")
        self.assertEqual(origin(session("x", host="10.1.2.3")), "10.1.2.3")
        self.assertEqual(origin(session("x", host="10.1.2.3", trusted=True)), "")
        self.assertEqual(origin(session("x", host="unix")), "")
