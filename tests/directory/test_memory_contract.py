"""The in-memory domain keeps the contract of the directory port."""

from __future__ import annotations

import random

import pytest

from reconciler.directory.memory import MemoryDirectory
from reconciler.model.dn import DN
from tests.directory.contract import DirectoryContract, World

BASE = DN("DC=contoso,DC=test")
CONTROLLER = "ldaps://dc1.contoso.test"


def make_world(directory: MemoryDirectory | None = None) -> World:
    """Return a world of its own, in a new domain unless one is given."""
    directory = directory or MemoryDirectory(BASE, random.Random(1))
    ou = BASE.child("OU", "Guests")
    directory.create_ou(ou)
    directory.create_ou(ou.child("OU", "Departed"))
    return World(directory.writer(CONTROLLER), directory.reader(CONTROLLER), BASE, ou, directory)


class TestMemoryDirectory(DirectoryContract):
    @pytest.fixture
    def world(self) -> World:
        return make_world()
