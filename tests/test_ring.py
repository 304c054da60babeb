"""
Tests for L{mucs.ring}, on the kernel there is.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import socket
from array import array
from ctypes import string_at
from random import Random
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from mucs import ring
from mucs.ring import MOST, PARTS, Part, Ring, join


def hasIoUring() -> bool:
    """Whether the kernel would make a ring."""
    plan = ctypes.create_string_buffer(120)
    number: int = ctypes.CDLL(None).syscall(ring.SETUP, 8, plan)
    if number >= 0:
        os.close(number)
    return number >= 0


class RingTests(SynchronousTestCase):
    """Sends by io_uring."""

    def setUp(self) -> None:
        if not hasIoUring():
            raise SkipTest("this kernel has no io_uring, or not for us")
        self.ring = Ring()
        self.addCleanup(self.ring.close)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Two ends of a connection, neither of which waits."""
        ends = socket.socketpair()
        for end in ends:
            end.setblocking(False)
            self.addCleanup(end.close)
        return ends

    def send(self, sockets: list[socket.socket], pieces: list[bytes]) -> list[int]:
        """Send on sockets. @return: what became of each."""
        failed = self.ring.send([each.fileno() for each in sockets], pieces)
        self.assertFalse([n for n, result in failed.items() if result == len(pieces[n])])
        return [failed.get(n, len(piece)) for n, piece in enumerate(pieces)]

    def sendSame(self, sockets: list[socket.socket], data: bytes) -> None:
        """Send the same on all of them."""
        numbers = array("i", [each.fileno() for each in sockets])
        self.assertEqual(self.ring.sendSame(numbers, data), {})

    def test_eachItsOwn(self) -> None:
        """Each socket gets what is for it, however often, and from wherever in the ring."""
        pairs = [self.pair() for _ in range(100)]
        sent = [b""] * len(pairs)
        for turn in range(MOST // 5):
            count = turn * 7 % len(pairs) + 1
            other = turn % 3
            pieces = [b"%d to %d;" % (turn, each * other) * 5 for each in range(count)]
            results = self.send([one for one, _ in pairs[:count]], pieces)
            self.assertEqual(results, list(map(len, pieces)))
            for each, piece in enumerate(pieces):
                sent[each] += piece
            if turn % 3:
                self.sendSame([one for one, _ in pairs[:count]], b"all")
                for each in range(count):
                    sent[each] += b"all"
        self.assertEqual([other.recv(1 << 18) for _, other in pairs], sent)

    def test_parts(self) -> None:
        """What stands in several places is sent as one piece; however many places, or none."""
        pairs = [self.pair() for _ in range(40)]
        sockets, random = array("i", [one.fileno() for one, _ in pairs]), Random(2)
        told, sent = b"0123456789" * 50, [b""] * len(pairs)
        for _ in range(3 * MOST // len(pairs)):
            pieces = []
            for each in range(len(pairs)):
                parts: list[Part] = []
                for at in range(random.choice((0, 1, 2, 3, PARTS, PARTS + 1))):
                    start = random.randrange(len(told))
                    parts.append((told, start, random.randrange(start, min(start + 20, 501))))
                    parts.append((b"%d." % at, 0, 2))
                pieces.append(parts)
                sent[each] += join(parts)
            self.assertEqual(self.ring.sendParts(sockets, pieces), {})
        self.assertEqual([other.recv(1 << 18) for _, other in pairs], sent)

    def test_partsOfAFewBytes(self) -> None:
        """Who takes no more of them, or is gone, is told from the others, here too."""
        (full, _), (gone, other), (free, reader) = self.pair(), self.pair(), self.pair()
        other.close()
        data = b"x" * 50_000
        while self.send([full], [data])[0] > 0:
            pass
        sockets = array("i", [each.fileno() for each in (full, free, gone)])
        failed = self.ring.sendParts(sockets, [[(data, 0, 10), (data, 10, 20)]] * 3)
        self.assertEqual(failed, {0: -errno.EAGAIN, 2: -errno.EPIPE})
        self.assertEqual(reader.recv(100), b"x" * 20)
        large = [(data, 0, 50_000)] * 6
        taken = self.ring.sendParts(array("i", [free.fileno()]), [large]).get(0, 300_000)
        self.assertTrue(0 < taken < 300_000)
        self.assertEqual(reader.recv(1 << 20), b"x" * taken)

    def test_onlyWhatIsThere(self) -> None:
        """What is no bytes, or not all there, is refused: our memory is nobody's business."""
        one, other = self.pair()
        sockets = array("i", [one.fileno()])
        wrong: Any
        for wrong in (
            (bytearray(b"wrong"), 0, 1),
            (b"wrong", 0, 6),
            (b"wrong", -1, 2),
            (b"wrong", 2, 1),
        ):
            with self.assertRaises(TypeError):
                self.ring.sendParts(sockets, [[(b"right", 0, 5), wrong]])
        self.assertEqual(self.ring.sendParts(sockets, [[(b"right", 1, 4)]]), {})
        self.assertEqual(other.recv(100), b"igh")

    def test_nothing(self) -> None:
        """Nothing is sent to nobody."""
        self.assertEqual(self.send([], []), [])
        self.sendSame([], b"hello")
        self.assertEqual(self.ring.sendParts(array("i"), []), {})

    def test_bytesAreCopied(self) -> None:
        """What was sent need not be kept."""
        one, other = self.pair()
        for number in range(100):
            self.send([one], [b"%d," % number * 10])
            gc.collect(0)
        self.assertEqual(other.recv(1 << 16), b"".join(b"%d," % n * 10 for n in range(100)))

    def test_onlyBytes(self) -> None:
        """What is no bytes stands elsewhere in memory, and is not looked for."""
        one, other = self.pair()
        wrong: Any
        for wrong in (bytearray(b"wrong"), memoryview(b"wrong"), "wrong"):
            for pieces in ([b"right", wrong], [wrong, wrong], [wrong]):
                with self.assertRaises(TypeError):
                    self.ring.send([one.fileno()] * len(pieces), pieces)
            with self.assertRaises(TypeError):
                self.ring.sendSame(array("i", [one.fileno()]), wrong)
        self.assertEqual(self.send([one], [b"right"]), [5])
        self.assertEqual(other.recv(100), b"right")

    def test_full(self) -> None:
        """Who takes no more is told from the others, and nobody waits."""
        (full, slow), (free, reader) = self.pair(), self.pair()
        data = b"x" * 50_000
        results: list[int] = []
        while not results or results[-1] == len(data):
            results += self.send([full], [data])
        self.assertTrue(results[-1] == -errno.EAGAIN or 0 < results[-1] < len(data))
        refused, sent, again = self.send([full, free, full], [data, b"hello", data])
        self.assertEqual((refused, sent, again), (-errno.EAGAIN, 5, -errno.EAGAIN))
        self.assertEqual(reader.recv(100), b"hello")
        taken = sum([result for result in results if result > 0])
        while taken:
            taken -= len(slow.recv(1 << 20))
        with self.assertRaises(BlockingIOError):
            slow.recv(1)

    def test_gone(self) -> None:
        """A peer that is gone, a closed socket, and what is no socket, are an error each."""
        (one, other), (free, reader) = self.pair(), self.pair()
        other.close()
        with open(os.devnull) as file:
            numbers = [one.fileno(), -1, free.fileno(), file.fileno()]
            results = self.ring.send(numbers, [b"hello"] * 4)
        self.assertEqual(results, {0: -errno.EPIPE, 1: -errno.EBADF, 3: -errno.ENOTSOCK})
        self.assertEqual(reader.recv(100), b"hello")

    def test_notTaken(self) -> None:
        """Where the kernel does not take them all, the rest is refused, and not sent later."""
        pairs = [self.pair() for _ in range(8)]
        calls: list[Any] = []
        call = self.ring._call

        def shy(number: int, *rest: Any) -> int:
            calls.append(rest)
            if len(calls) == 1 and number == ring.ENTER:
                return call(number, rest[0], 3, 3, *rest[3:])
            return -errno.EAGAIN if len(calls) == 2 else call(number, *rest)

        self.patch(self.ring, "_call", shy)
        sockets = [one for one, _ in pairs]
        again = -errno.EAGAIN
        self.assertEqual(self.send(sockets, [b"1"] * 8), [1] * 3 + [again] * 5)
        self.assertEqual(self.send(sockets, [b"2"] * 8), [again] * 8)
        self.assertEqual(self.send(sockets, [b"3"] * 8), [1] * 8)
        self.assertEqual([other.recv(9) for _, other in pairs], [b"13"] * 3 + [b"3"] * 5)

    def test_atTheEnd(self) -> None:
        """Up to the end of the ring, or just past it, all is the same."""
        one, other = self.pair()
        for over in (-1, 0, 1, 2):
            fill = (MOST - 3 - self.ring._tail[0]) % MOST
            self.ring.send([one.fileno()] * fill, [b""] * fill)
            self.send([one] * (3 + over), [b"%d" % number for number in range(3 + over)])
            self.assertEqual(other.recv(100), b"".join(b"%d" % n for n in range(3 + over)))
            self.assertEqual(self.ring._tail[0] % MOST, over % MOST)

    def test_theSecondHalf(self) -> None:
        """A send that goes wrong is told from the others across the end of the ring, too."""
        pairs = [self.pair() for _ in range(10)]
        pairs[8][1].close()
        pieces = [b"%d" % number for number in range(10)]
        self.ring.send([pairs[0][0].fileno()] * (MOST - 4), [b""] * (MOST - 4))
        self.ring.send([pairs[0][0].fileno()] * (MOST - 2), [b""] * (MOST - 2))
        results = [self.send([one for one, _ in pairs], pieces) for _ in range(MOST // 9)]
        self.assertEqual(results, [[1] * 8 + [-errno.EPIPE, 1]] * (MOST // 9))

    def test_interrupted(self) -> None:
        """A signal in the middle of a call is no error."""
        kernel = self.ring._kernel
        calls: list[object] = []

        def interrupted(*arguments: object) -> int:
            calls.append(arguments)
            if len(calls) % 2:
                ctypes.set_errno(errno.EINTR)
                return -1
            return int(kernel(*arguments))

        self.patch(self.ring, "_kernel", interrupted)
        one, other = self.pair()
        self.assertEqual(self.send([one], [b"hello"]), [5])
        self.assertEqual(other.recv(100), b"hello")

    def test_givenBack(self) -> None:
        """A ring leaves no descriptor behind."""
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        other = Ring()
        self.assertGreater(len(os.listdir("/proc/self/fd")), before)
        other.close()
        del other
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class Kernel(Ring):
    """
    A ring with a kernel of its own: it has sent nearly as often as can be counted, ends the sends
    in any order, and not all of them at once.

    @ivar sent: what it has sent, and on which socket.
    """

    def __init__(self) -> None:
        def numbers(kind: str, count: int = 1, value: int = 0) -> memoryview:
            return memoryview(array(kind, [value] * count))

        begin = 2**32 - 4 * MOST
        self._number = -1
        self._begun, self._tail = numbers("I", value=begin), numbers("I", value=begin)
        self._head, self._ended = numbers("I", value=begin), numbers("I", value=begin)
        self._size = 2 * MOST
        self._which, self._results = numbers("i", 2 * MOST), numbers("i", 2 * MOST)
        self._sockets, self._lengths = numbers("i", MOST), numbers("i", MOST)
        self._places, self._calls = numbers("Q", MOST), numbers("B", MOST)
        self.sent: list[tuple[int, bytes]] = []
        self._random = Random(0)
        self._late: list[int] = []

    def _call(self, *arguments: Any) -> int:
        while self._begun[0] != self._tail[0]:
            self._late.append(self._begun[0] % MOST)
            self._begun[0] = (self._begun[0] + 1) & 0xFFFFFFFF
        self._random.shuffle(self._late)
        ends = self._late[len(self._late) // 3 :]
        del self._late[len(self._late) // 3 :]
        for place in ends:
            size = self._lengths[place]
            self.sent.append((self._sockets[place], string_at(self._places[place], size)))
            at = self._ended[0] % self._size
            self._which[at] = place
            self._results[at] = size if self._sockets[place] % 5 else -errno.EPIPE
            self._ended[0] = (self._ended[0] + 1) & 0xFFFFFFFF
        return 0


class CountingTests(SynchronousTestCase):
    """What a ring makes of a kernel's numbers."""

    def test_anyOrder(self) -> None:
        """
        What became of a send is found by its number, in whatever order they end; all have ended
        when it is over; and the numbers may begin again.
        """
        kernel, random = Kernel(), Random(1)
        for turn in range(200):
            count = random.randrange(1, MOST + 1)
            sockets = random.sample(range(3 * MOST), count)
            pieces = [b"%d" % (each if turn % 2 else turn) for each in sockets]
            kernel.sent.clear()
            failed = kernel.send(sockets, pieces)
            self.assertEqual(sorted(kernel.sent), sorted(zip(sockets, pieces, strict=True)))
            wrong = [at for at, number in enumerate(sockets) if number % 5 == 0]
            self.assertEqual(failed, dict.fromkeys(wrong, -errno.EPIPE))
        self.assertLess(kernel._tail[0], 2**31)


class NoRingTests(SynchronousTestCase):
    """Where the kernel has no io_uring, or not for us."""

    def refuse(self, wrong: int) -> None:
        """The kernel says no."""

        def refusing(library: object) -> Any:
            def syscall(*arguments: object) -> int:
                ctypes.set_errno(wrong)
                return -1

            return type("Library", (), {"syscall": staticmethod(syscall)})

        self.patch(ctypes, "CDLL", lambda *_, **__: refusing(None))

    def test_cannotSend(self) -> None:
        """A ring that sends nothing is none, and nothing is left of it."""
        if not hasIoUring():
            raise SkipTest("this kernel has no io_uring, or not for us")
        gc.collect()
        before = len(os.listdir("/proc/self/fd"))
        self.patch(ring, "HEADER", ring.HEADER + 1)
        with self.assertRaises(OSError):
            Ring()
        gc.collect()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_refused(self) -> None:
        """That is an error when it is made, which says why."""
        for wrong in (errno.ENOSYS, errno.EPERM):
            self.refuse(wrong)
            with self.assertRaises(OSError) as caught:
                Ring()
            self.assertEqual(caught.exception.errno, wrong)
