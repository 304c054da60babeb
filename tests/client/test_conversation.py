"""Tests of L{mucs.client.conversation}, with a real server: what is said is said once."""

from __future__ import annotations

from mucs.client.wording import LOG_IN
from tests.client.base import GuestCase, ToldCase


class TalkTests(GuestCase):
    """People talk."""

    def test_ownLinesStandWhereTheyAreStored(self) -> None:
        """So everyone sees the same order."""
        ada = self.guest("ada")
        bob = self.house.enters("bob")
        ada.client.typed("one")
        bob.sends(b"two\r\n")
        ada.client.typed("three")
        self.assertEqual(ada.client.talk.waiting(), ["one", "three"])
        ada.reads()
        self.assertEqual(ada.seen(), ["* bob joined", "ada: one", "bob: two", "ada: three"])
        self.assertEqual(ada.client.talk.waiting(), [])
        self.assertEqual(bob.lines(), ["ada: one", "ada: three"])

    def test_commands(self) -> None:
        """What they answer is shown, and what they say."""
        ada = self.guest("ada")
        bob = self.house.enters("bob")
        ada.reads()
        ada.seen()
        ada.types("/me waves", "/msg bob psst", "/nosuch", "//slash", "/topic tea", "/who")
        # Private words are stored on their own.
        self.assertEqual(
            sorted(ada.seen()),
            [
                "* ada changed the topic to: tea",
                "* ada waves",
                "-- #lobby has 2 in it: ada, bob",
                "ada: /slash",
                "you -> bob: psst",
            ],
        )
        self.assertEqual(
            ada.paper.failures, [("", "there is no command /nosuch; /help lists them all")]
        )
        self.assertEqual(ada.client.talk.unfinished, 0)
        bob.says("/msg ada answer")
        ada.reads()
        ada.types("/reply and back")
        self.assertEqual(ada.seen(), ["bob -> you: answer", "you -> bob: and back"])

    def test_tell(self) -> None:
        """A private word to someone who is there is shown as one."""
        ada = self.guest("ada")
        self.house.enters("bob")
        ada.reads()
        ada.seen()
        ada.types("/tell bob psst")
        self.assertEqual(ada.seen()[:1], ["you -> bob: psst"])
        self.assertEqual(ada.client.talk.unfinished, 0)

    def test_rooms(self) -> None:
        """What is typed goes where one is by then; other rooms are named, and counted."""
        ada = self.guest("ada")
        bob = self.house.enters("bob")
        ada.types("/join garden", "in the garden", "/join lobby", "in the lobby")
        self.assertIn("[#garden] ada: in the garden", ada.seen())
        self.assertEqual(bob.lines(), ["ada: in the lobby"])
        ada.types("/join garden")
        bob.says("hello")
        ada.reads()
        self.assertEqual(ada.seen()[-1], "[#lobby] bob: hello")
        talk: object = ada.client.talk
        self.assertEqual([room.unread for room in talk.rooms.values()], [1, 0])  # type: ignore[attr-defined]
        ada.types("/leave")
        self.assertEqual(ada.seen(), ["-- you left #garden", "-- you speak in #lobby now"])
        self.assertEqual(ada.client.talk.current, "lobby")  # type: ignore[attr-defined]

    def test_earlierThings(self) -> None:
        """Are shown to whoever comes, and ring no bell."""
        self.house.enters("bob").says("ada: wake up", "and more")
        ada = self.guest("ada")
        ada.reads()
        self.assertEqual(ada.paper.bells, 0)
        self.assertEqual(len(ada.paper.events), 2)

    def test_bell(self) -> None:
        """Rings for one's name, as a word, and for private words."""
        ada = self.guest("ada")
        bob = self.house.enters("bob")
        bob.says("ADA, tea?", "adage", "/msg ada psst", "canada")
        ada.reads()
        self.assertEqual(ada.paper.bells, 2)

    def test_takenName(self) -> None:
        """Another one is asked for, and what is typed next is it."""
        self.house.enters("ada")
        ada = self.guest("ada")
        self.assertTrue(ada.client.talk.asks)
        ada.types("/who", "eve", "hello")
        self.assertEqual(ada.client.talk.name, "eve")
        self.assertEqual(ada.seen()[-1], "eve: hello")

    def test_refusedSpeech(self) -> None:
        """Says which of several things it was."""
        ada = self.guest("ada")
        ada.types("/join garden")
        self.house.connect("native", "bob")
        ada.client.talk.current = "nowhere"  # type: ignore[attr-defined]
        ada.types("x")
        self.assertEqual(len(ada.paper.failures), 1)
        text, why = ada.paper.failures[0]
        self.assertEqual((text, "nowhere" in why), ("x", True))
        self.assertEqual(ada.client.talk.unfinished, 0)


class JsonTests(GuestCase):
    """A listener of its own for json."""

    def test_itIsTheSame(self) -> None:
        """Nothing but the greeting is another."""
        ada = self.guest("ada", "json")
        ada.types("hello")
        ada.types("/who")
        self.assertEqual(ada.seen(), ["ada: hello", "-- #lobby has 1 in it: ada"])
        ada.isCut()
        ada.client.typed("again")
        ada.comes()
        self.assertEqual(ada.seen()[-1], "ada: again")


