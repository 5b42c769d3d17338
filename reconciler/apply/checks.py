"""The checks at both ends, just before each change: is the guest still as `state/guests` says, the account as planned?

What fails here is `stale`: it is left alone, and the next plan sees the truth. This is also what makes a forged state harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.directory.port import Entry
from reconciler.model.account import ACCOUNTDISABLE
from reconciler.model.dn import DN, within
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change
from reconciler.model.values import Value
from reconciler.planning.joining import same
from reconciler.policy.model import EvaluationError, Policy


class StaleError(Exception):
    """An end is not as planned. The text says which and how; it holds no attribute values."""


def check_guest(change: Change, recorded: Guest, live: Guest, attributes: Sequence[str]) -> None:
    """Raise StaleError unless Entra shows the guest as recorded, or as gone as recorded."""
    if recorded.removed is None:
        if live.removed is not None:
            raise StaleError("the guest has been removed from Entra since the import")
        differing = [a for a in attributes if recorded.attributes.get(a) != live.attributes.get(a)]
        if differing:
            raise StaleError(f"the guest differs from state/guests in Entra: {', '.join(differing)}")
    elif live.removed is None:
        raise StaleError("state/guests says the guest is removed, but Entra has it")
    elif recorded.removed == "deleted" and live.removed == "changed":
        raise StaleError("state/guests says the guest is gone for good, but Entra can still restore it")
    if change.guest != live.id:
        raise StaleError("Entra answered with another guest")


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must hold for any account this plan writes. `places` are the DNs that this plan gives each account, by GUID."""

    policy: Policy
    ous: tuple[DN, ...]
    places: Mapping[str, frozenset[DN]]


def check_account(change: Change, entry: Entry, guest: Guest, expect: Expectations) -> bool:
    """Return whether the change is already there; raise StaleError when the account is neither as before nor as after."""
    if entry.sid != change.sid:
        raise StaleError(f"the object with this GUID has SID {entry.sid}")
    if entry.protected:
        raise StaleError(f"the account is protected ({', '.join(entry.protected)})")
    if not within(entry.dn, expect.ous):
        raise StaleError("the account is outside the configured OUs")
    if entry.dn not in expect.places.get(change.guid or "", frozenset({change.dn})):
        raise StaleError("the account has been moved or renamed since the import")
    check_identity(change, entry, guest, expect.policy)
    held = entry.attributes
    flags = held.get("userAccountControl")
    enabled = not (isinstance(flags, int) and flags & ACCOUNTDISABLE)
    if change.action is Action.DELETE and expect.policy.lifecycle.left_disable and enabled:
        raise StaleError("the account has been enabled since the import")
    for delta in change.deltas:
        if delta.secret or delta.attribute == "cn":
            continue
        if not any(
            held.get(delta.attribute) == v for v in (delta.before, delta.after, *([delta.via] if delta.via else []))
        ):
            raise StaleError(f"{delta.attribute} has been changed in Active Directory since the import")
    settled = all(d.secret or d.attribute == "cn" or held.get(d.attribute) == d.after for d in change.deltas)
    return settled and change.action is not Action.DELETE and (change.to is None or exactly(entry.dn, change.to))


def check_identity(change: Change, entry: Entry, guest: Guest, policy: Policy) -> None:
    """Raise StaleError unless the live account is this guest's: by its anchor or, for a join, by the rule that found it."""
    anchor = policy.anchor
    held = entry.attributes.get(anchor.attribute)
    try:
        expected = anchor.expression.value(guest)
        if same(held, expected):
            return
        joining = change.action is Action.JOIN and _still_found(change, entry, guest, policy)
    except EvaluationError as error:
        raise StaleError(f"{error.rule.name} cannot be evaluated for the guest") from error
    if not joining:
        raise StaleError(f"the account's {anchor.attribute} does not name this guest")


def exactly(a: DN, b: DN) -> bool:
    """Whether two DNs agree in the case of the leaf too: a rename may change nothing else."""
    return a == b and a.name == b.name


def value_of(entry: Entry, name: str) -> Value | None:
    """Return an attribute of the live account, cn from its DN."""
    return entry.dn.name if name == "cn" else entry.attributes.get(name)


def _still_found(change: Change, entry: Entry, guest: Guest, policy: Policy) -> bool:
    """Whether the join rule that the plan names (any of them, where a lost anchor is put back) finds the live account."""
    rules = policy.joins[1:]
    named = [j for j in rules if j.expression.rule == change.rule]
    return any(same(value_of(entry, j.attribute), j.expression.value(guest)) for j in named or rules)
