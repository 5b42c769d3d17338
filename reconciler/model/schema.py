"""What Active Directory allows in an attribute: the limits a user object's schema sets.

From the [MS-ADA1]..[MS-ADA3] and [MS-ADSC] schema pages (rangeUpper, isSingleValued, attributeSyntax) and
[MS-ADTS] 3.1.1.6 / MS-SAMR for what the SAM adds. Samba enforces fewer of these: they are checked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "integer", "boolean"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a user. `max` in UTF-16 code units (rangeUpper), None where the schema sets none."""

    name: str
    kind: Kind = "string"
    multi: bool = False
    max: int | None = None
    unique: Literal["domain", "forest", "container"] | None = None
    required: bool = False
    """A user must have it: a flow that may be empty is refused when the policy loads."""
    illegal: str = ""
    """Characters that may not occur."""


_ATTRIBUTES = (
    Attribute("cn", max=64, unique="container", required=True),
    Attribute("sAMAccountName", max=20, unique="domain", required=True, illegal='"/\\[]:;|=,+*?<>@'),
    Attribute("userPrincipalName", max=1024, unique="forest", required=True),
    Attribute("displayName", max=256),
    Attribute("givenName", max=64),
    Attribute("sn", max=64),
    Attribute("mail", max=256),
    Attribute("employeeType", max=256),
    Attribute("adminDescription", max=256),
    Attribute("userAccountControl", kind="integer"),
)

BY_NAME = {a.name.casefold(): a for a in _ATTRIBUTES}


def attribute(name: str) -> Attribute:
    """Return what is known of an attribute, by its LDAP display name in any case; an unknown one is an unlimited string."""
    return BY_NAME.get(name.casefold(), Attribute(name))
