"""
A speaker: someone whose intents are carried out.

Every intent passes the filters, and becomes an event that is posted to a room, a question to the
log, or a command.  What cannot be is L{Refused}, with one line that says why.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs import events as kinds
from mucs.asker import Asker, Then, forget
from mucs.events import (
    Command,
    Event,
    Intent,
    Look,
    Name,
    Refused,
    Say,
    Typed,
    Unsaid,
    note,
    refusal,
)
from mucs.gaps import MOST
from mucs.imucs import ICommand
from mucs.names import BadName, nearest
from mucs.plugin import Answers
from mucs.roles import GUEST, HOW, STRANGER
from mucs.room import Room
from mucs.viewer import GONE, IN, LEAVING, NAMING

log = Logger()

#: Commands with a password behind them.
SECRETS = frozenset(("login", "register", "password"))


class Speaker(Asker):
    """A session, as far as it does what it is asked."""

    __slots__ = ()

    def perform(self, intent: Intent | Typed) -> None:
        """Do what is asked."""
        try:
            if isinstance(intent, Typed):
                then = self.asked()
                if then is not None:
                    self._answerTo(then, intent.text)
                    return
                intent = self._dialect.parse(intent.text)
            if self.hall.filters:
                intent = self._filtered(intent)
            if type(intent) is Say:
                self._say(intent)
            elif type(intent) is Command:
                self._command(intent)
            elif type(intent) is Name:
                self._be(intent)
            elif type(intent) is Look:
                self._look(intent)
        except Refused as refused:
            if type(intent) is Say and intent.id:
                refused = Unsaid(str(refused), intent.room, intent.id)
            self.decline(refused)
        self.lookAgain()
        if self._doing and not self.changes:
            self.done()

    def decline(self, refused: Refused) -> None:
        """Say why something was not done; and which of many things that was, if it has an id."""
        if refused.id:
            room = refused.room or (self.current.name if self.current is not None else "")
            self.reply(Event(room, 0, 0, "", kinds.NAK, str(refused), refused.id))
        else:
            self.refuse(str(refused))

    def done(self) -> None:
        """The command under way is done, and everything that it changed is so."""
        id, self._doing, self._actId = self._doing, "", ""
        if id:
            self.reply(Event("", 0, 0, "", kinds.DONE, id=id))

    def _filtered(self, intent: Intent) -> Intent:
        """What the filters make of it. They are not shown passwords. @raise Refused: one did."""
        hall, shown = self.hall, intent
        if type(intent) is Command and self._isSecret(intent.name):
            shown = Command(intent.name, id=intent.id)
        passed = shown
        for filter in hall.filters:
            passed = hall.guard.call(filter, passed, filter.filter, self, passed)
        return intent if passed == shown else passed

    def _isSecret(self, name: str) -> bool:
        """Whether a password may stand behind a command's name, or behind what was meant by it."""
        return name in SECRETS or (
            name not in self.hall.commands and (not name or nearest(name, SECRETS) is not None)
        )

    def _say(self, said: Say) -> None:
        if self.state == IN:
            room = self.where(said.room)
            if len(said.text.encode()) > self.hall.limits.line:
                raise Refused(f"a line has at most {self.hall.limits.line} bytes")
            self._post(room, kinds.SAY, said.text, id=said.id)
        elif self.state == NAMING and self._dialect.framed:
            raise Refused("first say who you are, with a name")
        elif self.state == NAMING and (self.policy.naming == "ask" or not self.policy.guests):
            if self.hall.seconds() < self._wary:
                why = "it could be a password; /login NAME asks for one"
                raise Refused(f"that is not taken for a name so soon: {why}")
            self._claim(said.text)

    def where(self, name: str) -> Room:
        """A room it is in, by name, or that it speaks in. @raise Refused: there is none."""
        room = self.hall.room(name, make=False) if name else self.here()
        if room not in self.rooms:
            raise Refused(f"you are not in #{room.name}; /join it first")
        return room

    def lookBack(self, room: Room) -> None:
        """@raise Refused: it is not shown what was said there before it came."""
        if not self.past(room):
            raise Refused(f"what was said in #{room.name} is for members; /register makes you one")

    def join(self, room: Room, key: str = "") -> None:
        super().join(room, key)
        # Who was in a room as a guest may have logged in since.
        if room in self.rooms and self.hall.rules.claims(self, room):
            self._await(self.hall.rules.claim(self, room))

    def settled(self, room: Room, event: Event) -> None:
        if event.kind == kinds.JOIN and self.hall.rules.claims(self, room):
            self._await(self.hall.rules.claim(self, room))
        super().settled(room, event)

    def _be(self, wanted: Name) -> None:
        if self.state == NAMING and self.policy.naming == "ask":
            self._places = wanted.rooms
            self._claim(wanted.name)
        elif self.state == IN:
            self.rename(self.named(wanted.name))

    def _look(self, look: Look) -> None:
        if self.state != IN:
            raise Refused(HOW[GUEST])
        limit = max(1, min(look.limit, MOST))
        history = self.hall.history
        where = None if look.words else self.where(look.room)
        if where is not None:
            self.lookBack(where)

        def ask(_: None) -> Deferred[list[Event]]:
            if where is None:
                return history.search(self, look.words, limit)
            if look.after is not None:
                return history.happened(where, look.after, limit)
            return history.said(where, look.before, limit)

        self._await(self.hall.stored().addCallback(ask).addCallback(self._found))

    def _found(self, events: list[Event]) -> Iterable[Event]:
        self.show(events)
        return [note(f"{len(events)} shown")]

    def _command(self, intent: Command) -> None:
        if self.state >= LEAVING:
            return
        self._doing = self._actId = intent.id
        self._tries = 0
        try:
            answers = self._ran(self.hall.command(intent.name), intent.argument)
            if intent.name in SECRETS and isinstance(answers, Deferred):
                answers.addErrback(self.beware)
            self._answer(answers)
        except Refused:
            wholly = intent.name in ("register", "password")
            if self._isSecret(intent.name) and len(intent.argument.split()) == (not wholly):
                self.shield()
            raise

    def _ran(self, command: ICommand, argument: str) -> Answers:
        """What comes of a command. @raise Refused: it is not run, or runs into that."""
        if self.state != IN and command.role != STRANGER:
            raise Refused(HOW[GUEST])
        self.need(command.role, self.current)
        if argument and " " not in command.usage:
            raise Refused(f"{command.usage} takes nothing after it")
        broken: Answers = (refusal(f"/{command.name} failed; the server's log says why"),)
        try:
            return self.hall.guard.call(command, broken, _run, command, self, argument)
        except Refused as refused:
            if isinstance(refused.__cause__, BadName) and f"/{command.name}" not in str(refused):
                raise Refused(f"{refused}; {command.usage}") from refused
            raise

    def _answerTo(self, then: Then, text: str) -> None:
        """Do what is to be done with the answer to a question."""
        try:
            answers = then(text)
        except Refused as refused:
            if then is forget:
                raise
            answers = fail(refused)
        if isinstance(answers, Deferred):
            answers.addErrback(self.askAgain, then)
        self._answer(answers)

    def _answer(self, answers: Answers) -> None:
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
