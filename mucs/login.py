"""
Logging in: what C{/login}, C{/register}, C{/password} and C{/logout} do with a session.

A login is known by the L{realm<mucs.realm>}, later; here is what comes of it.  Whoever logs in has
the account's name: at the name prompt they come in by it, and later they are renamed.  If a dead
connection of the same account still has it, that one is closed; if a live one has it, there is a
free one like C{ada-2}, which is theirs for as long as they have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mucs.accounts import Account, secret
from mucs.asker import Asker
from mucs.events import Event, Refused, note
from mucs.names import fold
from mucs.peer import isOurs, isSilent, user
from mucs.person import PLAIN
from mucs.plugin import Answers
from mucs.roles import GUEST
from mucs.rules import Addresses
from mucs.sanctions import BAN
from mucs.text import firstSecret, firstWord, quote
from mucs.viewer import IN, LEAVING, NAMING, Viewer

LOGIN = '/login NAME PASSWORD; a name with spaces stands in "quotes"'
REGISTER = "/register PASSWORD"
PASSWORD = '/password OLD NEW; one with spaces stands in "quotes"'

NOBODY = "you are not logged in; /login NAME PASSWORD, or /register PASSWORD"

#: What one is told of a connection that another has taken the place of.
AGAIN = "you logged in again from elsewhere"


def login(session: Asker, argument: str) -> Answers:
    """C{/login NAME [PASSWORD]}."""
    name, password = firstWord(argument)
    if not name:
        raise Refused(f"as whom? {LOGIN}")
    _tells(session)
    if session.account:
        raise Refused("you are logged in already; /logout first")
    if password:
        return _login(session, name, password)
    return session.ask(
        f"the password of {name}", lambda password: _login(session, name, password), LOGIN
    )


def _login(session: Asker, name: str, password: str) -> Answers:
    if not session.hall.ready:
        raise Refused("the server is still beginning; try again in a moment")
    realm = session.hall.realm
    right = realm.login(name, secret(password), origin(session), isShared(session))
    _waits(session, right)
    return right.addCallback(lambda account: _loggedIn(session, account))


def _waits(session: Asker, answer: Deferred[Any]) -> None:
    """Say so, if it may take longer than one who types would notice."""
    if not answer.called and len(session.hall.realm.hashing):
        session.reply(note("one moment: others are logging in too"))


def _loggedIn(session: Asker, account: Account) -> Iterable[Event]:
    """It is theirs."""
    key = fold(account.name)
    if session.state not in (NAMING, IN):
        return []
    was = session.admin
    session.account = key
    session.admin = was or key in session.hall.realm.accounts.admins
    try:
        session.hall.rules.admit(session)
    except Refused as refused:
        # Now it is known who they are. No connection was ended for that, no letter shown.
        session.dismiss(str(refused))
        return []
    try:
        name, other = _name(session, account.name, key)
        if session.state == NAMING:
            session.enter(name)
        elif name != session.name:
            session.rename(name)
    except Refused:
        session.account, session.admin = "", was
        raise
    said = [note(f"you are logged in as {account.name}")]
    if other:
        ends = f"; /logout {quote(account.name)} ends it" * (other == key)
        said.append(note(f"{account.name} is here already{ends}; you are {name}"))
    if session.state == IN:
        session.hall.recognize(session)
    return said


def _name(session: Asker, name: str, key: str) -> tuple[str, str]:
    """
    The name that whoever logs in is to have.

    @return: that; and whose account a live connection is that has the account's own, C{guest} for
        nobody's, or nothing.
    """
    names = session.hall.names
    holder = names.holder(name)
    if holder is None or holder is session:
        return name, ""
    if holder.account == key and isinstance(holder, Viewer) and isDead(holder):
        holder.dismiss(AGAIN)
        return name, ""
    most = session.hall.limits.name
    tails = (f"-{number}" for number in count(2))
    others = (name[: most - len(tail)].rstrip() + tail for tail in tails)
    return next(one for one in others if names.isFree(session, one, key)), holder.account or GUEST


def isDead(session: Viewer) -> bool:
    """Whether nobody seems to be at the other end of a connection."""
    outlet = session.outlet
    return outlet.isReset() or outlet.unsent() > 0 or isSilent(outlet.transport)


def origin(session: Viewer) -> str:
    """Where someone is from, as far as tries are counted: a network, or a user of this machine."""
    uid = user(session.outlet.transport)
    return Addresses.network(session.host) if uid is None else f"uid {uid}"


def isShared(session: Viewer) -> bool:
    """Whether others than who is meant come from there: by a trusted listener, or a UNIX socket."""
    return session.listener.trusted or user(session.outlet.transport) is not None


def _tells(session: Viewer) -> None:
    """@raise Refused: whoever carries what they type can read it."""
    if not session.policy.passwords:
        raise Refused(
            "no passwords here: this connection is not encrypted; come by TLS, and take another"
            " password if you have typed yours"
        )


def register(session: Asker, argument: str) -> Answers:
    """C{/register [PASSWORD]}."""
    _tells(session)
    if session.account:
        raise Refused("you are registered and logged in; /password changes the password")
    realm, name = session.hall.realm, session.name
    realm.registers()
    _admin(session, fold(name))
    held = None if session.admin else session.hall.sanctions.asGuest(session)
    if held is not None:
        # As a member one would be rid of it.
        raise Refused(f"no account is made while a {held.kind} holds{held.terms()}")
    if not argument:
        asked = f"a password for {name}"
        return session.ask(asked, lambda password: register(session, password), REGISTER)

    def made(hash: str) -> Answers:
        if session.state >= LEAVING or session.name != name:
            raise Refused("not registered: you have gone")
        return realm.accounts.add(name, hash).addCallback(done)

    def done(account: Account) -> Iterable[Event]:
        if session.state < LEAVING:
            session.account = fold(name)
            session.admin = session.admin or session.account in realm.accounts.admins
            session.hall.recognize(session)
        return [note(f"{name} is yours now; from elsewhere: /login {quote(name)} PASSWORD")]

    hash = realm.register(name, argument, origin(session))
    _waits(session, hash)
    return hash.addCallback(made)


def _admin(session: Viewer, key: str) -> None:
    """@raise Refused: an admin's name is not for whoever comes first from afar."""
    if key in session.hall.realm.accounts.admins and not (
        session.admin or session.listener.trusted
    ):
        raise Refused("that is an admin's name: it is registered from the server's own machine")


