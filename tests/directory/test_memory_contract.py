"""The in-memory domain keeps the contract of the directory port."""

from __future__ import annotations

import random

import pytest

from reconciler.directory.memory import MemoryDirectory
from reconciler.directory.port import DirectoryReader, DirectoryWriter
from reconciler.model.dn import DN
from tests.directory.contract import Admin, DirectoryContract, World


@pytest.fixture
def world() -> World:
    base = DN("DC=contoso,DC=test")
    directory = MemoryDirectory(base, random.Random(1))
    ou = base.child("OU", "Guests")
    directory.create_ou(ou)
    directory.create_ou(ou.child("OU", "Departed"))
    writer: DirectoryWriter = directory.writer("ldaps://dc1.contoso.test")
    reader: DirectoryReader = directory.reader("ldaps://dc1.contoso.test")
    admin: Admin = directory
    return World(writer, reader, base, ou, admin)


class TestMemoryDirectory(DirectoryContract):
    pass
