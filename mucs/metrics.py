"""
Figures for Prometheus, at C{/metrics}, and C{/healthz}: whether the server is well.

Figures are made when somebody asks for them, from what the hall has counted (L{mucs.counts}) and
from what can be seen of it.  They are made on the reactor's thread: prometheus_client's own
resource does it on another, where what is looked at changes meanwhile.  No label is anything that
a user wrote.

The server is well if it can store something: a value nobody will ask for, at most once in a second.
What has not been stored for lack of trying says nothing, and what once failed may be cured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from mucs.counts import SECONDS, SIZES
from mucs.hall import Hall
from mucs.imucs import IFrontEnd
from mucs.listener import Listener
from mucs.rules import Policy

#: Seconds after which a log that does not answer is not well.
LATE = 5.0

#: Seconds for which an answer about the log holds.
HOLDS = 1.0


class Figures(Collector):
    """What a hall has done, and what can be seen of it."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    def collect(self) -> Iterable[Metric]:
        hall, counts = self._hall, self._hall.counts
        listeners = [each for each in hall if isinstance(each, Listener)]
        listeners = [each for each in listeners if not isinstance(each.frontEnd, Metrics)]
        here = Counter(dict.fromkeys((each.frontEnd.name for each in listeners), 0))
        here.update(session.listener.frontEnd.name for session in hall.sessions.values())
        yield _labelled("mucs_connections", "Connections now.", "frontend", here)
        yield CounterMetricFamily(
            "mucs_arrivals", "Connections since the start.", counts.connections
        )
        waiting = {each.port: each.seats.waiting for each in listeners}
        yield _labelled("mucs_waiting", "Who waits for a seat.", "port", waiting)
        yield GaugeMetricFamily("mucs_rooms", "Rooms that someone is in.", len(hall.rooms))
        behind = {who for room in hall.rooms.values() for who in room.cursors}
        yield GaugeMetricFamily(
            "mucs_behind", "People who have not read up to a room's end.", len(behind)
        )
        yield CounterMetricFamily("mucs_entered", "People who came in.", counts.entered)
        yield CounterMetricFamily("mucs_logins", "People who logged in.", counts.logins)
        yield CounterMetricFamily("mucs_events", "Events that were stored.", counts.events)
        yield _histogram(
            "mucs_turn_events", "Events in a turn.", SIZES, counts.sizes, counts.events
        )
        yield _histogram(
            "mucs_commit_seconds",
            "How long it took to store a turn.",
            SECONDS,
            counts.commits,
            counts.seconds,
        )
        yield CounterMetricFamily(
            "mucs_commit_failures", "Turns that could not be stored.", counts.failures
        )
        yield GaugeMetricFamily(
            "mucs_log_failing", "1 while nothing can be stored.", int(hall.isFailing())
        )
        yield GaugeMetricFamily(
            "mucs_log_silence_seconds", "How long the log has not answered.", hall.silence()
        )
        yield CounterMetricFamily(
            "mucs_send_failures", "Connections found lost in sending.", counts.broken
        )
        refused = CounterMetricFamily("mucs_refused", "What was refused.", labels=["reason"])
        for reason, count in counts.refused.items():
            refused.add_metric([reason], count)
        yield refused


def _labelled(name: str, help: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(
    name: str, help: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> Metric:
    def sums() -> Iterator[tuple[str, float]]:
        count = 0
        for bound, each in zip((*map(float, bounds), "+Inf"), counts, strict=True):
            count += each
            yield str(bound), count

    return HistogramMetricFamily(name, help, buckets=list(sums()), sum_value=total)


class _Page(Resource):
    """C{/metrics}"""

    isLeaf = True

    def __init__(self, hall: Hall) -> None:
        super().__init__()
        self._registry = CollectorRegistry()
        self._registry.register(Figures(hall))
        ProcessCollector(registry=self._registry)

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("content-type", CONTENT_TYPE_LATEST)
        return generate_latest(self._registry)


class _Health(Resource):
    """C{/healthz}"""

    isLeaf = True

    def __init__(self, hall: Hall) -> None:
        super().__init__()
        self._hall = hall
        self._asked: float | None = None  # when the log was, if it has not answered
        self._answered = float("-inf")
        self._why = ""
        self._waiting: list[Deferred[None]] = []

    def render_GET(self, request: Request) -> int:
        request.setHeader("content-type", "text/plain; charset=utf-8")
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)

        def say(_: object) -> None:
            why = self._wrong()
            request.setResponseCode(503 if why else 200)
            text = f"{why or 'well'}\n".encode()
            request.setHeader("content-length", str(len(text)))
            if not gone:
                request.write(text)
                request.finish()

        self._look().addBoth(say)
        return NOT_DONE_YET

    def _wrong(self) -> str:
        """What is, in a line; or nothing."""
        hall = self._hall
        if not hall.ready:
            return "the server is still beginning"
        if self._asked is not None or hall.silence() >= LATE:
            return "the log does not answer"
        return self._why

    def _look(self) -> Deferred[None]:
        """Try the log. @return: fires when it is known how it is, or has taken too long."""
        hall = self._hall
        now = hall.seconds()
        waits: Deferred[None] = Deferred()
        if self._asked is None and now - self._answered >= HOLDS and hall.ready:
            self._asked = now
            hall.history.probe().addCallbacks(lambda _: "", _because).addCallback(self._heard)
        if self._asked is None or now - self._asked >= LATE:
            waits.callback(None)
        else:
            self._waiting.append(waits)
            waits.addTimeout(self._asked + LATE - now, hall.reactor)
        return waits

    def _heard(self, why: str) -> None:
        self._asked = None
        self._answered = self._hall.seconds()
        self._why = why
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.callback(None)


def _because(failure: Failure) -> str:
    return "nothing can be stored"


class MetricsSite(Site):
    """A site that does not write a line to the log each time."""

    noisy = False

    def log(self, request: object) -> None:
        pass


@implementer(IFrontEnd)
class Metrics:
    """What listens there, in place of a front end."""

    name = "metrics"
    summary = "figures for Prometheus"

    def policy(self) -> Policy:
        return Policy()

    def factory(self, hall: Hall, listener: Listener) -> IProtocolFactory:
        root = Resource()
        root.putChild(b"metrics", _Page(hall))
        root.putChild(b"healthz", _Health(hall))
        site: IProtocolFactory = MetricsSite(root, reactor=hall.reactor)
        return site
