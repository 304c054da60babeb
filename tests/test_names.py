"""Tests for L{mucs.names}."""

import difflib
import re
import unicodedata

from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given, settings
from hypothesis import strategies as st
from precis_i18n import get_profile
from twisted.trial.unittest import SynchronousTestCase

from mucs import names
from mucs.names import BadName, checkName, checkRoom, fold, nearest
from mucs.text import clean, firstWord, quote

SIGNS = ':/"<>[]{},'
ASSIGNED = [
    character
    for character in map(chr, range(0x110000))
    if unicodedata.category(character) not in ("Cn", "Co", "Cs")
]

anything = st.text(st.characters(exclude_categories=()))
# Text that has a good chance to be a name, and one to be nearly one.
likely = st.text(
    st.characters(categories=("L", "Nd", "Mn", "Mc", "So", "P"))
    | st.sampled_from("abIl10Om- ")
    | st.sampled_from(
        "\u0430\u0412\u041d\u0399\u039d\u03bd\u03c2\u00df\u0130\u0301\u0903\u30ce\u0661"
    )
    | st.sampled_from(ASSIGNED),
    max_size=12,
)
quiet = settings(deadline=None, database=None)


def accepted(text: str) -> str | None:
    """
    @return: the name, or L{None} if it is refused
    """
    try:
        return checkName(text)
    except BadName:
        return None


def prototype(character: str) -> str:
    """
    @return: what the table of lookalikes puts for a character of ASCII
    """
    order = {key: place for place, key in enumerate(confusables_data)}
    entries = confusables_data.get(character, [])
    if len(entries) != 1:
        return character
    other: str = entries[0]["c"]
    isSource = len(other) > 1 or len(confusables_data[other]) > 1 or order[character] < order[other]
    return other if isSource else character


