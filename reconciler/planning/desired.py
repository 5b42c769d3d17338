"""What one guest's account should hold, by the policy."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Conflict, Rule
from reconciler.model.schema import validate_value
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Flow, Policy

from .conflicts import expression_conflict


@dataclass(frozen=True, slots=True)
class Desired:
    """One attribute's wanted value (None: no value) and the rule it comes from."""

    attribute: str
    value: Value | None
    rule: Rule


class UndecidableError(Exception):
    """This guest's account cannot be decided; carries the conflict to show."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.what)
        self.conflict = conflict


def flows(guest: Guest, policy: Policy) -> list[Desired]:
    """Return what every continuous flow wants. Raises UndecidableError for a failed expression or an illegal value."""
    return [desired(guest, flow, policy) for flow in policy.flows]


def anchor(guest: Guest, policy: Policy) -> Desired:
    """Return the anchor as `flows` or `initial` write it. Raises UndecidableError."""
    written = next(f for f in (*policy.flows, *policy.initial.flows) if f.attribute == policy.anchor.attribute)
    return desired(guest, written, policy)


def initial_flows(guest: Guest, policy: Policy) -> list[Desired]:
    """Return what the other initial values are at creation. Raises UndecidableError."""
    return [desired(guest, flow, policy) for flow in policy.initial.flows]


def placement(guest: Guest, policy: Policy) -> tuple[DN, Rule]:
    """Return the OU of the first placement that matches. Raises UndecidableError when none does."""
    for place in policy.placement:
        try:
            if place.when is None or place.when.test(guest):
                return place.ou, place.rule
        except EvaluationError as error:
            raise UndecidableError(expression_conflict(guest, error)) from error
    raise UndecidableError(
        Conflict(
            guest.id,
            guest.label,
            "no-placement",
            "no placement rule matches this guest",
            "End `placement:` with a rule without `when`, or add one for this guest.",
        )
    )


def common_name(guest: Guest, policy: Policy) -> str:
    """Return the initial cn. Raises UndecidableError when it is empty or illegal."""
    return str(desired(guest, Flow("cn", policy.initial.cn), policy).value)


def desired(guest: Guest, flow: Flow, policy: Policy) -> Desired:
    """Return what one flow wants. Raises UndecidableError for a failed expression or an illegal value."""
    rule = flow.expression.rule
    try:
        value = flow.expression.value(guest)
    except EvaluationError as error:
        raise UndecidableError(expression_conflict(guest, error)) from error
    known = policy.attribute(flow.attribute)
    missing = "may not be empty" if known.required else None
    if reason := missing if value is None else validate_value(known, value):
        raise UndecidableError(
            Conflict(
                guest.id,
                guest.label,
                "illegal-value",
                f"{flow.attribute} from {rule.name} ({rule.file}:{rule.line}) {reason}",
                "Correct the guest's attribute in Entra, or shape it in the policy's expression. Values are never cut.",
                rule=rule,
            )
        )
    return Desired(flow.attribute, value, rule)
