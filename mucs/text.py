"""
What people type, made safe to show and taken apart.

Nothing here knows of rooms, people or connections: strings and bytes come in, strings and numbers
go out, and nothing is ever raised. L{clean} stands between what one person wrote and another
person's terminal, and everything that goes out has passed it: speech, topics, reasons and history.
The dialects use L{cut} to keep a piece of output within a client's buffer, and the commands
take their arguments apart with L{firstWord}, which understands what L{quote} gives.

What is always true: what L{clean} returns can start no control sequence, no new line and no change
of writing direction on a terminal, can be encoded in UTF-8, shows something or is empty, and
comes back unchanged from a second L{clean}.
"""

import re

#: The characters that take no part in what is seen, for use inside a C{[...]} of a regular
#: expression: Default_Ignorable_Code_Point (DerivedCoreProperties.txt, Unicode 15.1), and two that
#: draw nothing though Unicode counts them as symbols: the empty braille cell and the null notehead.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# Every one of these is unprintable to str.isprintable, which clean relies on. The joiners
# (U+200C, U+200D), the variation selectors and the tags that spell flags are not among them:
# emoji, Persian and the Indic scripts need them.
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: colours, cursor moves, new lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi marks, embeddings, overrides, isolates
    "\u2028\u2029"  # line and paragraph separator
    "\u206a-\u206f\ufff9-\ufffb"  # deprecated format characters, interlinear annotation
    "\ufeff\ud800-\udfff"  # byte order mark; lone surrogates, which UTF-8 has no bytes for
    "]+"
)
_VISIBLE = re.compile(f"[^\\s{INVISIBLE}]")


def clean(text: str) -> str:
    """
    Take out of a text what could move, colour or forge someone's screen.

    A TAB becomes one space. C0 and C1 controls, DEL, bidi controls, line and paragraph separators,
    deprecated format characters, interlinear annotation, byte order marks and lone surrogates
    are removed. Joiners, variation selectors, tags and leading white space stay.

    This runs once for each line of chat. L{str.isprintable} is one pass in C, and when it is true
    there is nothing to remove.

    @param text: one line of text from a user
    @return: the text without trailing white space; C{""} if nothing in it would be seen
    """
    if not text.isprintable():
        text = _UNSAFE.sub("", text.replace("\t", " "))
    if text.isascii() or _VISIBLE.search(text):
        return text.rstrip()
    return ""


def counted(count: int, noun: str) -> str:
    """
    Say how many there are: C{1 room}, C{2 rooms}.

    @param noun: for one of them, with a regular plural
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def firstWord(argument: str) -> tuple[str, str]:
    """
    Split a command's argument into its first word and the rest.

    A first word in double quotes may hold spaces: C{"Fake Herleen" hi} is C{Fake Herleen}
    and C{hi}. A quote that is never closed is a character like any other.

    @param argument: what followed the command, cleaned
    @return: the first word without its quotes, and what follows the white space after it; each is
        C{""} where there is none
    """
    argument = argument.lstrip()
    if argument.startswith('"'):
        end = argument.find('"', 1)
        if end > 0:
            return argument[1:end], argument[end + 1 :].lstrip()
    word, *rest = argument.split(None, 1) or [""]
    return word, rest[0] if rest else ""


def firstSecret(argument: str) -> tuple[str, str]:
    """
    Split two passwords on one line into the first and the rest.

    Quotes are taken off only where they stand around white space, and a blank or the end stands
    behind the second: so every other word is what it is, quotes and all, and C{""two words""}
    gives one that has spaces and quotes.

    @return: as L{firstWord}
    """
    argument = argument.lstrip()
    quoted = re.match(r'"(.+?)"(?=\s|$)', argument)
    if quoted and len(quoted[1].split(None, 1)) > 1:
        return quoted[1], argument[quoted.end() :].lstrip()
    word, *rest = argument.split(None, 1) or [""]
    return word, rest[0] if rest else ""


def quote(name: str) -> str:
    """
    Give a name as it must be typed in a command.

    @param name: the name of a person or a room, which holds no double quote
    @return: the name, in double quotes if it holds a space
    """
    return f'"{name}"' if " " in name else name


def cut(data: bytes, size: int) -> int:
    """
    Find where UTF-8 may be cut so that the first piece is as long as may be and holds no part of
    a character. Where the bytes around the cut are no UTF-8, there is nothing to protect.

    @param data: UTF-8
    @param size: the most bytes that the first piece may hold, at least 4, the longest character
    @return: the length of the first piece in bytes, at most C{size} and at most C{len(data)}
    """
    if len(data) <= size:
        return len(data)
    start = size
    # A character has at most three bytes after its first one: 10xxxxxx each (RFC 3629, section 3).
    while start > size - 3 and data[start] & 0xC0 == 0x80:
        start -= 1
    if start == size:
        return size
    first = data[start]
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    try:
        data[start : start + length].decode("utf-8")
    except UnicodeDecodeError:
        return size
    # A whole character that ends before the cut means that what follows it is no UTF-8.
    return start if start + length > size else size
