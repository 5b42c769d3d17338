"""The in-memory domain as its owner holds it: connections for the program, and a domain administrator's own hands."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from reconciler.model.dn import DN
from reconciler.model.values import Value

from . import refusals
from .engine import Engine
from .ports import MemoryReader, MemoryWriter
from .store import Backup


class MemoryDirectory:
    """One Active Directory domain with one controller, in memory.

    Nothing in it is left to chance or to a clock: equal calls with an equally seeded `rng` give equal SIDs, GUIDs and
    USNs. Threads may share it and its connections. A new one holds `CN=Users` with Administrator (adminCount 1) and
    Protected Users, and no organizational unit. Every method raises DirectoryError or one of its kinds.
    """

    def __init__(self, base: DN, rng: random.Random) -> None:
        self._engine = Engine(base, rng)

    @property
    def base(self) -> DN:
        """The domain's DN."""
        return self._engine.base

    @property
    def protected_users(self) -> DN:
        """The group Protected Users: `edit` its `member`."""
        return self._engine.store.objects[self._engine.protected_users].dn

    def reader(self, controller_url: str, *, sees_deleted: bool = True) -> MemoryReader:
        """Return a reading connection; without `sees_deleted` it sees no tombstone, as most accounts of a domain."""
        return MemoryReader(self._engine, controller_url, sees_deleted=sees_deleted)

    def writer(
        self,
        controller_url: str,
        *,
        writable: Sequence[DN] | None = None,
        sees_deleted: bool = True,
        may_reanimate: bool = True,
    ) -> MemoryWriter:
        """Return a writing connection; AccessDeniedError outside the OUs in `writable`, where those are given.

        Bringing a deleted account back takes both `sees_deleted` and `may_reanimate`.
        """
        return MemoryWriter(
            self._engine, controller_url, writable=writable, sees_deleted=sees_deleted, may_reanimate=may_reanimate
        )

    def create_ou(self, dn: DN) -> None:
        """Create an organizational unit."""
        with self._engine.lock:
            self._engine.create(dn, "organizationalUnit", {})

    def create_user(self, dn: DN, sam: str, attributes: Mapping[str, Value] | None = None) -> None:
        """Create a user that has a password; disabled, where `attributes` say nothing about userAccountControl."""
        with self._engine.lock:
            self._engine.create(dn, "user", {"sAMAccountName": sam, **(attributes or {})}, has_password=True)

    def create_computer(self, dn: DN, sam: str) -> None:
        """Create a computer account."""
        with self._engine.lock:
            self._engine.create(dn, "computer", {"sAMAccountName": sam})

    def edit(self, dn: DN, attribute: str, value: Value | None) -> None:
        """Replace all values of an attribute, None clearing it. Protected Users have `member`: one DN or several."""
        with self._engine.lock:
            stored = self._engine.at(dn)
            if attribute.casefold() != "member":
                self._engine.update(stored, {attribute: value})
                return
            if stored.guid != self._engine.protected_users:
                raise refusals.unwilling(dn, "it has no members", "Edit the members of Protected Users.")
            members = value if isinstance(value, tuple) else () if value is None else (str(value),)
            self._engine.set_members(tuple(self._engine.at(DN(member)) for member in members))

    def move(self, dn: DN, to: DN) -> None:
        """Rename or move an account."""
        with self._engine.lock:
            self._engine.relocate(self._engine.at(dn), to)

    def rename_ou(self, dn: DN, to: DN) -> None:
        """Rename or move an organizational unit with everything below it, whose own USN stays."""
        self.move(dn, to)

    def delete(self, dn: DN) -> None:
        """Delete a leaf."""
        with self._engine.lock:
            self._engine.remove(self._engine.at(dn))

    def recycle(self, guid: str) -> None:
        """Let the lifetime of a deleted user end, as in a forest with the recycle bin: it cannot be brought back any more."""
        with self._engine.lock:
            self._engine.recycle(self._engine.grave(guid))

    def has_password(self, dn: DN) -> bool:
        """Whether a password was ever set: all that is known of it."""
        with self._engine.lock:
            return self._engine.at(dn).has_password

    def snapshot(self) -> Backup:
        """Return a backup of the whole database."""
        with self._engine.lock:
            return self._engine.snapshot()

    def restore(self, backup: Backup, *, new_invocation_id: bool = True) -> None:
        """Put a backup back. Without a new invocation id: a reverted virtual machine, USNs given twice."""
        with self._engine.lock:
            self._engine.restore(backup, new_invocation_id=new_invocation_id)
