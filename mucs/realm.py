"""
The realm: who may log in, by L{twisted.cred}.

Where passwords are known the operator says, as C{--auth kind:argument}, several of them tried
in their order.  C{accounts}, the default, are our own; what else there is are the checkers
that any Twisted package brings.  Whoever one of those vouches for gets an account at the first
login, without a password of ours, so that the name is theirs from then on.

A L{Portal} keeps only the last checker for each kind of credentials, so it has one here, L{Chain}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from mucs.accounts import Account, Accounts, checkPassword
from mucs.events import Refused
from mucs.hashing import Hashing
from mucs.names import BadName, checkName, fold
from mucs.tries import Meter, Tries

log = Logger()

#: New accounts from one address: how many at once, and seconds until one more.
NEW = (5, 300.0)

WRONG = "that is not the name and password of an account; /login NAME tries again"


class IAccount(Interface):
    """What one logs in to: an L{Account}."""


class Try(UsernamePassword):
    """
    @ivar address: where whoever tries is from.
    @ivar known: whether they have been right from there before.
    """

    def __init__(self, name: str, password: str, address: str, known: bool) -> None:
        super().__init__(name.encode(), password.encode())
        self.address = address
        self.known = known


@implementer(ICredentialsChecker)
class OwnAccounts:
    """The checker C{accounts}; see L{Realm.open}."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self._accounts: Accounts
        self._hashing: Hashing

    def join(self, accounts: Accounts, hashing: Hashing) -> None:
        """These are the accounts."""
        self._accounts = accounts
        self._hashing = hashing

    def requestAvatarId(self, credentials: Try) -> Deferred[bytes | tuple[()]]:
        account = self._accounts.find(credentials.username.decode())
        known = account.hash if account else ""
        # The same work for whoever is not known.
        password = credentials.password.decode()
        right = self._hashing.verify(credentials.address, known, password, credentials.known)

        def answer(isRight: bool) -> bytes | tuple[()]:
            # It may have another one since.
            now = self._accounts.find(credentials.username.decode())
            if not isRight or now is None or now.hash != known:
                raise UnauthorizedLogin
            return now.name.encode()

        return right.addCallback(answer)


