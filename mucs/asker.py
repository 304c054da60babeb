"""
An asker: someone who is asked for something that nobody else is to see.

A password that is asked for is the next line, whatever it begins with: never speech, never a
command, and an empty one asks no more.  While the question stands, and while anything waits that
could come to ask, lines are kept as they were typed (L{mucs.events.Typed}), and looked at when
their turn comes: C{printf '/login ada\\nsecret\\nhello\\n'} does what it says.

An answer that is refused, a wrong password say, leaves the question standing (L{TRIES} times), so
that the next try is an answer too, and not said to a room.

Who was to be asked and is not, because that was refused, may have sent the password all the same:
a line that cannot be an answer to the refusal (L{SOON}) is not said either; and none becomes a name
so soon after a login in one line was refused.

Where the dialect can tell a terminal to (L{IReader.conceal<mucs.imucs.IReader.conceal>}), what is
typed meanwhile is not shown on it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from twisted.python.failure import Failure

from mucs import events as kinds
from mucs.events import Refused, note, refusal, reply
from mucs.hall import Hall
from mucs.imucs import IDialect, IReader
from mucs.listener import Listener
from mucs.newcomer import Newcomer
from mucs.plugin import Answers
from mucs.viewer import IN, NAMING

Then = Callable[[str], Answers]

#: Seconds within which nobody reads a refusal and types a line.
SOON = 1.0

#: Answers to one command's questions that may be refused, until it asks no more.
TRIES = 3


def forget(line: str) -> Answers:
    """Do nothing with a line that may be a password, of which nobody asked."""
    raise Refused("that was not said: it could be the password that was not asked for")


class Asker(Newcomer):
    """A session, as far as it is asked for passwords."""

    __slots__ = ("_prompt", "_reader", "_then", "_shielded", "_tries", "_wary")

    def __init__(self, hall: Hall, listener: Listener, dialect: IDialect, peer: str) -> None:
        super().__init__(hall, listener, dialect, peer)
        self._prompt = ""
        self._then: Then | None = None  # what to do with the answer
        self._shielded = 0.0  # when what would be forgotten is said again
        self._tries = 0  # answers that were refused since the command that asks
        self._wary = 0.0  # when a line may be a name again
        self._reader: IReader

    def ask(self, what: str, then: Then, usage: str) -> Answers:
        """
        Ask for something secret.

        @param then: is given the answer, and does what a command does.
        @param usage: how it is said in one line, by who cannot be asked.
        @raise Refused: that is a program.
        """
        if self._dialect.framed:
            raise Refused(f"nobody is asked here: {usage}")
        # Where frames end by themselves an empty line is none.
        self._prompt = what + ("; an empty line: never mind" * (self._dialect.framing == "line"))
        self._then = then
        self._reader.conceal(True)
        return [note(self._prompt)]

    def shield(self) -> None:
        """A question was refused: what comes next may have been meant for it."""
        if self._dialect.framed:
            return
        self._then = forget
        self._shielded = inf if self.queued() else self.hall.seconds() + SOON

    def askAgain(self, failure: Failure, then: Then) -> Failure:
        """
        An answer came to nothing: if it was refused, and nothing else was asked instead, ask again.

        @param then: what was to be done with it.
        """
        if not failure.check(Refused) or self.state not in (NAMING, IN):
            return failure
        self._tries += 1
        if self._tries < TRIES:
            if self._then is None:
                self._then = then
                self._reader.conceal(True)
            return failure
        if self._then is not None:
            self._told()
        self.shield()
        return Failure(Refused(f"{failure.value}; you are asked no more"))

    def beware(self, failure: Failure) -> Failure:
        """What was said with a password was refused: what comes next may be another try."""
        self._wary = self.hall.seconds() + SOON
        return failure

    def nothing(self) -> None:
        """An empty line takes a question back."""
        if self._then is None or self._then is forget:
            super().nothing()
            return
        self.lookUp()
        if not self.waiting():
            self._told()
            self.reply(note("never mind"), *[reply(kinds.ASK)] * (self.state == NAMING))

    def refuse(self, why: str) -> None:
        """Say why something was not done; what was asked for is asked for still."""
        if self._then is None or self._then is forget:
            super().refuse(why)
        else:
            self.reply(refusal(why), note(self._prompt))

    def waiting(self) -> bool:
        """Whether anything that came before waits for its turn."""
        raise NotImplementedError

    def queued(self) -> bool:
        """Whether lines that came before wait for their turn."""
        raise NotImplementedError

    def asked(self) -> Then | None:
        """What is to be done with a line, if it is an answer."""
        if self._then is not forget:
            return self._told() if self._then is not None else None
        self._then = None
        return forget if self.hall.seconds() < self._shielded else None

    def _told(self) -> Then | None:
        then, self._then = self._then, None
        self._reader.conceal(False)
        return then
