"""
Roles: the table of what each may do.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mucs import roles


class RoleTests(SynchronousTestCase):
    def test_order(self) -> None:
        """Whoever has a role may do what those before it may, and nothing else."""
        for at, role in enumerate(roles.ROLES):
            self.assertEqual(
                [roles.may(role, wanted) for wanted in roles.ROLES],
                [True] * (at + 1) + [False] * (len(roles.ROLES) - at - 1),
            )

    def test_table(self) -> None:
        """Every entry is a role, each has a sentence; what is not there is for guests."""
        self.assertLessEqual(set(roles.LEAST.values()), set(roles.ROLES))
        self.assertEqual(set(roles.HOW), set(roles.ROLES[1:]))
        self.assertEqual(roles.least("no such thing"), roles.GUEST)
        self.assertEqual(roles.least("help"), roles.STRANGER)
