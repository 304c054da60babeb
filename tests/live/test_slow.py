"""
Slow readers are cursors: who reads slowly, or not at all, costs a number and holds up nobody.

The service is the real one, with limits and kernel buffers so small that a few lines are much.
Each line is numbered, so that L{Tally} can tell from what someone has seen that it is everything,
in order and once, but for what was declared to be skipped.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IPullProducer
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mucs.rules import Limits
from mucs.session import Session
from tests.house import House
from tests.live.inside import HOST, PATIENCE, LiveCase, Person, Place, reactor
from tests.live.server import makeCertificate
from tests.test_outlet import BUFFER, Hand, Peer, SecretPeer

NATIVE = "tcp:0"

#: What the limits are here, but for those that a test is about.
SMALL = {"rate": 0.0, "unsent": 2048, "behind": 1000, "resume": 10}

LINE = re.compile(rb"(?:\[#\w+\] )?ada: (\d+)\.*")
SKIP = re.compile(rb"-- (\d+) messages skipped")

#: Enough to fill every buffer there is several times.
MANY = 400


def toml(**limits: object) -> str:
    """A configuration with these limits, and small ones."""
    return "[limits]\n" + "".join(
        f"{key} = {value}\n" for key, value in {**SMALL, **limits}.items()
    )


def said(start: int, stop: int) -> list[str]:
    """Lines with these numbers; each of some 200 bytes."""
    return [f"{number}{'.' * 200}" for number in range(start, stop)]


class Tally:
    """
    What someone has seen of the numbered lines.

    @ivar next: the number that is to come.
    @ivar skipped: how many were declared to be skipped, each time.
    """

    def __init__(self, seen: bytes) -> None:
        self.next = 0
        self.skipped: list[int] = []
        for line in seen.split(b"\r\n")[:-1]:
            if found := SKIP.match(line):
                self.skipped.append(int(found[1]))
                self.next += self.skipped[-1]
            elif found := LINE.match(line):
                if int(found[1]) != self.next:
                    raise AssertionError(f"{line[:20]!r} came, and not {self.next}")
                self.next += 1


class Slow:
    """
    Someone who reads only when told to.

    @ivar peer: their end of the connection.
    @ivar session: what the server holds of them.
    @ivar most: bytes that the server held for them while they read.
    """

    def __init__(self, peer: Peer, session: Session) -> None:
        self.most = 0
        self.peer = peer
        self.session = session
        wire = self.wire
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    @property
    def wire(self) -> Any:
        """The server's end, as Twisted has it."""
        return cast(Any, self.session)._outlet._wire

    @property
    def unsent(self) -> int:
        """Bytes that the server holds for them."""
        wire = self.wire
        return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)

    @property
    def isBehind(self) -> bool:
        """Whether they have a place of their own."""
        return any(self.session in room.cursors for room in self.session.rooms)

    def sees(self, word: bytes, piece: int = 1 << 20) -> bool:
        """Read on. @return: whether they have seen a word by now."""
        self.peer.takes(piece)
        self.most = max(self.most, self.unsent)
        return word in self.peer.seen


async def until(holds: Any, what: str) -> None:
    """Let the reactor turn until something holds, or never will."""
    end = reactor.seconds() + PATIENCE
    while not holds():
        if reactor.seconds() > end:
            raise AssertionError(what)
        await deferLater(reactor, 0.0005)


class SlowCase(LiveCase):
    """Somewhere with C{ada}, who speaks, C{bob}, who reads all, and people who do not."""

    secret = False

    async def opens(self, **limits: object) -> None:
        """Start the service, and let ada and bob in."""
        ports = [NATIVE]
        if self.secret:
            folder = self.folder()
            makeCertificate(folder, "localhost")
            files = f"privateKey={folder / 'key.pem'}:certKey={folder / 'cert.pem'}"
            ports.append(f"ssl:0:interface={HOST}:{files}")
        self.place: Place = self.serve(*ports, toml=toml(**limits))
        self.bob = await self.enters("bob")
        self.ada = await self.enters("ada")

    async def enters(self, name: str) -> Person:
        """Someone comes who reads everything at once."""
        person = await self.person(self.place.port(), name)
        await person.sees("-- now\r\n")
        return person

    async def slow(self, name: str = "cyd") -> Slow:
        """Someone comes who will read when told to."""
        plug = socket.socket()
        self.addCleanup(plug.close)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        plug.connect((HOST, self.place.port(int(self.secret))))
        peer = SecretPeer(plug, ssl.TLSVersion.TLSv1_3) if self.secret else Peer(plug)
        if isinstance(peer, SecretPeer):
            peer.shake()
            await until(lambda: peer.takes() == 0 and peer.shakes, "no handshake")
        peer.sends(f"{name}\n".encode())
        await until(lambda: peer.takes() == 0 and b"-- now\r\n" in peer.seen, "no welcome")
        await self.bob.sees(f"* {name} joined\r\n")
        return Slow(peer, cast(Session, self.place.hall.names.find(name)))

    async def speaks(self, start: int, stop: int, at: int = 20) -> None:
        """Ada says lines, some at a time; bob sees them."""
        for first in range(start, stop, at):
            last = min(first + at, stop)
            self.ada.says(*said(first, last))
            await self.bob.sees(f"ada: {last - 1}.")

    async def catchesUp(self, slow: Slow, last: int, piece: int = 1 << 20) -> Tally:
        """Someone reads up to a line, and is where everybody is."""
        await until(lambda: slow.sees(b"ada: %d." % last, piece), f"{last} never comes")
        await until(lambda: slow.sees(b"", piece) and not slow.isBehind, "they stay behind")
        return Tally(bytes(slow.peer.seen))


