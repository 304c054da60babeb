"""
The clients of the five reports, against the server that each was written for: MUCS.

They are programs of their own, in C{tests/live/clients}, driven through pipes:

C{cstring.cpp}
    The Linux client of the first report, as it is printed, but for the line breaks that the page
    put into comments and words.  Its C{cout} would keep what it shows until a line is typed, as it
    is no terminal, so C{stdbuf} makes it write line by line.
C{shh.py}
    The second report's two functions, and around them what they need.
C{hithere.py}
    The third report's client is Python 2; this is the same in Python 3.
C{fiveseat.py}
    The fourth report prints none; this one does what its figures show and its server needs.
C{addr.py}
    The fifth report's, with a TCP socket in place of its UDP socket.

What is seen is compared with the reports' figures, where they show it, and their servers' code.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which
from signal import SIGINT, SIGKILL

from twisted.trial.unittest import SkipTest

from tests.live.inside import HOST, LiveCase, Person, Place, Program

CLIENTS = Path(__file__).resolve().parent / "clients"

#: Lines said at once; all of them are let through without a pause.
LONG = 200
SHORT = 30
USUAL = LONG if os.environ.get("MUCS_LONG") else SHORT

#: A burst comes batch after batch, and these clients lose what comes while they are kept from
#: running for longer than the 40 ms between two.  That is the machine's fault, not the server's.
TRIES = 3


class ClientCase(LiveCase):
    """A test with original clients."""

    def compile(self) -> Path:
        """The C++ client, as a program."""
        if which("g++") is None:
            raise SkipTest("there is no g++ here")
        program = self.folder() / "client"
        argv = ["g++", "-pthread", "-o", str(program), str(CLIENTS / "cstring.cpp")]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return program

    def python(self, name: str, *argv: str) -> Program:
        """A client in Python."""
        return self.launch(sys.executable, CLIENTS / name, *argv)

    async def native(self, place: Place, at: int = 1) -> Person:
        """Someone who speaks natively, and is in."""
        person = await self.person(place.port(at), "nat")
        await person.sees("-- now\r\n")
        return person

    async def cstring(self, client: Path, place: Place, name: str, at: int = 0) -> Program:
        """Someone who comes with C{cstring.cpp}, and is in."""
        program = self.launch("stdbuf", "-oL", client)
        program.types(name, HOST, str(place.port(at)))
        await program.sees(f'Welcome to Server "{place.hall.called}", {name}\n')
        return program

    async def shh(self, place: Place, name: str, at: int = 0) -> Program:
        """Someone who comes with C{shh.py}, and is in."""
        program = self.python("shh.py")
        program.types(str(place.port(at)), HOST)
        await program.sees("Welcome to SHH Chat server, enter your name and join the room!\n")
        program.types(name)
        await program.sees(f"Hello {name}! If you ever want to quit , type !q")
        await program.sees(" to log out of the chat room.\n")
        return program

    async def hithere(self, place: Place, at: int = 0) -> Program:
        """Someone who comes with C{hithere.py}, and is in."""
        program = self.python("hithere.py", str(place.port(at)))
        await program.sees("Hi there, ~from server..!\n")
        return program

    async def fiveseat(self, place: Place, name: str, watcher: Person, at: int = 0) -> Program:
        """Someone who comes with C{fiveseat.py}, and is in, as only C{watcher} is told."""
        program = self.python("fiveseat.py", str(place.port(at)))
        await program.sees("Got the connection done successfully\n")
        program.types(name)
        await watcher.sees(f"* {name} joined\r\n")
        return program

    async def addr(self, place: Place, at: int = 0) -> Program:
        """Someone who comes with C{addr.py}, and is in."""
        program = self.python("addr.py", str(place.port(at)))
        await program.sees("Welcome to this chatroom.\n")
        return program


class CStringTests(ClientCase):
    """The client in C++, which takes what one C{recv} of 256 bytes gives it for one C string."""

    async def test_figure(self) -> None:
        """
        What Yash_9023 sees in the report's figure, and what the server's console says in it; and
        what its code says to the others of those who come and go.
        """
        client = self.compile()
        console = self.console()
        place = self.serve("cstring@tcp:0", options=["--name", "Developer"])
        khushal = await self.cstring(client, place, "Khushal_9021")
        yash = await self.cstring(client, place, "Yash_9020")
        shrish = await self.cstring(client, place, "Shrish_9022")
        await khushal.sees('"Yash_9020" joined the chat room\n"Shrish_9022" joined the chat room\n')
        user = await self.cstring(client, place, "Yash_9023")
        for speaker, name, text in (
            (khushal, "Khushal_9021", "HHello"),
            (yash, "Yash_9020", "HIIIIII gayssssssss"),
            (shrish, "Shrish_9022", "Hiii"),
            (yash, "Yash_9020", "Hii Shirish"),
            (shrish, "Shrish_9022", "Hii Bro"),
        ):
            speaker.types(text)
            await user.sees(f"{name}: {text}\n")
        shrish.signals(SIGINT)
        await user.sees('"Shrish_9022" disconnected from the server\n')
        self.assertEqual(
            user.lines(),
            [
                "",
                "\t\t\t\t\t*****",
                "\t\t\t\t\t* WELCOME TO CHAT ROOM *",
                "\t\t\t\t\t*****",
                "Enter your username",
                "Enter your serverip",
                "Enter your port",
                'Welcome to Server "Developer", Yash_9023',
                "Khushal_9021: HHello",
                "Yash_9020: HIIIIII gayssssssss",
                "Shrish_9022: Hiii",
                "Yash_9020: Hii Shirish",
                "Shrish_9022: Hii Bro",
                '"Shrish_9022" disconnected from the server',
                "",
            ],
        )
        self.assertEqual(
            [re.sub(r":\d+$", ":PORT", line) for line in console],
            [
                f'"{name}" connected to the server from IP {HOST}:PORT'
                for name in ("Khushal_9021", "Yash_9020", "Shrish_9022", "Yash_9023")
            ]
            + ['"Shrish_9022" disconnected from the server'],
        )

    async def test_serverGoes(self) -> None:
        """It is told when the server stops, shows that it has gone, and ends by itself."""
        place = self.serve("cstring@tcp:0")
        ada = await self.cstring(self.compile(), place, "ada")
        await place.stops()
        await ada.sees("! the server is shutting down\n", "The Server Disconnected\n")
        ada.types("")
        await ada.ends()
        self.assertEqual(ada.status, 0)

    async def test_takenName(self) -> None:
        """A name that is taken is refused in words, and what is typed next is the name."""
        client = self.compile()
        place = self.serve("cstring@tcp:0")
        ada = await self.cstring(client, place, "ada")
        other = self.launch("stdbuf", "-oL", client)
        other.types("ada", HOST, str(place.port()))
        await other.sees("! the name ada is taken; choose another\n-- what is your name?\n")
        other.types("bob")
        await other.sees('Welcome to Server "MUCS", bob\n')
        await ada.sees('"bob" joined the chat room\n')

    async def test_quits(self) -> None:
        """C{!q} leaves, and is not shown to anyone."""
        client = self.compile()
        place = self.serve("cstring@tcp:0")
        ada = await self.cstring(client, place, "ada")
        bob = await self.cstring(client, place, "bob")
        bob.types("!q")
        await bob.sees("The Server Disconnected\n")
        self.assertEqual(
            await ada.sees('"bob" disconnected from the server\n'),
            b'"bob" joined the chat room\n"bob" disconnected from the server\n',
        )

    async def test_noMoreInput(self) -> None:
        """
        At the end of its input it sends empty strings without a pause.  That holds up nobody, is
        shown to nobody, and it still sees what others say.
        """
        client = self.compile()
        place = self.serve("cstring@tcp:0")
        ada = await self.cstring(client, place, "ada")
        bob = await self.cstring(client, place, "bob")
        await ada.sees('"bob" joined the chat room\n')
        bob.closes()
        ada.types("are you there?")
        await bob.sees("ada: are you there?\n")
        eve = await self.cstring(client, place, "eve")
        eve.types("I am")
        self.assertEqual(await ada.sees("eve: I am\n"), b'"eve" joined the chat room\neve: I am\n')


class ShhTests(ClientCase):
    """The client that prints what each C{recv} gives it on a line of its own."""

    async def test_figure(self) -> None:
        """What Saif, Harika and Herleen see in the last of the report's figures."""
        console = self.console()
        place = self.serve("shh@tcp:0")
        people = {}
        for name in ("Saif", "Harika", "Herleen"):
            people[name] = await self.shh(place, name)
            for other in list(people)[:-1]:
                await people[other].sees(f"{name} has joined the room!\n")
        for name, text in (
            ("Saif", "Hello guys"),
            ("Harika", "Hey saif, what are you doing"),
            ("Herleen", "hi everyone"),
            ("Harika", "I am studying for ccn midterm"),
            ("Herleen", "Oh great!, we should study in a group"),
            ("Saif", "Sounds like a good plan herleen!"),
            ("Saif", "i have to go now"),
            ("Saif", "bye bye"),
        ):
            people[name].types(text)
            for person in people.values():
                await person.sees(f"->{name}: {text}\n")
        people["Saif"].types("!q")
        for name in ("Harika", "Herleen"):
            await people[name].sees("Saif has left the chat room.\n")
        await people["Saif"].ends()
        self.assertEqual(people["Saif"].status, 0)

        welcome = "Welcome to SHH Chat server, enter your name and join the room!"
        hello = "Hello {}! If you ever want to quit , type !q to log out of the chat room."
        said = [
            "->Saif: Hello guys",
            "->Harika: Hey saif, what are you doing",
            "->Herleen: hi everyone",
            "->Harika: I am studying for ccn midterm",
            "->Herleen: Oh great!, we should study in a group",
            "->Saif: Sounds like a good plan herleen!",
            "->Saif: i have to go now",
            "->Saif: bye bye",
        ]
        joined = ["Harika has joined the room!", "Herleen has joined the room!"]
        left = "Saif has left the chat room."
        for name, lines in (
            ("Saif", [*joined, *said, "!q", ""]),
            ("Harika", [joined[1], *said, left, ""]),
            ("Herleen", [*said, left, ""]),
        ):
            seen = people[name].lines()
            # Until it notices that it is to end, it prints nothing, as often as it receives that.
            while seen[-2:] == ["", ""]:
                seen.pop()
            self.assertEqual(
                seen, [f"Enter port: Enter host: {welcome}", hello.format(name), *lines]
            )
        self.assertEqual(
            [re.sub(r":\d+", ":PORT", line) for line in console],
            [f"{HOST}:PORT has connected."] * 3 + [f"{HOST}:PORT has logged out ."],
        )
        self.assertEqual(console[0].split()[0], console[3].split()[0])

    async def test_spaces(self) -> None:
        """A name may hold a space, as in the figure; in a command it is quoted."""
        place = self.serve("shh@tcp:0")
        saif = await self.shh(place, "Saif")
        fake = await self.shh(place, "Fake Herleen")
        fake.types("Hello Friends")
        await saif.sees("Fake Herleen has joined the room!\n", "->Fake Herleen: Hello Friends\n")
        saif.types('/msg "Fake Herleen" hi')
        await fake.sees("Saif -> you: hi\n")

    async def test_serverGoes(self) -> None:
        """It is told when the server stops, in a message of its own."""
        place = self.serve("shh@tcp:0")
        saif = await self.shh(place, "Saif")
        await place.stops()
        # It does not look for the end of the connection, but shows empty messages for ever.
        await saif.sees("! the server is shutting down\n\n")


