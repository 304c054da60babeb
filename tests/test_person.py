"""Tests for L{mucs.person}, L{mucs.personal} and L{mucs.wishes}: what each sets for themselves."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.log.memory import MemoryLog
from mucs.names import fold
from mucs.rules import Limits
from tests.house import BEGINNING, House, HouseCase, Person, many, register
from tests.test_records import FullLog

quiet = settings(deadline=None, database=None)
SGR = re.compile("\x1b\\[(\\d+)m(.*?)\x1b\\[0m")


def logIn(person: Person, account: str = "") -> None:
    """They are logged in to an account from now on, by their own name unless it is told."""
    session = person.session
    session.account = fold(account or session.name)
    for recognize in session.hall.recognizers:
        recognize(session)


def comes(house: House, name: str) -> Person:
    """Someone comes in who is logged in at the door, and has read up to C{-- now}."""
    person = house.connect()
    person.session.account = fold(name)
    person.says(name)
    person.wire.taken = person.seen().partition(b"-- now\r\n")[2]
    return person


class PersonCase(HouseCase):
    def setUp(self) -> None:
        super().setUp()
        self.ada, self.bob = self.house.enters("ada"), self.house.enters("bob")
        self.house.rests()

    def sees(self, person: Person, *texts: str) -> list[str]:
        """What somebody sees of what they send."""
        person.seen()
        person.says(*texts)
        return person.lines()


class SetTests(PersonCase):
    """C{/set}."""

    def test_aloneItShowsAll(self) -> None:
        """Each that there is, its value, and what it does."""
        self.bob.says("/set bell on")
        lines = self.sees(self.bob, "/set")
        self.assertEqual(
            [line.split(":")[0] for line in lines],
            [
                "-- times is off",
                "-- quiet is off",
                "-- bell is on",
                "-- colour is off",
                "-- echo is off",
                "-- ack is off",
                "-- hold is off",
                "-- /set NAME on or off changes one",
            ],
        )
        self.assertIn("-- bell is on: bell on rings when somebody says your name", lines)

    def test_wrong(self) -> None:
        """What cannot be set is one line, and nothing is done."""
        for text, why in (
            ("/set tims on", "there is no tims to set; did you mean times?"),
            ("/set xxxx", "there is no xxxx to set; /set lists what there is"),
            ("/set times", "on or off? /set times on"),
            ("/set times maybe", "on or off? /set times on"),
        ):
            before = self.bob.session.settings
            self.assertEqual(self.sees(self.bob, text), [f"! {why}"])
            self.assertIs(self.bob.session.settings, before)

    def test_times(self) -> None:
        """Each line of the room begins with the time, in all rooms, and nobody else's does."""
        self.bob.says("/set times on", "/join garden")
        self.house.rests()
        self.ada.says("hello", "/me waves", "/topic tea")
        at = self.house.at(self.house.stored()[-1])
        self.assertEqual(
            self.bob.lines(),
            [
                f"{at} [#lobby] ada: hello",
                f"{at} [#lobby] * ada waves",
                f"{at} [#lobby] * ada changed the topic to: tea",
            ],
        )
        self.bob.says("/set times off")
        self.house.rests()
        self.ada.says("hello")
        self.assertEqual(self.bob.lines(), ["[#lobby] ada: hello"])

    def test_quiet(self) -> None:
        """Who comes and goes is not shown; what they say is."""
        self.bob.says("/set quiet on")
        self.house.rests()
        cyd = self.house.enters("cyd")
        cyd.says("hello", "/quit")
        self.assertEqual(self.bob.lines(), ["cyd: hello"])
        self.assertEqual(self.ada.lines(), ["* cyd joined", "cyd: hello", "* cyd left"])

    def test_bell(self) -> None:
        """A line that names them rings; a longer word, their own line, and others' do not."""
        self.bob.says("/set bell on", "/set echo on")
        self.house.rests()
        self.ada.says("Bob?", "bobby", "/me waves to bob", "nobob", "bob, come", "hello")
        self.bob.says("I, bob")
        self.assertEqual(
            self.bob.lines(),
            [
                "\aada: Bob?",
                "ada: bobby",
                "\a* ada waves to bob",
                "ada: nobob",
                "\aada: bob, come",
                "ada: hello",
                "bob: I, bob",
            ],
        )
        self.assertNotIn(b"\a", self.ada.seen())
        eve = self.house.enters("eve")
        eve.says("/set bell on", "/set echo on")
        self.house.rests()
        self.ada.says("bob?", "eve?")
        self.assertEqual(self.bob.lines(), ["\aada: bob?", "ada: eve?"])
        self.assertEqual(eve.lines(), ["ada: bob?", "\aada: eve?"])
        self.bob.says("/nick rob")
        self.house.rests()
        self.ada.says("bob", "rob")
        self.assertEqual(self.bob.lines(), ["ada: bob", "\aada: rob"])

    def test_colour(self) -> None:
        """Names are coloured, by what they are, in every dialect's words; nothing else is."""
        people = [self.bob]
        for dialect in ("hithere", "shh"):
            people.append(self.house.connect(dialect, "eve" if dialect == "shh" else ""))
            self.house.waits(0.2)
        for person in people:
            person.says("/set colour on")
            self.house.waits(0.2)
        self.house.rests()
        self.ada.says("ada says [0m")
        self.house.waits(0.2)
        lines = ("{}: ada says [0m", "<[{}]> => ada says [0m", "->{}: ada says [0m")
        for person, line in zip(people, lines, strict=True):
            seen = person.seen().decode().strip()
            ((colour, name),) = SGR.findall(seen)
            self.assertEqual(name, "ada")
            self.assertEqual(seen, line.format(f"\x1b[{colour}mada\x1b[0m"))
        history = self.sees(self.bob, "/history 1")[0]
        self.assertEqual(SGR.sub(r"\2", history)[6:], "ada: ada says [0m")
        self.assertEqual(len(SGR.findall(history)), 1)

    def test_echoAndAck(self) -> None:
        """One sees one's own line, or that it is stored, or neither."""
        self.assertEqual(self.sees(self.bob, "one"), [])
        self.bob.says("/set echo on")
        self.assertEqual(self.sees(self.bob, "two"), ["bob: two"])
        self.bob.says("/set ack on")
        self.assertEqual(self.sees(self.bob, "three"), ["-- said"])
        self.assertIn("-- echo is off", "\n".join(self.sees(self.bob, "/set")))
        self.bob.says("/set echo off")
        self.assertEqual(self.sees(self.bob, "four"), ["-- said"])
        self.bob.says("/set ack off")
        self.assertEqual(self.sees(self.bob, "five"), [])
        self.assertEqual(self.bob.session.settings.echo, "")

    def test_thoseWithoutSettingsShareTheirAudience(self) -> None:
        """An audience is made only for those who see other bytes, one for all who set the same."""
        people = [self.house.enters(name) for name in ("eve", "fay", "gus")]
        room = self.house.room()
        self.assertEqual(len(room.audiences), 1)
        for person in people:
            person.says("/set times on", "/set quiet on")
        self.assertEqual(sorted(map(len, room.audiences.values())), [2, 3])
        people[0].says("/set bell on")
        people[1].says("/set hold on", "/set hold off", "/set echo on", "/set echo off")
        people[2].says("/set quiet off", "/set times off")
        self.assertEqual(sorted(map(len, room.audiences.values())), [1, 1, 3])
        self.assertIs(self.ada.session.audience(room), people[2].session.audience(room))

    def test_thoseWhoCountAreShownEverything(self) -> None:
        """C{json} can set nothing that would leave a number out."""
        cyd = self.house.connect("json", "cyd")
        for text in ("/ignore ada", "/set quiet on", "/set times on", "/hold"):
            (told,) = cyd.asks({"do": text})[-1:]
            self.assertEqual(
                told, {"refused": "your client counts what it is sent; it can do that itself"}
            )
        self.ada.says("hello")
        self.assertEqual([each["text"] for each in cyd.told()], ["hello"])


