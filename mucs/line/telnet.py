"""What a telnet client says besides text, taken out of what it sends.

A telnet client (RFC 854) mixes commands into its text, each begun by the byte 255, IAC. Every line
connection holds one `Telnet` and passes each segment through `feed` before the framing sees it;
what must be sent back gathers in `reply`, which the connection takes and sends. UTF-8 never holds a
byte 255, so everyone else pays one look for it.

Always true:

- It is total: no byte sequence raises, and none swallows more than 512 bytes, for IAC SB is also
  two letters of Latin-1, and they should not make a connection deaf for ever.
- How the bytes are cut into segments changes neither the text nor the replies.
- It never speaks first, but by `conceal`: netcat would print that. It only refuses: DO with
  WONT, WILL with DONT. WONT and DONT ask for what is so already, and such an answer would be
  answered (RFC 1143).
- It sends at most 512 replies of 3 bytes in a connection's life, one for each option and verb
  (a timing mark is answered each time), so a flood is not answered one for one.
- It holds at most 513 bytes: a sequence whose end has not come yet.

The server switches the client's echo off, for a password, by offering to echo itself: IAC WILL
ECHO, and later IAC WONT ECHO. DO ECHO is marked as answered then, for the client's DO is consent
and no request; the mark outlives the offer. netcat prints the three bytes, so a return stands
behind them, and the line that follows is written over them.
"""

import re

IAC = 0xFF
DONT = 0xFE
DO = 0xFD
WONT = 0xFC
WILL = 0xFB
SB = 0xFA
SE = 0xF0
EOF = 0xEC
"""The lowest of telnet's commands (RFC 1184); a byte below it after an IAC is none."""

ECHO = 1
"""Who echoes (RFC 857): the server does not, but says it would, where nothing is to be shown."""

TIMING_MARK = 6
"""The one option that is asked for anew each time (RFC 860)."""

SUBNEGOTIATION = 512
"""Bytes between IAC SB and IAC SE that are swallowed; what follows them is text again."""

REPLIES = 512
"""Replies in a connection's life: 256 options by two verbs."""

# Up to an IAC SE, to an IAC with nothing behind it, or to the end. Possessive: it never goes back.
_BODY = re.compile(rb"(?:[^\xff]++|\xff[^\xf0])*+", re.DOTALL)


class Telnet:
    """The telnet filter of one connection.

    `reply` is what the peer is owed and has not been sent; empty nearly always.
    """

    __slots__ = ("_held", "_refused", "_replies", "reply")

    def __init__(self) -> None:
        self.reply = b""
        self._held = b""  # the beginning of a sequence, from its IAC on
        self._refused = 0  # a bit for each option and verb
        self._replies = 0

    def feed(self, data: bytes) -> bytes:
        """Take one segment as it came from the socket and return the text in it.

        Without an IAC in it or before it that is `data` itself. IAC IAC is a byte 255 of text, and
        so is an IAC before a byte that is no command: both come from someone who does not write
        UTF-8, and must be told so, not lose a letter or a line end. Look at `reply` afterwards.
        """
        if IAC in data or self._held:
            return self._strip(self._held + data)
        return data

    def takeReply(self) -> bytes:
        """Return what is to be sent to the peer, and forget it."""
        reply, self.reply = self.reply, b""
        return reply

    def conceal(self, hidden: bool) -> bytes:
        """Return what has the client show no more what is typed, or show it again."""
        self._refused |= 1 << ECHO
        return bytes((IAC, WILL if hidden else WONT, ECHO)) + b"\r"

    def _strip(self, data: bytes) -> bytes:
        """Return the text in `data`; hold the sequence that is begun at its end."""
        text = []
        size = len(data)
        at = 0
        self._held = b""
        while (mark := data.find(IAC, at)) >= 0:
            after = mark + 2
            if after > size:
                break
            command = data[mark + 1]
            if command == IAC:
                text.append(data[at : mark + 1])
                at = after
                continue
            if command < EOF:
                text.append(data[at:after])
                at = after
                continue
            if command >= WILL:
                if after == size:
                    break
                self._refuse(command, data[after])
                after += 1
            elif command == SB:
                body = after
                after = self._bodyEnd(data, body)
                # The IAC SE itself is left to the next round, which drops it like any command.
                if after + 1 >= size and size - body < SUBNEGOTIATION:
                    break
            text.append(data[at:mark])
            at = after
        else:
            text.append(data[at:])
            return b"".join(text)
        text.append(data[at:mark])
        self._held = data[mark:]
        return b"".join(text)

    def _bodyEnd(self, data: bytes, body: int) -> int:
        """Return where the subnegotiation whose content begins at `body` ends, or may end so far.

        The limit never parts an IAC from what follows it.
        """
        found = _BODY.match(data, body, body + SUBNEGOTIATION)
        return found.end() if found else body

    def _refuse(self, verb: int, option: int) -> None:
        """Answer a request, unless it has been answered, or is none.

        A timing mark is answered each time, as long as there are replies left: the telnet of BSD
        and GNU shows nothing more after an interrupt (^C) until its mark is answered.
        """
        if verb in (WONT, DONT) or self._replies >= REPLIES:
            return
        bit = 1 << (option if verb == DO else option + 256)
        if self._refused & bit and (verb, option) != (DO, TIMING_MARK):
            return
        self._refused |= bit
        self._replies += 1
        self.reply += bytes((IAC, WONT if verb == DO else DONT, option))
