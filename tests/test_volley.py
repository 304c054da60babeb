"""
Tests for L{mucs.volley}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mucs import volley
from mucs.volley import FEW, TOGETHER, Volley


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
        self.told: list[object] = []

    def shoot(self, data: bytes) -> None:
        self.told.append(data)

    def sent(self, data: bytes, result: int) -> None:
        self.told.append((data, result))


class Ring:
    """
    @ivar sent: what was sent with each call.
    @ivar results: what the next ones are answered with, by number, if not that all is well.
    """

    def __init__(self) -> None:
        self.sent: list[list[tuple[int, bytes]]] = []
        self.results: dict[int, int] = {}
        self.isClosed = False

    def send(self, sockets: list[int], pieces: list[bytes]) -> list[int]:
        self.sent.append(list(zip(sockets, pieces, strict=True)))
        each = zip(sockets, pieces, strict=True)
        return [self.results.get(number, len(piece)) for number, piece in each]

    def close(self) -> None:
        self.isClosed = True


class VolleyTests(SynchronousTestCase):
    """Sends that are gathered."""

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

    def test_together(self) -> None:
        """They go out together, in their order, and hear nothing of it if all is well."""
        self.volley.open()
        self.assertTrue(self.volley.isOpen)
        self.bring(10)
        self.assertEqual(self.ring.sent, [])
        self.volley.fire()
        self.assertFalse(self.volley.isOpen)
        self.assertEqual(self.ring.sent, [[(number, b"hello") for number in range(10)]])
        self.assertEqual([sender.told for sender in self.senders[:10]], [[]] * 10)

    def test_many(self) -> None:
        """The first do not wait for the last."""
        self.volley.open()
        self.bring(2 * TOGETHER + 5)
        self.assertEqual(list(map(len, self.ring.sent)), [TOGETHER, TOGETHER])
        self.volley.fire()
        self.assertEqual(list(map(len, self.ring.sent)), [TOGETHER, TOGETHER, 5])

    def test_few(self) -> None:
        """It is not worth it for some few."""
        self.volley.open()
        self.bring(FEW)
        self.volley.fire()
        self.assertEqual(self.ring.sent, [])
        self.assertEqual([sender.told for sender in self.senders[:FEW]], [[b"hello"]] * FEW)

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
        self.bring(8)
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