class IgnoreTests(PersonCase):
    """C{/ignore} and C{/unignore}."""

    def setUp(self) -> None:
        super().setUp()
        self.eve = self.house.enters("eve")
        self.house.rests()

    def test_nothingOfThemIsSeenLive(self) -> None:
        """Not what they say, do, and are called, nor that they come and go; the topic is seen."""
        self.bob.says("/ignore eve")
        self.assertEqual(
            self.bob.lines(), ["-- you ignore eve from now on; /unignore eve ends that"]
        )
        self.eve.says("hello", "/me waves", "/msg bob psst", "/topic tea", "/undo", "/quit bye")
        self.assertEqual(self.bob.lines(), ["* eve changed the topic to: tea"])
        self.assertEqual(len(self.ada.lines()), 5)
        self.house.enters("eve")
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(
            self.sees(self.bob, "/reply who"),
            ["! nobody has said anything to you alone yet; /msg NAME TEXT does"],
        )

    def test_norInWhatWasSaid(self) -> None:
        """History, search, what is shown on coming into a room, and what a slow reader reads."""
        self.eve.says("/join garden", "tea one")
        self.ada.says("/join garden", "tea two")
        self.bob.says("/ignore EVE")
        self.assertEqual(self.sees(self.bob, "/join garden")[1][6:], "ada: tea two")
        self.assertEqual(
            [line[6:] for line in self.sees(self.bob, "/history")][:1], ["ada: tea two"]
        )
        found = self.sees(self.bob, "/search tea")
        self.assertEqual([found[0][6:], found[-1]], ["ada: tea two", "-- 1 found"])
        self.bob.wire.bufferSize = 20
        self.bob.seen()
        self.bob.holds()
        self.ada.says("one, and it is a long one")
        self.house.turn()
        self.eve.says("two")
        self.ada.says("three")
        self.bob.reads()
        self.house.turn()
        self.assertEqual(self.bob.lines(), ["ada: one, and it is a long one", "ada: three"])

    def test_untilTheyAreNotIgnored(self) -> None:
        """The list, and out of it again."""
        self.assertEqual(
            self.sees(self.bob, "/ignore"),
            ["-- you ignore nobody; /ignore NAME shows you nothing more of somebody"],
        )
        self.bob.says("/ignore eve", '/ignore "Max M"')
        self.assertEqual(
            self.sees(self.bob, "/ignore", "/unignore"),
            ['-- you ignore eve, "Max M"; /unignore NAME ends that', '-- you ignore eve, "Max M"'],
        )
        self.assertEqual(self.sees(self.bob, "/unignore EVE"), ["-- you see EVE again"])
        self.eve.says("hello")
        self.assertEqual(self.bob.lines(), ["eve: hello"])
        self.assertEqual(
            self.sees(self.bob, "/unignore eve"), ['! you do not ignore eve; you ignore "Max M"']
        )

    def test_wrong(self) -> None:
        """What cannot be is one line."""
        self.bob.says("/ignore eve")
        for text, why in (
            ("/ignore bob", "that is you"),
            ("/ignore eve", "you ignore eve already; /unignore eve ends that"),
            ("/ignore a:b", 'a name holds no ":"; /ignore NAME'),
        ):
            self.assertEqual(self.sees(self.bob, text), [f"! {why}"])

    def test_byAccount(self) -> None:
        """Whoever is registered is ignored by whatever name they speak, and no one else by it."""
        register(self.house, "Evelyn")
        logIn(self.eve, "Evelyn")
        self.bob.says("/ignore eve")
        self.assertIn("you ignore Evelyn from now on", self.bob.lines()[0])
        self.eve.says("/nick fay", "hello")
        self.assertEqual(self.bob.lines(), [])
        self.house.enters("eve").says("I am another")
        self.assertEqual(self.bob.lines(), ["* eve joined", "eve: I am another"])
        self.assertEqual(self.sees(self.bob, "/unignore fay"), ["-- you see fay again"])
        self.eve.says("hello")
        self.assertEqual(self.bob.lines(), ["fay: hello"])


    def test_throughNewNames(self) -> None:
        """A guest is not seen again by another name, and nobody else is taken for them."""
        self.bob.says("/ignore eve")
        self.bob.seen()
        self.eve.says("/nick fay", "hello", "/nick gus", "/me waves", "/msg bob psst")
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(self.ada.lines()[1:3], ["fay: hello", "* fay is now gus"])
        self.house.enters("fay").says("I am another")
        self.assertEqual(self.bob.lines(), ["* fay joined", "fay: I am another"])
        self.bob.says("/unignore eve")
        self.bob.seen()
        self.eve.says("hello")
        self.assertEqual(self.bob.lines(), ["gus: hello"])
        self.assertEqual(self.house.hall.ignoring, set())
        self.bob.says("/ignore gus", "/quit")
        self.house.turn()
        self.assertEqual(self.house.hall.ignoring, set())