@implementer(ICredentialsChecker)
class Chain:
    """Several checkers, tried in their order."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, checkers: Sequence[Any]) -> None:
        self.checkers = checkers

    def requestAvatarId(self, credentials: Try) -> Deferred[Any]:
        return self._ask(0, credentials)

    def _ask(self, at: int, credentials: Try) -> Deferred[Any]:
        if at == len(self.checkers):
            return fail(UnauthorizedLogin())
        asked = maybeDeferred(self.checkers[at].requestAvatarId, credentials)
        return asked.addErrback(self._no, at, credentials)

    def _no(self, failure: Failure, at: int, credentials: Try) -> Deferred[Any] | Failure:
        if failure.check(Refused):
            return failure
        if not failure.check(UnauthorizedLogin):
            # Not the whole of it: it may hold what it was asked.
            kind = getattr(failure.type, "__name__", "")
            log.error("a checker of passwords failed: {kind}", kind=kind)
        return self._ask(at + 1, credentials)


@implementer(IRealm)
class Realm:
    """
    @ivar accounts: those there are.
    @ivar hashing: where passwords are hashed.
    """

    def __init__(
        self, accounts: Accounts, hashing: Hashing, called: str, clock: Callable[[], float]
    ) -> None:
        """
        @param called: the server's name, which is nobody's.
        @param clock: gives seconds that never go back.
        """
        self.accounts = accounts
        self.hashing = hashing
        self._server = fold(called)
        self._tries = Tries(clock)
        self._new = Meter(*NEW, clock)
        self.open([OwnAccounts()])

    def open(self, checkers: Sequence[Any]) -> None:
        """Passwords are known there, in this order."""
        self._own = False
        for checker in checkers:
            if isinstance(checker, OwnAccounts):
                checker.join(self.accounts, self.hashing)
                self._own = True
        self._portal = Portal(self, [Chain(checkers)])

    def login(
        self, name: str, password: str, address: str, shared: bool = False
    ) -> Deferred[Account]:
        """
        @param address: where whoever tries is from.
        @param shared: whether all who come that way are from there.
        @return: fires with the account; fails with L{Refused}.
        @raise Refused: there were too many tries.
        """
        key = fold(name)
        self._begin(address, key, shared)
        known = self._tries.known(address, key)
        logged = self._portal.login(Try(name, password, address, known), None, IAccount)

        def right(answer: tuple[Any, Any, Any]) -> Account:
            self._tries.right(address, key, shared)
            account: Account = answer[1]
            return account

        def no(failure: Failure) -> Failure:
            if failure.check(Refused):
                # Nobody has looked at it.
                self._tries.back(address, key, shared)
                return failure
            failure.trap(UnauthorizedLogin)
            raise Refused(WRONG)

        return logged.addCallbacks(right, no)

    def _begin(self, address: str, key: str, shared: bool) -> None:
        wait = self._tries.begin(address, key, shared)
        if wait:
            raise Refused(f"too many tries from your address; try again in {ceil(wait)} s")

    def requestAvatar(
        self, avatarId: Any, mind: object, *interfaces: Any
    ) -> Deferred[tuple[Any, object, Callable[[], None]]]:
        try:
            name = checkName(avatarId if isinstance(avatarId, str) else avatarId.decode())
        except (AttributeError, UnicodeDecodeError, BadName):
            # Known elsewhere, but not by a name that one can have here; or anonymous.
            return fail(UnauthorizedLogin())
        account = self.accounts.find(name)
        if account is None:
            like = self.accounts.other(name)
            if like or fold(name) == self._server:
                return fail(Refused(f"{name} is too much like {like or 'the server itself'}"))
            made = self.accounts.add(name)
        else:
            made = succeed(account)
        return made.addCallback(lambda account: (IAccount, account, lambda: None))

    def register(self, name: str, text: str, address: str) -> Deferred[str]:
        """
        Register a name, that nobody else has.

        @param text: the password, as it was typed.
        @return: fires with a hash, for L{Accounts.add}; fails with L{Refused}.
        @raise Refused: it cannot be registered.
        """
        self.registers()
        password = checkPassword(text)
        if self.accounts.find(name) is not None:
            raise Refused(f"{name} is registered already; /login {name} if it is yours")
        self.accounts.room()
        like = self.accounts.other(name)
        if like or ":" in name or fold(name) == self._server:
            why = f"it is too much like {like}" if like else "it is none of a person"
            raise Refused(f"{name} cannot be registered: {why}; /nick NAME takes another")
        wait = self._new.wait(address)
        if wait:
            minutes = ceil(wait / 60)
            raise Refused(f"too many new accounts from your address; come back in {minutes} min")
        self._new.add(address)

        def made(hash: str) -> str:
            self._tries.know(address, fold(name))
            return hash

        return self.hashing.make(address, password).addCallback(made)

    def registers(self) -> None:
        """@raise Refused: nobody can register here."""
        if not self._own:
            raise Refused("whose names are whose is kept elsewhere: ask who runs this server")

    def password(
        self, account: Account, old: str, text: str, address: str, shared: bool = False
    ) -> Deferred[Account]:
        """
        Give an account another password.

        @param text: the new one, as it was typed.
        @return: fires with the account; fails with L{Refused}.
        @raise Refused: that cannot be.
        """
        self.known(account)
        new = checkPassword(text)
        key = fold(account.name)
        self._begin(address, key, shared)

        def hash(isRight: bool) -> Deferred[str]:
            if not isRight:
                raise Refused("that is not your old password; /password asks for both")
            self._tries.right(address, key, shared)
            return self.hashing.make(address, new)

        right = self.hashing.verify(address, account.hash, old, known=True)
        return right.addCallback(hash).addCallback(lambda made: self.accounts.change(account, made))

    def known(self, account: Account) -> None:
        """@raise Refused: its password is not ours."""
        if not account.hash:
            raise Refused("your password is kept elsewhere: ask who runs this server")
