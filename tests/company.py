"""
A house with people of all ranks in it, for tests of who may do what.

C{ada} owns C{#garden}, C{mod} keeps it in order, C{cyd} is a member, C{bob} is a guest, and C{root}
is the server's admin.  They come by a listener that is not trusted, each from an address of their
own.  Accounts are given by hand: this is not about how one logs in.
"""

from __future__ import annotations

from tests.house import House, HouseCase, Person, Witness, register

#: Who is registered, by account.
REGISTERED = ("ada", "mod", "cyd", "root", "eve")


def furnish(house: House) -> None:
    """A house has a listener for each kind of people, and knows who is registered."""
    register(house, *REGISTERED)
    house.listens("native", "far", trusted=False)


def comes(house: House, name: str, host: str = "", account: str = "", at: str = "far") -> Person:
    """Someone comes in, logged in if an C{account} is given, and has read everything."""
    person = house.connect("native", name, host, at, account)
    person.seen()
    return person


class CompanyCase(HouseCase):
    """A test with these people, all in the garden, which they have read to the end."""

    def setUp(self) -> None:
        super().setUp()
        self.furnish(self.house)

    def furnish(self, house: House) -> None:
        """Let them come."""
        furnish(house)
        self.ada = comes(house, "ada", "10.1.0.1", "ada")
        self.mod = comes(house, "mod", "10.1.0.2", "mod")
        self.cyd = comes(house, "cyd", "10.1.0.3", "cyd")
        self.bob = comes(house, "bob", "10.1.0.4")
        self.root = comes(house, "root", "10.1.0.5", "root")
        self.root.session.admin = True
        for person in (self.ada, self.mod, self.cyd, self.bob, self.root):
            person.says("/join garden")
        self.ada.says("/op mod")
        house.rests()

    def again(self) -> House:
        """The server ends, and another begins with the same log."""
        log = self.house.log
        for person in self.house.people:
            person.resets()
        self.house.turn()
        self.witness = Witness()
        self.house = House(self.limits, log=log, observers=[self.witness], clock=self.house.clock)
        furnish(self.house)
        return self.house

    def does(self, person: Person, *texts: str) -> list[str]:
        """Someone sends this; what they see then, and the others have read all."""
        person.seen()
        person.says(*texts)
        self.house.turn()
        return person.lines()

    def assertSays(self, person: Person, text: str, *heard: str) -> None:
        """They send this and see these lines."""
        self.assertEqual(self.does(person, text), list(heard))

    def assertRefused(self, person: Person, text: str, why: str) -> None:
        """They send this and see one line that says this, among other things."""
        seen = self.does(person, text)
        self.assertEqual(len(seen), 1, seen)
        self.assertTrue(seen[0].startswith("! "), seen)
        self.assertIn(why, seen[0])

    def isIn(self, person: Person, room: str = "garden") -> bool:
        """Whether someone is in a room."""
        there = self.house.hall.rooms.get(room)
        return there is not None and person.session in there.members