class AwayTests(PersonCase):
    """C{/away}."""

    def test_shownToWhoAsks(self) -> None:
        """In C{/who}, a line each, and to whoever sends a private word."""
        self.bob.says("/away tea), eve (away")
        self.assertEqual(
            self.bob.lines(), ["-- you are away; that ends when you say something"]
        )
        self.assertEqual(
            self.sees(self.ada, "/who", "/msg bob psst"),
            [
                "-- #lobby has 2 in it: ada, bob",
                "-- bob is away: tea), eve (away",
                "-- bob is away: tea), eve (away",
            ],
        )
        self.assertEqual(self.bob.lines(), ["ada -> you: psst"])
        self.bob.says("/away")
        self.assertEqual(self.sees(self.ada, "/who")[1:], ["-- bob is away"])

    def test_speakingEndsIt(self) -> None:
        """Whatever is said: aloud, done, or in private; commands do not."""
        for text in ("hello", "/me waves", "/msg ada psst"):
            self.bob.says("/away", "/who")
            self.assertEqual(self.sees(self.bob, text), ["-- you are no longer away"])
            self.assertEqual(len(self.sees(self.ada, "/who")), 1)
            self.assertEqual(self.sees(self.bob, text), [])

    def test_tooLong(self) -> None:
        self.assertEqual(
            self.sees(self.bob, "/away " + "x" * 301),
            ["! a reason has at most 300 characters, not 301; /away WHY"],
        )
        self.assertIsNone(self.bob.session.away)


