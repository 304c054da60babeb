"""
A ring of Linux's io_uring: some sends on sockets with one call of the kernel.

A C{send} costs 5 us, of which one is the way into the kernel and back; a ring goes it once for all
of them.  The kernel shares two pieces of memory with us: in one stands what is to be sent, in the
other what became of it (io_uring(7), C{<linux/io_uring.h>}).

Always true: a send is done, or refused, when L{Ring.send} returns, as on a socket that does not
block.  So nothing is under way between two calls, and what was to be sent need not be kept.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
from array import array
from collections.abc import Sequence
from errno import EAGAIN, EBADF, EINTR, ENOSYS

#: How many sends may go with one call; of more some go with another.  With twice as many a ring
#: has more memory than the 64 KiB that older kernels let anyone lock.
MOST = 512

# The numbers of the calls, the same on all machines, and what is mapped where.
SETUP, ENTER = 425, 426
AT_ORDER, AT_RESULTS, AT_ENTRIES = 0, 0x8000000, 0x10000000
SEND, SENDMSG = 26, 9
AWAIT = 1  # return when so many are done

# Neither waits, nor kills us when the peer is gone.
FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

# What is refused: of anything else we do not know where its bytes are.
ONLY = "only bytes stand where they are looked for"

# Where in a CPython bytes object its bytes begin.
HEADER = bytes.__basicsize__ - 1

#: Of how many parts a piece may be; one of more is joined first.
PARTS = 8

#: Some of these bytes: from, to.
Part = tuple[bytes, int, int]


def join(parts: Sequence[Part]) -> bytes:
    """What stands in all of them."""
    return b"".join([memoryview(piece)[start:stop] for piece, start, stop in parts])


class _Place(ctypes.Structure):
    """Where in its memory each part of a queue stands: the last one named is that of its items."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("head", "tail", "mask", "count")] + [
        ("_", ctypes.c_uint32 * 6)
    ]


class _Plan(ctypes.Structure):
    """What the kernel says of a new ring."""

    _fields_ = [
        ("entries", ctypes.c_uint32),
        ("results", ctypes.c_uint32),
        ("_", ctypes.c_uint32 * 8),
        ("order", _Place),
        ("done", _Place),
    ]


