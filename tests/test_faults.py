"""
Whatever fails below: nothing acknowledged is lost, nothing is stored twice, nobody sees a gap.

Disks that are full, commits that fail, logs that are late, clocks that step: all of it in memory,
with the time turned by hand, and with both kinds of log. Each test yields a figure.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.events import JOIN, LEAVE, SAY, Event, LogError, NotStored, Unknown
from mucs.imucs import ILog
from mucs.log import steps
from mucs.log.memory import MemoryLog
from mucs.log.sqlite import SqliteLog
from mucs.patience import SECONDS
from mucs.places import KEPT
from mucs.rules import Limits
from mucs.turn import AGAIN
from mucs.viewer import IN
from tests.house import UNHURRIED, House, Person
from tests.log.base import Faulty
from tests.log.late import LateLog
from tests.reading import Reader, figure

LONG = bool(os.environ.get("MUCS_LONG"))

SLOW = "the log is slow"
HOUR, DAY = 3600, 86400


class Stepping(House):
    """
    A house whose wall clock can be set.

    @ivar step: seconds that it is ahead.
    """

    step = 0.0

    def wall(self) -> float:
        return super().wall() + self.step


class Bot(Reader):
    """
    A program that speaks JSON to a house, across its connections.

    @ivar unacked: what it said and nobody has acknowledged.
    """

    def __init__(self, house: House, name: str) -> None:
        super().__init__(name)
        self.unacked: dict[str, None] = {}
        self._house = house
        self._count = 0
        self.person: Person | None = None

    def comes(self) -> None:
        """Connect."""
        self.person = self._house.connect("json")
        self._send(self.hello())

    def goes(self) -> None:
        """The line is lost."""
        self.looks()
        assert self.person is not None
        self.person.resets()
        self.person, self.isIn = None, False

    def says(self) -> None:
        """Say something new."""
        self._count += 1
        self.unacked[f"{self.name}-{self._count}"] = None
        self._send({"say": f"{self.name}-{self._count}", "id": f"{self.name}-{self._count}"})


    def _send(self, request: dict[str, Any]) -> None:
        assert self.person is not None
        self.person.sends(json.dumps(request).encode() + b"\n")

    def looks(self) -> None:
        """Read what has come."""
        for line in self.person.lines() if self.person is not None else ():
            told = json.loads(line)
            self.reads(told)
            if "refused" in told and not self.isIn:
                # Its own name is not free yet.
                self._send(self.hello())
        for id in self.acked:
            self.unacked.pop(id, None)

    def repeats(self) -> None:
        """Say again what was not acknowledged."""
        for id in list(self.unacked):
            self._send({"say": id, "id": id})


class Broken(MemoryLog):
    """
    A log in memory that fails.

    @ivar fault: what everything that is to be stored fails with.
    @ivar done: whether it is stored all the same.
    """

    fault: LogError | None = None
    done = False

    def append(self, batch: Sequence[Event]) -> Deferred[list[Event]]:
        if self.fault is None or self.done:
            stored = super().append(batch)
        return stored if self.fault is None else fail(self.fault)

    def remember(self, values: Mapping[str, bytes], until: int) -> Deferred[None]:
        return super().remember(values, until) if self.fault is None else fail(self.fault)


class FaultCase(SynchronousTestCase):
    """A house whose log fails, in one way or the other."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.house: Stepping
        self.store = self.makeLog()
        self.house = Stepping(UNHURRIED, self.store, clock=self.clock)
        self.addCleanup(self.store.close)
        self.bots: list[Bot] = []

    def wall(self) -> float:
        return self.house.wall()

    def makeLog(self) -> ILog:
        self.broken = Broken(self.wall, 1_000_000)
        return self.broken

    def fills(self) -> None:
        """From now on there is no room."""
        self.broken.fault = NotStored("the disk is full")
        self.broken.done = False

    def loses(self, stored: bool) -> None:
        """From now on a commit fails, whether something is C{stored} or not."""
        self.broken.fault = Unknown("the disk does not answer")
        self.broken.done = stored

    def mends(self) -> None:
        """All is well again."""
        self.broken.fault = None

    def bot(self) -> Bot:
        """A program comes in."""
        bot = Bot(self.house, f"b{len(self.bots)}")
        self.bots.append(bot)
        bot.comes()
        self.settle()
        return bot

    def settle(self) -> None:
        """Let the turn come, and everyone read."""
        self.house.turn()
        for bot in self.bots:
            bot.looks()

    def stored(self) -> list[Event]:
        """Everything that the log has of the lobby."""
        events: list[Event] = self.successResultOf(self.store.read("lobby", 1_000_000))
        return events

    def finish(self) -> None:
        """All is well again, and everyone says again what was not acknowledged."""
        self.mends()
        for _ in range(50):
            self.clock.advance(AGAIN)
            self.settle()
            for bot in self.bots:
                bot.repeats()
        self.settle()
        self.flushLoggedErrors(LogError, sqlite3.Error)

    def check(self, what: str) -> None:
        """
        Look whether what everyone has seen is what the log holds.

        @param what: stands before the figure.
        """
        events = self.stored()
        self.assertEqual([event.seq for event in events], list(range(1, len(events) + 1)))
        held = {event.seq: (event.author, event.text or event.kind) for event in events}
        times = Counter(event.text for event in events if event.kind == SAY)
        acked = [id for bot in self.bots for id in bot.acked]
        lost = sum(id not in times for id in acked)
        lost += sum(held.get(seq) != one for bot in self.bots for seq, one in bot.seen.items())
        twice = sum(count - 1 for count in times.values())
        faults = [fault for bot in self.bots for fault in bot.faults]
        found = (
            f"{what}: {len(acked)} acknowledged, {len(events)} stored:"
            f" {lost} lost, {twice} stored twice, {len(faults)} gaps"
        )
        figure(found, aloud=LONG)
        self.assertEqual((lost, twice, len(faults)), (0, 0, 0), f"{found} {faults[:5]}")


