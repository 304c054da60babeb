"""
Looks: which names look the same as they are shown.

L{mucs.names.fold} makes one key of all spellings of a name, small letters and capitals alike, and
so cannot see that C{I} looks like C{l}: to it, C{I} is C{i}.  L{look} is the other half: the
skeleton of UTS #39 (section 4) of a name exactly as it is shown.  Two names are too much alike
if either is the same.

What stands at the end of a name and is hardly seen (C{bob.}) does not tell it from another:
L{bare} is what is compared, by either.

What is always true: C{look} takes any string, and two names that differ only by a line of Unicode's
table of lookalikes have the same look.  The table is read at the first name that is not ASCII.
"""

from __future__ import annotations

import unicodedata
from functools import cache

# What ASCII looks like, as shown; a test compares it with the table.
_ASCII = str.maketrans(
    {"0": "O", "1": "l", "I": "l", "|": "l", "m": "rn", "`": "'", '"': "''", "%": "º/₀"}
)

#: Signs at the end of a name that is hardly told from one without.
_TRAILING = ".-_'!?"


def bare(name: str) -> str:
    """Give a name without such signs at its end; as it is, if it is nothing else."""
    return name.rstrip(_TRAILING) or name


def look(name: str) -> str:
    """Give the same for names that look the same, as they are shown."""
    if name.isascii() and "%" not in name:
        return name.translate(_ASCII)
    # The standard takes letters and accents apart at once, and so passes over the lines of its
    # table that are for both together: "ȧ" looks like "å".
    whole = unicodedata.normalize("NFC", name)
    for pair, other in _pairs().items():
        whole = whole.replace(pair, other)
    whole = whole.translate(_all())
    plain = unicodedata.normalize("NFD", whole).translate(_all())
    return unicodedata.normalize("NFD", plain)


@cache
def _all() -> dict[int, str]:
    """@return: for L{str.translate}: what each character looks like, to the end of the chain."""
    table = confusables()
    found: dict[int, str] = {}
    for source, other in table.items():
        # Some prototypes hold what has one itself, once it is taken apart.
        for _ in range(3):
            other = "".join(table.get(one, one) for one in unicodedata.normalize("NFD", other))
        found[ord(source)] = other
        # What is not in NFC never comes to be shown, but what NFC makes of it does.
        whole = unicodedata.normalize("NFC", source)
        if len(whole) == 1:
            found.setdefault(ord(whole), other)
    return found


@cache
def _pairs() -> dict[str, str]:
    """@return: the same for the few that NFC takes apart: Hebrew letters with points."""
    found: dict[str, str] = {}
    for source, other in confusables().items():
        whole = unicodedata.normalize("NFC", source)
        if len(whole) > 1 and whole != other:
            found[whole] = unicodedata.normalize("NFC", other)
    return found


@cache
def confusables() -> dict[str, str]:
    """
    Read the table of lookalikes (confusables.txt of UTS #39, Unicode 14 at the time of writing).

    The package holds each line of the table twice, as C{source: [prototype]} and as
    C{prototype: [source, ...]}, with U+200E around what is written from right to left. A source is
    one character, has one prototype, is never a prototype itself, and comes before it.
    (Seen by comparing what is read here with Unicode's own file, line by line.)

    @return: the prototype of each character that has one
    """
    import json
    import pkgutil

    data = pkgutil.get_data("confusable_homoglyphs", "confusables.json")
    assert data is not None, "confusable_homoglyphs came without its table"
    table: dict[str, str] = {
        key.strip("\u200e"): entries[0]["c"].strip("\u200e")
        for key, entries in json.loads(data).items()
    }
    found: dict[str, str] = {}
    prototypes: set[str] = set()
    for source, other in table.items():
        if len(source) == 1 and source not in prototypes:
            prototypes.add(other)
            found[source] = other
    return found