class CheckNameTests(SynchronousTestCase):
    """Which names people may have."""

    def refused(self, text: str, why: str) -> None:
        """The text is refused, with this sentence."""
        self.assertEqual(str(self.assertRaises(BadName, checkName, text)), why, ascii(text))

    def test_names(self) -> None:
        """These are names, shown as they were chosen."""
        for name in (
            "ada",
            "Fake Herleen",
            "0",
            "o'Brien-2 (work)",
            "\u00c9lo\u00efse",
            "\u0410\u043d\u043d\u0430",
            "\u05d9\u05d5\u05e1\u05d9",
            "\u738b\u5c0f\u660e",
            "\u30ce\u30a2",
            "\u0926\u0941\u0903\u0916",
            "\u0e19\u0e49\u0e33",
            "\U0001f642",
            "\u2603 man",
            "\U0001f44d\U0001f3fd",
            "a" * 32,
        ):
            self.assertEqual(checkName(name), name)

    def test_trimmedAndComposed(self) -> None:
        """White space around a name is cut, and accents are put on their letters; no more."""
        self.assertEqual(checkName(" \u3000Ada \r\n"), "Ada")
        self.assertEqual(checkName("E\u0301va"), "\u00c9va")
        self.assertEqual(checkName("\uff21da"), "\uff21da")

    def test_empty(self) -> None:
        """There is no name without a character."""
        for text in ("", " ", "\t\r\n"):
            self.refused(text, "a name cannot be empty")

    def test_length(self) -> None:
        """Length is counted in code points after NFC."""
        self.assertEqual(len(checkName("e\u0301" * 32)), 32)
        self.refused("a" * 33, "a name has at most 32 characters")
        self.refused("\U0001f642" * 33, "a name has at most 32 characters")
        self.assertRaises(BadName, checkName, "abc", 2)

    def test_beginning(self) -> None:
        """What could be the beginning of one of MUCS's own lines is no beginning of a name."""
        for text in (
            "-- now",
            "* eve joined",
            "! no",
            "[#garden] eve",
            "/quit",
            "#lobby",
            "(ada)",
            "_ada",
            "\u0301ada",
            "\u2796\u2796 now",
            "\u2757 no",
            "\u2733 eve",
            "\u01c3 no",
            "\uff0d\uff0d now",
        ):
            self.refused(text, "a name begins with a letter, a digit or an emoji")

    def test_signs(self) -> None:
        """What ends a name in some dialect is in no name."""
        for sign in SIGNS:
            quoted = "'\"'" if sign == '"' else f'"{sign}"'
            self.refused(f"a{sign}b", f"a name holds no {quoted}")
            self.refused(f"\u00e9{sign}", f"a name holds no {quoted}")

    def test_signsInDisguise(self) -> None:
        """Nor is what can hardly be told from it."""
        for colon in "\uff1a\u02d0\ua4fd\ua789\u2236\u0589\u05c3":
            self.refused(f"bob{colon} hi", 'a name holds no ":"')
        self.refused("bob\uff0fx", 'a name holds no "/"')
        self.refused("bob -\u203a you", 'a name holds no ">"')
        self.refused("bob -\u1433 you", 'a name holds no "->"')
        self.refused("bob \u2013\u1433 you", 'a name holds no "->"')

    def test_unseen(self) -> None:
        """No control, bidi or invisible character is in a name, joiners and selectors included."""
        for point in (
            *(0x00, 0x07, 0x09, 0x0A, 0x1B, 0x7F, 0x85, 0x9B, 0xAD, 0x34F, 0x600, 0x61C, 0x115F),
            *(0x1160, 0x17B4, 0x17B5, 0x180B, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x2028),
            *(0x2029, 0x202E, 0x2060, 0x2066, 0x206F, 0x2800, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0),
            *(0xFFF9, 0x1D173, 0xE0001, 0xE0062, 0xE0100),
        ):
            self.refused(f"a{chr(point)}b", "a name holds no control or invisible characters")

    def test_spaces(self) -> None:
        """One U+0020 at a time, and no other white space."""
        for space in ("  ", "\u00a0", "\u3000", "\u2003"):
            self.refused(f"a{space}b", "a name holds only single spaces")

    def test_marks(self) -> None:
        """A combining mark stands on a letter, and no tower of them does."""
        self.assertEqual(checkName("q" + "\u0301" * 4), "q" + "\u0301" * 4)
        self.refused("q" + "\u0301" * 5, "a name has at most 4 accents on a letter")
        why = "a name holds no accents without a letter of their script before them"
        self.refused("a \u0301b", why)
        self.refused("bob\u0903 hi", why)
        self.refused("\U0001f642\u0903 hi", why)
        self.refused("bob\u0301\u0903 hi", why)
        self.refused("bob\u093c\u0903 hi", why)
        self.assertEqual(checkName("\u0915\u0301\u0903"), "\u0915\u0301\u0903")

    def test_unassigned(self) -> None:
        """Nobody knows what these would look like."""
        for point in (0x378, 0xE000, 0x10FFFF, 0xD800, 0xFFFE):
            self.refused(
                f"a{chr(point)}", "a name holds no characters that Unicode has not assigned"
            )

    def test_you(self) -> None:
        """Nobody is C{you}, since a private word is shown as C{bob -> you: text}."""
        for text in ("you", "YOU", "y0u", "\u0443\u043eu", "\uff59\uff4f\uff55"):
            self.refused(text, '"you" is not to be taken as a name')
        self.assertEqual(checkName("you2"), "you2")

    def test_plainNamesNeedNoTable(self) -> None:
        """A name in ASCII is checked and folded without the table of lookalikes."""

        def unread() -> dict[int, str]:
            raise AssertionError("the table was read")

        self.patch(names, "_likenesses", unread)
        self.patch(names, "_prototypes", unread)
        self.assertEqual(checkName("Fake Herleen"), "Fake Herleen")
        self.assertEqual(fold("Fake Herleen"), "fake herleen")

    def test_shortWayIsTheLongWay(self) -> None:
        """The one step for plain names accepts what the rules accept: all pairs in ASCII."""
        pairs = [chr(a) + chr(b) for a in range(128) for b in range(128)]
        texts = [*pairs, *(f"a{pair}" for pair in pairs), "a b", "a b c", "a" * 40]
        short = [accepted(text) for text in texts]
        self.patch(names, "_PLAIN", re.compile("(?!)"))
        self.assertEqual(short, [accepted(text) for text in texts])

    def test_noLineIsForged(self) -> None:
        """No character that may begin a name has the look of what begins a line of MUCS's own."""
        forged = [
            character
            for character in ASSIGNED
            if accepted(character) and fold(character)[0] in tuple("-*![#")
        ]
        self.assertEqual(forged, [])

    @quiet
    @given(likely | anything)
    def test_checkedNames(self, text: str) -> None:
        """A checked name checks to itself, is clean, folds, and can be typed in a command."""
        name = accepted(text)
        if name is not None:
            self.assertEqual(checkName(name), name)
            self.assertEqual(clean(name), name)
            self.assertTrue(fold(name))
            self.assertFalse(set(SIGNS).intersection(name))
            self.assertEqual(firstWord(f"{quote(name)} hi"), (name, "hi"))

    @quiet
    @given(likely | anything)
    def test_sentences(self, text: str) -> None:
        """Every refusal is one printable sentence that begins small and ends without a stop."""
        try:
            checkName(text)
        except BadName as refused:
            self.assertRegex(str(refused), r'^[a-z"].*[^.]$')
            self.assertTrue(str(refused).isprintable())


