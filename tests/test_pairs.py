"""Tests for L{mucs.pairs}: private words that are kept, and who is shown them."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import TELL, LogError
from mucs.log.memory import MemoryLog
from mucs.log.sqlite import SqliteLog
from mucs.names import BadName, checkRoom, fold
from mucs.pairs import Pairs
from mucs.rules import Limits
from tests.house import BEGINNING, House, HouseCase, Person, register
from tests.log.late import LateLog
from tests.test_person import comes, logIn
from tests.test_records import FullLog

quiet = settings(deadline=None, database=None)


def shown(person: Person, text: str) -> list[str]:
    """What somebody is shown who asks, without the times."""
    person.seen()
    person.says(text)
    return [line if line[:2] in ("--", "! ") else line[6:] for line in person.lines()]


class NameTests(SynchronousTestCase):
    """What their rooms are called."""

    @quiet
    @given(st.lists(st.text(min_size=1, max_size=4).map(fold), min_size=4, max_size=4))
    def test_eachPairHasOne(self, keys: list[str]) -> None:
        """The same for both, another for others, and the log tells them apart too."""
        one, other, third, fourth = keys
        name = Pairs.room(one, other)
        self.assertEqual(name, Pairs.room(other, one))
        same = sorted((one, other)) == sorted((third, fourth))
        self.assertEqual(fold(name) == fold(Pairs.room(third, fourth)), same)

    @quiet
    @given(st.text(max_size=50))
    def test_noPublicRoomHasSuchAName(self, text: str) -> None:
        """Nor one that the log would take for it."""
        try:
            name = checkRoom(text)
        except BadName:
            return
        self.assertFalse(fold(name).startswith(","))

    def test_noSignFoldsToTheirBeginning(self) -> None:
        """Of all the characters that a room's name can begin with."""
        for character in map(chr, range(0x20, 0x30000)):
            if category(character)[0] not in "LNS" or fold(character)[0] != ",":
                continue
            try:
                name = checkRoom(character)
            except BadName:
                continue
            self.fail(f"a room can be called {name}")


