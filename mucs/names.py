"""
Which names there may be, and which of them are the same.

L{checkName} and L{checkRoom} give a name as everyone will see it, or L{BadName} with the sentence
to show. L{fold} gives the key by which names are compared and found. All are plain functions of
their argument; the session asks the first two, the hall and the commands the last.

What is always true:

 - No name that passed can be taken for the beginning of a line that MUCS itself writes: it begins
   with nothing like C{-}, C{*}, C{!} or C{[}, and holds none of the signs that end a name (C{:}
   above all) nor a sign that looks like one, by Unicode's own table of lookalikes.
 - A checked name checks to itself, and L{fold} takes any string at all.
 - C{fold(fold(name)) == fold(name)}.

Two sources make the key. PRECIS Nickname (RFC 8266) lowers, applies NFKC and makes one space of
several. The skeleton (UTS #39, section 4) puts for each character the one that stands for all that
look like it: Cyrillic C{а} becomes C{a}, C{0} becomes C{O}, C{1} becomes C{l}, C{m} becomes C{rn}.
The order matters. C{I} is a lookalike of C{l} and the capital of C{i}; both at once would make one
name of C{Ella} and C{Elia}, so case comes first, and C{I} is C{i}. But nothing else would then see
that Cyrillic C{В} looks like C{B}, since small C{в} is like no letter in ASCII. Hence:

 - who looks like an ASCII name, as shown, has the key of that ASCII name;
 - a small letter without a lookalike in ASCII takes that of its capital (C{в}: C{b}), so that case
   is no matter in Cyrillic either. A few letters, three of them Greek, have two unlike ones (C{Ν}:
   C{N}, but C{ν}: C{v}): those go by their looks where the whole name looks like ASCII, and
   by the small letter elsewhere.

The table is read at the first name that is not ASCII (some 30 ms); ASCII names never need it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from mucs.looks import confusables
from mucs.text import INVISIBLE

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

#: How many combining marks may follow one another: Vietnamese, Thai, Tibetan and Hebrew with all
#: its points need no more, and the towers that reach into the lines above and below need many.
MOST_MARKS = 4
#: How many names are compared with a mistyped one.
MOST_COMPARED = 100

#: Characters of what is kept folded for a while, at most.
LONGEST = 100

# What ends a name, or a part of a line, in one of the dialects.
_SIGNS = frozenset(':/"<>[]{},')
# What MUCS's own lines begin with, and "#", which would be taken off a room's name.
_OPENINGS = frozenset("-*![#")
# The names most people take, decided in one step: they break none of the rules below.
_PLAIN = re.compile(r"[A-Za-z0-9](?: ?[!#-+\-.0-9;=?@A-Z\\^-z|~])*")
_HIDDEN = re.compile(f"[{INVISIBLE}]")
_CONTROLS = frozenset(("Cc", "Cf", "Zl", "Zp"))
_UNASSIGNED = frozenset(("Cn", "Co", "Cs"))
# The emoji that are pictures. Left out are those that are signs (heavy minus, arrows, exclamation
# marks, asterisks) and the trigrams: at the start of a line they could pass for "--", "*" and "!".
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23f3\u2600-\u262f\u2638-\u266e\u2670-\u2689\u2690-\u26ff\u2702-\u2712"
    "\u2728\u2744\u274c\u2764-\u2767\u2b50\u2b55\U0001f000-\U0001f0ff\U0001f170-\U0001f251"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f900-\U0001faff]"
)
# No character, and none of some 300,000 strings of them, needed more than three rounds to settle.
_ROUNDS = 8
# The skeleton of ASCII, small letters only; a test compares it with the table.
_ASCII = str.maketrans({"0": "o", "1": "l", "|": "l", "m": "rn", "`": "'", '"': "''", "%": "o/o"})


# Folded words that stand where a name does in what the server says.
_OURS = re.compile("you|nobody else|one other|[0-9a-z]* others")


class BadName(ValueError):
    """
    A name that cannot be had. C{str()} of it says what is wrong and what would do: one sentence,
    beginning small and without its full stop.
    """


def checkName(text: str, longest: int = 32) -> str:
    """
    Check the name that a person asks for.

    @param text: what they typed
    @param longest: the most code points, after NFC, that the name may have
    @return: the name as it is shown: trimmed and in NFC, nothing else changed
    @raise BadName: if it cannot be a name
    """
    name = _check(text, longest, "a name")
    # A private word is shown as "bob -> you: text".
    # Who comes in is told of "bob, eve and 5 others", or of "nobody else".
    if _OURS.fullmatch(ours := fold(name)):
        raise BadName(f'"{ours}" is not to be taken as a name')
    return name


def checkRoom(text: str, longest: int = 50) -> str:
    """
    Check the name of a room, by the same rules as a person's, except that there may be a room
    C{you}: a room is always shown with its C{#}.

    @param text: what was typed; one C{#} at its beginning is ignored
    @param longest: the most code points, after NFC, that the name may have
    @return: the name without C{#}, trimmed and in NFC
    @raise BadName: if it cannot be a room's name
    """
    return _check(text.strip().removeprefix("#"), longest, "a room's name")


def _check(text: str, longest: int, what: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise BadName(f"{what} cannot be empty")
    if _PLAIN.fullmatch(name) and len(name) <= longest:
        return name
    categories = [unicodedata.category(character) for character in name]
    if _HIDDEN.search(name) or not _CONTROLS.isdisjoint(categories):
        raise BadName(f"{what} holds no control or invisible characters")
    if len(name) > longest:
        raise BadName(f"{what} has at most {longest} characters")
    if not _UNASSIGNED.isdisjoint(categories):
        raise BadName(f"{what} holds no characters that Unicode has not assigned")
    if not _opens(name[0], categories[0]):
        raise BadName(f"{what} begins with a letter, a digit or an emoji")
    marks = 0
    for at, (character, category) in enumerate(zip(name, categories, strict=True)):
        marks = marks + 1 if category[0] == "M" else 0
        if category == "Zs" and (character != " " or name[at - 1] == " "):
            raise BadName(f"{what} holds only single spaces")
        if marks and not _carries(name[at - marks], character, category):
            raise BadName(f"{what} holds no accents without a letter of their script before them")
        if marks > MOST_MARKS:
            raise BadName(f"{what} has at most {MOST_MARKS} accents on a letter")
        # Letters are let off: katakana "no" looks like "/" to the table. Letters that are signs
        # (Lm, as the Lisu tone that is a colon) are not.
        if category[0] in "PS" or category == "Lm":
            for sign in _likeness(character):
                if sign in _SIGNS:
                    quoted = f"'{sign}'" if sign == '"' else f'"{sign}"'
                    raise BadName(f"{what} holds no {quoted}")
    if "->" in _likeness(name):
        raise BadName(f'{what} holds no "->"')
    return name


def _opens(character: str, category: str) -> bool:
    """Say whether a name may begin with this character, of this general category."""
    if category[0] == "L" or category in ("Nd", "Nl"):
        return fold(character)[0] not in _OPENINGS
    return category == "So" and _EMOJI.match(character) is not None


def _carries(base: str, mark: str, category: str) -> bool:
    """
    Say whether a mark may stand on the character before it, or before the marks before it.

    A mark that takes room of its own (Mc) is seen as a character of its own after a letter of
    another script, and the Indic visarga then is a colon. Unicode's names begin with the script.
    """
    return _script(base) == _script(mark) if category == "Mc" else base != " "


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def fold(name: str) -> str:
    """
    Give the key by which names are compared: the same for names that nobody could tell apart.

    Not for showing, and good only within one run: another version of Unicode may give others.

    @param name: any string; usually what L{checkName} gave
    @return: the key, in NFKC
    """
    return _recently(name) if len(name) <= LONGEST else _fold(name)


def _fold(name: str) -> str:
    if name.isascii():
        return _foldAscii(name)
    for _ in range(_ROUNDS):
        alike = _likeness(name)
        if alike.isascii():
            return _foldAscii(alike)
        folded = _foldOnce(name)
        if folded == name:
            break
        name = folded
    return name


#: Someone who comes in has their name folded ten times.
_recently = lru_cache(512)(_fold)


def starts(name: str) -> set[str]:
    """What a name with spaces begins with, folded: C{bob left} could be about C{bob}."""
    starts: set[str] = set()
    if name.isascii() and " " not in name:
        return starts
    for words in (name.split(" "), fold(name).split(" ")):
        starts |= {fold(" ".join(words[:count])) for count in range(1, len(words))}
    return starts


def _foldAscii(name: str) -> str:
    # Nickname's lowering, NFKC (which is nothing in ASCII) and spaces, then the skeleton.
    if name.startswith(" ") or name.endswith(" ") or "  " in name:
        name = re.sub("  +", " ", name.strip(" "))
    return name.lower().translate(_ASCII)


def _foldOnce(name: str) -> str:
    # Nickname's rules without its enforcement, which refuses what our own rules let pass (the
    # middle dot, say): its result is only compared, never shown.
    lowered = _nickname().apply_five_rules(name)
    skeleton = unicodedata.normalize("NFD", lowered).translate(_prototypes())
    return unicodedata.normalize("NFKC", skeleton.casefold())


def _likeness(text: str) -> str:
    """Put ASCII for what looks like it, as shown: capitals stay capitals, and ASCII as it is."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_likenesses())


@cache
def _nickname() -> Profile:
    from precis_i18n import get_profile

    return get_profile("Nickname")


@cache
def _likenesses() -> dict[int, str]:
    """
    @return: for L{str.translate}: the prototypes of all characters beyond ASCII
    """
    found: dict[int, str] = {}
    for source, other in confusables().items():
        if not source.isascii():
            # Case comes first: what looks like "I" and is a capital is one, as "I" itself is.
            found[ord(source)] = "I" if other == "l" and source.lower() != source else other
    return found


@cache
def _prototypes() -> dict[int, str]:
    """
    @return: for L{str.translate}: the skeleton of lowered text, where small letters without a
        lookalike in ASCII have that of their capital
    """
    likenesses = _likenesses()
    found = {**likenesses, **_ASCII}
    for source, prototype in likenesses.items():
        small = chr(source).lower()
        if len(small) == 1 and small != chr(source) and prototype.isascii():
            if not found.get(ord(small), small).casefold().isascii():
                found[ord(small)] = prototype.lower()
    return found


def nearest(word: str, names: Iterable[str]) -> str | None:
    """
    Find what someone may have meant. Case does not matter.

    Comparing two words takes some 6 us, and a hall can hold ten thousand names, so of very many
    only those are looked at that begin with the same letter, and not all of them: a typing
    mistake must not hold everyone up.

    @param word: what they typed
    @param names: what they may have meant
    @return: the nearest of the names, or L{None} if none is near
    """
    # Imported here since it is slow to import, and seldom asked.
    from difflib import get_close_matches

    word = word.lower()
    spelled = {name.lower(): name for name in names}
    candidates = list(spelled)
    if len(candidates) > MOST_COMPARED:
        alike = (name for name in candidates if name[:1] == word[:1])
        candidates = list(islice(alike, MOST_COMPARED))
    found = get_close_matches(word, candidates, 1)
    return spelled[found[0]] if found else None
