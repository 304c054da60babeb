"""
The register: who has which name, and whose it is.  No two people have names that could be taken for
one another, and nobody but its owner takes a name that is registered, or one that could be taken
for it; but who had it before that was so keeps it.

A name that somebody types can mean two things.  Orders and C{/msg} are about whoever is seen to be
called so (L{Register.find}); what is for a person, wherever and by whatever name they are, goes by
the account (L{Register.whose}, L{Register.present}).
"""

from __future__ import annotations

from mucs.accounts import Accounts
from mucs.events import Refused
from mucs.imucs import IMember
from mucs.looks import bare, look
from mucs.names import BadName, fold, nearest, starts
from mucs.text import quote

#: Characters of a name that is looked for, at most: longer ones are not said back.
LONGEST = 64

TOO_LONG = "no name is as long as that"


class Register:
    """The names that are taken, folded, and whose they are."""

    def __init__(self, server: str, accounts: Accounts) -> None:
        """@param server: what the server is called: nobody else is."""
        self._server = fold(server)
        self._serverLook = look(server)
        self._accounts = accounts
        self._names: dict[str, IMember] = {}
        self._looks: dict[str, IMember] = {}  # by how they look, bare; C{\\0} and bare folded
        # Those with spaces in them, by how they begin, by key.
        self._spaced: dict[str, dict[str, IMember]] = {}

    def claim(self, session: IMember, name: str) -> None:
        """Take a name for a session. @raise Refused: it is another's."""
        why = self._why(session, name, session.account)
        if why:
            raise Refused(why)
        key = fold(name)
        self._names[key] = session
        for mark in _marks(name):
            self._looks[mark] = session
        for start in starts(name):
            self._spaced.setdefault(start, {})[key] = session

    def isFree(self, session: IMember, name: str, account: str = "") -> bool:
        """Whether a session could claim a name, as the owner of an account or as a guest."""
        return not self._why(session, name, account)

    def holder(self, name: str) -> IMember | None:
        """Who has, or is about to have, exactly that name."""
        return self._names.get(fold(name))

    def _why(self, session: IMember, name: str, account: str) -> str:
        """Why a name cannot be had, or nothing."""
        key = fold(name)
        if key == self._server or look(name) == self._serverLook:
            return f"{name} is the server's own name; choose another"
        owner = self._accounts.other(name, account)
        if owner and fold(owner) == key:
            return (
                f"{owner} is a registered name; /login {quote(owner)} PASSWORD if it is yours,"
                " or choose another"
            )
        if owner:
            return f"the name {name} is too much like {owner}, which is registered; choose another"
        if self._isKept(name) and not (session.listener.trusted or session.admin):
            return f"the name {name} is kept for an admin; choose another"
        other = self._alike(session, name)
        if other is not None:
            like = "taken" if other.name == name else f"too much like {other.name}, who is here"
            return f"the name {name} is {like}; choose another"
        near = self._beginning(session, name)
        if near:
            return f"the name {name} could be about {near}, who is here; choose another"
        return ""

    def _isKept(self, name: str) -> bool:
        """Whether it is an admin's who has not registered it yet."""
        accounts = self._accounts
        if not accounts.admins:
            return False
        keys = {fold(name), fold(bare(name))}
        return any(key in accounts.admins and accounts.get(key) is None for key in keys)

    def _alike(self, session: IMember, name: str) -> IMember | None:
        """Who else has that name, or one that could be taken for it."""
        key = fold(bare(name))
        found = [self._names.get(fold(name)), self._names.get(key), self._looks.get(f"\0{key}")]
        found.append(self._looks.get(look(bare(name))))
        return next((each for each in found if each is not None and each is not session), None)

    def _beginning(self, session: IMember, name: str) -> str:
        """
        Whose name, and a space, this one begins with, or whose begins with this one: C{bob left}
        would say, with C{/me}, what is not so of C{bob}.
        """
        for start in starts(name):
            other = self._names.get(start)
            if other is not None and other is not session:
                return other.name
        longer = self._spaced.get(fold(name), {}).values()
        return next((other.name for other in longer if other is not session), "")

    def release(self, session: IMember, name: str, keep: str = "") -> None:
        """Give a name back, unless it is the same as C{keep}."""
        key = fold(name) if name else ""
        if self._names.get(key) is session and key != (fold(keep) if keep else ""):
            del self._names[key]
            for start in starts(name):
                longer = self._spaced.get(start, {})
                longer.pop(key, None)
                if not longer:
                    self._spaced.pop(start, None)
        for mark in set(_marks(name)) - set(_marks(keep)):
            if self._looks.get(mark) is session:
                del self._looks[mark]

    def get(self, name: str) -> IMember | None:
        """Who is called so, if anybody is."""
        found = self._names.get(fold(name)) if name else None
        return found if found is not None and found.name else None

    def registered(self, name: str) -> str:
        """The name, as it is shown, of the account that is called so; nothing if there is none."""
        account = self._accounts.find(name)
        return "" if account is None else account.name

    def whose(self, name: str) -> str:
        """
        The key of the account of whoever is called so, here or elsewhere; or nothing.

        @raise Refused: nobody can be called so.
        """
        _notTooLong(name)
        here = self.get(name)
        if here is not None and here.account:
            return here.account
        return fold(name) if self.registered(name) else ""

    def present(self, name: str, account: str) -> IMember | None:
        """
        Who is called so, and is here.  Of a registered name that is only who is logged in.

        @param account: L{whose} name it is.
        """
        here = self.get(name)
        if not account or (here is not None and here.account == account):
            return here
        theirs = (each for each in self._names.values() if each.account == account and each.name)
        return next(theirs, None)

    def find(self, name: str) -> IMember:
        """Who is called so. @raise Refused: nobody is."""
        _notTooLong(name)
        found = self.get(name)
        if found is None:
            near = nearest(name, [session.name for session in self._names.values()])
            hint = f"; did you mean {near}?" if near else "; /who lists who is"
            raise Refused(f"nobody called {name} is here{hint}")
        return found


def _marks(name: str) -> list[str]:
    """What a name is found by besides itself."""
    plain = bare(name)
    return [look(plain)] if plain == name else [look(plain), f"\0{fold(plain)}"]


def _notTooLong(name: str) -> None:
    """@raise Refused: no name is as long."""
    if len(name) > LONGEST:
        raise Refused(TOO_LONG) from BadName(TOO_LONG)
