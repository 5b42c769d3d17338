"""What a change of the policy does not bring to accounts that are there: placement and initial values count at creation. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

from reconciler.model.account import ACCOUNTDISABLE, Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Delta, Rule
from reconciler.model.speculation import PLACE, Stay, Unreached
from reconciler.model.values import Value
from reconciler.policy.model import EvaluationError, Flow, Policy
from reconciler.state.model import State

from .desired import Desired, UndecidableError, desired, placement
from .standing import standing

_FLAGS = "userAccountControl"
_EXAMPLES = 3


def unreached(state: State, before: Policy, after: Policy) -> tuple[Unreached, ...]:
    """Return what stays as it is in the accounts of guests who are there, though the policies differ in it for them.

    Reverting a change of the policy does not undo these. What an account holds as the policy would give it now is not
    counted, and neither is what cannot be known: the password, an attribute that was not imported.
    """
    asked = frozenset(_differing(before, after))
    if not asked:
        return ()
    found: dict[tuple[str, Rule], list[Stay]] = defaultdict(list)
    for account in state.accounts.values():
        guest = state.guests.get(account.guest or "")
        if guest is not None and account.missing is None and _there(guest, after):
            for delta in _stays(guest, account, before, after, asked):
                found[delta.attribute, delta.rule].append(Stay(guest.id, guest.label, delta))
    order = sorted(found.items(), key=lambda f: (f[0][0] != PLACE, -len(f[1]), f[0][0], f[0][1].line))
    return tuple(
        Unreached(attribute, rule, len(stays), tuple(sorted(stays, key=lambda s: s.guest)[:_EXAMPLES]))
        for (attribute, rule), stays in order
    )


def _differing(before: Policy, after: Policy) -> Iterator[str]:
    """Yield what of all that is set once the policies word differently: mostly nothing, and then nobody is looked at."""
    if _placements(before) != _placements(after):
        yield PLACE
    if (before.initial.uac ^ after.initial.uac) & ~ACCOUNTDISABLE:
        yield _FLAGS
    old, kept = _written(before), {flow.attribute for flow in after.flows}
    for attribute, flow in _written(after).items():
        earlier = old.get(attribute)
        if attribute not in kept and (earlier is None or earlier.expression.source != flow.expression.source):
            yield attribute


def _placements(policy: Policy) -> list[tuple[str | None, DN]]:
    return [(p.when.source if p.when else None, p.ou) for p in policy.placement]


def _written(policy: Policy) -> dict[str, Flow]:
    """Every attribute that the policy writes by an expression, once or always."""
    once = (Flow("cn", policy.initial.cn), *policy.initial.flows)
    return {flow.attribute: flow for flow in (*once, *policy.flows)}


def _there(guest: Guest, policy: Policy) -> bool:
    try:
        return standing(guest, policy).kind != "left"
    except EvaluationError:
        return False


def _stays(guest: Guest, account: Account, before: Policy, after: Policy, asked: frozenset[str]) -> Iterator[Delta]:
    """Yield what the account holds beside what it would be made with now, where it would have been made otherwise before."""
    old, new = _given(guest, before, asked), _given(guest, after, asked)
    for attribute, given in new.items():
        held = _held(account, attribute)
        wanted = given.value
        if attribute == _FLAGS:  # other bits belong to whoever administers the account
            bits = (before.initial.uac ^ after.initial.uac) & ~ACCOUNTDISABLE
            wanted = (account.uac & ~bits) | (after.initial.uac & bits)
        earlier = old.get(attribute)
        if not _same(attribute, held, wanted) and (earlier is None or not _same(attribute, earlier.value, given.value)):
            yield Delta(attribute, held, wanted, given.rule)


def _given(guest: Guest, policy: Policy, asked: frozenset[str]) -> dict[str, Desired]:
    """Return what the policy gives a new account of this guest, as far as it can be decided."""
    found: dict[str, Desired] = {}
    if PLACE in asked:
        with suppress(UndecidableError):
            ou, rule = placement(guest, policy)
            found[PLACE] = Desired(PLACE, ou.text, rule)
    if _FLAGS in asked:
        found[_FLAGS] = Desired(_FLAGS, policy.initial.uac, policy.initial.uac_rule)
    for attribute, flow in _written(policy).items():
        if attribute in asked:
            with suppress(UndecidableError):
                found[attribute] = desired(guest, flow, policy)
    return found


def _held(account: Account, attribute: str) -> Value | None:
    if attribute == PLACE:
        return account.dn.parent.text
    return account.dn.name if attribute == "cn" else account.attributes.get(attribute)


def _same(attribute: str, one: Value | None, other: Value | None) -> bool:
    if attribute == PLACE and isinstance(one, str) and isinstance(other, str):
        return DN(one) == DN(other)
    return one == other
