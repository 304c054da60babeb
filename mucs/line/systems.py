"""
The dialects of five older chat systems, as data: a client of theirs finds here the server that it
was written for.  The spacing is theirs, and so is every letter.

::

              client sends            server sends        who is it
    cstring   text NUL                text NUL            the first frame
    shh       one send, one message   one send            the first message
    hithere   line LF                 line LF             IP:PORT
    fiveseat  text LF, NULs to 256    text NUL            the first frame
    addr      line LF                 line LF             IP:PORT

Clients of C{cstring}, C{shh} and C{fiveseat} take what one C{recv} gives them for one message, so
these are paced; see L{mucs.paced}.
"""

from __future__ import annotations

from mucs.events import (
    CONNECT,
    DISCONNECT,
    FAREWELL,
    FULL,
    GREETING,
    JOIN,
    LEAVE,
    NAMED,
    NOW,
    PLACE,
    SAY,
    WELCOME,
)
from mucs.line.dialect import phrasebook
from mucs.line.phrases import FAULT
from mucs.rules import Policy

#: Seconds between two sends to a client that must not get two messages at once.
PACE = 0.04

cstring = phrasebook(
    "cstring",
    {
        GREETING: "",
        WELCOME: 'Welcome to Server "{target}", {author}',
        SAY: "{author}: {text}",
        JOIN: '"{author}" joined the chat room',
        LEAVE: '"{author}" disconnected from the server',
        FULL: "The server is full, no seat is free of {text}: try again later.",
        PLACE: "You are number {text} in the queue.",
        NOW: "",
    },
    framing="nul",
    newline="\n",
    pace=PACE,
    size=255,
    end=b"\0",
    console={
        NAMED: '"{author}" connected to the server from IP {peer}',
        DISCONNECT: '"{author}" disconnected from the server',
    },
    policy=Policy(seats=127, full="refuse", history=False, console=True),
)

shh = phrasebook(
    "shh",
    {
        GREETING: "Welcome to SHH Chat server, enter your name and join the room!",
        WELCOME: (
            "Hello {author}! If you ever want to quit , type !q to log out of the chat room."
        ),
        SAY: "->{author}: {text}",
        JOIN: "{author} has joined the room!",
        LEAVE: "{author} has left the chat room.",
        FAREWELL: "!q",
        PLACE: "You are number {text} in the queue.",
        NOW: "",
    },
    framing="segment",
    newline="\n",
    pace=PACE,
    console={CONNECT: "{peer} has connected.", DISCONNECT: "{peer} has logged out ."},
    policy=Policy(echo="line", history=False, console=True),
)

hithere = phrasebook(
    "hithere",
    {
        GREETING: "Hi there, ~from server..!",
        WELCOME: "",
        SAY: "<[{ip}] :{port}> => {text}",
        "named": "<[{author}]> => {text}",
        JOIN: "",
        LEAVE: "",
        PLACE: "You are number {text} in the queue.",
        NOW: "",
    },
    newline="\n",
    unended=frozenset((GREETING,)),
    console={CONNECT: "{peer} connected", SAY: "[{ip}]: {port} => {text}"},
    policy=Policy(naming="address", history=False, console=True),
)

fiveseat = phrasebook(
    "fiveseat",
    {
        GREETING: "Got the connection done successfully",
        WELCOME: "",
        SAY: "{author}: {text}",
        JOIN: "",
        LEAVE: '"{author}" disconnected from the server',
        PLACE: "You are number {text} in the queue.",
        NOW: "",
    },
    framing="nul",
    newline="\n",
    ack="Processed your request",
    pace=PACE,
    size=255,
    end=b"\0",
    console={
        CONNECT: "Data on port...Processing...",
        SAY: (
            "Processing the new message for the client socket: {number}\n"
            "The message received from the client is : {text}"
        ),
        DISCONNECT: "The client {number} has left",
        FAULT: "Something wrong happened. Closing the connection for client",
    },
    policy=Policy(echo="ack", seats=5, history=False, console=True),
)

addr = phrasebook(
    "addr",
    {
        GREETING: "Welcome to this chatroom.",
        WELCOME: "",
        SAY: "('{ip}', {port}): {text}",
        "named": "('{author}'): {text}",
        JOIN: "",
        LEAVE: "",
        PLACE: "You are number {text} in the queue.",
        NOW: "",
    },
    newline="\n",
    unended=frozenset((GREETING,)),
    console={CONNECT: "('{ip}', {port}) connected", SAY: "('{ip}', {port}): {text}"},
    policy=Policy(naming="address", history=False, console=True),
)
