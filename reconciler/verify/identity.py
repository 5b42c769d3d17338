"""Under which name Application Proxy asks for a guest: the application's "Delegated Login Identity"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.guest import Guest

from .facts import Party


class Identity(StrEnum):
    """The five kinds, as options name them; `LABELS` has the portal's words."""

    UPN = "upn"
    ON_PREMISES_UPN = "on-premises-upn"
    UPN_USER = "upn-user-part"
    ON_PREMISES_UPN_USER = "on-premises-upn-user-part"
    SAM = "sam-account-name"


LABELS = {
    Identity.UPN: "User principal name",
    Identity.ON_PREMISES_UPN: "On-premises user principal name",
    Identity.UPN_USER: "Username part of user principal name",
    Identity.ON_PREMISES_UPN_USER: "Username part of on-premises user principal name",
    Identity.SAM: "On-premises SAM account name",
}
_BY_UPN = frozenset({Identity.UPN, Identity.ON_PREMISES_UPN})


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
    by_upn = identity in _BY_UPN
    if identity in (Identity.UPN, Identity.UPN_USER):
        known, own = guest.attributes.get("userPrincipalName"), None
    elif identity is Identity.SAM:
        known, own = guest.attributes.get("onPremisesSamAccountName"), account.sam if account else None
    else:
        known, own = guest.attributes.get("onPremisesUserPrincipalName"), account.upn if account else None
    name = str(known or own or "")
    if not by_upn and identity is not Identity.SAM:
        name = name.rpartition("@")[0] or name
    return Asked(name, by_upn, assumed=not known) if name else None
