"""
What every log must do: a suite for each provider of L{ILog<mucs.imucs.ILog>}.

A test case of a provider inherits from L{LogContract} first and from a trial C{TestCase} second,
and says how to make a log, and, where it does not answer at once, how it is made to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mucs.events import (
    JOIN,
    LEAVE,
    ME,
    NICK,
    SAY,
    TELL,
    TOPIC,
    UNDO,
    WITHDRAWN,
    Event,
    Tail,
)
from mucs.imucs import ILog

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object

#: How many events of a room a log under test keeps at least.
KEPT = 20


def draft(
    text: str = "",
    room: str = "lobby",
    author: str = "ada",
    kind: str = SAY,
    target: str = "",
    id: str = "",
) -> Event:
    """Something that has happened and is not stored."""
    return Event(room, 0, 0, author, kind, text, target, 7, id)


class LogCase(Base):
    """
    A test with a log.

    @ivar now: seconds since 1970, as the log's clock shows them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.now = 1_790_000_000.25
        self.store = self.makeLog()
        self.store.open()
        self.addCleanup(self.close)

    def close(self) -> None:
        """Let go of the log under test, whichever it is by then."""
        self.store.close()

    def makeLog(self) -> ILog:
        """An empty log that keeps at least L{KEPT} events of a room, and whose clock is C{now}."""
        raise NotImplementedError

    def answer(self) -> None:
        """Make the log answer what it was asked, where it does not do so by itself."""

    def clock(self) -> float:
        """For L{makeLog}."""
        return self.now

    def ask(self, asked: Deferred[Any]) -> Any:
        """What the log answers."""
        self.answer()
        return self.successResultOf(asked)

    def append(self, *batch: Event) -> list[Event]:
        """Store a batch."""
        events: list[Event] = self.ask(self.store.append(batch))
        return events

    def read(
        self, room: str = "lobby", before: int = 0, limit: int = 100, after: int = 0
    ) -> list[Event]:
        """What the log has of a room."""
        events: list[Event] = self.ask(self.store.read(room, limit, before, after))
        return events

    def tail(self, room: str = "lobby", limit: int = 100) -> Tail:
        """The end of a room."""
        tail: Tail = self.ask(self.store.tail(room, limit))
        return tail

    def search(self, words: str, *rooms: str, limit: int = 100) -> list[str]:
        """What is found, in the lobby if not said otherwise."""
        return self.texts(self.ask(self.store.search(words, rooms or ("lobby",), limit)))

    def present(self) -> list[tuple[str, str]]:
        """Who is where."""
        return sorted(self.ask(self.store.present()))

    def prune(self, room: str = "lobby", before: int = 0, keep: int = 0, most: int = 1000) -> int:
        """Remove what is old."""
        store: Any = self.store
        count: int = self.ask(store.prune(room, before, keep, most))
        return count

    def texts(self, events: Sequence[Event]) -> list[str]:
        """What was said."""
        return [event.text for event in events]


