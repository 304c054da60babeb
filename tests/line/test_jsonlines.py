"""Tests for L{mucs.line.jsonlines}: what programs ask, and what they are told."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mucs import events as kinds
from mucs.events import Command, Event, Look, Name, Refused, Say, note, refusal, reply
from mucs.imucs import IAudience, IDialect
from mucs.line.dialect import native
from mucs.line.jsonlines import json as dialect
from mucs.rules import Limits
from mucs.text import clean
from tests.house import House, HouseCase, Person
from tests.log.late import LateLog, LogFault

NOON = 1_790_000_000_000
quiet = settings(deadline=None, database=None)


def line(asked: Any) -> str:
    return json.dumps(asked)


def read(said: str) -> list[Any]:
    """What is said, as a program reads it: an object a line."""
    assert not said or said.endswith("\r\n"), said
    return [json.loads(line) for line in said.split("\r\n")[:-1]]


class ParseTests(SynchronousTestCase):
    """What a line asks for."""

    def assertRefused(self, asked: str, why: str) -> None:
        error = self.assertRaises(Refused, dialect.parse, asked)
        self.assertIn(why, str(error))

    def test_dialect(self) -> None:
        """It is one, and it is what a native line may turn out to be."""
        self.assertTrue(verifyObject(IDialect, dialect))
        self.assertTrue(verifyObject(IAudience, dialect.audience("current", "ack")))
        self.assertIs(native.instead("{"), dialect)
        self.assertIsNone(dialect.instead("{"))

    def test_everyRequest(self) -> None:
        """Each is an intent."""
        for asked, intent in (
            ({"name": "ada"}, Name("ada")),
            (
                {"name": "ada", "rooms": {"lobby": 7, "garden": 0}},
                Name("ada", (("lobby", 7), ("garden", 0))),
            ),
            ({"name": "ada", "rooms": {}}, Name("ada")),
            ({"name": ""}, Name("")),
            ({"say": "hello"}, Say("hello")),
            ({"say": "/quit"}, Say("/quit")),
            ({"say": "hello", "room": "garden", "id": "x"}, Say("hello", "garden", "x")),
            ({"do": "/join garden"}, Command("join", "garden")),
            ({"do": "who"}, Command("who")),
            ({"do": "/who", "id": "x"}, Command("who", "", "x")),
            ({"do": "/ME  waves "}, Command("me", "waves")),
            ({"history": "lobby"}, Look("lobby")),
            ({"history": ""}, Look()),
            ({"history": "lobby", "before": 7, "limit": 3}, Look("lobby", "", 7, 3)),
            ({"search": "tea four", "limit": 3}, Look("", "tea four", 0, 3)),
        ):
            self.assertEqual(dialect.parse(line(asked)), intent, asked)

    def test_nothingHarmful(self) -> None:
        """Is in what is asked for, whichever way it is written."""
        forged = "a\n* bob left\u001b[2J\u202e"
        for asked in (
            dialect.parse(line({"say": forged})),
            dialect.parse('{"say":"a\\u000a* bob left\\u001b[2J\\u202e"}'),
        ):
            assert isinstance(asked, Say)
            self.assertEqual(asked.text, "a* bob left[2J")
        asked = dialect.parse(line({"do": f"/me {forged}"}))
        assert isinstance(asked, Command)
        self.assertEqual(asked.argument, "a* bob left[2J")
        asked = dialect.parse(line({"name": forged}))
        assert isinstance(asked, Name)
        self.assertEqual(asked.name, "a* bob left[2J")

    def test_whatIsNoRequest(self) -> None:
        """Is refused, and why."""
        for asked, why in (
            ("hello", "not understood"),
            ("{", "not understood"),
            ('{"say":"hello"', "not understood"),
            ('{"say":"hello"}}', "not understood"),
            ('{"say":"hello"} {"say":"again"}', "not understood"),
            ('{"say":"\\ud83d"}', "not understood"),
            ("[]", "Expected `object`, got `array`"),
            ("null", "Expected `object`, got `null`"),
            ('"say"', "Expected `object`, got `str`"),
            ("{}", "one of name, say, do, history, search is wanted"),
            ('{"say":null}', "one of name, say, do, history, search is wanted"),
            ('{"say":"hello","name":"ada"}', "one of name, say, do, history, search is wanted"),
            ('{"say":"hello","color":"red"}', "unknown field `color`"),
            ('{"say":7}', "got `int` - at `$.say`"),
            ('{"say":"hello","id":7}', "got `int` - at `$.id`"),
            ('{"name":"ada","rooms":["lobby"]}', "at `$.rooms`"),
            ('{"name":"ada","rooms":{"lobby":"1"}}', "at `$.rooms[...]`"),
            ('{"history":"lobby","before":1.5}', "at `$.before`"),
            ('{"history":"lobby","limit":"7"}', "at `$.limit`"),
            ("foo", "Expecting value at character 1"),
            ('{"say":"hello"', "the line ends before the object does"),
            ('{"say":"hel', "the line ends before the object does"),
            ('{"say":"\\ud83d"}', "half a character"),
            ('{"say":"hello"}}', "Extra data at character 16"),
            ('{"name":"ada","rooms":{"lobby":-1}}', "Expected `int` >= 0"),
            ('{"history":"lobby","before":-1}', "Expected `int` >= 0 - at `$.before`"),
            ('{"history":"lobby","after":-1}', "Expected `int` >= 0 - at `$.after`"),
            ('{"history":"lobby","after":1,"before":5}', "either before or after"),
            ('{"history":"lobby","limit":0}', "Expected `int` >= 1 - at `$.limit`"),
            ('{"history":"lobby","limit":-7}', "Expected `int` >= 1 - at `$.limit`"),
            ('{"history":"lobby","limit":501}', "Expected `int` <= 500 - at `$.limit`"),
            ('{"search":"tea","limit":501}', "Expected `int` <= 500 - at `$.limit`"),
            ('{"say":""}', "nothing to say"),
            ('{"say":" \\u0007"}', "nothing to say"),
            (line({"say": "hello", "id": "x" * 65}), "at most 64 characters"),
            (line({"do": "/who", "id": "x" * 65}), "at most 64 characters"),
            (line({"say": "hello", "id": "x\n"}), "at most 64 characters"),
        ):
            self.assertRefused(asked, why)

    @quiet
    @given(st.text() | st.dictionaries(st.text(), st.text()).map(line))
    def test_anyLineAtAll(self, asked: str) -> None:
        """Is understood, or refused."""
        try:
            dialect.parse(asked)
        except Refused as refused:
            self.assertTrue(str(refused))


class RenderTests(SynchronousTestCase):
    """What is said of what happened."""

    def test_events(self) -> None:
        """With room, number, time, author, and what else there is to them."""
        for event, more in (
            (
                Event("lobby", 7, NOON, "ada", kinds.SAY, "hi", "", 3, "x"),
                {"text": "hi", "id": "x"},
            ),
            (Event("lobby", 7, NOON, "ada", kinds.SAY, "hi"), {"text": "hi"}),
            (Event("lobby", 7, NOON, "ada", kinds.JOIN), {}),
            (Event("lobby", 7, NOON, "ada", kinds.NICK, "", "eve"), {"target": "eve"}),
            (Event("lobby", 7, NOON, "ada", kinds.UNDO, "", "6"), {"target": "6"}),
            (Event("lobby", 7, NOON, "ada", kinds.WITHDRAWN, id="x"), {"id": "x"}),
        ):
            said = {"event": event.kind, "room": "lobby", "seq": 7, "time": NOON, "author": "ada"}
            audience = dialect.audience("current", "ack")
            self.assertEqual(read("".join(audience.render([event]))), [{**said, **more}])
            past = {**said, **more, "past": True}
            self.assertEqual(read(dialect.history([event], NOON)), [past])

    def test_ownEvents(self) -> None:
        """Are acknowledged: where they stand, and what their author calls them."""
        audience = dialect.audience("current", "ack")
        self.assertFalse(audience.echoes)
        said = [Event("lobby", 7, NOON, "ada", kinds.SAY, "hi", "", 3, "x")]
        said.append(Event("lobby", 8, NOON, "ada", kinds.SAY, "hi"))
        place = {"room": "lobby", "time": NOON}
        acks = [{"ack": {**place, "seq": 7, "id": "x"}}, {"ack": {**place, "seq": 8}}]
        self.assertEqual(read(audience.own(said)), acks)

    def test_whatIsSaidToOne(self) -> None:
        """Each kind has its own word, and none has none that must be said."""
        for event, told in (
            (reply(kinds.GREETING, "MUCS"), [{"welcome": "MUCS", "protocol": 1}]),
            (reply(kinds.ASK), []),
            (reply(kinds.FAREWELL), []),
            (
                reply(kinds.WELCOME, "bob", "ada", "lobby"),
                [{"entered": "lobby", "name": "ada", "others": "bob"}],
            ),
            (
                reply(kinds.ENTER, "bob", "ada", "garden"),
                [{"entered": "garden", "name": "ada", "others": "bob"}],
            ),
            (Event("lobby", 7, 0, "", kinds.NOW), [{"now": "lobby", "seq": 7}]),
            (note("tea"), [{"note": "tea"}]),
            (refusal("no"), [{"refused": "no"}]),
            (
                Event("lobby", 7, NOON, "", kinds.ACK, id="x"),
                [{"ack": {"room": "lobby", "seq": 7, "time": NOON, "id": "x"}}],
            ),
            (
                Event("lobby", 0, 0, "", kinds.NAK, "no", "x"),
                [{"nak": {"id": "x", "room": "lobby", "why": "no"}}],
            ),
            (
                Event("lobby", 7, 0, "", kinds.GAP, "950"),
                [{"gap": {"room": "lobby", "after": 7, "skipped": 950}}],
            ),
            (
                Event("lobby", 0, 0, "", kinds.MISSED, "2"),
                [{"missed": {"room": "lobby", "count": 2}}],
            ),
        ):
            self.assertEqual(read(dialect.reply([event])), told, event.kind)

    @quiet
    @given(st.text(), st.text(), st.text())
    def test_whateverIsSaid(self, author: str, text: str, id: str) -> None:
        """It is one line, and reads as what was said."""
        event = Event("lobby", 1, NOON, clean(author), kinds.SAY, clean(text), "", 0, clean(id))
        for said in (
            "".join(dialect.audience("other", "ack").render([event])),
            dialect.history([event], NOON),
        ):
            (told,) = read(said)
            self.assertEqual(
                (told["author"], told.get("text", ""), told.get("id", "")),
                (event.author, event.text, event.id),
            )


class BotCase(HouseCase):
    """With a person, and a program."""

    def setUp(self) -> None:
        super().setUp()
        self.comes()

    def comes(self, **settings: Any) -> None:
        if settings:
            self.house = House(**settings)
        self.ada = self.house.enters("ada")
        self.bot = self.house.enters("bot", "json")
        self.house.rests()


class ConversationTests(BotCase):
    """A whole conversation."""

    def test_comingIn(self) -> None:
        """Welcomed, refused for a bad name, and in, after what was said before."""
        self.ada.says("hello")
        eve = self.house.connect("json")
        self.assertEqual(eve.told(), [{"welcome": "MUCS", "protocol": 1}])
        (refused,) = eve.asks({"name": "ada"})
        self.assertEqual(refused, {"refused": "the name ada is taken; choose another"})
        self.assertEqual(
            eve.asks({"say": "hello"}), [{"refused": "first say who you are, with a name"}]
        )
        for asked in ({"history": "lobby"}, {"search": "hello"}):
            self.assertEqual(eve.asks(asked), [{"refused": "first say who you are: type a name"}])
        told = eve.asks({"name": "eve"})
        self.assertEqual(told[0], {"entered": "lobby", "name": "eve", "others": "ada, bot"})
        self.assertEqual((told[1]["text"], told[1]["seq"], told[1]["past"]), ("hello", 3, True))
        self.assertEqual(told[2:], [{"now": "lobby", "seq": 4}])
        self.assertNotIn(b"eve", eve.seen())

    def test_byANativeListener(self) -> None:
        """A first line that begins with a brace is JSON, and so is what comes after it."""
        eve = self.house.connect("native")
        self.assertEqual(eve.lines(), ["-- welcome to MUCS", "-- what is your name?"])
        told = eve.asks({"name": "eve"}, {"say": "hello", "id": "x"})
        self.assertEqual(told[0], {"welcome": "MUCS", "protocol": 1})
        self.assertEqual(told[1]["entered"], "lobby")
        self.assertEqual(told[2], {"now": "lobby", "seq": 3})
        self.assertEqual((told[3]["ack"]["seq"], told[3]["ack"]["id"]), (4, "x"))
        self.assertEqual(self.ada.lines(), ["* eve joined", "eve: hello"])

    def test_laterABraceIsSpeech(self) -> None:
        """Only the first line counts."""
        self.ada.says('{"say":"hello"}')
        self.assertEqual(self.bot.told()[0]["text"], '{"say":"hello"}')
        cyd = self.house.connect("native")
        cyd.says("-", "{}")
        self.assertIn("! ", cyd.lines()[-2])

    def test_numbers(self) -> None:
        """Go up one by one, those of one's own words and changes among them."""
        self.ada.says("one", "/topic tea", "/nick eve")
        told = self.bot.told()
        told += self.bot.asks({"say": "two"}, {"do": "/me waves"}, {"name": "robot"})
        told += self.bot.asks({"do": "/topic -"}, {"do": "/undo"})
        self.ada.says("/quit")
        told += self.bot.told()
        seqs = [
            one["ack"]["seq"] if "ack" in one else one["seq"] for one in told if "note" not in one
        ]
        self.assertEqual(seqs, list(range(3, 12)))

    def test_ids(self) -> None:
        """The same one twice is stored once, and acknowledged alike, to its author only."""
        (first,) = self.bot.asks({"say": "hello", "id": "x"})
        self.assertEqual((first["ack"]["id"], first["ack"]["seq"]), ("x", 3))
        self.house.clock.advance(5)
        self.assertEqual(self.bot.asks({"say": "hello", "id": "x"}), [first])
        self.assertEqual(self.bot.asks({"say": "otherwise", "id": "x"}), [first])
        (other,) = self.bot.asks({"say": "hello", "id": "y"})
        self.assertEqual(other["ack"]["seq"], 4)
        self.assertEqual(self.ada.lines(), ["bot: hello"] * 2)
        # Another's id is another.
        eve = self.house.enters("eve", "json")
        (ack,) = eve.asks({"say": "mine", "id": "x"})
        self.assertEqual(ack["ack"]["seq"], 6)

    def test_theSameIdTwiceAtOnce(self) -> None:
        """In one batch, and across a lost line, it is stored once."""
        acks = self.bot.asks(*[{"say": "hello", "id": "x"}] * 3)
        self.assertEqual([ack["ack"]["seq"] for ack in acks], [3, 3, 3])
        self.bot.resets()
        self.house.turn()
        bot = self.house.enters("bot", "json")
        (ack,) = bot.asks({"say": "hello", "id": "x"})
        self.assertEqual(ack, acks[0])
        self.assertEqual([line for line in self.ada.lines() if ": " in line], ["bot: hello"])

    def test_sayingItElsewhere(self) -> None:
        """In another room one is in; in none that one is not."""
        told = self.bot.asks({"do": "/join garden"}, {"say": "hello", "room": "#Lobby", "id": "x"})
        self.assertEqual(told[-1]["ack"]["room"], "lobby")
        self.assertEqual(self.ada.lines()[-1], "bot: hello")
        self.ada.says("/join attic")
        for room, why in (
            ("attic", "you are not in #attic; /join it first"),
            ("nowhere", "there is no room #nowhere; /rooms lists them"),
        ):
            self.assertEqual(self.bot.asks({"say": "hello", "room": room}), [{"refused": why}])
            nak = {"id": "y", "room": room, "why": why}
            self.assertEqual(
                self.bot.asks({"say": "hello", "room": room, "id": "y"}), [{"nak": nak}]
            )

    def test_done(self) -> None:
        """A command with an id is answered last when all of it is so; what it says has the id."""
        told = self.bot.asks({"do": "/join garden", "id": "a"}, {"do": "/me waves", "id": "b"})
        kinds = [next(iter(each)) for each in told]
        self.assertEqual(kinds, ["entered", "now", "done", "done", "ack"])
        self.assertEqual((told[2]["done"], told[3]["done"], told[4]["ack"]["id"]), ("a", "b", "b"))
        self.assertEqual(self.bot.asks({"do": "/me waves", "id": "b"})[1], told[4])
        refused, done = self.bot.asks({"do": "/nosuch", "id": "c"})
        self.assertEqual((list(refused), done), (["refused"], {"done": "c"}))
        note, done = self.bot.asks({"do": "/who", "id": "d"})
        self.assertEqual((list(note), done), (["note"], {"done": "d"}))
        self.assertEqual(len(self.bot.asks({"do": "/who"})), 1)
        self.assertEqual(self.bot.asks({"do": "/history", "id": "e"})[-1], {"done": "e"})
        self.assertEqual(self.bot.asks({"do": "/undo", "id": "f"})[-1], {"done": "f"})

    def test_looking(self) -> None:
        """Back, in a room one is in, by numbers; and for words."""
        for text in ("tea one", "coffee", "tea two"):
            self.ada.says(text)
        self.bot.seen()

        def look(**asked: Any) -> list[int]:
            *events, last = self.bot.asks(asked)
            self.assertTrue(all(event["past"] for event in events))
            self.assertEqual(last, {"note": f"{len(events)} shown"})
            return [event["seq"] for event in events]

        self.assertEqual(look(history="lobby"), [3, 4, 5])
        self.assertEqual(look(history="", limit=2), [4, 5])
        self.assertEqual(look(history="#LOBBY", before=5, limit=1), [4])
        self.assertEqual(look(history="lobby", before=3), [])
        self.assertEqual(look(history="lobby", before=0), [3, 4, 5])
        self.assertEqual(look(history="lobby", before=10**30, limit=500), [3, 4, 5])
        self.assertEqual(look(history="lobby", after=0, limit=2), [1, 2])
        self.assertEqual(look(history="lobby", after=0, limit=1), [1])
        self.assertEqual(look(history="lobby", after=1), [2, 3, 4, 5])
        self.assertEqual(look(history="lobby", after=3, limit=1), [4])
        self.assertEqual(look(history="lobby", after=5), [])
        self.assertEqual(look(history="lobby", after=10**30), [])
        self.assertEqual(look(search="tea"), [5, 3])
        self.assertEqual(look(search="tea two", limit=1), [5])
        self.assertEqual(look(search="milk"), [])
        self.ada.says("/join garden")
        (refused,) = self.bot.asks({"history": "garden"})
        self.assertEqual(refused, {"refused": "you are not in #garden; /join it first"})

    def test_aGapFilled(self) -> None:
        """Every kind of event is there, as it was shown live, but that it is past."""
        live: list[Any] = []
        for text in ("tea", "/me waves", "/nick eve", "/topic cake", "oops", "/undo", "/quit"):
            self.ada.says(text)
            live += self.bot.told()
        first, last = live[0]["seq"], live[-1]["seq"]
        *filled, note = self.bot.asks({"history": "lobby", "after": first - 1, "limit": len(live)})
        self.assertEqual(note, {"note": f"{len(live)} shown"})
        self.assertEqual([each["seq"] for each in filled], list(range(first, last + 1)))
        for each, shown in zip(filled, live, strict=True):
            if shown.get("text") == "oops":
                shown = {**shown, "event": "withdrawn"}
                del shown["text"]
            self.assertEqual(each, {**shown, "past": True})

    def test_refusedWithAnId(self) -> None:
        """Whatever was wrong with it, whoever gave it an id is told which it was, and where."""
        for asked, room, why in (
            ({"say": ""}, "lobby", "there is nothing to say in that"),
            ({"say": "\x07", "room": "lobby"}, "lobby", "there is nothing to say in that"),
            ({"say": "x" * 4097}, "lobby", "a line has at most 4096 bytes"),
            ({"say": "hello", "room": "nowhere"}, "nowhere", "there is no room #nowhere"),
            ({"say": "hello", "room": "1,2"}, "1,2", "a room's name"),
        ):
            (told,) = self.bot.asks({**asked, "id": "em"})
            self.assertEqual((told["nak"]["id"], told["nak"]["room"]), ("em", room))
            self.assertIn(why, told["nak"]["why"])
        self.assertEqual(self.ada.lines(), [])

    def test_comingBackToRoomsThatCannotBe(self) -> None:
        """They are left out, with a line; and one comes to the others, or to the lobby."""
        names = {"1,2": 1, "lobby": 2, ",x": 0, **{f"a,{n}": 1 for n in range(5)}}
        eve = self.house.connect("json")
        eve.seen()
        told = eve.asks({"name": "eve", "rooms": names})
        self.assertEqual(
            told[0],
            {
                "refused": "no room can be called so, and you are not there:"
                " 1,2; ,x; a,0; a,1; a,2 and 2 more"
            },
        )
        self.assertEqual([one["now"] for one in told if "now" in one], ["lobby"])
        cyd = self.house.connect("json")
        cyd.seen()
        told = cyd.asks({"name": "cyd", "rooms": {"1,2": 1}})
        self.assertEqual([one["now"] for one in told if "now" in one], ["lobby"])

    def test_whoWasNeverThere(self) -> None:
        """Is what 0 stands for: the last things said are shown, and no gap is told."""
        self.ada.says("tea")
        eve = self.house.connect("json")
        eve.seen()
        told = eve.asks({"name": "eve", "rooms": {"lobby": 0}})
        self.assertEqual([one.get("event") for one in told], [None, "say", None])

    def test_lookingForNoWords(self) -> None:
        """Is refused: that would be something else."""
        self.ada.says("tea")
        self.bot.seen()
        for words in ("", " ", "\x07"):
            (refused,) = self.bot.asks({"search": words})
            self.assertEqual(list(refused), ["refused"])

    def test_whatIsMalformed(self) -> None:
        """One line for each, and nothing is done; what follows is."""
        self.bot.sends(b'{"say":\n{"x":1}\nhello\n[]\n\xff\n' + b"x" * 20000 + b"\n")
        told = self.bot.asks({"say": "after", "id": "x"})
        self.assertEqual([list(one) for one in told], [["refused"]] * 6 + [["ack"]])
        self.assertEqual(self.ada.lines(), ["bot: after"])
        self.bot.sends(b"\n \r\n")
        self.assertEqual(self.bot.told(), [])

    def test_howLong(self) -> None:
        """What is said is bounded in bytes, and so is the object around it."""
        for char in ("x", "\u00e9", "\U0001f642"):
            fits = char * (4096 // len(char.encode()))
            (ack,) = self.bot.asks({"say": fits})
            self.assertEqual(list(ack), ["ack"])
            self.assertEqual(
                self.bot.asks({"say": fits + "x"}),
                [{"refused": "a line has at most 4096 bytes"}],
            )
        self.assertEqual(len(self.ada.lines()), 3)

    def test_quitting(self) -> None:
        """By the command: a word that quits elsewhere is speech here."""
        self.bot.asks({"say": "!q"}, {"do": "/quit bye"})
        self.assertEqual(self.ada.lines(), ["bot: !q", "* bot left (bye)"])
        self.assertGone(self.bot)

    def test_aSlowReader(self) -> None:
        """Is told what is skipped, and the numbers add up."""
        self.comes(limits=Limits(rate=0, behind=10, resume=3))
        self.bot.wire.bufferSize = 5
        self.bot.holds()
        for n in range(20):
            self.ada.says(str(n))
        self.bot.reads()
        self.house.turn()
        told = self.bot.told()
        self.assertEqual(told[0]["seq"], 3)
        self.assertEqual(told[1], {"gap": {"room": "lobby", "after": 3, "skipped": 16}})
        self.assertEqual([one["seq"] for one in told[2:]], [20, 21, 22])

    def test_whatIsTakenBack(self) -> None:
        """By its number; what stands there later has no text."""
        (ack,) = self.bot.asks({"say": "oops", "id": "x"})
        (undo,) = self.bot.asks({"do": "/undo"})
        self.assertEqual((undo["event"], undo["target"]), ("undo", str(ack["ack"]["seq"])))
        gone, last = self.bot.asks({"history": "lobby"})
        self.assertEqual((gone["event"], gone["seq"]), ("withdrawn", ack["ack"]["seq"]))
        self.assertNotIn("text", gone)
        self.assertEqual(self.bot.asks({"say": "oops", "id": "x"}), [ack])
        self.assertEqual(self.ada.lines(), ["bot: oops", "* bot took back something said before"])

    def test_filters(self) -> None:
        """See all of it, and what they let pass keeps its room and its id."""

        class Watch:
            name = "watch"
            summary = "lets everything pass"

            def filter(self, session: Any, intent: Any) -> Any:
                seen.append(type(intent))
                return intent

        seen: list[type] = []
        self.comes(filters=[Watch()])
        told = self.bot.asks({"say": "hello", "id": "x", "room": "lobby"}, {"history": ""})
        self.assertEqual(told[0]["ack"]["id"], "x")
        self.assertEqual(seen, [Say, Name, Say, Look])


class AnswerTests(BotCase):
    """What is answered, and when."""

    def setUp(self) -> None:
        self.log = LateLog(lambda: self.house.wall(), prompt=True)
        super().setUp()

    def comes(self, **settings: Any) -> None:
        super().comes(log=self.log, **settings)
        self.log.prompt = False

    def test_notBeforeItIsStored(self) -> None:
        """Nobody is told before."""
        self.assertEqual(self.bot.asks({"say": "hello", "id": "x"}), [])
        self.house.clock.advance(1)
        self.assertEqual((self.bot.told(), self.ada.lines()), ([], []))
        self.log.stores()
        self.assertEqual(self.bot.told()[0]["ack"]["id"], "x")

    def test_notStored(self) -> None:
        """A nak, with the id; and it may be said again."""
        self.bot.asks({"say": "hello", "id": "x"})
        self.log.fails()
        self.assertEqual(len(self.flushLoggedErrors(LogFault)), 1)
        why = "not stored: the log cannot be written to; try again later"
        self.assertEqual(self.bot.told(), [{"nak": {"id": "x", "room": "lobby", "why": why}}])
        self.bot.asks({"say": "hello", "id": "x"})
        self.log.stores()
        self.assertEqual(self.bot.told()[0]["ack"]["seq"], 3)

    def test_doneIsNotBeforeItIsStored(self) -> None:
        """A command that changes something is done when that is so."""
        self.assertEqual(self.bot.asks({"do": "/topic tea", "id": "x"}), [])
        self.log.stores()
        event, done = self.bot.told()
        self.assertEqual((event["event"], done), ("topic", {"done": "x"}))

    def test_moreThanMayWait(self) -> None:
        """A nak for each that is refused, while those that wait do wait."""
        self.log.prompt = True
        self.comes(limits=Limits(rate=0, events=2))
        self.log.prompt = False
        told = self.bot.asks({"say": "1", "id": "1"})
        told += self.bot.asks(*({"say": n, "id": n} for n in "23456"))
        self.assertEqual([one["nak"]["id"] for one in told], ["4", "5", "6"])
        for _ in range(3):
            if self.log.appends:
                self.log.stores()
            self.house.turn()
        self.assertEqual([one["ack"]["id"] for one in self.bot.told()], ["1", "2", "3"])


def _together(people: list[Person]) -> list[list[int]]:
    """The numbers each has been shown."""
    return [
        [one["ack"]["seq"] if "ack" in one else one["seq"] for one in person.told()]
        for person in people
    ]


class TogetherTests(SynchronousTestCase):
    """Several of them."""

    @quiet
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=30))
    def test_everyNumberOnce(self, moves: list[tuple[int, int]]) -> None:
        """Whatever they say, with whatever ids, in whatever batches: each sees 4, 5, 6 ..."""
        house = House()
        people = [house.enters(name, "json") for name in ("ada", "bob", "cyd")]
        house.rests()
        for at, (who, what) in enumerate(moves):
            asked = ({"say": f"{at}"}, {"say": "x", "id": f"{at}"}, {"do": "/me waves"})
            if what < 3:
                people[who].sends(line(asked[what]).encode() + b"\n")
            elif what == 3:
                people[who].sends(line({"name": f"{people[who].session.id}a{at}"}).encode() + b"\n")
            else:
                house.turn()
        house.turn()
        head = house.room().head
        self.assertEqual(_together(people), [list(range(4, head + 1))] * 3)
