"""
What pytest is told of these tests.

A pytest-twisted function starts the reactor for good, and a trial C{TestCase} that waits for a
Deferred cannot run after that.  So test classes come first, whatever the files are called.
"""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort methods of classes before functions; the order within both stays."""
    items.sort(key=lambda item: getattr(item, "cls", None) is None)
