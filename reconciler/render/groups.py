"""A plan in the order people read it: what is dangerous first, together what has one cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Plan, Rule


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that do the same for the same reason in the same place.

    `ou` is where the accounts are (for a create: will be), `to` where a move puts them.
    """

    action: Action
    cause: str
    rule: Rule
    ou: str
    to: str | None
    changes: tuple[Change, ...]


def grouped(plan: Plan) -> tuple[list[Group], list[Group]]:
    """Return the dangerous groups and the routine ones: by action, then the larger first."""
    dangerous = [c for c in plan.changes if c.dangerous]
    routine = [c for c in plan.changes if not c.dangerous]
    return _groups(dangerous), _groups(routine)


def conflicts_by_kind(conflicts: Iterable[Conflict]) -> dict[str, list[Conflict]]:
    """Return conflicts by kind, the most frequent kind first."""
    kinds: dict[str, list[Conflict]] = {}
    for conflict in conflicts:
        kinds.setdefault(conflict.kind, []).append(conflict)
    return dict(sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0])))


def _groups(changes: list[Change]) -> list[Group]:
    found: dict[tuple[Action, str, Rule, str, str | None], list[Change]] = {}
    for change in changes:
        key = (change.action, change.cause, change.rule, parent(change.dn), _destination(change))
        found.setdefault(key, []).append(change)
    order = list(Action)
    groups = [Group(*key, tuple(members)) for key, members in found.items()]
    return sorted(
        groups, key=lambda g: (order.index(g.action), -len(g.changes), g.cause, g.rule.file, g.rule.line, g.ou)
    )


def parent(dn: DN) -> str:
    """Return the container's DN as text; quicker than `DN.parent` where nothing is escaped."""
    return dn.parent.text if "\\" in dn.text else dn.text.partition(",")[2]


def _destination(change: Change) -> str | None:
    if change.to is None:
        return None
    to = parent(change.to)
    return to if to != parent(change.dn) else None
