import time
from collections.abc import Iterable
from typing import Any

from mucs.events import Event, note
from mucs.plugin import command

MOST = 200


@command("/accounts [WORD]", "lists the accounts, or those whose names hold a word")
def accounts(session: Any, argument: str) -> Iterable[Event]:
    hall = session.hall
    every = hall.realm.accounts
    word = argument.lower()
    wanted = [account for account in every if word in account.name.lower()]
    here = {one.account for one in hall.sessions.values()}
    for account in wanted[:MOST]:
        since = time.strftime("%Y-%m-%d", time.localtime(account.created / 1000))
        kept = "" if account.hash else ", the password is kept elsewhere"
        in_ = ", here" if every.key(account) in here else ""
        yield note(f"{account.name}, since {since}{kept}{in_}")
    count = f"{len(wanted)} account" + "s" * (len(wanted) != 1)
    yield note(count + f", of which {MOST} are shown" * (len(wanted) > MOST))