class LostTests(GuestCase):
    """The line is lost, and found again."""

    def test_nothingMissedNothingTwice(self) -> None:
        """Neither what was stored without an ack, nor what was not, nor what came meanwhile."""
        ada = self.guest("ada")
        bob = self.house.enters("bob")
        ada.types("/join garden", "/join lobby")
        ada.seen()
        ada.client.typed("stored, and its ack is lost")
        self.house.turn()
        ada.isCut()
        ada.client.typed("while there is no line")
        bob.says("are you there?")
        ada.comes()
        shown = ada.seen()
        said = ["stored, and its ack is lost", "are you there?", "while there is no line"]
        self.assertEqual(
            [line for line in shown if not line.startswith("-- ")],
            [f"{who}: {text}" for who, text in zip(("ada", "bob", "ada"), said, strict=True)],
        )
        self.assertEqual(
            [event.text for event in self.house.stored() if event.kind == "say"], said
        )
        self.assertEqual(ada.client.talk.current, "lobby")  # type: ignore[attr-defined]
        self.assertEqual(shown[0], "-- the line is lost; trying again, and what you type is kept")
        self.assertEqual(shown.count("-- you are back"), 1)

    def test_neverArrived(self) -> None:
        """What did not reach the server is sent again."""
        ada = self.guest("ada")
        ada.person.wire.protocol.dataReceived = lambda data: None
        ada.client.typed("lost on the way")
        ada.isCut()
        ada.comes()
        self.assertEqual(ada.seen()[-1], "ada: lost on the way")
        said = [event.text for event in self.house.stored() if event.kind == "say"]
        self.assertEqual(said, ["lost on the way"])

    def test_joinOnTheWay(self) -> None:
        """What is typed behind a /join is said there, even if the line is lost in between."""
        ada = self.guest("ada")
        ada.isCut()
        ada.client.typed("/join garden")
        ada.client.typed("in the garden")
        ada.comes()
        said = [event.text for event in self.house.stored("garden") if event.kind == "say"]
        self.assertEqual(said, ["in the garden"])

    def test_whatCannotBeRepeated(self) -> None:
        """Is not; and it is said that nobody knows."""
        ada = self.guest("ada")
        self.house.enters("bob")
        for line in ("/msg bob psst", "/topic tea", "/undo", "/me waves", "/login ada secret"):
            ada.client.typed(line)
        self.house.turn()
        ada.isCut()
        why = "the line was lost, and it is not known whether this was done"
        self.assertEqual(
            ada.paper.failures,
            [(text, why) for text in ("/msg bob psst", "/topic tea", "/undo", "/login ...")],
        )
        ada.comes()
        said = [event.text for event in self.house.stored() if event.kind == "me"]
        self.assertEqual(said, ["waves"])

    def test_nameStillThere(self) -> None:
        """Where the server has not noticed that the line is lost, the name is tried again."""
        ada = self.guest("ada")
        before = ada.person
        ada.client.lost()
        ada.client.typed("hello")
        ada.comes()
        shown = ada.seen()
        self.assertEqual(len([line for line in shown if "is taken" in line]), 1)
        self.house.waits(2.5, 0.5)
        ada.reads()
        before.resets()
        self.house.waits(2.5, 0.5)
        ada.reads()
        shown = ada.seen()
        self.assertEqual([line for line in shown if "is taken" in line], [])
        self.assertEqual(shown[-1], "ada: hello")


