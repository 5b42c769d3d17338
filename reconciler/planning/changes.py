"""The changes one guest's account needs, before names are compared between accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reconciler.model.account import ACCOUNTDISABLE, HALF_MADE, Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Delta, Rule
from reconciler.policy.model import Policy

from .desired import Desired, UndecidableError, anchor, common_name, flows, initial_flows, placement
from .joining import Match
from .standing import Standing

_UAC = "userAccountControl"


def create(guest: Guest, policy: Policy, cause: str, half_made: Account | None = None) -> list[Change]:
    """Return the one change that makes the account, or finishes a half-made one. Raises UndecidableError."""
    wanted = flows(guest, policy)
    cn = next((d for d in wanted if d.attribute == "cn"), None)
    name = str(cn.value) if cn else common_name(guest, policy)
    ou, rule = placement(guest, policy)
    values = [d for d in (*wanted, *initial_flows(guest, policy)) if d.attribute != "cn" and d.value is not None]
    held = half_made.attributes if half_made else {}
    deltas = [Delta(d.attribute, held.get(d.attribute), d.value, d.rule) for d in values]
    deltas += [
        Delta(_UAC, HALF_MADE if half_made else None, policy.initial.uac, policy.initial.uac_rule),
        Delta("unicodePwd", None, None, policy.initial.password_rule, secret=True),
    ]
    return [
        Change(
            Action.CREATE,
            guest.id,
            guest.label,
            half_made.dn if half_made else ou.child("CN", name),
            rule,
            cause,
            sid=half_made.sid if half_made else None,
            guid=half_made.guid if half_made else None,
            deltas=_sorted(deltas),
        )
    ]


def restore(guest: Guest, account: Account, policy: Policy) -> list[Change]:
    """Return the one change that brings a deleted account back, with its SID. Raises UndecidableError.

    A tombstone has lost nearly everything ([MS-ADTS] 3.1.1.5.5.1.1), its password among it: all is set anew.
    """
    (made,) = create(guest, policy, "returned: the guest is active again, and the account can be brought back")
    to = DN(f"{account.dn.rdn},{made.dn.parent.text}") if account.dn.name == made.dn.name else made.dn
    rule = policy.lifecycle.rules["lifecycle.returned"]
    return [replace(made, action=Action.RESTORE, dn=account.dn, to=to, sid=account.sid, guid=account.guid, rule=rule)]


def keep(guest: Guest, match: Match, standing: Standing, policy: Policy) -> list[Change]:
    """Return what an active or blocked guest's existing account needs. Raises UndecidableError."""
    account = match.account
    if standing.kind == "active" and _half_made(account, match, policy):
        return create(guest, policy, "finishes an account whose creation was interrupted", account)
    wanted = flows(guest, policy)
    changes = _take_over(guest, match, policy)
    aside = ("cn", policy.anchor.attribute)
    if rest := [d for d in wanted if d.attribute not in aside and account.attributes.get(d.attribute) != d.value]:
        after = tuple(c.key for c in changes)
        changes.append(
            _change(
                Action.UPDATE, guest, account, rest[0].rule, _flows_cause(rest), _deltas(account, rest), after=after
            )
        )
    cn = next((d for d in wanted if d.attribute == "cn"), None)
    if cn is not None and cn.value != account.dn.name:
        delta = Delta("cn", account.dn.name, cn.value, cn.rule)
        to = account.dn.parent.child("CN", str(cn.value))
        changes.append(_change(Action.RENAME, guest, account, cn.rule, _flows_cause([cn]), (delta,), to=to))
    if standing.kind == "blocked":
        return changes + _block(guest, account, standing, policy, changes)
    return changes + _returned(guest, account, policy, [c.key for c in changes])


def block(guest: Guest, match: Match, standing: Standing, policy: Policy) -> list[Change]:
    """Return what disables a blocked guest's account whose values cannot be decided: one that is not ours is taken over first."""
    try:
        taken = _take_over(guest, match, policy) if match.by else []
    except UndecidableError:
        return []
    disabled = _block(guest, match.account, standing, policy, taken)
    return [*taken, *disabled] if disabled else []


def _block(
    guest: Guest, account: Account, standing: Standing, policy: Policy, before: Iterable[Change]
) -> list[Change]:
    """Return the disable that a blocked guest's account needs, if any; it waits for the join among what goes before."""
    if standing.kind != "blocked" or not policy.lifecycle.blocked_disable or account.disabled:
        return []
    rule = policy.lifecycle.rules["lifecycle.blocked"]
    after = tuple(c.key for c in before if c.action is Action.JOIN)
    return [replace(_disable(guest, account, rule, standing.cause), after=after)]


