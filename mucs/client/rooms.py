"""
The rooms one is in: what was seen of each, who is there, and what was not read yet.
"""

from __future__ import annotations

import re

_MORE = re.compile(r"(.*?),? and (?:(\d+) others|one other)$")


class Room:
    """
    @ivar name: as the server writes it.
    @ivar seen: the number of the last event that was seen; what comes next follows it.
    @ivar people: who else is known to be there, oldest first.
    @ivar more: how many are there besides, whose names nobody told.
    @ivar unread: things said since one last spoke in this room.
    @ivar arriving: whether what comes is what was said before.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen = 0
        self.people: dict[str, None] = {}
        self.more = 0
        self.unread = 0
        self.arriving = False
        self._owed: set[tuple[str, str]] = set()

    @property
    def count(self) -> int:
        """How many are there, oneself among them."""
        return len(self.people) + self.more + 1

    def meets(self, others: str) -> None:
        """Who is there. @param others: in the server's words, C{bob, eve and 3 others}."""
        self.people, self.more = {}, 0
        if others == "nobody else":
            return
        if found := _MORE.fullmatch(others):
            others = found[1]
            self.more = int(found[2] or 1)
        self.people = dict.fromkeys(filter(None, others.split(", ")))

    def counts(self, seq: int) -> bool:
        """
        An event has this number. @return: whether it is new.  (One that could not be stored yet
        has the number 0, and is told by what it says: L{owes}.)
        """
        if seq <= self.seen:
            return False
        self.seen = seq
        return True

    def owes(self, kind: str, author: str, seq: int) -> bool:
        """
        Someone came or went. @return: whether it was shown before, when it was not stored yet.
        """
        if not seq:
            self._owed.add((kind, author))
            return False
        if (kind, author) in self._owed:
            self._owed.discard((kind, author))
            return True
        return False

    def follows(self, kind: str, author: str, target: str, mine: str) -> None:
        """Keep up with who is there."""
        if kind == "leave":
            if author in self.people:
                del self.people[author]
            elif author != mine:
                self.more = max(0, self.more - 1)
            return
        if kind == "nick":
            self.people.pop(author, None)
            author = target
        if author and author != mine:
            if author not in self.people and self.more and kind not in ("join", "nick"):
                self.more -= 1
            self.people[author] = None
