"""What in a policy is allowed, and seldom meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Rule
from reconciler.policy.absence import SAMPLE_ID, why_empty
from reconciler.policy.expressions import Compiled
from reconciler.policy.model import Acknowledge, EvaluationError, Expression, Hold, Policy
from reconciler.verify.facts import NOT_DELEGATED, SMARTCARD_REQUIRED

from .finding import Check, Finding, Steps

_VALIDATE: Final = Steps("Read the policy; `reconcile validate` checks that it loads.")
_ENTRA_KEEPS: Final = timedelta(days=30)
_GUARDED: Final = (Action.CREATE, Action.UPDATE, Action.MOVE, Action.DISABLE, Action.DELETE)
_LOOSE_PERCENT: Final = 50
_LOOSE_DELETES: Final = 1000
_UPN: Final = "alex.example_fabrikam.example#EXT#@contoso.onmicrosoft.example"


def _lint(name: str, title: str, why: str, mend: str, *, blocks: bool = False) -> Check:
    return Check(f"policy.{name}", title, why, blocks, _VALIDATE, Steps(mend))


LOADS: Final = _lint(
    "loads",
    "Settings, policy and state load",
    "Nothing else can be done with a directory that `reconcile validate` refuses.",
    "Correct what the message names; it has file, line and column.",
    blocks=True,
)
PLACEMENT: Final = _lint(
    "placement",
    "Every guest has a place",
    "A guest for whom no placement holds becomes a conflict, and gets no account.",
    'End `placement` with a rule that has no `when`: `- {ou: "OU=Guests,DC=contoso,DC=test"}`.',
)
MISSING: Final = _lint(
    "missing-attribute",
    "Conditions ask whether an attribute is there",
    "An expression that reads what a guest does not have fails, and that guest is a conflict in every plan.",
    'Ask first: `has(guest.mail) && guest.mail.endsWith("@fabrikam.com")`.',
)
GUARDS: Final = _lint(
    "guards",
    "The guards hold back what is out of the ordinary",
    "A guard is what stands between a wrong import and a thousand disabled accounts.",
    "Give each action a limit in numbers and, but for create, in percent; keep percent well below a half.",
)
DELETE_AFTER: Final = _lint(
    "delete-after",
    "Nobody's account is deleted while Entra could bring the guest back",
    "Entra keeps a deleted guest for 30 days. A guest restored after the account is gone may get another SID, and lose every right.",
    "Write `delete_after: 30d` or more in lifecycle.left.",
)
LEFT: Final = _lint(
    "left-disable",
    "A leaver's account is disabled",
    "With `disable: false` the account of a guest who has left can be signed in with, until it is deleted, if ever.",
    "Write `disable: true` in lifecycle.left.",
    blocks=True,
)
BLOCKED: Final = _lint(
    "blocked-disable",
    "A blocked guest's account is disabled",
    "Blocking sign-in in Entra stops Application Proxy; the account in Active Directory stays good for anything else.",
    "Write `disable: true` in lifecycle.blocked.",
)
SMARTCARD: Final = _lint(
    "smartcard",
    "Nobody signs in with a password",
    "Without SMARTCARD_REQUIRED, a password that somebody resets makes the account one like any other.",
    "Write `userAccountControl: [NORMAL_ACCOUNT, SMARTCARD_REQUIRED]` under `initial`.",
)
DELEGABLE: Final = _lint(
    "not-delegated",
    "New accounts may be delegated",
    "NOT_DELEGATED keeps Application Proxy from getting a ticket in the guest's name: no single sign-on for anybody.",
    "Leave NOT_DELEGATED out of initial.userAccountControl.",
    blocks=True,
)
CONNECT: Final = _lint(
    "entra-connect",
    "Entra Connect leaves the accounts alone",
    "Without adminDescription beginning with User_ it would sync the accounts back to the tenant, beside the guests they are for.",
    "Let the policy write it: `adminDescription: '\"User_\" + guest.id'`. Or keep the OUs out of Entra Connect's scope.",
)
EXPIRED: Final = _lint(
    "expired",
    "No hold and no acknowledgement has run out",
    "What ran out does nothing any more: what it held back comes with the next plan.",
    "Remove it, or set a later day in a reviewed change.",
)
CHECKS: Final = (
    *(LOADS, PLACEMENT, MISSING, GUARDS, DELETE_AFTER, LEFT, BLOCKED, SMARTCARD, DELEGABLE, CONNECT, EXPIRED),
)


def judge(policy: Policy, today: date) -> Iterator[Finding]:
    """Look a policy over."""
    yield LOADS.passed(policy.file)
    lints: dict[Check, Callable[[], Iterator[str]]] = {
        PLACEMENT: lambda: _placement(policy),
        MISSING: lambda: _missing(policy),
        GUARDS: lambda: _guards(policy),
        DELETE_AFTER: lambda: _delete_after(policy),
        LEFT: lambda: _switch(policy.lifecycle.left_disable, policy.lifecycle.rules["lifecycle.left"]),
        BLOCKED: lambda: _switch(policy.lifecycle.blocked_disable, policy.lifecycle.rules["lifecycle.blocked"]),
        SMARTCARD: lambda: _flag(policy, SMARTCARD_REQUIRED, wanted=True),
        DELEGABLE: lambda: _flag(policy, NOT_DELEGATED, wanted=False),
        EXPIRED: lambda: _expired(policy, today),
    }
    for check, lint in lints.items():
        said = list(lint())
        yield check.failed(*said) if said else check.passed()
    yield _connect(policy)


def _at(rule: Rule) -> str:
    return f"{rule.file}:{rule.line}: {rule.name}"


def _placement(policy: Policy) -> Iterator[str]:
    last = policy.placement[-1]
    if last.when is not None:
        yield f"{_at(last.rule)}: the last one has a `when` too"


def _missing(policy: Policy) -> Iterator[str]:
    """Conditions that fail for a guest who lacks something. Values that are merely empty are meant to clear the attribute."""
    conditions: list[Expression] = [policy.scope, *(p.when for p in policy.placement if p.when is not None)]
    values = [f.expression for f in (*policy.flows, *policy.initial.flows)]
    for expression in [*conditions, *values]:
        why = why_empty(expression) if isinstance(expression, Compiled) else ""
        if why.startswith("it uses"):
            yield f"{_at(expression.rule)}: {why}"


def _guards(policy: Policy) -> Iterator[str]:
    for action in _GUARDED:
        limit = policy.guards.get(action)
        if limit is None or (limit.max is None and limit.percent is None):
            yield f"{action.value}: no limit"
        elif limit.percent is not None and limit.percent > _LOOSE_PERCENT:
            yield f"{_at(limit.rule)}: {limit.percent:g} % of the accounts"
        elif action in (Action.DELETE, Action.DISABLE) and limit.percent is None and (limit.max or 0) > _LOOSE_DELETES:
            yield f"{_at(limit.rule)}: up to {limit.max:,}, and no limit in percent"


def _delete_after(policy: Policy) -> Iterator[str]:
    after = policy.lifecycle.left_delete_after
    if after is not None and after < _ENTRA_KEEPS:
        yield f"{_at(policy.lifecycle.rules['lifecycle.left'])}: delete_after is {after.days} days"


def _switch(disables: bool, rule: Rule) -> Iterator[str]:
    if not disables:
        yield f"{_at(rule)}: disable is false"


def _flag(policy: Policy, flag: int, *, wanted: bool) -> Iterator[str]:
    if bool(policy.initial.uac & flag) != wanted:
        yield f"{_at(policy.initial.uac_rule)}: userAccountControl is {policy.initial.uac:#x}"


def _expired(policy: Policy, today: date) -> Iterator[str]:
    dated: list[Hold | Acknowledge] = [*policy.holds, *policy.acknowledge]
    for past in dated:
        if past.until < today:
            yield f"{_at(past.rule)}: until {past.until}"


def _connect(policy: Policy) -> Finding:
    flows = (*policy.flows, *policy.initial.flows)
    mark = next((f for f in flows if f.attribute.casefold() == "admindescription"), None)
    if mark is None:
        return CONNECT.failed("The policy does not write adminDescription.")
    try:
        value = mark.expression.value(
            Guest(SAMPLE_ID, {"userPrincipalName": _UPN, "userType": "Guest", "accountEnabled": True})
        )
    except EvaluationError as error:
        return CONNECT.unknown(f"{_at(mark.expression.rule)}: {error.why}")
    if isinstance(value, str) and value.startswith("User_"):
        return CONNECT.passed(_at(mark.expression.rule))
    return CONNECT.failed(f"{_at(mark.expression.rule)}: it does not begin with User_")
