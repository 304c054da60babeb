"""
The register: who has which name.  No two people have names that could be taken for one another.
"""

from __future__ import annotations

from mucs.events import Refused
from mucs.imucs import IMember
from mucs.names import fold, nearest


class Register:
    """The names that are taken, folded, and whose they are."""

    def __init__(self, server: str) -> None:
        """@param server: what the server is called: nobody else is."""
        self._server = fold(server)
        self._names: dict[str, IMember] = {}
        self._spaced: dict[str, IMember] = {}  # those with a space in them

    def claim(self, session: IMember, name: str) -> None:
        """Take a name for a session. @raise Refused: it is another's."""
        key = fold(name)
        other = self._names.get(key)
        if key == self._server:
            raise Refused(f"{name} is the server's own name; choose another")
        if other is not None and other is not session:
            like = "taken" if other.name == name else f"too much like {other.name}, who is here"
            raise Refused(f"the name {name} is {like}; choose another")
        near = self._beginning(session, name)
        if near:
            raise Refused(f"the name {name} could be about {near}, who is here; choose another")
        self._names[key] = session
        if " " in name:
            self._spaced[key] = session

    def _beginning(self, session: IMember, name: str) -> str:
        """
        Whose name, and a space, this one begins with, or whose begins with this one: C{bob left}
        would say, with C{/me}, what is not so of C{bob}.
        """
        words = name.split(" ")
        for count in range(1, len(words)):
            other = self._names.get(fold(" ".join(words[:count])))
            if other is not None and other is not session:
                return other.name
        start = fold(name) + " "
        for key, other in self._spaced.items():
            if other is not session and key.startswith(start):
                return other.name
        return ""

    def release(self, session: IMember, name: str, keep: str = "") -> None:
        """Give a name back, unless it is the same as C{keep}."""
        key = fold(name) if name else ""
        if self._names.get(key) is session and key != (fold(keep) if keep else ""):
            del self._names[key]
            self._spaced.pop(key, None)

    def find(self, name: str) -> IMember:
        """Who is called so. @raise Refused: nobody is."""
        found = self._names.get(fold(name)) if name else None
        if found is None or not found.name:
            near = nearest(name, [session.name for session in self._names.values()])
            hint = f"; did you mean {near}?" if near else "; /who lists who is"
            raise Refused(f"nobody called {name} is here{hint}")
        return found
