"""Tests for L{mucs.log.sqlite}, and what it is made of."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, TOPIC, UNDO, Event, LogError, NotStored
from mucs.log import search, shelves, steps, tidying, words
from mucs.log.words import Wanted
from mucs.signs import apart
from tests.log.base import SqliteCase
from tests.log.contract import LogContract, draft


class SqliteLogTests(SqliteCase, LogContract, SynchronousTestCase):
    """The log, when nothing is indexed yet."""

    def test_itAnswersAtOnce(self) -> None:
        """A turn is over before the reactor goes on."""
        self.successResultOf(self.store.append([draft("a")]))
        self.successResultOf(self.store.read("lobby", 1))

    def test_itOutlivesAKill(self) -> None:
        """Everything acknowledged is in the files by then, and nothing half."""
        self.append(draft("a", id="1"), draft(kind=JOIN), draft("roses", "Garden", kind=TOPIC))
        path, self.path = self.path, self.mktemp()
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            # Someone who is in the middle of it: half of what they write is on the disk.
            db.execute("PRAGMA cache_size = 1")
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE rooms SET head = 500 WHERE name = 'lobby'")
            db.executemany(
                "INSERT INTO events (room, seq, time, kind, author, text, target)"
                " VALUES (1, ?, 0, 'say', 'ada', ?, '')",
                [(n, "x" * 1000) for n in range(3, 500)],
            )
            size = Path(path + "-wal").stat().st_size
            self.assertGreater(size, 400_000)
            for part in ("", "-wal", "-shm"):
                shutil.copy(path + part, self.path + part)
        other = self.openable()
        other.open()
        self.addCleanup(other.close)
        self.store, was = other, self.store
        self.addCleanup(was.close)
        self.assertEqual(self.texts(self.read()), ["a", ""])
        self.assertEqual(self.tail("garden").topic, "roses")
        self.assertEqual(self.present(), [("lobby", "ada")])
        self.assertEqual([e.seq for e in self.append(draft("a", id="1"), draft("b"))], [1, 3])

    def test_reopening(self) -> None:
        """All of it is there in the next run, and so is the order of time."""
        self.append(draft("a", "Garden"), draft("b", "Garden", id="1"))
        self.ask(self.store.remember({"k": b"v"}, int(self.now * 1000) + 1000))
        self.store.close()
        self.now -= 86400
        self.store = self.openable()
        self.store.open()
        self.assertEqual(self.ask(self.store.recall("k")), b"v")
        again, new = self.append(draft("b", "garden", id="1"), draft("c", "GARDEN"))
        self.assertEqual((again.seq, new.seq, new.room), (2, 3, "Garden"))
        self.assertEqual(new.time, again.time)

    def test_closingWhatIsNotOpen(self) -> None:
        """Or twice: there is nothing to do."""
        self.openable().close()
        self.store.close()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_anotherWhoWrites(self) -> None:
        """While someone else writes, with a tool of SQLite's say, nothing is stored."""
        self.append(draft("a"))
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            self.failureResultOf(self.store.append([draft("b")]), LogError)
            self.assertEqual(self.texts(self.read()), ["a"])
        self.assertEqual(self.append(draft("c"))[0].seq, 2)

    def test_anotherWhoReads(self) -> None:
        """A backup does not disturb, nor is it disturbed."""
        self.append(draft("a"))
        self.patch(tidying, "CHECKPOINT", 0)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("BEGIN")
            count = "SELECT count(*) FROM events"
            self.assertEqual(db.execute(count).fetchone(), (1,))
            self.append(draft("b"))
            self.tidy()
            self.assertEqual(db.execute(count).fetchone(), (1,))
        self.tidy()
        self.assertEqual(self.texts(self.read()), ["a", "b"])

    def test_onlySomeRoomsAreInMemory(self) -> None:
        """Of very many rooms those are forgotten that the database knows anyway."""
        self.patch(shelves, "ROOMS", 3)
        names = [f"room {n}" for n in range(20)]
        for _ in range(2):
            for name in names:
                self.append(draft("a", name))
            store: Any = self.store
            self.assertLessEqual(len(store._shelves._shelves), 4)
        self.assertEqual([self.tail(name).head for name in names], [2] * 20)

    def test_damageIsSaid(self) -> None:
        """A gap in the numbers is not read over."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("DELETE FROM events WHERE seq = 4")
        for limit, before, after in ((7, 0, 0), (3, 7, 0), (2, 5, 0), (2, 0, 2), (1, 0, 3)):
            failure = self.failureResultOf(self.store.read("lobby", limit, before, after), LogError)
            self.assertIn(f"{self.path}: the log is damaged: some", failure.getErrorMessage())
        self.assertEqual(self.texts(self.read(limit=3)), ["5", "6", "7"])
        self.assertEqual(self.texts(self.read(limit=3, before=4)), ["1", "2", "3"])

    def test_aMissingEndIsSaid(self) -> None:
        """Nothing is numbered from a wrong end."""
        self.append(*[draft(str(n)) for n in range(1, 8)])
        self.patch(shelves, "ROOMS", 0)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("DELETE FROM events WHERE seq = 7")
        failure = self.failureResultOf(self.store.append([draft("b")]), NotStored)
        self.assertIn("damaged", failure.getErrorMessage())

    def test_clockSteps(self) -> None:
        """An hour or a day either way: nothing is out of order, and numbers go on."""
        for step in (3600, -3600, -86400, 86400, 86400, -86400):
            self.now += step
            self.append(draft("a"))
            self.now += 1
            self.append(draft("b"))
        events = self.read()
        self.assertEqual([event.seq for event in events], list(range(1, 13)))
        times = [event.time for event in events]
        self.assertEqual(times, sorted(times))


class IndexedTests(SqliteCase, LogContract, SynchronousTestCase):
    """The log, when everything is indexed before anything else is asked."""

    def answer(self) -> None:
        self.tidy()


class RestartedTests(SqliteCase, LogContract, SynchronousTestCase):
    """The log, when the server begins anew before anything else is asked."""

    def answer(self) -> None:
        self.store.close()
        self.store = self.openable()
        self.store.open()


class SizeTests(SqliteCase, SynchronousTestCase):
    """The write-ahead log, and how large it is on disk."""

    def size(self) -> int:
        return Path(self.path + "-wal").stat().st_size

    def written(self) -> int:
        """Pages that are in it."""
        # A header of 32 bytes, and one of 24 before each page: sqlite.org/fileformat2.html, 4.1.
        return (self.size() - 32) // (4096 + 24)

    def opens(self) -> None:
        self.store.close()
        self.store = self.openable()
        self.store.open()

    def test_itShrinks(self) -> None:
        """Once it was copied back, and is written from its beginning again."""
        self.patch(steps, "KEPT", 100_000)
        self.opens()
        self.append(*[draft("x" * 4000) for _ in range(600)])
        large = self.size()
        self.assertGreater(large, 2_000_000)
        self.tidy()
        self.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.append(draft("y"))
        self.assertLess(self.size(), 110_000)

    def test_whatPruningWrites(self) -> None:
        """It is counted as what is stored is, so that it is copied back in time."""
        self.opens()
        self.append(*[draft(f"{n} " + "x" * 200, id=str(n)) for n in range(500)])
        self.tidy()
        store: Any = self.store
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        store._tidying.pages = 0
        self.assertEqual(self.ask(store.prune("lobby", keep=1)), words.SLICE)
        self.assertGreater(store._tidying.pages, self.written() / 2)
        self.assertLess(store._tidying.pages, self.written() * 3)


class PiecewiseTests(SqliteCase, LogContract, SynchronousTestCase):
    """The log, with everything in the smallest pieces, and half of it indexed."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(search, "PIECE", 1)
        self.patch(words, "SLICE", 1)
        self.patch(tidying, "CHECKPOINT", 3)
        self.patch(shelves, "ROOMS", 1)

    def answer(self) -> None:
        self.reactor.advance(0)
        self.reactor.advance(tidying.PAUSE)


