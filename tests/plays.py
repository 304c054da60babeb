r"""
Plays: whole conversations with a real server, written so that anyone can read them.

A play is a file C{tests/transcripts/NAME.txt}, one sentence a line; space before a sentence, empty
lines, and lines that begin with C{#} are for the reader.  First the setting::

    The server listens as native, shh and addr.
    The server listens as native with seats 2, echo ack.        keys as in etc/mucs.toml
    The server is named Developer.
    The message of the day is "tea at four\nand cake".

Then what people do.  A name is one word that begins with a capital, the person's on stage (what
the server calls them is what they tell it)::

    Ada connects to native.
    Ada says  hello                     as a client of that dialect sends a line
    Ada sends exactly  "hello\n"        these bytes and no others
    Ada sends exactly  "x" 5000 times and "\n"
    Ada sends in pieces  "caf\xc3" "\xa9\n"     each when the server has read the one before
    Ada sends byte by byte  "hello\n"
    Ada half-closes.                    no more will come from her, but she still listens
    Ada hangs up.
    Ada is cut off.                     the connection is reset

And what comes of it::

    Ada sees  bob: hello
    Ada, Bob and Eve see  * cyd joined
    Ada sees nothing more.
    Yash receives exactly  "Welcome\0"
    The server hangs up on Ada.
    The console shows  127.0.0.1:40312 connected

In quotes stand UTF-8 and the escapes C{\0 \r \n \t \\ \"} and C{\xNN}, a byte.  Anywhere
C{{Ada}} is the address she connects from, as C{127.0.0.1:40312}, C{{Ada ip}} and C{{Ada port}}
are its halves; C{{time}} is the time of day, which on stage is always shortly after noon; and
C{{token}} is what someone may come back with.

A person sees line after line, each with its dialect's line end, and nothing in between.  Lines that
a paced dialect sends together or apart are the same to C{sees}; glued lines are not.  The
console's lines are looked at if a play quotes any of them.  L{tests.performance} says what is
certain about all this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.player import MANNERS
from tests.stage import Setting

_NAME = r"[A-Z]\w*"
_WHO = rf"(?P<who>{_NAME}(?:(?:, | and ){_NAME})*)"
#: A text in quotes, and a variable in any text.
QUOTED = r'"(?:[^"\\]|\\x[0-9a-fA-F]{2}|\\[0rnt\\"])*"'
VARIABLE = re.compile(r"\{(\w+)(?: (ip|port))?\}")
_TIMES = rf"(?: +(?P<times>\d+) times(?: and (?P<last>{QUOTED}))?)?"

# What each sentence looks like, and which method of Performance performs it.
_SENTENCES = [
    (method, re.compile(pattern))
    for method, pattern in (
        ("", r"The server listens as (?P<dialects>\w[\w, ]*?)(?: with (?P<settings>.+?))?\.?"),
        ("", r"The server is named (?P<called>.+?)\.?"),
        ("", rf"The message of the day is (?P<motd>{QUOTED})\.?"),
        ("hungUpOn", rf"The server hangs up on {_WHO}\.?"),
        ("shown", r"The console shows\s+(?P<text>.+)"),
        ("connects", rf"{_WHO} connects? to (?P<dialect>\w+)\.?"),
        ("says", rf"{_WHO} says?\s+(?P<text>.+)"),
        ("sends", rf"{_WHO} sends? exactly\s+(?P<pieces>{QUOTED}){_TIMES}\.?"),
        ("sends", rf"{_WHO} sends? in pieces\s+(?P<pieces>{QUOTED}(?:\s+{QUOTED})*)\.?"),
        ("sends", rf"{_WHO} sends? byte by byte\s+(?P<bytes>{QUOTED})\.?"),
        ("halfCloses", rf"{_WHO} half-closes?\.?"),
        ("hangsUp", rf"{_WHO} hangs? up\.?"),
        ("isCutOff", rf"{_WHO} (?:is|are) cut off\.?"),
        ("seesNoMore", rf"{_WHO} sees? nothing more\.?"),
        ("sees", rf"{_WHO} sees?\s+(?P<text>.+)"),
        ("receives", rf"{_WHO} receives? exactly\s+(?P<bytes>{QUOTED})\.?"),
    )
]
_LEAVING = ("hungUpOn", "hangsUp", "isCutOff")

_ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|([0rnt\\"]))')
_ESCAPED = dict(zip(b'0rnt\\"', (b"\0", b"\r", b"\n", b"\t", b"\\", b'"'), strict=True))


class PlayError(AssertionError):
    """A play cannot be read, or went otherwise: file, line, what was expected and what came."""


@dataclass
class Cue:
    """One sentence of a play: the method that performs it, for whom, and what else it says."""

    line: int
    sentence: str
    method: str
    who: list[str]
    said: dict[str, str]


@dataclass
class Play:
    """A play that was read."""

    path: Path
    setting: Setting = field(default_factory=Setting)
    cues: list[Cue] = field(default_factory=list)

    def error(self, line: int, sentence: str, *why: str) -> PlayError:
        """What is wrong with a line of it."""
        return PlayError("\n    ".join([f"{self.path}, line {line}: {sentence}", *why]))


def read(path: Path, text: str | None = None) -> Play:
    """
    Read a play.

    @param text: what stands in the file, where it is not to be looked up.
    @raise PlayError: something in it is no sentence, or cannot happen.
    """
    play = Play(path)
    lines = (path.read_text("utf-8") if text is None else text).split("\n")
    known: set[str] = set()
    here: set[str] = set()
    for number, line in enumerate(lines, 1):
        sentence = line.strip()
        if not sentence or sentence.startswith("#"):
            continue
        found = ((m, p.fullmatch(sentence)) for m, p in _SENTENCES)
        method, match = next(((m, f) for m, f in found if f), ("", None))
        if match is None:
            raise play.error(number, sentence, "no sentence of a play; tests/plays.py lists them")
        said = {key: value for key, value in match.groupdict().items() if value is not None}
        cue = Cue(number, sentence, method, re.split(", | and ", said.pop("who", "")), said)
        why = _set(play, said) if not method else _fault(play, cue, known, here)
        if why:
            raise play.error(number, sentence, why)
        if method:
            play.cues.append(cue)
    if not play.cues:
        raise play.error(len(lines), "The end", "nothing happens in this play")
    return play


def _set(play: Play, said: dict[str, str]) -> str:
    """Put one sentence into the setting. @return: what is wrong with it, or nothing."""
    if play.cues:
        return "the setting comes before everything else"
    if "called" in said:
        play.setting.called = said["called"]
    elif "motd" in said:
        play.setting.motd = unquote(said["motd"]).decode()
    else:
        pairs = [pair.split() for pair in said.get("settings", "").split(", ") if pair]
        if any(len(pair) != 2 for pair in pairs):
            return "settings are pairs of key and value, with a comma between the pairs"
        for dialect in re.split(", | and ", said["dialects"]):
            if dialect not in MANNERS:
                return f"there is no dialect {dialect}; there is {', '.join(MANNERS)}"
            if dialect in play.setting.listens:
                return f"the server listens as {dialect} already"
            play.setting.listens[dialect] = dict(pairs)
    return ""


def _fault(play: Play, cue: Cue, known: set[str], here: set[str]) -> str:
    """
    @param known: everyone who has been on stage so far.
    @param here: everyone who is there now.
    @return: why a sentence makes no sense after those before it, or nothing.
    """
    dialect = cue.said.get("dialect")
    if dialect is not None and dialect not in play.setting.listens:
        return f"the server does not listen as {dialect}"
    for name in filter(None, cue.who):
        if (name in here) is (dialect is not None):
            return f"{name} is {'on stage already' if dialect else 'not on stage'}"
    changed = set(cue.who) if dialect or cue.method in _LEAVING else set()
    here ^= changed
    known |= here
    for name, half in VARIABLE.findall(" ".join(cue.said.values())):
        if name not in known and (half or name[0].isupper()):
            return f"nobody called {name} has been on stage"
    return ""


def unquote(quoted: str) -> bytes:
    """The bytes that stand in quotes."""

    def escaped(found: re.Match[bytes]) -> bytes:
        return bytes.fromhex(found[1].decode()) if found[1] else _ESCAPED[found[2][0]]

    return _ESCAPE.sub(escaped, quoted[1:-1].encode())
