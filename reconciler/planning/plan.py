"""From state and policy to the plan: the pure middle of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from reconciler.errors import NotImportedError
from reconciler.model.account import Account
from reconciler.model.dn import DN, within
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change, Conflict, Origin, Plan, Unmanaged
from reconciler.model.settings import Settings
from reconciler.policy.model import EvaluationError, Hold, Policy
from reconciler.state.model import DirectoryCursor, GraphCursor, State

from .changes import block, create, keep, leave, restore
from .conflicts import expression_conflict, held, invisible, not_restored, outside, protected
from .desired import UndecidableError
from .guards import guards
from .impostors import Impostors
from .joining import Joins, Match, join
from .left_behind import left_behind
from .names import in_order, split_collisions, taken_names
from .readiness import Readiness
from .rest import Rest
from .standing import Standing, standing


def make_plan(
    state: State, policy: Policy, settings: Settings, trees: Iterable[tuple[str, str]], rest: Rest | None = None
) -> Plan:
    """Return the plan for one tree. The same arguments give the same plan, on any machine at any time.

    `trees` names the git objects the arguments came from. `rest` stands for the accounts that `state` leaves out because
    nothing happens to them or to their guests. Raises NotImportedError when one side was never imported, or was
    imported for other settings or with fewer attributes than the policy uses.
    """
    graph, directory = _imported(state, policy, settings)
    as_of = datetime.fromisoformat(state.manifest.as_of)
    ous = settings.directory.ous
    standings, conflicts = _standings(state.guests, policy)
    holds = {h.subject.casefold(): h for h in policy.holds if as_of.date() <= h.until}
    wanting = [state.guests[i] for i, s in standings.items() if s.kind != "left"]
    joins = join(wanting, state.guests, state.accounts, policy)
    conflicts += [c for c in joins.conflicts if not _held(c.subject, holds)]
    changes: list[Change] = []
    on_hold: list[Conflict] = []
    for guest_id, where in standings.items():
        guest, match = state.guests[guest_id], joins.matches.get(guest_id)
        if hold := holds.get(guest_id) or (holds.get(match.account.sid.casefold()) if match else None):
            on_hold.append(held(guest, match.account if match else None, hold))
        elif guest_id not in joins.undecided:
            mine, problem = _for_guest(guest, where, match, policy, ous, as_of)
            changes += mine
            conflicts += [problem] if problem else []
    accounts = state.accounts
    if rest is not None:
        accounts = {**accounts, **rest.find(taken_names(changes), {c.owner for c in state.claims})}
    changes, taken = split_collisions(changes, accounts, state.claims)
    changes, deferred = _batch(in_order(changes, accounts), settings.batch)
    changes = Impostors(state.accounts, state.claims).warned(changes)
    changes = Readiness(state.guests, standings, state.accounts, policy).warned(changes)
    managed = sum(a.guest is not None and a.missing is None for a in state.accounts.values())
    if rest is not None:
        managed += rest.managed
        deferred += rest.deferred
    return Plan(
        origin=_origin(state, settings, graph, directory, trees, as_of),
        changes=tuple(changes),
        conflicts=tuple(sorted(conflicts + taken, key=lambda c: (c.subject, c.kind, c.what))),
        guards=guards(tuple(changes), managed, policy, as_of.date()),
        unmanaged=_unmanaged(state.accounts, joins, ous),
        held=tuple(sorted(on_hold, key=lambda c: c.subject)),
        managed=managed,
        deferred=deferred,
        notes=left_behind(directory.attributes, policy),
    )


def _imported(state: State, policy: Policy, settings: Settings) -> tuple[GraphCursor, DirectoryCursor]:
    graph, directory = state.manifest.graph, state.manifest.directory
    if graph is None or directory is None:
        side = "Entra" if graph is None else "Active Directory"
        raise NotImportedError(
            f"state/manifest.yaml: {side} was never imported", "Run `reconcile snapshot` for both sides."
        )
    if missing := sorted(set(policy.guest_attributes) - set(graph.attributes)):
        raise NotImportedError(
            f"the policy uses guest attributes that were never imported: {', '.join(missing)}",
            "Run `reconcile snapshot --only graph`: it imports them with a full round. Nothing can be said about them before.",
        )
    if missing := sorted(set(policy.account_attributes) - set(directory.attributes)):
        raise NotImportedError(
            f"the policy uses account attributes that were never imported: {', '.join(missing)}",
            "Run `reconcile snapshot --only ad`.",
        )
    if {DN(o) for o in directory.ous} != set(settings.directory.ous):
        raise NotImportedError(
            f"state/accounts was imported from other OUs ({'; '.join(directory.ous)}) than reconcile.yaml names",
            "Run `reconcile snapshot --only ad`.",
        )
    if graph.tenant != settings.entra.tenant:
        raise NotImportedError(
            f"state/guests was imported from tenant {graph.tenant}, but reconcile.yaml names {settings.entra.tenant}",
            "Use an operations directory of its own for each tenant.",
        )
    return graph, directory


def _standings(guests: Mapping[str, Guest], policy: Policy) -> tuple[dict[str, Standing], list[Conflict]]:
    standings: dict[str, Standing] = {}
    conflicts = []
    for guest_id in sorted(guests):
        try:
            standings[guest_id] = standing(guests[guest_id], policy)
        except EvaluationError as error:
            conflicts.append(expression_conflict(guests[guest_id], error))
    return standings, conflicts


def _for_guest(
    guest: Guest, where: Standing, match: Match | None, policy: Policy, ous: tuple[DN, ...], as_of: datetime
) -> tuple[list[Change], Conflict | None]:
    account = match.account if match else None
    if account is not None and account.missing == "invisible":
        left = where.kind == "left"
        if left and (account.disabled or not policy.lifecycle.left_disable):
            return [], None
        return [], invisible(guest, account, left=left)
    if match is None or account is None or account.missing is not None:
        return _without_account(guest, where, policy, account, ous)
    try:
        changes = (
            leave(guest, account, where, policy, as_of) if where.kind == "left" else keep(guest, match, where, policy)
        )
        problem = None
    except UndecidableError as error:
        # Somebody who is blocked is disabled even where the values of the account cannot be decided.
        changes, problem = block(guest, match, where, policy), error.conflict
    if not within(account.dn, ous):
        return [], outside(guest, account)
    if account.protected and changes:
        return [], protected(guest, account)
    if problem is None and where.kind == "active" and account.suspended and not policy.lifecycle.returned_restore:
        problem = not_restored(guest, account, policy)
    return changes, problem


def _without_account(
    guest: Guest, where: Standing, policy: Policy, lost: Account | None, ous: tuple[DN, ...]
) -> tuple[list[Change], Conflict | None]:
    if where.kind == "left" or (where.kind == "blocked" and policy.lifecycle.blocked_disable):
        return [], None
    if lost is not None and lost.missing == "deleted" and policy.lifecycle.returned_restore:
        if not within(lost.dn, ous):
            return [], outside(guest, lost)
        if lost.protected:
            return [], protected(guest, lost)
    cause = (
        "the guest is new" if lost is None else f"its account {lost.sid} was deleted in AD; the new one has another SID"
    )
    try:
        if lost is not None and lost.missing == "deleted" and policy.lifecycle.returned_restore:
            return restore(guest, lost, policy), None
        return create(guest, policy, cause), None
    except UndecidableError as error:
        return [], error.conflict


def _batch(changes: list[Change], batch: int) -> tuple[list[Change], int]:
    """Keep at most `batch` creates, in guest order; the rest follows in the next plans."""
    creates = sorted(c.guest for c in changes if c.action is Action.CREATE)
    late = set(creates[batch:])
    return [c for c in changes if c.action is not Action.CREATE or c.guest not in late], len(late)


def _origin(
    state: State,
    settings: Settings,
    graph: GraphCursor,
    directory: DirectoryCursor,
    trees: Iterable[tuple[str, str]],
    as_of: datetime,
) -> Origin:
    return Origin(
        tenant=graph.tenant,
        domain_sid=directory.domain_sid,
        domain_dn=directory.domain,
        controller=directory.controller,
        trees=tuple(sorted(trees)),
        settings_sha256=settings.sha256,
        serial=state.manifest.serial,
        as_of=state.manifest.as_of,
        expires=(as_of + settings.lifetime).isoformat().replace("+00:00", "Z"),
    )


def _unmanaged(accounts: Mapping[str, Account], joins: Joins, ous: tuple[DN, ...]) -> tuple[Unmanaged, ...]:
    joined = {m.account.sid for m in joins.matches.values()}
    free = [a for a in accounts.values() if a.guest is None and a.sid not in joined and within(a.dn, ous)]
    return tuple(Unmanaged(a.sid, a.dn) for a in sorted(free, key=lambda a: a.sid))


def _held(subject: str, holds: Mapping[str, Hold]) -> bool:
    return subject.casefold() in holds
