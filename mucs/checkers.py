"""
What stands behind C{--auth}: where passwords are known, as L{twisted.cred.strcred} writes it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from twisted.cred import strcred
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword

from mucs.config import ConfigError
from mucs.names import BadName, checkName, fold, nearest


def checker(description: str, where: str) -> Any:
    """
    @param description: C{KIND:ARGUMENT}.
    @return: an L{twisted.cred.checkers.ICredentialsChecker}.
    @raise ConfigError: there is no such thing.
    """
    kind, _, argument = description.partition(":")
    factories = {each.authType: each for each in strcred.findCheckerFactories()}
    usable = sorted(
        name for name, each in factories.items() if IUsernamePassword in each.credentialInterfaces
    )
    if kind not in usable:
        near = nearest(kind, usable) or ", ".join(usable)
        why = "asks for no passwords" if kind in factories else "is not there"
        # Not all of it: there may be passwords in it.
        raise ConfigError(f"{where} {kind}: that kind {why}; there is {near}")
    if kind == "file" and not os.path.isfile(argument):
        raise ConfigError(f"{where} {description}: there is no such file")
    try:
        made = strcred.makeChecker(description)
    except Exception as error:
        raise ConfigError(f"{where} {kind}: {error or type(error).__name__}") from error
    if isinstance(made, InMemoryUsernamePasswordDatabaseDontUse):
        # Its factory gives it text, and credentials are bytes.
        made.users = {_bytes(name): _bytes(word) for name, word in made.users.items()}
    return made


def _bytes(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else text


def adminKeys(names: Sequence[str], where: str) -> frozenset[str]:
    """The keys of the accounts that are admins. @raise ConfigError: one is no name."""
    try:
        return frozenset(fold(checkName(name)) for name in names)
    except BadName as bad:
        raise ConfigError(f"{where}: {bad}") from bad
