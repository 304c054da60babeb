"""Tests for L{mucs.newcomer}: from the door to the lobby."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress

from mucs.events import CONNECT, DISCONNECT, LEAVE, NAMED
from mucs.rules import Limits
from tests.house import House, HouseCase, Person

WELCOME = "-- you are {} in #lobby with {}; /help lists commands, /quit leaves"
PLACE = "-- You are number {} in the queue."


class ComingTests(HouseCase):
    """From the door to the lobby."""

    def test_greetedAskedAndWelcomed(self) -> None:
        """Who comes in is told where they are, and with whom; the others, that they came."""
        ada = self.house.connect()
        self.assertEqual(ada.lines(), ["-- welcome to MUCS", "-- what is your name?"])
        ada.says("ada")
        self.assertEqual(ada.lines(), [WELCOME.format("ada", "nobody else"), "-- now"])
        bob = self.house.enters("bob")
        self.assertEqual(ada.lines(), ["* bob joined"])
        self.assertEqual(self.witness.saw(CONNECT), [("", ""), ("", "")])
        self.assertEqual(self.witness.saw(NAMED), [("ada", ""), ("bob", "")])
        self.assertEqual(bob.lines(), [])

    def test_nothingAtAll(self) -> None:
        """Who says nothing, and that there will be nothing, has given no empty name."""
        nobody = self.house.connect("native")
        nobody.finishes()
        self.house.turn()
        self.assertEqual(nobody.lines()[2:], [])
        self.assertFalse(nobody.wire.connected)

    def test_theCompanyIsNamed(self) -> None:
        """As many as 20; the others are counted."""
        for n in range(20):
            self.house.enters(f"c{n:02}")
        named = ", ".join(f"c{n:02}" for n in range(20))
        for who, more in (("x", ""), ("y", " and one other"), ("z", " and 2 others")):
            welcome = self.house.connect("native", who).lines()[2]
            self.assertEqual(welcome, WELCOME.format(who, named + more))

    def test_whatOneComesInto(self) -> None:
        """Topic, message of the day, what was said with its time, and then what is now."""
        self.house = House(motd=["hello {name}", "", "no \x1b[1mcolours"], called="Café")
        ada = self.house.enters("ada")
        ada.says("/topic tea", "one", "/me waves", "/nick eve", "two")
        self.house.clock.advance(3600)
        ada.says("three")
        bob = self.house.connect("native", "bob")
        times = [self.house.at(event) for event in self.house.stored() if event.kind != LEAVE]
        early, late = times[0], times[-2]
        self.assertEqual(
            bob.lines(),
            [
                "-- welcome to Café",
                "-- what is your name?",
                WELCOME.format("bob", "eve"),
                "-- topic: tea",
                "-- hello {name}",
                "-- ",
                "-- no [1mcolours",
                f"{early} * ada changed the topic to: tea",
                f"{early} ada: one",
                f"{early} * ada waves",
                f"{early} eve: two",
                f"{late} eve: three",
                "-- now",
            ],
        )

    def test_anotherDay(self) -> None:
        """What was said on another day is put under its name; the message is for the first room."""
        self.house = House(motd=["hello"])
        ada = self.house.enters("ada")
        ada.says("/join garden", "one")
        self.house.clock.advance(3 * 86400)
        bob = self.house.enters("bob")
        bob.says("/join garden")
        lines = bob.lines()
        self.assertEqual(lines[0], "-- you are bob in #garden with ada")
        self.assertRegex(lines[1], r"^-- (Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d? \w+$")
        self.assertEqual(
            lines[2:], [f"{self.house.at(self.house.stored('garden')[1])} ada: one", "-- now"]
        )

    def test_aNameThatCannotBe(self) -> None:
        """Why is said in one line, and the name is asked for again."""
        self.house.enters("Ada Lovelace")
        bob = self.house.connect()
        bob.seen()
        for name, why in (
            ("-- now", "a name begins with a letter, a digit or an emoji"),
            ("a:b", 'a name holds no ":"'),
            ("x" * 33, "a name has at most 32 characters"),
            ("you", '"you" is not to be taken as a name'),
            ("mucs", "mucs is the server's own name; choose another"),
            ("Ada Lovelace", "the name Ada Lovelace is taken; choose another"),
            (
                "ADA LOVELACE",
                "the name ADA LOVELACE is too much like Ada Lovelace, who is here; choose another",
            ),
            ("/who", "first say who you are: type a name"),
            ("/nick bob", "first say who you are: type a name"),
            ("/qqq", "there is no command /qqq; /help lists them all"),
        ):
            bob.says(name)
            self.assertEqual(bob.lines(), [f"! {why}", "-- what is your name?"])
        bob.says("bob")
        self.assertEqual(bob.lines()[0], WELCOME.format("bob", "Ada Lovelace"))

    def test_anEmptyLine(self) -> None:
        """Is no name; later it is nothing."""
        bob = self.house.connect()
        bob.seen()
        bob.sends(b"\r\n")
        self.assertEqual(bob.lines(), ["! a name cannot be empty", "-- what is your name?"])
        bob.says("bob")
        bob.seen()
        bob.sends(b"\r\n \r\n")
        self.assertEqual(bob.lines(), [])

    def test_beforeTheNameThereIsHelp(self) -> None:
        """And a way out, by which nobody is told anything."""
        ada, bob = self.house.enters("ada"), self.house.connect()
        bob.seen()
        bob.says("/help quit")
        self.assertEqual(bob.lines(), ["-- /quit [WHY]  leaves; so does !q"])
        bob.says("!q")
        self.assertTrue(bob.closed)
        self.assertEqual((bob.lines(), ada.lines()), ([], []))
        self.assertGone(bob)

    def test_halfAMinuteForAName(self) -> None:
        """By the clock; refused names do not make it longer."""
        late, intime = self.house.connect(), self.house.connect()
        self.house.clock.advance(20)
        late.says("mucs")
        late.seen()
        self.house.clock.advance(9.9)
        intime.says("bob")
        self.assertFalse(late.closed)
        self.house.clock.advance(0.2)
        self.assertEqual(late.lines(), ["! no name was given in 30 s"])
        self.assertGone(late)
        self.house.clock.advance(3600)
        self.assertFalse(intime.closed)
        self.assertEqual(self.witness.saw(DISCONNECT), [("", "no name was given in 30 s")])

    def test_noTimerIsLeft(self) -> None:
        """Of people who are in, and of people who are gone."""
        ada = self.house.enters("ada")
        self.house.clock.advance(40)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        bob, eve, cyd = (self.house.connect() for _ in range(3))
        bob.resets()
        eve.says("!q")
        cyd.closes()
        ada.says("/quit")
        self.assertGone(ada, bob, eve, cyd)
        self.house.clock.advance(30)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_theNameAndMoreInOneSegment(self) -> None:
        """Each line finds what the one before it did."""
        bob, ada = self.house.enters("bob"), self.house.connect()
        ada.says("ada\r\nhello\r\n/nick eve\r\nI am eve\r\n/join garden\r\nanybody?\r\n/quit bye")
        self.assertEqual(
            bob.lines(),
            ["* ada joined", "ada: hello", "* ada is now eve", "eve: I am eve", "* eve left (bye)"],
        )
        self.assertEqual(
            [event.text for event in self.house.stored("garden")], ["", "anybody?", "bye"]
        )
        self.assertGone(ada)


class AddressTests(HouseCase):
    """Those who are called by where they come from."""

    def test_theirAddressIsTheirName(self) -> None:
        """At once, without being asked; nobody else can have it."""
        hi = self.house.connect("hithere", host="192.0.2.7")
        self.assertEqual(hi.seen(), b"Hi there, ~from server..!")
        ada = self.house.connect("native", "192.0.2.7:40001")
        self.assertEqual(ada.lines()[-2], '! a name holds no ":"')
        self.house.turn()
        ada.says("ada")
        hi.says("hello")
        self.assertEqual(ada.lines()[-1], "192.0.2.7:40001: hello")
        ada.says("hello")
        self.assertEqual(hi.seen(), b"<[ada]> => hello\n")

    def test_theyCanTakeAName(self) -> None:
        """And are shown by it from then on."""
        ada, hi = self.house.enters("ada"), self.house.connect("addr", host="192.0.2.7")
        hi.says("one", "/nick bob", "two")
        self.assertEqual(
            ada.lines(),
            [
                "* 192.0.2.7:40002 joined",
                "192.0.2.7:40002: one",
                "* 192.0.2.7:40002 is now bob",
                "bob: two",
            ],
        )
        self.assertEqual(hi.lines(), ["Welcome to this chatroom.-- you are now bob"])

    def test_onAUnixSocket(self) -> None:
        """Where there are no addresses, everyone has a number."""
        self.house.listens("addr")
        people = [self.house.comes("addr", UNIXAddress(None)) for _ in range(2)]
        self.house.turn()
        people[0].says("hello")
        self.assertEqual(people[1].seen(), b"Welcome to this chatroom.('unix', 1): hello\n")

    def test_twoConnectionsFromOneSocket(self) -> None:
        """An address that is here already, by another port of ours, is refused with a reason."""
        self.house.listens("hithere")
        self.house.listens("addr")
        peer = IPv4Address("TCP", "192.0.2.7", 5555)
        first, second = self.house.comes("hithere", peer), self.house.comes("addr", peer)
        self.house.turn()
        first.says("hello")
        self.assertEqual(
            second.seen(),
            b"Welcome to this chatroom.! the name 192.0.2.7:5555 is taken; choose another\n",
        )
        self.assertGone(second)
        self.assertFalse(first.closed)


class ProxiedTests(HouseCase):
    """Where it is known only after the first bytes where someone comes from."""

    limits = Limits(rate=0, address=1)

    def connect(self, dialect: str, **settings: Any) -> Person:
        """Someone comes by a proxy."""
        proxy = IPv4Address("TCP", "127.0.0.1", 9)
        if (dialect, "") not in self.house._doors:
            self.house.listens(dialect, trusted=False, proxied=True, **settings)
        return self.house.comes(dialect, proxy)

    def reveal(self, person: Person, host: str, data: bytes) -> None:
        """The proxy says who it is, and passes something on."""
        person.wire._peer = IPv4Address("TCP", host, 5555)
        person.sends(data)
        self.house.turn()

    def test_theAddressCountsWhenItIsKnown(self) -> None:
        """The proxy's own does not."""
        people = [self.connect("native") for _ in range(3)]
        self.assertFalse(any(person.closed for person in people))
        self.reveal(people[0], "192.0.2.1", b"ada\n")
        self.reveal(people[1], "192.0.2.2", b"bob\n")
        self.reveal(people[2], "192.0.2.2", b"eve\n")
        self.assertEqual([person.closed for person in people], [False, False, True])
        self.assertEqual(people[2].lines()[-1], "! there is 1 connection from your address already")
        people[1].closes()
        again = self.connect("native")
        self.reveal(again, "192.0.2.2", b"eve\n")
        self.assertFalse(again.closed)
        self.assertEqual(self.house.hall._addresses._now, {"192.0.2.1": 1, "192.0.2.2": 1})

    def test_theNameIsTheAddressBehindTheProxy(self) -> None:
        """Given with the first bytes, which are heard already."""
        ada, hi = self.house.enters("ada"), self.connect("hithere")
        self.house.turn()
        self.assertEqual(ada.lines(), [])
        self.reveal(hi, "192.0.2.7", b"hello\n")
        self.assertEqual(ada.lines(), ["* 192.0.2.7:5555 joined", "192.0.2.7:5555: hello"])

    def test_aProxyThatDoesNotKnow(self) -> None:
        """Or that says something else than an address: those people have a number each."""
        ada, hi = self.house.enters("ada"), self.connect("hithere")
        self.reveal(hi, "\x1b[2J", b"hello\n")
        name = f"unknown:{hi.session.id}"
        self.assertEqual(ada.lines(), [f"* {name} joined", f"{name}: hello"])

    def test_afterTheWaitingRoom(self) -> None:
        """Who was there when the address became known has a name as soon as they sit."""
        ada = self.house.enters("ada")
        first, second = self.connect("hithere", seats=1), self.connect("hithere", seats=1)
        self.reveal(first, "192.0.2.7", b"hello\n")
        self.reveal(second, "192.0.2.8", b"hello\n")
        ada.seen()
        first.closes()
        self.house.turn()
        second.says("here I am")
        self.assertEqual(
            ada.lines(),
            ["* 192.0.2.7:5555 left", "* 192.0.2.8:5555 joined", "192.0.2.8:5555: here I am"],
        )


