"""The directory port over the in-memory domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.directory.port import PEOPLES_NAMES, Changes, Domain, Entry, Modification
from reconciler.model.dn import DN
from reconciler.model.values import Value, fold

from . import refusals
from .engine import Engine
from .objects import CONTAINERS, Stored, entry, read
from .store import UNIQUE

PAGE = 1000


class MemoryReader:
    """One reading connection. Most accounts of a Windows domain silently see no tombstone: not `sees_deleted`."""

    def __init__(self, engine: Engine, controller: str, *, sees_deleted: bool = True) -> None:
        self._held = engine
        self._controller = controller
        self._sees_deleted = sees_deleted
        self._open = True

    def domain(self) -> Domain:
        """Return who this controller is and how far its database has come."""
        with self._engine.lock:
            return Domain(
                controller=self._controller,
                dn=self._engine.base.text,
                sid=self._engine.domain_sid,
                service_name="CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,"
                + self._engine.base.text,
                invocation_id=self._engine.invocation_id,
                usn=self._engine.usn,
            )

    def accounts(
        self, ous: Sequence[DN], attributes: Sequence[str], progress: Callable[[int], None] = lambda _n: None
    ) -> Iterator[Entry]:
        """Yield every user under the OUs, as of the first one asked for."""
        with self._engine.lock:
            found = {
                stored.guid: self._entry(stored, attributes)
                for root in [self._engine.at(ou) for ou in ous]
                for stored in (root, *self._engine.store.below(root.guid))
                if stored.kind == "user"
            }
        entries = list(found.values())
        for start in range(0, max(len(entries), 1), PAGE):
            page = entries[start : start + PAGE]
            progress(start + len(page))
            yield from page

    def changes(self, attributes: Sequence[str], since: int) -> Changes:
        """Return what has a uSNChanged of more than `since`, domain-wide."""
        with self._engine.lock:
            changed = [s for s in self._engine.store.objects.values() if s.usn > since and self._visible(s)]
            users = [s for s in changed if s.kind == "user"]
            return Changes(
                entries=tuple(self._entry(s, attributes) for s in users if not s.deleted),
                deleted=tuple(self._entry(s, attributes) for s in users if s.deleted),
                containers=any(s.kind in CONTAINERS for s in changed),
                sees_deleted=self._sees_deleted,
                protection=any(s.guid == self._engine.protected_users for s in changed),
            )

    def find(self, guids: Iterable[str], attributes: Sequence[str]) -> dict[str, Entry]:
        """Return the users with these GUIDs, deleted ones included."""
        with self._engine.lock:
            objects = [self._engine.store.objects.get(guid.lower()) for guid in guids]
            return {s.guid: self._entry(s, attributes) for s in objects if s and s.kind == "user" and self._visible(s)}

    def owners(self, attribute: str, values: Sequence[str]) -> dict[str, str]:
        """Return whose these names are, as Windows compares names: ignoring case, width, kana and combining marks."""
        with self._engine.lock:
            owners = ((value, self._owner(attribute, value)) for value in values)
            return {value: owner.owner for value, owner in owners if owner}

    def administrators(self) -> Iterator[Entry]:
        """Yield every user of the domain with adminCount 1."""
        with self._engine.lock:
            users = [s for s in self._engine.store.objects.values() if s.kind == "user" and not s.deleted]
            found = [self._entry(s, PEOPLES_NAMES) for s in users]
        yield from (e for e in found if "adminCount" in e.protected)

    def read(self, dn: DN, attributes: Sequence[str]) -> Entry | None:
        """Return the user with this DN, or None where there is no object; DirectoryError for one of another kind."""
        with self._engine.lock:
            stored = self._engine.lookup(dn)
            if stored and stored.kind != "user":
                raise refusals.another_kind(dn, stored.kind)
            return self._entry(stored, attributes) if stored else None

    def exists(self, dn: DN) -> bool:
        """Whether there is an object with this DN."""
        with self._engine.lock:
            return self._engine.lookup(dn) is not None

    def close(self) -> None:
        """Give the connection back: every later call raises DirectoryUnavailableError, but another close."""
        self._open = False

    @property
    def _engine(self) -> Engine:
        if not self._open:
            raise refusals.closed()
        return self._held

    def _entry(self, stored: Stored, attributes: Iterable[str]) -> Entry:
        return entry(stored, attributes, shielded=self._engine.shielded(stored), home=self._engine.home(stored))

    def _visible(self, stored: Stored) -> bool:
        return self._sees_deleted or not stored.deleted

    def _owner(self, attribute: str, value: str) -> Stored | None:
        store = self._engine.store
        if attribute.casefold() == "cn":
            return self._engine.lookup(DN(value))
        if attribute.casefold() in UNIQUE:
            return store.named(attribute, value)
        live = (s for s in store.objects.values() if not s.deleted)
        return next((s for s in live if fold(value) in _folded(read(s, attribute))), None)


class MemoryWriter(MemoryReader):
    """One writing connection. `writable` lists the OUs this account was given rights on; None stands for everywhere.

    `may_reanimate`: it has the control right Reanimate-Tombstones on the domain.
    """

    def __init__(
        self,
        engine: Engine,
        controller: str,
        *,
        writable: Sequence[DN] | None = None,
        sees_deleted: bool = True,
        may_reanimate: bool = True,
    ) -> None:
        super().__init__(engine, controller, sees_deleted=sees_deleted)
        self._writable = None if writable is None else tuple(writable)
        self._may_reanimate = may_reanimate

    def add(self, dn: DN, attributes: Mapping[str, Value]) -> Entry:
        """Create a user, disabled unless said otherwise; return guid, sid and dn."""
        with self._engine.lock:
            self._may_write(dn)
            return self._entry(self._engine.create(dn, "user", attributes), ())

    def set_password(self, guid: str, password: str) -> None:
        """Reset the password: it is checked against the domain's policy and not kept."""
        with self._engine.lock:
            stored = self._mine(guid)
            self._engine.set_password(stored, password)

    def modify(self, guid: str, modifications: Sequence[Modification]) -> None:
        """Compare and swap, in the order given, all or nothing."""
        with self._engine.lock:
            stored = self._mine(guid)
            held: dict[str, Value | None] = {}
            for m in modifications:
                key = m.attribute.casefold()
                if not _same(held[key] if key in held else read(stored, key), m.before):
                    raise refusals.mismatch(stored.dn, m.attribute, occupied=m.before is None)
                held[key] = m.after
            self._engine.update(stored, held)

    def move(self, guid: str, to: DN) -> None:
        """Rename or move."""
        with self._engine.lock:
            stored = self._mine(guid)
            self._may_write(to)
            self._engine.relocate(stored, to)

    def delete(self, guid: str) -> None:
        """Delete a leaf."""
        with self._engine.lock:
            self._engine.remove(self._mine(guid))

    def reanimate(self, guid: str, to: DN, attributes: Mapping[str, Value]) -> Entry:
        """Bring a tombstone back with `attributes`, all or nothing. It keeps the rights of the OU it was deleted from."""
        with self._engine.lock:
            if not (self._may_reanimate and self._sees_deleted):
                raise refusals.may_not_reanimate(to)
            stored = self._engine.grave(guid)
            self._may_write((self._engine.home(stored) or stored.dn).child("CN", stored.dn.name))
            self._may_write(to)
            return self._entry(self._engine.reanimate(stored, to, attributes), tuple(attributes))

    def _mine(self, guid: str) -> Stored:
        stored = self._engine.live(guid)
        self._may_write(stored.dn)
        return stored

    def _may_write(self, dn: DN) -> None:
        if self._writable is not None and not any(dn.within(ou) and dn != ou for ou in self._writable):
            raise refusals.denied(dn)


def _folded(value: Value | None) -> set[str]:
    values = value if isinstance(value, tuple) else () if value is None else (str(value),)
    return {fold(v) for v in values}


def _same(held: Value | None, expected: Value | None) -> bool:
    """Whether these are equal as LDAP compares them: text in any case, the values of one attribute in any order."""
    return _comparable(held) == _comparable(expected)


def _comparable(value: Value | None) -> object:
    if isinstance(value, tuple):
        return sorted(v.casefold() for v in value)
    return value.casefold() if isinstance(value, str) else value
