"""
The line client C{mucs}, as its users have it: on a terminal, whose screen is read, and in pipes.
"""

from __future__ import annotations

import os
import re
import termios
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM

from twisted.internet.task import deferLater

from tests.live.inside import HOST, Place, reactor
from tests.live.terminal import CTRL_C, CTRL_D, TAB, UP, Terminal, TerminalCase


class ScreenTests(TerminalCase):
    """On a terminal."""

    async def test_halfTypedLine(self) -> None:
        """It survives a thousand lines that arrive, and is then said as it stands."""
        place = self.serve("tcp:0", toml="[limits]\nrate = 0\n")
        ada = self.mucs("--name", "ada", f"127.0.0.1:{place.port()}")
        await ada.shows("#lobby 1 | ada at")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        await ada.shows("* bob joined", "#lobby 2")
        ada.keys("half a li")
        await ada.shows("> half a li")
        bob.says(*(f"line {number}" for number in range(1000)))
        await ada.shows("bob: line 999")
        ada.keys("ne\r")
        await bob.sees("ada: half a line\r\n")
        await ada.shows("ada: half a line")
        said = [row.partition("bob: ")[2] for row in ada.scrolled() if "bob: line" in row]
        self.assertEqual(said, [f"line {number}" for number in range(1000)])
        ada.keys(CTRL_C, CTRL_D)
        await ada.ends()
        self.assertEqual(ada.status, 0)

    async def test_conversation(self) -> None:
        """Two people talk; both see the same, in the same order, and who is there."""
        place = self.serve("tcp:0")
        where = f"127.0.0.1:{place.port()}"
        ada = self.mucs("--name", "ada", where)
        await ada.shows("#lobby 1 | ada at")
        bob = self.mucs("--name", "bob", where)
        await bob.shows("#lobby 2 | bob at")
        ada.enters("good morning", "/me waves")
        await bob.shows("ada: good morning", "* ada waves")
        bob.enters("hello ada", "/msg ada psst", "//slash")
        await ada.shows("bob: hello ada", "bob -> you: psst", "bob: /slash")
        await bob.shows("you -> ada: psst", "bob: /slash")
        ada.enters("/join garden", "green here")
        await ada.shows("you are ada in #garden", "ada: green here", "#garden 1")
        bob.enters("are you there?", "/nosuch")
        await ada.shows("[#lobby] bob: are you there?", "#lobby +1")
        await bob.shows("! there is no command /nosuch")
        ada.enters("/nick ada2", "/topic tea at four")
        await ada.shows("* ada is now ada2", "* ada2 changed the topic to: tea at four")
        await bob.shows("* ada is now ada2")
        ada.enters("!q")
        bob.keys(CTRL_D)
        await ada.ends()
        await bob.ends()
        self.assertEqual((ada.status, bob.status), (0, 0))

    def serves(self) -> Place:
        place = self.serve("tcp:0")
        self.where = f"{HOST}:{place.port()}"
        return place

    async def comes(self, name: str = "ada", *options: str, **env: str) -> Terminal:
        """Someone is in."""
        person = self.mucs("--name", name, *options, self.where, env=env)
        await person.shows(f"| {name} at")
        return person

    async def leaves(self, person: Terminal) -> None:
        person.keys(CTRL_C, CTRL_D)
        await person.ends()
        self.assertEqual(person.status, 0)

    async def test_keys(self) -> None:
        """Ctrl-C clears the line, Tab completes it, Up brings back what was typed; no password."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada = await self.comes()
        ada.keys("not this", CTRL_C, "/wh", TAB)
        await ada.shows("> /who")
        ada.keys(CTRL_C, "bo", TAB, "hello\r")
        await bob.sees("ada: bob: hello\r\n")
        ada.enters("/login ada secret word", " /login ada other secret", "last")
        await bob.sees("ada: last\r\n")
        ada.keys(UP, UP)
        await ada.shows("> bob: hello")
        ada.keys(CTRL_C, "/msg b", TAB, TAB, "psst\r")
        await bob.sees("ada -> you: psst\r\n")
        await self.leaves(ada)
        kept = "".join(path.read_text() for path in Path(self._state).rglob("*") if path.is_file())
        self.assertIn("bob: hello", kept)
        self.assertNotIn("secret", kept + "\n".join(ada.scrolled()))
        again = await self.comes()
        again.keys(UP, UP)
        await again.shows("> last")
        await self.leaves(again)

    async def test_narrowAndWide(self) -> None:
        """A terminal of 30 columns, emoji and wide characters, and one that changes its size."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada = self.mucs("--name", "ada", self.where, columns=30, rows=8)
        await ada.shows("#lobby 2 | ada")
        wide = "\u6f22\u5b57 \U0001f600 caf\u00e9 "
        ada.keys(wide * 3)
        bob.says(wide * 4, "after")
        await ada.shows("bob: after")
        self.assertEqual(sum("#lobby" in row for row in ada.display()), 1, ada.display())
        ada.resizes(80, 24)
        ada.keys("!\r")
        await bob.sees(f"ada: {(wide * 3)}!\r\n")
        # What is above is the terminal's to wrap anew; below nothing is left over.
        await ada.until(lambda: ada.display().count(">") == 1)
        ada.resizes(20, 5)
        ada.enters("tiny")
        await bob.sees("ada: tiny\r\n")
        await self.leaves(ada)

    async def test_colours(self) -> None:
        """Names have colours, one's own is marked in what others say; but not with NO_COLOR."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada, eve = await self.comes(), await self.comes("eve", NO_COLOR="1")
        bob.says("hello ada", "hello eve")
        await ada.shows("bob: hello eve")
        await eve.shows("bob: hello eve")
        self.assertRegex(ada.seen, rb"\x1b\[38;5;\d+mbob\x1b\[0m: \x1b\[1;7mhello ada\x1b\[0m")
        self.assertEqual((ada.seen.count(b"\a"), eve.seen.count(b"\a")), (1, 1))
        self.assertEqual(re.findall(rb"\x1b\[[\d;]*3\d[\d;]*m", eve.seen), [])
        for person in (ada, eve):
            await self.leaves(person)

    async def test_nothingReachesTheTerminal(self) -> None:
        """What a server of lines sends is cleaned like everything else."""
        place = self.serves()
        watcher = await self.person(place.port(), "bob")
        await watcher.sees("-- now\r\n")
        ada = await self.comes()
        watcher.says("\u009b31mred \u202eback", "/topic \x1b]0;title\x07")
        await ada.shows("31mred back", "]0;title")
        self.assertNotIn(b"title\x07", ada.seen)
        self.assertNotIn("\u202e".encode(), ada.seen)
        await self.leaves(ada)

    async def test_terminalIsLeftAsItWas(self) -> None:
        """Whether it leaves, is stopped by a signal, or loses its server; it says so, and how."""
        place = self.serves()
        for end, status, words in (
            (None, 0, b""),
            (SIGTERM, 128 + SIGTERM, b""),
            ("server", 1, b"mucs: The server disconnected"),
        ):
            ada = await self.comes("ada", "--give-up", "0.1")
            self.assertNotEqual(termios.tcgetattr(ada.master), ada.before)
            if end is None:
                ada.keys(CTRL_D)
            elif end == "server":
                await place.stops()
            else:
                ada.signals(end)  # type: ignore[arg-type]
            await ada.ends()
            self.assertEqual(ada.status, status)
            self.assertIn(words, ada.seen)
            self.assertNotIn(b"Traceback", ada.seen)
            self.assertEqual(termios.tcgetattr(ada.master), ada.before)

    async def test_terminalIsClosed(self) -> None:
        """The window is closed: it leaves, and ends."""
        place = self.serves()
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada = await self.comes()
        await bob.sees("* ada joined\r\n")
        os.close(ada.master)
        ada.transport.loseConnection()
        await bob.sees("* ada left\r\n")
        await ada.ends()
        self.assertIn(ada.status, (128 + SIGHUP, -SIGHUP))
        self.assertNotEqual(ada.status, -SIGKILL)


class AskingTests(TerminalCase):
    """What is lacking is asked for."""

    async def test_asks(self) -> None:
        """Name, host and port; what was used last is the answer to Enter alone."""
        place = self.serve("tcp:0")
        ada = self.mucs()
        await ada.shows("Enter your username [")
        ada.enters("ada")
        await ada.shows("Enter your serverip [localhost]:")
        ada.enters(HOST)
        await ada.shows("Enter your port [7000]:")
        ada.enters(str(place.port()))
        await ada.shows("you are ada in #lobby")
        ada.enters("!q")
        await ada.ends()
        ada = self.mucs()
        await ada.shows("Enter your username [ada]:")
        ada.enters("")
        await ada.shows(f"Enter your serverip [{HOST}]:")
        ada.enters("")
        await ada.shows(f"Enter your port [{place.port()}]:")
        ada.enters("")
        await ada.shows("you are ada in #lobby")
        ada.enters("!q")
        await ada.ends()
        self.assertEqual(ada.status, 0)

    async def test_password(self) -> None:
        """Is asked for without being shown, and goes to the server at the name prompt."""
        place = self.serve("tcp:0")
        ada = self.mucs("--login", "--name", "ada", f"{HOST}:{place.port()}")
        await ada.shows("Password of ada at")
        ada.enters("secret")
        await ada.ends()
        # This server knows no /login, or no such account.
        self.assertEqual(ada.status, 5)
        self.assertIn("mucs: the server refuses:", "\n".join(ada.display()))
        self.assertNotIn(b"secret", ada.seen)

    async def reads(self, person: Terminal, pattern: str) -> None:
        """Wait until the screen has this."""
        found = re.compile(pattern, re.S).search
        await person.until(lambda: bool(found("\n".join(person.display()))), pattern)

    async def test_passwordOfACommand(self) -> None:
        """Is asked for where nobody sees it; it is in no room, and not in the history."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        for options, name in (((), "ada"), (("--plain",), "eve")):
            ada = self.mucs(*options, "--name", name, f"{HOST}:{place.port()}")
            await ada.shows(f"you are {name} in #lobby")
            ada.enters("/register")
            await ada.shows(f"a password for {name}; an empty line: never mind")
            ada.enters("")
            await ada.shows("-- never mind")
            ada.enters("/register")
            await self.reads(ada, "-- never mind.*a password for")
            ada.enters("of the mothers")
            await ada.shows(f"-- {name} is yours now")
            ada.enters("hello", "!q")
            await bob.sees(f"{name}: hello\r\n")
            await ada.ends()
            self.assertEqual(ada.status, 0)
            self.assertNotIn(b"mothers", ada.seen)
            self.assertEqual(termios.tcgetattr(ada.master)[3], ada.before[3])
        self.assertNotIn(b"mothers", bob.seen)
        history = Path(self.environment()["XDG_STATE_HOME"], "mucs", "history").read_text()
        self.assertNotIn("mothers", history)
        self.assertIn("hello", history)

    async def test_nobodyAnswers(self) -> None:
        """Ctrl-C and Ctrl-D at a question end it, without a traceback."""
        for key, status in ((CTRL_C, 130), (CTRL_D, 2)):
            ada = self.mucs()
            await ada.shows("Enter your username")
            while ada.status is None:
                # A key in the moment between question and reading is noticed with the next one.
                ada.keys(key)
                await deferLater(reactor, 0.1)
            self.assertEqual(ada.status, status)
            self.assertNotIn(b"Traceback", ada.seen)

    async def test_plain(self) -> None:
        """Lines only, for those who want no screen: what comes, and what one types."""
        place = self.serve("tcp:0")
        bob = await self.person(place.port(), "bob")
        await bob.sees("-- now\r\n")
        ada = self.mucs("--plain", "--name", "ada", f"{HOST}:{place.port()}")
        await ada.shows("-- you are ada in #lobby with bob")
        ada.enters("hello")
        await bob.sees("ada: hello\r\n")
        bob.says("hello ada")
        await ada.shows("bob: hello ada")
        ada.keys(CTRL_C)
        await ada.shows("-- Ctrl-D or !q leaves")
        self.assertNotIn(b"\x1b", ada.seen)
        self.assertEqual(sum(row.endswith("hello") for row in ada.display()), 1)
        ada.keys(CTRL_D)
        await ada.ends()
        self.assertEqual(ada.status, 0)