class HiThereTests(ClientCase):
    """The client that knows people by their addresses."""

    async def test_talk(self) -> None:
        """
        What the clients of the report's code show, and what its figure of the server's console
        shows.
        """
        console = self.console()
        place = self.serve("hithere@tcp:0")
        first = await self.hithere(place)
        second = await self.hithere(place)
        second.types("hello")
        await second.sees("<You>hello\n")
        port = [line.removeprefix(f"{HOST}:").split()[0] for line in console]
        await first.sees(f"<[{HOST}] :{port[1]}> => hello\n")
        first.types("hii")
        await first.sees("<You>hii\n")
        await second.sees(f"<[{HOST}] :{port[0]}> => hii\n")
        second.signals(SIGINT)
        await second.ends()
        third = await self.hithere(place)
        third.types("anyone?")
        await first.sees(f"<[{HOST}] :{console[4].split()[0].split(':')[1]}> => anyone?\n")
        # The line ends that were sent, and those of the client's print.
        self.assertEqual(
            first.lines(),
            [
                "Hi there, ~from server..!",
                f"<[{HOST}] :{port[1]}> => hello",
                "",
                "<You>hii",
                f"<[{HOST}] :{console[4].split()[0].split(':')[1]}> => anyone?",
                *[""] * 2,
            ],
        )
        self.assertEqual(
            console[:4],
            [
                f"{HOST}:{port[0]} connected",
                f"{HOST}:{port[1]} connected",
                f"[{HOST}]: {port[1]} => hello",
                f"[{HOST}]: {port[0]} => hii",
            ],
        )


