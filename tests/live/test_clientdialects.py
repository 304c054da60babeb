"""
The line client with servers that speak otherwise: those of the five reports, as they are printed,
and MUCS, as it speaks to the reports' own clients.
"""

from __future__ import annotations

import os
import re
import sys

from twisted.internet.endpoints import TCP4ServerEndpoint

from mucs.client.dialects import DIALECTS
from tests.live.inside import HOST, Person, Program, reactor
from tests.live.servers import Addr, CString, FiveSeat, HiThere, Report, Shh, factory
from tests.live.terminal import CTRL_D, Terminal, TerminalCase

#: Whether the tests that take a while are to be run.
LONG = bool(os.environ.get("MUCS_LONG"))


class DialectCase(TerminalCase):
    """A test with servers of lines."""

    async def listens(self, protocol: type[Report]) -> None:
        """A server of a report begins."""
        self.server = factory(protocol)
        listening = await TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(self.server)
        self.addCleanup(listening.stopListening)
        self.port = listening.getHost().port

    def comes(self, dialect: str, name: str = "ada") -> Terminal:
        """Someone comes with the line client."""
        return self.mucs("--dialect", dialect, "--name", name, f"{HOST}:{self.port}")

    async def bare(self, data: bytes) -> Person:
        """Someone else is there, without any client, and has said this."""
        person = await self.person(self.port)
        person.sends(data)
        return person

    async def leaves(self, person: Terminal) -> None:
        """And goes, in good order."""
        person.enters("!q")
        await person.ends()
        self.assertEqual(person.status, 0)


class ReportTests(DialectCase):
    """Servers as the reports print them."""

    async def test_cstring(self) -> None:
        """Names and lines are C strings, each in a segment of its own; and the server goes."""
        await self.listens(CString)
        ada = self.comes("cstring")
        await ada.shows('Welcome to Server "Developer", ada')
        bob = await self.bare(b"bob\0")
        await ada.shows('"bob" joined the chat room')
        bob.sends(b"HHello\0")
        await ada.shows("bob: HHello")
        ada.enters("HIIIIII gayssssssss", "Hii Shirish")
        await bob.sees("ada: HIIIIII gayssssssss\0ada: Hii Shirish\0")
        await ada.shows("ada: HIIIIII gayssssssss", "ada: Hii Shirish")
        said = [b"HHello\0", b"HIIIIII gayssssssss\0", b"Hii Shirish\0"]
        self.assertEqual(self.server.got, [b"ada\0", b"bob\0", *said])
        self.server.people[0].transport.loseConnection()
        await ada.ends()
        self.assertEqual(ada.status, 1)
        self.assertIn(b"The server disconnected", ada.seen)

    async def test_shh(self) -> None:
        """One send is one message, and C{!q} is answered."""
        await self.listens(Shh)
        saif = self.comes("shh", "Saif")
        await saif.shows("Welcome to SHH Chat server, enter your name and join the room!")
        await saif.shows("Hello Saif! If you ever want to quit , type !q")
        harika = await self.bare(b"harika")
        await saif.shows("harika has joined the room!")
        harika.sends(b"hi saif")
        await saif.shows("->harika: hi saif")
        saif.enters("Morning Harika", "two at once")
        await harika.sees("->Saif: Morning Harika", "->Saif: two at once")
        await saif.shows("->Saif: Morning Harika", "->Saif: two at once")
        said = [b"hi saif", b"Morning Harika", b"two at once"]
        self.assertEqual(self.server.got, [b"Saif", b"harika", *said])
        await self.leaves(saif)
        self.assertEqual(self.server.got[-1], b"!q")
        await harika.sees("Saif has left the chat room.")
        self.assertNotIn("!q", "\n".join(saif.scrolled()).replace("type !q", ""))

    async def test_hithere(self) -> None:
        """Lines; one's own are shown as its client shows them."""
        await self.listens(HiThere)
        ada = self.comes("hithere")
        await ada.shows("Hi there, ~from server..!")
        bob = await self.bare(b"hii\n")
        await ada.shows("> => hii", "<[127.0.0.1] :")
        ada.enters("hello")
        await ada.shows("<You>hello")
        await bob.sees("<[127.0.0.1] :", "> => hello\n")
        self.assertEqual(self.server.got, [b"hii\n", b"hello\n"])
        await self.leaves(ada)

    async def test_fiveseat(self) -> None:
        """Buffers of 256 bytes; a line is shown as said once the server has processed it."""
        await self.listens(FiveSeat)
        ada = self.comes("fiveseat", "Client 1")
        await ada.shows("Got the connection done successfully")
        bob = await self.bare(b"Client 2".ljust(256, b"\0"))
        ada.enters("Hello from Client 1")
        await bob.sees("Client 1: Hello from Client 1")
        await ada.shows("Client 1: Hello from Client 1")
        self.assertEqual({len(each) for each in self.server.got}, {256})
        self.assertEqual(self.server.got[-1], b"Hello from Client 1\n".ljust(256, b"\0"))
        self.assertNotIn("Processed", "\n".join(ada.scrolled()))
        await self.leaves(ada)

    async def test_addr(self) -> None:
        """Lines, and addresses."""
        await self.listens(Addr)
        ada = self.comes("addr")
        await ada.shows("Welcome to this chatroom.")
        bob = await self.bare(b"hi\n")
        await ada.shows("): hi", "('127.0.0.1', ")
        ada.enters("hello")
        await bob.sees("('127.0.0.1', ", "): hello\n")
        self.assertEqual(self.server.got, [b"hi\n", b"hello\n"])
        ada.keys(CTRL_D)
        await ada.ends()
        self.assertEqual(ada.status, 0)