def password(session: Asker, argument: str) -> Answers:
    """C{/password [OLD NEW]}."""
    _tells(session)
    realm = session.hall.realm
    account = realm.accounts.get(session.account)
    if account is None:
        # An admin by the way they came.
        raise Refused(NOBODY)
    realm.known(account)
    if not argument:
        return _old(session, account)
    old, rest = firstSecret(argument)
    new, more = firstSecret(rest)
    if not new or more:
        raise Refused(f"what was, and what is to be? {PASSWORD}")
    return _change(session, account, old, new)


def _old(session: Asker, account: Account) -> Answers:
    asked = "your password, as it is now"
    return session.ask(asked, lambda old: _new(session, account, old), PASSWORD)


def _new(session: Asker, account: Account, old: str) -> Answers:
    def change(new: str) -> Answers:
        return _change(session, account, old, new).addErrback(wrong)

    def wrong(failure: Failure) -> Failure:
        # It is only now that the old one is looked at.
        if failure.check(Refused) and session.state == IN:
            _old(session, account)
        return failure

    return session.ask("the new one", change, PASSWORD)


def _change(session: Asker, account: Account, old: str, new: str) -> Deferred[Iterable[Event]]:
    realm, where = session.hall.realm, origin(session)
    done = realm.password(account, secret(old), new, where, isShared(session))
    _waits(session, done)
    return done.addCallback(lambda _: [note("your password is another one now")])


def grade(session: Any) -> None:
    """Whether someone is an admin, by the way they came, or by their account, may have changed."""
    byTheWay = session.policy.admins and isOurs(session.outlet.transport)
    session.admin = byTheWay or session.account in session.hall.realm.accounts.admins


def logout(session: Asker, argument: str) -> Answers:
    """C{/logout [NAME]}."""
    if not session.account:
        raise Refused(NOBODY)
    if argument:
        return _end(session, argument.strip('"'))
    if not session.policy.guests:
        session.dismiss("you are logged out, and guests are not here")
        return ()
    _disown(session)
    hall = session.hall
    try:
        hall.rules.admit(session)
    except Refused as refused:
        # Members may come from where guests may not.
        session.dismiss(str(refused))
        return ()
    said = "you are logged out"
    if hall.realm.accounts.other(session.name):
        session.rename(_guest(session))
        said += ", and a guest; your name stays yours"
    # Whoever is to leave a room leaves it by the new name.
    hall.rules.disown(session)
    return [note(said)]


def _guest(session: Asker) -> str:
    """A name for who has none any more."""
    hall = session.hall
    # Where somebody has registered "guest", those with a hyphen are theirs.
    stem = "guest" if hall.realm.accounts.other("guest") else "guest-"
    names = (f"{stem}{number}" for number in count(1))
    return next(
        name
        for name in names
        if hall.names.isFree(session, name)
        and hall.sanctions.hit(BAN, None, session, name) is None
    )


def _disown(session: Asker) -> None:
    """What came with the account goes with it: what it may, has set, and is told in private."""
    session.estrange()
    session.account = ""
    grade(session)
    session.wish(PLAIN)


def _end(session: Asker, name: str) -> Answers:
    """End another connection of one's own."""
    other = session.hall.names.find(name)
    if other.account != session.account:
        raise Refused(f"{other.name} is not you; you can end your own connections only")
    if other is session:
        raise Refused("that is this connection; /logout without a name, or /quit")
    name = other.name
    other.dismiss("ended from another connection")
    return [note(f"{name} is ended")]
