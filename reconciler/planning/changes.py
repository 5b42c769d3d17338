"""The changes one guest's account needs, before names are compared between accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reconciler.model.account import ACCOUNTDISABLE, HALF_MADE, NORMAL_ACCOUNT, Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Delta, Rule
from reconciler.policy.model import Policy
from reconciler.policy.targets import FLAGS

from .desired import Desired, UndecidableError, common_name, flows, initial_flows, placement
from .joining import Match
from .standing import Standing
from .takeover import take_over

_UAC = "userAccountControl"
_SETTABLE = sum(FLAGS.values())


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

    A tombstone has lost nearly everything ([MS-ADTS] 3.1.1.5.5.1.1), its password among it: all is set anew, but for the
    flags, which are an initial value.
    """
    (made,) = create(guest, policy, "returned: the guest is active again, and the account can be brought back")
    to = DN(f"{account.dn.rdn},{made.dn.parent.text}") if account.dn.name == made.dn.name else made.dn
    rule = policy.lifecycle.rules["lifecycle.returned"]
    deltas = tuple(replace(d, after=_flags_again(account, policy)) if d.attribute == _UAC else d for d in made.deltas)
    made = replace(made, deltas=deltas)
    return [replace(made, action=Action.RESTORE, dn=account.dn, to=to, sid=account.sid, guid=account.guid, rule=rule)]


def _flags_again(account: Account, policy: Policy) -> int:
    """Return the flags a deleted account comes back with: those it had, as far as a policy may set them at all.

    So what an administrator set or cleared survives, a disabled account stays so unless this program disabled it, and
    nothing dangerous comes back. One that was deleted half-made gets the policy's.
    """
    if not account.uac or (account.uac == HALF_MADE and not account.adopted):
        return policy.initial.uac
    kept = account.uac & _SETTABLE | NORMAL_ACCOUNT
    return kept & ~ACCOUNTDISABLE if account.suspended else kept


def keep(guest: Guest, match: Match, standing: Standing, policy: Policy) -> list[Change]:
    """Return what an active or blocked guest's existing account needs. Raises UndecidableError."""
    account = match.account
    if standing.kind == "active" and _half_made(account, match, policy):
        return create(guest, policy, "finishes an account whose creation was interrupted", account)
    wanted = flows(guest, policy)
    marked = take_over(guest, match, policy)
    changes = _kept_equal(guest, account, wanted, policy)
    if standing.kind == "blocked":
        changes += _block(guest, account, standing, policy)
    else:
        changes += _returned(guest, account, policy, [c.key for c in changes])
    return _behind(marked, changes, guest, match, policy)


def _behind(marked: list[Change], changes: list[Change], guest: Guest, match: Match, policy: Policy) -> list[Change]:
    """Let changes wait for the join that marks the account, which they need where the mark is missing."""
    if changes and not marked:
        marked = take_over(guest, match, policy, needed=True)
    keys = tuple(c.key for c in marked)
    return [*marked, *(replace(c, after=(*keys, *c.after)) for c in changes)]


def _kept_equal(guest: Guest, account: Account, wanted: list[Desired], policy: Policy) -> list[Change]:
    """Return the update and the rename that the flows ask for."""
    changes = []
    aside = ("cn", policy.anchor.attribute)
    if rest := [d for d in wanted if d.attribute not in aside and account.attributes.get(d.attribute) != d.value]:
        deltas = _deltas(account, rest)
        changes.append(_change(Action.UPDATE, guest, account, rest[0].rule, _flows_cause(rest), deltas))
    cn = next((d for d in wanted if d.attribute == "cn"), None)
    if cn is not None and cn.value != account.dn.name:
        delta = Delta("cn", account.dn.name, cn.value, cn.rule)
        to = account.dn.parent.child("CN", str(cn.value))
        changes.append(_change(Action.RENAME, guest, account, cn.rule, _flows_cause([cn]), (delta,), to=to))
    return changes


def block(guest: Guest, match: Match, standing: Standing, policy: Policy) -> list[Change]:
    """Return what disables a blocked guest's account whose values cannot be decided: one that is not ours is taken over first."""
    try:
        return _behind([], _block(guest, match.account, standing, policy), guest, match, policy)
    except UndecidableError:
        return []


def _block(guest: Guest, account: Account, standing: Standing, policy: Policy) -> list[Change]:
    """Return the disable that a blocked guest's account needs, if any."""
    if standing.kind != "blocked" or not policy.lifecycle.blocked_disable or account.disabled:
        return []
    return [_disable(guest, account, policy.lifecycle.rules["lifecycle.blocked"], standing.cause)]


def leave(guest: Guest, account: Account, standing: Standing, policy: Policy, as_of: datetime) -> list[Change]:
    """Return what the account of a guest who has left needs: disable, move, and in the end delete.

    An account that has lost its anchor gets that back first: apply writes to none that does not name its guest.
    """
    return _behind([], _leaving(guest, account, standing, policy, as_of), guest, Match(account), policy)


def _leaving(guest: Guest, account: Account, standing: Standing, policy: Policy, as_of: datetime) -> list[Change]:
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
