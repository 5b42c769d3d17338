"""A plan in the order people read it: what is dangerous first, together what has one cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta, Plan, Rule


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that do the same for the same reason in the same place.

    `rules` are the change's own, or, for an update, those of its attributes: accounts that change alike stand together.
    `ou` is where the accounts are (for a create: will be), `to` where a move puts them.
    """

    action: Action
    cause: str
    rules: tuple[Rule, ...]
    ou: str
    to: str | None
    changes: tuple[Change, ...]

    @property
    def common(self) -> tuple[Delta, ...]:
        """What every account of a group of creates is given alike; said once, it need not be repeated."""
        if self.action is not Action.CREATE or len(self.changes) == 1:
            return ()
        alike = list(self.changes[0].deltas)
        for change in self.changes[1:]:
            alike = [d for d in alike if d in change.deltas]
        return tuple(alike)


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
    found: dict[tuple[Action, str, tuple[Rule, ...], str, str | None], list[Change]] = {}
    for change in changes:
        key = (change.action, change.cause, change.rules, parent(change.dn), _destination(change))
        found.setdefault(key, []).append(change)
    order = list(Action)
    groups = [Group(*key, tuple(members)) for key, members in found.items()]
    return sorted(groups, key=lambda g: (order.index(g.action), -len(g.changes)))


def parent(dn: DN) -> str:
    """Return the container's DN as text; quicker than `DN.parent` where nothing is escaped."""
    return dn.parent.text if "\\" in dn.text else dn.text.partition(",")[2]


def _destination(change: Change) -> str | None:
    if change.to is None:
        return None
    to = parent(change.to)
    return to if to != parent(change.dn) else None
