"""
How servers other than MUCS itself speak: the five systems of C{mucs.line.systems} from their
clients' side, and lines; all of it data.

::

              sends                  gets                     who is it
    plain     line LF                line LF                  a line, when asked
    cstring   text NUL               text NUL                 the first frame, at once
    shh       text, nothing more     text, nothing more       the first message
    hithere   line LF                line LF                  its address
    fiveseat  text LF, NULs to 256   text NUL                 the first frame
    addr      line LF                line LF                  its address

Servers of C{cstring}, C{shh} and C{fiveseat} take what one C{recv} gives them for one message, so
what is sent to them is sent with a pause between.
"""

from __future__ import annotations

from typing import NamedTuple

#: Seconds between two messages to a server that must not get two at once.
PACE = 0.05

#: How the one who waits for a seat is told so.
QUEUE = "You are number "


class Dialect(NamedTuple):
    """
    @ivar port: the usual one.
    @ivar frame: what ends a message that comes, besides the end of a line.
    @ivar before: what stands before the text of a message that is sent; C{after}, behind it.
    @ivar pad: bytes to which a message that is sent is filled up with NUL; 0 for none.
    @ivar size: the most bytes of text that go into a message.
    @ivar pace: seconds between two messages.
    @ivar greeting: what comes first, without an end.
    @ivar naming: when the name is sent: C{at once}, C{greeted} (after the first message that
        comes), C{asked} (where L{ASKED} stands in what comes), or C{never}.
    @ivar ack: what the server answers to each message, if it does.
    @ivar own: how one's own line is shown; nothing where the server shows it.
    @ivar quit: what is sent to leave.
    """

    name: str
    summary: str
    port: int
    frame: bytes = b"\n"
    after: bytes = b"\n"
    pad: int = 0
    size: int = 4096
    pace: float = 0.0
    greeting: str = ""
    naming: str = "never"
    ack: str = ""
    own: str = "{name}: {text}"
    quit: str = ""


#: The question that is answered with the name.
ASKED = "what is your name?"

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("plain", "lines, as netcat sends them", 7000, naming="asked"),
        Dialect(
            "cstring",
            "C strings",
            7000,
            frame=b"\0",
            after=b"\0",
            size=255,
            pace=PACE,
            naming="at once",
        ),
        Dialect(
            "shh",
            "one send is one message",
            33000,
            after=b"",
            size=1024,
            pace=PACE,
            greeting="Welcome to SHH Chat server, enter your name and join the room!",
            naming="greeted",
            own="",
            quit="!q",
        ),
        Dialect(
            "hithere",
            "lines; people are called by their address",
            8000,
            size=2047,
            greeting="Hi there, ~from server..!",
            own="<You>{text}",
        ),
        Dialect(
            "fiveseat",
            "buffers of 256 bytes; five seats",
            9909,
            frame=b"\0",
            pad=256,
            size=254,
            pace=PACE,
            naming="greeted",
            ack="Processed your request",
        ),
        Dialect(
            "addr",
            "lines; people are called by their address",
            8888,
            size=1023,
            greeting="Welcome to this chatroom.",
            own="{text}",
        ),
    )
}


def packed(dialect: Dialect, data: bytes) -> bytes:
    """
    A message as it is sent.

    @param data: its text in UTF-8, at most C{dialect.size} bytes.
    """
    return (data + dialect.after).ljust(dialect.pad, b"\0")
