"""Tests for L{mucs.text}."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mucs.text import clean, cut, firstWord, quote

# What may never reach a terminal, told apart from the module's own table.
FORBIDDEN = frozenset(
    chr(point)
    for first, last in [
        (0x00, 0x1F),
        (0x7F, 0x9F),
        (0x061C, 0x061C),
        (0x200E, 0x200F),
        (0x2028, 0x2029),
        (0x202A, 0x202E),
        (0x2066, 0x206F),
        (0xD800, 0xDFFF),
        (0xFEFF, 0xFEFF),
        (0xFFF9, 0xFFFB),
    ]
    for point in range(first, last + 1)
)

# Any text, and text that is mostly trouble: surrogates and what a draw of all Unicode seldom hits.
anything = st.text(st.characters(exclude_categories=()))
trouble = st.text(
    st.sampled_from(sorted(FORBIDDEN))
    | st.sampled_from("ab \u00a0\u3000\u200b\u200d\ufe0f\u3164\u00e9\U0001f642")
)
words = st.text(st.characters(categories=("L", "N", "S")), min_size=1)
quiet = settings(deadline=None, database=None)


class CleanTests(SynchronousTestCase):
    """What goes out to a terminal."""

    def test_eachCharacterAlone(self) -> None:
        """Of all characters the forbidden ones go, TAB is a space, and the others stay."""
        wrong = [
            hex(ord(character))
            for character in map(chr, range(0x110000))
            if clean(f"a{character}b")
            != {"\t": "a b"}.get(character, "ab" if character in FORBIDDEN else f"a{character}b")
        ]
        self.assertEqual(wrong, [])

    def test_nothingForbiddenIsPrintable(self) -> None:
        """C{isprintable}, which lets text pass unsearched, is never true of what is forbidden."""
        self.assertEqual([hex(ord(c)) for c in FORBIDDEN if c.isprintable()], [])

    def test_escapeSequencesAreDisarmed(self) -> None:
        """Colours and cursor moves lose what makes them work, and show what is left."""
        self.assertEqual(clean("\x1b[31mred\x1b[0m"), "[31mred[0m")
        self.assertEqual(clean("\x9b2J over"), "2J over")
        self.assertEqual(clean("hello\r\n-- now"), "hello-- now")

    def test_bidiControlsAreRemoved(self) -> None:
        """No text turns the writing direction of what follows it."""
        self.assertEqual(clean("abc\u202ecba\u2066x\u2069"), "abccbax")

    def test_joinersAndFlagsStay(self) -> None:
        """A family, a coloured heart, the flag of Wales and Persian are what they were."""
        for text in (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\u2764\ufe0f",
            "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ):
            self.assertEqual(clean(text), text)

    def test_whiteSpaceIsCutAtTheEndOnly(self) -> None:
        """What is set in stays set in."""
        self.assertEqual(clean("  for x in y:\t\u3000 "), "  for x in y:")
        self.assertEqual(clean("\tdeep"), " deep")

    def test_whatNobodySeesIsNothing(self) -> None:
        """White space and invisible characters alone are no text."""
        for text in (
            "",
            "   ",
            "\t\r\n",
            "\u200b\u200d",
            "\ufe0f ",
            "\u3164",
            "\u2800",
            "\u00a0\u00ad",
        ):
            self.assertEqual(clean(text), "", ascii(text))

    @quiet
    @given(anything | trouble)
    def test_nothingForbiddenComesThrough(self, text: str) -> None:
        """Whatever comes in, nothing forbidden goes out, and UTF-8 can hold it."""
        cleaned = clean(text)
        self.assertFalse(FORBIDDEN.intersection(cleaned))
        cleaned.encode("utf-8")

    @quiet
    @given(anything | trouble)
    def test_twiceIsOnce(self, text: str) -> None:
        """What is clean stays as it is."""
        self.assertEqual(clean(clean(text)), clean(text))

    @quiet
    @given(st.text(st.characters().filter(str.isprintable)), st.sampled_from("az09.\u00e9\u4e00"))
    def test_printableTextIsUnchanged(self, text: str, end: str) -> None:
        """Printable text that ends in something seen is given back."""
        self.assertEqual(clean(text + end), text + end)


class FirstWordTests(SynchronousTestCase):
    """How a command's argument is taken apart."""

    def test_wordAndRest(self) -> None:
        """The rest keeps its own spaces."""
        self.assertEqual(firstWord("bob hi  there"), ("bob", "hi  there"))
        self.assertEqual(firstWord("  bob   hi "), ("bob", "hi "))
        self.assertEqual(firstWord("bob\u3000hi"), ("bob", "hi"))

    def test_missing(self) -> None:
        """What is not there is empty."""
        for argument, expected in {
            "": ("", ""),
            "  ": ("", ""),
            "bob": ("bob", ""),
            "bob ": ("bob", ""),
            '""': ("", ""),
            '"Fake Herleen"': ("Fake Herleen", ""),
        }.items():
            self.assertEqual(firstWord(argument), expected, argument)

    def test_quoted(self) -> None:
        """A first word in quotes may hold spaces; quotes further on are text."""
        self.assertEqual(firstWord('"Fake Herleen" hi'), ("Fake Herleen", "hi"))
        self.assertEqual(firstWord('bob say "hi"'), ("bob", 'say "hi"'))

    def test_unclosedQuote(self) -> None:
        """A quote that is never closed is a character like any other."""
        self.assertEqual(firstWord('"Fake Herleen hi'), ('"Fake', "Herleen hi"))
        self.assertEqual(firstWord('"'), ('"', ""))

    def test_quote(self) -> None:
        """Only a name with a space is quoted."""
        self.assertEqual(quote("bob"), "bob")
        self.assertEqual(quote("Fake Herleen"), '"Fake Herleen"')

    @quiet
    @given(st.lists(words, min_size=1).map(" ".join), st.lists(words).map("  ".join))
    def test_quotedNameIsFoundAgain(self, name: str, rest: str) -> None:
        """What C{quote} gives, C{firstWord} takes."""
        self.assertEqual(firstWord(f"{quote(name)} {rest}"), (name, rest))

    @quiet
    @given(anything)
    def test_takesAnything(self, argument: str) -> None:
        """No argument is an error, and none gives a word longer than itself."""
        word, rest = firstWord(argument)
        self.assertLessEqual(len(word) + len(rest), len(argument))


