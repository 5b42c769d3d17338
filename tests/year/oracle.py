"""What the domain must look like after each day, worked out from the documentation's words and nothing of the program's.

`Oracle.settle` says what one day's plan must make of every account; `Held` is what a test compares with the domain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from reconciler.demo.tenant import Tenant
from tests.acceptance.expected import FLOWS

NORMAL, DISABLE = 262656, 0x2
SETTABLE = 0x2 | 0x200 | 0x10000 | 0x40000 | 0x100000
"""Flags that a policy may set: those of an administrator's that a deleted account keeps when it comes back."""
ANCHOR = "adminDescription"
Status = Literal["active", "blocked", "left"]


@dataclass
class Held:
    """One account as it must be. `values` are LDAP attributes; an absent one has no value."""

    guest: str
    cn: str
    parent: str
    values: dict[str, str]
    flags: int = NORMAL
    sid: str | None = None
    """Learned when it is first seen; from then on it may not change."""
    suspended: bool = False
    """It went from enabled to disabled while its guest might not sign in."""
    departed: datetime | None = None
    deleted: bool = False
    protected: bool = False
    since: datetime | None = None
    """When a plan last changed it."""

    @property
    def enabled(self) -> bool:
        return not self.deleted and not self.flags & DISABLE

    @property
    def rdn(self) -> str:
        return "CN=" + self.cn.replace(",", "\\,")

    @property
    def dn(self) -> str:
        return f"{self.rdn},{self.parent}"