class KeptTests(HouseCase):
    """Two registered people, and others."""

    def setUp(self) -> None:
        super().setUp()
        self.store: MemoryLog | SqliteLog = MemoryLog(self.house.wall)
        self.open()

    def open(self) -> None:
        """A house with the same log, and the same people; eve is a guest."""
        self.house = House(log=self.store, observers=[self.witness])
        register(self.house, "ada", "bob", "cyd")
        self.ada, self.bob, self.cyd = (comes(self.house, name) for name in ("ada", "bob", "cyd"))
        self.eve = self.house.enters("eve")
        self.house.rests()

    def test_historyShowsThemToTheseTwo(self) -> None:
        """Each from their own side, as many as are asked for; to nobody else."""
        self.ada.says("/msg bob tea?", "/msg cyd hush")
        self.bob.says("/reply coffee", "/msg eve a guest")
        self.assertEqual(
            shown(self.ada, "/history with bob"),
            ["you -> bob: tea?", "bob -> you: coffee", "-- that was it, with bob"],
        )
        self.assertEqual(
            shown(self.bob, "/history with ADA 1"),
            ["you -> ada: coffee", "-- that was it, with ADA"],
        )
        for person in (self.cyd, self.bob):
            self.assertEqual(
                shown(person, "/history with " + ("bob" if person is self.cyd else "cyd")),
                [f"-- nothing is kept with {'bob' if person is self.cyd else 'cyd'}"],
            )

    def test_afterARestart(self) -> None:
        """They are there, found and shown; to these two only."""
        self.ada.says("/msg bob tea?")
        self.bob.says("/msg ada tea it is")
        self.open()
        self.assertEqual(
            shown(self.bob, "/history with ada"),
            ["ada -> you: tea?", "you -> ada: tea it is", "-- that was it, with ada"],
        )
        self.assertEqual(
            shown(self.ada, "/search tea"),
            ["bob -> you: tea it is", "you -> bob: tea?", "-- 2 found"],
        )
        for person in (self.cyd, self.eve):
            self.assertEqual(
                shown(person, "/search tea"), ["-- nothing found in the rooms you are in"]
            )
        self.ada.says("/msg bob again")
        self.assertEqual(self.bob.lines(), ["ada -> you: again"])
        (name,) = self.house.hall.pairs.of("ada")
        self.assertEqual([event.seq for event in self.house.stored(name)], [1, 2, 3])

    def test_theyAreOnTheDisk(self) -> None:
        """The same with a database, whose index of words must hold them."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for opened in range(2):
            clock = Clock()
            self.store = SqliteLog(f"{folder.name}/log", clock, lambda: BEGINNING)
            self.open()
            if not opened:
                self.ada.says("/msg bob tea?")
                self.bob.says("/msg ada tea it is", "/msg cyd tea for us")
                clock.advance(60)
            self.assertEqual(
                shown(self.ada, "/search tea"),
                ["bob -> you: tea it is", "you -> bob: tea?", "-- 2 found"],
            )
            self.assertEqual(shown(self.cyd, "/search tea")[-1], "-- 1 found")
            self.assertEqual(len(shown(self.ada, "/history with bob")), 3)
            self.store.close()

    def test_withAGuestTheyAreNotKept(self) -> None:
        """They are for the session's life; and guests have none to be shown."""
        self.ada.says("/msg eve psst")
        self.eve.says("/msg ada hush")
        self.assertEqual(self.eve.lines(), ["ada -> you: psst"])
        self.assertEqual(self.house.hall.pairs.of("ada"), [])
        self.assertEqual(
            shown(self.ada, "/history with eve"),
            ["! eve is not registered; private words of two who are are kept"],
        )
        self.assertEqual(
            shown(self.eve, "/history with ada"),
            ["! that is for members; /register makes you one, /login if you are one already"],
        )

    def test_wrong(self) -> None:
        for text in ("/history with", "/history with bob x", "/history with bob 501"):
            self.assertEqual(
                shown(self.ada, text), ["! with whom? /history with NAME [N]; N is at most 500"]
            )

    def test_noObserverSeesThem(self) -> None:
        """A bot, a bridge or the console is told what is public only."""
        self.ada.says("/msg bob psst", "hello")
        self.assertEqual(self.witness.saw(TELL), [])
        self.assertIn(("ada", "hello"), self.witness.saw("say"))

    def test_nobodyEntersTheirRoom(self) -> None:
        """By no command, and in no frame."""
        self.ada.says("/msg bob psst")
        (name,) = self.house.hall.pairs.of("ada")
        reader = self.house.connect("json", "fay")
        reader.told()
        for asked in (
            {"history": name},
            {"say": "x", "room": name},
            {"do": f"join {name}"},
            {"do": f"who {name}"},
        ):
            (told,) = reader.asks(asked)
            self.assertIn("begins with a letter", told["refused"])
        for text in (f"/join {name}", f"/who {name}", f"/leave {name}"):
            self.assertIn("begins with a letter", shown(self.cyd, text)[0])
        self.assertNotIn(name, " ".join(shown(self.ada, "/rooms")))

    def test_whoHasLoggedOutSeesNoMore(self) -> None:
        """Words for an account are not shown to a session that had it once."""
        self.ada.says("/msg bob one")
        self.bob.says("/logout")
        bob = comes(self.house, "bob")
        self.house.rests()
        self.ada.says("/msg bob two")
        self.assertEqual((bob.lines(), self.bob.lines()), (["ada -> you: two"], []))
        self.assertEqual(shown(self.bob, "/search one")[-1][:16], "-- nothing found")

    def test_numbersAreNotConfused(self) -> None:
        """Accounts whose names are the numbers of two guests' sessions share nothing with them."""
        fay, gus = self.house.enters("fay"), self.house.enters("gus")
        numbers = [str(person.session.id) for person in (fay, gus)]
        logIn(self.ada, numbers[0])
        logIn(self.bob, numbers[1])
        self.house.rests()
        self.ada.says("/msg bob psst")
        fay.says("/msg gus hush")
        self.assertEqual(self.bob.lines(), ["ada -> you: psst"])
        self.assertEqual(gus.lines(), ["fay -> you: hush"])

    def test_whoseRoomItIsIsTriedAgain(self) -> None:
        """Where that cannot be stored, the next word tries again."""
        store = self.store
        self.patch(store, "put", FullLog(self.house.wall).put)
        self.ada.says("/msg bob one")
        self.assertEqual(self.bob.lines(), ["ada -> you: one"])
        self.assertEqual(len(self.flushLoggedErrors(LogError)), 1)
        self.patch(store, "put", MemoryLog.put.__get__(store))
        self.ada.says("/msg bob two")
        self.open()
        self.assertEqual(shown(self.bob, "/search one")[-1], "-- 1 found")

    def test_theLogIsSlow(self) -> None:
        """No more of them wait for it than of other words."""
        log = LateLog(self.house.wall, prompt=True)
        self.house = House(Limits(rate=0, events=3), log=log)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        for person in (ada, bob):
            logIn(person)
        self.house.rests()
        ada.says("/msg bob 0")
        log.prompt = False
        for n in range(1, 8):
            ada.says(f"/msg bob {n}")
        self.assertEqual(ada.lines(), ["! not stored: the log is slow; try again later"] * 3)
        log.prompt = True
        log.answers()
        self.house.turn()
        self.assertEqual(bob.lines(), [f"ada -> you: {n}" for n in range(5)])

    def test_whatTheLogIsSlowToTell(self) -> None:
        """Who has a place of their own when the room's end is read is shown nothing old."""
        self.ada.says("/msg bob old")
        self.store = LateTails(self.house.wall, self.store)
        self.open()
        self.bob.says("/hold")
        self.house.rests()
        self.ada.says("/msg bob new")
        self.assertEqual(self.bob.seen(), b"")
        late = self.store
        assert isinstance(late, LateTails)
        late.answer()
        self.house.turn()
        self.bob.sends(b"\r\n")
        self.assertEqual(self.bob.lines(), ["ada -> you: new"])


class LateTails(MemoryLog):
    """A log that is slow to tell of private rooms, with what another one has."""

    def __init__(self, clock: object, other: object) -> None:
        assert isinstance(other, MemoryLog)
        super().__init__(lambda: BEGINNING)
        self._shelves, self._records = other._shelves, other._records
        self._asked: list[tuple[Deferred[object], Deferred[object]]] = []

    def tail(self, room: str, limit: int) -> Deferred[object]:  # type: ignore[override]
        found: Deferred[object] = super().tail(room, limit)  # type: ignore[assignment]
        if not room.startswith(","):
            return found
        late: Deferred[object] = Deferred()
        self._asked.append((late, found))
        return late

    def answer(self) -> None:
        for late, found in self._asked:
            found.chainDeferred(late)
