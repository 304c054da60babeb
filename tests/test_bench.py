"""Tests for L{bench}: what it makes of what it measures, and one small run of the whole."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench import figures, loads, picture, processes, rounds, run, saved, servers, table, tools
from bench.__main__ import main
from bench.goals import C, Goal
from bench.loads import LOADS, Load, subject
from bench.naive import Chat, ChatFactory
from bench.saved import BenchError, Record, Saved
from bench.servers import SERVERS, Place, Server
from mucs.config import Config, load
from mucs.rules import Limits

BY_NAME = {each.name: each for each in LOADS}
ROOM = BY_NAME["room-1000"]
# What the generator prints, of a run in which all went well.
WELL = {"members": 10, "joined": 10, "announced": 45, "told_s": 0.5, "grown_kb": 20}


def record(server: str, turn: int = 0, fault: str = "", **values: float) -> Record:
    return Record(ROOM.name, server, turn, dict(values), fault)


def folderOf(test: SynchronousTestCase) -> str:
    """A folder that goes with the test; mktemp would leave it in the checkout."""
    folder = TemporaryDirectory(prefix="mucs-")
    test.addCleanup(folder.cleanup)
    return folder.name


def everyone(server: Server) -> bool:
    return True


class ConfigurationTests(SynchronousTestCase):
    """C{bench/mucs.toml}."""

    def test_onlyLimitsAreOff(self) -> None:
        config = load(str(servers.HERE / "mucs.toml"))
        off = msgspec.structs.replace(Limits(), rate=0, address=0, arrivals=0)
        self.assertEqual(config, msgspec.structs.replace(Config(), limits=off))


class LoadTests(SynchronousTestCase):
    """L{bench.loads}."""

    def test_goalsCompareWithWhoIsMeasured(self) -> None:
        for each in LOADS:
            self.assertIn(subject(each), each.servers)
            self.assertLessEqual(set(each.servers), set(SERVERS))
            for goal in each.goals:
                self.assertLessEqual(set(goal.against), set(each.servers), each.name)

    def test_namesAreDifferent(self) -> None:
        self.assertEqual(len(BY_NAME), len(LOADS))

    def test_windowOrRate(self) -> None:
        words = " ".join(ROOM.arguments(SERVERS["mucs"], isQuick=False))
        self.assertIn("-w 16", words)
        self.assertNotIn("-r", words)
        words = " ".join(BY_NAME["latency"].arguments(SERVERS["mucs"], isQuick=False))
        self.assertIn("-r 20000", words)

    def test_quickRunIsShorter(self) -> None:
        for each in LOADS:
            self.assertLess(each.bound(isQuick=True), each.bound(isQuick=False))
        words = ROOM.arguments(SERVERS["mucs"], isQuick=True)
        self.assertEqual(words[words.index("-d") + 1], str(ROOM.quickly))

    def test_slowOnesStayAwayFromTheCalm(self) -> None:
        slow = BY_NAME["slow"]
        self.assertIn("-T", slow.arguments(SERVERS["mucs"], isQuick=False))
        self.assertNotIn("-T", slow.arguments(SERVERS["mucs-calm"], isQuick=False))

    def test_tlsIsAskedFor(self) -> None:
        tls = BY_NAME["tls"]
        self.assertIn("-x", tls.arguments(SERVERS["mucs-tls"], isQuick=False))
        self.assertNotIn("-x", tls.arguments(SERVERS["mucs"], isQuick=False))


class ServerTests(SynchronousTestCase):
    """L{bench.servers}: everything listens on this machine only."""

    def test_loopback(self) -> None:
        folder = Path(folderOf(self))
        for server in SERVERS.values():
            words = server.command(Place(4321, folder, isAnnounced=True))
            text = " ".join(words)
            for path in folder.glob("*.conf"):
                text += path.read_text()
                path.unlink()
            self.assertIn("4321", text, server.name)
            if server.talk != "name" or server.name.startswith("naive"):
                self.assertIn("127.0.0.1", text, server.name)

    def test_announcing(self) -> None:
        for name in ("climit", "naive"):
            told, untold = (
                SERVERS[name].command(Place(1, Path("folder"), isAnnounced))
                for isAnnounced in (True, False)
            )
            self.assertEqual(len(told), len(untold) + 1)


class PlanTests(SynchronousTestCase):
    """L{bench.rounds}: what is measured, in which order."""

    def names(self, count: int, *loads: Load) -> list[tuple[int, str, str]]:
        steps = rounds.plan(loads, count, everyone)
        return [(turn, each.name, server.name) for turn, each, server in steps]

    def test_roundByRoundAndBackwards(self) -> None:
        first = replace(ROOM, servers=("climit", "mucs"))
        second = replace(first, name="second")
        self.assertEqual(
            self.names(2, first, second),
            [
                (0, "room-1000", "climit"),
                (0, "room-1000", "mucs"),
                (0, "second", "climit"),
                (0, "second", "mucs"),
                (1, "room-1000", "mucs"),
                (1, "room-1000", "climit"),
                (1, "second", "mucs"),
                (1, "second", "climit"),
            ],
        )

    def test_longOnesOnce(self) -> None:
        once = replace(ROOM, servers=("mucs",), isOnce=True)
        self.assertEqual(self.names(3, once), [(0, "room-1000", "mucs")])

    def test_tooManyMembersAreLeftOut(self) -> None:
        notes: list[str] = []
        few = replace(ROOM, name="few", members=10)
        self.assertEqual(rounds.possible([ROOM, few], 1024, notes), [few])
        self.assertEqual(len(notes), 1)
        self.assertIn("room-1000 is left out", notes[0])

    def test_missingProgramsAreNamed(self) -> None:
        self.patch(rounds, "find", lambda program: None)
        notes: list[str] = []
        self.assertEqual(rounds.missing([ROOM], True, False, notes), {"ngircd", "inspircd"})
        self.assertIn("apt install ngircd", " ".join(notes))

    def test_withoutTls(self) -> None:
        notes: list[str] = []
        absent = rounds.missing([BY_NAME["tls"]], False, False, notes)
        self.assertEqual(absent, {"mucs-tls", "naive-tls"})
        self.assertEqual(notes, [tools.NO_TLS])

    def test_quickWithoutIrc(self) -> None:
        self.assertEqual(rounds.missing([ROOM], True, True, []), {"ngircd", "inspircd"})


class ProcessorTests(SynchronousTestCase):
    """L{bench.processes}: which processor is whose."""

    def test_parse(self) -> None:
        self.assertEqual(processes.parseCpus("0-2,8\n"), {0, 1, 2, 8})

    def test_anotherCore(self) -> None:
        def same(cpu: int) -> set[int]:
            return {cpu, cpu ^ 1}

        self.assertEqual(processes.choose({0, 1, 2, 3}, same), (0, 2))

    def test_sameCoreIfThereIsNoOther(self) -> None:
        self.assertEqual(processes.choose({4, 5}, lambda cpu: {4, 5}), (4, 5))

    def test_onlyOne(self) -> None:
        self.assertIsNone(processes.choose({0}, lambda cpu: {0}))


class FigureTests(SynchronousTestCase):
    """L{bench.figures}: from what was printed to ratios."""

    def test_derived(self) -> None:
        derived = figures.derive({**WELL, "deliveries": 900.0, "server_cpu": 0.5})
        self.assertEqual(derived["joins"], 20.0)
        self.assertEqual(derived["bytes"], 2048.0)
        self.assertEqual(derived["efficiency"], 1800.0)

    def test_allIsWell(self) -> None:
        self.assertEqual(figures.faults(WELL, ROOM, SERVERS["mucs"]), "")

    def test_whatWentWrong(self) -> None:
        for wrong, words in (
            ({"joined": 9}, "only 9 of 10 came in"),
            ({"deliveries": 0}, "nothing arrived in time"),
            ({"lost": 3}, "3 lost"),
            ({"repeated": 1}, "1 twice"),
            ({"gaps": 2}, "2 out of order"),
            ({"own": 4}, "4 back to their sender"),
            ({"lost_members_then": 5}, "5 members thrown out"),
            ({"slow_gaps": 7, "slow_skipped": 5}, "2 kept from slow readers without a word"),
            ({"lost_slow": 1}, "1 thrown out who do read, slowly"),
        ):
            self.assertEqual(figures.faults({**WELL, **wrong}, ROOM, SERVERS["mucs"]), words)

    def test_whoNeverReadsMayBeThrownOut(self) -> None:
        raw = {**WELL, "lost_slow": 2, "slow_gaps": 7, "slow_skipped": 9}
        self.assertEqual(figures.faults(raw, BY_NAME["slow"], SERVERS["mucs"]), "")

    def test_allJoinsAreTold(self) -> None:
        joins = replace(BY_NAME["joins"], members=10)
        self.assertEqual(figures.faults(WELL, joins, SERVERS["mucs"]), "")
        told = figures.faults({**WELL, "announced": 44}, joins, SERVERS["mucs"])
        self.assertEqual(told, "44 of 45 joins told")

    def test_theBetterOfTheSameRound(self) -> None:
        records = [
            record("climit", 0, deliveries=100),
            record("linger", 0, deliveries=200),
            record("mucs", 0, deliveries=150),
            record("climit", 1, deliveries=50),
            record("linger", 1, deliveries=10),
            record("mucs", 1, deliveries=50),
        ]
        ratios = figures.compare(records, ROOM.name, "deliveries", "mucs", C)
        self.assertEqual(ratios, [0.75, 1.0])

    def test_ofTimesTheShorterIsBetter(self) -> None:
        records = [
            record("climit", p99_us=100),
            record("linger", p99_us=300),
            record("mucs", p99_us=200),
        ]
        self.assertEqual(figures.compare(records, ROOM.name, "p99_us", "mucs", C), [2.0])

    def test_whatIsMissingOrFaultyDoesNotCount(self) -> None:
        records = [
            record("climit", 0, "2 lost", deliveries=400),
            record("linger", 0, deliveries=200),
            record("mucs", 0, deliveries=100),
            record("linger", 1, deliveries=200),
            record("mucs", 2, deliveries=100),
        ]
        ratios = figures.compare(records, ROOM.name, "deliveries", "mucs", C)
        self.assertEqual(ratios, [0.5])

    def test_nobodyToCompareWith(self) -> None:
        records = [record("mucs", bytes=2000)]
        self.assertEqual(figures.compare(records, ROOM.name, "bytes", "mucs", ()), [2000])

    def test_shareOfTheProcessor(self) -> None:
        records = [
            record("climit", server_cpu=0.5, generator_cpu=0.7),
            record("mucs", server_cpu=0.9, generator_cpu=0.9),
        ]
        self.assertEqual(figures.ownShare(records), 0.7)
        self.assertIsNone(figures.ownShare([]))


class VerdictTests(SynchronousTestCase):
    """Whether goals are reached."""

    def verdict(self, *records: Record) -> list[bool | None]:
        return [verdict.isReached for verdict in figures.verdicts(records)]

    def test_medianDecides(self) -> None:
        records = [record("linger", turn, deliveries=100) for turn in range(3)]
        mine = [record("mucs", turn, deliveries=d) for turn, d in enumerate((90, 10, 85))]
        self.assertEqual(self.verdict(*records, *mine), [True, None, None])
        mine[0] = record("mucs", 0, deliveries=84)
        self.assertEqual(self.verdict(*records, *mine), [False, None, None])

    def test_aFaultIsNeverGoodEnough(self) -> None:
        records = [record("linger", turn, deliveries=100) for turn in range(3)]
        mine = [record("mucs", turn, deliveries=100) for turn in range(2)]
        mine.append(record("mucs", 2, "1 lost", deliveries=100))
        self.assertEqual(self.verdict(*records, *mine), [False, False, False])

    def test_allMeansInEveryRound(self) -> None:
        goal = BY_NAME["latency"].goals[0]
        self.assertEqual(goal.unit, "all")
        self.assertFalse(figures.Verdict(ROOM, goal, [1.0, 0.5, 1.0], "").isReached)
        self.assertTrue(figures.Verdict(ROOM, goal, [1.0, 1.0], "").isReached)

    def test_atMost(self) -> None:
        goal = Goal("p99_us", "most", 3, C, "p99 of C", "times")
        self.assertTrue(goal.isReached(3.0))
        self.assertFalse(goal.isReached(3.1))


class TableTests(SynchronousTestCase):
    """L{bench.table}."""

    def test_columnsAreInLine(self) -> None:
        self.assertEqual(
            table.grid(["name", "n"], [["a", "10"], ["longer", "5"]], "n"),
            "| name   |  n |\n| ------ | -: |\n| a      | 10 |\n| longer |  5 |",
        )

    def test_goalsAndServers(self) -> None:
        records = [
            record("linger", deliveries=100, server_cpu=1.0, generator_cpu=0.9),
            record("naive", deliveries=5, server_cpu=1.0, generator_cpu=0.1),
            record("mucs", deliveries=90, server_cpu=1.0, generator_cpu=0.8),
            record("ngircd", fault="does not listen"),
        ]
        text = table.whole(Saved("a machine", False, ["a note"], records))
        for words in ("a machine", "Note: a note", "≥ 85 % of C", "90 %", "18×"):
            self.assertIn(words, text)
        self.assertIn("not measured", text)
        self.assertIn("does not listen", text)
        self.assertNotIn("something else was busy", text)

    def test_aBusyMachineIsNamed(self) -> None:
        records = [record("linger", deliveries=100, server_cpu=0.4, generator_cpu=0.5)]
        text = table.whole(Saved("a machine", False, [], records))
        self.assertIn("got 50 %", text)

    def test_faultsOfMucsStandBesideTheGoal(self) -> None:
        text = table.goals([record("mucs", fault="3 lost")])
        self.assertIn("no: 3 lost", text)

    def test_nothingMeasured(self) -> None:
        self.assertIn("goal", table.whole(Saved("a machine", True, [], [])))

    def test_units(self) -> None:
        for unit, value, text in (
            ("percent", 0.8475, "84.8 %"),
            ("times", 12.34, "12.3×"),
            ("bytes", 4096, "4096 B"),
            ("MiB", 1536, "1.5 MiB"),
            ("all", 1.0, "all"),
            ("all", 0.99, "99 %"),
            ("all", 0.99999999, "99.9999 %"),
        ):
            goal = Goal("", "least", 0, (), "", unit)  # type: ignore[arg-type]
            self.assertEqual(table.write(goal, value), text)


class SavedTests(SynchronousTestCase):
    """L{bench.saved}: what was measured comes back from its file."""

    def test_thereAndBack(self) -> None:
        path = folderOf(self) + "/run.json"
        whole = Saved("a machine", True, ["a note"], [record("mucs", 1, "3 lost", deliveries=2.5)])
        saved.save(whole, path)
        self.assertEqual(saved.load(path), whole)

    def test_noRun(self) -> None:
        path = folderOf(self) + "/run.json"
        for text in ("", "{}", '{"machine": 3}'):
            Path(path).write_text(text)
            error = self.assertRaises(BenchError, saved.load, path)
            self.assertIn(f"--from {path}", str(error))

    def test_noFile(self) -> None:
        path = folderOf(self) + "/there/is/none"
        self.assertRaises(BenchError, saved.load, path)
        self.assertRaises(BenchError, saved.save, Saved("", True, [], []), path)


class PictureTests(SynchronousTestCase):
    """L{bench.picture}, as far as that goes without matplotlib."""

    def test_sharesOfC(self) -> None:
        records = [record("linger", deliveries=100), record("mucs", deliveries=90)]
        self.assertEqual(picture.bars(records), [(ROOM, [("mucs", 0.9)])])

    def test_withoutMatplotlib(self) -> None:
        def absent(name: str) -> Any:
            raise ModuleNotFoundError(f"No module named {name!r}")

        self.patch(picture, "import_module", absent)
        error = self.assertRaises(BenchError, picture.draw, Saved("", True, [], []), "x.svg")
        self.assertIn("pip install -e '.[bench]'", str(error))


class CommandTests(SynchronousTestCase):
    """C{python -m bench}."""

    def run_(self, *words: str) -> tuple[int, str, str]:
        self.patch(sys.modules["bench.__main__"].signal, "signal", lambda number, action: None)
        output, errors = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            status = main(words)
        return status, output.getvalue(), errors.getvalue()

    def test_list(self) -> None:
        status, output, _ = self.run_("--list")
        self.assertEqual(status, 0)
        for each in LOADS:
            self.assertIn(each.title, output)

    def test_from(self) -> None:
        path = folderOf(self) + "/run.json"
        saved.save(Saved("a machine", True, [], [record("mucs", deliveries=1)]), path)
        status, output, _ = self.run_("--from", path)
        self.assertEqual(status, 0)
        self.assertIn("a machine", output)

    def test_whatCannotBeDoneIsOneLine(self) -> None:
        for words in (("--from", "nowhere.json"), ("--json", "nowhere/run.json")):
            status, output, errors = self.run_(*words)
            self.assertEqual((status, output), (1, ""))
            self.assertEqual(errors.count("\n"), 1)
            self.assertTrue(errors.startswith("bench: "))

    def test_noCompiler(self) -> None:
        self.patch(tools, "find", lambda program: None)
        status, _, errors = self.run_("--load", "room-100")
        self.assertEqual(status, 1)
        self.assertIn("apt install gcc", errors)

    def test_noLoadOfThatName(self) -> None:
        self.assertRaises(SystemExit, self.run_, "--load", "nothing")


class Wire(StringTransport):
    def setTcpNoDelay(self, enabled: bool) -> None:
        pass


class NaiveTests(SynchronousTestCase):
    """L{bench.naive}: it does what the others are measured by."""

    def enter(self, factory: ChatFactory, line: bytes) -> Chat:
        chat = factory.buildProtocol(None)
        chat.makeConnection(Wire())
        chat.dataReceived(line + b"\r\n")
        return chat

    def told(self, chat: Chat) -> bytes:
        transport: Any = chat.transport
        data: bytes = transport.value()
        transport.clear()
        return data

    def test_theOthersInTheRoomAreTold(self) -> None:
        factory = ChatFactory(announce=False)
        ada, bob, eve = (self.enter(factory, line) for line in (b"ada r0", b"bob r0", b"eve r1"))
        self.assertEqual(self.told(ada) + self.told(bob), b"+OK ada r0\r\n+OK bob r0\r\n")
        self.told(eve)
        ada.dataReceived(b"hello\r\n")
        told = [self.told(each) for each in (ada, bob, eve)]
        self.assertEqual(told, [b"", b"ada: hello\r\n", b""])

    def test_joinsAreAnnounced(self) -> None:
        factory = ChatFactory(announce=True)
        ada = self.enter(factory, b"ada r0")
        self.told(ada)
        bob = self.enter(factory, b"bob r0")
        self.assertEqual(self.told(ada), b"* bob joined\r\n")
        self.assertEqual(self.told(bob), b"+OK bob r0\r\n")


# Naive Twisted that says what is said to its sender too, to one member twice, to one not at all.
WRONG = """
from bench import naive