class Ring:
    """A ring for sends."""

    def __init__(self) -> None:
        """@raise OSError: this kernel has none, or does not let us have it."""
        self._kernel = ctypes.CDLL(None, use_errno=True).syscall
        self._kernel.restype = ctypes.c_long
        plan = _Plan()
        self._number = self._call(SETUP, MOST, ctypes.byref(plan))
        if self._number < 0:
            raise OSError(-self._number, os.strerror(-self._number))
        try:
            self._map(plan)
            self._try()
        except BaseException:
            self.close()
            raise

    def _map(self, plan: _Plan) -> None:
        """Lay out the memory: in each place for a send everything that is always the same."""
        places = plan.order._[2]
        order = self._share(AT_ORDER, places + 4 * MOST)
        order[places:].cast("I")[:] = array("I", range(MOST))
        self._begun, self._tail = _number(order, plan.order.head), _number(order, plan.order.tail)
        done = self._share(AT_RESULTS, plan.done._[1] + 16 * plan.results)
        self._head, self._ended = _number(done, plan.done.head), _number(done, plan.done.tail)
        numbers = done[plan.done._[1] :].cast("i")
        self._which, self._results = numbers[0::4], numbers[2::4]
        self._size = plan.results
        entries = self._share(AT_ENTRIES, 64 * MOST)
        self._calls = entries[0::64]
        numbers, addresses = entries.cast("i"), entries.cast("Q")
        numbers[7::16] = array("i", [FLAGS]) * MOST
        addresses[4::8] = array("Q", range(MOST))
        self._sockets, self._lengths = numbers[1::16], numbers[6::16]
        self._places = addresses[2::8]

    def _share(self, place: int, size: int) -> memoryview:
        return memoryview(mmap.mmap(self._number, size, offset=place))

    def _try(self) -> None:
        """Where it cannot send, it is to be known now. @raise OSError: it cannot."""
        one, other = socket.socketpair()
        with one, other:
            other.setblocking(False)
            failed = self.send([one.fileno(), -1], [b"sent", b"not"])
            if failed != {1: -EBADF} or other.recv(8) != b"sent":
                code = -failed.get(0, -ENOSYS)
                raise OSError(code, f"it cannot send: {os.strerror(code)}")

    def send(self, sockets: Sequence[int], pieces: Sequence[bytes]) -> dict[int, int]:
        """
        Send something on each of some sockets, in this order.

        @param sockets: their descriptors, each once.
        @return: what became of those that were not sent to the end, by their place: how many bytes
            were sent; or why none were, as an C{errno} below 0.
        """
        if set(map(type, pieces)) - {bytes}:
            raise TypeError(ONLY)
        sizes = array("i", map(len, pieces))
        places = array("Q", [id(piece) + HEADER for piece in pieces])
        return self._send(SEND, array("i", sockets), places, sizes, sizes)

    def sendSame(self, sockets: array[int], data: bytes) -> dict[int, int]:
        """The same on each of them."""
        if type(data) is not bytes:
            raise TypeError(ONLY)
        count = len(sockets)
        sizes = array("i", [len(data)]) * count
        return self._send(SEND, sockets, array("Q", [id(data) + HEADER]) * count, sizes, sizes)

    def sendParts(self, sockets: array[int], pieces: Sequence[Sequence[Part]]) -> dict[int, int]:
        """On each something that stands in several places, without copying it together first."""
        vectors: list[int] = []  # of struct iovec: where a part stands, and how long it is
        lists: list[tuple[int, int]] = []  # where those of a piece stand among them; how many
        joined: list[bytes] = []  # these are nobody else's
        sizes = array("i")
        for parts in pieces:
            if len(parts) > PARTS:
                whole = join(parts)
                parts = [(whole, 0, len(whole))]
                joined.append(whole)
            lists.append((8 * len(vectors), len(parts)))
            size = 0
            for piece, start, stop in parts:
                if type(piece) is not bytes or not 0 <= start <= stop <= len(piece):
                    raise TypeError(ONLY)
                vectors += (id(piece) + HEADER + start, stop - start)
                size += stop - start
            sizes.append(size)
        memory = array("Q", vectors)
        first, _ = memory.buffer_info()
        # Of struct msghdr: no address, the list, no control data.
        headers = array("Q", [n for at, count in lists for n in (0, 0, first + at, count, 0, 0, 0)])
        first, length = headers.buffer_info()
        places = array("Q", range(first, first + 8 * length, 56))
        return self._send(SENDMSG, sockets, places, array("i", [1]) * len(sizes), sizes)

    def _send(
        self,
        call: int,
        sockets: array[int],
        places: array[int],
        lengths: array[int],
        sizes: array[int],
    ) -> dict[int, int]:
        """
        @param places: where in our memory stands what is to be sent.
        @param lengths: the length of that.
        @param sizes: how many bytes each is to send.
        """
        count = len(sizes)
        if not count:
            return {}
        tail = self._tail[0]
        at = tail % MOST
        end = at + count
        if end > MOST:
            first = MOST - at
            some, others = slice(None, first), slice(first, None)
            failed = self._send(call, sockets[some], places[some], lengths[some], sizes[some])
            rest = self._send(call, sockets[others], places[others], lengths[others], sizes[others])
            return failed | {first + place: result for place, result in rest.items()}
        self._calls[at:end] = bytes((call,)) * count
        self._sockets[at:end] = sockets
        self._places[at:end] = places
        self._lengths[at:end] = lengths
        self._tail[0] = (tail + count) & 0xFFFFFFFF
        self._call(ENTER, self._number, count, count, AWAIT, None, 0)
        taken = (self._begun[0] - tail) & 0xFFFFFFFF
        if taken < count:
            # It wants memory, say.  What it did not look at it is not to look at later.
            self._tail[0] = (tail + taken) & 0xFFFFFFFF
        results = self._take(taken, sizes)
        if results == sizes:
            return {}
        results.extend([-EAGAIN] * (count - taken))
        return {n: result for n, result in enumerate(results) if result != sizes[n]}

    def _take(self, count: int, sizes: array[int]) -> array[int]:
        """What became of so many sends, in their order, when they were to send so many bytes."""
        head = self._head[0]
        while (self._ended[0] - head) & 0xFFFFFFFF < count:
            # None of them waits for anything, so this is short, if it is at all.
            self._call(ENTER, self._number, 0, count, AWAIT, None, 0)
        self._head[0] = (head + count) & 0xFFFFFFFF
        begin = head % self._size
        results = array("i", self._results[begin : begin + count].tobytes())
        if results != sizes:
            # They may have ended in another order.
            which = self._which[begin : begin + count].tolist()
            ordered = sorted(zip(which, results, strict=True))
            results = array("i", [result for _, result in ordered])
        return results

    def _call(self, *arguments: object) -> int:
        """Call the kernel. @return: what it says, or an C{errno} below 0."""
        while True:
            answer: int = self._kernel(*arguments)
            if answer >= 0:
                return answer
            if ctypes.get_errno() != EINTR:
                return -ctypes.get_errno()

    def close(self) -> None:
        """Give the ring back."""
        os.close(self._number)


def _number(memory: memoryview, at: int) -> memoryview:
    """The number at a place of a memory."""
    return memory[at : at + 4].cast("I")