class FiveSeatTests(ClientCase):
    """The client whose server has five seats, and says that it has processed a request."""

    async def test_figures(self) -> None:
        """
        What the report's figures show: three talk, one fails, the others go on; each line is
        acknowledged to its speaker and told to the others.
        """
        console = self.console()
        place = self.serve("fiveseat@tcp:0", "tcp:0")
        nat = await self.native(place)
        names = ("Client 1", "Client 2", "Client 3")
        people = [await self.fiveseat(place, name, nat) for name in names]
        for name, person in zip(names, people, strict=True):
            person.types(f"Hello from {name}")
            await person.sees("Processed your request\n")
            for other in people:
                if other is not person:
                    await other.sees(f"{name}: Hello from {name}\n")
        # Closed in disorder: what it was sent and has not read makes it a fault.
        people[1].signals(SIGKILL)
        await people[2].sees('"Client 2" disconnected from the server\n')
        people[2].types("What hapenned to Client 2")
        await people[0].sees("Client 3: What hapenned to Client 2\n")
        people[0].types("Don't know")
        await people[2].sees("Client 1: Don't know\n")
        await people[0].sees("Processed your request\n")
        self.assertEqual(
            people[0].lines(),
            [
                "Got the connection done successfully",
                "Processed your request",
                "Client 2: Hello from Client 2",
                "Client 3: Hello from Client 3",
                '"Client 2" disconnected from the server',
                "Client 3: What hapenned to Client 2",
                "Processed your request",
                "",
            ],
        )
        said = [line for line in console if line.startswith("The message")]
        self.assertEqual(
            said,
            [
                f"The message received from the client is : {text}"
                for text in (
                    "Hello from Client 1",
                    "Hello from Client 2",
                    "Hello from Client 3",
                    "What hapenned to Client 2",
                    "Don't know",
                )
            ],
        )
        self.assertEqual(console.count("Data on port...Processing..."), 3)
        sockets = [line.split(": ")[1] for line in console if line.startswith("Processing the new")]
        self.assertEqual([sockets.index(number) for number in sockets], [0, 1, 2, 2, 0])

    async def test_noWordsNoLine(self) -> None:
        """What this system says nothing of, such as a join, does not become an empty line."""
        place = self.serve("fiveseat@tcp:0", "tcp:0")
        nat = await self.native(place)
        fay = await self.fiveseat(place, "fay", nat)
        gil = await self.fiveseat(place, "gil", nat)
        eve = await self.person(place.port(1))
        fay.types("hello")
        await nat.sees("fay: hello\r\n")
        # The join waits for the 40 ms to pass in which nothing is sent to fay.
        eve.says("eve")
        await nat.sees("* eve joined\r\n")
        # They have passed when gil has been sent something twice.
        for word in ("one", "two"):
            nat.says(f"/msg gil {word}")
            await gil.sees(f"nat -> you: {word}\n")
        nat.says("hello fay")
        self.assertEqual(
            await fay.sees("nat: hello fay\n"), b"Processed your request\nnat: hello fay\n"
        )

    async def test_waitingRoom(self) -> None:
        """
        The sixth and the seventh wait: they are told their places, and are let in in their order
        as soon as someone leaves, in good order or not.
        """
        place = self.serve("fiveseat@tcp:0", "tcp:0")
        nat = await self.native(place)
        seated = [await self.fiveseat(place, f"Client {number}", nat) for number in range(1, 6)]
        sixth = self.python("fiveseat.py", str(place.port()))
        await sixth.sees("You are number 1 in the queue.\n")
        seventh = self.python("fiveseat.py", str(place.port()))
        await seventh.sees("You are number 2 in the queue.\n")
        seventh.types("let me in")
        await seventh.sees("You are number 2 in the queue.\n")
        seated[2].closes()
        await seated[2].sees("The connection is closed\n")
        await sixth.sees("Got the connection done successfully\n")
        await seventh.sees("You are number 1 in the queue.\n")
        seated[0].signals(SIGKILL)
        await seventh.sees("Got the connection done successfully\n")
        seventh.types("Client 7", "at last")
        await seventh.sees("Processed your request\n")
        await seated[4].sees(
            '"Client 3" disconnected from the server\n',
            '"Client 1" disconnected from the server\n',
            "Client 7: at last\n",
        )


