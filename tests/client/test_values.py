"""Tests of the client's small parts: addresses, options, what is kept, completion, colours."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mucs.client import __main__, kept, recalled, wording
from mucs.client.address import Address, BadAddress, address
from mucs.client.completion import COMMANDS, Completer, completions
from mucs.client.dialects import DIALECTS, packed
from mucs.client.lines import Lines
from mucs.client.options import UsageError, parse, password
from mucs.client.outbox import Outbox
from mucs.client.rooms import Room
from mucs.imucs import ICommand
from tests.client.base import Paper
from tests.house import installed

quiet = settings(deadline=None, database=None)


class AddressTests(SynchronousTestCase):
    """Where to."""

    def test_whatIsUnderstood(self) -> None:
        """Each way of writing it."""
        for text, where in (
            ("chat.example", Address("tcp", "chat.example", 7000)),
            ("chat.example:7001", Address("tcp", "chat.example", 7001)),
            ("127.0.0.1:1", Address("tcp", "127.0.0.1", 1)),
            ("[::1]:7000", Address("tcp", "::1", 7000)),
            ("::1", Address("tcp", "::1", 7000)),
            ("tls:chat.example:7443", Address("tls", "chat.example", 7443)),
            ("tls:chat.example", Address("tls", "chat.example", 7000)),
            ("tls:[::1]:7443", Address("tls", "::1", 7443)),
            ("tcp:chat.example:1", Address("tcp", "chat.example", 1)),
            ("unix:/run/mucs.sock", Address("unix", "/run/mucs.sock")),
            ("tcp:host=chat.example:port=1", Address("endpoint", "tcp:host=chat.example:port=1")),
            ("onion:abc.onion:7000", Address("endpoint", "onion:abc.onion:7000")),
        ):
            self.assertEqual(address(text), where, text)
            self.assertEqual(address(str(where)), where, text)

    def test_whatIsNot(self) -> None:
        """Is refused with a line that says what would do."""
        for text in ("", ":", "host:0", "host:99999", "a b", "tls:", "unix:", "tls:a:b:c", "[::1"):
            error = self.assertRaises(BadAddress, address, text)
            self.assertIn(" ", str(error))

    @quiet
    @given(st.text(max_size=30))
    def test_anyText(self, text: str) -> None:
        """Is one or the other."""
        try:
            address(text)
        except BadAddress as bad:
            self.assertNotIn("\n", str(bad))


class OptionsTests(SynchronousTestCase):
    """The command line."""

    def test_usualPorts(self) -> None:
        """A dialect's port is meant where none is said."""
        for name, dialect in DIALECTS.items():
            self.assertEqual(parse(["--dialect", name, "h"]).where, ("tcp", "h", dialect.port))
        self.assertEqual(parse(["h"]).where, ("tcp", "h", 7000))

    def test_whatDoesNotGoTogether(self) -> None:
        """Is refused at once."""
        for words in (
            ["--json", "h"],
            ["--dialect", "shh", "--room", "a", "h"],
            ["--dialect", "shh", "--follow", "--json", "h"],
            ["--trust", "x", "h"],
            ["--insecure", "unix:/x"],
            ["--give-up", "x", "h"],
            ["--give-up", "nan", "h"],
            ["--dialect", "morse", "h"],
        ):
            self.assertRaises(UsageError, parse, words)

    def test_whatIsLacking(self) -> None:
        """Where nobody can be asked, each is one sentence; nothing is taken from what is said."""
        self.patch(__main__, "_isThere", lambda: False)
        self.patch(__main__, "usualName", lambda: "")
        self.patch(os, "environ", {})
        for line, why in (
            ("--name ada", "say where the server is: mucs HOST:PORT"),
            ("host", "say what you want to be called: mucs --name NAME"),
            ("--dialect plain host", "say what you want to be called: mucs --name NAME"),
            ("--follow host", "say what you want to be called: mucs --name NAME"),
            ("--login --name ada host", "there is nobody to ask for the password: MUCS_PASSWORD"),
        ):
            with self.assertRaises(UsageError) as caught:
                __main__._prepare(parse(line.split()))
            self.assertIn(why, str(caught.exception))
        self.assertEqual(__main__._prepare(parse(["--dialect", "addr", "host"])), "")
        with self.assertRaises(UsageError):
            parse(["--name", "ada\nhello", "host"])

    def test_passwords(self) -> None:
        """Come from a file or the environment; or are to be asked for."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = Path(folder, "password")
        path.write_text("from a file\nsecond line\n")
        self.patch(os, "environ", {"MUCS_PASSWORD": "from outside"})
        self.assertEqual(password(parse(["h"])), "")
        self.assertEqual(password(parse(["--login", "h"])), "from outside")
        words = ["--login", "--password-file", str(path), "h"]
        self.assertEqual(password(parse(words)), "from a file")
        self.patch(os, "environ", {})
        self.assertIsNone(password(parse(["--login", "h"])))
        path.write_text("\n")
        self.assertRaises(UsageError, password, parse(words))


class KeptTests(SynchronousTestCase):
    """What is kept."""

    def setUp(self) -> None:
        self.where = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.where)
        self.patch(os, "environ", {**os.environ, "XDG_STATE_HOME": self.where})

    def test_last(self) -> None:
        """What was used last comes back; rubbish there is nothing."""
        self.assertEqual(kept.last(), {})
        kept.keep(name="ada", host="h")
        kept.keep(host="i")
        self.assertEqual(kept.last(), {"name": "ada", "host": "i"})
        for rubbish in ("[", "[]", '{"name": 7}', "\udcff"):
            (kept.folder() / "last").write_bytes(rubbish.encode("utf-8", "surrogateescape"))
            self.assertEqual(kept.last(), {})

    def test_ownerOnly(self) -> None:
        """Others cannot read what was typed."""
        path = kept.historyFile()
        assert path is not None
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)

    def test_nowhere(self) -> None:
        """Where nothing can be kept, nothing is."""
        self.patch(os, "environ", {**os.environ, "XDG_STATE_HOME": "/dev/null"})
        kept.keep(name="ada")
        self.assertEqual((kept.last(), kept.historyFile()), ({}, None))

    def test_recalled(self) -> None:
        """No line with a password, be there a file or not, and be it one of several."""
        for path in (kept.historyFile(), None):
            self.patch(recalled, "historyFile", lambda path=path: path)
            history = recalled.recalled()
            for line in ("hello", "/login ada secret", "hi\n/register secret"):
                history.append_string(line)
            self.assertEqual(history.get_strings(), ["hello"])

    def test_secrets(self) -> None:
        """Lines with a password are known, with a slip of the finger too."""
        for line in ("/login a b", " /login a b", "/LOGIN a", "/register x", "/password"):
            self.assertTrue(kept.isSecret(line), line)
        for line in ("login a b", "/loginx", "/me /login", "hello"):
            self.assertFalse(kept.isSecret(line), line)


class CompletionTests(SynchronousTestCase):
    """What Tab makes of it."""

    def test_words(self) -> None:
        """Commands, names and rooms, each where it makes sense."""
        names = ["bob", "Bea", "Fake Herleen"]
        rooms = ["lobby", "library"]
        for before, start, found in (
            ("/jo", 0, ["/join "]),
            ("/se", 0, ["/search ", "/set "]),
            ("b", 0, ["bob: ", "Bea: "]),
            ("hello B", 6, ["bob ", "Bea "]),
            ("hello @B", 7, ["bob ", "Bea "]),
            ("/msg f", 5, ['"Fake Herleen" ']),
            ('/msg "f', 5, ['"Fake Herleen" ']),
            ("/join l", 6, ["lobby", "library"]),
            ("/join #li", 6, ["library"]),
            ("", 0, []),
            ("hello ", 6, []),
            ("x", 0, []),
        ):
            self.assertEqual(completions(before, COMMANDS, names, rooms), (start, found), before)


    def test_commands(self) -> None:
        """Those of a server are known before it has told of them."""
        self.assertEqual(list(COMMANDS), sorted(f"/{name}" for name in installed(ICommand)))

    def test_again(self) -> None:
        """Tab goes on to the next choice, and back; what the server notes is learnt."""
        completer = Completer()
        for line in ("-- /wipe  wipes the table", "-- #attic 3, #Library 1"):
            completer.learn(wording.Line("note", [("note", line)]))
        completer.learn(wording.Line("say", [("text", "eve: /rofl #attention")]))
        self.assertEqual(completer.complete("/w", [], [], 1), "/who ")
        self.assertEqual(completer.complete("/who ", [], [], 1), "/wipe ")
        self.assertEqual(completer.complete("/wipe ", [], [], 1), "/who ")
        self.assertEqual(completer.complete("/who ", [], [], -1), "/wipe ")
        self.assertIsNone(completer.complete("/rof", [], [], 1))
        self.assertEqual(completer.complete("/join a", [], ["lobby"], 1), "/join attic")
        self.assertEqual(completer.complete("/join l", [], ["lobby"], 1), "/join lobby")
        self.assertEqual(completer.complete("/join lobby", [], ["lobby"], 1), "/join Library")


class WordingTests(SynchronousTestCase):
    """How things are put."""

    def test_namesInWords(self) -> None:
        """A name is called as a word, whatever its case; a part of a word is none."""
        for name, text, isSo in (
            ("ada", "hello Ada!", True),
            ("ada", "canada", False),
            ("ada", "ada", True),
            ("Fake Herleen", "tea, fake herleen?", True),
            ("", "hello", False),
            ("\u00c9ve", "\u00e9ve", True),
            ("a+b", "a+b?", True),
        ):
            self.assertEqual(wording.isNamed(name, text), isSo, (name, text))

    def test_colours(self) -> None:
        """A name has one, whatever its case."""
        self.assertEqual(wording.colour("Ada"), wording.colour("ada"))
        self.assertLess(max(wording.colour(str(n)) for n in range(99)), wording.COLOURS)


class RoomTests(SynchronousTestCase):
    """Who is in a room."""

    def test_people(self) -> None:
        """As the server tells it, and as they come and go."""
        room = Room("lobby")
        room.meets("nobody else")
        self.assertEqual(room.count, 1)
        room.meets("bob, eve and 980 others")
        self.assertEqual((list(room.people), room.count), (["bob", "eve"], 983))
        room.meets("bob and one other")
        self.assertEqual((list(room.people), room.count), (["bob"], 3))
        room.follows("join", "cyd", "", "ada")
        room.follows("nick", "cyd", "dan", "ada")
        room.follows("say", "unheard of", "", "ada")
        self.assertEqual((list(room.people), room.count), (["bob", "dan", "unheard of"], 4))
        room.follows("leave", "bob", "", "ada")
        room.follows("leave", "ada", "", "ada")
        self.assertEqual((list(room.people), room.count), (["dan", "unheard of"], 3))


class OutboxTests(SynchronousTestCase):
    """What is to be said."""

    def test_whatMayBeRepeated(self) -> None:
        """And where it is said."""
        outbox = Outbox(Clock().seconds)
        outbox.add("one", "lobby")
        outbox.add("/leave", "lobby")
        outbox.add("two", "lobby")
        requests = [item.request() for item in outbox.due()]
        self.assertEqual([request.get("room") for request in requests], ["lobby", None, None])
        self.assertEqual(requests[1]["do"], "/leave lobby")
        self.assertEqual(outbox.lost(), [])
        self.assertEqual([item.request() for item in outbox.due()], requests)

    def test_ids(self) -> None:
        """Are such as nobody else will choose."""
        outbox = Outbox(Clock().seconds)
        self.assertEqual(len({outbox.add("x", "").id for _ in range(100)}), 100)
        self.assertTrue(all(len(item.id) == 32 for item in outbox))


class LinesTests(SynchronousTestCase):
    """Servers of lines."""

    def lines(self, dialect: str) -> tuple[Lines, Paper, Clock, list[bytes]]:
        paper, clock, sent = Paper(), Clock(), list[bytes]()
        lines = Lines(paper, clock, DIALECTS[dialect], "ada")
        lines.connected(sent.append)
        return lines, paper, clock, sent

    def test_paced(self) -> None:
        """Who takes one recv() for one message gets no two at once."""
        lines, _, clock, sent = self.lines("cstring")
        lines.typed("one")
        lines.typed("two")
        self.assertEqual(sent, [b"ada\0"])
        lines.heard(b"Welcome\0")
        clock.advance(0.05)
        self.assertEqual(sent, [b"ada\0", b"one\0"])
        clock.advance(0.05)
        self.assertEqual(sent, [b"ada\0", b"one\0", b"two\0"])

    def test_typedEarly(self) -> None:
        """What was typed before there was a line comes behind the name."""
        for name in ("cstring", "shh", "fiveseat"):
            paper, clock, sent = Paper(), Clock(), list[bytes]()
            lines = Lines(paper, clock, DIALECTS[name], "ada")
            lines.typed("hello")
            lines.connected(sent.append)
            lines.heard(b"Got the connection\0")
            clock.advance(0.05)
            lines.heard(b"Welcome\0")
            clock.pump([0.05] * 3)
            self.assertEqual([each.rstrip(b"\0\n") for each in sent], [b"ada", b"hello"], name)

    def test_longLines(self) -> None:
        """Are cut so that no buffer is too small, and no character in two."""
        for name, dialect in DIALECTS.items():
            lines, _, clock, sent = self.lines(name)
            lines.heard(b"Got the connection\0hello\n")
            clock.pump([0.05] * 2)
            sent.clear()
            lines.typed("\u00e9" * 5000)
            clock.pump([0.05] * 200)
            whole = b"".join(each.rstrip(b"\0\n") for each in sent).decode()
            self.assertEqual(whole, "\u00e9" * 5000, name)
            self.assertLessEqual(max(map(len, sent)), max(dialect.size + 1, dialect.pad), name)

    def test_packed(self) -> None:
        """As the reports' clients send it."""
        self.assertEqual(packed(DIALECTS["cstring"], b"hi"), b"hi\0")
        self.assertEqual(packed(DIALECTS["shh"], b"hi"), b"hi")
        self.assertEqual(packed(DIALECTS["hithere"], b"hi"), b"hi\n")
        self.assertEqual(packed(DIALECTS["fiveseat"], b"hi"), b"hi\n" + b"\0" * 253)
        self.assertEqual(packed(DIALECTS["addr"], b"hi"), b"hi\n")

    @quiet
    @given(st.sampled_from(sorted(DIALECTS)), st.lists(st.integers(0, 90), max_size=6))
    def test_howBytesAreCutIsNoMatter(self, name: str, cuts: list[int]) -> None:
        """The same lines come of every split, as long as the pieces come close together."""
        dialect = DIALECTS[name]
        end = dialect.frame
        greeting = dialect.greeting or f"hi{end.decode()}"
        text = f"{greeting}bob: caf\u00e9{end.decode()}eve: \U0001f600 tea{end.decode()}"
        whole, shown = text.encode(), []
        for bounds in ([0, len(whole)], [0, *sorted(cuts), len(whole)]):
            lines, paper, clock, _ = self.lines(name)
            for start, stop in zip(bounds, bounds[1:], strict=False):
                lines.heard(whole[start:stop])
            clock.advance(1)
            shown.append(paper.lines)
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(shown[0][1:], ["bob: caf\u00e9", "eve: \U0001f600 tea"])
