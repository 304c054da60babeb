"""
However a connection ends, on a real socket: what the kernel and the server still have of it is no
way to say more at once than the rules allow.
"""

from __future__ import annotations

import re

from tests.live.inside import HOST, LiveCase, Person

LOCAL = f"tcp:0:interface={HOST}"

#: A burst, and as much as may wait.
MOST = 100

PASTE = b"".join(b"line %d\n" % n for n in range(10_000))


class EndingTests(LiveCase):
    """Ten thousand lines."""

    def said(self, bob: Person) -> list[bytes]:
        """What bob has seen of them: the first ones, in their order."""
        said = re.findall(rb"ada: line (\d+)\r\n", bytes(bob.seen))
        self.assertEqual(said, [b"%d" % n for n in range(len(said))])
        return said

    async def test_closedAtOnce(self) -> None:
        """Half a second after it, and whatever has been read of it."""
        place = self.serve(LOCAL)
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        wire = self.plug(place.port())
        wire.setblocking(True)
        wire.sendall(b"ada\n")
        await bob.sees("* ada joined\r\n")
        wire.setblocking(False)
        wire.send(PASTE)
        await bob.sees("ada: line 10\r\n")
        wire.close()
        # The server finds that out when it sends something.
        bob.says("are you there?")
        eve = await self.person(place.port(), "eve", "hello")
        await bob.sees("eve: hello\r\n")
        eve.says("hello again")
        await bob.sees("* ada left")
        self.assertLessEqual(len(self.said(bob)), MOST + 2)
        self.assertGreaterEqual(len(self.said(bob)), 50)

    async def test_theServerStops(self) -> None:
        """What it has read is bounded, and its sender is told that it was not all."""
        place = self.serve(LOCAL)
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada = await self.person(place.port(), "ada")
        await ada.sees("-- now\r\n")
        ada.sends(PASTE)
        await bob.sees("ada: line 45\r\n")
        await place.stops()
        await bob.ends()
        self.assertLessEqual(len(self.said(bob)), MOST + 2)
        await ada.sees("! not said, as it was too much at once: the last ")