class DiskTests(FaultCase):
    """A full disk, and one that fails, under the log's double."""

    def test_aFullDisk(self) -> None:
        """Words are refused, people come and go; when there is room it is written, by itself."""
        ada, bot = self.house.enters("ada"), self.bot()
        bot.says()
        self.settle()
        self.house.rests()
        self.fills()
        ada.says("hello")
        bot.says()
        self.settle()
        bob = self.house.connect("native", "bob")
        late = self.bot()
        bob.says("/quit")
        self.assertEqual(
            ada.lines(),
            [
                "! not stored: the log cannot be written to; try again later",
                "* bob joined",
                "* b1 joined",
                "* bob left",
            ],
        )
        self.assertIn("-- now", bob.lines())
        self.assertTrue(bob.closed)
        self.assertEqual([id for id, _ in bot.naks], ["b0-2"])
        self.assertIn("not stored", bot.naks[0][1])
        self.assertEqual(sorted(bot.acked), ["b0-1"])
        self.assertEqual(len(self.stored()), 3)
        self.clock.advance(10)
        self.assertEqual(len(self.stored()), 3)
        self.mends()
        self.clock.advance(AGAIN)
        self.settle()
        owed = [(event.kind, event.author) for event in self.stored()[3:]]
        self.assertEqual(owed, [(JOIN, "bob"), (JOIN, "b1"), (LEAVE, "bob")])
        self.assertEqual((bot.last, late.last), (6, 6))
        self.assertEqual(ada.lines(), [])
        self.finish()
        self.assertEqual(ada.lines(), ["b0: b0-2"])
        self.check("a full disk")

    def test_whoAsksWhileItIsFull(self) -> None:
        """Is answered all the same."""
        ada = self.house.enters("ada")
        self.fills()
        self.house.connect("native", "bob")
        ada.sends(b"/me waves\n/history\n")
        self.house.turn()
        self.house.turn()
        self.assertEqual(ada.lines()[-1], "-- nothing was said here in that time")
        self.finish()

    def test_theCommitFails(self) -> None:
        """It is unknown what was stored; whoever says it again does so once."""
        for stored in (True, False):
            ada, one, two = self.house.enters(f"ada{stored}"), self.bot(), self.bot()
            self.house.rests()
            count = len(self.stored())
            self.loses(stored)
            one.says()
            one.says()
            ada.sends(b"hello\n")
            two.says()
            self.settle()
            self.assertEqual(
                [why for _, why in one.naks + two.naks], ["unknown, retry with the same id"] * 3
            )
            self.assertEqual((one.acked, two.acked), ({}, {}))
            self.assertIn(
                "! it is unknown whether that was stored; look, and say it again if not",
                ada.lines(),
            )
            self.mends()
            for _ in range(3):
                two.repeats()
                one.repeats()
                self.settle()
            self.assertEqual((len(one.acked), len(two.acked)), (2, 1))
            self.assertEqual(len(self.stored()), count + 3 + stored)
            for bot in (one, two):
                bot.says()
            self.settle()
        self.flushLoggedErrors(LogError, sqlite3.Error)
        self.check("a failed fsync, and all said again")

    def test_comingWhileTheCommitFails(self) -> None:
        """Is seen once, and stored once."""
        for stored in (True, False):
            ada, bot = self.house.enters(f"ada{stored}"), self.bot()
            self.house.rests()
            self.loses(stored)
            bob = self.house.connect("native", f"bob{stored}")
            self.assertIn("-- now", bob.lines())
            self.mends()
            self.clock.advance(AGAIN)
            bot.says()
            self.settle()
            self.assertEqual(
                ada.lines(), [f"* bob{stored} joined", f"{bot.name}: {bot.name}-1"]
            )
            self.assertEqual(bob.lines(), [f"{bot.name}: {bot.name}-1"])
            joins = [event for event in self.stored() if event.author == f"bob{stored}"]
            self.assertEqual([event.kind for event in joins], [JOIN])
        self.flushLoggedErrors(LogError, sqlite3.Error)
        self.check("coming while a commit fails")

    def test_whatever(self) -> None:
        """
        The disk is full, and fails, and is well again, at any moment; people come, go, and lose
        their lines; and everyone has seen what the log holds.
        """
        rounds = 300 if LONG else 25
        for seed in range(rounds):
            if seed:
                self.setUp()
            self.play(random.Random(seed))
            if seed == rounds - 1:
                self.check(f"{rounds} times 200 moves on a bad disk, of the last")

    def play(self, dice: random.Random) -> None:
        for _ in range(4):
            self.bot()
        natives: list[tuple[Person, list[str]]] = []
        for number in range(200):
            there = [bot for bot in self.bots if bot.person is not None and bot.isIn]
            bot = dice.choice(self.bots)
            move = dice.choices(
                ("say", "again", "native", "word", "part", "line", "fill", "lose", "mend", "turn"),
                (20, 5, 3, 5, 2, 4, 2, 4, 6, 15),
            )[0]
            if move == "say" and bot in there:
                bot.says()
            elif move == "again" and bot in there:
                bot.repeats()
            elif move == "native":
                person = self.house.connect()
                person.sends(b"n%d\n" % number)
                natives.append((person, []))
            elif move in ("word", "part") and natives:
                person, _ = dice.choice(natives)
                person.sends(b"word %d\n" % number if move == "word" else b"/quit\n")
            elif move == "line":
                if bot in there:
                    bot.goes()
                elif bot.person is None:
                    bot.comes()
            elif move == "fill":
                self.fills()
            elif move == "lose":
                self.loses(dice.random() < 0.5)
            elif move == "mend":
                self.mends()
            elif move == "turn":
                self.clock.advance(dice.choice((0, 0, 0.1, AGAIN)))
                for each in self.bots:
                    each.looks()
            for person, lines in natives:
                lines += person.lines()
        for each in self.bots:
            if each.person is None:
                each.comes()
        self.finish()
        for person, lines in natives:
            lines += person.lines()
        self.compare(natives)

    def compare(self, natives: list[tuple[Person, list[str]]]) -> None:
        """Each person has seen a stretch of what the programs said, history and live alike."""
        events = [event for event in self.stored() if event.text.startswith(event.author + "-")]
        said = [event.text for event in events]
        for person, lines in natives:
            heard = [line for line in lines if re.search(r"\bb\d: b\d-\d", line)]
            texts = [line.rpartition(": ")[2] for line in heard]
            start = said.index(texts[0]) if texts else len(said)
            self.assertEqual(texts, said[start : start + len(texts)])
            if not person.closed and person.session.state == IN:
                self.assertEqual(start + len(texts), len(said))
        times = Counter(event.text for event in self.stored() if event.kind == SAY)
        self.assertEqual([text for text, count in times.items() if count > 1], [])
        for bot in self.bots:
            self.assertEqual((bot.faults, bot.unacked), ([], {}))
            self.assertEqual(bot.last, len(self.stored()))


