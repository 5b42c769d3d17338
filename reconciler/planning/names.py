"""Names that must be unique: collisions become conflicts, and the rest gets an order in which it can be carried out.

A name may pass from one account to another in one plan: the account that gives it up goes first. Where accounts swap names
in a circle, one of them steps aside for a moment (`via`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta
from reconciler.model.schema import attribute
from reconciler.model.values import Value, fold
from reconciler.state.model import Claim

UNIQUE = ("sAMAccountName", "userPrincipalName")
DN_NAME = "distinguishedName"
"""Stands for an object's place among the names that must be unique."""
Name = tuple[str, str]
"""(attribute, folded value): the key under which a domain holds two names to be the same."""


@dataclass(frozen=True, slots=True)
class Step:
    """A name a change gives up and the name it takes; None where it gives up or takes nothing."""

    gives: Name | None
    takes: Name | None
    text: str


def steps(change: Change) -> list[Step]:
    """Return every unique name that the change gives up or takes."""
    living = change.sid is not None and change.action is not Action.RESTORE
    found = [
        Step(name_of(d.attribute, d.before if living else None), name_of(d.attribute, d.after), str(d.after))
        for d in change.deltas
        if d.attribute in UNIQUE and not d.secret
    ]
    if change.action is Action.CREATE and change.sid is None:
        found.append(Step(None, _dn(change.dn), change.dn.text))
    elif change.to is not None:
        found.append(Step(_dn(change.dn) if living else None, _dn(change.to), change.to.text))
    return found


def taken_names(changes: Iterable[Change]) -> set[Name]:
    """Return every name that one of the changes would newly take."""
    return {s.takes for c in changes for s in steps(c) if s.takes is not None and s.takes != s.gives}


def split_collisions(
    changes: list[Change], accounts: Mapping[str, Account], claims: Iterable[Claim]
) -> tuple[list[Change], list[Conflict]]:
    """Take out every change that would claim a name somebody else keeps or also claims.

    Repeats until nothing changes: who may not take a new name keeps the old one, which somebody else may have counted on.
    """
    outside = {(c.attribute, folded_name(c.attribute, c.value)): c.owner for c in claims if c.owner not in accounts}
    conflicts: list[Conflict] = []
    while True:
        holders = _holders(changes, accounts)
        refused: dict[str, Conflict] = {}
        for change in changes:
            for step in steps(change):
                if step.takes is None or step.takes == step.gives:
                    continue
                others = sorted(holders[step.takes] - {_owner(change)})
                if step.takes in outside:
                    others.append(outside[step.takes])
                if others:
                    refused[change.key] = _taken(change, step, others)
        if not refused:
            return changes, conflicts
        conflicts += refused.values()
        losers = {c.guest for c in changes if c.key in refused}
        ending = [c for c in changes if c.action in (Action.DISABLE, Action.DELETE)]
        kept = {k for c in ending for k in (c.key, *c.after)} - refused.keys()
        changes = [c for c in changes if c.guest not in losers or c.key in kept]


def in_order(changes: list[Change], accounts: Mapping[str, Account]) -> list[Change]:
    """Return the changes in an order that can be carried out, each with what it must wait for (`after`)."""
    changes = sorted(changes, key=_rank)
    givers: dict[Name, str] = {
        step.gives: c.key for c in changes for step in steps(c) if step.gives and step.gives != step.takes
    }
    for change in changes:
        if change.action is Action.DELETE and change.sid is not None and change.sid in accounts:
            givers |= dict.fromkeys(names_of(accounts[change.sid]), change.key)
    by_key = {c.key: c for c in changes}
    waits: dict[str, dict[str, Name | None]] = {}
    for change in changes:
        needs: dict[str, Name | None] = dict.fromkeys((k for k in change.after if k in by_key), None)
        for step in steps(change):
            giver = givers.get(step.takes) if step.takes and step.takes != step.gives else None
            if giver is not None and giver != change.key:
                needs[giver] = step.takes
        waits[change.key] = needs
    return _topological(changes, by_key, waits)


def _topological(
    changes: list[Change], by_key: dict[str, Change], waits: dict[str, dict[str, Name | None]]
) -> list[Change]:
    dependents: dict[str, list[str]] = defaultdict(list)
    open_needs = {}
    for key, needs in waits.items():
        open_needs[key] = len(needs)
        for need in needs:
            dependents[need].append(key)
    final_after = {key: set(needs) for key, needs in waits.items()}
    ready = [c.key for c in changes if not open_needs[c.key]]
    order: list[str] = []
    done: set[str] = set()
    while len(order) < len(changes):
        for key in ready:
            order.append(key)
            done.add(key)
        following: list[str] = []
        for key in ready:
            for dependent in dependents[key]:
                open_needs[dependent] -= 1
                if not open_needs[dependent] and dependent not in done:
                    following.append(dependent)
        ready = following
        if not ready and len(order) < len(changes):
            ready = _step_aside(by_key, waits, final_after, open_needs, done)
    return [replace(by_key[k], after=tuple(sorted(final_after[k]))) for k in order]


