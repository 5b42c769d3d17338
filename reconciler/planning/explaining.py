"""Why one guest's account is as it is, and will be: every rule that speaks of it, and what the plan does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Change, Conflict, Plan, Rule
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Expression, Flow, Hold, Policy
from reconciler.state.model import State

from .desired import UndecidableError, common_name, flows, placement
from .joining import Joins, join
from .standing import Standing, standing

How = Literal["established", "rule", "none", "conflict"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rule wants of one attribute, beside what the account holds.

    `kept` is false for what is set once, at creation. `problem` says why nothing can be wanted. `secret` stands for a
    value made at apply.
    """

    attribute: str
    wanted: Value | None
    actual: Value | None
    rule: Rule
    kept: bool
    expression: str | None = None
    reads: tuple[str, ...] = ()
    """The guest attributes it comes from, by Graph's names."""
    problem: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the account belongs when it is made or comes back; `ou` is None where no rule says."""

    ou: DN | None
    rule: Rule | None
    expression: str | None = None
    reads: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one guest."""

    guest: Guest
    standing: Standing | None
    """None where the scope's expression fails for this guest."""
    scope: Rule
    account: Account | None
    how: How
    join_rule: Rule | None
    placement: Place
    wishes: tuple[Wish, ...]
    hold: Hold | None
    conflicts: tuple[Conflict, ...]
    changes: tuple[Change, ...]


def explain(guest: Guest, state: State, policy: Policy, plan: Plan) -> Explanation:
    """Return the explanation; `plan` is the one that the same state and policy yield."""
    where = _standing(guest, policy)
    joins = join([] if where is None or where.kind == "left" else [guest], state.guests, state.accounts, policy)
    match = joins.matches.get(guest.id)
    account = match.account if match else _recorded(guest, state)
    subjects = {guest.id} | ({account.sid} if account else set())
    how, rule = _how(guest, account, joins)
    return Explanation(
        guest=guest,
        standing=where,
        scope=policy.scope.rule,
        account=account,
        how=how,
        join_rule=rule,
        placement=_placement(guest, policy),
        wishes=tuple(_wishes(guest, account, policy)),
        hold=_hold(subjects, policy, plan),
        conflicts=tuple(
            c for c in (*plan.conflicts, *plan.held) if c.subject in subjects or subjects & set(c.accounts)
        ),
        changes=tuple(c for c in plan.changes if c.guest == guest.id),
    )


def _standing(guest: Guest, policy: Policy) -> Standing | None:
    try:
        return standing(guest, policy)
    except EvaluationError:
        return None


def _recorded(guest: Guest, state: State) -> Account | None:
    found = [a for a in state.accounts.values() if a.guest == guest.id]
    return min(found, key=lambda a: (a.missing is not None, a.sid)) if found else None


def _how(guest: Guest, account: Account | None, joins: Joins) -> tuple[How, Rule | None]:
    match = joins.matches.get(guest.id)
    if guest.id in joins.undecided:
        return "conflict", None
    if match is not None and match.by is not None:
        return "rule", match.by.expression.rule
    return ("established", None) if account is not None else ("none", None)


def _placement(guest: Guest, policy: Policy) -> Place:
    try:
        ou, rule = placement(guest, policy)
    except UndecidableError as error:
        return Place(None, error.conflict.rule, problem=error.conflict.what)
    when = next((p.when for p in policy.placement if p.rule == rule), None)
    return Place(ou, rule, when.source if when else None, tuple(sorted(when.reads)) if when else ())


def _wishes(guest: Guest, account: Account | None, policy: Policy) -> Iterator[Wish]:
    initial = policy.initial
    flowing = {flow.attribute for flow in policy.flows}
    for flow in policy.flows:
        yield _wish(guest, account, policy, flow, kept=True)
    if "cn" not in flowing:
        yield _common_name(guest, account, policy)
    for flow in initial.flows:
        yield _wish(guest, account, policy, flow, kept=False)
    held = account.uac if account and "userAccountControl" in account.attributes else None
    yield Wish("userAccountControl", initial.uac, held, initial.uac_rule, kept=False)
    yield Wish("unicodePwd", None, None, initial.password_rule, kept=False, secret=True)


def _wish(guest: Guest, account: Account | None, policy: Policy, flow: Flow, *, kept: bool) -> Wish:
    actual = _actual(account, flow.attribute)
    try:
        [found] = flows(guest, replace(policy, flows=(flow,)))
    except UndecidableError as error:
        return _from(
            flow.expression, Wish(flow.attribute, None, actual, flow.expression.rule, kept, problem=error.conflict.what)
        )
    return _from(flow.expression, Wish(flow.attribute, found.value, actual, found.rule, kept))


def _common_name(guest: Guest, account: Account | None, policy: Policy) -> Wish:
    expression, actual = policy.initial.cn, _actual(account, "cn")
    try:
        wish = Wish("cn", common_name(guest, policy), actual, expression.rule, kept=False)
    except UndecidableError as error:
        wish = Wish("cn", None, actual, expression.rule, kept=False, problem=error.conflict.what)
    return _from(expression, wish)


def _from(expression: Expression, wish: Wish) -> Wish:
    return replace(wish, expression=expression.source, reads=tuple(sorted(expression.reads)))


def _actual(account: Account | None, attribute: str) -> Value | None:
    if account is None:
        return None
    return account.dn.name if attribute == "cn" else account.attributes.get(attribute)


def _hold(subjects: set[str], policy: Policy, plan: Plan) -> Hold | None:
    day = datetime.fromisoformat(plan.origin.as_of).date()
    folded = {subject.casefold() for subject in subjects}
    return next((h for h in policy.holds if h.subject.casefold() in folded and day <= h.until), None)