class CutTests(SynchronousTestCase):
    """Where output is cut to fit a client's buffer."""

    def test_examples(self) -> None:
        """A character that would be cut goes into the next piece whole."""
        self.assertEqual(cut(b"hello", 5), 5)
        self.assertEqual(cut(b"hello", 4), 4)
        self.assertEqual(cut("hé".encode() * 3, 4), 4)
        self.assertEqual(cut("éé".encode(), 4), 4)
        self.assertEqual(cut("aéé".encode(), 4), 3)
        self.assertEqual(cut("abc\u20ac".encode(), 4), 3)
        self.assertEqual(cut("abc\U0001f642".encode(), 6), 3)
        self.assertEqual(cut(b"", 4), 0)

    def test_noUtf8(self) -> None:
        """Where there are no characters there is nothing to keep whole."""
        for data in (
            b"\x80" * 9,
            b"ab\x80\x80\x80\x80",
            b"abc\xff\x80\x80",
            b"abc\xe9abc",
            b"ab\xc3\xa9\xa9\xa9",
            b"abc\xc0\x80\x80",
        ):
            self.assertEqual(cut(data, 4), 4, data)

    @quiet
    @given(st.text(max_size=30), st.integers(4, 40))
    def test_longestWholePiece(self, text: str, size: int) -> None:
        """No longer piece of the same text holds whole characters only."""
        data = text.encode("utf-8")
        ends = {len(text[:end].encode("utf-8")) for end in range(len(text) + 1)}
        self.assertEqual(cut(data, size), max(end for end in ends if end <= size))

    @quiet
    @given(st.binary(max_size=30), st.integers(4, 40))
    def test_anyBytesGoOn(self, data: bytes, size: int) -> None:
        """Cutting piece after piece comes to an end, whatever the bytes."""
        length = cut(data, size)
        self.assertLessEqual(length, min(size, len(data)))
        self.assertTrue(length > 0 or not data)