class SqliteDiskTests(DiskTests):
    """The same with the real log."""

    def makeLog(self) -> ILog:
        self.patch(steps, "Connection", Faulty)
        memory = "/dev/shm"
        folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
        self.addCleanup(shutil.rmtree, folder)
        self.mends()
        self.sqlite = SqliteLog(os.path.join(folder, "mucs.sqlite"), self.clock, self.wall)
        return self.sqlite

    def fills(self) -> None:
        self._fault("INSERT INTO events", False, sqlite3.SQLITE_FULL)

    def loses(self, stored: bool) -> None:
        self._fault("COMMIT", stored, sqlite3.SQLITE_IOERR_FSYNC)

    def mends(self) -> None:
        Faulty.fault = None

    def _fault(self, at: str, done: bool, code: int) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        Faulty.at, Faulty.done, Faulty.fault = at, done, error
        self.addCleanup(self.mends)

    def test_noPagesLeft(self) -> None:
        """As SQLite itself says it: no page may be added to the database."""
        bots = [self.bot() for _ in range(3)]
        db: sqlite3.Connection = self.sqlite._db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        for count in (pages, pages + 2, pages + 4):
            db.execute(f"PRAGMA max_page_count = {count}")
            for _ in range(100):
                for bot in bots:
                    bot.says()
                self.settle()
        naks = sum(len(bot.naks) for bot in bots)
        self.assertGreater(naks, 50)
        db.execute("PRAGMA max_page_count = 1000000")
        self.finish()
        self.check(f"no pages left, {naks} times")
        self.assertEqual(sum(len(bot.acked) for bot in bots), 900)