class CursorTests(SlowCase):
    """Someone stops reading, and goes on."""

    async def test_merelyBehind(self) -> None:
        """While others speak on they merely fall behind; then they read everything, in order."""
        await self.opens()
        cyd = await self.slow()
        self.assertFalse(cyd.isBehind)
        await self.speaks(0, 900)
        self.assertTrue(cyd.isBehind)
        tally = await self.catchesUp(cyd, 899, 3000)
        self.assertEqual((tally.next, tally.skipped), (900, []))
        # What is missed is not read all at once, either, but some hundred lines at a time.
        self.assertLess(cyd.most, SMALL["unsent"] + 100 * 220)

    async def test_again(self) -> None:
        """They are where everybody is then; and it may happen again."""
        await self.opens()
        cyd = await self.slow()
        for number in range(3):
            await self.speaks(number * MANY, (number + 1) * MANY - 1)
            self.assertTrue(cyd.isBehind)
            await self.catchesUp(cyd, (number + 1) * MANY - 2)
            await self.speaks((number + 1) * MANY - 1, (number + 1) * MANY)
            tally = await self.catchesUp(cyd, (number + 1) * MANY - 1)
            self.assertEqual((tally.next, tally.skipped), ((number + 1) * MANY, []))

    async def test_meanwhile(self) -> None:
        """They read on while others speak on."""
        await self.opens()
        cyd = await self.slow()
        for number in range(20):
            await self.speaks(number * 40, number * 40 + 40)
            cyd.peer.takes(1 + 2000 * (number % 5))
        tally = await self.catchesUp(cyd, 799)
        self.assertEqual((tally.next, tally.skipped), (800, []))

    async def test_skips(self) -> None:
        """Too far behind they skip to the last few, and are told how many they have missed."""
        await self.opens(behind=100)
        cyd = await self.slow()
        await self.speaks(0, MANY)
        tally = await self.catchesUp(cyd, MANY - 1)
        self.assertEqual(tally.next, MANY)
        [skipped] = tally.skipped
        self.assertGreater(skipped, 100 - SMALL["resume"])
        after = bytes(cyd.peer.seen).partition(b" messages skipped; /history ")[2]
        self.assertEqual(len(LINE.findall(after)), SMALL["resume"])

    async def test_rooms(self) -> None:
        """In each of several rooms they go on where they were."""
        await self.opens()
        cyd = await self.slow()
        cyd.peer.sends(b"/join garden\n/join lobby\n")
        await until(lambda: cyd.sees(b"in #lobby") and len(cyd.session.rooms) == 2, "no garden")
        eve = await self.enters("eve")
        eve.says("/join garden")
        await eve.sees("-- now\r\n")
        for number in range(20):
            await self.speaks(number * 20, number * 20 + 20)
            eve.says(*said(number * 20, number * 20 + 20))
            await until(lambda n=number: self.head("garden") >= n * 20 + 20, "eve is not heard")
        self.assertEqual(
            len([room for room in cyd.session.rooms if cyd.session in room.cursors]), 2
        )
        await until(lambda: cyd.sees(b"eve: 399."), "eve's last is not seen")
        await self.catchesUp(cyd, MANY - 1)
        seen = bytes(cyd.peer.seen)
        garden = b"".join(
            line.replace(b"[#garden] eve", b"ada") + b"\r\n"
            for line in seen.split(b"\r\n")
            if line.startswith(b"[#garden] eve")
        )
        self.assertEqual(Tally(garden).next, MANY)
        self.assertEqual(Tally(seen).next, MANY)

    def head(self, name: str) -> int:
        """How many events a room has had."""
        return self.place.hall.rooms[name].head


