"""
Performing a play: each of its sentences is done, or waited for, on a L{tests.stage.Stage}.

What is certain, and how.  Nothing here sleeps.  Something done is over when the server has read
what was sent, or has noticed who is gone; something seen is over when the line has come.  C{sees
nothing more} waits until the server has nothing left to do within a second.  A play ends in
the same way, and then the server is stopped: it tells everyone so and closes, and whoever is still
there must see just that, up to the end of the connection.  So a line too many never goes
unnoticed: it is in the way of the next one, or of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.player import Player, Surprise
from tests.plays import QUOTED, VARIABLE, Play, unquote
from tests.stage import Stage

#: What everyone is told last.
SHUTDOWN = "! the server is shutting down"


async def perform(play: Play, stage: Stage) -> None:
    """
    Perform a play.

    @raise PlayError: it went otherwise than it is written.
    """
    line, sentence = 0, "The server starts"
    try:
        try:
            stage.open(play.setting)
            performance = Performance(play, stage)
            for cue in play.cues:
                line, sentence = cue.line, cue.sentence
                await getattr(performance, cue.method)(cue.who, **cue.said)
            sentence = "And so the play ends"
            await performance.curtain()
        finally:
            await stage.clear()
    except Surprise as surprise:
        raise play.error(line, sentence, str(surprise)) from None


class Performance:
    """One performance of a play: what is done at each sentence."""

    def __init__(self, play: Play, stage: Stage) -> None:
        self._stage = stage
        self._players: dict[str, Player] = {}
        self._here: list[Player] = []
        self._quoted = any(cue.method == "shown" for cue in play.cues)

    def _all(self, who: list[str]) -> Iterator[Player]:
        return (self._players[name] for name in who)

    def _fill(self, text: str) -> list[str]:
        """A text with values for its variables: the time of day may have two."""

        def value(found: re.Match[str]) -> str:
            player = self._players.get(found[1])
            if player is None:
                return found[0]
            return player.address(found[2] or "")

        filled = VARIABLE.sub(value, text)
        if "{token}" in filled:
            return [filled.replace("{token}", token) for token in self._stage.tokens()]
        if "{time}" not in filled:
            return [filled]
        return [filled.replace("{time}", time) for time in self._stage.console.times()]

    def _bytes(self, quoted: str) -> bytes:
        return unquote(self._fill(quoted)[0])

    # What people do.

    async def connects(self, who: list[str], dialect: str) -> None:
        for name in who:
            player = self._players[name] = self._stage.player(name, dialect)
            self._here.append(player)
            await self._stage.enter(player)

    async def says(self, who: list[str], text: str) -> None:
        for player in self._all(who):
            # Of several tokens the last is meant: that of whoever came in last.
            player.say(self._fill(text)[-1])
            await self._stage.heard(player)

    async def sends(
        self,
        who: list[str],
        pieces: str = "",
        bytes: str = "",
        times: str = "1",
        last: str = '""',
    ) -> None:
        parts = [self._bytes(piece) for piece in re.findall(QUOTED, pieces)]
        parts += [part.to_bytes() for part in (self._bytes(bytes) if bytes else b"")]
        for player in self._all(who):
            for part in parts:
                player.send(part * int(times) + self._bytes(last))
                await self._stage.heard(player)

    async def halfCloses(self, who: list[str]) -> None:
        for player in self._all(who):
            player.halfClose()
            await self._stage.heard(player)

    async def hangsUp(self, who: list[str], reset: bool = False) -> None:
        for player in self._all(who):
            # A kernel resets a connection that is closed with something unread.
            await self._stage.settled()
            player.seesNoMore()
            player.hangUp(reset)
            self._here.remove(player)
            await self._stage.heard(player)

    async def isCutOff(self, who: list[str]) -> None:
        await self.hangsUp(who, reset=True)

    # What comes of it.

    async def sees(self, who: list[str], text: str) -> None:
        for player in self._all(who):
            await player.sees(self._fill(text))

    async def receives(self, who: list[str], bytes: str) -> None:
        for player in self._all(who):
            await player.receives(self._bytes(bytes))

    async def seesNoMore(self, who: list[str]) -> None:
        await self._stage.settled()
        for player in self._all(who):
            player.seesNoMore()

    async def hungUpOn(self, who: list[str]) -> None:
        for player in self._all(who):
            await player.hungUp()
            self._here.remove(player)

    async def shown(self, who: list[str], text: str) -> None:
        await self._stage.console.sees(self._fill(text))

    async def curtain(self) -> None:
        """The end: nobody has anything left to see but the end itself."""
        await self._stage.settled()
        for player in self._here:
            player.seesNoMore()
        if self._quoted:
            self._stage.console.seesNoMore()
        stopped = self._stage.close()
        for player in self._here:
            await player.sees([SHUTDOWN])
            await player.hungUp()
        await stopped
