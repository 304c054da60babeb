"""
Tests for L{mucs.volley}.
"""

from __future__ import annotations

import errno
import gc
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mucs import volley
from mucs.group import Group
from mucs.volley import FEW, FIRST, LARGE, TOGETHER, Volley
from tests.rings import PretendedRing

NOBODY: Mapping[Any, bytes] = {}


class Socket:
    """The socket of a sender, which is its own number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number


class Sender:
    """@ivar told: what it was told, and asked."""

    def __init__(self, number: int) -> None:
        self.socket: Any = Socket(number)
        self.isListed = False
        self.told: list[object] = []

    def shoot(self, data: bytes) -> None:
        self.told.append(data)

    def sent(self, data: bytes, result: int) -> None:
        self.told.append((data, result))


class Member:
    """A member of a group, with a sender that is free, or without one."""

    def __init__(self, sender: Sender | None) -> None:
        self.one = sender
        self.sentAlone: list[bytes] = []

    def sender(self) -> Sender | None:
        return self.one

    def send(self, data: bytes) -> None:
        self.sentAlone.append(data)


class Ring(PretendedRing):
    """
    @ivar sent: what was sent with each call.
    @ivar results: what the next ones are answered with, by number, if not that all is well.
    """

    def __init__(self) -> None:
        self.sent: list[list[tuple[int, bytes]]] = []
        self.results: dict[int, int] = {}
        self.isClosed = False

    def send(self, sockets: Sequence[int], pieces: list[bytes]) -> dict[int, int]:
        self.sent.append(list(zip(sockets, pieces, strict=True)))
        results = self.results
        return {at: results[number] for at, number in enumerate(sockets) if number in results}

    def close(self) -> None:
        self.isClosed = True


class VolleyCase(SynchronousTestCase):
    """A volley, with a ring that writes down what is sent."""

    def setUp(self) -> None:
        self.ring = Ring()
        self.patch(volley, "Ring", lambda: self.ring)
        self.volley = Volley()
        self.volley.startService()
        self.senders = [Sender(number) for number in range(100)]

    def bring(self, count: int, data: bytes = b"hello") -> None:
        """The first ones bring something."""
        for sender in self.senders[:count]:
            self.volley.bring(sender, data)


class VolleyTests(VolleyCase):
    """Sends that are gathered."""

    def test_together(self) -> None:
        """They go out together, in their order, and hear nothing of it if all is well."""
        self.volley.open()
        self.assertTrue(self.volley.isOpen)
        self.bring(FIRST - 1)
        self.assertEqual(self.ring.sent, [])
        self.volley.fire()
        self.assertFalse(self.volley.isOpen)
        self.assertEqual(self.ring.sent, [[(number, b"hello") for number in range(FIRST - 1)]])
        self.assertEqual([sender.told for sender in self.senders], [[]] * 100)

    def test_many(self) -> None:
        """The first do not wait for the last."""
        self.volley.open()
        self.bring(FIRST + TOGETHER + 5)
        self.assertEqual(list(map(len, self.ring.sent)), [FIRST, TOGETHER])
        self.volley.fire()
        self.assertEqual(list(map(len, self.ring.sent)), [FIRST, TOGETHER, 5])

    def test_few(self) -> None:
        """It is not worth it for some few."""
        self.volley.open()
        self.bring(FEW)
        self.volley.fire()
        self.assertEqual(self.ring.sent, [])
        self.assertEqual([sender.told for sender in self.senders[:FEW]], [[b"hello"]] * FEW)

    def test_large(self) -> None:
        """Nor for what is large, which would only grow cold."""
        self.volley.open()
        self.bring(FIRST, b"x" * (LARGE + 1))
        self.assertEqual(self.ring.sent, [])
        self.assertEqual(self.senders[0].told, [b"x" * (LARGE + 1)])

    def test_nobody(self) -> None:
        """Nothing comes of nothing."""
        self.volley.open()
        self.volley.fire()
        self.volley.fire()
        self.assertEqual(self.ring.sent, [])

    def test_notAll(self) -> None:
        """Only who could not send it all hears of it."""
        self.ring.results = {3: 2, 5: -errno.EPIPE}
        self.volley.open()
        self.bring(8)
        self.volley.fire()
        told = {number: sender.told for number, sender in enumerate(self.senders) if sender.told}
        self.assertEqual(told, {3: [(b"hello", 2)], 5: [(b"hello", -errno.EPIPE)]})

    def test_twice(self) -> None:
        """What one brings second is not sent before it is known what became of the first."""
        self.ring.results = {3: 2}
        self.volley.open()
        self.bring(FIRST - 1)
        self.volley.bring(self.senders[3], b"again")
        self.assertEqual(len(self.ring.sent), 1)
        self.assertEqual(self.senders[3].told, [(b"hello", 2), b"again"])

    def test_withoutRing(self) -> None:
        """Where there is none, it never opens, and the log says why."""

        def none() -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        self.patch(volley, "Ring", none)
        said: list[str] = []
        self.patch(volley.log, "info", lambda words, why: said.append(words.format(why=why)))
        self.volley = Volley()
        self.volley.startService()
        self.volley.open()
        self.assertFalse(self.volley.isOpen)
        why = "no io_uring here ([Errno 1] Operation not permitted)"
        self.assertEqual(said, [f"each send is a call of its own: {why}"])
        self.volley.stopService()

    def test_notStarted(self) -> None:
        """Nor before it is started, nor after its end, before which all goes out."""
        self.assertFalse(Volley().isOpen)
        self.volley.open()
        self.bring(8)
        self.volley.stopService()
        self.assertEqual(len(self.ring.sent), 1)
        self.assertTrue(self.ring.isClosed)
        self.volley.open()
        self.assertFalse(self.volley.isOpen)


class GroupTests(VolleyCase):
    """Groups that get the same, turn after turn."""

    def setUp(self) -> None:
        super().setUp()
        self.group = Group()
        self.members = [Member(sender) for sender in self.senders]
        for member in self.members:
            self.group.add(member)

    def spread(self, data: bytes = b"hello", own: Mapping[Member, bytes] = NOBODY) -> None:
        """The group gets something, in a turn of its own."""
        self.volley.open()
        self.assertTrue(self.volley.lists(self.group))
        parts = {member: [(mine, 0, len(mine))] * bool(mine) for member, mine in own.items()}
        self.volley.spread(self.group, data, parts)
        self.volley.fire()

    def sent(self) -> list[tuple[int, bytes]]:
        """What went out by the ring."""
        sent, self.ring.sent = self.ring.sent, []
        return [each for call in sent for each in call]

    def test_notOpen(self) -> None:
        """It is not worth it for some few; nor where nothing is gathered."""
        self.assertFalse(self.volley.lists(self.group))
        small = Group()
        self.volley.open()
        for member in self.members[:FEW]:
            small.add(member)
        self.assertFalse(self.volley.lists(small))
        small.add(self.members[FEW])
        self.assertTrue(self.volley.lists(small))

    def test_comingAndGoing(self) -> None:
        """Whoever comes gets it from then on, and who goes gets it no more, free or not."""
        self.spread()
        self.sent()
        one, two, alone = Member(Sender(200)), Member(Sender(201)), Member(None)
        for member in (one, alone, two):
            self.group.add(member)
        for member in (self.members[99], self.members[5], two):
            self.group.remove(member)
        numbers = {*range(99), 200} - {5}
        for data in (b"hello", b"again"):
            self.spread(data)
            sent = self.sent()
            self.assertEqual((len(sent), dict(sent)), (99, dict.fromkeys(numbers, data)))
        self.assertEqual(alone.sentAlone, [b"hello", b"again"])
        for member in (alone, one):
            self.group.remove(member)
        self.group.add(self.members[5])
        self.group.remove(self.members[5])
        self.group.add(self.members[5])
        self.spread(own={self.members[5]: b"mine", self.members[98]: b"ours"})
        self.assertEqual(sorted(number for number, _ in self.sent()), [*range(5), *range(6, 98)])
        self.assertEqual(self.members[5].one.told, [b"mine"])  # type: ignore[union-attr]
        self.assertEqual(self.members[98].one.told, [b"ours"])  # type: ignore[union-attr]
        self.assertEqual(alone.sentAlone, [b"hello", b"again"])
        for member in list(self.group):
            self.group.remove(member)
        self.assertFalse(self.group.senders or self.group.sockets or self.group.others)

    def test_nothingIsKept(self) -> None:
        """Who is gone is forgotten, whether the lists are used or not."""
        for used in (False, True):
            if used:
                self.spread()
            for _ in range(3):
                members = [Member(Sender(number)) for number in range(200, 210)]
                gone = [weakref.ref(member) for member in members]
                for member in members:
                    self.group.add(member)
                if used:
                    self.spread()
                for member in members:
                    self.group.remove(member)
                    self.group.add(member)
                    self.group.remove(member)
                del member, members
                gc.collect()
                self.assertEqual([each() for each in gone], [None] * 10)

    def test_all(self) -> None:
        """Everyone gets it, with one call."""
        self.spread()
        self.assertEqual(len(self.ring.sent), 1)
        self.assertEqual(self.sent(), [(number, b"hello") for number in range(100)])
        self.assertTrue(all(sender.isListed for sender in self.senders))

    def test_broughtBefore(self) -> None:
        """What was brought before goes out before."""
        self.volley.open()
        self.bring(FEW + 1, b"before")
        self.volley.spread(self.group, b"hello", {})
        self.assertEqual([piece for _, piece in self.ring.sent[0]], [b"before"] * (FEW + 1))

    def test_own(self) -> None:
        """Authors get what is theirs, and nothing is sent where that is nothing."""
        alone = Member(None)
        self.group.add(alone)
        self.spread(own={self.members[3]: b"mine", self.members[50]: b"", alone: b"ours"})
        self.assertEqual(self.senders[3].told, [b"mine"])
        self.assertEqual(self.sent(), [(n, b"hello") for n in range(100) if n not in (3, 50)])
        self.spread(own={alone: b""})
        self.assertEqual(alone.sentAlone, [b"ours"])
        self.spread()
        self.assertEqual(alone.sentAlone, [b"ours", b"hello"])

    def test_manyAuthors(self) -> None:
        """Many of them get it with one call too; whoever does not get all of it is told."""
        own = {self.members[number]: b"%d of mine" % number for number in range(0, 100, 2)}
        self.ring.results = {40: 3}
        self.spread(own=own)
        self.assertEqual([len(call) for call in self.ring.sent], [50, 50])
        sent = dict(self.sent())
        each = [(b"hello", b"%d of mine" % number)[number % 2 == 0] for number in range(100)]
        self.assertEqual([sent[number] for number in range(100)], each)
        told = [sender.told for sender in self.senders]
        self.assertEqual(told.pop(40), [(b"40 of mine", 3)])
        self.assertEqual(told, [[]] * 99)

    def test_notFree(self) -> None:
        """Whose socket is not free is left out, from the moment on that they say so."""
        self.spread()
        self.sent()
        self.members[7].one = None
        self.volley.changed(self.senders[7])
        self.assertFalse(self.senders[7].isListed)
        self.spread(b"again")
        self.assertEqual([n for n, _ in self.sent()], [n for n in range(100) if n != 7])
        self.assertEqual(self.members[7].sentAlone, [b"again"])
        self.members[7].one = self.senders[7]
        self.group.remove(self.members[7])
        self.group.add(self.members[7])
        self.group.add(Member(Sender(200)))
        self.spread()
        self.assertEqual(len(self.sent()), 101)

    def test_inTheMiddle(self) -> None:
        """What comes of the others may have come of authors: these look for themselves."""
        self.spread()
        self.sent()
        self.ring.results = {2: 1}

        def sent(data: bytes, result: int) -> None:
            self.volley.changed(self.senders[2])

        self.senders[2].sent = sent  # type: ignore[method-assign]
        self.spread(own=dict.fromkeys(self.members[90:], b"mine"))
        self.assertEqual([number for number, _ in self.sent()], list(range(90)))
        told = [sender.told for sender in self.senders]
        self.assertEqual(told, [[]] * 90 + [[b"mine"]] * 10)
