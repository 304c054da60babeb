"""Tests for L{mucs.session}: how fast one may be, and how one leaves."""

from __future__ import annotations

from mucs.events import DISCONNECT, Command, Say
from mucs.outlet import PATIENCE, Outlet
from mucs.rules import Limits
from tests.house import House, HouseCase

WELCOME = "-- you are {} in #lobby with {}; /help lists commands, /quit leaves"


class PaceTests(HouseCase):
    """How fast one may be."""

    limits = Limits()

    def test_aBurstAndThenFourASecond(self) -> None:
        """50 lines go at once, the name among them; the others wait for their time."""
        bob, ada = self.house.enters("bob"), self.house.connect()
        texts = [str(n) for n in range(60)]
        ada.sends("\r\n".join(["ada", *texts, ""]).encode())
        self.house.turn()
        self.assertEqual(bob.lines(), ["* ada joined", *(f"ada: {text}" for text in texts[:49])])
        for n in range(49, 60):
            self.house.clock.advance(0.24)
            self.assertEqual(bob.lines(), [])
            self.house.clock.advance(0.02)
            self.assertEqual(bob.lines(), [f"ada: {n}"])
            self.house.clock.rightNow = round(self.house.clock.rightNow * 4) / 4
        self.house.clock.advance(60)
        self.assertEqual(bob.lines(), [])

    def test_oneSegmentOfSpeechIsNoWayAround(self) -> None:
        """Also where it could be said as a whole."""
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        bob.seen()
        self.house.clock.advance(60)
        ada.sends(b"".join(b"%d\n" % n for n in range(52)))
        self.house.turn()
        self.assertEqual(len(bob.lines()), 50)
        self.house.clock.advance(0.26)
        self.assertEqual(bob.lines(), ["ada: 50"])

    def test_nothingOvertakesWhatWaits(self) -> None:
        """Not even when there would be a token for it just then."""
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        self.house.clock.advance(60)
        bob.seen()
        ada.sends(b"x\n" * 50 + b"first\n")
        self.house.clock.rightNow += 0.3
        ada.sends(b"second\n")
        ada.sends(b"/me waves\n")
        self.house.waits(2, 0.25)
        self.assertEqual(bob.lines()[50:], ["ada: first", "ada: second", "* ada waves"])

    def test_readingPausesAndGoesOn(self) -> None:
        """While 50 lines wait no more are read; nobody else waits."""
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        self.house.clock.advance(60)
        bob.seen()
        for n in range(99):
            ada.sends(b"%d\n" % n)
        self.assertTrue(ada.wire.reading)
        ada.sends(b"99\n")
        self.assertFalse(ada.wire.reading)
        self.assertTrue(bob.wire.reading)
        ada.sends(b"100\n101\n")
        self.house.clock.advance(0.26)
        self.assertFalse(ada.wire.reading)
        self.house.waits(60, 0.25)
        self.assertTrue(ada.wire.reading)
        self.assertEqual(bob.lines(), [f"ada: {n}" for n in range(102)])

    def test_whereASegmentIsAMessage(self) -> None:
        """Reading goes on, or they would be glued; who sends too much is closed with a reason."""
        bob, ada = self.house.enters("bob"), self.house.enters("ada", "shh")
        self.house.waits(60, 1)
        bob.seen()
        for n in range(150):
            ada.sends(b"%d" % n)
        self.assertTrue(ada.wire.reading)
        self.house.waits(60, 0.25)
        self.assertEqual(bob.lines(), [f"ada: {n}" for n in range(150)])
        ada.seen()
        for _ in range(200):
            ada.sends(b"x" * 1024)
        self.house.waits(3, 0.04)
        self.assertIn(b"! too much at once", ada.seen())
        self.assertGone(ada)
        self.assertIn("* ada left (too much at once)", bob.lines())

    def test_aPeerThatVanishesWhileNotRead(self) -> None:
        """
        The reactor does not notice while reading is paused. What waits is looked at each time
        some of it is done, and the connection is given back.
        """
        bob, ada = self.house.enters("bob"), self.house.enters("ada")
        for n in range(120):
            ada.sends(b"%d\n" % n)
        self.assertFalse(ada.wire.reading)
        bob.seen()
        self.patch(Outlet, "isReset", lambda outlet: outlet.transport is ada.wire)
        self.house.clock.advance(0.3)
        self.assertEqual(bob.lines()[-1], "* ada left")
        self.assertGone(ada)
        self.assertEqual(self.witness.saw(DISCONNECT), [("ada", "connection lost")])

    def test_aPeerThatVanishesBehindItsQuit(self) -> None:
        """The same, where what is done is to leave."""
        ada = self.house.enters("ada")
        ada.sends(b"hello\n" * 50 + b"/quit\n" + b"more\n" * 60)
        self.assertFalse(ada.wire.reading)
        self.patch(Outlet, "isReset", lambda outlet: True)
        self.house.clock.advance(10)
        self.assertGone(ada)