class SecretCursorTests(CursorTests):
    """The same over TLS."""

    secret = True


class StuckTests(SlowCase):
    """Someone reads nothing any more, or asks for more than they read."""

    async def test_stalled(self) -> None:
        """When not a byte was taken for so long they are closed, and the others are told."""
        await self.opens(stalled=0.25)
        cyd = await self.slow()
        await self.speaks(0, MANY)
        await self.bob.sees("* cyd left (nothing was read for 0.25 s)\r\n")
        self.assertNotIn(cyd.session, self.place.hall.room("lobby").members)
        await until(lambda: not cyd.peer.takes() and cyd.peer.ended, "the connection stays")
        await self.speaks(MANY, MANY + 1)
        await self.enters("cyd")

    async def test_manyReplies(self) -> None:
        """Answers stand in no log: who asks on and reads none is closed, and the others know."""
        await self.opens(replies=4096)
        cyd = await self.slow()
        await self.speaks(0, MANY)
        self.assertTrue(cyd.isBehind)
        before = cyd.unsent
        cyd.peer.sends(b"/help\n" * 500)
        await self.bob.sees("* cyd left (too much unread)\r\n")
        self.assertLess(cyd.unsent if hasattr(cyd.wire, "socket") else 0, before + 8192)
        await self.speaks(MANY, MANY + 1)

    async def test_fewReplies(self) -> None:
        """Much that is unread is no reason to close one who asks something: it comes behind it."""
        await self.opens(replies=1024)
        cyd = await self.slow()
        self.ada.says(*said(0, MANY))
        await self.bob.sees(f"ada: {MANY - 1}.")
        self.assertGreater(cyd.unsent, 4 * 1024)
        cyd.peer.sends(b"/who\n")
        await self.turn()
        tally = await self.catchesUp(cyd, MANY - 1)
        self.assertEqual((tally.next, tally.skipped), (MANY, []))
        await until(lambda: cyd.sees(b"cyd\r\n"), "no answer")

    async def test_memory(self) -> None:
        """What is held for people who read nothing is bounded, and does not grow with time."""
        await self.opens(unsent=4096, events=20, behind=200, address=0)
        people = [await self.slow(f"cyd{number}") for number in range(50)]
        await self.speaks(0, MANY)
        held = sum(person.unsent for person in people)
        self.assertGreater(held, 50 * 4096)
        # What too much is, and what one turn brings.
        self.assertLess(held, 50 * (4096 + 20 * 210))
        await self.speaks(MANY, 2 * MANY)
        self.assertEqual(sum(person.unsent for person in people), held)
        room = self.place.hall.room("lobby")
        self.assertEqual(len(room.cursors), 50)
        self.assertEqual(len(room.recent), 200)


@implementer(IPullProducer)
class Flood:
    """
    As many lines as the connection takes, numbered.

    @ivar number: that of the next line.
    """

    def __init__(self, person: Person) -> None:
        self.number = 0
        self._person = person
        person.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        numbers = range(self.number, self.number + 1000)
        self.number += 1000
        self._person.says(*map(str, numbers))

    def stopProducing(self) -> None:
        """It is over."""

    def stop(self) -> None:
        """That is enough."""
        self._person.transport.unregisterProducer()
        self._person.says("enough")


class FloodTests(SlowCase):
    """Someone sends as fast as they can."""

    async def test_flood(self) -> None:
        """Others are heard meanwhile; and everything is seen, in order."""
        await self.opens(behind=1 << 20, recent=1 << 30, unsent=1 << 20)
        eve = await self.enters("eve")
        flood = Flood(eve)
        for number in range(20):
            self.ada.says(f"{number}.")
            await self.bob.sees(f"ada: {number}.\r\n")
        flood.stop()
        await self.bob.sees("eve: enough\r\n")
        self.assertEqual(Tally(self.bob.seen).next, 20)
        numbers = re.findall(rb"eve: (\d+)\r\n", self.bob.seen)
        self.assertEqual([int(number) for number in numbers], list(range(flood.number)))

    async def test_limitedFlood(self) -> None:
        """Where there is a rate, what is too fast waits, and is not read beyond some lines."""
        await self.opens(rate=0.001, burst=10, waiting=20)
        eve = await self.enters("eve")
        flood = Flood(eve)
        for number in range(5):
            self.ada.says(f"{number}.")
            await self.bob.sees(f"ada: {number}.\r\n")
        session = cast(Any, self.place.hall.names.find("eve"))
        self.assertTrue(session._inbox.isPaused())
        self.assertEqual(len(session._inbox), 20)
        self.assertLess(len(re.findall(rb"eve: (\d+)", self.bob.seen)), 10)
        flood._person.transport.unregisterProducer()


