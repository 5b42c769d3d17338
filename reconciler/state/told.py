"""What receipts tell of accounts that were written since the last import: hints where to look, and a reason to be careful.

An import that nothing follows from is not committed, so the one that an import begins from may be older than the last apply.
Anybody who may push can forge a receipt. So nothing is enabled because of one, and an account belongs to a guest only
where that is proven by the account itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.directory.port import Entry
from reconciler.model.account import Account
from reconciler.model.dn import DN

_LAST_PARENT = "lastKnownParent"
NAME, CREATED = "sAMAccountName", "uSNCreated"
ALSO = (_LAST_PARENT, NAME, CREATED)
"""What is read of an account that is looked for here, besides what is imported."""


@dataclass(frozen=True, slots=True)
class Made:
    """An account that was made for a guest, or taken over for them."""

    guest: str
    sid: str
    guid: str


@dataclass(frozen=True, slots=True)
class Told:
    """`enabled`: SIDs of accounts that were enabled, or brought back, and not disabled again. `made`: oldest first."""

    enabled: frozenset[str] = frozenset()
    made: tuple[Made, ...] = ()


@dataclass(frozen=True, slots=True)
class Seek:
    """How accounts that were made and are not under the OUs are looked for.

    `find` returns objects by GUID, with the `attributes` that are imported and with ALSO. `names` says whom an anchor names.
    `proves` says of an account that is deleted, and has lost its anchor, whether what is left of it proves whose it was; its
    last argument is the account as it was known, without a join, before it was taken over.
    """

    told: Told
    find: Callable[[Sequence[str]], dict[str, Entry]]
    attributes: frozenset[str]
    names: Callable[[Entry], str | None]
    proves: Callable[[Made, Entry, Account | None], bool]
    unfound: Callable[[Sequence[Made]], None]
    """Told of those that cannot be seen anywhere."""

    def __call__(
        self, old: Mapping[str, Account], present: Mapping[str, Entry]
    ) -> tuple[dict[str, Entry], list[tuple[Account, Entry]]]:
        """Return those that are elsewhere in the domain by SID, and those that are deleted, with what shows that."""
        wanted = {m.guest: m for m in self.told.made if m.sid not in present and _unjoined(old.get(m.sid))}
        if not wanted:
            return {}, []
        known = {a.guest: a for a in old.values() if a.guest in wanted}
        wanted = {g: m for g, m in wanted.items() if g not in known or known[g].missing is not None}
        found = self.find([m.guid for m in wanted.values()]) if wanted else {}
        moved: dict[str, Entry] = {}
        deleted: list[tuple[Account, Entry]] = []
        for made in wanted.values():
            entry = found.get(made.guid)
            if entry is None or entry.sid != made.sid:
                continue
            named = self.names(entry)
            if not entry.deleted and named == made.guest:
                moved[entry.sid] = self._imported(entry)
            elif entry.deleted and made.guest not in known:
                whose = named == made.guest if named else self.proves(made, entry, old.get(made.sid))
                home = _home(entry)
                if whose and home is not None:
                    bare = self._imported(entry)
                    account = Account(entry.sid, entry.guid, home, bare.attributes, entry.protected, guest=made.guest)
                    account = replace(account, adopted=made.sid in old)
                    deleted.append((account, bare))
        self.unfound([m for m in wanted.values() if m.guid not in found])
        return moved, deleted

    def _imported(self, entry: Entry) -> Entry:
        return replace(entry, attributes={n: v for n, v in entry.attributes.items() if n in self.attributes})


def _unjoined(account: Account | None) -> bool:
    return account is None or account.guest is None


def _home(entry: Entry) -> DN | None:
    """Return where a deleted object was: its RDN is `name\\nDEL:guid` now ([MS-ADTS] 3.1.1.5.5.1.1)."""
    parent = entry.attributes.get(_LAST_PARENT)
    name, mark, _ = entry.dn.name.rpartition("\nDEL:")
    return DN(parent).child(entry.dn.rdns[0][0], name) if mark and isinstance(parent, str) else None
