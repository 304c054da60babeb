"""
Order, with a real server: bans that outlive it, and the end that an admin orders.

Who is who is said by a plugin, a filter, from what people are called: this is not about accounts.
"""

from __future__ import annotations

from pathlib import Path

from tests.live.inside import HOST, Person
from tests.live.server import ROOT, Server, ServerCase

#: Everyone but guests has the account of their name, and root is an admin.
PLUGIN = """
from mucs.plugin import Filter
appoint = Filter("appoint", "gives everyone their account", "appoint.appoint")
"""
MODULE = """
def appoint(session, intent):
    if not session.name.startswith("guest"):
        session.account = session.name
    session.admin = session.name == "root"
    return intent
"""

#: Where nobody is trusted, though all are from this machine.
TOML = f"""
[[listen]]
port = "tcp:0:interface={HOST}"
trusted = false
"""


class OrderTests(ServerCase):
    """A server that is ended and begun again."""

    def makeFolder(self) -> Path:
        """Where a server is to run, with the plugin."""
        folder = self.folder()
        (folder / "mucs" / "plugins").mkdir(parents=True)
        (folder / "mucs" / "plugins" / "test_filter_appoint.py").write_text(PLUGIN)
        (folder / "appoint.py").write_text(MODULE)
        (folder / "mucs.toml").write_text(TOML)
        return folder

    async def begin(self, folder: Path) -> tuple[Server, str]:
        """Start it. @return: the server, and its port."""
        env = {"PYTHONPATH": f"{folder}:{ROOT}"}
        server = self.start("--config", "mucs.toml", folder=folder, env=env)
        (port,) = await server.begins()
        return server, port

    async def comes(self, port: str, name: str) -> Person:
        """Someone comes in."""
        person = await self.meet(port, name)
        await person.sees("-- now\r\n")
        return person

    async def test_keptAcrossRestarts(self) -> None:
        """The room, its owner, a ban, a mute and what was ordered are there again."""
        folder = self.makeFolder()
        server, port = await self.begin(folder)
        ada = await self.comes(port, "ada")
        ada.says("/join garden")
        await ada.sees("-- #garden is yours")
        guest = await self.comes(port, "guest")
        guest.says("/join garden")
        await guest.sees("you are guest in #garden with ada", "-- now\r\n")
        ada.says("/room history off", "/mute guest 1h", "/ban guest 1h rude")
        await ada.sees("number 2", "number 3", "* guest was kicked out by ada (rude)\r\n")
        await guest.sees("you were kicked out of #garden by ada (rude)\r\n")
        await server.stops()
        server, port = await self.begin(folder)
        other = await self.comes(port, "guest two")
        other.says("/rooms", "/join garden")
        # From the same address, by another name.
        await other.sees("#garden, 0 in it\r\n", "! you are banned from #garden by ada until")
        ada = await self.comes(port, "ada")
        ada.says("/join garden", "/bans", "/unban 3", "/room")
        await ada.sees("2 guest muted by ada until", "3 guest banned by ada until", "(rude)")
        await ada.sees("guest is banned no longer", "owned by ada", "history off")
        other.says("/join garden", "hello")
        await other.sees("in #garden with ada", "! you are muted in #garden by ada until")
        root = await self.comes(port, "root")
        root.says("/audit")
        await root.sees("ada (account ada) mute guest in #garden: for 1 h", "unban guest")
        await server.stops()
        self.assertNotIn("Traceback", server.log() + server.errors.decode())

    async def test_shutdown(self) -> None:
        """Everyone is told, twice where there is time, and the process ends by itself, in order."""
        server, port = await self.begin(self.makeFolder())
        ada, root = await self.comes(port, "ada"), await self.comes(port, "root")
        ada.says("/shutdown")
        await ada.sees("! that is for the server's admins\r\n")
        root.says("/shutdown in 1s")
        await ada.sees("-- root announces: the server stops in 1 s\r\n")
        end = (await ada.ends()).decode()
        self.assertEqual(
            end,
            "-- root announces: the server stops now\r\n! the server is shutting down\r\n",
        )
        await server.ends()
        self.assertEqual(server.status, 0)

    async def test_bannedFromTheServer(self) -> None:
        """One line, and the connection is closed; nothing is greeted."""
        server, port = await self.begin(self.makeFolder())
        root = await self.comes(port, "root")
        guest = await self.comes(port, "guest")
        root.says("/ban --server guest 1h rude")
        await guest.sees("! you are banned from MUCS by root until", "(rude)\r\n")
        await guest.ends()
        again = await self.meet(port, "guest two")
        await again.sees("! you are banned from MUCS by root until")
        await server.stops()
