"""What to do after `reconcile adopt`: the sentences that end its report, whatever its form."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.plan import Action
from reconciler.planning.adoption import Adoption

from .verdict import count, summary


def next_steps(found: Adoption, anchor: str) -> tuple[str, ...]:
    """Return one sentence or two for each step, in order. `anchor` is the policy's anchor attribute."""
    return tuple(_steps(found, anchor))


def _steps(found: Adoption, anchor: str) -> Iterator[str]:
    if found.disputes:
        yield "Resolve the conflicts above. Nothing is done to either side before that."
    if found.joins:
        yield f"`reconcile plan` holds all of this for review. {summary(found.plan)}"
    if movable := [f"{name} ({where})" for name, where in _rules(found) if name != anchor]:
        yield (
            f"To leave an attribute to whoever made the accounts, move its line from `flows` to `initial`: {', '.join(movable)}."
        )
    for guard in found.plan.refused:
        yield f"The {guard.action} guard would refuse that plan: {guard.message}"
    if found.joins and not any(g.action is Action.JOIN for g in found.plan.guards):
        yield "To take over no more than a few at first, put a guard into the policy: `guards: {join: {max: 10}}`."
    if found.orphans:
        yield (
            f"{count(len(found.orphans), 'orphan')} {'is' if len(found.orphans) == 1 else 'are'} left alone by every plan. "
            "A join rule that finds one makes it somebody's."
        )
    if found.joins:
        yield "Stop whatever made these accounts before the plan is applied: two programs must not write them."


def _rules(found: Adoption) -> Iterator[tuple[str, str]]:
    """Yield each flow that would change an account, and its place in the policy."""
    rules = {d.rule for p in found.joins for d in p.deltas if d.rule.name.startswith("flows.")}
    for rule in sorted(rules, key=lambda r: r.line):
        yield rule.name.removeprefix("flows."), f"{rule.file}:{rule.line}"
