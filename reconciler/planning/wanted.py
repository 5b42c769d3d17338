"""Which names a plan would take: the importer asks the domain who has them already."""

from __future__ import annotations

from collections import defaultdict

from reconciler.model.plan import Plan

from .names import steps


def wanted_names(plan: Plan) -> dict[str, list[str]]:
    """Return the names that the plan's changes would newly take, sorted, by attribute; `distinguishedName` stands for DNs."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for change in plan.changes:
        for step in steps(change):
            if step.takes is not None and step.takes != step.gives:
                wanted[step.takes[0]].add(step.text)
    return {attribute: sorted(values) for attribute, values in sorted(wanted.items())}
