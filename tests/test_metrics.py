"""
Figures and health, asked for as a scraper asks; without a socket, and with a clock turned by hand.
"""

from __future__ import annotations

import sys

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from mucs.config import ConfigError, metrics
from mucs.counts import REASONS, Counts
from mucs.events import NotStored
from mucs.hall import Hall
from mucs.listener import Listener
from mucs.metrics import HOLDS, LATE, Metrics
from mucs.rules import Limits
from tests.house import Door, House, HouseCase
from tests.log.late import LateLog
from tests.test_tap import TapCase


class MetricsCase(HouseCase):
    """Tests with a house that has a page of figures."""

    limits = Limits(rate=0, address=2)

    def setUp(self) -> None:
        super().setUp()
        self.opens(self.house)

    def opens(self, house: House) -> None:
        door = Door()
        place = Listener("tcp:9100", Metrics(), door, Metrics().policy())
        place.configured = False
        place.setServiceParent(house.hall)
        assert door.factory is not None
        self.house, self.factory = house, door.factory

    def asks(self, path: str, method: str = "GET") -> StringTransport:
        """Somebody asks for a page. @return: where the answer comes."""
        peer = IPv4Address("TCP", "127.0.0.1", 1)
        protocol = self.factory.buildProtocol(peer)
        assert protocol is not None
        transport = StringTransport(peerAddress=peer)
        protocol.makeConnection(transport)
        protocol.dataReceived(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return transport

    def page(self, path: str) -> tuple[int, str]:
        """@return: the status, and what was answered."""
        return self.answer(self.asks(path))

    def answer(self, transport: StringTransport) -> tuple[int, str]:
        head, _, body = transport.value().decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def figures(self) -> dict[str, float]:
        """Every figure by name and labels."""
        status, body = self.page("/metrics")
        self.assertEqual(status, 200)
        lines = [line for line in body.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


class FiguresTests(MetricsCase):
    """C{/metrics}"""

    def test_whoIsHere(self) -> None:
        """By front end; those too that have nobody."""
        self.house.listens("json")
        self.house.enters("ada")
        self.house.enters("bob", "shh")
        figures = self.figures()
        self.assertEqual(figures['mucs_connections{frontend="native"}'], 1)
        self.assertEqual(figures['mucs_connections{frontend="shh"}'], 1)
        self.assertEqual(figures['mucs_connections{frontend="json"}'], 0)
        self.assertEqual(figures["mucs_rooms"], 1)
        self.assertEqual(figures["mucs_arrivals_total"], 2)
        self.assertEqual(figures["mucs_entered_total"], 2)

    def test_turns(self) -> None:
        """How many events, in turns of which sizes; and how long the log took for each."""
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.opens(House(self.limits, log=log))
        ada = self.house.enters("ada")
        ada.says("one", "two", "three")
        log.prompt = False
        ada.says("four")
        self.house.clock.advance(0.3)
        self.assertAlmostEqual(self.figures()["mucs_log_silence_seconds"], 0.3)
        log.stores()
        figures = self.figures()
        self.assertEqual(figures["mucs_events_total"], 5)
        self.assertEqual(figures["mucs_turn_events_count"], 3)
        self.assertEqual(figures["mucs_turn_events_sum"], 5)
        self.assertEqual(figures['mucs_turn_events_bucket{le="1.0"}'], 2)
        self.assertEqual(figures['mucs_turn_events_bucket{le="5.0"}'], 3)
        self.assertAlmostEqual(figures["mucs_commit_seconds_sum"], 0.3)
        self.assertEqual(figures['mucs_commit_seconds_bucket{le="0.1"}'], 2)
        self.assertEqual(figures['mucs_commit_seconds_bucket{le="0.5"}'], 3)
        self.assertEqual(figures["mucs_log_silence_seconds"], 0)

    def test_whatIsNotStored(self) -> None:
        log = LateLog(lambda: self.house.wall(), prompt=True)
        self.opens(House(self.limits, log=log))
        ada = self.house.enters("ada")
        log.prompt = False
        ada.says("one")
        log.fails()
        self.flushLoggedErrors(NotStored)
        figures = self.figures()
        self.assertEqual(figures["mucs_commit_failures_total"], 1)
        self.assertEqual(figures["mucs_log_failing"], 1)
        self.assertEqual(figures['mucs_refused_total{reason="log"}'], 1)

    def test_whoReadsSlowly(self) -> None:
        ada = self.house.enters("ada")
        bob = self.house.enters("bob")
        bob.holds()
        ada.says(*["x" * 4000] * 20)
        self.assertEqual(self.figures()["mucs_behind"], 1)

    def test_whoWaits(self) -> None:
        self.house.listens("native", "small", seats=1)
        for _ in range(3):
            self.house.connect(at="small")
        waiting = [v for k, v in self.figures().items() if k.startswith("mucs_waiting{")]
        self.assertEqual(sum(waiting), 2)

    def test_refusals(self) -> None:
        """Each by its reason, and nothing of what was said in it."""
        house = self.house
        house.listens("native", "far", trusted=False)
        house.listens("native", "small", seats=1, full="refuse")
        for _ in range(3):
            house.connect(host="10.9.9.9", at="far")
        house.connect(at="small", name="ada")
        house.connect(at="small")
        house.connect(name="->").says("/nonsense")
        eve = house.enters("eve")
        eve.says("/nonsense")
        house.waits(40, 1)
        figures = self.figures()
        name = 'mucs_refused_total{{reason="{}"}}'
        refused = {reason: figures[name.format(reason)] for reason in REASONS}
        self.assertEqual((refused["address"], refused["seats"]), (1, 1))
        self.assertEqual((refused["name"], refused["request"]), (2, 1))
        self.assertEqual(refused["late"], 3)
        self.assertNotIn("nonsense", self.page("/metrics")[1])

    def test_logins(self) -> None:
        ada = self.house.enters("ada")
        for recognize in self.house.hall.recognizers:
            recognize(ada.session)
        self.assertEqual(self.figures()["mucs_logins_total"], 1)

    def test_theProcess(self) -> None:
        """Memory and files, as other programs show them."""
        self.assertGreater(self.figures()["process_resident_memory_bytes"], 1e6)

    def test_nothingElse(self) -> None:
        self.assertTrue(self.asks("/").value().startswith(b"HTTP/1.1 404 "))
        self.assertTrue(self.asks("/metrics", "POST").value().startswith(b"HTTP/1.1 405 "))


class HealthTests(MetricsCase):
    """C{/healthz}"""

    def setUp(self) -> None:
        super().setUp()
        self.late = LateLog(lambda: self.house.wall(), prompt=True)
        self.opens(House(self.limits, log=self.late))

    def test_well(self) -> None:
        self.assertEqual(self.page("/healthz"), (200, "well\n"))

    def test_theLogCannotStore(self) -> None:
        """That is tried, even if nobody says anything; and so is whether it can again."""
        self.late.prompt = False
        asked = self.asks("/healthz")
        self.late.findsNothing()
        self.assertEqual(self.answer(asked), (503, "nothing can be stored\n"))
        self.late.prompt = True
        self.house.clock.advance(HOLDS)
        self.assertEqual(self.page("/healthz"), (200, "well\n"))

    def test_itIsNotTriedForEach(self) -> None:
        """Whoever asks often does not make the disk work."""
        tries: list[object] = []
        probe = self.house.hall.history.probe

        def tried() -> Deferred[None]:
            tries.append(0)
            return probe()

        self.patch(self.house.hall.history, "probe", tried)
        for _ in range(10):
            self.page("/healthz")
        self.assertEqual(len(tries), 1)

    def test_theLogDoesNotAnswer(self) -> None:
        """Everyone who asks is told after a while; later ones at once, until it does."""
        self.late.prompt = False
        asked = [self.asks("/healthz"), self.asks("/healthz")]
        self.house.clock.advance(LATE - 0.1)
        self.assertEqual([each.value() for each in asked], [b"", b""])
        self.house.clock.advance(0.1)
        asked.append(self.asks("/healthz"))
        for each in asked:
            self.assertEqual(self.answer(each), (503, "the log does not answer\n"))
        self.late.finds()
        self.assertEqual(self.page("/healthz"), (200, "well\n"))

    def test_aTurnIsNotAnswered(self) -> None:
        """Nor is it well while something said has not been stored for long."""
        self.house.enters("ada")
        self.late.prompt = False
        self.house.people[0].says("one")
        self.house.clock.advance(LATE)
        self.late.prompt = True
        self.assertEqual(self.page("/healthz")[0], 503)

    def test_whoDoesNotWait(self) -> None:
        """Whoever has gone is not answered, and nothing breaks."""
        self.late.prompt = False
        peer = IPv4Address("TCP", "127.0.0.1", 1)
        protocol = self.factory.buildProtocol(peer)
        assert protocol is not None
        transport = StringTransport(peerAddress=peer)
        protocol.makeConnection(transport)
        protocol.dataReceived(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        protocol.connectionLost(Failure(ConnectionDone()))
        self.late.finds()
        self.assertEqual(transport.value(), b"")


class OptionTests(TapCase):
    """C{--metrics}, and its key."""

    def others(self, hall: Hall) -> list[str]:
        return [e.source for e in hall if isinstance(e, Listener) and not e.configured]

    def test_fromBoth(self) -> None:
        self.assertEqual(self.others(self.hall()), [])
        self.assertEqual(self.others(self.hall("--metrics", "tcp:9100")), ["--metrics tcp:9100"])
        [source] = self.others(self.hall(toml="metrics = 'tcp:9100'"))
        self.assertRegex(source, r"^\S+: metrics tcp:9100$")
        self.assertEqual(self.others(self.hall("--metrics", "", toml="metrics = 'tcp:9100'")), [])

    def test_noSuchEndpoint(self) -> None:
        said = self.refusal("--metrics", "tcp:x")
        self.assertEqual(said, "mucs: --metrics tcp:x: 'x' is no number")

    def test_notInstalled(self) -> None:
        self.addCleanup(sys.modules.update, {"mucs.metrics": sys.modules["mucs.metrics"]})
        sys.modules["mucs.metrics"] = None  # type: ignore[assignment]
        error = self.assertRaises(ConfigError, metrics, "tcp:1", "--metrics", MemoryReactorClock())
        self.assertEqual(
            str(error),
            "--metrics tcp:1: that takes prometheus-client, which is not installed:"
            " pip install prometheus-client",
        )

    def test_itsEndpoint(self) -> None:
        place = metrics("tcp:9100:interface=127.0.0.1", "--metrics", MemoryReactorClock())
        self.assertIsInstance(place.endpoint, TCP4ServerEndpoint)


class CountsTests(HouseCase):
    """What a turn adds."""

    def test_turns(self) -> None:
        counts = Counts()
        counts.stored(3, 0.25)
        counts.stored(9999, 0.0)
        self.assertEqual((counts.turns, counts.events), (2, 10002))
        self.assertEqual((counts.seconds, counts.worst), (0.25, 0.25))
        self.assertEqual((counts.sizes[-1], counts.commits[0]), (1, 1))

    def test_status(self) -> None:
        """C{/status} says the same in words."""
        ada = self.house.enters("ada")
        ada.says("one", "/nonsense")
        ada.seen()
        ada.says("/status")
        self.assertEqual(
            ada.lines()[2:],
            [
                "-- by front end: native 1",
                "-- 2 events in 2 turns since the start; storing one took 0.00 ms, 0.00 ms at most",
                "-- waiting for a seat: 0, behind: 0; 1 came in, 0 logged in, 0 sends failed",
                "-- refused: request 1",
            ],
        )
