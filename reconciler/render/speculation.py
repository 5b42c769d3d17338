"""What a speculative plan comes down to, in words that every sink shows in its own way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.model.plan import Plan
from reconciler.model.speculation import PLACE, Effect, Kind, Radius, Speculation, Unknown, Unreached

from .verdict import VERBS, Verdict, count, verdict
from .verdict import Kind as Verdicts

MARK = "Speculative: it shows what merging this change of the policy would do. It is never applied."
UNPLANNABLE = "Nothing can be planned before the next import"
SPECULATIVELY = "reconcile plan --speculative --json"
"""Where a reader finds what was left out: nothing of such a plan is in the tree."""
KINDS = 10
PLACES = 5


@dataclass(frozen=True, slots=True)
class Parts:
    """A plan in two: what comes of the change of the policy, and what is pending without it too."""

    own: Plan
    other: Plan


def parts(plan: Plan) -> Parts:
    """Return them. Where the radius is not known, and for any plan that is not speculative, all is the plan's own."""
    radius = plan.speculation.radius if plan.speculation else None
    if radius is None:
        return Parts(plan, replace(plan, changes=(), conflicts=(), held=(), unmanaged=(), notes=()))
    mine = [c for c in plan.changes if c.key in radius.changes]
    rest = [c for c in plan.changes if c.key not in radius.changes]
    stuck = [c for c in plan.conflicts if (c.subject, c.kind) in radius.conflicts]
    others = [c for c in plan.conflicts if (c.subject, c.kind) not in radius.conflicts]
    return Parts(
        replace(plan, changes=tuple(mine), conflicts=tuple(stuck)),
        replace(plan, changes=tuple(rest), conflicts=tuple(others), held=(), unmanaged=(), notes=()),
    )


def speculative_verdict(plan: Plan, speculation: Speculation) -> Verdict:
    """Return the verdict on a change of the policy: on what comes of it, guards apart, which count everything."""
    radius = speculation.radius
    if plan.refused:
        return Verdict(Verdicts.REFUSED, "Refused by a guard", "Merged like this, the next plan cannot be applied.")
    if radius is None:
        return verdict(plan)
    unknown = " Not everything is known yet." if speculation.unknown else ""
    if stuck := len(radius.conflicts):
        needs = "needs" if stuck == 1 else "need"
        return Verdict(Verdicts.CONFLICTS, f"{count(stuck, 'new conflict')} {needs} a person", unknown.strip())
    if n := sum(k.accounts for k in radius.kinds if k.dangerous):
        said = f"{count(n, 'effect')} on {count(radius.accounts, 'account')} {'is' if n == 1 else 'are'} dangerous"
        return Verdict(Verdicts.DANGEROUS, f"{said}: read before merging", f"Within every guard.{unknown}")
    return _routine(radius, known=not speculation.unknown, stays=bool(speculation.unreached))


def _routine(radius: Radius, *, known: bool, stays: bool) -> Verdict:
    affected = f"{count(radius.accounts, 'account')} affected" if radius.accounts else "No account is affected"
    if not known:
        return Verdict(Verdicts.DANGEROUS, f"{affected}, as far as is known", "Not everything is known yet.")
    if not radius.accounts:
        same = "What differs counts for new accounts alone." if stays else "Both policies ask for the same."
        return Verdict(Verdicts.NOTHING, affected, same)
    said = f"Safe to merge: {affected}, in a routine way"
    return Verdict(Verdicts.SAFE, said, "Within every guard, no new conflicts.")


def effect(kind: Kind) -> str:
    """Return what happens to the accounts of a kind: `update`, `create otherwise`, `no longer disable`."""
    if kind.action is None:
        return f"{'new' if kind.effect is Effect.NEW else 'no longer a'} conflict"
    return with_effect(VERBS[kind.action], kind.effect)


def with_effect(verb: str, how: Effect) -> str:
    """Return the verb as it is affected."""
    return {Effect.NEW: verb, Effect.OTHERWISE: f"{verb} otherwise", Effect.GONE: f"no longer {verb}"}[how]


def pending_title(other: Plan) -> str:
    """Return what stands above the changes and conflicts that do not come of the change."""
    stuck = f" and {count(len(other.conflicts), 'conflict')}" if other.conflicts else ""
    return f"Pending without this change too: {count(len(other.changes), 'change')}{stuck}"


def unknown_title(unknown: tuple[Unknown, ...]) -> str:
    """Return what stands above the list of what is not known."""
    return f"Not known yet: {len(unknown):,}"


UNREACHED = "Not brought about, and not undone: what counts when an account is made, and never again"
"""What stands above what stays as it is."""


def stays(unreached: Unreached) -> str:
    """Return what stays, in words: `3 accounts stay where they are`. The attribute's name is data."""
    whose = "stays" if unreached.accounts == 1 else "stay"
    if unreached.attribute == PLACE:
        return (
            f"{count(unreached.accounts, 'account')} {whose} where {'it is' if unreached.accounts == 1 else 'they are'}"
        )
    return f"{count(unreached.accounts, 'account')} {'keeps' if unreached.accounts == 1 else 'keep'}"


def radius_title(radius: Radius) -> str:
    """Return what stands above the radius."""
    return f"Blast radius of this change: {count(radius.accounts, 'account')}"
