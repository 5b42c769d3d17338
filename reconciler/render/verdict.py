"""What a plan comes down to, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.plan import Action, Plan

VERBS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.RENAME: "rename",
    Action.MOVE: "move",
    Action.ENABLE: "enable",
    Action.RESTORE: "restore",
    Action.JOIN: "take over",
    Action.DISABLE: "disable",
    Action.DELETE: "delete",
}
"""In the order of a summary: what comes into being first, what ends last."""


class Kind(StrEnum):
    """The verdicts, the worst first."""

    REFUSED = "refused"
    CONFLICTS = "conflicts"
    DANGEROUS = "dangerous"
    SAFE = "safe"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Our own words alone: no data in them."""

    kind: Kind
    title: str
    detail: str


def verdict(plan: Plan) -> Verdict:
    """Return the verdict on a plan."""
    total, dangerous, conflicts = len(plan.changes), sum(c.dangerous for c in plan.changes), len(plan.conflicts)
    first = f" {_count(dangerous, 'of them is', 'of them are')} dangerous: read those first." if dangerous else ""
    if plan.refused:
        rest = f" {count(conflicts, 'conflict')} besides." if conflicts else ""
        return Verdict(Kind.REFUSED, "Refused by a guard", f"Nothing of this plan can be applied as it is.{rest}")
    if conflicts:
        also = f"{count(total, 'other change')} can go ahead.{first}" if total else "There is nothing else to do."
        needs = "needs" if conflicts == 1 else "need"
        return Verdict(
            Kind.CONFLICTS, f"{count(conflicts, 'conflict')} {needs} a person", f"Conflicts are never applied. {also}"
        )
    if not total:
        but = f", but for {_count(len(plan.held), 'object', 'objects')} it holds back" if plan.held else ""
        return Verdict(Kind.NOTHING, "Nothing to do", f"Active Directory matches the policy{but}.")
    if dangerous:
        are = "is" if dangerous == 1 else "are"
        return Verdict(
            Kind.DANGEROUS,
            f"{dangerous:,} of {count(total, 'change')} {are} dangerous: read before merging",
            _guards(plan),
        )
    return Verdict(Kind.SAFE, f"Safe to merge: {count(total, 'routine change')}", _guards(plan))


def _guards(plan: Plan) -> str:
    past = [VERBS[g.action] for g in plan.guards if g.acknowledged]
    if not past:
        return "Within every guard, no conflicts."
    return f"Past the guard of {' and '.join(past)}, as the policy acknowledges; no conflicts."


def summary(plan: Plan) -> str:
    """Return the plan in one line: `Plan: 3 to create, 1 to update, 2 conflicts.`"""
    if not (plan.changes or plan.conflicts or plan.held):
        return "No changes. Active Directory matches the policy."
    parts = [f"{n:,} to {verb}" for action, verb in VERBS.items() if (n := plan.count(action))]
    if plan.conflicts:
        parts.append(count(len(plan.conflicts), "conflict"))
    if plan.held:
        parts.append(f"{len(plan.held):,} held")
    if plan.deferred:
        parts.append(f"{plan.deferred:,} left for later plans")
    return f"Plan: {', '.join(parts)}."


def count(n: int, noun: str) -> str:
    """Return `1 change`, `1,234 changes`."""
    return _count(n, noun, noun + "s")


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
