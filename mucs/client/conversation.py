"""
A conversation with a server that counts: C{json}, as C{docs/protocol.md} has it.

One's own lines are shown where their ack stands, so that everyone sees the same order; until then
they are L{Conversation.waiting}.  What was missed while the line was lost comes with the ids of
one's own lines too: those had been stored, and only their acks were lost.

Always true: C{Room.seen} is the number of the last event of that room that was shown.
"""

from __future__ import annotations

import time
from typing import Any

from msgspec import UNSET

from mucs.client import wording
from mucs.client.arrival import GREETING, IN, LOGIN, NAMING, Arrival
from mucs.client.outbox import Item
from mucs.client.told import Ack, Gap, Told
from mucs.client.wording import happened, note
from mucs.text import clean, counted, firstWord, quote

#: Bytes that may be said at once; see the protocol's page.
LONGEST_LINE = 4096

#: Seconds before something is said again of which the server does not know whether it is stored.
UNKNOWN_AGAIN = 1.0


class Conversation(Arrival):
    """See L{mucs.client.views.Talk}."""

    _day = ""
    _friend = "them"  # who last said something to us alone

    @property
    def unfinished(self) -> int:
        return len(self.outbox)

    def waiting(self) -> list[str]:
        return [item.text for item in self.outbox if not item.command or not item.sent]

    def typed(self, text: str) -> None:
        if self._phase == NAMING and text.startswith("/login "):
            # It may be the only way in.
            self._logIn(text)
        elif self.asks:
            self._call(text)
        elif len(text.encode("utf-8", "replace")) > LONGEST_LINE:
            self._view.failed(text, f"a line has at most {LONGEST_LINE} bytes")
        else:
            self.outbox.add(text, self.current)
            self._flush()
            self._view.changed()

    def leave(self, why: str = "") -> bool:
        if self._send is None:
            return False
        self._ask(do=f"/quit {why}".rstrip())
        return self._phase != GREETING

    def _flush(self) -> None:
        if self._phase == IN:
            for item in self.outbox.due():
                self._ask(**item.request())

    # What is told.

    def _hear(self, told: Told) -> None:
        if told.event is not UNSET:
            self._event(told)
        elif told.ack is not UNSET:
            self._acked(told.ack)
        elif told.welcome is not UNSET:
            self.server = told.welcome
            if self._phase == GREETING:
                self._hello()
        elif told.entered is not UNSET:
            self._entered(told)
        elif told.now is not UNSET:
            self._now(told)
        elif told.done is not UNSET:
            self._done(told.done)
        elif told.note is not UNSET:
            self._view.show(note(told.note))
        elif told.refused is not UNSET:
            self._refusal(told.refused)
        elif told.nak is not UNSET:
            self._nak(told.nak.id, told.nak.why)
        elif told.missed is not UNSET and told.missed.count:
            self._view.show(note(f"{told.missed.count} missed in #{clean(told.missed.room)}"))
        elif told.gap is not UNSET:
            room = self.rooms.get(told.gap.room)
            if room is not None:
                room.seen = max(room.seen, told.gap.after + told.gap.skipped)
            self._view.show(note(self._skipped(told.gap)))
        elif told.place is not UNSET:
            self._view.show(note(f"no seat is free; you are number {told.place} in the queue"))

    def _skipped(self, gap: Gap) -> str:
        there = "" if gap.room == self.current else f" in {quote(clean(gap.room))}"
        how = f"/history {min(gap.skipped, 500)} before {gap.after + gap.skipped + 1}{there}"
        return f"{counted(gap.skipped, 'message')} skipped; {how} shows them"

    def _acked(self, ack: Ack) -> None:
        item = self.outbox.pop(ack.id)
        if item is not None:
            self._said(item, ack)
        elif ack.room in self.rooms:
            self.rooms[ack.room].counts(ack.seq)
        self._flush()
        self._view.changed()

    def _said(self, item: Item, ack: Ack) -> None:
        """Something of ours is stored: show it, where it stands."""
        kind, text, target = "say", item.text, ""
        if item.command:
            kind = "me" if item.command == "me" else "tell"
            text = item.text.partition(" ")[2].strip()
            if item.command in ("msg", "tell"):
                target, text = firstWord(text)
            elif item.command == "reply":
                target = self._friend
        self._event(
            Told(
                event=kind,
                room=ack.room,
                seq=ack.seq,
                time=ack.time,
                author=self.name,
                text=text,
                target=target,
                id=item.id,
            )
        )

    def _done(self, id: str) -> None:
        if id == LOGIN:
            self._loggedIn()
        self.outbox.finish(id)
        self._flush()
        self._view.changed()

    def _refusal(self, why: str) -> None:
        item = self.outbox.underWay()
        if self._phase != IN or self._logsIn:
            self._refuse(why)
        elif item is None:
            self._view.failed("", why)
        else:
            item.refused = True
            self._view.failed("", why)

    def _nak(self, id: str, why: str) -> None:
        if why.startswith("unknown"):
            self._later(UNKNOWN_AGAIN, lambda: self._again(id))
            return
        item = self.outbox.pop(id)
        if item is not None:
            self._view.failed(item.text, why)
        self._flush()
        self._view.changed()

    def _again(self, id: str) -> None:
        self.outbox.again(id)
        self._flush()

    # What happens.

    def _event(self, told: Told) -> None:
        assert told.event is not UNSET
        kind, author, mine = told.event, told.author, told.author == self.name
        room = self.rooms.get(told.room)
        past = told.past
        if room is not None and (room.arriving or not past):
            isShown = kind in ("join", "leave") and room.owes(kind, author, told.seq)
            if (told.seq and not room.counts(told.seq)) or isShown:
                return
            if not past:
                room.follows(kind, author, told.target, self.name)
        if told.id and mine and self.outbox.pop(told.id) is not None:
            # It was stored before the line was lost, and only its ack did not come.
            past = False
        if past and mine and kind in ("join", "leave"):
            # To people their own coming and going is nothing that they missed.
            return
        if kind == "nick" and mine and not past:
            self.name = told.target
        elif kind == "leave" and mine and not past:
            self._left(told.room)
            self._view.show(note(f"you left #{told.room}"))
            self._view.happened(_fields(told))
            self._view.changed()
            return
        elif kind == "tell" and not mine:
            self._friend = author
        if room is not None and told.room != self.current and kind in wording.SPEECH:
            room.unread += not told.past
        self._show(told, past)
        self._view.happened(_fields(told))
        self._view.changed()

    def _left(self, name: str) -> None:
        self.rooms.pop(name, None)
        if self.current == name:
            self.current = next(reversed(self.rooms), "")

    def _show(self, told: Told, past: bool) -> None:
        today = int(1000 * time.time())
        day = wording.day(told.time or today)
        if day != (self._day or wording.day(today)):
            self._view.show(note(day))
        self._day = day
        assert told.event is not UNSET
        what = (told.event, told.author, told.text, told.target, told.time)
        other = told.room if told.room != self.current and told.event != "tell" else ""
        self._view.show(happened(*what, other, self.name, past))


def _fields(told: Told) -> dict[str, Any]:
    """An event as the protocol's page shows it."""
    fields: dict[str, Any] = {
        "event": told.event,
        "room": told.room,
        "seq": told.seq,
        "time": told.time,
        "author": told.author,
    }
    for key in ("text", "target", "id"):
        if value := getattr(told, key):
            fields[key] = value
    if told.past:
        fields["past"] = True
    return fields
