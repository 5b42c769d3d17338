"""Whether the account that a plan leaves behind would let its guest sign in: a warning where it would not.

Told from the tree alone. What is not imported (an account's expiry, its lockout) is `reconcile verify`'s to find. An account that is in
Protected Users is never written, and so a conflict already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.model.account import ACCOUNTDISABLE, Account
from reconciler.model.guest import Guest
from reconciler.model.identity import LABELS
from reconciler.model.plan import Action, Change
from reconciler.model.values import Value
from reconciler.policy.model import Policy

from .standing import Standing

_NOT_DELEGATED = 0x100000
_CHECKED = frozenset({Action.CREATE, Action.RESTORE, Action.JOIN, Action.UPDATE, Action.ENABLE})
_SAID_ON = (Action.CREATE, Action.RESTORE, Action.UPDATE, Action.JOIN, Action.ENABLE)
"""Which of a guest's changes carries the warning: the first of these that there is."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Knows what every account holds now, and who should be able to sign in."""

    guests: Mapping[str, Guest]
    standings: Mapping[str, Standing]
    accounts: Mapping[str, Account]
    policy: Policy

    def warned(self, changes: Sequence[Change]) -> list[Change]:
        """Return the changes, in their order, with warnings where they leave an active guest unable to sign in."""
        mine: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            if change.action in _CHECKED and self.standings[change.guest].kind == "active":
                mine[change.guest].append(change)
        said = {self._bearer(some).key: tuple(self._obstacles(guest, some)) for guest, some in mine.items()}
        return [replace(c, warnings=(*c.warnings, *w)) if (w := said.get(c.key)) else c for c in changes]

    @staticmethod
    def _bearer(changes: Iterable[Change]) -> Change:
        return min(changes, key=lambda c: _SAID_ON.index(c.action))

    def _obstacles(self, guest_id: str, changes: Iterable[Change]) -> Iterator[str]:
        guest = self.guests[guest_id]
        held = self._left_behind(changes)
        flags = held.get("userAccountControl")
        if isinstance(flags, int) and flags & ACCOUNTDISABLE:
            yield "the account stays disabled: its guest cannot sign in"
        identity = self.policy.identity
        if isinstance(flags, int) and flags & _NOT_DELEGATED and identity is not None:
            yield "the account is marked as sensitive (NOT_DELEGATED): single sign-on does not work for it"
        wanted = identity.known(guest) if identity else None
        if identity is None or wanted is None or identity.attribute not in held:
            return
        value = held[identity.attribute]
        if not isinstance(value, str) or value.casefold() != wanted.casefold():
            yield (
                f'{identity.attribute} is not the name that single sign-on asks for, {wanted} ("{LABELS[identity]}", '
                "sign_in.identity)"
            )

    def _left_behind(self, changes: Iterable[Change]) -> dict[str, Value | None]:
        """What the account holds once all of these are done."""
        held: dict[str, Value | None] = {}
        for change in changes:
            account = self.accounts.get(change.sid) if change.sid else None
            if account is not None and account.missing is None and not held:
                held.update(account.attributes)
        for change in changes:
            held.update({d.attribute: d.after for d in change.deltas if not d.secret})
        return held