class ClockTests(FaultCase):
    """The wall clock is set, by an hour and a day, either way."""

    STEPS = (HOUR, -HOUR, DAY, -DAY)

    def test_order(self) -> None:
        """Nobody is disconnected, and nothing changes places."""
        ada, bot = self.house.enters("ada"), self.bot()
        shy = self.house.enters("shy", "shh")
        for count, step in enumerate(self.STEPS):
            self.house.step += step
            self.clock.advance(1)
            ada.says(f"step {count}")
            bot.says()
            self.settle()
            eve = self.house.enters(f"eve{count}")
            self.assertTrue(bot.isIn)
            self.assertFalse(any(each.closed for each in (ada, shy, eve)))
        events = self.stored()
        times = [event.time for event in events]
        self.assertEqual(times, sorted(times))
        lines = [line for line in ada.lines() if line.startswith("b0: ")]
        self.assertEqual(lines, [f"b0: b0-{count + 1}" for count in range(4)])
        self.check("4 steps of the clock: 0 disconnects")

    def lose(self, name: str) -> str:
        """Someone comes, and loses their line. @return: their token."""
        person = self.house.connect("native", name)
        token = person.token
        self.assertTrue(token)
        person.resets()
        self.house.turn()
        return token

    def resume(self, token: str) -> bool:
        """Come back. @return: whether the token was good."""
        person = self.house.connect("native", f"/resume {token}")
        lines = person.lines()
        person.says("/quit")
        self.assertEqual("-- now" in lines, not any("good for nothing" in one for one in lines))
        return "-- now" in lines

    def test_tokensExpire(self) -> None:
        """Ten minutes after the line was lost, whatever the clock says: within a second."""
        for step in (0, *self.STEPS):
            for after, isGood in ((KEPT - 1, True), (KEPT + 1, False)):
                for early in (0.0, after):
                    token = self.lose("ada")
                    self.clock.advance(early)
                    self.house.step += step
                    self.clock.advance(after - early)
                    self.assertIs(self.resume(token), isGood, (step, after, early))
                    self.assertFalse(self.resume(token))
                    self.house.step -= step
        figure("4 steps of the clock: 20 tokens expired within a second", aloud=LONG)

    def test_undoExpires(self) -> None:
        """A minute after it was said, in the same way."""
        ada = self.house.enters("ada")
        for step in (0, *self.STEPS):
            for after, isGood in ((58, True), (62, False)):
                ada.says("oh")
                self.house.step += step
                self.clock.advance(after)
                ada.seen()
                ada.says("/undo")
                self.assertEqual("-- taken back" in ada.lines(), isGood, (step, after))
                self.clock.advance(100)
                self.house.step -= step

    def test_aNameIsAwaited(self) -> None:
        """For 30 s, in the same way."""
        for step in self.STEPS:
            person = self.house.connect()
            self.house.step += step
            self.clock.advance(29)
            self.assertFalse(person.closed)
            self.clock.advance(2)
            self.assertTrue(person.closed)


