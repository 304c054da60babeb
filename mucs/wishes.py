"""
Wishes: the settings of those who are registered, kept beside the log and brought back at login.

Whoever is not registered has theirs for the session's life.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from mucs.events import Refused
from mucs.records import Table
from mucs.settings import Settings


class Wishes:
    """The settings that are kept, by account."""

    def __init__(self, table: Table[Settings]) -> None:
        self._table = table

    def change(self, person: Any, **wish: Any) -> Deferred[Settings]:
        """
        Have some settings otherwise, now and, of an account, from now on.

        @param wish: fields of L{Settings}.
        @return: fires with all of them once they are so; fails with L{Refused} where they cannot
            be stored, and then nothing has changed.
        @raise Refused: this person's client counts the events.
        """
        if person.isCounting():
            raise Refused("your client counts what it is sent; it can do that itself")
        # Another connection of theirs may have changed it since.
        kept = self._table.rows.get(person.account, person.settings)
        settings: Settings = replace(kept, **wish)
        if person.account:
            stored = self._table.put(person.account, settings)
        else:
            stored = succeed(settings)

        def so(_: Settings) -> Settings:
            person.wish(settings)
            return settings

        return stored.addCallback(so)

    def recall(self, session: Any) -> None:
        """Someone has logged in: have things shown as they have set them."""
        kept = self._table.rows.get(session.account)
        if kept is not None:
            session.wish(kept)