class HoldTests(PersonCase):
    """C{/hold}."""

    limits = Limits(rate=0, behind=100, resume=5)

    def test_linesWaitForEnter(self) -> None:
        """Nothing comes until a line is sent, an empty one too; then all of it, and no more."""
        self.bob.says("/hold")
        self.assertEqual(
            self.bob.lines(), ["-- lines wait until you press Enter; /hold again ends that"]
        )
        self.ada.says("one", "two", "/msg bob three")
        self.assertEqual(self.bob.seen(), b"")
        self.bob.sends(b"\r\n")
        self.assertEqual(self.bob.lines(), ["ada: one", "ada: two", "ada -> you: three"])
        self.ada.says("four")
        self.assertEqual(self.bob.seen(), b"")
        self.bob.says("hello")
        self.assertEqual((self.bob.lines(), self.ada.lines()), (["ada: four"], ["bob: hello"]))
        self.ada.says("five")
        self.assertEqual(self.bob.seen(), b"")
        self.bob.says("/hold")
        self.assertEqual(self.bob.lines(), ["ada: five", "-- lines come as they are said"])
        self.ada.says("six")
        self.assertEqual(self.bob.lines(), ["ada: six"])
        self.assertEqual(dict(self.house.room().cursors), {})

    def test_answersComeAtOnce(self) -> None:
        """To commands, to changes and to what is said; what others do meanwhile waits."""
        self.bob.says("/set hold on", "/set ack on")
        self.bob.seen()
        self.assertEqual(self.sees(self.bob, "hello"), ["-- said"])
        self.assertEqual(
            self.sees(self.bob, "/join garden"),
            ["-- you are bob in #garden with nobody else", "-- now"],
        )
        self.ada.says("/join garden", "hello")
        self.assertEqual(self.bob.seen(), b"")
        self.assertEqual(
            self.sees(self.bob, "/nick rob"),
            ["* ada joined", "ada: hello", "-- you are now rob"],
        )
        self.ada.says("/topic tea", "again")
        self.assertEqual(
            self.sees(self.bob, "/leave garden"),
            [
                "* ada changed the topic to: tea",
                "ada: again",
                "-- you left #garden",
                "-- you speak in #lobby now",
            ],
        )
        self.assertEqual(self.sees(self.bob, "/msg ada psst"), ["-- said"])
        self.ada.says("/msg rob hush")
        self.assertEqual(self.sees(self.bob, "/quit"), ["ada -> you: hush"])
        self.assertGone(self.bob)

    def test_theyAreNoSlowReaders(self) -> None:
        """However long it takes, they stay; too far behind they skip, and are told."""
        self.bob.says("/hold")
        self.bob.seen()
        self.ada.says(*(f"{n}" for n in range(1, 100)))
        self.house.waits(300, 1)
        self.assertFalse(self.bob.closed)
        self.bob.sends(b"\r\n")
        self.assertEqual(self.bob.lines(), [f"ada: {n}" for n in range(1, 100)])
        self.ada.says(*(f"{n}" for n in range(1, 103)))
        self.bob.sends(b"\r\n")
        self.assertEqual(
            self.bob.lines(),
            [
                "-- 97 messages skipped; /history 97 before 199 shows them",
                *(f"ada: {n}" for n in range(98, 103)),
            ],
        )

    def test_pacedOnes(self) -> None:
        """Also who is sent to in batches: each line they send lets them read it all."""
        cyd = self.house.connect("fiveseat", "cyd")
        self.house.waits(0.2)
        cyd.says("/hold")
        self.house.waits(0.2)
        self.house.rests()
        self.ada.says("one", "two")
        self.house.waits(1)
        self.assertEqual(cyd.seen(), b"")
        cyd.says("hello")
        self.house.waits(1)
        self.assertEqual(cyd.seen(), b"ada: one\nada: two\0Processed your request\0")
        self.ada.says("three")
        self.house.waits(1)
        self.assertEqual(cyd.seen(), b"")
        cyd.sends(b"\n\0\0")
        self.house.waits(1)
        self.assertEqual(cyd.seen(), b"ada: three\0")

    def test_slowOnes(self) -> None:
        """Who holds, presses Enter and does not read is shown the rest when they do."""
        self.bob.says("/hold")
        self.bob.wire.bufferSize = 20
        self.bob.seen()
        self.ada.says("one, and it is a long one", *(f"{n}" for n in range(90)))
        self.bob.holds()
        self.bob.sends(b"\r\n")
        self.house.turn()
        self.ada.says("not yet")
        self.bob.reads()
        self.house.turn()
        seen = self.bob.lines()
        self.assertEqual((seen[0], seen[-1]), ("ada: one, and it is a long one", "ada: 89"))
        self.bob.sends(b"\r\n")
        self.assertEqual(self.bob.lines(), ["ada: not yet"])

    def test_privateRoomsOfThoseWhoHaveGone(self) -> None:
        """Go with them, once they are read."""
        self.bob.says("/hold")
        for _ in range(5):
            self.house.enters("cyd").says("/msg bob hello", "/quit")
            self.bob.sends(b"\r\n")
        self.assertLess(len(self.bob.session.rooms), 4)