class Wrong(naive.Chat):
    def tell(self, line):
        first, second, *others = self.users
        for user in [second, second, *others]:
            user.sendLine(line)

naive.Chat = Wrong
naive.main()
"""


def wrong(place: Place) -> list[str]:
    naive = SERVERS["naive"].command(place)
    return [naive[0], "-c", WRONG, *naive[2:]]


class WholeTests(SynchronousTestCase):
    """A small run with real servers; nothing in it depends on how fast they are."""

    def test_smallRun(self) -> None:
        if servers.find("gcc") is None:
            raise SkipTest("gcc is not installed")
        self.patch(loads, "PATIENCE", 2.0)
        self.patch(rounds, "SERVERS", {**SERVERS, "wrong": Server("wrong", "", "name", wrong)})
        room = replace(BY_NAME["room-100"], members=20, quickly=0.3, quickWarmup=0.1)
        room = replace(room, servers=(*room.servers, "wrong"))
        joins = replace(BY_NAME["joins"], servers=("climit", "mucs"), members=20)
        started: list[Popen[bytes]] = []

        def start(*words: Any) -> Popen[bytes]:
            started.append(processes.start(*words))
            return started[-1]

        self.patch(run, "start", start)
        errors = StringIO()
        with redirect_stderr(errors):
            measured = rounds.run([room, joins], 1, isQuick=True)
        found = {(each.load, each.server): each for each in measured.records}
        self.assertEqual(len(found), len(room.servers) + len(joins.servers))
        fault = found.pop(("room-100", "wrong")).fault
        for words in (" lost", " twice", " back to their sender"):
            self.assertIn(words, fault)
        for each in found.values():
            self.assertIn(each.fault, ("", figures.TOO_SLOW), f"{each.load}, {each.server}")
        self.assertIn("deliveries", found["room-100", "mucs"].figures)
        self.assertEqual(found["joins", "mucs"].figures["announced"], 190)
        self.assertIn("MUCS", table.whole(measured))
        self.assertEqual(len(started), 2 * len(measured.records))
        self.assertNotIn(None, [process.returncode for process in started])
