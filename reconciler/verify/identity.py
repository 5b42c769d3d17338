"""The name to ask for one guest by."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.guest import Guest
from reconciler.model.identity import Identity

from .facts import Party


@dataclass(frozen=True, slots=True)
class Asked:
    """A name to ask for: a UPN, or an account name. `assumed` where Entra was not seen to know it."""

    name: str
    by_upn: bool
    assumed: bool = False


def asked(identity: Identity, guest: Guest, account: Party | None) -> Asked | None:
    """Return the name under which this guest is asked for; None where there is none.

    Entra knows on-premises names only where Entra Connect wrote them, and a guest's account is kept from it. Where
    the guest has none, the account's own is taken: what the name would be.
    """
    by_upn = identity.attribute == "userPrincipalName"
    known = identity.known(guest)
    if known is not None:
        return Asked(known, by_upn)
    if account is None or identity.source == "userPrincipalName":
        return None
    own = account.sam if identity is Identity.SAM else account.upn
    return Asked(identity.of(own), by_upn, assumed=True) if own else None
