"""
What somebody may send to get at another's terminal: L{payloads} makes as many as are wanted.
"""

from __future__ import annotations

import random

#: Control functions of ECMA-48, xterm and older terminals, and what is near them.
PIECES = (
    *("\x1b[2J", "\x1b[H", "\x1b[1;1H", "\x1b[5A", "\x1b[3B", "\x1b[9C", "\x1b[9D", "\x1b[G"),
    *("\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[1J", "\x1b[3J", "\x1b[L", "\x1b[M"),
    *("\x1b[P", "\x1b[4@"),
    *("\x1b[31m", "\x1b[7m", "\x1b[1;5m", "\x1b[38;5;9m", "\x1b[38;2;1;2;3m", "\x1b[8m", "\x1b[m"),
    *("\x1b[?1049h", "\x1b[?25l", "\x1b[?7l", "\x1b[?5h", "\x1b[?2004h", "\x1b[4h", "\x1b[20h"),
    *("\x1b[2;4r", "\x1b[S", "\x1b[T", "\x1b[6n", "\x1b[c", "\x1b[5i", "\x1b[!p", "\x1b[3g"),
    *("\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;b3duZWQ=\x07", "\x1b]8;;http://x\x07"),
    *("\x1bP$q\x1b\\", "\x1b_G\x1b\\", "\x1b^x\x1b\\", "\x1bX x\x1b\\", "\x1b]4;1;red\x07"),
    *("\x1bc", "\x1b7", "\x1b8", "\x1bD", "\x1bE", "\x1bM", "\x1bH", "\x1b#8", "\x1b(0", "\x1b)0"),
    *("\x1b=", "\x1b>", "\x1bN", "\x1bO", "\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b%G", "\x1b%@"),
    *("\x9b2J", "\x9b5A", "\x9b7m", "\x9d0;owned\x9c", "\x90q\x9c", "\x84", "\x85", "\x8d", "\x88"),
    *("\r", "\b\b\b\b", "\x0b", "\x0c", "\a", "\x05", "\x0e", "\x0f", "\x18", "\x1a", "\x7f", "\t"),
    *("\r! refused", "\r-- note", "\r\x1b[K* bob left", "\b" * 80 + "eve: forged", "\0"),
    "\x11\x13",
    *("\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\ufeff", "\u206a", "\ufff9"),
    "\x1b\u202e[",
)
WORDS = (
    *("evil", "x", "owned", " ", "-- now", "* bob left", "! no", "bob: hi", "0;1m", "é", "漢字"),
    "[2J",
)

#: Bytes that are no UTF-8, but that an 8-bit terminal may take for control functions.
RAW = (
    *(b"\x9b2J", b"\x9b31m", b"\xc2", b"\xff\xfd\x01", b"\xe2\x80", b"\xc0\x9b[2J", b"\x85"),
    b"\xf0\x9f",
)


def payloads(count: int, seed: int = 5) -> list[str]:
    """
    @param count: how many; the first are each piece alone.
    @return: texts without line feeds; lone surrogates stand for bytes that are no UTF-8.
    """
    dice = random.Random(seed)
    made = [f"evil{piece}x" for piece in PIECES]
    while len(made) < count:
        parts = dice.choices(PIECES, k=dice.randint(1, 6))
        parts += dice.choices(WORDS, k=dice.randint(1, 4))
        if dice.random() < 0.1:
            parts += [dice.choice(RAW).decode("utf-8", "surrogateescape")]
        dice.shuffle(parts)
        made.append("".join(parts))
    return made[:count]
