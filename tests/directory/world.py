"""What an implementation's test module hands to the contract: an empty OU, both ports, and a domain administrator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest

from reconciler.directory.port import DirectoryReader, DirectoryWriter, Entry
from reconciler.model.dn import DN
from reconciler.model.values import Value


class Admin(Protocol):
    """A domain administrator at work behind the program's back. Every method fails loudly."""

    def edit(self, dn: DN, attribute: str, value: Value | None) -> None:
        """Replace all values of one attribute of any object; None clears it."""
        ...

    def create_user(self, dn: DN, sam: str) -> None:
        """Create a user. Whether it is enabled is left open."""
        ...

    def create_computer(self, dn: DN, sam: str) -> None:
        """Create a computer account; `sam` ends with a dollar sign."""
        ...

    def create_ou(self, dn: DN) -> None:
        """Create an organizational unit."""
        ...

    def move(self, dn: DN, to: DN) -> None:
        """Rename or move a user."""
        ...

    def rename_ou(self, dn: DN, to: DN) -> None:
        """Rename an organizational unit with everything below it."""
        ...

    def delete(self, dn: DN) -> None:
        """Delete one leaf object."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """One domain as a test meets it.

    `ou` is new for each test, its name not used before in this domain, and holds nothing but `OU=Departed`.
    `reader` and `writer` may be connections of their own: what one writes the other must see at once.
    """

    writer: DirectoryWriter
    reader: DirectoryReader
    base: DN
    ou: DN
    admin: Admin

    @property
    def departed(self) -> DN:
        """The OU below `ou`."""
        return self.ou.child("OU", "Departed")

    @property
    def users(self) -> DN:
        """A container outside `ou` that every domain has."""
        return self.base.child("CN", "Users")

    @property
    def protected_users(self) -> DN:
        """The group whose members Kerberos never delegates."""
        return self.users.child("CN", "Protected Users")

    def unique(self, name: str) -> str:
        """Return a name no other test uses, ten characters longer: names are unique in the whole domain."""
        return f"{name}-{hashlib.sha256(self.ou.text.encode()).hexdigest()[:9]}"

    def at(self, name: str) -> DN:
        """Return the DN of a user in `ou`."""
        return self.ou.child("CN", name)

    def add(self, name: str, /, **attributes: Value) -> Entry:
        """Create a user in `ou` through the port; see `add_at`."""
        return self.add_at(self.at(name), name, **attributes)

    def add_at(self, dn: DN, name: str, /, **attributes: Value) -> Entry:
        """Create a user through the port; `name` (ten characters at most) also makes its sAMAccountName unique."""
        return self.writer.add(dn, {"sAMAccountName": self.unique(name), "displayName": name, **attributes})

    def read(self, entry: Entry, *attributes: str) -> Entry:
        """Return the object as it is now, by GUID; KeyError when nobody sees it."""
        return self.reader.find([entry.guid], attributes)[entry.guid]

    def listed(self, *ous: DN) -> list[str]:
        """Return the CNs under the OUs (by default, under `ou`), as they come."""
        return [e.dn.name for e in self.reader.accounts(ous or (self.ou,), ["sAMAccountName"])]


def guids(entries: Sequence[Entry]) -> set[str]:
    """Return which objects these are."""
    return {e.guid for e in entries}


class Outside:
    """For tests about accounts that are not, or no longer, under the OU."""

    @pytest.fixture
    def outside(self, world: World) -> Iterator[DN]:
        """The DN of an account outside the OU; whoever is there in the end is deleted."""
        dn = world.users.child("CN", world.unique("outside"))
        yield dn
        if world.reader.exists(dn):
            world.admin.delete(dn)
