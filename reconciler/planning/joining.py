"""Which account belongs to which guest.

An established join (recorded in `state/accounts` by objectSid) comes before any rule; then the first rule with exactly one
match decides. Everything that is not clear is a conflict: nobody's account is guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.plan import Conflict
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Join, Policy

from .anchors import named_guest
from .conflicts import expression_conflict


@dataclass(frozen=True, slots=True)
class Match:
    """A guest's account. `by` is the rule that found it, None for an established join."""

    account: Account
    by: Join | None = None


@dataclass(slots=True)
class Joins:
    """The outcome: `matches` by guest id; guests in `undecided` get no change at all."""

    matches: dict[str, Match] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)


def join(
    guests: Iterable[Guest], everyone: Mapping[str, Guest], accounts: Mapping[str, Account], policy: Policy
) -> Joins:
    """Join `guests` (those who may have or get an account); `everyone` are all known ones, tombstones included."""
    joins = Joins()
    _established(joins, everyone, accounts, policy)
    free = _Index([a for a in accounts.values() if a.guest is None and a.missing is None], policy)
    wanted: dict[str, list[tuple[Guest, Match]]] = defaultdict(list)
    for guest in guests:
        if guest.id in joins.undecided:
            continue
        try:
            found = _by_rule(guest, policy, free)
        except EvaluationError as error:
            joins.undecided.add(guest.id)
            joins.conflicts.append(expression_conflict(guest, error))
            continue
        established = joins.matches.get(guest.id)
        foreign = [(m, named) for m in found if (named := _claimed_by_anchor(m, policy)) not in (None, guest.id)]
        if foreign:
            joins.undecided.add(guest.id)
            joins.conflicts += [_foreign_anchor(guest, m, str(named), policy) for m, named in foreign]
        elif len(found) == 1 and established is None:
            wanted[found[0].account.sid].append((guest, found[0]))
        elif found:
            _elsewhere(joins, guest, established, found)
    for candidates in wanted.values():
        _claim(joins, candidates)
    return joins


def same(a: Value | None, b: Value | None) -> bool:
    """Whether a directory's equality match holds two values to be the same (strings ignore case)."""
    if isinstance(a, str) and isinstance(b, str):
        return a.casefold() == b.casefold()
    return a is not None and a == b


def _established(joins: Joins, everyone: Mapping[str, Guest], accounts: Mapping[str, Account], policy: Policy) -> None:
    by_guest: dict[str, list[Account]] = defaultdict(list)
    for account in accounts.values():
        if account.guest is not None:
            by_guest[account.guest].append(account)
    owners = _anchors(everyone, policy) if by_guest else {}
    for guest_id, found in by_guest.items():
        live = [a for a in found if a.missing is None] or found
        guest = everyone.get(guest_id)
        if len(live) > 1:
            joins.undecided.add(guest_id)
            joins.conflicts.append(_twice(guest_id, guest, live))
            continue
        account = live[0]
        held = account.attributes.get(policy.anchor.attribute)
        named = owners.get(_text(held)) or named_guest(held, policy)
        if named is not None and named != guest_id:
            joins.undecided.add(guest_id)
            joins.conflicts.append(_renamed_anchor(account, guest_id, guest, named, policy))
        elif account.missing in ("deleted", "expired") and guest is None:
            continue  # neither is there any more
        elif guest is None:
            joins.conflicts.append(_unknown_guest(account, guest_id))
        else:
            joins.matches[guest_id] = Match(account)


def _anchors(everyone: Mapping[str, Guest], policy: Policy) -> dict[str, str]:
    owners: dict[str, str] = {}
    for guest in everyone.values():
        try:
            owners[_text(policy.anchor.expression.value(guest))] = guest.id
        except EvaluationError:
            continue  # reported where the guest itself is joined
    owners.pop("", None)
    return owners


def _text(value: Value | None) -> str:
    return value.casefold() if isinstance(value, str) else "" if value is None else str(value)


class _Index:
    """Accounts nobody is joined to, by each join attribute."""

    def __init__(self, accounts: list[Account], policy: Policy) -> None:
        self._by: dict[str, dict[str, list[Account]]] = {}
        for rule in policy.joins:
            index = self._by.setdefault(rule.attribute, defaultdict(list))
            for account in accounts:
                key = _text(account.dn.name if rule.attribute == "cn" else account.attributes.get(rule.attribute))
                if key and account not in index[key]:
                    index[key].append(account)

    def find(self, attribute: str, value: Value | None) -> list[Account]:
        return self._by[attribute].get(_text(value), []) if value is not None else []


