"""
Signs that are words by themselves: for writing that puts no spaces between words, and for emoji.

What looks for words finds them between spaces, and would take a sentence in Chinese, Japanese or
Thai for one word, and an emoji for none. L{apart} makes a word of each such sign, so that a run of
them is found wherever it stands in a text, as a phrase. (The words are two characters of Unicode's
private use area, U+E000 to U+F8FF, which SQLite takes for letters; what the signs themselves are
to it depends on its version.)
"""

from __future__ import annotations

import re

_SIGNS = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # radicals, marks
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3105-\u312f"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece"  # Thai, Lao
    "\u1000-\u103f\u1780-\u17d3"  # Burmese, Khmer
    "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"  # symbols, emoji
)
_SIGN = re.compile(f"[{_SIGNS}]")
_SIGNS_RUN = re.compile(f"[{_SIGNS}]+")
_WORD = re.compile(f"[^\\W_]|[{_SIGNS}]")


def apart(text: str) -> str:
    """@return: a text in which each sign that is a word by itself is one to others too."""
    return text if text.isascii() else _SIGN.sub(_word, text)


def bare(text: str) -> str:
    """@return: the same for who looks for no sign, with one word for a run of them."""
    return text if text.isascii() else _SIGNS_RUN.sub(" \ue000 ", text)


def signs(text: str) -> set[str]:
    """@return: the signs in a text that are words by themselves."""
    return set() if text.isascii() else set(_SIGN.findall(text))


def hasWords(text: str) -> bool:
    """Whether anything in a text can be looked for: a letter, a digit, or such a sign."""
    return _WORD.search(text) is not None


def _word(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f" {chr(0xE000 + (code >> 12))}{chr(0xE800 + (code & 0xFFF))} "