class AddrTests(ClientCase):
    """The client that shows people as Python shows an address."""

    async def test_talk(self) -> None:
        """What the clients of the report's code show, and its server's console."""
        console = self.console()
        place = self.serve("addr@tcp:0")
        first = await self.addr(place)
        second = await self.addr(place)
        port = [re.sub(r".*, (\d+)\) connected", r"\1", line) for line in console]
        second.types("hello")
        await first.sees(f"('{HOST}', {port[1]}): hello\n")
        first.types("hii")
        await second.sees(f"('{HOST}', {port[0]}): hii\n")
        second.signals(SIGKILL)
        await second.ends()
        # It also prints the sockets it is to read, and a line end of its own.
        shown = [line for line in first.lines() if line and not line.startswith("[<")]
        self.assertEqual(
            shown, ["Connected!", "Welcome to this chatroom.", f"('{HOST}', {port[1]}): hello"]
        )
        self.assertEqual(
            console,
            [
                f"('{HOST}', {port[0]}) connected",
                f"('{HOST}', {port[1]}) connected",
                f"('{HOST}', {port[1]}): hello",
                f"('{HOST}', {port[0]}): hii",
            ],
        )


class TogetherTests(ClientCase):
    """All of them in one room."""

    async def test_oneRoom(self) -> None:
        """Everyone sees what everyone says, each in the words of their own system."""
        dialects = ("cstring", "shh", "hithere", "fiveseat", "addr")
        console = self.console()
        place = self.serve(*(f"{dialect}@tcp:0" for dialect in dialects), "tcp:0")
        cat = await self.cstring(self.compile(), place, "cat", 0)
        shy = await self.shh(place, "shy", 1)
        hit = await self.hithere(place, 2)
        nat = await self.native(place, 5)
        fay = await self.fiveseat(place, "fay", nat, 3)
        add = await self.addr(place, 4)
        [hitPort] = re.findall(rf"{HOST}:(\d+) connected$", "\n".join(console), re.M)
        [addPort] = re.findall(rf"'{HOST}', (\d+)\) connected$", "\n".join(console), re.M)
        hitName, addName = f"{HOST}:{hitPort}", f"{HOST}:{addPort}"

        nat.says("hi, I am nat")
        for person, words in (
            (cat, "nat: hi, I am nat\n"),
            (shy, "->nat: hi, I am nat\n"),
            (hit, "<[nat]> => hi, I am nat\n"),
            (fay, "nat: hi, I am nat\n"),
            (add, "('nat'): hi, I am nat\n"),
        ):
            await person.sees(words)
        for person, name in (
            (cat, "cat"),
            (shy, "shy"),
            (hit, hitName),
            (fay, "fay"),
            (add, addName),
        ):
            person.types(f"I am {name}")
            await nat.sees(f"{name}: I am {name}\r\n")
        await cat.sees("shy: I am shy\n", f"{hitName}: I am {hitName}\n", "fay: I am fay\n")
        await shy.sees("->cat: I am cat\n", "->shy: I am shy\n", f"->{addName}: I am {addName}\n")
        await hit.sees(f"<[{HOST}] :{addPort}> => I am {addName}\n")
        self.assertIn(b"<[shy]> => I am shy\n", hit.seen)
        await add.sees("('cat'): I am cat\n", f"('{HOST}', {hitPort}): I am {hitName}\n")
        await fay.sees("cat: I am cat\n", f"{hitName}: I am {hitName}\n")

    async def test_noWords(self) -> None:
        """What a system has no words for is said in the native wording, and commands work."""
        place = self.serve("cstring@tcp:0", "addr@tcp:0")
        cat = await self.cstring(self.compile(), place, "cat", 0)
        add = await self.addr(place, 1)
        cat.types("/me waves")
        await add.sees("* cat waves\n")
        cat.types("//me waves")
        await add.sees("('cat'): /me waves\n")
        cat.types("/nick dog")
        await cat.sees("-- you are now dog\n")
        await add.sees("* cat is now dog\n")
        add.types("/topic cats and dogs")
        await cat.sees(" changed the topic to: cats and dogs\n")
        add.types("/nosuch")
        await add.sees("! there is no command /nosuch; ")


