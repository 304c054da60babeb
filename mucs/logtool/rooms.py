"""
Which rooms of a database are meant, where someone names them on the command line.
"""

from __future__ import annotations

from collections.abc import Sequence

from mucs.log.shelves import Shelf, Shelves
from mucs.logtool.work import ToolError
from mucs.names import nearest


def chosen(shelves: Shelves, words: Sequence[str], path: str) -> list[Shelf]:
    """
    @param words: names, with C{#} or without, however they are written; or none for all rooms.
    @param path: of the database, for what is said of it.
    @return: each of them once.
    @raise ToolError: there is no such room.
    """
    names = shelves.names()
    found: dict[int, Shelf] = {}
    for word in words or names:
        shelf = shelves.find(word if not words else word.strip().removeprefix("#"))
        if shelf is None:
            near = nearest(word, names)
            hint = f"; did you mean #{near}?" if near else ""
            raise ToolError(f"{path}: there is no room {word}{hint}")
        found[shelf.row] = shelf
    return list(found.values())