def leave(guest: Guest, account: Account, standing: Standing, policy: Policy, as_of: datetime) -> list[Change]:
    """Return what the account of a guest who has left needs: disable, move, and in the end delete."""
    lifecycle = policy.lifecycle
    rule = lifecycle.rules["lifecycle.left"]
    changes: list[Change] = []
    if lifecycle.left_disable and not account.disabled:
        changes.append(_disable(guest, account, rule, standing.cause))
    if lifecycle.left_move is not None and account.dn.parent != lifecycle.left_move:
        to = DN(f"{account.dn.rdn},{lifecycle.left_move.text}")
        changes.append(_change(Action.MOVE, guest, account, rule, standing.cause, to=to))
    if changes or lifecycle.left_delete_after is None or account.departed is None:
        return changes
    departed = datetime.fromisoformat(account.departed)
    if as_of - departed >= lifecycle.left_delete_after:
        cause = f"{standing.cause}, on {departed.date().isoformat()}"
        changes.append(_change(Action.DELETE, guest, account, rule, cause))
    return changes


def _half_made(account: Account, match: Match, policy: Policy) -> bool:
    marked = match.by is None and account.attributes.get(policy.anchor.attribute) is not None
    return marked and not account.adopted and account.uac == HALF_MADE


def _returned(guest: Guest, account: Account, policy: Policy, after: Iterable[str]) -> list[Change]:
    """An active guest's account that this program disabled or put among the departed comes back."""
    lifecycle = policy.lifecycle
    if not lifecycle.returned_restore:
        return []
    changes: list[Change] = []
    rule = lifecycle.rules["lifecycle.returned"]
    cause = "returned: the guest is active again in Entra"
    if lifecycle.left_move is not None and account.dn.parent == lifecycle.left_move:
        ou, _ = placement(guest, policy)
        if ou != lifecycle.left_move:
            to = DN(f"{account.dn.rdn},{ou.text}")
            changes.append(_change(Action.MOVE, guest, account, rule, cause, to=to))
    if account.disabled and account.suspended:
        delta = Delta(_UAC, account.uac, account.uac & ~ACCOUNTDISABLE, rule)
        keys = (*after, *(c.key for c in changes))
        changes.append(_change(Action.ENABLE, guest, account, rule, cause, (delta,), after=keys))
    return changes


def _take_over(guest: Guest, match: Match, policy: Policy) -> list[Change]:
    """Return the join that gives the account its anchor, if it lacks it. Raises UndecidableError.

    An anchor under `initial` is set once, as one under `flows`, but is not put back.
    """
    mark, account = anchor(guest, policy), match.account
    flows_too = any(f.attribute == mark.attribute for f in policy.flows)
    if account.attributes.get(mark.attribute) == mark.value or not (match.by or flows_too):
        return []
    rule = match.by.expression.rule if match.by else mark.rule
    cause = (
        f"takes over the account that {rule.name} found" if match.by else "the anchor of an established join is missing"
    )
    return [_change(Action.JOIN, guest, account, rule, cause, _deltas(account, [mark]))]


def _disable(guest: Guest, account: Account, rule: Rule, cause: str) -> Change:
    return _change(
        Action.DISABLE, guest, account, rule, cause, (Delta(_UAC, account.uac, account.uac | ACCOUNTDISABLE, rule),)
    )


def _flows_cause(wanted: list[Desired]) -> str:
    return "differs from Entra: " + ", ".join(sorted(d.attribute for d in wanted))


def _deltas(account: Account, wanted: list[Desired]) -> tuple[Delta, ...]:
    return _sorted([Delta(d.attribute, account.attributes.get(d.attribute), d.value, d.rule) for d in wanted])


def _sorted(deltas: Iterable[Delta]) -> tuple[Delta, ...]:
    return tuple(sorted(deltas, key=lambda d: d.attribute))


def _change(
    action: Action,
    guest: Guest,
    account: Account,
    rule: Rule,
    cause: str,
    deltas: tuple[Delta, ...] = (),
    *,
    to: DN | None = None,
    after: tuple[str, ...] = (),
) -> Change:
    return Change(
        action,
        guest.id,
        guest.label,
        account.dn,
        rule,
        cause,
        account.sid,
        account.guid,
        to=to,
        deltas=deltas,
        after=after,
    )
