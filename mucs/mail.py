"""
Mail: what is left for registered people who are not there, until they come.

A letter is a record of its own, so two that are left at once cannot overwrite each other.  It is
shown first and removed then: if the server ends in between it is shown again, and never lost.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mucs.events import TELL, Event, Refused, note
from mucs.plugin import Answers
from mucs.records import Table

#: Letters that wait for one person.
MOST = 20

#: Bytes of a letter.
LONGEST = 4000


class Letter(Struct, frozen=True, omit_defaults=True):
    """
    @ivar author: who left it, by the name they had.
    @ivar time: when, in milliseconds since 1970.
    @ivar account: the key of their account, if they were logged in to one.
    """

    author: str
    time: int
    text: str
    account: str = ""


class Mail:
    """The letters that wait; their keys are C{ACCOUNT/NUMBER}."""

    def __init__(self, table: Table[Letter]) -> None:
        self._table = table
        self._last = 0
        self._keys: dict[str, list[str]] | None = None

    def leave(self, account: str, letter: Letter) -> Deferred[Letter]:
        """
        Leave a letter for whoever has an account.

        @return: fires once it is stored; fails with L{Refused}, and then it is not.
        @raise Refused: it is too long, or too many wait already.
        """
        size = len(letter.text.encode())
        if size > LONGEST:
            raise Refused(f"what is left for someone has at most {LONGEST} bytes; that has {size}")
        keys = self._waiting().setdefault(account, [])
        if len(keys) >= MOST:
            raise Refused(f"{MOST} messages wait there already; say it when they are here")
        self._last += 1
        key = f"{account}/{self._last:012}"
        keys.append(key)

        def failed(failure: Failure) -> Failure:
            keys.remove(key)
            return failure

        return self._table.put(key, letter).addErrback(failed)

    def bring(self, session: Any) -> None:
        """Someone has logged in: show what waits for them, and keep it no longer."""
        keys = self._waiting().get(session.account, [])
        letters = [self._table.rows[key] for key in keys if key in self._table.rows]
        for key in [key for key in keys if key in self._table.rows]:
            keys.remove(key)
            # That it cannot be removed stands in the log; it is shown again after the next start.
            self._table.remove(key).addErrback(lambda failure: failure.trap(Refused))
        wanted = [one for one in letters if not session.ignoresWhoever(one.author, one.account)]
        if wanted:
            session.found(session.hall.names.registered(wanted[-1].account) or wanted[-1].author)
            session.reply(note(f"while you were not here, {len(wanted)} left for you:"))
            own = session.name
            session.show(
                [Event("", 0, one.time, one.author, TELL, one.text, own) for one in wanted]
            )

    def _waiting(self) -> dict[str, list[str]]:
        """The keys by account.  The table was not read yet when this was made."""
        if self._keys is None:
            self._keys = {}
            for key in sorted(self._table.rows):
                account, _, number = key.rpartition("/")
                self._keys.setdefault(account, []).append(key)
                self._last = max(self._last, int(number))
        return self._keys


def tellWhoever(session: Any, name: str, text: str) -> Answers:
    """
    Say something to one person, or leave it for them.

    @raise Refused: nobody is called so, here or elsewhere.
    """
    hall = session.hall
    key = hall.names.whose(name)
    there = hall.names.present(name, key)
    if there is session or (key and key == session.account):
        raise Refused("that is you")
    if there is not None:
        session.tell(there, text)
        return ()
    if not key:
        raise Refused(f"nobody called {name} is here or registered; /who lists who is here")
    letter = Letter(session.name, hall.history.now(), text, session.account)
    shown = hall.names.registered(name)
    left: Deferred[Letter] = hall.mail.leave(key, letter)
    return left.addCallback(lambda _: [note(f"{shown} is told that when they come")])
