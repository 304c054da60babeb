"""
Records: small things that are kept for good beside what was said, and are all in memory.

Accounts, the rooms' settings, bans: of each kind there is a L{Table}, read once when the service
begins.  What is put into it is true once it is stored, and not before.
"""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mucs.events import LogError, Refused
from mucs.imucs import ILog

log = Logger()

T = TypeVar("T")


class Table(Generic[T]):
    """
    The records of one kind.

    @ivar rows: all of them, by key.
    """

    def __init__(self, store: ILog, kind: str, type: type[T]) -> None:
        """
        @param kind: one word that no other table has.
        @param type: a L{msgspec.Struct} that JSON can hold; fields added later have defaults.
        """
        self.rows: dict[str, T] = {}
        self._store = store
        self._kind = kind
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(type).decode

    def load(self) -> Deferred[None]:
        """Read all records; fires when that is done, and fails with L{LogError}."""
        return self._store.entries(self._kind).addCallback(self._loaded)

    def _loaded(self, entries: list[tuple[str, bytes]]) -> None:
        for key, value in entries:
            try:
                self.rows[key] = self._decode(value)
            except msgspec.MsgspecError as error:
                raise LogError(f"the {self._kind} {key!r} cannot be read: {error}") from error

    def put(self, key: str, row: T) -> Deferred[T]:
        """
        Keep a record, in place of one with the same key.

        @return: fires with it once it is stored; fails with L{Refused}, and then it is not.
        """
        stored = self._store.put(self._kind, key, self._encode(row))
        return stored.addCallbacks(
            lambda _: self._put(key, row), unstored, errbackArgs=(self._kind,)
        )

    def remove(self, key: str) -> Deferred[None]:
        """Keep a record no longer; fires and fails as L{put} does."""
        stored = self._store.put(self._kind, key, None)
        return stored.addCallbacks(
            lambda _: self._removed(key), unstored, errbackArgs=(self._kind,)
        )

    def _put(self, key: str, row: T) -> T:
        self.rows[key] = row
        return row

    def _removed(self, key: str) -> None:
        self.rows.pop(key, None)


def unstored(failure: Failure, kind: str) -> NoReturn:
    """Say so where a record of some kind could not be stored. @raise Refused: always."""
    failure.trap(LogError)
    log.failure("the {kind} could not be stored", failure, kind=kind)
    raise Refused("not stored: the log cannot be written to; try again later")
