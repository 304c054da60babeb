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

#: How many sends may go with one call.
MOST = 128

# The numbers of the calls, the same on all machines, and what is mapped where.
SETUP, ENTER = 425, 426
AT_ORDER, AT_RESULTS, AT_ENTRIES = 0, 0x8000000, 0x10000000
SEND = 26
AWAIT = 1  # return when so many are done

# Neither waits, nor kills us when the peer is gone.
FLAGS = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

# Where in a CPython bytes object its bytes begin.
HEADER = bytes.__basicsize__ - 1


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
    """A ring for as many sends as L{MOST} at once."""

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
        entries[0::64] = bytes([SEND]) * MOST
        numbers, addresses = entries.cast("i"), entries.cast("Q")
        numbers[7::16] = array("i", [FLAGS]) * MOST
        addresses[4::8] = array("Q", range(MOST))
        self._sockets, self._sizes = numbers[1::16], numbers[6::16]
        self._addresses = addresses[2::8]

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

    def send(self, sockets: Sequence[int], pieces: list[bytes]) -> dict[int, int]:
        """
        Send something on each of some sockets, in this order.

        @param sockets: their descriptors, each once, as many as L{MOST} at most.
        @return: what became of those that were not sent to the end, by their place: how many bytes
            were sent; or why none were, as an C{errno} below 0.
        """
        count = len(pieces)
        tail = self._tail[0]
        at = tail % MOST
        if at + count > MOST:
            first = MOST - at
            failed = self.send(sockets[:first], pieces[:first])
            rest = self.send(sockets[first:], pieces[first:])
            return failed | {first + place: result for place, result in rest.items()}
        end = at + count
        sizes = self._sizesOf(pieces, at, end)
        self._sockets[at:end] = array("i", sockets)
        self._tail[0] = (tail + count) & 0xFFFFFFFF
        self._call(ENTER, self._number, count, count, AWAIT, None, 0)
        taken = (self._begun[0] - tail) & 0xFFFFFFFF
        if taken < count:
            # It wants memory, say.  What it did not look at it is not to look at later.
            self._tail[0] = (tail + taken) & 0xFFFFFFFF
        results = self._take(taken, at, sizes) + [-EAGAIN] * (count - taken)
        if results == sizes:
            return {}
        return {n: result for n, result in enumerate(results) if result != sizes[n]}

    def _sizesOf(self, pieces: list[bytes], at: int, end: int) -> list[int]:
        """Say where the pieces are, and how long. @return: how long they are."""
        first = pieces[0] if pieces else b""
        count = end - at
        if pieces.count(first) == count and type(first) is bytes:
            # Nearly always they are all the same.
            sizes = [len(first)] * count
            self._addresses[at:end] = array("Q", [id(first) + HEADER]) * count
        elif set(map(type, pieces)) - {bytes}:
            raise TypeError("only bytes stand where they are looked for")
        else:
            sizes = list(map(len, pieces))
            self._addresses[at:end] = array("Q", [id(piece) + HEADER for piece in pieces])
        self._sizes[at:end] = array("i", sizes)
        return sizes

    def _take(self, count: int, at: int, sizes: list[int]) -> list[int]:
        """
        What became of the sends, of which the first stands at a place.

        @param sizes: how much was to be sent.
        """
        head = self._head[0]
        while (self._ended[0] - head) & 0xFFFFFFFF < count:
            # None of them waits for anything, so this is short, if it is at all.
            self._call(ENTER, self._number, 0, count, AWAIT, None, 0)
        begin = head % self._size
        results: list[int] = self._results[begin : begin + count].tolist()
        if results != sizes:
            # They may have ended in another order.
            which = self._which[begin : begin + count].tolist()
            results = [result for _, result in sorted(zip(which, results, strict=True))]
        self._head[0] = (head + count) & 0xFFFFFFFF
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