class GoingTests(HouseCase):
    """How one leaves."""

    limits = Limits()

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.house.enters("bob")
        self.ada = self.house.enters("ada")
        self.house.clock.advance(60)
        self.house.rests()

    def test_quitting(self) -> None:
        """The others are told, and why; the connection is closed when it is done."""
        self.ada.says("/quit so long")
        self.assertEqual(self.bob.lines(), ["* ada left (so long)"])
        self.assertEqual(self.ada.lines(), [])
        self.assertGone(self.ada)
        self.assertEqual(self.witness.saw(DISCONNECT), [("ada", "")])

    def test_nothingIsDoneBehindAQuit(self) -> None:
        """Neither what came with it, nor what comes later."""
        self.ada.sends(b"one\r\n/quit\r\ntwo\r\n/nick eve\r\n")
        self.ada.sends(b"three\r\n")
        self.house.turn()
        self.ada.sends(b"four\r\n")
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["ada: one", "* ada left"])

    def test_theOldWayOfQuitting(self) -> None:
        """C{!q} alone is never said; within other words it is."""
        self.ada.says("!q is how to quit", " !q")
        self.assertEqual(self.bob.lines(), ["ada: !q is how to quit", "ada:  !q"])
        self.ada.says("!q")
        self.assertEqual(self.bob.lines(), ["* ada left"])
        shh = self.house.enters("eve", "shh")
        self.house.waits(0.2)
        shh.seen()
        shh.sends(b"!q\r\n")
        self.house.turn()
        self.house.waits(0.1)
        self.assertEqual(shh.seen(), b"!q")
        self.assertGone(shh)

    def test_aGoodCloseLosesNothing(self) -> None:
        """What waits is done at once, also a last line without its end; then one has left."""
        for n in range(70):
            self.ada.sends(b"%d\r\n" % n)
        self.ada.sends(b"/nick eve\r\nbye")
        self.ada.closes()
        self.house.turn()
        said = [f"ada: {n}" for n in range(70)]
        self.assertEqual(self.bob.lines(), [*said, "* ada is now eve", "eve: bye", "* eve left"])
        self.assertGone(self.ada)

    def test_nothingButAGoodClose(self) -> None:
        """Leaves at once."""
        self.ada.closes()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.assertEqual(self.witness.saw(DISCONNECT), [("ada", "")])
        self.assertGone(self.ada)

    def test_aLostConnection(self) -> None:
        """
        What was received is done, but for a line that has no end: nobody knows how it went on.
        The others are not told how a line was lost; the console is.
        """
        for n in range(70):
            self.ada.sends(b"%d\r\n" % n)
        self.ada.sends(b"by")
        self.ada.resets()
        self.house.turn()
        self.assertEqual(self.bob.lines(), [*(f"ada: {n}" for n in range(70)), "* ada left"])
        self.assertEqual(self.witness.saw(DISCONNECT), [("ada", "connection lost")])
        self.assertGone(self.ada)

    def test_aLostConnectionAtTheDoor(self) -> None:
        """Is no good end either, though nobody has seen them."""
        self.house.connect().resets()
        self.assertEqual(self.witness.saw(DISCONNECT), [("", "connection lost")])
        self.house.connect().closes()
        self.assertEqual(self.witness.saw(DISCONNECT)[1:], [("", "")])
        self.assertEqual(self.bob.lines(), [])

    def test_onlyTheSendingSideIsClosed(self) -> None:
        """As netcat does: all is done, what is shown until then is sent, and then we close."""
        self.ada.sends(b"/who\nhello")
        self.bob.sends(b"hello ada\r\n")
        self.ada.finishes()
        self.assertFalse(self.ada.closed)
        self.house.turn()
        self.assertEqual(self.ada.lines(), ["-- #lobby has 2 in it: bob, ada", "bob: hello ada"])
        self.assertEqual(self.bob.lines(), ["ada: hello", "* ada left"])
        self.assertGone(self.ada)

    def test_theSendingSideIsClosedWhileMuchWaits(self) -> None:
        """There is no hurry then: it goes on at its pace, and one leaves when all is done."""
        for n in range(120):
            self.ada.sends(b"%d\r\n" % n)
        self.ada.finishes()
        self.house.turn()
        self.assertEqual(len(self.bob.lines()), 50)
        self.house.clock.pump([0.25] * 60)
        self.assertFalse(self.ada.closed)
        self.house.clock.pump([0.25] * 60)
        lines = self.bob.lines()
        self.assertEqual((lines[-2:], len(lines)), (["ada: 119", "* ada left"], 71))
        self.assertGone(self.ada)

    def test_theNameIsFreeAtOnce(self) -> None:
        """In the very turn in which the line was lost."""
        self.ada.resets()
        again = self.house.connect("native", "ada")
        self.assertEqual(again.lines()[2], WELCOME.format("ada", "bob"))
        self.assertEqual(self.bob.lines(), ["* ada left", "* ada joined"])
        self.house.turn()
        again.says("/who")
        self.assertEqual(again.lines()[-1], "-- #lobby has 2 in it: bob, ada")

    def test_theNewNameTooIsFree(self) -> None:
        """Where the line was lost while a new name was being stored: both are."""
        self.ada.sends(b"/nick eve\r\n")
        self.ada.session.dismiss("begone")
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* ada is now eve", "* eve left (begone)"])
        for name in ("ada", "eve"):
            self.assertEqual(
                self.house.connect("native", name).lines()[2][:14], f"-- you are {name}"
            )
        self.assertGone(self.ada)

    def test_dismissed(self) -> None:
        """Why is told to all, and nothing that waits is done."""
        self.ada.sends(b"x\n" * 60)
        self.house.turn()
        self.house.rests()
        self.ada.session.dismiss("that is enough")
        self.house.turn()
        self.assertEqual(self.ada.lines(), ["! that is enough"])
        self.assertEqual(self.bob.lines(), ["* ada left (that is enough)"])
        self.assertGone(self.ada)
        self.house.clock.advance(60)
        self.assertEqual(self.bob.lines(), [])

    def test_dismissedWhileComing(self) -> None:
        """Who is not in yet, but whose join is on its way, has left when it arrives."""
        eve = self.house.connect()
        eve.sends(b"eve\r\n")
        eve.session.dismiss("not today")
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* eve joined", "* eve left (not today)"])
        self.assertEqual([event.kind for event in self.house.stored()][-2:], ["join", "leave"])
        self.assertGone(eve)

    def test_whoNeverReadsIsClosedAllTheSame(self) -> None:
        """Five seconds after they were to be closed."""
        self.ada.wire.bufferSize = 10
        self.ada.holds()
        self.ada.says("/help")
        self.ada.says("/quit")
        self.assertTrue(self.ada.wire.connected)
        self.house.clock.advance(PATIENCE)
        self.assertGone(self.ada)

    def test_whoTakesNothingIsLost(self) -> None:
        """Half a minute after they were full, or a whole one; the others are told why."""
        self.ada.wire.bufferSize = 10
        self.ada.holds()
        self.bob.says("are you there?")
        self.house.waits(29, 1)
        self.bob.says("hello?")
        self.assertTrue(self.ada.wire.connected)
        self.house.waits(31, 1)
        self.assertEqual(self.bob.lines(), ["* ada left (nothing was read for 30 s)"])
        self.assertGone(self.ada)

    def test_whoTakesNothingWhileMuchWaits(self) -> None:
        """Is lost for the same reason, when all they have sent is done."""
        self.house = House(Limits(rate=1))
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.wire.bufferSize = 10
        ada.holds()
        ada.sends(b"x\n" * 140)
        bob.says("are you there?")
        self.house.waits(61, 1)
        lines = bob.lines()
        self.assertEqual(lines[-1], "* ada left (nothing was read for 30 s)")
        self.assertEqual(len(lines), 141)
        self.assertGone(ada)

    def test_goneTwice(self) -> None:
        """Whatever happens to someone who is gone happens to nobody."""
        self.ada.says("/quit")
        session = self.ada.session
        for again in (session.quit, session.finish, session.lastWords):
            again()
        session.dismiss("again")
        session.lost(True)
        session.lost(False)
        session.receive(Say("hello"))
        session.receive(Command("nick", "eve"))
        session.refuse("no")
        session.held()
        session.drained()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["* ada left"])
        self.assertGone(self.ada)
        self.assertEqual(len(self.witness.saw(DISCONNECT)), 1)
