"""An access check as a domain controller makes it ([MS-ADTS] 5.1.3.3), for questions about one right at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.directory.ldap.descriptor import Ace, Descriptor

CREATE, DELETE_CHILD, SELF, WRITE, DELETE_TREE = 0x1, 0x2, 0x8, 0x20, 0x40
READ, LIST, CONTROL, DELETE, WRITE_DACL, WRITE_OWNER = 0x10, 0x4, 0x100, 0x10000, 0x40000, 0x80000
WRITES: Final = (CREATE, DELETE_CHILD, SELF, WRITE, DELETE_TREE, CONTROL, DELETE, WRITE_DACL, WRITE_OWNER)
"""Every right that changes something, control access rights among them."""
OWNER_RIGHTS: Final = "S-1-3-4"
CREATOR: Final = "S-1-3-0"
EVERYBODY: Final = frozenset({"S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-15", "S-1-5-32-545", "S-1-5-32-554"})
"""Everyone, Network, Authenticated Users, This Organization, Users, Pre-Windows 2000 Compatible Access."""
USER: Final = "bf967aba-0de6-11d0-a285-00aa003049e2"
"""schemaIDGUID of the class user."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who asks: an account and every group it is in, directly or not, as SIDs."""

    name: str
    sid: str
    dn: str
    sids: frozenset[str]
    signed_in: bool
    """Whether this is the account that was signed in with; else its groups were looked up."""


Applies = Callable[[Ace], bool]


def here(entry: Ace) -> bool:
    """Whether an entry counts on the object that has it."""
    return entry.here


def on_child(of: str) -> Applies:
    """Return whether an entry counts on a new child of this class."""
    return lambda entry: entry.below and entry.inherited_type in (None, of)


def permits(
    descriptor: Descriptor, token: Token, right: int, types: Iterable[str] = (), applies: Applies = here
) -> bool:
    """Whether the token has one right, for certain. `types`: the GUIDs it may be limited to and still count.

    An entry with a condition grants nothing here, and denies always.
    """
    if descriptor.entries is None:
        return True
    wanted = {None, *types}
    for entry in descriptor.entries:
        if applies(entry) and entry.sid in token.sids and entry.rights & right and entry.object_type in wanted:
            if entry.conditional and entry.allow:
                continue
            return entry.allow
    return False


@dataclass(frozen=True, slots=True)
class Granted:
    """What one entry lets the token change: the rights that no entry before it takes away."""

    entry: Ace
    rights: int
    on: str | None
    """None: on the object itself. Else the class of what inherits it below; empty for every class."""


def changes(descriptor: Descriptor, token: Token) -> list[Granted]:
    """Return everything the token may change by this list, on the object and on what inherits from it."""
    entries = descriptor.entries
    if entries is None:
        return [Granted(Ace(allow=True, mask=sum(WRITES), sid="S-1-1-0"), sum(WRITES), None)]
    found = []
    for i, entry in enumerate(entries):
        mine = entry.sid in token.sids
        if not entry.allow or not (mine or (entry.sid == CREATOR and _makes(entries, token, entry.inherited_type))):
            continue
        if mine and entry.here and (rights := _left(entry, entries[:i], token, here)):
            found.append(Granted(entry, rights, None))
        if entry.below:
            covers = _covers(entry)
            if rights := _left(entry, entries[:i], token, covers):
                found.append(Granted(entry, rights, entry.inherited_type or ""))
    return found


def owns(descriptor: Descriptor, token: Token) -> bool:
    """Whether the token may change the list because it is the owner, which OWNER RIGHTS can take away ([MS-DTYP] 2.5.3.3)."""
    if descriptor.owner not in token.sids or descriptor.entries is None:
        return False
    return not limited(e for e in descriptor.entries if e.here)


def limited(entries: Iterable[Ace]) -> bool:
    """Whether OWNER RIGHTS is among the entries, and does not itself let the owner change the list."""
    mine = [e for e in entries if e.sid == OWNER_RIGHTS]
    return bool(mine) and not any(e.allow and e.rights & (WRITE_DACL | WRITE_OWNER) for e in mine)


def _makes(entries: Sequence[Ace], token: Token, kind: str | None) -> bool:
    """Whether the token may create what an entry for CREATOR OWNER then gives it ([MS-DTYP] 2.5.3.4); `kind` None: of any class."""
    return any(
        e.allow
        and e.here
        and e.sid in token.sids
        and e.rights & CREATE
        and (kind is None or e.object_type in (None, kind))
        for e in entries
    )


def _covers(entry: Ace) -> Applies:
    return lambda earlier: earlier.below and earlier.inherited_type in (None, entry.inherited_type)


def _left(entry: Ace, earlier: Sequence[Ace], token: Token, applies: Applies) -> int:
    rights = entry.rights & sum(WRITES)
    for other in earlier:
        denies = not other.allow and not other.conditional and other.sid in token.sids and applies(other)
        if denies and other.object_type in (None, entry.object_type):
            rights &= ~other.rights
    return rights