def _step_aside(
    by_key: dict[str, Change],
    waits: dict[str, dict[str, Name | None]],
    final_after: dict[str, set[str]],
    open_needs: dict[str, int],
    done: set[str],
) -> list[str]:
    """Break one circle: a change in it gets a `via`, so those that wait for its old name need only that."""
    breaker = _in_circle(waits, done)
    change = by_key[breaker]
    freed: list[str] = []
    for key, needs in waits.items():
        name = needs.get(breaker)
        if key in done or name is None:
            continue
        change = _with_via(change, name)
        del needs[breaker]
        final_after[key] = (final_after[key] - {breaker}) | {f"via:{breaker}"}
        open_needs[key] -= 1
        if not open_needs[key]:
            freed.append(key)
    by_key[breaker] = change
    return freed


def _in_circle(waits: dict[str, dict[str, Name | None]], done: set[str]) -> str:
    """Walk from the first waiting change along what it waits for until a change comes up again; return who steps aside."""
    key = next(k for k in waits if k not in done)
    seen: list[str] = []
    while key not in seen:
        seen.append(key)
        key = next(k for k in waits[key] if k not in done)
    circle = seen[seen.index(key) :]
    waiters = zip([circle[-1], *circle], circle, strict=False)
    return min(awaited for waiter, awaited in waiters if waits[waiter][awaited] is not None)


def _with_via(change: Change, name: Name) -> Change:
    stand_in = "cn" if name[0] == DN_NAME else name[0]
    guid = change.guid or change.guest
    via = {
        "sAMAccountName": "~" + guid.replace("-", "")[:19],
        "userPrincipalName": f"reconcile-{guid}@swap.invalid",
        "cn": f"reconcile-{guid}",
    }[stand_in]
    deltas: list[Delta] = [replace(d, via=via) if d.attribute == stand_in else d for d in change.deltas]
    if stand_in == "cn" and not any(d.attribute == "cn" for d in deltas):
        deltas.append(Delta("cn", change.dn.name, change.to.name if change.to else None, change.rule, via=via))
    return replace(change, deltas=tuple(deltas))


_ORDER = (
    Action.DISABLE,
    Action.DELETE,
    Action.JOIN,
    Action.RESTORE,
    Action.MOVE,
    Action.RENAME,
    Action.UPDATE,
    Action.CREATE,
    Action.ENABLE,
)


def _rank(change: Change) -> tuple[int, str]:
    return _ORDER.index(change.action), change.guest


def _holders(changes: list[Change], accounts: Mapping[str, Account]) -> dict[Name, set[str]]:
    """Who holds each name once the changes are done."""
    holders: dict[Name, set[str]] = defaultdict(set)
    given: set[tuple[str, Name]] = set()
    for change in changes:
        for step in steps(change):
            if step.gives and step.gives != step.takes:
                given.add((_owner(change), step.gives))
            if step.takes:
                holders[step.takes].add(_owner(change))
    gone = {c.sid for c in changes if c.action is Action.DELETE}
    for account in accounts.values():
        if account.missing in ("deleted", "expired") or account.sid in gone:
            continue
        for name in names_of(account):
            if (account.sid, name) not in given:
                holders[name].add(account.sid)
    return holders


def names_of(account: Account) -> list[Name]:
    """Every unique name that an account has."""
    held = (name_of(attribute, account.attributes.get(attribute)) for attribute in UNIQUE)
    return [*filter(None, held), _dn(account.dn)]


def _owner(change: Change) -> str:
    return change.sid or f"the new account of guest {change.guest}"


def name_of(attribute_name: str, value: Value | None) -> Name | None:
    """Return the name that a value of one of UNIQUE is; None where it is none."""
    return (attribute_name, fold(value)) if isinstance(value, str) else None


def _dn(dn: DN) -> Name:
    return (DN_NAME, folded_name(DN_NAME, dn.text))


def folded_name(attribute_name: str, value: str) -> str:
    """Return the key under which a domain holds two such names to be the same: of a DN, part by part."""
    if attribute_name == DN_NAME:
        return "\0".join(f"{k}={fold(v)}" for k, v in DN(value).rdns)
    return fold(value)


def _taken(change: Change, step: Step, others: list[str]) -> Conflict:
    assert step.takes is not None  # noqa: S101  the caller looks only at steps that take a name
    what = "DN" if step.takes[0] == DN_NAME else attribute(step.takes[0]).name
    delta = next((d for d in change.deltas if d.attribute == step.takes[0]), None)
    return Conflict(
        change.guest,
        change.label,
        "name-taken",
        f"{what} {step.text} is taken or also wanted by {', '.join(others)}",
        "Rename or remove the other object, correct the guest's attribute in Entra, or make the policy's expression more distinct. "
        "Names that differ in case, accents or width alone are one name to Windows.",
        change.dn,
        delta.rule if delta else change.rule,
        tuple(sid for sid in (change.sid, *others) if sid is not None and sid.startswith("S-")),
    )
