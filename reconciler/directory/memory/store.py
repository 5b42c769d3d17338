"""The tables of the in-memory domain: objects by GUID, and the indexes that make names unique."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.model.dn import DN
from reconciler.model.values import fold

from .objects import Stored

UNIQUE = {"samaccountname": "sAMAccountName", "userprincipalname": "userPrincipalName"}
"""Names that one live object holds, by the key they are stored under."""


@dataclass(frozen=True, slots=True)
class Backup:
    """The database as it was: for `MemoryDirectory.restore`."""

    objects: tuple[Stored, ...]
    usn: int
    next_rid: int


@dataclass(slots=True)
class Store:
    """Live objects have their names indexed, folded as Windows folds them; tombstones are known by GUID alone."""

    root: str
    objects: dict[str, Stored] = field(default_factory=dict)
    _children: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    _names: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in UNIQUE})

    def put(self, stored: Stored) -> None:
        """Insert an object, or replace its former version."""
        if former := self.objects.get(stored.guid):
            self._unindex(former)
        self.objects[stored.guid] = stored
        if not stored.deleted:
            self._index(stored)

    def load(self, objects: Iterable[Stored]) -> None:
        """Replace everything."""
        self.objects.clear()
        self._children.clear()
        for index in self._names.values():
            index.clear()
        for stored in objects:
            self.put(stored)

    def at(self, dn: DN) -> Stored | None:
        """Return the live object with this DN."""
        base = self.objects[self.root].dn
        if not dn.within(base):
            return None
        guid: str | None = self.root
        for kind, name in reversed(dn.rdns[: len(dn.rdns) - len(base.rdns)]):
            guid = self._children.get(guid or "", {}).get((kind, fold(name)))
        return self.objects[guid] if guid else None

    def named(self, attribute: str, name: str) -> Stored | None:
        """Return the live object that holds this sAMAccountName or userPrincipalName."""
        guid = self._names[attribute.casefold()].get(fold(name))
        return self.objects[guid] if guid else None

    def children(self, guid: str) -> Iterator[Stored]:
        """Yield what lies directly below."""
        for child in self._children.get(guid, {}).values():
            yield self.objects[child]

    def below(self, guid: str) -> Iterator[Stored]:
        """Yield everything below, parents before their children."""
        for child in self.children(guid):
            yield child
            yield from self.below(child.guid)

    def rebase(self, container: Stored) -> None:
        """Give everything below a renamed container its new DN; no USN moves for that."""
        for child in list(self.children(container.guid)):
            moved = replace(child, dn=DN(f"{child.dn.rdn},{container.dn.text}"))
            self.put(moved)
            self.rebase(moved)

    def _index(self, stored: Stored) -> None:
        if stored.parent:
            self._children.setdefault(stored.parent, {})[_rdn(stored)] = stored.guid
        for attribute, name in _names(stored):
            self._names[attribute][name] = stored.guid

    def _unindex(self, stored: Stored) -> None:
        if stored.parent and not stored.deleted:
            del self._children[stored.parent][_rdn(stored)]
        for attribute, name in _names(stored) if not stored.deleted else ():
            del self._names[attribute][name]


def _rdn(stored: Stored) -> tuple[str, str]:
    kind, name = stored.dn.rdns[0]
    return kind, fold(name)


def _names(stored: Stored) -> Iterator[tuple[str, str]]:
    for attribute in UNIQUE:
        held = stored.attributes.get(attribute)
        if isinstance(held, str):
            yield attribute, fold(held)