class IndexTests(SqliteCase, SynchronousTestCase):
    """What is done between the turns."""

    def marks(self) -> tuple[int, int]:
        """How far the index has come, and how many events there are in it."""
        with closing(sqlite3.connect(self.path)) as db:
            mark = db.execute("SELECT value FROM marks WHERE name = 'indexed'").fetchone()[0]
            # What the index itself holds, not the table it is made from.
            return mark, db.execute("SELECT count(*) FROM words_docsize").fetchone()[0]

    def assertSound(self) -> None:
        """The index holds what it should, no more and no less."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute(
                "CREATE TEMP TABLE there AS SELECT event, room, text FROM events"
                " WHERE NOT withdrawn AND kind IN ('say', 'me', 'topic')"
                " AND event <= (SELECT value FROM marks WHERE name = 'indexed')"
            )
            db.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, words, instance)")
            found = db.execute("SELECT term, doc, col, offset FROM v").fetchall()
            db.execute("DROP TABLE temp.v")
            db.execute(
                f"CREATE VIRTUAL TABLE temp.fresh USING fts5(room, text, tokenize='{words.WORDS}')"
            )
            db.execute("INSERT INTO fresh (rowid, room, text) SELECT * FROM there")
            db.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab(temp, fresh, instance)")
            self.assertEqual(found, db.execute("SELECT term, doc, col, offset FROM v").fetchall())
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_aSliceAtATime(self) -> None:
        """The commit leaves the index alone; it follows in slices, and then there is peace."""
        self.patch(words, "SLICE", 3)
        self.append(*[draft(f"rose {n}") for n in range(5)], draft(kind=JOIN), draft("rose 5"))
        self.assertEqual(self.marks(), (0, 0))
        found = [f"rose {n}" for n in reversed(range(6))]
        for marks in ((0, 0), (3, 3), (6, 5), (7, 6)):
            self.assertEqual(self.marks(), marks)
            self.assertEqual(self.search("rose"), found)
            self.reactor.advance(tidying.PAUSE)
        self.tidy()
        self.assertSound()

    def test_longTexts(self) -> None:
        """A slice ends sooner where texts are long."""
        self.append(*[draft("rose " * 800) for _ in range(20)])
        self.reactor.advance(tidying.PAUSE)
        self.assertEqual(self.marks(), (6, 6))

    def test_withdrawnBeforeAndAfter(self) -> None:
        """What is withdrawn is in the index neither if it was in it, nor if it was not yet."""
        self.append(draft("rose 1"), draft("rose 2"))
        self.tidy()
        self.append(draft("rose 3"), draft("rose 4"), draft(kind=UNDO, target="1"))
        self.append(draft(kind=UNDO, target="3"))
        self.assertEqual(self.marks(), (2, 1))
        self.assertEqual(self.search("rose"), ["rose 4", "rose 2"])
        self.assertSound()
        self.tidy()
        self.assertEqual(self.marks(), (6, 2))
        self.assertEqual(self.search("rose"), ["rose 4", "rose 2"])
        self.assertSound()

    def test_prunedBeforeAndAfter(self) -> None:
        """So it is with what is pruned; and what comes then, with the same numbers, is indexed."""
        for keep in (0, 1):
            room = f"room {keep}"
            self.append(*[draft(f"rose {n}", room) for n in range(4)])
            self.tidy()
            self.append(*[draft(f"rose {n}", room) for n in range(4, 6)])
            self.assertEqual(self.prune(room, before=1 << 50), 6)
            self.assertSound()
            self.append(draft("rose 9", room))
            self.assertEqual(self.search("rose", room), ["rose 9"])
            self.tidy()
            self.assertEqual(self.search("rose", room), ["rose 9"])
            self.assertSound()

    def test_theWriteAheadLogIsCopiedBack(self) -> None:
        """When it is long, between the turns; and it is used again from its beginning."""
        self.patch(tidying, "CHECKPOINT", 50)
        wal = Path(self.path + "-wal")
        sizes = []
        for _ in range(40):
            self.append(*[draft("rose " * 100) for _ in range(20)])
            self.tidy()
            sizes.append(wal.stat().st_size)
        self.assertGreater(Path(self.path).stat().st_size, 400_000)
        self.assertLess(max(sizes), 1_000_000)

    def test_aSearchAmongTurns(self) -> None:
        """A long search lets the server go on, and what changes meanwhile confuses it not."""
        self.patch(search, "PIECE", 4)
        self.patch(words, "SLICE", 12)
        self.append(*[draft(f"rose {n}") for n in range(1, 21)])
        found: Deferred[list[Event]] = self.store.search("rose", ["lobby"], 100)
        self.reactor.turn()
        self.assertNoResult(found)
        self.append(draft("rose 21"), draft(kind=UNDO, target="20"), draft(kind=UNDO, target="2"))
        turns = 0
        while self.marks()[0] < 20:
            # A slice, and then a piece, in one turn.
            self.reactor.rightNow += tidying.PAUSE
            self.reactor.turn()
            turns += 1
        self.assertEqual(turns, 2)
        events: list[Event] = self.successResultOf(found)
        texts = self.texts(events)
        self.assertEqual(texts, [f"rose {n}" for n in range(19, 0, -1) if n != 2])

    def test_enoughIsFound(self) -> None:
        """A search looks no further than it must."""
        self.patch(search, "PIECE", 4)
        self.append(*[draft("rose") for _ in range(20)])
        found: Deferred[list[Event]] = self.store.search("rose", ["lobby"], 4)
        self.assertEqual(len(self.successResultOf(found)), 4)

    def test_aSearchWhenItIsClosed(self) -> None:
        """It fails, and the reactor sees nothing of it."""
        self.patch(search, "PIECE", 1)
        self.append(draft("rose"), draft("rose"))
        found = self.store.search("rose", ["lobby"], 100)
        self.store.close()
        self.reactor.advance(0)
        self.failureResultOf(found, LogError)

    def test_manyRooms(self) -> None:
        """Someone may be in very many."""
        names = [f"room {n}" for n in range(1000)]
        self.append(*[draft("rose", name) for name in names])
        self.assertEqual(len(self.search("rose", *names, limit=2000)), 1000)
        self.tidy()
        self.assertEqual(len(self.search("rose", *names, limit=2000)), 1000)

    def test_signs(self) -> None:
        """Those that are words by themselves are found past the mark and in the index alike."""
        said = ["これは日本語のテキストです", "日曜日", "สวัสดีครับ", "pizza🍕🍷 now", "👍🏽", "好"]
        self.append(*[draft(text) for text in said])
        for _ in range(2):
            for asked, found in (
                ("日本", said[0]),
                ("日本語の", said[0]),
                ("テキスト 日本", said[0]),
                ("曜日", said[1]),
                ("สวัสดี", said[2]),
                ("ครับ", said[2]),
                ("🍕", said[3]),
                ("pizza 🍷", said[3]),
                ("👍", said[4]),
                ("好", said[5]),
            ):
                self.assertEqual(self.search(asked), [found], asked)
            for asked in ("本日", "日語", "สีวัสด", "🍷🍕", "👍🏿", "語 好"):
                self.assertEqual(self.search(asked), [], asked)
            self.assertEqual(self.search("日"), [said[1], said[0]])
            self.tidy()
        self.append(draft("", kind=UNDO, target="1"))
        self.assertEqual(self.search("日本"), [])
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("INSERT INTO words (words) VALUES ('integrity-check')")

    def indexed(self) -> int:
        """How far the index of words has come."""
        with closing(sqlite3.connect(self.path)) as db:
            (mark,) = db.execute("SELECT value FROM marks WHERE name = 'indexed'").fetchone()
        return int(mark)

    def test_indexedByAnOlderOne(self) -> None:
        """An index in which there are no such signs is made again, slice by slice."""
        self.append(draft("日本語"), draft("rose"))
        self.tidy()
        self.store.close()
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("INSERT INTO words (words) VALUES ('rebuild')")
            db.execute("PRAGMA user_version = 2")
        self.store = self.openable()
        self.store.open()
        self.assertEqual(self.indexed(), 0)
        self.assertEqual((self.search("日本"), self.search("rose")), (["日本語"], ["rose"]))
        self.tidy()
        self.assertEqual(self.indexed(), 2)
        self.assertEqual((self.search("日本"), self.search("rose")), (["日本語"], ["rose"]))


class WantedTests(SynchronousTestCase):
    """What is looked for."""

    @settings(max_examples=300, deadline=None)
    @given(
        st.text(st.sampled_from("aAéеbB1 -.'\"ßſKİ日本\u0301🙂\x00\ud800(*:")),
        st.lists(st.text(st.sampled_from("aAéеbB1 -.'\"ßſKİ日本\u0301🙂(*:")), min_size=1),
    )
    def test_oneIdeaOfAWord(self, asked: str, texts: list[str]) -> None:
        """What is seen at once to hold no such word, FTS5 does not find either."""
        wanted = Wanted(asked)
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute(f"CREATE VIRTUAL TABLE v USING fts5 (text, tokenize = '{words.WORDS}')")
            db.executemany(
                "INSERT INTO v (rowid, text) VALUES (?, ?)", enumerate(map(apart, texts))
            )
            question = "SELECT rowid FROM v WHERE v MATCH ? ORDER BY 1"
            rows = db.execute(question, (wanted.query,)).fetchall() if wanted.query else []
            found = [at for (at,) in rows]
        self.assertEqual(wanted.among(texts), found)

    def test_oneTokenizer(self) -> None:
        """It is the schema's."""
        schema = Path(words.__file__).with_name("schema.sql").read_text("utf-8")
        self.assertIn(f"tokenize = '{words.WORDS}'", schema)