class CheckRoomTests(SynchronousTestCase):
    """Which names rooms may have."""

    def test_rooms(self) -> None:
        """A room's name is like a person's, longer, and may be typed with its C{#}."""
        self.assertEqual(checkRoom("garden"), "garden")
        self.assertEqual(checkRoom(" #garden "), "garden")
        self.assertEqual(checkRoom("# garden"), "garden")
        self.assertEqual(checkRoom("#" + "g" * 50), "g" * 50)
        self.assertEqual(checkRoom("you"), "you")

    def test_refusals(self) -> None:
        """The sentences speak of a room."""
        for text, why in {
            "#": "a room's name cannot be empty",
            "##garden": "a room's name begins with a letter, a digit or an emoji",
            "g" * 51: "a room's name has at most 50 characters",
            "a/b": 'a room\'s name holds no "/"',
            "a\x1bb": "a room's name holds no control or invisible characters",
        }.items():
            self.assertEqual(str(self.assertRaises(BadName, checkRoom, text)), why)


class FoldTests(SynchronousTestCase):
    """Which names are the same."""

    def setUp(self) -> None:
        self.prototypes = {chr(point): prototype(chr(point)) for point in range(128)}

    def test_same(self) -> None:
        """Nobody could tell these apart, or they differ only in case."""
        for one, *others in (
            ("ada", "Ada", "ADA", "\uff41\uff44\uff41", "\u0430da", "\U0001d4d0da", " ada "),
            ("bob", "b0b", "\u0412ob", "B\u041e\u0412", "\u0392ob"),
            ("Fake Herleen", "fake  herleen", "FAKE\u00a0HERLEEN"),
            ("bill", "bi11", "b\u04561l", "bi|l"),
            ("tom", "torn", "\u0422om", "\u03a4om"),
            ("Eve", "\u0395ve", "eve", "E\u03bde"),
            ("Nick", "\u039dick"),
            ("Ivan", "ivan", "\u0406van", "\u0399van"),
            ("STRASSE", "stra\u00dfe", "stra\u03b2e"),
            ("\u00c9va", "E\u0301va", "\u00e9va", "\u3000\u00e9va "),
            ("\u00c9va Li", "\u00e9va  li", "\u00c9va\u3000Li"),
            ("\u0412\u043e\u0432\u0430", "\u0412\u041e\u0412\u0410", "\u0432\u043e\u0432\u0430"),
            ("\u039d\u03af\u03ba\u03bf\u03c2", "\u039d\u038a\u039a\u039f\u03a3"),
        ):
            for other in others:
                self.assertEqual(fold(other), fold(one), ascii((one, other)))

    def test_different(self) -> None:
        """Anyone can tell these apart."""
        for one, other in (
            ("ada", "eda"),
            ("Ella", "Elia"),
            ("bob1", "bobi"),
            ("van", "nan"),
            ("eva", "\u00e9va"),
            ("fakeherleen", "fake herleen"),
            ("u00001", "u00011"),
        ):
            self.assertNotEqual(fold(one), fold(other), ascii((one, other)))

    def test_numberedNamesAreDistinct(self) -> None:
        """Folding C{0} and C{1} costs no name that is made by counting."""
        self.assertEqual(len({fold(f"u{number:05d}") for number in range(100_000)}), 100_000)

    def test_tableHasOneDirection(self) -> None:
        """What stands for other characters is not itself stood for: the table is read rightly."""
        table = names._likenesses()
        chained = {chr(key) for key in table}.intersection("".join(table.values()))
        self.assertEqual(chained, set())
        self.assertGreater(len(table), 6000)

    def test_lookalikesOfAscii(self) -> None:
        """Whatever the table holds to look like ASCII has the key of what it looks like."""
        table = {chr(point): look for point, look in names._likenesses().items()}
        wrong = [
            (source, look)
            for source, look in table.items()
            if look.isascii()
            and unicodedata.normalize("NFKC", source) == source
            and fold(source) != fold(look)
        ]
        self.assertEqual(wrong, [])

    def test_caseIsNoMatter(self) -> None:
        """But for the few letters whose capital looks like another letter than they do."""
        different = {
            character
            for character in ASSIGNED
            if character.isupper() and fold(character) != fold(character.lower())
        }
        for script, letters in {"CYRILLIC": "", "GREEK": "\u0392\u039d\u03a5"}.items():
            found = {c for c in different if unicodedata.name(c).startswith(script)}
            self.assertEqual(found, set(letters))
        self.assertLess(len(different), 20)

    def longWay(self, name: str) -> str:
        """What PRECIS and the table of lookalikes give, round after round."""
        nickname = get_profile("Nickname")
        for _ in range(10):
            lowered = nickname.apply_five_rules(name)
            skeleton = "".join(map(self.prototypes.get, lowered, lowered))
            folded = unicodedata.normalize("NFKC", skeleton.casefold())
            if folded == name:
                return name
            name = folded
        raise AssertionError(f"{name!a} does not settle")

    def test_asciiCharactersGoTheLongWayToo(self) -> None:
        """Each character of ASCII, alone and between others, folds as the table has it."""
        for point in range(128):
            for name in (chr(point), f"a{chr(point)}z", f" {chr(point)}{chr(point)} "):
                self.assertEqual(fold(name), self.longWay(name), ascii(name))

    @quiet
    @given(st.text(st.characters(max_codepoint=127)))
    def test_shortWayIsTheLongWay(self, name: str) -> None:
        """The short way of ASCII names gives what the long way does."""
        self.assertEqual(fold(name), self.longWay(name))

    @quiet
    @given(likely | anything)
    def test_twiceIsOnce(self, text: str) -> None:
        """Any string has a key, and the key is its own."""
        self.assertEqual(fold(fold(text)), fold(text))


