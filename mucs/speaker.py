"""
A speaker: someone whose intents are carried out.

Every intent passes the filters, and becomes an event that is posted to a room, a question to the
log, or a command.  What cannot be is L{Refused}, with one line that says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs import events as kinds
from mucs.events import Command, Event, Intent, Look, Name, Refused, Say, note, refusal
from mucs.imucs import ICommand
from mucs.names import BadName, checkName
from mucs.newcomer import Newcomer
from mucs.plugin import Answers
from mucs.room import Room
from mucs.viewer import GONE, IN, LEAVING, NAMING

log = Logger()

#: Events that are shown at once, at most.
MOST = 500


class Speaker(Newcomer):
    """A session, as far as it does what it is asked."""

    __slots__ = ()

    def perform(self, intent: Intent) -> None:
        """Do what is asked."""
        hall = self.hall
        try:
            for filter in hall.filters:
                intent = hall.guard.call(filter, intent, filter.filter, self, intent)
            if type(intent) is Say:
                self._say(intent)
            elif type(intent) is Command:
                self._command(intent)
            elif type(intent) is Name:
                self._be(intent)
            elif type(intent) is Look:
                self._look(intent)
        except Refused as refused:
            self.refuse(str(refused))

    def _say(self, said: Say) -> None:
        if self.state == IN:
            room = self._where(said.room)
            if len(said.text.encode()) > self.hall.limits.line:
                raise Refused(f"a line has at most {self.hall.limits.line} bytes")
            self._post(room, kinds.SAY, said.text, id=said.id)
        elif self.state == NAMING and self._dialect.framed:
            raise Refused("first say who you are, with a name")
        elif self.state == NAMING and self.policy.naming == "ask":
            self._claim(said.text)

    def _where(self, name: str) -> Room:
        """A room it is in, by name, or that it speaks in."""
        room = self.hall.room(name, make=False) if name else self.current
        if room is None:
            raise Refused("you are in no room; /join ROOM takes you to one")
        if room not in self.rooms:
            raise Refused(f"you are not in #{room.name}; /join it first")
        return room

    def _be(self, wanted: Name) -> None:
        if self.state == NAMING and self.policy.naming == "ask":
            self._places = wanted.rooms
            self._claim(wanted.name)
        elif self.state == IN:
            try:
                self.rename(checkName(wanted.name, self.hall.limits.name))
            except BadName as bad:
                raise Refused(str(bad)) from bad

    def _look(self, look: Look) -> None:
        if self.state != IN:
            raise Refused("first say who you are: type a name")
        limit = max(1, min(look.limit, MOST))
        history = self.hall.history
        where = None if look.words else self._where(look.room)

        def ask(_: None) -> Deferred[list[Event]]:
            if where is None:
                return history.search(self, look.words, limit)
            return history.said(where, look.before, limit)

        self._await(self.hall.stored().addCallback(ask).addCallback(self._found))

    def _found(self, events: list[Event]) -> Iterable[Event]:
        self.show(events)
        return [note(f"{len(events)} shown")]

    def _command(self, intent: Command) -> None:
        hall = self.hall
        if self.state >= LEAVING:
            return
        command = hall.command(intent.name)
        if self.state != IN and command.role != "stranger":
            raise Refused("first say who you are: type a name")
        broken: Answers = (refusal(f"/{command.name} failed; the server's log says why"),)
        answers = hall.guard.call(command, broken, _run, command, self, intent.argument)
        if isinstance(answers, Deferred):
            self._await(answers)
        else:
            self.reply(*answers)

    def _await(self, answers: Deferred[Iterable[Event]]) -> None:
        """Answer when it is known what; what is asked for next waits."""
        self.changes += 1
        answers.addCallbacks(lambda known: self.reply(*known), self._unknown)
        answers.addCallback(lambda _: self._done())

    def _unknown(self, failure: Failure) -> None:
        if failure.check(Refused):
            self.refuse(str(failure.value))
        else:
            log.failure("an answer failed", failure)
            self.refuse("that failed; the server's log says why")

    def _done(self) -> None:
        self.changes -= 1
        if not self.changes and self.state != GONE:
            self.proceed()


def _run(command: ICommand, session: Speaker, argument: str) -> Answers:
    """Run a command to its end: one that yields its answers may still raise with the last."""
    answers = command.run(session, argument)
    if isinstance(answers, Deferred):
        return answers
    answers = list(answers)
    for answer in answers:
        if not isinstance(answer, Event):
            raise TypeError(f"a command answers with events, such as note(...); not {answer!r:.80}")
    return answers