class ModelTests(SynchronousTestCase):
    """Against somebody who has set nothing."""

    @quiet
    @given(
        st.sampled_from(["native", "fiveseat", "hithere", "shh"]),
        many(st.sampled_from(["say", "say", "tell", "enter", "hold", "full", "free", "wait"])),
    )
    def test_whoHoldsMissesNothing(self, dialect: str, moves: list[str]) -> None:
        """However they toggle it, press Enter and stop reading: each line once, in order."""
        house = House()
        ada, bob = house.enters("ada"), house.enters("bob")
        named = dialect != "hithere"
        eve = house.connect(dialect, "eve" if named else "")
        eve.wire.bufferSize = 30
        house.waits(0.2)
        house.rests()
        said: list[str] = []
        whispered: list[str] = []
        seen = b""
        for number, move in enumerate(moves):
            if move == "say":
                ada.says(f"word{number}")
                said.append(f"word{number}")
            elif move == "tell":
                house.hall.names.find("ada").tell(eve.session, f"hush{number}")  # type: ignore[attr-defined]
                house.turn()
                whispered.append(f"hush{number}")
            elif move == "enter":
                eve.says("")
            elif move == "hold":
                eve.says("/hold")
            elif move == "full":
                eve.holds()
            elif move == "free":
                eve.reads()
            house.waits(0.1 if move == "wait" else 0)
        if eve.session.settings.hold:
            before = len(eve.wire.taken)
            eve.reads()
            house.waits(1)
            ada.says("word")
            said.append("word")
            house.waits(1)
            self.assertNotIn(b"word\r", eve.wire.taken[before:])
            eve.says("/hold")
        eve.reads()
        house.waits(10, 0.05)
        seen += eve.seen()
        found = re.findall(r"(?:word|hush)\d*", seen.decode())
        self.assertEqual([each for each in found if each[0] == "w"], said)
        self.assertEqual([each for each in found if each[0] == "h"], whispered)
        self.assertEqual(dict(house.room().cursors), {})
        heard = [line.partition(": ")[2] for line in bob.lines() if line.startswith("ada: ")]
        self.assertEqual(heard, said)

    @quiet
    @given(
        many(
            st.tuples(
                st.sampled_from(["eve", "fay"]),
                st.sampled_from(["hello", "/me waves", "/topic tea", "/nick", "/join garden"])
                | st.sampled_from(["/leave", "/msg bob psst", "/undo", "quit", "/msg cyd hush"]),
            )
        )
    )
    def test_whoIgnoresSeesTheRest(self, moves: list[tuple[str, str]]) -> None:
        """Exactly what the others see, less the lines of those who are ignored."""
        house = House()
        register(house, "eve", "fay")
        bob, cyd = house.enters("bob"), house.enters("cyd")
        people: dict[str, Person] = {}
        names: dict[str, str] = {}
        theirs = {"eve"}

        def come(who: str, number: int) -> None:
            names[who] = f"{who}{number}"
            theirs.update([names[who]] if who == "eve" else [])
            people[who] = house.connect()
            people[who].session.account = who
            people[who].says(names[who])

        bob.says("/join garden", "/join lobby", "/ignore eve")
        cyd.says("/join garden", "/join lobby")
        house.rests()
        for number, (who, move) in enumerate(moves):
            if who not in people or people[who].closed:
                come(who, number)
            if move == "quit":
                people[who].says("/quit")
            elif move == "/nick":
                names[who] = f"{who}{number}"
                theirs.update([names[who]] if who == "eve" else [])
                people[who].says(f"/nick {names[who]}")
            else:
                people[who].says(move)
            whole, mine = cyd.lines(), bob.lines()
            about = re.compile(r"^(\[#\w+\] )?(\* )?(\w+)")
            rest = [
                line
                for line in whole
                if "changed the topic" in line or about.match(line)[3] not in theirs  # type: ignore[index]
            ]
            told = [line.replace("psst", "hush") for line in mine]
            if not move.startswith("/msg"):
                self.assertEqual(told, rest)
            elif who == "eve":
                self.assertEqual([line for line in told if "hush" in line], [])


