"""The mark by which an account is known: written when it is taken over, and put back where it was lost."""

from __future__ import annotations

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Conflict, Delta
from reconciler.policy.model import EvaluationError, Join, Policy

from .desired import UndecidableError, anchor
from .joining import Match, same


def take_over(guest: Guest, match: Match, policy: Policy, *, needed: bool = False) -> list[Change]:
    """Return the join that gives the account its anchor, if it lacks it. Raises UndecidableError.

    An anchor under `initial` is set once, as one under `flows`, but is put back only when `needed`: apply writes nothing
    else to an account that does not name its guest.
    """
    mark, account = anchor(guest, policy), match.account
    kept = any(f.attribute == mark.attribute for f in policy.flows)
    if account.attributes.get(mark.attribute) == mark.value or not (match.by or kept or needed):
        return []
    if match.by is None and not any(_finds(rule, guest, account) for rule in policy.joins[1:]):
        raise UndecidableError(_lost(guest, account, policy))
    rule = match.by.expression.rule if match.by else mark.rule
    cause = (
        f"takes over the account that {rule.name} found" if match.by else "the anchor of an established join is missing"
    )
    delta = Delta(mark.attribute, account.attributes.get(mark.attribute), mark.value, mark.rule)
    return [
        Change(
            Action.JOIN,
            guest.id,
            guest.label,
            account.dn,
            rule,
            cause,
            sid=account.sid,
            guid=account.guid,
            deltas=(delta,),
        )
    ]


def _finds(rule: Join, guest: Guest, account: Account) -> bool:
    """Whether a rule would find the account, as apply asks again before it puts the anchor back."""
    held = account.dn.name if rule.attribute == "cn" else account.attributes.get(rule.attribute)
    try:
        return same(held, rule.expression.value(guest))
    except EvaluationError:
        return False


def _lost(guest: Guest, account: Account, policy: Policy) -> Conflict:
    mark = policy.anchor
    return Conflict(
        guest.id,
        guest.label,
        "anchor-lost",
        f"account {account.sid} is joined to this guest, but its {mark.attribute} does not say so any more, and no other "
        "join rule finds it: nothing is written to it",
        f"Put {mark.attribute} back by hand, by {mark.expression.rule.name} in {mark.expression.rule.file}:"
        f"{mark.expression.rule.line}; the next plan goes on from there.",
        account.dn,
        mark.expression.rule,
        (account.sid,),
    )
