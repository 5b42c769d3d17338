"""The rules of a directory service ([MS-ADTS] 3.1.1.5): originating updates, each all or nothing, each with one USN."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from threading import RLock

from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from reconciler.model.values import Value

from . import refusals, rules
from .objects import CONTAINERS, Kind, Stored
from .store import UNIQUE, Backup, Store

FIRST_RID = 1103
WORKSTATION_TRUST_ACCOUNT = 0x1000
_TOMBSTONE_KEEPS = frozenset({"samaccountname", "useraccountcontrol"})


class Engine:
    """One domain on one controller. Callers hold `lock` for as long as what they read must stay true."""

    def __init__(self, base: DN, rng: random.Random) -> None:
        self.lock = RLock()
        self.base = base
        self.usn = 0
        self.next_rid = FIRST_RID
        self._rng = rng
        self.domain_sid = "S-1-5-21-" + "-".join(str(rng.randrange(10**8, 2**32)) for _ in range(3))
        self.invocation_id = self._guid()
        root = self._guid()
        self.store = Store(root)
        self._write(Stored(root, self.domain_sid, None, base, "domainDNS", 0, {}))
        self.users = self._built_in("container", root, base.child("CN", "Users"))
        self.deleted = self._built_in("container", root, base.child("CN", "Deleted Objects"))
        self.protected_users = self._built_in(
            "group", self.users, base.child("CN", "Users").child("CN", "Protected Users"), 525
        )
        self._built_in("user", self.users, base.child("CN", "Users").child("CN", "Administrator"), 500)

    def live(self, guid: str) -> Stored:
        """Return the object with this GUID; NotFoundError when it is deleted or never was."""
        stored = self.store.objects.get(guid.lower())
        if stored is None or stored.deleted:
            raise refusals.not_found(f"the object {guid}")
        return stored

    def at(self, dn: DN) -> Stored:
        """Return the object with this DN; NotFoundError when there is none."""
        if stored := self.lookup(dn):
            return stored
        raise refusals.not_found(str(dn))

    def lookup(self, dn: DN) -> Stored | None:
        """Return the object with this DN, or None; DirectoryError (34) for what is no DN at all."""
        try:
            return self.store.at(DN.parse(dn.text))
        except ValueError:
            raise refusals.naming(dn, "not a distinguished name", refusals.INVALID_DN) from None

    def shielded(self, stored: Stored) -> bool:
        """Whether this is a member of Protected Users."""
        return stored.guid in self.members()

    def members(self) -> tuple[str, ...]:
        """Return the GUIDs of the members of Protected Users."""
        held = self.store.objects[self.protected_users].attributes.get("member", ())
        return held if isinstance(held, tuple) else ()

    def set_members(self, members: tuple[Stored, ...]) -> None:
        """Replace the members of Protected Users: a write to the group, not to the members."""
        group = self.store.objects[self.protected_users]
        self._update(group, {**group.attributes, "member": tuple(m.guid for m in members)})

    def create(self, dn: DN, kind: Kind, attributes: Mapping[str, Value], *, has_password: bool = False) -> Stored:
        """Add an object with the identity the directory gives it."""
        parent, dn = self._place(dn, "OU" if kind == "organizationalUnit" else "CN")
        if self.store.at(dn):
            raise refusals.dn_taken(dn)
        held: dict[str, Value] = {}
        for name, given in attributes.items():
            if name.casefold() == "cn" and given == dn.name:
                continue
            rules.writable(dn, name)
            held[name.casefold()] = rules.value(dn, name, given)
        if kind in ("user", "computer"):
            held.setdefault("samaccountname", f"${self._rng.getrandbits(48):012X}")
            held.setdefault("useraccountcontrol", HALF_MADE if kind == "user" else WORKSTATION_TRUST_ACCOUNT)
        made = Stored(self._guid(), None, parent.guid, dn, kind, 0, held, has_password=has_password)
        self._check(made, held)
        return self._write(made if kind == "organizationalUnit" else replace(made, sid=self._sid()))

    def update(self, stored: Stored, changes: Mapping[str, Value | None]) -> Stored:
        """Replace values, None clearing one; a write that changes nothing moves no USN."""
        return self._update(stored, self._changed(stored, changes))

    def set_password(self, stored: Stored, password: str) -> Stored:
        """Check a password, remember that there is one, and forget it."""
        rules.password(stored.dn, password)
        return self._write(replace(stored, has_password=True))

    def relocate(self, stored: Stored, to: DN) -> Stored:
        """Rename or move, with everything below."""
        if stored.kind not in ("user", "computer", "organizationalUnit"):
            raise refusals.unwilling(stored.dn, f"a {stored.kind} is not moved", "Move the accounts in it instead.")
        parent, dn = self._place(to, stored.dn.rdns[0][0])
        occupant = self.store.at(dn)
        if occupant and occupant.guid != stored.guid:
            raise refusals.dn_taken(dn)
        if parent.dn.within(stored.dn):
            raise refusals.unwilling(stored.dn, f"it is not moved below itself, to {to}", "Choose another OU.")
        if dn.text == stored.dn.text:
            return stored
        moved = self._write(replace(stored, dn=dn, parent=parent.guid))
        self.store.rebase(moved)
        return moved

    def remove(self, stored: Stored) -> Stored:
        """Turn a leaf into a tombstone ([MS-ADTS] 3.1.1.5.5.1.1): it keeps who it was and loses what it held."""
        if stored.kind not in ("user", "computer", "organizationalUnit"):
            raise refusals.unwilling(stored.dn, f"a {stored.kind} is not deleted", "Delete the accounts in it instead.")
        if any(True for _ in self.store.children(stored.guid)):
            raise refusals.not_a_leaf(stored.dn)
        group = self.store.objects[self.protected_users]
        if stored.guid in self.members():
            left = tuple(m for m in self.members() if m != stored.guid)
            self.store.put(replace(group, attributes={**group.attributes, "member": left}))
        return self._write(
            replace(
                stored,
                dn=self.store.objects[self.deleted].dn.child("CN", f"{stored.dn.name}\nDEL:{stored.guid}"),
                parent=self.deleted,
                attributes={k: v for k, v in stored.attributes.items() if k in _TOMBSTONE_KEEPS},
                has_password=False,
                deleted=True,
                last_parent=stored.parent,
            )
        )

    def grave(self, guid: str) -> Stored:
        """Return the deleted user with this GUID; NotFoundError when it is not deleted or never was."""
        stored = self.store.objects.get(guid.lower())
        if stored is None or not stored.deleted or stored.kind != "user":
            raise refusals.not_found(f"a deleted user {guid}")
        return stored

    def home(self, stored: Stored) -> DN | None:
        """Return where a deleted object was, by the name that container has now."""
        return self.store.objects[stored.last_parent].dn if stored.last_parent else None

    def reanimate(self, stored: Stored, to: DN, changes: Mapping[str, Value]) -> Stored:
        """Bring a tombstone back ([MS-ADTS] 3.1.1.5.3.7), with what it kept and `changes`."""
        if stored.recycled:
            raise refusals.recycled(stored.dn)
        parent, dn = self._place(to, "CN")
        if self.store.at(dn):
            raise refusals.dn_taken(dn)
        alive = replace(stored, dn=dn, parent=parent.guid, deleted=False, last_parent=None)
        return self._write(replace(alive, attributes=self._changed(alive, changes, also=UNIQUE)))

    def recycle(self, stored: Stored) -> Stored:
        """End what a deleted object's lifetime ends with the recycle bin on: it cannot be brought back any more."""
        return self._write(replace(stored, recycled=True))

    def snapshot(self) -> Backup:
        """Return the database as it is."""
        return Backup(tuple(self.store.objects.values()), self.usn, self.next_rid)

    def restore(self, backup: Backup, *, new_invocation_id: bool) -> None:
        """Put a former state back. A proper restore takes a new invocation id and throws the pool of RIDs away; without
        that the USNs and the SIDs are given a second time ([MS-ADTS] 3.1.1.1.9).
        """
        self.store.load(backup.objects)
        self.usn = backup.usn
        if new_invocation_id:
            self.invocation_id = self._guid()
        else:
            self.next_rid = backup.next_rid

    def _place(self, dn: DN, kind: str) -> tuple[Stored, DN]:
        """Return the container that is to hold `dn`, and the DN spelled as the directory spells it."""
        rules.rdn(dn)
        parent = self.at(dn.parent)
        if dn.rdns[0][0] != kind or parent.kind not in ("domainDNS", *CONTAINERS) or parent.guid == self.deleted:
            raise refusals.naming(dn, "an object of its kind does not go there under such a name")
        return parent, parent.dn.child(kind, dn.name)

    def _changed(
        self, stored: Stored, changes: Mapping[str, Value | None], also: Iterable[str] = ()
    ) -> dict[str, Value]:
        """Return what the object then holds, checked; `also` names attributes to check though they stay."""
        held = dict(stored.attributes)
        for name, given in changes.items():
            rules.writable(stored.dn, name)
            if given is None:
                held.pop(name.casefold(), None)
            else:
                held[name.casefold()] = rules.value(stored.dn, name, given)
        changed = {k for k in {*held, *stored.attributes} if held.get(k) != stored.attributes.get(k)}
        self._check(replace(stored, attributes=held), {key: held.get(key) for key in {*changed, *also}})
        return held

    def _check(self, stored: Stored, changed: Mapping[str, Value | None]) -> None:
        for attribute in UNIQUE:
            name = changed.get(attribute)
            owner = self.store.named(attribute, name) if isinstance(name, str) else None
            if owner and owner.guid != stored.guid:
                raise refusals.name_taken(stored.dn, UNIQUE[attribute], str(name))
        if stored.kind == "user" and "samaccountname" not in stored.attributes:
            raise refusals.unwilling(stored.dn, "a user has a sAMAccountName", "Give it another one instead.")
        if stored.kind == "user" and "useraccountcontrol" in changed:
            rules.account_control(stored.dn, changed["useraccountcontrol"], has_password=stored.has_password)

    def _update(self, stored: Stored, held: Mapping[str, Value]) -> Stored:
        return stored if held == stored.attributes else self._write(replace(stored, attributes=held))

    def _write(self, stored: Stored) -> Stored:
        self.usn += 1
        written = replace(stored, usn=self.usn)
        self.store.put(written)
        return written

    def _built_in(self, kind: Kind, parent: str, dn: DN, rid: int | None = None) -> str:
        held: dict[str, Value] = {"samaccountname": dn.name} if rid else {}
        if kind == "user":
            held |= {"useraccountcontrol": 0x10200, "admincount": "1"}
        sid = f"{self.domain_sid}-{rid}" if rid else None
        return self._write(Stored(self._guid(), sid, parent, dn, kind, 0, held, has_password=kind == "user")).guid

    def _sid(self) -> str:
        self.next_rid += 1
        return f"{self.domain_sid}-{self.next_rid}"

    def _guid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
