"""Every guest that any join rule finds for an account, not only the first: who else could have meant it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.plan import Rule
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Join, Policy
from reconciler.state.model import State

from .standing import standing


@dataclass(frozen=True, slots=True)
class Person:
    """A guest in a report. `label` is the id where nobody knows more. Hostile text: escape it at the sink."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Rival:
    """A guest that a rule finds for an account. It may get another account by an earlier rule."""

    guest: Person
    rule: Rule


def rivals(state: State, policy: Policy, accounts: Iterable[Account]) -> defaultdict[str, list[Rival]]:
    """Return by SID every guest, none of them gone, that any rule finds for each of these accounts."""
    index: dict[tuple[str, Value], list[Account]] = defaultdict(list)
    for attribute in {j.attribute for j in policy.joins}:
        for account in accounts:
            held = account.dn.name if attribute == "cn" else account.attributes.get(attribute)
            if held is not None:
                index[attribute, _folded(held)].append(account)
    found = defaultdict[str, list[Rival]](list)
    for guest in state.guests.values() if index else ():
        for rule in _rules(guest, policy):
            value = _value(rule, guest)
            for account in index.get((rule.attribute, _folded(value)), ()) if value is not None else ():
                found[account.sid].append(Rival(person(guest, guest.id), rule.expression.rule))
    return found


def _rules(guest: Guest, policy: Policy) -> Iterable[Join]:
    try:
        return policy.joins if standing(guest, policy).kind != "left" else ()
    except EvaluationError:
        return ()  # a conflict of the plan's


def _value(rule: Join, guest: Guest) -> Value | None:
    try:
        return rule.expression.value(guest)
    except EvaluationError:
        return None  # likewise


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def person(guest: Guest | None, guest_id: str) -> Person:
    """Return a guest for a report, known or not."""
    return Person(guest_id, guest.label if guest else guest_id)
