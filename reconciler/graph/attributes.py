"""The user properties a policy may read: what Graph v1.0 documents for the user resource and delivers in a delta round.

Left out on purpose: what SharePoint keeps (aboutMe, skills, …: not in collections), what needs a further permission
(employeeLeaveDateTime, signInActivity), structured values (identities, assignedLicenses), and what says nothing about
who a guest is (lastPasswordChangeDateTime). Dates are strings as Graph writes them (RFC 3339, UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Kind = Literal["string", "boolean", "list"]
"""`list`: a collection of strings."""

REQUIRED: Final = ("accountEnabled", "userPrincipalName", "userType")
"""Imported whatever the policy reads."""

NEVER_NULL: Final = frozenset({"id", "userPrincipalName", "accountEnabled"})
"""Every user has these; every other property may be null."""

EXTENSION_PARENT: Final = "onPremisesExtensionAttributes"
"""The complex property that is selected for `extensionAttribute1` to `15`; a policy names its members alone."""

EXTENSIONS: Final = tuple(f"extensionAttribute{n}" for n in range(1, 16))

_STRINGS: Final = (
    "id",
    "userPrincipalName",
    "userType",
    "ageGroup",
    "city",
    "companyName",
    "consentProvidedForMinor",
    "country",
    "createdDateTime",
    "creationType",
    "department",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "givenName",
    "jobTitle",
    "legalAgeGroupClassification",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
    "postalCode",
    "preferredLanguage",
    "securityIdentifier",
    "state",
    "streetAddress",
    "surname",
    "usageLocation",
    *EXTENSIONS,
)
_BOOLEANS: Final = ("accountEnabled", "onPremisesSyncEnabled")
_LISTS: Final = ("businessPhones", "imAddresses", "otherMails", "proxyAddresses")

CATALOGUE: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(_STRINGS, "string"),
    **dict.fromkeys(_BOOLEANS, "boolean"),
    **dict.fromkeys(_LISTS, "list"),
}