class BurstTests(ClientCase):
    """Many lines said at once arrive in each client whole, in order, and none of them is lost."""

    async def arrives(
        self, place: Place, client: Program, form: str, count: int, line: bool = False
    ) -> None:
        """
        See a burst arrive.

        @param form: how the client shows what C{eve} says.
        @param line: whether the client ends with a line of its own whatever came at once.
        """
        texts = [f"this is line {number} of many" for number in range(count)]
        expected = [form.format(text) for text in [*texts, "over"]]
        shown: list[str] = []
        eve = await self.person(place.port(1), "eve", "ready")
        await client.sees(form.format("ready\n"))
        for _ in range(TRIES):
            eve.says(*texts, "over")
            shown = (await client.sees("over\n")).decode().split("\n")[:-1]
            if line:
                shown = [each for each in shown if each and not each.startswith("[<")]
            if shown == expected:
                break
        self.assertEqual(shown, expected)

    def burst(self, dialect: str) -> Place:
        """A service that does not slow down those who speak fast."""
        return self.serve(f"{dialect}@tcp:0", "tcp:0", toml="[limits]\nrate = 0\n")

    async def test_cstring(self) -> None:
        """Though it shows only the first of what comes at once."""
        place = self.burst("cstring")
        cat = await self.cstring(self.compile(), place, "cat")
        await self.arrives(place, cat, "eve: {}", LONG)

    async def test_shh(self) -> None:
        """Though it shows what comes at once as one."""
        place = self.burst("shh")
        shy = await self.shh(place, "shy")
        await self.arrives(place, shy, "->eve: {}", USUAL)

    async def test_fiveseat(self) -> None:
        """Though it shows only the first of what comes at once."""
        place = self.burst("fiveseat")
        fay = await self.fiveseat(place, "fay", await self.native(place))
        await self.arrives(place, fay, "eve: {}", USUAL)

    async def test_hithere(self) -> None:
        """
        It takes 2048 bytes at a time, and ends with a line end of its own whatever came: of
        what is longer it would break a line.
        """
        place = self.burst("hithere")
        hit = await self.hithere(place)
        await self.arrives(place, hit, "<[eve]> => {}", SHORT, line=True)

    async def test_addr(self) -> None:
        """So does this one; and it shows the sockets it is to read."""
        place = self.burst("addr")
        add = await self.addr(place)
        await self.arrives(place, add, "('eve'): {}", SHORT, line=True)
