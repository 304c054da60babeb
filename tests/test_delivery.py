"""
Tests for L{mucs.delivery}: who is sent what, in volleys and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mucs.delivery import Cut, deliver
from mucs.events import SAY, Event
from mucs.room import Room
from mucs.rules import Limits
from mucs.volley import Volley
from tests.rings import PretendedRing


class Audience:
    """Those who see C{author: text;} of everything; what cannot be said is C{bad}."""

    echoes = False
    counts = False

    def render(self, events: Sequence[Event]) -> list[str]:
        if any(event.text == "bad" for event in events):
            raise ValueError("so it says")
        return [f"{event.author}: {event.text};" for event in events]

    def own(self, events: Sequence[Event]) -> str:
        if any(event.text == "unseen" for event in events):
            raise ValueError("so it says")
        return "mine;" * len(events)


class Member:
    """
    @ivar sends: what was sent alone, or as one who is listed.
    """

    def __init__(self, number: int, audience: Audience) -> None:
        self.number = number
        self.isListed = False
        self.socket: Any = self
        self.sends: list[bytes] = []
        self._audience = audience

    def fileno(self) -> int:
        return self.number

    def audience(self, room: Any) -> Audience:
        return self._audience

    def sender(self) -> Member:
        return self

    def send(self, data: bytes) -> None:
        self.sends.append(data)

    shoot = send


class Ring(PretendedRing):
    """A ring that knows its members by their numbers."""

    def __init__(self, members: list[Member]) -> None:
        self.calls = 0
        self._members = members

    def send(self, sockets: Sequence[int], pieces: list[bytes]) -> dict[int, int]:
        self.calls += 1
        for number, piece in zip(sockets, pieces, strict=True):
            if piece:
                self._members[number].sends.append(piece)
        return {}


class DeliveryTests(SynchronousTestCase):
    """Two rooms, in which some are in both."""

    def setUp(self) -> None:
        self.volley = Volley()
        audience = Audience()
        self.members = [Member(number, audience) for number in range(12)]
        self.rooms = [Room(name, lambda room: None, Limits()) for name in ("one", "two")]
        for at, room in enumerate(self.rooms):
            for member in self.members[at * 4 : at * 4 + 8]:
                room.add(member)  # type: ignore[arg-type]

    def gather(self) -> Ring:
        """Sends are gathered."""
        ring = Ring(self.members)
        self.patch(self.volley, "_ring", ring)
        return ring

    def deliver(self, *shares: tuple[int, str, dict[int, list[Cut]]]) -> list[list[str]]:
        """Deliver some texts of C{eve}'s to rooms. @return: what each member was sent."""
        whole: list[Any] = []
        for at, texts, cuts in shares:
            events = [Event("", 1, 0, "eve", SAY, text) for text in texts.split()]
            own = {self.members[number]: cut for number, cut in cuts.items()}
            whole.append((self.rooms[at], events, own))
        deliver(whole, self.volley)
        sends = [[data.decode() for data in member.sends] for member in self.members]
        for member in self.members:
            member.sends.clear()
        return sends

    def test_once(self) -> None:
        """Everyone gets one send, whoever is in both rooms too; nobody else gets any."""
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            one, two = "eve: a;eve: b;", "eve: c;"
            self.assertEqual(self.deliver((0, "a b", {})), [[one]] * 8 + [[]] * 4)
            sent = self.deliver((0, "a b", {}), (1, "c", {}))
            self.assertEqual(sent, [[one]] * 4 + [[one + two]] * 4 + [[two]] * 4)

    def test_gathered(self) -> None:
        """It goes by the ring, if there is one; and after that nothing is gathered any more."""
        ring = self.gather()
        self.deliver((0, "a", {}))
        self.assertEqual(ring.calls, 1)
        self.assertFalse(self.volley.isOpen)

    def test_authors(self) -> None:
        """Authors see their own otherwise."""
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            sent = self.deliver((0, "a b c", {2: [(1, 2, None)], 9: [(0, 3, None)]}))
            self.assertEqual(sent[1], ["eve: a;eve: b;eve: c;"])
            self.assertEqual(sent[2], ["eve: a;mine;eve: c;"])
            self.assertEqual(sent[9], [])

    def test_runs(self) -> None:
        """Authors may have said several things, here and there; and not all of it is ASCII."""
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            cuts: dict[int, list[Cut]] = {
                2: [(0, 1, None), (2, 4, None)],
                **{number: [(number - 3, number - 2, None)] for number in range(3, 8)},
            }
            texts = "\xe4 b \u65e5\u672c d \U0001f642"
            sent = self.deliver((0, texts, cuts))
            each = [f"eve: {text};" for text in texts.split()]
            self.assertEqual(sent[:2], [["".join(each)]] * 2)
            self.assertEqual(sent[2], [f"mine;{each[1]}mine;mine;{each[4]}"])
            for number in range(3, 8):
                own = ["mine;" if at == number - 3 else line for at, line in enumerate(each)]
                self.assertEqual(sent[number], ["".join(own)])

    def test_inManyRooms(self) -> None:
        """Whoever is in several of many rooms gets one send, in whichever of them."""
        third = Room("three", lambda room: None, Limits())
        for number in (0, 1, 10):
            third.add(self.members[number])  # type: ignore[arg-type]
        self.rooms.append(third)
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            sent = self.deliver((0, "a", {}), (1, "b", {}), (2, "c", {}))
            self.assertEqual([len(sends) for sends in sent], [1] * 12)
            self.assertEqual(sent[0], ["eve: a;eve: c;"])
            self.assertEqual(sent[5], ["eve: a;eve: b;"])
            self.assertEqual(sent[10], ["eve: b;eve: c;"])

    def test_anAuthorWhoCannotBeShown(self) -> None:
        """Who cannot be shown their own sees the rest, and so does everyone else."""
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            sent = self.deliver((0, "a unseen c", {2: [(1, 2, None)]}))
            self.assertEqual(sent[:4], [["eve: a;eve: unseen;eve: c;"]] * 2 + [
                ["eve: a;eve: c;"], ["eve: a;eve: unseen;eve: c;"]
            ])
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_whatCannotBeSaid(self) -> None:
        """Of what a dialect cannot say it says nothing; what else there is, it says."""
        for ring in (None, self.gather):
            if ring is not None:
                ring()
            sent = self.deliver((0, "a bad c", {2: [(2, 3, None)]}))
            self.assertEqual(sent[:3], [["eve: a;eve: c;"]] * 2 + [["eve: a;mine;"]])
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
