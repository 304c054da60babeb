"""
Hashing: passwords are made hashes of, and compared with them, in two threads of their own.

One hash takes 19 MiB and some 30 ms on purpose (argon2id with two passes, as OWASP recommends).
So at most two are under way, and what comes meanwhile waits in a queue that is fair to addresses:
they take turns, however much each of them asks for, and every other turn is for those who have been
right from there before: a storm of guesses, from any number of addresses, holds up nobody at home.
The queue is bounded; when it is full the address with the most in it gives up its last.

The threads are as urgent as the reactor's: a thread that is less so keeps Python's lock while it
waits for a processor, and was measured to make everyone wait longer, not less.

Always true: whoever asks hears, once, what came of it; the reactor's thread never hashes.
"""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from threading import Thread, get_native_id
from typing import Any, Protocol

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mucs.events import Refused

#: Hashes under way at a time.
THREADS = 2

#: How nice they are to the rest: people go on talking while many passwords are tried.
NICE = 19

#: What waits at most, in all and of one address.
MOST = 512
EACH = 32

_OVER = "the server is shutting down"
_BUSY = "too many people are logging in at the moment; try again in a moment"


Queue = dict[str, deque[tuple[Deferred[Any], Any, tuple[str, ...]]]]


class Pool(Protocol):
    """What hashing needs of a L{twisted.python.threadpool.ThreadPool}."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, when what is under way is done."""

    def callInThreadWithCallback(self, onResult: Any, func: Any, /, *args: Any) -> None:
        """Call a function in a thread, and there C{onResult} with whether it returned, and what."""


class _Modest(Thread):
    """A thread that leaves the processor to whoever else wants it, where threads can."""

    def run(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)
        super().run()


def threads(reactor: Any) -> Hashing:
    """Hashing as it is done: in threads, for this reactor."""
    pool = ThreadPool(0, THREADS, "hashing")
    pool.threadFactory = _Modest
    return Hashing(pool, lambda *call: reactor.callFromThread(*call))


class Hashing:
    """@ivar under: how many hashes are under way."""

    def __init__(
        self,
        pool: Pool,
        callFromThread: Callable[..., Any],
        hasher: PasswordHasher | None = None,
    ) -> None:
        """
        @param pool: where it is done.
        @param callFromThread: the reactor's: calls something in its own thread.
        @param hasher: how; other than usual only in tests.
        """
        self.under = 0
        self._pool = pool
        self._callFromThread = callFromThread
        self._hasher = hasher or PasswordHasher(2, 19 * 1024, 1)
        # By address: strangers, and those who have been right from there before.
        self._queues: tuple[Queue, Queue] = {}, {}
        self._count = 0
        self._turn = 0
        self._running = False
        cost = f"m={self._hasher.memory_cost},t={self._hasher.time_cost},p=1"
        salt, body = (b64encode(bytes(n)).decode().rstrip("=") for n in (16, 32))
        # Well formed, and of no password: for those who have no hash, so that nobody can tell.
        self._none = f"$argon2id$v=19${cost}${salt}${body}"

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    def start(self) -> None:
        """Begin."""
        self._running = True
        self._pool.start()

    def stop(self) -> None:
        """End: what is under way is done, what waits is refused."""
        if not self._running:
            return
        self._running = False
        for queue in self._queues:
            while queue:
                self._give(queue, next(iter(queue)), _OVER)
        self._pool.stop()

    def make(self, address: str, password: str) -> Deferred[str]:
        """@return: fires with a hash; fails with L{Refused} if there is too much to do."""
        return self._do(address, False, self._make, (password,))

    def verify(self, address: str, hash: str, password: str, known: bool = False) -> Deferred[bool]:
        """
        @param address: where the one who asks is from.
        @param known: whether this one has been right from there before.
        @param hash: or nothing: then the same work is done, and it is not the password.
        @return: fires with whether it is the password; fails as L{make} does.
        """
        return self._do(address, known, self._verify, (hash or self._none, password))

    # In the threads.

    def _make(self, password: str) -> str:
        return self._hasher.hash(password)

    def _verify(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, password)
        except VerifyMismatchError:
            return False

    # The queue.

    def _do(self, address: str, known: bool, work: Any, args: tuple[str, ...]) -> Deferred[Any]:
        if not self._running:
            return fail(Refused("the server is not ready; try again in a moment"))
        queue = self._queues[known]
        mine = len(queue.get(address, ()))
        if mine >= EACH:
            return fail(Refused(_BUSY))
        if self._count >= MOST:
            # Strangers give up theirs first.
            other = self._queues[False] or self._queues[True]
            most = max(other, key=lambda one: len(other[one]))
            if other is queue and len(other[most]) <= mine + 1:
                return fail(Refused(_BUSY))
            self._give(other, most, _BUSY)
        answer: Deferred[Any] = Deferred()
        queue.setdefault(address, deque()).append((answer, work, args))
        self._count += 1
        self._next()
        return answer

    def _give(self, queue: Queue, address: str, why: str) -> None:
        """The last that waits of an address is refused."""
        answer, _, _ = queue[address].pop()
        if not queue[address]:
            del queue[address]
        self._count -= 1
        answer.errback(Refused(why))

    def _next(self) -> None:
        while self._count and self.under < THREADS:
            self._turn ^= 1
            queue = self._queues[self._turn] or self._queues[self._turn ^ 1]
            address = next(iter(queue))
            waiting = queue.pop(address)
            answer, work, args = waiting.popleft()
            if waiting:
                # The next time it is the turn of the others.
                queue[address] = waiting
            self._count -= 1
            self.under += 1

            def done(ok: bool, result: Any, answer: Deferred[Any] = answer) -> None:
                self._callFromThread(self._done, answer, ok, result)

            self._pool.callInThreadWithCallback(done, work, *args)

    def _done(self, answer: Deferred[Any], ok: bool, result: Any) -> None:
        self.under -= 1
        if not self._running:
            # Nothing that may follow from it could be stored any more.
            answer.errback(Refused(_OVER))
        elif ok:
            answer.callback(result)
        else:
            assert isinstance(result, Failure)
            answer.errback(result)
        self._next()