class ToldTests(ToldCase):
    """What a server says."""

    def test_gapAndRepeat(self) -> None:
        """Numbers that were seen are not shown again; a gap is."""
        self.client()
        self.enters()

        def said(seq: int) -> dict[str, object]:
            return {"event": "say", "room": "lobby", "seq": seq, "author": "bob", "text": str(seq)}

        self.tells(said(2), said(3), said(2), said(3))
        self.tells({"gap": {"room": "lobby", "after": 3, "skipped": 7}}, said(10), said(11))
        self.assertEqual(
            self.paper.seen(),
            [
                "bob: 2",
                "bob: 3",
                "-- 7 messages skipped; /history 7 before 11 shows them",
                "bob: 11",
            ],
        )
        self.it.lost()
        self.connects()
        self.tells("-- welcome to x")
        self.assertEqual(self.asked(), [{"name": "ada", "rooms": {"lobby": 11}}])

    def test_owedComings(self) -> None:
        """Someone who came while nothing could be stored is shown once."""
        self.client()
        self.enters()
        join = {"event": "join", "room": "lobby", "author": "cyd", "time": 0}
        self.tells({**join, "seq": 0}, {**join, "seq": 2}, {**join, "author": "dan", "seq": 3})
        self.assertEqual(self.paper.seen(), ["* cyd joined", "* dan joined"])

    def test_unknownIsRetried(self) -> None:
        """With the same id; what is not stored, is not."""
        self.client()
        self.enters()
        self.it.typed("hello")
        (asked,) = self.asked()
        nak = {"id": asked["id"], "room": "lobby", "why": "unknown, retry with the same id"}
        self.tells({"nak": nak})
        self.assertEqual(self.asked(), [])
        self.clock.advance(1)
        self.assertEqual(self.asked(), [asked])
        self.tells({"nak": {**nak, "why": "not stored: the log is full"}})
        self.assertEqual(self.paper.failures, [("hello", "not stored: the log is full")])
        self.assertEqual(self.it.talk.unfinished, 0)

    def test_storedBeforeTheLineWasLost(self) -> None:
        """What comes with our id is known to be stored, and is not sent again."""
        self.client()
        self.enters()
        self.it.typed("hello")
        (asked,) = self.asked()
        self.it.lost()
        self.connects()
        self.paper.seen()
        event = {"event": "say", "room": "lobby", "seq": 2, "author": "ada", "text": "hello"}
        self.tells("-- welcome to x", {"entered": "lobby", "name": "ada", "others": "bob"})
        self.tells({**event, "id": asked["id"], "past": True}, {"now": "lobby", "seq": 4})
        self.assertEqual(self.paper.seen(), ["ada: hello", "-- you are back"])
        self.assertEqual(self.asked(), [{"name": "ada", "rooms": {"lobby": 1}}])
        self.assertEqual(self.it.talk.unfinished, 0)

    def test_window(self) -> None:
        """No more than some are on their way at a time."""
        self.client()
        self.enters()
        for number in range(250):
            self.it.typed(str(number))
        asked = self.asked()
        self.assertEqual(len(asked), 100)
        for seq, each in enumerate(asked, 2):
            self.tells({"ack": {"room": "lobby", "seq": seq, "time": 1, "id": each["id"]}})
        self.assertEqual([each["say"] for each in self.asked()], [str(n) for n in range(100, 200)])

    def test_login(self) -> None:
        """A name that belongs to an account is refused, and given to whoever logs in."""
        self.client(password="secret word", rooms={"garden": 0})
        self.tells("-- welcome to x")
        self.assertEqual(
            self.asked(),
            [
                {"name": "ada", "rooms": {"garden": 0}},
                {"do": "/login ada secret word", "id": "login"},
            ],
        )
        self.tells({"welcome": "x"}, {"refused": "ada is a registered name; /login ..."})
        self.tells({"entered": "garden", "name": "ada", "others": "nobody else"})
        self.tells({"now": "garden", "seq": 1}, {"done": "login"})
        self.assertEqual((self.paper.end, self.paper.failures), ([], []))
        self.it.lost()
        self.connects()
        self.tells("-- welcome to x")
        self.assertEqual(
            self.asked(),
            [
                {"name": "ada", "rooms": {"garden": 1}},
                {"do": "/login ada secret word", "id": "login"},
            ],
        )

    def test_loginRefused(self) -> None:
        """Nobody comes in as a guest who wanted to log in."""
        for first in ([{"refused": "ada is a registered name"}], []):
            self.setUp()
            self.client(password="wrong")
            self.tells("-- welcome to x", {"welcome": "x"}, *first)
            if not first:
                self.tells({"entered": "lobby", "name": "ada", "others": "nobody else"})
                self.tells({"now": "lobby", "seq": 1})
            self.tells({"refused": "that is not the password"}, {"done": "login"})
            why = "the server refuses: that is not the password"
            self.assertEqual(self.paper.end, [(5, why)])

    def test_loginAtTheNamePrompt(self) -> None:
        """May be typed; it may be the only way in."""
        self.client()
        self.tells("-- welcome to x", {"welcome": "x"}, {"refused": "ada is a registered name"})
        self.assertEqual(self.paper.seen()[-1], "! ada is a registered name")
        self.it.typed("ada")
        self.tells({"refused": "ada is a registered name; /login ada PASSWORD"})
        self.assertEqual(self.paper.seen()[-1], f"-- {LOG_IN}")
        self.asked()
        self.it.typed("/login ada wrong")
        self.assertEqual(self.asked(), [{"do": "/login ada wrong", "id": "login"}])
        self.tells({"refused": "that is not the password"}, {"done": "login"})
        self.assertEqual(self.paper.failures, [("", "that is not the password")])
        self.it.typed("/login ada right")
        self.tells({"entered": "lobby", "name": "ada", "others": "nobody else"})
        self.tells({"now": "lobby", "seq": 1}, {"done": "login"})
        self.it.typed("hello")
        self.assertEqual(self.asked()[-1]["say"], "hello")
        self.assertEqual((self.it.talk.name, self.paper.end), ("ada", []))

    def test_unknownThings(self) -> None:
        """Fields, objects and kinds that are new are passed over, or shown as they are."""
        self.client()
        self.enters()
        self.tells(
            {"new": 1},
            {"note": "n", "more": {}},
            {"event": "dance", "room": "lobby", "seq": 2, "author": "bob", "text": "polka"},
        )
        self.assertEqual(self.paper.seen(), ["-- n", "* bob dance polka"])
        self.assertEqual(self.paper.end, [])
