"""
Reading as a client does that counts: what is said in JSON, and whether its numbers add up.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

log = Logger()

ROOM = "lobby"


def figure(text: str, *, aloud: bool) -> None:
    """Write down what a test has measured; and say it on stdout, if C{aloud}."""
    log.info("{figure}", figure=text)
    if aloud:
        print(f"\n{text}")


class Reader:
    """
    One client, across all of its connections, as far as it reads the lobby.

    @ivar acked: what was acknowledged, by id: its number.
    @ivar naks: what was not stored, or perhaps not: id and reason.
    @ivar seen: what each number stands for: author, and text or kind.
    @ivar last: the number it has read to.
    @ivar again: how often it said something again that was there already.
    @ivar faults: what should not have been, in words.  Empty exactly if the numbers went up one
        by one, but for the gaps it was told of, and none ever stood for two things.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.acked: dict[str, int] = {}
        self.naks: list[tuple[str, str]] = []
        self.seen: dict[int, tuple[str, str]] = {}
        self.last = 0
        self.again = 0
        self.isIn = False
        self.faults: list[str] = []

    def hello(self) -> dict[str, Any]:
        """What to say to come in, or to come back."""
        place = {"rooms": {ROOM: self.last}} if self.last else {}
        return {"name": self.name, **place}

    def reads(self, told: dict[str, Any]) -> None:
        """The server says something."""
        if "event" in told:
            # What has no number yet comes again; before the first "now" it is history.
            if told["seq"] and (self.isIn or self.last):
                self._sees(told["seq"], told["author"], told.get("text") or told["event"])
        elif "now" in told:
            if not self.last:
                self.last = told["seq"]
            elif told["seq"] != self.last:
                # Its own coming, if that is stored yet.
                self._sees(told["seq"], self.name, "join")
            self.isIn = True
        elif "gap" in told:
            if told["gap"]["after"] != self.last:
                self.faults.append(f"{self.name}: {told} after {self.last}")
            self.last += told["gap"]["skipped"]
        elif "ack" in told:
            self._ack(told["ack"]["seq"], told["ack"]["id"])
        elif "nak" in told:
            self.naks.append((told["nak"]["id"], told["nak"]["why"]))

    def sawTwice(self) -> bool:
        """Whether something with an id of its own stood in two places."""
        said = [what for what in self.seen.values() if what[1].startswith(what[0] + "-")]
        return len(said) > len(set(said))

    def _ack(self, seq: int, id: str) -> None:
        if self.acked.setdefault(id, seq) != seq:
            self.faults.append(f"{self.name}: {id} is {self.acked[id]}, and {seq}")
        if self.seen.get(seq) == (self.name, id):
            self.again += 1
        else:
            self._sees(seq, self.name, id)

    def _sees(self, seq: int, author: str, what: str) -> None:
        if seq != self.last + 1:
            self.faults.append(f"{self.name}: {seq} after {self.last}: {author} {what}")
        self.last = max(seq, self.last)
        if self.seen.setdefault(seq, (author, what)) != (author, what):
            self.faults.append(f"{self.name}: {seq} is {self.seen[seq]}, and {author} {what}")
