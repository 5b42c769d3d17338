"""Names made to be taken for somebody else's: a warning on the change, for the reviewer. Nothing is refused for it.

Told from the tree alone: from the name itself, from names that administrators have everywhere, and from those of the
privileged accounts that were imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.directory.port import Entry
from reconciler.model.account import Account
from reconciler.model.lookalikes import hidden, looks, mixed, named
from reconciler.model.plan import Action, Change, Plan
from reconciler.state.model import Claim

NAMES = ("cn", "displayName", "givenName", "mail", "sAMAccountName", "sn", "userPrincipalName")
"""Attributes that people and programs know an account by."""
CLAIM = "displayName"
"""The attribute of a claim that says a name looks like somebody else's. A display name is unique nowhere, so it takes nobody's."""
_ROLE = "the name of an administrator or a privileged group"
_WHOLE = (
    "Administrator",
    "Administrators",
    "Administrateur",
    "Administrador",
    "Administratör",
    "Amministratore",
    "Администратор",
    "管理者",
    "Admin",
    "sysadmin",
    "System Administrator",
    "root",
    "krbtgt",
    "SYSTEM",
    "Domain Admin",
    "Domain Admins",
    "Enterprise Admins",
    "Schema Admins",
    "Account Operators",
    "Backup Operators",
    "Server Operators",
    "Domain Controllers",
    "Global Administrator",
    "Security",
    "IT Security",
    "Security Team",
    "Help Desk",
    "IT Help Desk",
    "Service Desk",
    "IT Support",
    "IT Service Desk",
    "IT Department",
)
_SURNAMES = frozenset({"root"})
"""Of these, what people are called, too: `Root, Peter` is no administrator."""
_BESIDE = re.compile(r"\s*[,،、，;；|/]\s*|\s+[-–—@·•]\s+")
"""What stands between a name and a company, or a surname and a given name."""
_TAKEN_FOR_PEOPLE = frozenset({"cn", "displayName", "sAMAccountName", "userPrincipalName"})
"""Those that are compared with the names of others: a surname may be Root. What follows in brackets, a company mostly, is left out."""


class Impostors:
    """Knows the names to look out for. `accounts` are those imported, by SID; `claims` what the importer asked the domain."""

    def __init__(self, accounts: Mapping[str, Account], claims: Iterable[Claim] = ()) -> None:
        self._claimed = {c.value: c.owner for c in claims if c.attribute == CLAIM}
        self._known = dict.fromkeys(map(looks, _WHOLE), _ROLE)
        self._roles = frozenset(self._known) - _SURNAMES
        for account in accounts.values():
            if account.protected:
                for name in _names_of(account):
                    self._known.setdefault(looks(name), f"a name of the privileged account {account.sid}")
        self._known.pop("", None)

    def warned(self, changes: Iterable[Change]) -> list[Change]:
        """Return the changes, with warnings where they write a name that could be taken for another."""
        return [self._warned(change) for change in changes]

    def _warned(self, change: Change) -> Change:
        found = tuple(dict.fromkeys(self._warnings(change)))
        return replace(change, warnings=(*change.warnings, *found)) if found else change

    def _reads_like(self, names: Sequence[str]) -> str | None:
        """Return whose name these read like. A part of one (`Contoso, Administrator`) is compared with roles alone, no people."""
        if whose := next(filter(None, map(self._whose, names)), None):
            return whose
        parts = (part for name in names for part in _BESIDE.split(name))
        return _ROLE if any(looks(part) in self._roles for part in parts) else None

    def _whose(self, name: str) -> str | None:
        if owner := self._claimed.get(name):
            return f"a name of the privileged account {owner}, outside the OUs"
        return self._known.get(looks(name))

    def _warnings(self, change: Change) -> Iterator[str]:
        for attribute, name in _written(change):
            if attribute in _TAKEN_FOR_PEOPLE and (whose := self._reads_like(_compared(attribute, name))):
                yield f"{attribute} reads like {whose}"
            if odd := mixed(name):
                yield f"{attribute} mixes alphabets: {odd[1]} ({named(odd[0])})"
            if (unseen := hidden(name)) is not None:
                yield f"{attribute} holds a character that cannot be seen ({named(unseen)})"


def look_alikes(plan: Plan, administrators: Callable[[], Iterable[Entry]]) -> list[Claim]:
    """Return which names that the plan writes look like one of an administrator's; nobody is asked where it writes none.

    The claim has the name that is to be written and the administrator's SID, and not the administrator's name: `state/`
    is no list of those.
    """
    written = {n for c in plan.changes for a, name in _written(c) if a in _TAKEN_FOR_PEOPLE for n in _compared(a, name)}
    if not written:
        return []
    known: dict[str, str] = {}
    for entry in administrators():
        values = (v for v in entry.attributes.values() if isinstance(v, str))
        for name in (entry.dn.name, *(n for value in values for n in (value, value.partition("@")[0]))):
            known.setdefault(looks(name), entry.sid)
    known.pop("", None)
    return [Claim(CLAIM, name, known[key]) for name in sorted(written) if (key := looks(name)) in known]


def _compared(attribute: str, name: str) -> tuple[str, ...]:
    """The name, what it is without a domain, or a company in brackets, and with the surname last."""
    bare = name.partition("@" if attribute == "userPrincipalName" else "(")[0].strip()
    surname, comma, given = bare.partition(",")
    turned = f"{given.strip()} {surname.strip()}".strip() if comma else ""
    return tuple(dict.fromkeys((name, *filter(None, (bare, turned)))))


def _written(change: Change) -> Iterator[tuple[str, str]]:
    """Yield the names that the change gives an account."""
    for delta in change.deltas:
        if delta.attribute in NAMES and isinstance(delta.after, str):
            yield delta.attribute, delta.after
    if change.action is Action.CREATE and change.sid is None:
        yield "cn", change.dn.name


def _names_of(account: Account) -> Iterator[str]:
    yield account.dn.name
    for attribute in ("displayName", "sAMAccountName", "userPrincipalName"):
        value = account.attributes.get(attribute)
        if isinstance(value, str):
            yield value.partition("@")[0]