class KeptTests(PersonCase):
    """The settings of those who are registered stay."""

    def test_theyComeBackAtLogin(self) -> None:
        """All of them, also after a restart; a guest's are gone with them."""
        register(self.house, "ada", "bob")
        logIn(self.bob)
        self.bob.says("/set times on", "/set ack on", "/ignore ada", "/hold")
        kept = self.bob.session.settings
        self.ada.says("/set times on", "/quit")
        self.bob.says("/quit")
        log = self.house.log
        assert isinstance(log, MemoryLog)
        again = House(self.limits, log=log)
        bob, ada = again.enters("bob"), again.enters("ada")
        again.rests()
        ada.says("one")
        self.assertEqual(bob.lines(), ["ada: one"])
        logIn(bob)
        self.assertEqual(bob.session.settings, kept)
        ada.says("two")
        again.enters("eve").says("three")
        bob.says("four")
        at = again.at(again.stored()[-1])
        self.assertEqual(
            bob.lines(), [f"{at} * eve joined", f"{at} eve: three", f"{at} -- said"]
        )

    def test_byRegisteringAndLoggingIn(self) -> None:
        """From one's own account: what was set, what was left, and private words from before."""
        eve = self.house.registers("eve", "sesame-8")
        gus = self.house.registers("gus", "sesame-9")
        eve.says("/set times on", "/ignore ada", "/msg gus tea?")
        eve.says("/quit")
        self.house.turn()
        gus.says("/tell eve coffee")
        self.assertIn("-- eve is told that when they come", gus.lines())
        eve = self.house.connect(at="members")
        eve.says("/login eve sesame-8")
        lines = eve.lines()
        left = lines[lines.index("-- while you were not here, 1 left for you:") + 1 :]
        self.assertEqual([line[6:] for line in left], ["gus -> you: coffee"])
        self.ada.says("hello")
        gus.says("hello")
        at = self.house.at(self.house.stored()[-1])
        self.assertEqual(eve.lines(), [f"{at} gus: hello"])
        self.assertIn("you -> gus: tea?", self.sees(eve, "/history with gus")[0])

    def test_theyAreTheAccounts(self) -> None:
        """Another connection goes on from what this one has set; logging out leaves it behind."""
        one = self.house.registers("eve", "sesame-8")
        one.says("/set times on")
        two = self.house.connect(at="members")
        two.says("fay", "/login eve sesame-8")
        one.says("/set quiet on")
        two.says("/set bell on")
        kept = two.session.settings
        self.assertEqual((kept.times, kept.quiet, kept.bell), (True, True, True))
        two.says("/hold", "/logout")
        self.house.rests()
        self.ada.says("hello")
        self.assertEqual(two.lines(), ["ada: hello"])

    def test_theyAreSoFromTheFirstLine(self) -> None:
        """Who logs in at the door, or comes back there, is shown nothing of whom they ignore."""
        eve = self.house.enters("eve")
        logIn(self.bob)
        self.bob.says("/ignore eve", "/hold")
        eve.says("one")
        self.ada.says("two")
        token = self.bob.token
        self.bob.sends(b"\r\n")
        self.bob.closes()
        self.house.turn()
        eve.says("three")
        self.ada.says("four")
        for first, expected in (
            (f"/resume {token}", ["-- 1 missed", "ada: four", "-- now"]),
            ("bob", ["ada: two", "ada: four", "-- now"]),
        ):
            bob = self.house.connect()
            bob.session.account = "bob"
            bob.says(first)
            lines = [line if line[:2] == "--" else line[6:] for line in bob.lines()]
            self.assertEqual(lines[-len(expected) :], expected)
            self.ada.says("/me waves")
            self.assertEqual(bob.seen(), b"")
            bob.sends(b"\r\n")
            self.assertEqual(bob.lines(), ["* ada waves"])
            self.ada.says("/undo")
            bob.says("/quit")

    def test_notStoredIsNotSo(self) -> None:
        """What the log cannot keep is refused, and nothing has changed."""
        house = House(log=FullLog(lambda: BEGINNING))
        bob = house.enters("bob")
        register(house, "bob")
        logIn(bob)
        bob.says("/set times on", "/ignore ada")
        self.assertEqual(
            bob.lines(), ["! not stored: the log cannot be written to; try again later"] * 2
        )
        self.assertEqual(len(self.flushLoggedErrors()), 2)
        self.assertEqual((bob.session.settings.times, bob.session.settings.ignored), (False, ()))
        bob.says("hello")
        self.assertEqual(bob.lines(), [])
