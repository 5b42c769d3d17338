"""Whom to try: one guest by any of their names, or a sample of everybody who should be able to sign in. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import UsageError
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.planning.called import called
from reconciler.planning.standing import standing
from reconciler.policy.model import EvaluationError, Policy
from reconciler.state.model import State

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """A guest and the account joined to it, by `state/`."""

    guest: Guest
    account: Account | None


def subject(state: State, text: str) -> Subject:
    """Return the guest who is `called` so. Raises UsageError where there is none, or several."""
    found = called(state, text)
    if len(found) == 1:
        return Subject(found[0], _accounts(state).get(found[0].id))
    if found:
        several = ", ".join(g.id for g in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise UsageError(f"{len(found)} guests are called {text}: {several}", "Name one by its id.")
    raise UsageError(
        f"state/guests has no guest called {text}.",
        "Name it by id, UPN, mail or display name, or by its account's SID or sAMAccountName; run `reconcile snapshot` "
        "first if it is new.",
    )


def population(state: State, policy: Policy) -> tuple[list[Subject], int]:
    """Return everybody who should be able to sign in, by id, and how many of them have no account yet.

    That is whoever is in the policy's scope, not blocked, and joined to an account.
    """
    accounts = _accounts(state)
    active = [g for _, g in sorted(state.guests.items()) if _active(g, policy)]
    return [Subject(g, accounts[g.id]) for g in active if g.id in accounts], sum(g.id not in accounts for g in active)


def sample(people: Iterable[Subject], size: int, seed: str) -> list[Subject]:
    """Return at most `size` of them. The same seed chooses the same people, whoever comes and goes besides them."""

    def order(one: Subject) -> bytes:
        return hashlib.sha256(f"{seed}\0{one.guest.id}".encode()).digest()

    return sorted(people, key=order)[:size]


def _accounts(state: State) -> dict[str, Account]:
    """Return accounts by guest; a live one before one that is gone."""
    joined = sorted((a for a in state.accounts.values() if a.guest), key=lambda a: a.missing is None)
    return {a.guest: a for a in joined if a.guest}


def _active(guest: Guest, policy: Policy) -> bool:
    try:
        return standing(guest, policy).kind == "active"
    except EvaluationError:
        return False  # a conflict of the plan's