class NearestTests(SynchronousTestCase):
    """What someone may have meant."""

    def test_nearest(self) -> None:
        """The nearest of several, or none."""
        commands = ["join", "leave", "nick", "msg"]
        self.assertEqual(nearest("jion", commands), "join")
        self.assertEqual(nearest("join", iter(commands)), "join")
        self.assertIsNone(nearest("xyzzy", commands))
        self.assertIsNone(nearest("", commands))
        self.assertIsNone(nearest("join", []))

    def test_caseIsNoMatter(self) -> None:
        """What is given is spelled as it was among the names."""
        self.assertEqual(nearest("JION", ["join", "leave"]), "join")
        self.assertEqual(nearest("fake herlen", ["Ada", "Fake Herleen"]), "Fake Herleen")

    def test_ofVeryMany(self) -> None:
        """Of very many names a bounded number is compared: those with the same first letter."""
        crowd = [f"u{number:05d}" for number in range(5000)]
        self.assertEqual(nearest("Herlen", [*crowd, "Herleen"]), "Herleen")
        compared: list[str] = []

        def get_close_matches(word: str, possibilities: list[str], n: int) -> list[str]:
            compared.extend(possibilities)
            return []

        self.patch(difflib, "get_close_matches", get_close_matches)
        self.assertIsNone(nearest("u1", crowd))
        self.assertEqual(len(compared), names.MOST_COMPARED)
