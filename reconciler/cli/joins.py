"""What an import of accounts asks about guests: whom an anchor names, who has left, who is forgotten. Evaluated as far as asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.directory.port import Entry
from reconciler.incremental.index import AMISS
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.values import Value
from reconciler.policy.expressions import Compiled
from reconciler.policy.model import EvaluationError, Policy
from reconciler.policy.pieces import pieces, tells_guests_apart
from reconciler.state.model import GraphCursor
from reconciler.state.shards import Changed

if TYPE_CHECKING:
    from reconciler.incremental.concerned import Concerned

_GUID = re.compile("(?=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))")
"""Wherever one begins: what stands before an id may look like the beginning of one."""


class Anchors:
    """Which guest an account's anchor names. Most name the guest by the whole id: nobody else's is evaluated then."""

    def __init__(self, policy: Policy, guests: Mapping[str, Guest]) -> None:
        self._anchor, self._guests = policy.anchor, guests
        self._owners: dict[str, str] | None = None
        shape = self._anchor.expression.syntax.shape if isinstance(self._anchor.expression, Compiled) else ()
        self._by_id = tells_guests_apart(pieces(shape))

    def names(self, entry: Entry) -> str | None:
        """Return the id of the guest that an entry's anchor names."""
        held = self._held(entry)
        return self._owner(held) if held is not None else None

    def shown(self, entries: Iterable[Entry]) -> set[str]:
        """Return every id that the anchors of these entries show: these guests are looked at first."""
        return {shown for entry in entries if (held := self._held(entry)) for shown in _GUID.findall(held)}

    def _held(self, entry: Entry) -> str | None:
        attribute = self._anchor.attribute
        held = entry.dn.name if attribute == "cn" else entry.attributes.get(attribute)
        return held.casefold() if isinstance(held, str) else None

    def _owner(self, held: str) -> str | None:
        for shown in _GUID.findall(held):
            guest = self._guests.get(shown)
            if guest is not None and self._value(guest) == held:
                return guest.id
        if self._by_id:  # the whole id is in it, so it was shown
            return None
        if self._owners is None:
            self._owners = {value: g.id for g in self._guests.values() if (value := self._value(g)) is not None}
        return self._owners.get(held)

    def _value(self, guest: Guest) -> str | None:
        try:
            value = self._anchor.expression.value(guest)
        except EvaluationError:
            return None  # the plan shows it as a conflict of this guest
        return value.casefold() if isinstance(value, str) else None


class Leavers:
    """Who has left or is out of scope. Guests that are alike in all that the scope reads are judged once."""

    def __init__(self, policy: Policy, guests: Mapping[str, Guest]) -> None:
        self._scope, self._guests = policy.scope, guests
        self._reads = sorted(policy.scope.reads)
        self._judged: dict[tuple[Value | None, ...], bool] = {}

    def gone(self, id_: str) -> bool:
        """Tell whether a guest, by id, is removed or out of scope; nobody unknown is."""
        guest = self._guests.get(id_)
        if guest is None or guest.removed is not None:
            return guest is not None
        alike = tuple(guest.id if name == "id" else guest.attributes.get(name) for name in self._reads)
        if alike not in self._judged:
            self._judged[alike] = self._out(guest)
        return self._judged[alike]

    def _out(self, guest: Guest) -> bool:
        try:
            return not self._scope.test(guest)
        except EvaluationError:
            return False  # undecided is not gone: the plan shows the conflict


def without_forgotten(
    guests: Mapping[str, Guest],
    accounts: Changed[Account],
    cursor: GraphCursor | None,
    concerned: Concerned | None,
) -> tuple[Mapping[str, Guest], GraphCursor | None]:
    """Drop the tombstones that no account is joined to: nothing is left to do for them. `concerned` saves looking at everybody."""
    if cursor is None or not cursor.tombstones:
        return guests, cursor
    forgotten: list[str] | None = None
    if concerned is not None:
        with suppress(*AMISS):
            forgotten = concerned.forgotten(accounts)
    if forgotten is None:
        joined = {a.guest for a in accounts.values()}
        forgotten = [i for i, g in guests.items() if g.removed is not None and i not in joined]
    changed = guests if isinstance(guests, Changed) else Changed(guests, {})
    return changed.without(forgotten), replace(cursor, tombstones=cursor.tombstones - len(forgotten))
