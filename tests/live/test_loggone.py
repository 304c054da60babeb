"""The files of the log go, are others, or are wanted by a second server, while one runs."""

from __future__ import annotations

from tests.live.inside import HOST, Person
from tests.live.test_logtool import LogToolCase


class GoneTests(LogToolCase):
    """Nothing is acknowledged that is not in the file that has the name."""

    async def refused(self, person: Person) -> None:
        """Say things until one is refused: that is so a look later, and from then on."""
        for number in range(5000):
            person.says(f'{{"say": "gone {number}", "id": "g{number}"}}')
            line = await person.sees(f'"g{number}"', "\n")
            if b'"nak"' in line:
                self.assertIn(b"not stored", line)
                return
        self.fail("it goes on as if nothing were")

    async def test_removed(self) -> None:
        """C{rm mucs.sqlite*} under a server: it refuses, says why once, and makes nothing."""
        server, port = await self.serves()
        person = await self.comes(port)
        person.says('{"say": "before", "id": "1"}')
        await person.sees('"ack"')
        for path in self.at.glob("mucs.sqlite*"):
            path.unlink()
        await self.refused(person)
        person.says('{"do": "/status"}')
        await person.sees("nothing can be stored")
        self.assertEqual(list(self.at.glob("mucs.sqlite*")), [])
        self.assertEqual(server.log().count("mucs.sqlite is gone, or another file; nothing"), 1)

    async def test_theLockIsRemoved(self) -> None:
        """A second server sees that there is a first, which does not go on without its lock."""
        _, port = await self.serves()
        person = await self.comes(port)
        (self.at / "mucs.sqlite-lock").unlink()
        log = f"sqlite:{self.at / 'mucs.sqlite'}"
        second = self.start("--port", f"tcp:0:interface={HOST}", "--log", log)
        self.assertNotEqual(await second.exits(), 0)
        self.assertIn(b"someone has it open, though its lock is gone", second.errors)
        await self.refused(person)
        self.assertFalse((self.at / "mucs.sqlite-lock").exists())