class MucsTests(DialectCase):
    """MUCS, as it speaks to the clients of the reports."""

    if LONG:

        async def test_everyDialect(self) -> None:
            """The same conversation in all of them, on terminals; the short form has pipes."""
            names = [name for name in DIALECTS if name != "plain"]
            place = self.serve(*(f"{name}@tcp:0" for name in names), "tcp:0")
            native: Person = await self.person(place.port(5), "nat")
            await native.sees("-- now\r\n")
            for at, name in enumerate(names):
                self.port = place.port(at)
                person = self.comes(name, f"p{at}")
                await native.sees(" joined\r\n")
                native.says(f"hello {name}", f"again {name}")
                await person.shows(f"hello {name}", f"again {name}")
                person.enters(f"one {name}", f"two {name}")
                await native.sees(f": one {name}\r\n", f": two {name}\r\n")
                await person.shows(f"one {name}", f"two {name}")
                await self.leaves(person)
                await native.sees(" left\r\n")

    async def test_nameTaken(self) -> None:
        """Is said, and what is typed next is the name."""
        place = self.serve("cstring@tcp:0", "tcp:0")
        native = await self.person(place.port(1), "ada")
        await native.sees("-- now\r\n")
        self.port = place.port()
        ada = self.comes("cstring")
        await ada.shows("! the name ada is taken; choose another")
        ada.enters("eve")
        await ada.shows('Welcome to Server "MUCS", eve')
        await self.leaves(ada)

    async def test_plainLines(self) -> None:
        """A native listener, without any json: the name is given where it is asked for."""
        place = self.serve("tcp:0", "tcp:0")
        self.port = place.port()
        native = await self.person(place.port(1), "nat")
        await native.sees("-- now\r\n")
        ada = self.comes("plain")
        await ada.shows("-- you are ada in #lobby")
        ada.enters("hello", "/me waves")
        await native.sees("ada: hello\r\n* ada waves\r\n")
        await ada.shows("/me waves", "ada: hello")
        self.assertEqual([row for row in ada.display() if "/me" in row], ["/me waves"])
        await self.leaves(ada)

    async def test_inAPipe(self) -> None:
        """A script says something in each of them."""
        names = [name for name in DIALECTS if name != "plain"]
        place = self.serve(*(f"{name}@tcp:0" for name in names), "tcp:0")
        native = await self.person(place.port(5), "nat")
        await native.sees("-- now\r\n")
        scripts = []
        for at, name in enumerate(names):
            where = f"{HOST}:{place.port(at)}"
            argv = ("-m", "mucs.client", "--dialect", name, "--name", f"ci{at}", where)
            scripts.append(self.launch(sys.executable, *argv, env=self.environment()))
            scripts[-1].types(f"one {name}", f"two {name}")
            scripts[-1].closes()
        for script, name in zip(scripts, names, strict=True):
            self.assertEqual((await script.ends(), script.status), (b"", 0), name)
        said = re.findall(r": ((?:one|two) \w+)\r\n", native.seen.decode())
        each = [f"{count} {name}" for count in ("one", "two") for name in names]
        self.assertEqual(sorted(said), sorted(each))
        for name in names:
            self.assertLess(said.index(f"one {name}"), said.index(f"two {name}"))

    async def test_whoeverIsNotLetIn(self) -> None:
        """A script whose name is refused says nothing, and ends with the reason."""
        names = ("cstring", "shh", "fiveseat", "plain")
        place = self.serve(*(f"{name}@tcp:0" for name in names[:3]), "tcp:0")
        native = await self.person(place.port(3), "ada", "/register of the mothers")
        await native.sees("-- ada is yours now")
        scripts = [
            self.pipes("ada", place.port(at), "--dialect", name) for at, name in enumerate(names)
        ]
        for script, name in zip(scripts, names, strict=True):
            wrote = (await script.ends()).decode()
            self.assertEqual(script.status, 5, name)
            self.assertTrue(wrote.startswith("mucs: the server refuses: "), wrote)
            self.assertEqual(wrote.count("\n"), 1, wrote)
        native.says("/who")
        await native.sees("has 1 in it: ada")
        self.assertNotIn("joined", native.seen.decode())

    async def test_linesInAPipe(self) -> None:
        """Where the server's dialect is not named, or is its own; and a command is no hindrance."""
        place = self.serve("hithere@tcp:0", "addr@tcp:0", "fiveseat@tcp:0", "tcp:0")
        native = await self.person(place.port(3), "nat")
        await native.sees("-- now\r\n")
        scripts = [
            self.pipes("du", place.port(0)),
            self.pipes("du", place.port(1)),
            self.pipes("five", place.port(2), "--dialect", "fiveseat"),
            self.pipes("du", place.port(3), "--dialect", "plain"),
        ]
        for script in scripts:
            self.assertEqual((await script.ends(), script.status), (b"", 0))
        heard = native.seen.decode()
        said = re.findall(r"^(.*): (one|two)\r\n", heard, re.M)
        for name in ("du", "five"):
            self.assertEqual([text for who, text in said if who == name], ["one", "two"], heard)
        self.assertEqual(len(said), 8, heard)

    def pipes(self, name: str, port: int, *options: str) -> Program:
        """A script says two lines, and has a command between them."""
        argv = ("-m", "mucs.client", *options, "--name", name, f"{HOST}:{port}")
        script = self.launch(sys.executable, *argv, env=self.environment())
        script.gives(b"one\n/who\ntwo\n")
        script.closes()
        return script
