"""Conflicts that several steps of planning raise."""

from __future__ import annotations

from reconciler.model.guest import Guest
from reconciler.model.plan import Conflict
from reconciler.policy.model import EvaluationError


def expression_conflict(guest: Guest, error: EvaluationError) -> Conflict:
    """An expression failed for this guest: it is neither excluded nor misplaced, but left for a person."""
    return Conflict(
        guest.id,
        guest.label,
        "expression",
        f"{error.rule.name} ({error.rule.file}:{error.rule.line}) cannot be evaluated for this guest: {error.why}",
        "Complete the guest's attributes in Entra, or guard the expression with has(…).",
        rule=error.rule,
    )