class SqliteClockTests(ClockTests):
    """The same with the real log."""

    makeLog = SqliteDiskTests.makeLog
    mends = SqliteDiskTests.mends


class Listener:
    """
    A person who listens to people that count aloud, across several connections.

    @ivar numbers: what they have heard.
    @ivar skips: how often they were told that some were skipped.
    """

    def __init__(self, house: House, name: str) -> None:
        self.numbers: list[int] = []
        self.skips = 0
        self.isIn = False
        self.isHeld = False
        self._house = house
        self._name = name
        self._token = ""
        self.person: Person | None = None

    def comes(self) -> None:
        """Connect, and be who they were."""
        self.person = self._house.connect()
        words = f"/resume {self._token}" if self._token else self._name
        self.person.sends(words.encode() + b"\n")

    def goes(self) -> None:
        """The line is lost."""
        self.looks()
        assert self.person is not None
        self._token = self.person.token
        self.person.resets()
        self.person, self.isIn = None, False

    def holds(self) -> None:
        """Read nothing for a while, or go on."""
        assert self.person is not None
        self.isHeld = not self.isHeld
        if self.isHeld:
            self.person.holds()
        else:
            self.person.reads()

    def looks(self) -> None:
        """Read what has come."""
        for line in self.person.lines() if self.person is not None else ():
            if found := re.fullmatch(r"(?:\d\d:\d\d )?s\d: (\d+)", line):
                self.numbers.append(int(found[1]))
            elif line == "-- now":
                self.isIn = True
            elif "skipped" in line:
                self.skips += 1
            elif "you come back to your rooms" in line and self.person is not None:
                # The name is not free yet.
                self._name += "x"
                self.person.sends(self._name.encode() + b"\n")


