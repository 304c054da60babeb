"""
The loads, and what MUCS is to reach under each of them.

A L{Load} says what the generator does (C{gen.c}), who is measured, and the L{goals<bench.goals>}.
All lines hold 64 bytes of text, and nobody gets one's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.goals import ALL, C, Goal, ofC, times
from bench.servers import Server

#: Bytes of text in a line.
TEXT = 64
#: Seconds to wait for what is late when the load is over.
PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """
    @ivar window: messages under way, of each sender; or, where it is 0:
    @ivar rate: messages a second, of all senders together.
    @ivar isHold: nobody says anything, and what coming in costs is measured.
    @ivar isAnnounced: who joins is announced by the servers that need to be told so.
    @ivar stalled: members more, who never read.
    @ivar slow: members more, who read 1 kB/s.
    @ivar seconds: what is measured; C{quickly}: in a quick run.
    @ivar warmup: seconds before that; C{quickWarmup}: in a quick run.
    @ivar isOnce: measured in the first round only, because it takes long.
    @ivar figure: what the servers are compared by.
    """

    name: str
    title: str
    servers: tuple[str, ...]
    goals: tuple[Goal, ...]
    members: int
    senders: int = 1
    window: int = 0
    rate: int = 0
    rooms: int = 1
    isHold: bool = False
    isAnnounced: bool = False
    stalled: int = 0
    slow: int = 0
    seconds: float = 1.5
    warmup: float = 0.5
    quickly: float = 0.5
    quickWarmup: float = 0.3
    isOnce: bool = False
    figure: str = "deliveries"

    def arguments(self, server: Server, isQuick: bool) -> list[str]:
        """What the generator is told, but for where the server is."""
        words = ["-k", server.talk, "-n", self.members, "-s", self.senders, "-R", self.rooms]
        words += ["-m", TEXT, "-c", server.atOnce, "-D", PATIENCE]
        words += ["-d", self.quickly if isQuick else self.seconds]
        words += ["-W", self.quickWarmup if isQuick else self.warmup]
        words += ["-w", self.window] if self.window else ["-r", self.rate]
        if self.isHold:
            words += ["-H"]
        if server.isTls:
            words += ["-x"]
        if not server.isCalm:
            words += ["-S", self.stalled, "-T", self.slow, "-B", 1000]
        return [str(word) for word in words]

    def isFor(self, turn: int) -> bool:
        """Whether it is measured in a round; they count from 0."""
        return not (self.isOnce and turn)

    def bound(self, isQuick: bool) -> float:
        """Seconds after which a run of it is over, whatever happens."""
        return 120 + (self.quickly + self.quickWarmup if isQuick else self.seconds + self.warmup)


USUAL = ("climit", "linger", "naive", "mucs")
PEERS = (*USUAL, "ngircd", "inspircd")

LOADS = (
    Load(
        name="room-1000",
        title="1000 members, 10 senders, window 16",
        servers=PEERS,
        goals=(
            ofC(0.85),
            times(10, "naive", "naive Twisted"),
            times(4, "ngircd", "ngircd"),
        ),
        members=1000,
        senders=10,
        window=16,
    ),
    Load(
        name="all-1000",
        title="1000 members, all sending, window 1",
        servers=USUAL,
        goals=(ofC(0.75),),
        members=1000,
        senders=1000,
        window=1,
        warmup=1.5,
        seconds=2.0,
    ),
    Load(
        name="room-100",
        title="100 members, 10 senders, window 16",
        servers=USUAL,
        goals=(ofC(0.65),),
        members=100,
        senders=10,
        window=16,
    ),
    Load(
        name="one-100",
        title="100 members, 1 sender, window 1",
        servers=USUAL,
        goals=(ofC(0.85),),
        members=100,
        window=1,
    ),
    Load(
        name="one-1000",
        title="1000 members, 1 sender, window 1",
        servers=USUAL,
        goals=(ofC(0.85),),
        members=1000,
        window=1,
    ),
    Load(
        name="room-5000",
        title="5000 members, 10 senders, window 16",
        servers=USUAL,
        goals=(ofC(0.85),),
        members=5000,
        senders=10,
        window=16,
        warmup=1.0,
        seconds=3.0,
        quickly=1.0,
        quickWarmup=1.0,
    ),
    Load(
        name="rooms-100",
        title="1000 members in 100 rooms, all sending, window 16",
        servers=PEERS,
        goals=(ofC(0.25), times(1, "inspircd", "InspIRCd")),
        members=1000,
        senders=1000,
        window=16,
        rooms=100,
    ),
    Load(
        name="latency",
        title="100 members, 20,000 messages/s offered",
        servers=(*USUAL, "ngircd"),
        goals=(
            ALL,
            Goal("p50_us", "most", 3, C, "p50 of C", "times"),
            Goal("p99_us", "most", 3, C, "p99 of C", "times"),
        ),
        members=100,
        senders=100,
        rate=20000,
        seconds=2.0,
    ),
    Load(
        name="tls",
        title="TLS, 100 members, 10 senders, window 16",
        servers=("mucs", "mucs-tls", "naive-tls"),
        goals=(
            Goal("deliveries", "least", 0.4, ("mucs",), "of itself, plain", "percent"),
            times(4, "naive-tls", "naive Twisted, TLS"),
        ),
        members=100,
        senders=10,
        window=16,
    ),
    Load(
        name="idle",
        title="2000 idle connections",
        servers=("climit", "naive", "mucs"),
        goals=(Goal("bytes", "most", 4096, (), "memory each", "bytes"),),
        members=2000,
        isHold=True,
        figure="bytes",
    ),
    Load(
        name="joins",
        title="1000 joins, announced to all",
        servers=("climit", "naive", "mucs"),
        goals=(times(4, "naive", "naive Twisted", "joins"),),
        members=1000,
        isHold=True,
        isAnnounced=True,
        figure="joins",
    ),
    Load(
        name="slow",
        title="100 members, 2 never read, 8 at 1 kB/s; 500 messages/s",
        servers=("mucs-calm", "mucs"),
        goals=(
            ALL,
            Goal("p99_us", "most", 2, ("mucs-calm",), "p99 of without slow ones", "times"),
            Goal("growth_kb", "most", 2048, (), "memory more", "MiB"),
        ),
        members=90,
        senders=90,
        rate=500,
        stalled=2,
        slow=8,
        seconds=60.0,
        warmup=3.0,
        quickly=6.0,
        quickWarmup=3.0,
        isOnce=True,
        figure="p99_us",
    ),
)


def subject(load: Load) -> str:
    """The server whose goals these are: MUCS, under TLS if the load is about that."""
    return "mucs-tls" if "mucs-tls" in load.servers else "mucs"
