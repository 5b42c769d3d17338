"""A speculative plan: what a changed policy would do over the state that is there, and which of it comes of the change.

Pure, as every plan: two policies and one state give it, wherever and whenever it is made. It is never applied.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.errors import StateError
from reconciler.model.plan import Action, Plan
from reconciler.model.settings import Settings
from reconciler.model.speculation import Speculation, Unknown
from reconciler.policy.model import Policy
from reconciler.state.model import State

from .never_imported import UnplannableError, decidable
from .plan import make_plan
from .radius import radius
from .unreached import unreached
from .wanted import wanted_names


@dataclass(frozen=True, slots=True)
class Base:
    """What to compare with: a commit's policy and settings. `why_not` says why there are none to compare with."""

    commit: str
    policy: Policy | None = None
    settings: Settings | None = None
    why_not: str = ""


def speculate(state: State, policy: Policy, settings: Settings, trees: Iterable[tuple[str, str]], base: Base) -> Plan:
    """Return the plan, marked. Raises StateError as `make_plan` does, UnplannableError as `decidable` does."""
    trees = tuple(trees)
    narrow, unknown = decidable(policy, state.manifest)
    after = make_plan(state, narrow, replace(settings, batch=sys.maxsize), trees)
    shown = after if after.count(Action.CREATE) <= settings.batch else make_plan(state, narrow, settings, trees)
    before, why_not = _before(state, base)
    told = None if before is None else radius(before.plan, after)
    stays = () if before is None else unreached(state, before.policy, narrow)
    more = [
        *_outside_the_state(policy, base, before.plan if before else None, after),
        *([Unknown(why_not)] if why_not else []),
    ]
    return replace(shown, speculation=Speculation(base.commit, told, (*unknown, *more), stays))


@dataclass(frozen=True, slots=True)
class _Before:
    policy: Policy
    plan: Plan


def _before(state: State, base: Base) -> tuple[_Before | None, str]:
    """Return the base's policy and its plan over this state, or why there is none."""
    if base.policy is None or base.settings is None:
        return None, _untold(base, base.why_not)
    try:
        policy, _ = decidable(base.policy, state.manifest)
        return _Before(policy, make_plan(state, policy, replace(base.settings, batch=sys.maxsize), ())), ""
    except (StateError, UnplannableError) as error:
        return None, _untold(base, str(error))


def _untold(base: Base, why: str) -> str:
    reason = why.replace("\n", "; ")
    return (
        f"What comes of this change and what does not cannot be told apart: {base.commit} cannot be planned ({reason})."
    )


def _outside_the_state(policy: Policy, base: Base, before: Plan | None, after: Plan) -> Iterator[Unknown]:
    """Yield what the changed policy asks of that an import under the policy before did not look at."""
    if base.policy is not None and base.policy.scope.source != policy.scope.source:
        rule = policy.scope.rule
        yield Unknown(
            f"{rule.name} ({rule.file}:{rule.line}) differs: whom it newly includes is known after the next import, "
            "since only guests in scope are kept in state/.",
            rule,
        )
    if before is None:
        return
    known = wanted_names(before)
    names = [n for attribute, some in wanted_names(after).items() for n in some if n not in known.get(attribute, ())]
    if names:
        taken = "A name is" if len(names) == 1 else f"{len(names):,} names are"
        yield Unknown(f"{taken} wanted that the domain was not asked about: the next import looks for another owner.")