class JoiningTests(FaultCase):
    """Coming in, and coming back, while a thousand things are said in a second."""

    COUNT = 60_000 if LONG else 3000

    def answers(self) -> None:
        """Let a log that is late answer."""

    def test_everyoneHearsEverything(self) -> None:
        """From 20 things before they came, each number once, in order, to the last."""
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        speakers = [self.house.connect() for _ in range(3)]
        for number, speaker in enumerate(speakers):
            speaker.sends(b"s%d\n" % number)
        while any(speaker.session.state != IN for speaker in speakers):
            self.clock.advance(0.001)
            self.answers()
        listeners: list[Listener] = []
        gone: list[Bot | Listener] = []
        away: list[tuple[int, Bot | Listener]] = []
        comings = returns = 0

        def here() -> list[Bot | Listener]:
            """Those who are there, or come back."""
            everyone: list[Bot | Listener] = [*self.bots, *listeners]
            return [each for each in everyone if each not in gone]

        def looks() -> None:
            """Everyone reads."""
            for each in here():
                each.looks()

        for number in range(self.COUNT):
            dice.choice(speakers).sends(b"%d\n" % number)
            self.clock.advance(0.001)
            if dice.random() < 0.3:
                self.answers()
            if number % 7 == 0:
                looks()
            if dice.random() < 0.02 and len(self.bots) + len(listeners) < 16 + len(gone):
                comings += 1
                if dice.random() < 0.5:
                    newcomer = Listener(self.house, f"l{len(listeners)}")
                    listeners.append(newcomer)
                    newcomer.comes()
                else:
                    bot = Bot(self.house, f"b{len(self.bots)}")
                    self.bots.append(bot)
                    bot.comes()
            everyone = here()
            if everyone and dice.random() < 0.03:
                one = dice.choice(everyone)
                if one.isIn and not (isinstance(one, Listener) and one.isHeld):
                    one.goes()
                    if dice.random() < 0.2:
                        gone.append(one)
                    else:
                        away.append((number + dice.choice((0, 1, 30, 400)), one))
                elif isinstance(one, Listener) and one.isHeld:
                    one.holds()
            elif listeners and dice.random() < 0.01 and (one := dice.choice(listeners)).isIn:
                one.holds()
            for when, one in [each for each in away if each[0] <= number]:
                away.remove((when, one))
                returns += 1
                one.comes()
        for _, one in away:
            one.comes()
        for _ in range(100):
            self.clock.advance(0.1)
            self.answers()
            for listener in listeners:
                if listener.isHeld:
                    listener.holds()
            looks()
        wrong = 0
        for listener in [each for each in listeners if each.numbers]:
            first = listener.numbers[0]
            last = listener.numbers[-1] + 1 if listener in gone else self.COUNT
            # No gap, not even one that was told of.
            self.assertEqual(listener.skips, 0, f"seed {seed}")
            wrong += listener.numbers != list(range(first, last))
        said = f"{self.COUNT} said, {comings} came, {returns} came back: {wrong} heard it wrongly"
        figure(said, aloud=LONG)
        self.assertEqual(wrong, 0, f"seed {seed}: {said}")
        self.assertTrue(all(each.isIn for each in here()), f"seed {seed}")
        ends = {bot.last for bot in self.bots if bot not in gone}
        self.assertLessEqual(ends, {len(self.stored())}, f"seed {seed}")
        self.check(said)


class SqliteJoiningTests(JoiningTests):
    """The same with the real log."""

    makeLog = SqliteDiskTests.makeLog
    mends = SqliteDiskTests.mends


class LateJoiningTests(JoiningTests):
    """The same with a log that takes its time."""

    def makeLog(self) -> ILog:
        self.late = LateLog(self.wall)
        self.late._within = MemoryLog(self.wall, 1_000_000)
        return self.late

    def answers(self) -> None:
        self.late.answers()

    def stored(self) -> list[Event]:
        return self.late.kept("lobby")


