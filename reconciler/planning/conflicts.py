"""What is left to a person, in words: conflicts, and what a hold keeps."""

from __future__ import annotations

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.plan import Conflict
from reconciler.policy.model import EvaluationError, Hold, Policy

_ENTRY = "delete its entry {} from state/accounts and run `reconcile snapshot --full`"
_FORGET = f"{_ENTRY} to have a new one made, with another SID."


def expression_conflict(guest: Guest, error: EvaluationError) -> Conflict:
    """An expression failed for this guest: it is neither excluded nor misplaced, but left for a person."""
    return Conflict(
        guest.id,
        guest.label,
        "expression",
        f"{error.rule.name} ({error.rule.file}:{error.rule.line}) cannot be evaluated for this guest: {error.why}",
        "Complete the guest's attributes in Entra, or guard the expression with has(…).",
        rule=error.rule,
    )


def held(guest: Guest, account: Account | None, hold: Hold) -> Conflict:
    """Not a conflict, but listed like one: a hold in the policy leaves this guest's account as it is."""
    return Conflict(
        guest.id,
        guest.label,
        "held",
        f"held until {hold.until.isoformat()}: {hold.reason}",
        f"Remove the hold in {hold.rule.file}:{hold.rule.line} to let plans change it again.",
        account.dn if account else None,
        hold.rule,
        (account.sid,) if account else (),
    )


def outside(guest: Guest, account: Account) -> Conflict:
    """The account is, or was when it was deleted, where nothing is ever written."""
    if account.missing is not None:
        return Conflict(
            guest.id,
            guest.label,
            "outside-ous",
            f"account {account.sid} was deleted from {account.dn.parent}, outside the configured OUs; it is not brought back from there",
            f"Bring it back by hand under one of directory.ous, or {_FORGET.format(account.sid)}",
            account.dn,
            accounts=(account.sid,),
        )
    return Conflict(
        guest.id,
        guest.label,
        "outside-ous",
        f"account {account.sid} has been moved to {account.dn}, outside the configured OUs; nothing there is ever written",
        "Move it back under one of directory.ous.",
        account.dn,
        accounts=(account.sid,),
    )


def protected(guest: Guest, account: Account) -> Conflict:
    """The account has, or had when it was deleted, what no guest's account should have."""
    if account.missing is not None:
        return Conflict(
            guest.id,
            guest.label,
            "protected",
            f"account {account.sid} was protected ({', '.join(account.protected)}) when it was deleted, and is not brought back",
            "A guest's account should hold no privilege: bring it back by hand and take the privilege away, or "
            + _FORGET.format(account.sid),
            account.dn,
            accounts=(account.sid,),
        )
    return Conflict(
        guest.id,
        guest.label,
        "protected",
        f"account {account.sid} is protected ({', '.join(account.protected)}) and is never written",
        "A guest's account should hold no privilege: find out who gave it, take it away, and the next plan goes on.",
        account.dn,
        accounts=(account.sid,),
    )


def not_restored(guest: Guest, account: Account, policy: Policy) -> Conflict:
    """The guest is back, and the policy leaves the account disabled."""
    rule = policy.lifecycle.rules["lifecycle.returned"]
    return Conflict(
        guest.id,
        guest.label,
        "not-restored",
        f"the guest is active again, but account {account.sid} stays disabled: the policy does not restore",
        f"Enable it by hand, or set `restore: true` in {rule.file}:{rule.line}.",
        account.dn,
        rule,
        (account.sid,),
    )


def invisible(guest: Guest, account: Account, *, left: bool = False) -> Conflict:
    """The account is found nowhere, which proves nothing. `left`: the guest has, and it was enabled when it was last seen."""
    gone = f"{_ENTRY}." if left else _FORGET
    return Conflict(
        guest.id,
        guest.label,
        "invisible",
        f"account {account.sid} (last seen as {account.dn}) cannot be found, and its deletion could not be seen either"
        + ("; the guest has left, and it was enabled" if left else ""),
        "Let the reading account list deleted objects (dsacls), or look for the account by hand"
        f"{', and disable it' if left else ''}. If it is gone: {gone.format(account.sid)}",
        account.dn,
        accounts=(account.sid,),
    )