class StormTests(SlowCase):
    """Many come, and go, at once."""

    async def test_storm(self) -> None:
        """Comings and goings are announced in batches, like speech."""
        await self.opens(address=0, arrivals=0)
        names = [f"p{number:03}" for number in range(100)]
        people = [await self.person(self.place.port()) for _ in names]
        for person in people:
            await person.sees("your name?\r\n")
        sends = self.counts("bob")
        for person, name in zip(people, names, strict=True):
            person.says(name)
        for name in names:
            await until(lambda name=name: b"* %s joined\r\n" % name.encode() in self.bob.seen, name)
        self.assertLess(len(sends), 10)
        for person in people:
            await person.sees("-- now\r\n")
        sends.clear()
        for person in people:
            person.leaves()
        for name in names:
            await until(lambda name=name: b"* %s left\r\n" % name.encode() in self.bob.seen, name)
        self.assertLess(len(sends), 10)
        for how in ("joined", "left"):
            found = re.findall(rb"\* (p\d+) %s\r\n" % how.encode(), self.bob.seen)
            self.assertEqual(sorted(found), [name.encode() for name in names])

    def counts(self, name: str) -> list[int]:
        """The sizes of what is sent to someone from now on."""
        session = self.place.hall.names.find(name)
        sizes: list[int] = []
        send = session.send

        def sends(data: bytes) -> None:
            sizes.append(len(data))
            send(data)

        cast(Any, session).send = sends
        return sizes


BEHIND, RESUME = 30, 5

# What may happen, and how much of it.
SCRIPTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 60)),
        st.tuples(st.just("take"), st.sampled_from((1, 500, 5000, 50_000))),
        st.tuples(st.just("ask"), st.integers(1, 3)),
        st.tuples(st.just("turn"), st.integers(1, 5)),
    ),
    max_size=40,
)


class RandomTests(SynchronousTestCase):
    """A hall, a real socket, and a reactor that is turned by hand."""

    def setUp(self) -> None:
        self.hand = Hand()
        self.addCleanup(self.hand.close)

    def test_random(self) -> None:
        """Whatever is said, read and asked: all is seen, in order, but for declared gaps."""

        @settings(deadline=None, database=None, max_examples=50)
        @given(SCRIPTS)
        def follow(script: list[tuple[str, int]]) -> None:
            self.follow(script)

        follow()

    def follow(self, script: list[tuple[str, int]]) -> None:
        """Do what a script says."""
        limits = Limits(rate=0, unsent=1024, behind=BEHIND, resume=RESUME, stalled=86400)
        house = House(limits, clock=cast(Any, self.hand.clock))
        house.hall.reactor = cast(Any, self.hand)
        listener = house.listens("native")
        factory = house._doors["native", ""].factory
        door = self.hand.listenTCP(0, factory, interface=HOST)
        ada = house.enters("ada")
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 500)
        plug.connect((HOST, door.getHost().port))
        cyd = Peer(plug)
        cyd.sends(b"cyd\n")
        self.turns(house, lambda: cyd.takes() == 0 and b"-- now" in cyd.seen)
        session = cast(Any, house.hall.names.find("cyd"))
        session._outlet._wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        said, asked = 0, 0
        for what, count in script:
            if what == "say":
                ada.says(*(f"{said + n}{'.' * 200}" for n in range(count)))
                said += count
            elif what == "take":
                cyd.takes(count)
            elif what == "ask":
                cyd.sends(b"/nothing\n" * count)
                asked += count
            else:
                for _ in range(count):
                    self.hand.iterate(0)
                    house.turn()
            Tally(bytes(cyd.seen))
        ada.says(f"{said}.")
        self.turns(house, lambda: cyd.takes() == 0 and b"ada: %d." % said in cyd.seen)
        self.turns(house, lambda: cyd.takes() == 0 and cyd.seen.count(b"! ") == asked)
        tally = Tally(bytes(cyd.seen))
        self.assertEqual(tally.next, said + 1)
        for skipped in tally.skipped:
            self.assertGreater(skipped, BEHIND - RESUME)
        cyd.resets()
        self.turns(house, lambda: session not in house.hall.sessions.values())
        door.stopListening()
        listener.disownServiceParent()
        self.turns(house, lambda: not house.hall._open - {ada.session})

    def turns(self, house: House, holds: Any) -> None:
        """Turn both until something holds."""

        def turn() -> bool:
            house.turn()
            return bool(holds())

        self.hand.until(turn, "it never comes to that")