def _by_rule(guest: Guest, policy: Policy, free: _Index) -> list[Match]:
    for rule in policy.joins:
        found = free.find(rule.attribute, rule.expression.value(guest))
        if found:
            return [Match(account, rule) for account in found]
    return []


def _claimed_by_anchor(match: Match, policy: Policy) -> str | None:
    """Return the guest that the anchor of an account found by another rule names, known or not."""
    return named_guest(match.account.attributes.get(policy.anchor.attribute), policy)


def _claim(joins: Joins, candidates: list[tuple[Guest, Match]]) -> None:
    if len(candidates) == 1:
        guest, match = candidates[0]
        joins.matches[guest.id] = match
        return
    account = candidates[0][1].account
    for guest, match in candidates:
        others = ", ".join(g.id for g, _ in candidates if g.id != guest.id)
        joins.undecided.add(guest.id)
        joins.conflicts.append(
            Conflict(
                guest.id,
                guest.label,
                "ambiguous-join",
                f"account {account.sid} matches this guest and also {others}",
                "Give the account the anchor of the guest it belongs to, or make the join rule more exact.",
                account.dn,
                match.by.expression.rule if match.by else None,
                (account.sid,),
            )
        )


def _elsewhere(joins: Joins, guest: Guest, established: Match | None, found: list[Match]) -> None:
    joins.undecided.add(guest.id)
    rule = found[0].by
    names = ", ".join(m.account.sid for m in found)
    if established is None:
        kind, what = "ambiguous-join", f"{len(found)} accounts match: {names}"
    else:
        kind = "join-points-elsewhere"
        what = f"is joined to {established.account.sid}, but a join rule now finds {names}"
    joins.conflicts.append(
        Conflict(
            guest.id,
            guest.label,
            kind,
            what,
            "Decide which account is this guest's; change or remove the others' matching attribute, or exclude them by a rule.",
            found[0].account.dn,
            rule.expression.rule if rule else None,
            tuple(m.account.sid for m in ([established, *found] if established else found)),
        )
    )


def _twice(guest_id: str, guest: Guest | None, accounts: list[Account]) -> Conflict:
    return Conflict(
        guest_id,
        guest.label if guest else guest_id,
        "joined-twice",
        "two or more accounts are joined to this guest: " + ", ".join(f"{a.sid} ({a.dn})" for a in accounts),
        "Delete the surplus account, or give it the anchor of the guest it belongs to.",
        accounts[0].dn,
        accounts=tuple(a.sid for a in accounts),
    )


def _renamed_anchor(account: Account, guest_id: str, guest: Guest | None, named: str, policy: Policy) -> Conflict:
    return Conflict(
        guest_id,
        guest.label if guest else guest_id,
        "anchor-names-another",
        f"account {account.sid} is joined to this guest, but its {policy.anchor.attribute} now names guest {named}",
        f"Put {policy.anchor.attribute} back by hand if the change was a mistake; otherwise delete the account and let it be made anew.",
        account.dn,
        policy.anchor.expression.rule,
        (account.sid,),
    )


def _foreign_anchor(guest: Guest, match: Match, named: str, policy: Policy) -> Conflict:
    account, anchor = match.account, policy.anchor.attribute
    rule = match.by.expression.rule if match.by else policy.anchor.expression.rule
    return Conflict(
        guest.id,
        guest.label,
        "anchor-names-another",
        f"{rule.name} finds account {account.sid} for this guest, but its {anchor} names guest {named}",
        f"If it is the same person with a new id (deleted and invited again), clear {anchor} by hand: the next plan takes the account "
        "over, with all its permissions. Otherwise take the matching attribute from it, or delete it.",
        account.dn,
        rule,
        (account.sid,),
    )


def _unknown_guest(account: Account, guest_id: str) -> Conflict:
    return Conflict(
        guest_id,
        guest_id,
        "guest-unknown",
        f"account {account.sid} is joined to a guest that state/guests neither holds nor remembers as removed",
        "Run `reconcile snapshot --full`: it asks Entra what became of this guest. Until then nothing is done to the account.",
        account.dn,
        accounts=(account.sid,),
    )