class LogContract(LogCase):
    """What every log must do."""

    def test_itProvidesTheInterface(self) -> None:
        """It has all of C{ILog}, and says what it outlives."""
        verifyObject(ILog, self.store)
        self.assertIn(self.store.level, ("none", "process", "power"))

    def test_numbersHaveNoGaps(self) -> None:
        """Each room counts from 1, in the order of the batch and over all batches."""
        first = self.append(draft("a"), draft("b", "garden"), draft("c"), draft("d", "garden"))
        second = self.append(draft("e", "garden"), draft("f"))
        self.assertEqual(
            [(event.room, event.seq, event.text) for event in first + second],
            [
                ("lobby", 1, "a"),
                ("garden", 1, "b"),
                ("lobby", 2, "c"),
                ("garden", 2, "d"),
                ("garden", 3, "e"),
                ("lobby", 3, "f"),
            ],
        )

    def test_nothingElseIsChanged(self) -> None:
        """What comes back, then and when it is read, is what was stored, numbered and timed."""
        odd = "hé 🙂 '\"%_\\{0}\u200d" + "long " * 800
        drafts = [
            Event("Garden 🌳", 0, 0, "ada", JOIN, "", "", 3),
            Event("Garden 🌳", 0, 0, "Fake Herleen", SAY, odd, "", 0),
            Event("Garden 🌳", 0, 0, "10.0.0.1:4711", ME, "waves", "", 5, "id 🙂"),
            Event("Garden 🌳", 0, 0, "ada", NICK, "", "Ada Lovelace", 3),
            Event("Garden 🌳", 0, 0, "ada", TOPIC, "", "", 3),
            Event("Garden 🌳", 0, 0, "ada", LEAVE, "so long", "", 3),
        ]
        stored = self.append(*drafts)
        for seq, (event, was) in enumerate(zip(stored, drafts, strict=True), 1):
            now = 1_790_000_000_250
            whole = (was.room, seq, now, was.author, was.kind, was.text, was.target, was.id)
            self.assertEqual((*_fields(event), event.origin), (*whole, was.origin))
        self.assertEqual(list(map(_fields, self.read("Garden 🌳"))), list(map(_fields, stored)))

    def test_timeIsTheClocks(self) -> None:
        """Events are timed when they are stored, in milliseconds."""
        self.append(draft("a"))
        self.now += 1.5
        self.append(draft("b"), draft("c"))
        began = 1_790_000_000_250
        times = [event.time for event in self.read()]
        self.assertEqual(times, [began, began + 1500, began + 1500])

    def test_timeNeverGoesBack(self) -> None:
        """A clock that is set back does not set a room back."""
        self.append(draft("a"))
        self.now -= 3600
        self.append(draft("b"))
        self.append(draft("c", "garden"))
        self.now += 3601
        self.append(draft("d"))
        first, second, third = [event.time for event in self.read()]
        self.assertEqual(first, 1_790_000_000_250)
        self.assertEqual(second, first)
        self.assertEqual(third, first + 1000)

    def test_anEmptyBatch(self) -> None:
        """There may be nothing to store."""
        self.assertEqual(self.append(), [])
        self.assertEqual(self.append(draft("a"))[0].seq, 1)

    def test_aLargeBatch(self) -> None:
        """A batch may hold as many events as a turn."""
        stored = self.append(*[draft(str(n)) for n in range(4096)])
        self.assertEqual([event.seq for event in stored], list(range(1, 4097)))
        last = [str(n) for n in range(4096 - KEPT, 4096)]
        self.assertEqual(self.texts(self.read(limit=KEPT)), last)

    def test_readingTheEnd(self) -> None:
        """Before 0 means the last ones, in order, as many as asked for."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(limit=3)), ["5", "6", "7"])
        self.assertEqual(self.texts(self.read(limit=7)), list("1234567"))
        self.assertEqual(self.texts(self.read(limit=8)), list("1234567"))

    def test_readingBefore(self) -> None:
        """Only what is below the number is read, the nearest to it."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(before=5, limit=2)), ["3", "4"])
        self.assertEqual(self.texts(self.read(before=2, limit=2)), ["1"])
        self.assertEqual(self.texts(self.read(before=1, limit=2)), [])
        self.assertEqual(self.texts(self.read(before=99, limit=2)), ["6", "7"])

    def test_readingNothing(self) -> None:
        """A room that never was is empty, and to ask for nothing is no fault."""
        self.assertEqual(self.read("nowhere"), [])
        self.append(draft("a"))
        self.assertEqual(self.read("nowhere"), [])
        self.assertEqual(self.read(limit=0), [])

    def test_roomsAreApart(self) -> None:
        """Nothing of one room is found in another."""
        self.append(draft("a"), draft("b", "garden"), draft("c"))
        self.assertEqual(self.texts(self.read("lobby")), ["a", "c"])
        self.assertEqual(self.texts(self.read("garden")), ["b"])

    def test_aRoomByAnyWayOfWritingIt(self) -> None:
        """Names that are the same are one room, whose numbers go on."""
        self.append(draft("a", "Garden"))
        stored = self.append(draft("b", "garden"), draft("c", "GARDEN"))
        self.assertEqual([event.seq for event in stored], [2, 3])
        self.assertEqual(self.texts(self.read("gArden")), ["a", "b", "c"])

    def test_whatIsGivenIsTheCallersOwn(self) -> None:
        """To change the lists that came out, or the one that went in, changes nothing inside."""
        batch = [draft("a"), draft("b")]
        stored = self.store.append(batch)
        self.answer()
        batch.clear()
        self.successResultOf(stored).clear()
        self.read().clear()
        self.assertEqual(self.texts(self.read()), ["a", "b"])

    def test_theFirstWayOfWritingIt(self) -> None:
        """A room is known by its first name."""
        self.append(draft("a", "Garden"))
        (stored,) = self.append(draft("b", "GARDEN"))
        self.assertEqual(stored.room, "Garden")
        self.assertEqual({event.room for event in self.read("garden")}, {"Garden"})
        self.assertEqual(self.tail("garden").name, "Garden")

    def test_readingAfter(self) -> None:
        """Only what is above the number is read, the nearest to it."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(after=3, limit=2)), ["4", "5"])
        self.assertEqual(self.texts(self.read(after=5, limit=9)), ["6", "7"])
        self.assertEqual(self.texts(self.read(after=7)), [])
        self.assertEqual(self.texts(self.read(after=99)), [])
        self.assertEqual(self.texts(self.read(after=3, limit=0)), [])

    def test_readingBetween(self) -> None:
        """From one number to another, from the lower end."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.assertEqual(self.texts(self.read(after=2, before=6)), ["3", "4", "5"])
        self.assertEqual(self.texts(self.read(after=2, before=6, limit=2)), ["3", "4"])
        self.assertEqual(self.texts(self.read(after=2, before=3)), [])
        self.assertEqual(self.texts(self.read(after=4, before=2)), [])
        self.assertEqual(self.texts(self.read(after=4, before=99, limit=2)), ["5", "6"])

    def test_theTail(self) -> None:
        """Whoever comes in learns of the room, and of its last events."""
        self.assertEqual(self.tail("nowhere"), Tail())
        self.append(draft("roses", kind=TOPIC), draft("a"), draft("b"), draft("c", "garden"))
        tail = self.tail(limit=2)
        self.assertEqual((tail.name, tail.topic, tail.head), ("lobby", "roses", 3))
        self.assertEqual(self.texts(tail.events), ["a", "b"])
        self.assertEqual(self.tail(limit=0).head, 3)

    def test_topicsMayEnd(self) -> None:
        """The last topic holds, even none."""
        self.append(draft("roses", kind=TOPIC), draft("tulips", kind=TOPIC))
        self.assertEqual(self.tail().topic, "tulips")
        self.append(draft(kind=TOPIC))
        self.assertEqual(self.tail().topic, "")

    # Ids.

    def test_theSameIdIsStoredOnce(self) -> None:
        """What comes again is answered with what there is."""
        (first,) = self.append(draft("a", id="1"))
        self.now += 5
        again, other = self.append(draft("a", id="1"), draft("b"))
        self.assertEqual(_fields(again), _fields(first))
        self.assertEqual(other.seq, 2)
        self.assertEqual([event.id for event in self.read()], ["1", ""])

    def test_theSameIdWithinABatch(self) -> None:
        """All the more so in one batch, in a room that is new as well."""
        stored = self.append(
            draft("a", id="1"), draft("b"), draft("a", "LOBBY", id="1"), draft("c", id="2")
        )
        self.assertEqual([event.seq for event in stored], [1, 2, 1, 3])
        self.assertEqual(self.texts(self.read()), ["a", "b", "c"])

    def test_onlyRepeats(self) -> None:
        """A batch of nothing new stores nothing."""
        self.append(draft("a", id="1"), draft("b", id="2"))
        stored = self.append(draft("b", id="2"), draft("a", id="1"), draft("b", id="2"))
        self.assertEqual([event.seq for event in stored], [2, 1, 2])
        self.assertEqual(self.append(draft("c"))[0].seq, 3)

    def test_idsAreTheAuthorsOwn(self) -> None:
        """Another author, or another room, may use the same."""
        self.append(draft("a", id="1"))
        stored = self.append(
            draft("b", author="bob", id="1"), draft("c", "garden", id="1"), draft("d", id="2")
        )
        self.assertEqual([event.seq for event in stored], [2, 1, 3])

    # Withdrawing.

    def test_whatIsWithdrawn(self) -> None:
        """Its place remains, and its words are gone."""
        self.append(draft("a"), draft("secret", target="bob", kind=TELL, id="9"), draft("c"))
        self.append(draft(kind=UNDO, target="2"))
        was = self.read()[1]
        self.assertEqual(
            (was.seq, was.author, was.kind, was.text, was.target, was.id),
            (2, "ada", WITHDRAWN, "", "", "9"),
        )
        self.assertEqual(self.texts(self.tail(limit=3).events), ["", "c", ""])
        (again,) = self.append(draft("secret", target="bob", kind=TELL, id="9"))
        self.assertEqual((again.seq, again.kind, again.text), (2, WITHDRAWN, ""))

    def test_withdrawingNothing(self) -> None:
        """What was not said before, or is no number, is not withdrawn."""
        self.append(draft("a"), draft("x", kind=TOPIC), draft(kind=JOIN), draft("b", "garden"))
        before = self.read()
        for target in ("0", "-1", "2", "3", "99", "10", "", "one", "\u0661", "9" * 40):
            self.append(draft(kind=UNDO, target=target))
        self.append(*[draft(str(n)) for n in range(3)])
        self.assertEqual(self.read(limit=3, before=4), before)
        self.assertEqual(self.texts(self.read(before=0, limit=3)), ["0", "1", "2"])
        self.assertEqual(self.texts(self.read("garden")), ["b"])

    def test_withdrawnTwice(self) -> None:
        """The second time it is no more."""
        self.append(draft("a"), draft(kind=UNDO, target="1"))
        self.append(draft(kind=UNDO, target="1"))
        self.assertEqual([event.kind for event in self.read()], [WITHDRAWN, UNDO, UNDO])

    # Searching.

    def test_searching(self) -> None:
        """All words, whole words, in any order, the newest first."""
        for text in ("red roses grow", "the rose is red", "Roses are RED.", "reddish roses"):
            self.now += 1
            self.append(draft(text))
        self.assertEqual(self.search("red roses"), ["Roses are RED.", "red roses grow"])
        self.assertEqual(self.search("roses", limit=1), ["reddish roses"])
        self.assertEqual(self.search("tulips"), [])

    def test_searchingAccents(self) -> None:
        """An accent is no matter, on either side."""
        self.append(draft("Un café crème"), draft("la CAFE"), draft("кафе"))
        self.assertEqual(self.search("cafe"), ["la CAFE", "Un café crème"])
        self.assertEqual(self.search("CAFÉ"), ["la CAFE", "Un café crème"])
        self.assertEqual(self.search("КАФЕ"), ["кафе"])

    def test_whatCanBeFound(self) -> None:
        """What was said, in private too, and topics: not who came, nor what is withdrawn."""
        self.append(
            draft("rose 1"),
            draft("rose 2", kind=ME),
            draft("rose 3", kind=TOPIC),
            draft("rose 4", kind=LEAVE),
            draft("rose 5", kind=TELL, target="bob"),
            draft("rose 6"),
            draft(kind=UNDO, target="6"),
            draft(kind=NICK, target="rose 7"),
        )
        self.assertEqual(self.search("rose"), ["rose 5", "rose 3", "rose 2", "rose 1"])

    def test_searchingRooms(self) -> None:
        """Only in the rooms that were asked for, however written."""
        for n, room in enumerate(("lobby", "garden", "attic", "garden"), 1):
            self.now += 1
            self.append(draft(f"rose {n}", room))
        self.assertEqual(
            self.search("rose", "GARDEN", "attic", "no"), ["rose 4", "rose 3", "rose 2"]
        )
        self.assertEqual(self.search("rose", "no"), [])
        self.assertEqual(self.search("rose", limit=1), ["rose 1"])
        self.assertEqual(self.ask(self.store.search("rose", [], 9)), [])
        self.assertEqual(self.search("rose", limit=0), [])

    def test_numbersAreWords(self) -> None:
        """A room's own number is not to be found among the words."""
        self.append(draft("one"), draft("1"), draft("one 1 one"))
        self.assertEqual(self.search("1"), ["one 1 one", "1"])

    def test_nothingTypedIsSyntax(self) -> None:
        """Whatever is asked for is words."""
        self.append(draft('say "hello" AND (good-bye) NOT text:x'), draft("hello OR NEAR bye*"))
        first, second = self.texts(self.read())
        for words, found in {
            '"hello"': [second, first],
            '"': [],
            '"hello AND': [first],
            "hello OR": [second],
            "good-bye": [first],
            "bye-good": [],
            "(good) -": [first],
            "hell*": [],
            "text:x": [first],
            "room:1": [],
            "- * ^ +": [],
            "NOT": [first],
            "NEAR(hello": [],
            "^hello": [second, first],
            "{text}:hello": [],
            "hello\0bye": [second, first],
            "\ud800hello": [second, first],
            " \t\n": [],
            "": [],
            "hello " * 500: [second, first],
            "'; DROP TABLE events; --": [],
        }.items():
            self.assertEqual(self.search(words), found, words)

    # Who is there.

    def test_whoIsPresent(self) -> None:
        """Those who came and have not left, by their last name."""
        self.append(
            draft(kind=JOIN),
            draft(kind=JOIN, author="bob"),
            draft(kind=JOIN, author="bob", room="garden"),
            draft(kind=JOIN, author="eve"),
            draft("so long", kind=LEAVE, author="eve"),
        )
        self.assertEqual(self.present(), [("garden", "bob"), ("lobby", "ada"), ("lobby", "bob")])
        self.append(
            draft(kind=NICK, author="bob", target="robert"),
            draft(kind=NICK, author="eve", target="eva"),
            draft(kind=LEAVE, author="nobody"),
            draft(kind=LEAVE),
            draft(kind=JOIN),
        )
        self.assertEqual(self.present(), [("garden", "bob"), ("lobby", "ada"), ("lobby", "robert")])
        self.append(draft(kind=NICK, author="robert", target="ada"), draft(kind=JOIN))
        self.assertEqual(self.present(), [("garden", "bob"), ("lobby", "ada")])
        self.append(draft(kind=JOIN, author="robert", room="LOBBY"))
        self.append(draft(kind=LEAVE, room="Lobby"))
        self.assertEqual(self.present(), [("garden", "bob"), ("lobby", "robert")])

    # Small things.

    def test_remembering(self) -> None:
        """A value is given once."""
        until = int(self.now * 1000) + 600_000
        self.assertIsNone(self.ask(self.store.recall("k")))
        self.ask(self.store.remember({"k": b"\0\xff{}"}, until))
        self.ask(self.store.remember({"l": b""}, until))
        self.assertEqual(self.ask(self.store.recall("k")), b"\0\xff{}")
        self.assertIsNone(self.ask(self.store.recall("k")))
        self.assertEqual(self.ask(self.store.recall("l")), b"")

    def test_rememberingSeveral(self) -> None:
        """At once, each by its key; none of them is nothing."""
        until = int(self.now * 1000) + 600_000
        self.ask(self.store.remember({}, until))
        self.ask(self.store.remember({"k": b"1", "l": b"2"}, until))
        self.ask(self.store.remember({"l": b"3", "m": b"4"}, until))
        found = [self.ask(self.store.recall(key)) for key in "klmn"]
        self.assertEqual(found, [b"1", b"3", b"4", None])

    def test_rememberingAnother(self) -> None:
        """A newer value replaces an older one."""
        until = int(self.now * 1000) + 600_000
        self.ask(self.store.remember({"k": b"a"}, until))
        self.ask(self.store.remember({"k": b"b"}, until + 1))
        self.assertEqual(self.ask(self.store.recall("k")), b"b")
        self.assertIsNone(self.ask(self.store.recall("k")))

    def test_forgetting(self) -> None:
        """When its time has come, a value is gone, and not before."""
        until = int(self.now * 1000) + 1000
        self.ask(self.store.remember({"k": b"k"}, until))
        self.ask(self.store.remember({"l": b"l"}, until))
        self.now += 0.999
        self.assertEqual(self.ask(self.store.recall("k")), b"k")
        self.now += 0.001
        self.assertIsNone(self.ask(self.store.recall("l")))
        self.now -= 3600
        self.assertIsNone(self.ask(self.store.recall("l")))

    def test_records(self) -> None:
        """Records are kept, replaced and removed; those of one kind come in the order of keys."""
        for kind, key, value in (("a", "z", b"1"), ("a", "\u00e9", b"2"), ("b", "z", b"3")):
            self.ask(self.store.put(kind, key, value))
        self.ask(self.store.put("a", "z", b"\0\xff"))
        self.assertEqual(self.ask(self.store.entries("a")), [("z", b"\0\xff"), ("\u00e9", b"2")])
        self.assertEqual(self.ask(self.store.entries("a", 1)), [("\u00e9", b"2")])
        self.ask(self.store.put("a", "z", None))
        self.ask(self.store.put("a", "never", None))
        self.assertEqual(self.ask(self.store.entries("a")), [("\u00e9", b"2")])
        self.assertEqual(self.ask(self.store.entries("b", 5)), [("z", b"3")])
        self.assertEqual(self.ask(self.store.entries("c")), [])

    # Pruning.

    def test_pruningByCount(self) -> None:
        """The last ones stay, reading begins later, and the numbers go on."""
        self.append(*[draft(f"n{n}") for n in range(1, 8)], draft("other", "garden"))
        self.assertEqual(self.prune(keep=3), 4)
        self.assertEqual(self.prune(keep=3), 0)
        self.assertEqual(self.texts(self.read()), ["n5", "n6", "n7"])
        self.assertEqual(self.texts(self.read(after=1, limit=2)), ["n5", "n6"])
        self.assertEqual(self.read(before=5), [])
        self.assertEqual(self.texts(self.read(before=6)), ["n5"])
        self.assertEqual(self.append(draft("n8"))[0].seq, 8)
        self.assertEqual(self.search("n4"), [])
        self.assertEqual(self.search("n5"), ["n5"])
        self.assertEqual(self.texts(self.read("garden")), ["other"])

    def test_pruningByAge(self) -> None:
        """What is older than a time goes."""
        for n in range(1, 5):
            self.append(draft(f"n{n}"))
            self.now += 1
        third = self.read()[2].time
        self.assertEqual(self.prune(before=third), 2)
        self.assertEqual(self.texts(self.read()), ["n3", "n4"])
        self.assertEqual(self.prune(before=third, keep=1), 1)
        self.assertEqual(self.prune("nowhere", before=third), 0)
        self.assertEqual(self.prune(), 0)

    def test_pruningAPieceAtATime(self) -> None:
        """No more than asked for at once."""
        self.append(*[draft(str(n)) for n in range(7)])
        self.assertEqual([self.prune(keep=2, most=3) for _ in range(3)], [3, 2, 0])
        self.assertEqual(self.texts(self.read()), ["5", "6"])

    def test_pruningAll(self) -> None:
        """Of an empty room the numbers, the name, the topic and the time are still known."""
        self.append(draft("roses", "Garden", kind=TOPIC), draft("b", "Garden", id="1"))
        self.assertEqual(self.prune("garden", before=1 << 50), 2)
        tail = self.tail("garden")
        self.assertEqual(tail, Tail("Garden", "roses", 2, ()))
        self.now -= 3600
        (stored,) = self.append(draft("c", "garden", id="1"))
        self.assertEqual((stored.seq, stored.time), (3, 1_790_000_000_250))
        self.assertEqual(self.texts(self.read("garden")), ["c"])
        self.assertEqual(self.search("c", "garden"), ["c"])

    def test_whichRoomsThereAre(self) -> None:
        """Each once, by its first name."""
        self.append(draft("a", "Garden"), draft("b"), draft("c", "garden"))
        store: Any = self.store
        self.assertEqual(sorted(self.ask(store.rooms())), ["Garden", "lobby"])


def _fields(event: Event) -> tuple[str, int, int, str, str, str, str, str]:
    """All of an event but its origin, which another run of the server does not know."""
    return (
        event.room,
        event.seq,
        event.time,
        event.author,
        event.kind,
        event.text,
        event.target,
        event.id,
    )