class WaitingRoomTests(HouseCase):
    """Where there are not enough seats."""

    limits = Limits()

    def setUp(self) -> None:
        super().setUp()
        self.listener = self.house.listens("native", seats=1)
        self.ada = self.house.enters("ada")

    def test_toldThePlaceAndNothingElse(self) -> None:
        """Whatever they send is answered with it, and dropped."""
        bob, eve = self.house.connect(), self.house.connect()
        self.assertEqual((bob.lines(), eve.lines()), ([PLACE.format(1)], [PLACE.format(2)]))
        for text in ("eve", "hello", "/help", "/who", "//", "/nope", "x" * 100):
            eve.says(text)
            self.assertEqual(eve.lines(), [PLACE.format(2)])
        self.assertEqual(self.ada.lines(), [])
        self.assertEqual([event.author for event in self.house.stored()], ["ada"])

    def test_greetedOnAdmission(self) -> None:
        """The first in the queue sits down as soon as a seat is free; the next moves up."""
        bob, eve = self.house.connect(), self.house.connect()
        self.house.clock.advance(3600)
        bob.seen()
        eve.seen()
        self.ada.says("/quit")
        self.assertEqual(bob.lines(), ["-- welcome to MUCS", "-- what is your name?"])
        self.assertEqual(eve.lines(), [PLACE.format(1)])
        self.house.clock.advance(29)
        self.assertFalse(bob.closed)
        self.house.clock.advance(1)
        self.assertTrue(bob.closed)
        self.assertEqual(eve.lines(), ["-- welcome to MUCS", "-- what is your name?"])

    def test_everyEndFreesTheSeat(self) -> None:
        """A good one, a bad one, and none of one's own making."""
        people = [self.ada] + [self.house.connect() for _ in range(5)]
        for end in (
            lambda person: person.says("/quit"),
            lambda person: person.closes(),
            lambda person: person.resets(),
            lambda person: person.finishes(),
            lambda person: person.session.dismiss("begone"),
        ):
            person, after = people[0], people[1]
            self.assertEqual(len(self.listener.seats), 1)
            end(person)
            self.house.turn()
            self.assertGone(people.pop(0))
            self.assertIn("-- what is your name?", after.lines())
            after.says(f"c{len(people)}")
        self.assertEqual((len(self.listener.seats), self.listener.seats.waiting), (1, 0))

    def test_everyEndLeavesTheQueue(self) -> None:
        """Nobody is told who was never in; those behind move up."""
        for end in (
            lambda person: person.says("/quit"),
            lambda person: person.says("/quit for today"),
            lambda person: person.says("!q"),
            lambda person: person.closes(),
            lambda person: person.resets(),
            lambda person: person.finishes(),
        ):
            bob, eve = self.house.connect(), self.house.connect()
            eve.seen()
            end(bob)
            self.assertEqual(eve.lines(), [PLACE.format(1)])
            self.assertGone(bob)
            eve.closes()
        self.assertEqual(self.ada.lines(), [])
        self.assertEqual(self.listener.seats.waiting, 0)

    def test_whoWaitsIsAlwaysRead(self) -> None:
        """However much they send: nobody would notice that they have gone. Nor do they flood us."""
        bob = self.house.connect()
        bob.seen()
        for _ in range(40):
            bob.sends(b"hello\r\n" * 25)
        self.assertTrue(bob.wire.reading)
        self.assertEqual(bob.lines(), [PLACE.format(1)] * 50)
        self.house.clock.advance(1)
        bob.sends(b"hello\r\n" * 25)
        self.assertEqual(bob.lines(), [PLACE.format(1)] * 4)
        bob.resets()
        self.assertGone(bob)

    def test_orRefused(self) -> None:
        """A listener may have no waiting room: one line, and the door."""
        self.house.listens("cstring", seats=1)
        self.house.connect("cstring", "bob")
        eve = self.house.connect("cstring", "eve")
        self.house.waits(0.1)
        self.assertEqual(
            eve.seen(), b"The server is full, no seat is free of 1: try again later.\0"
        )
        self.assertGone(eve)
        self.assertEqual(self.witness.saw(DISCONNECT), [("", "")])
