"""Under which name Application Proxy asks for a guest: the application's "Delegated Login Identity"."""

from __future__ import annotations

from enum import StrEnum

from .guest import Guest


class Identity(StrEnum):
    """The five kinds, as policies and options name them; `LABELS` has the portal's words."""

    UPN = "upn"
    ON_PREMISES_UPN = "on-premises-upn"
    UPN_USER = "upn-user-part"
    ON_PREMISES_UPN_USER = "on-premises-upn-user-part"
    SAM = "sam-account-name"

    @property
    def source(self) -> str:
        """The guest's property in Graph that the name comes from."""
        return _SOURCES[self]

    @property
    def attribute(self) -> str:
        """The account's attribute that must hold it."""
        return "userPrincipalName" if self in (Identity.UPN, Identity.ON_PREMISES_UPN) else "sAMAccountName"

    def of(self, value: str) -> str:
        """Return the name made of that property's (or of the account's) value: all of it, or what stands before the last @."""
        whole = self not in (Identity.UPN_USER, Identity.ON_PREMISES_UPN_USER)
        return value if whole else value.rpartition("@")[0] or value

    def known(self, guest: Guest) -> str | None:
        """Return the name that Entra was seen to know for this guest. On-premises names it knows where Entra Connect wrote them."""
        value = guest.attributes.get(self.source)
        return self.of(value) if isinstance(value, str) and value else None


_SOURCES = {
    Identity.UPN: "userPrincipalName",
    Identity.ON_PREMISES_UPN: "onPremisesUserPrincipalName",
    Identity.UPN_USER: "userPrincipalName",
    Identity.ON_PREMISES_UPN_USER: "onPremisesUserPrincipalName",
    Identity.SAM: "onPremisesSamAccountName",
}
LABELS = {
    Identity.UPN: "User principal name",
    Identity.ON_PREMISES_UPN: "On-premises user principal name",
    Identity.UPN_USER: "Username part of user principal name",
    Identity.ON_PREMISES_UPN_USER: "Username part of on-premises user principal name",
    Identity.SAM: "On-premises SAM account name",
}