@dataclass
class Oracle:
    """Everything the model knows: the tenant for what guests are, and its own memory of accounts."""

    tenant: Tenant
    ou: str
    delete_after: timedelta
    accounts: dict[str, Held] = field(default_factory=dict)
    """By the guest's id."""
    known: set[str] = field(default_factory=set)
    """Ids of everybody who was ever invited."""
    held: dict[str, datetime] = field(default_factory=dict)
    """Guests on hold, and until when."""
    squatters: set[str] = field(default_factory=set)
    """UPNs, folded, that accounts outside have."""
    upns: dict[str, str] = field(default_factory=dict)
    """What every guest was last called, folded."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """What the last day had to leave to a person: kind by guest."""

    def status(self, guest: str) -> Status:
        properties = self.properties(guest)
        if properties is None or properties.get("userType") != "Guest":
            return "left"
        return "active" if properties.get("accountEnabled") is not False else "blocked"

    def properties(self, guest: str) -> Mapping[str, object] | None:
        """Return a guest who is there; None for one that is deleted, softly or for good."""
        try:
            user = self.tenant.get(guest)
        except KeyError:
            return None
        return None if user.deleted else user.properties

    def values(self, guest: str) -> dict[str, str]:
        """What the flows give."""
        properties = self.properties(guest) or {}
        flows = {ldap: properties.get(graph) for ldap, graph in FLOWS.items()}
        kept = {name: str(value) for name, value in flows.items() if value is not None}
        return {**kept, "sAMAccountName": guest[:20], ANCHOR: f"User_{guest}"}

    def placement(self, guest: str) -> str:
        mail = str((self.properties(guest) or {}).get("mail") or "")
        return f"OU=Fabrikam,{self.ou}" if mail.endswith("@fabrikam.com") else self.ou

    @property
    def departed_ou(self) -> str:
        return f"OU=Departed,{self.ou}"

    def outside(self, account: Held) -> bool:
        return account.parent != self.ou and not account.parent.endswith("," + self.ou)

    def settle(self, now: datetime) -> bool:
        """Carry out one plan: every guest whose account may be written gets what the policy says. Return whether any did."""
        self.held = {guest: until for guest, until in self.held.items() if now.date() <= until.date()}
        self.conflicts = {}
        self._depart(now)
        wanted = dict(self._wanted(now))
        for guest in self._nameless(wanted):
            self.conflicts[guest] = "name-taken"
            del wanted[guest]
            self._only_disable(guest)
        for guest, account in wanted.items():
            self.accounts[guest] = changed(account, since=now)
        return bool(wanted)

    def _depart(self, now: datetime) -> None:
        for guest in self.known:
            if (properties := self.properties(guest)) is not None:
                self.upns[guest] = str(properties["userPrincipalName"]).casefold()
        for guest, account in self.accounts.items():
            account.departed = (account.departed or now) if self.status(guest) == "left" else None

    def _wanted(self, now: datetime) -> Iterator[tuple[str, Held]]:
        """Yield everybody's account as it must become, where it is not that already and may be written."""
        for guest in sorted(self.known):
            account = self.accounts.get(guest)
            if guest in self.held:
                continue
            if account is None or account.deleted:
                if self.status(guest) == "active":
                    yield from self._missing(guest, account)
                continue
            wanted = self._left(account, now) if self.status(guest) == "left" else self._kept(account)
            if self.outside(account):
                self.conflicts[guest] = "outside-ous"
            elif wanted != account and self._unrecognisable(account):
                self.conflicts[guest] = "anchor-lost"
            elif wanted != account and account.protected:
                self.conflicts[guest] = "protected"
            elif wanted != account:
                yield guest, wanted

    def _unrecognisable(self, account: Held) -> bool:
        """Whether an account has lost both its anchor and the UPN by which that could be put back."""
        lost = account.values.get(ANCHOR) != f"User_{account.guest}"
        return lost and self._upn(account) != self.upns.get(account.guest)

    def _missing(self, guest: str, lost: Held | None) -> Iterator[tuple[str, Held]]:
        """Yield the account that an active guest lacks, unless it was one that may not be written."""
        if lost is not None and (self.outside(lost) or lost.protected):
            self.conflicts[guest] = "outside-ous" if self.outside(lost) else "protected"
        else:
            yield guest, self._made(guest, lost)

    def _made(self, guest: str, lost: Held | None) -> Held:
        """A new account, or the deleted one again: its SID, its administrator's flags, everything else anew."""
        flags = NORMAL
        if lost is not None and not lost.flags & 0x20:
            flags = lost.flags & SETTABLE & ~(DISABLE if lost.suspended else 0)
        return Held(guest, guest, self.placement(guest), self.values(guest), flags, lost.sid if lost else None)

    def _left(self, account: Held, now: datetime) -> Held:
        """Disabled, among the departed, otherwise as it was; in the end deleted. A lost anchor is put back first."""
        values = {**account.values, ANCHOR: f"User_{account.guest}"}
        suspended = account.suspended or account.enabled
        gone = changed(account, flags=account.flags | DISABLE, suspended=suspended, parent=self.departed_ou)
        if gone == account and account.departed is not None and now - account.departed >= self.delete_after:
            return changed(account, deleted=True)
        return changed(gone, values=values if gone != account else account.values)

    def _kept(self, account: Held) -> Held:
        kept = changed(account, values=self.values(account.guest))
        if self.status(account.guest) == "blocked":
            return changed(kept, flags=kept.flags | DISABLE, suspended=kept.suspended or kept.enabled)
        if kept.parent == self.departed_ou:
            kept = changed(kept, parent=self.placement(account.guest))
        return changed(kept, flags=kept.flags & ~DISABLE, suspended=False) if kept.suspended else kept

    def _nameless(self, wanted: Mapping[str, Held]) -> set[str]:
        """Return who would take a name that somebody else keeps, as often as that takes somebody's new name away."""
        refused: set[str] = set()
        while True:
            then = self.accounts | {g: a for g, a in wanted.items() if g not in refused}
            owners: dict[str | None, set[str]] = defaultdict(set)
            for guest, account in then.items():
                if not account.deleted:
                    owners[self._upn(account)].add(guest)
            fresh = {g for g in wanted.keys() - refused if self._taken(g, then[g], owners)}
            if not fresh:
                return refused
            refused |= fresh

    def _taken(self, guest: str, then: Held, owners: Mapping[str | None, set[str]]) -> bool:
        """Whether the name that an account would newly have is somebody's already."""
        before, name = self.accounts.get(guest), self._upn(then)
        if then.deleted or (before is not None and not before.deleted and self._upn(before) == name):
            return False
        return name in self.squatters or bool(owners[name] - {guest})

    @staticmethod
    def _upn(account: Held) -> str | None:
        name = account.values.get("userPrincipalName")
        return name.casefold() if name else None

    def _only_disable(self, guest: str) -> None:
        """A conflict about names does not keep a blocked guest's account enabled."""
        account = self.accounts.get(guest)
        if account is not None and account.enabled and self.status(guest) == "blocked":
            self.accounts[guest] = changed(account, flags=account.flags | DISABLE, suspended=True)

    def pick(self, keep: Callable[[str, Held], bool], besides: Collection[str]) -> list[str]:
        """Return the guests, sorted, whose account `keep` holds for, without some."""
        return sorted(g for g, a in self.accounts.items() if g not in besides and keep(g, a))


def changed(account: Held, **fields: object) -> Held:
    """Return a copy with other fields."""
    copy = Held(**{**{name: getattr(account, name) for name in Held.__dataclass_fields__}, **fields})
    copy.values = dict(copy.values)
    return copy