class LateTests(FaultCase):
    """A log that answers after ten seconds, or never."""

    def makeLog(self) -> ILog:
        self.late = LateLog(self.wall, prompt=True)
        return self.late

    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.one = self.bot()
        self.house.rests()
        self.late.prompt = False

    def slow(self, person: Person) -> int:
        """How often someone was told, since this was last asked."""
        return sum(SLOW in line for line in person.lines())

    def test_thoseWhoWaitAreTold(self) -> None:
        """Once, whether it is being stored or waits behind; and then all of it is stored."""
        self.ada.says("one")
        self.clock.advance(1)
        self.bob.says("two")
        self.one.says()
        eve = self.house.connect("native", "eve")
        self.clock.advance(SECONDS - 1)
        told = [self.slow(person) for person in (self.ada, self.bob, eve)]
        cyd = self.house.connect("native", "cyd")
        self.clock.advance(SECONDS)
        told += [self.slow(person) for person in (self.ada, self.bob, eve, cyd)]
        self.assertEqual(told, [1, 1, 1, 0, 0, 0, 1])
        self.assertEqual((self.one.acked, len(self.late.asked[-1])), ({}, 1))
        self.late.stores()
        self.settle()
        self.late.stores()
        self.settle()
        self.assertEqual(sorted(self.one.acked), ["b0-1"])
        self.assertEqual(self.ada.lines(), ["bob: two", "b0: b0-1", "* eve joined", "* cyd joined"])
        self.clock.advance(100)
        self.assertEqual(self.slow(self.ada), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.settle()
        events = self.late.kept("lobby")
        figure(f"a log after 10 s: 4 of 4 told, {len(events)} stored, 0 lost", aloud=LONG)
        self.assertEqual([event.seq for event in events], list(range(1, 9)))

    def test_aRoomThatIsReadLate(self) -> None:
        """Who wants to come into it is told as well."""
        self.ada.says("/join garden")
        self.clock.advance(SECONDS)
        self.assertEqual(self.slow(self.ada), 1)
        self.late.finds()
        self.house.turn()
        self.late.stores()
        self.assertIn("-- now", self.ada.lines())
        self.clock.advance(10 * SECONDS)
        self.assertEqual(self.slow(self.ada), 0)

    def test_whatWaitsIsBounded(self) -> None:
        """In words and in people; what is over is refused, and everything else is stored."""
        self.late.prompt = True
        self.house = Stepping(Limits(rate=0, events=100), self.late, clock=self.clock)
        self.ada, bot = self.house.enters("ada"), Bot(self.house, "bot")
        bot.comes()
        self.settle()
        bot.looks()
        self.late.prompt = False
        before = len(self.late.kept("lobby"))
        self.ada.says("first")
        for _ in range(100):
            self.ada.sends(b"".join(b"%d\n" % number for number in range(30)))
            bot.says()
            self.ada.sends(b"/me waves\n")
        people = [self.house.connect("native", f"p{number}") for number in range(50)]
        self.house.turn()
        bot.looks()
        most = len(self.house.room().drafts)
        self.assertEqual(most, 100)
        refused = sum("not stored" in line for line in self.ada.lines())
        refusals = sum("nobody can come in" in "".join(person.lines()) for person in people)
        self.assertEqual(refusals, 50)
        while self.late.appends:
            self.late.stores()
            self.house.turn()
            bot.looks()
        events = self.late.kept("lobby")[before:]
        mine = [event for event in events if event.author == "ada"]
        self.assertEqual(len(mine) + refused, 1 + 100 * 31)
        theirs = {event.text for event in events if event.author == "bot"}
        self.assertEqual(theirs, set(bot.acked))
        self.assertEqual(len(bot.acked) + len(bot.naks), 100)
        figure(f"at most {most} wait; {refused + len(bot.naks)} were refused", aloud=LONG)

    def test_aLogThatAnswersIsNotSlow(self) -> None:
        """However much comes at once."""
        self.house = Stepping(Limits(rate=0, events=100), clock=self.clock)
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        for _ in range(10):
            ada.sends(b"".join(b"%d\n" % number for number in range(300)))
            ada.sends(b"/me waves\n")
        for _ in range(100):
            self.house.turn()
        self.assertEqual((len(bob.lines()), ada.lines()), (3010, ["* bob joined"]))

    def test_othersGoOn(self) -> None:
        """Whoever asks for what stands in no log is answered."""
        self.ada.says("one")
        self.bob.says("/who", "/msg ada psst")
        self.assertEqual(len(self.bob.lines()), 1)
        self.assertEqual(self.ada.lines(), ["bob -> you: psst"])

    def test_never(self) -> None:
        """The server ends all the same, and nothing is left that would happen."""
        self.ada.says("one")
        self.one.says()
        self.house.connect("native", "eve")
        self.clock.advance(3 * SECONDS)
        stopped = self.house.hall.stopService()
        self.house.turn()
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.one.looks()
        self.assertEqual(self.one.acked, {})


class ReturningTests(FaultCase):
    """What someone says who comes back may be wrong, too."""

    def program(self, request: str) -> Person:
        """A program connects, and sends this."""
        program = self.house.connect("json")
        program.says(request)
        return program

    def test_aTokenIsGoodOnce(self) -> None:
        """While the old line still lives as well: that one is as good as lost."""
        ada = self.house.connect("native", "ada")
        token = ada.token
        again = self.house.connect("native", f"/resume {token.upper()}")
        self.assertTrue(ada.closed)
        self.assertIn("-- now", again.lines())
        third = self.house.connect("native", f"/resume {token}")
        self.assertIn("good for nothing", third.lines()[2])

    def test_aRoomThatCannotBe(self) -> None:
        """Is left out; too many are refused, and nothing has been done: one may ask again."""
        bot = self.program('{"name":"bot","rooms":{"garden":1,"a,b":3}}')
        self.assertIn("no room can be called so", json.loads(bot.lines()[1])["refused"])
        self.assertEqual(list(self.house.hall.rooms), ["garden"])
        bot.says('{"do":"quit"}')
        self.assertEqual(list(self.house.hall.rooms), [])
        bot = self.program("")
        bot.lines()
        many = {f"r{number}": 0 for number in range(101)}
        bot.says(json.dumps({"name": "bot", "rooms": many}))
        self.assertEqual(bot.lines(), ['{"refused":"one can be in 100 rooms at most"}'])
        self.assertEqual(list(self.house.hall.rooms), [])
        bot.says('{"name":"bot"}')
        self.assertIn('{"now":"lobby","seq":1}', bot.lines())

    def test_aRoomOtherwiseWritten(self) -> None:
        """Is the same room, to which one comes back once."""
        ada, bob = self.house.enters("ada"), self.house.enters("bob")
        ada.says("one", "two")
        bob.seen()
        bot = self.program('{"name":"bot","rooms":{"#Lobby":3,"LOBBY":3}}')
        lines = bot.lines()[1:]
        self.assertEqual([json.loads(line).get("seq") for line in lines], [None, None, 4, 5])
        self.assertIn('"past":true', lines[2])
        self.assertEqual(bob.lines(), ["* bot joined"])

    def test_aPlaceThatNeverWas(self) -> None:
        """Shows nothing, where it is yet to come; and is refused where there is none."""
        self.house.enters("ada").says("one")
        bot = self.program(json.dumps({"name": "bot", "rooms": {"lobby": -5}}))
        self.assertIn("Expected `int` >= 0", bot.lines()[1])
        bot.says(json.dumps({"name": "bot", "rooms": {"lobby": 10**18}}))
        lines = bot.lines()
        self.assertIn('{"now":"lobby","seq":3}', lines)
        self.assertFalse([line for line in lines if '"past"' in line])
