"""What Active Directory allows in an attribute: the limits a user object's schema sets.

From the [MS-ADA1]..[MS-ADA3] and [MS-ADSC] schema pages (rangeUpper, isSingleValued, attributeSyntax) and
[MS-ADTS] 3.1.1.6 / MS-SAMR for what the SAM adds. Samba enforces fewer of these: they are checked here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from .values import Value, utf16_length

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


# A sAMAccountName with "@" is accepted by the directory but cannot be signed in with, and Microsoft's consoles refuse it.
_NAMES = (
    Attribute("cn", max=64, unique="container", required=True),
    Attribute("sAMAccountName", max=20, unique="domain", required=True, illegal='"/\\[]:;|=,+*?<>@'),
    Attribute("userPrincipalName", max=1024, unique="forest", required=True),
    Attribute("userAccountControl", kind="integer"),
    Attribute("countryCode", kind="integer", max=65535),
)
_SINGLE: dict[int | None, str] = {
    3: "c",
    6: "initials",
    16: "employeeID",
    40: "postalCode",
    64: (
        "givenName sn middleName generationQualifier personalTitle department company telephoneNumber mobile homePhone pager "
        "ipPhone facsimileTelephoneNumber mailNickname msDS-PhoneticFirstName msDS-PhoneticLastName "
        "msDS-PhoneticDepartment msDS-PhoneticCompanyName"
    ),
    128: "title physicalDeliveryOfficeName l st co",
    256: "displayName mail employeeType adminDisplayName division msDS-PhoneticDisplayName msDS-ExternalDirectoryObjectId",
    512: "employeeNumber",
    # description has many values in the schema, but the SAM holds users to one (MS-SAMR).
    1024: "adminDescription description info street streetAddress "
    + " ".join(f"extensionAttribute{n}" for n in range(1, 11)),
    1123: "targetAddress",
    2048: "wWWHomePage " + " ".join(f"extensionAttribute{n}" for n in range(11, 16)),
    4096: "homePostalAddress",
    None: "preferredLanguage comment " + " ".join(f"msDS-cloudExtensionAttribute{n}" for n in range(1, 21)),
}
_MULTI: dict[int | None, str] = {
    40: "postOfficeBox",
    64: "otherTelephone otherMobile otherHomePhone otherPager otherFacsimileTelephoneNumber o ou",
    128: "businessCategory",
    255: "extensionName",
    1123: "proxyAddresses",
    4096: "postalAddress",
    None: "otherMailbox otherIpPhone departmentNumber roomNumber carLicense labeledURI url",
}
"""rangeUpper to names. extensionAttribute1..15, mailNickname and targetAddress exist where Exchange extended the schema."""

_ATTRIBUTES = (
    *_NAMES,
    *(Attribute(name, max=limit) for limit, names in _SINGLE.items() for name in names.split()),
    *(Attribute(name, max=limit, multi=True) for limit, names in _MULTI.items() for name in names.split()),
)

BY_NAME = {a.name.casefold(): a for a in _ATTRIBUTES}

_INT32 = 1 << 31


def attribute(name: str) -> Attribute:
    """Return what is known of an attribute, by its LDAP display name in any case; an unknown one is an unlimited string."""
    return BY_NAME.get(name.casefold()) or Attribute(name)


def validate_value(attribute: Attribute, value: Value) -> str | None:
    """Return why Active Directory would refuse this value, in words to follow the attribute's name; None where it takes it.

    Nothing is ever cut or mended. Characters are shown by their code point, so the reason is safe to print anywhere.
    A userPrincipalName may hold spaces and need not be an address: the directory checks its length and uniqueness alone.
    """
    if isinstance(value, tuple) != attribute.multi:
        return "holds several values and was given one" if attribute.multi else "holds one value and was given several"
    if not isinstance(value, tuple):
        return _validate_one(attribute, value)
    if not value:
        return "is empty"
    if len({str(v).casefold() for v in value}) < len(value):
        return "was given two values that the directory holds to be equal"
    return next((why for v in value if (why := _validate_one(attribute, v))), None)


def _validate_one(attribute: Attribute, value: str | int) -> str | None:
    if attribute.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if attribute.kind == "integer":
        return _validate_integer(attribute, value)
    return _validate_text(attribute, value) if isinstance(value, str) else "must be text"


def _validate_integer(attribute: Attribute, value: str | int) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    low, high = (-_INT32, _INT32 - 1) if attribute.max is None else (0, attribute.max)
    return None if low <= value <= high else f"is {value}; it must be between {low} and {high}"


def _validate_text(attribute: Attribute, value: str) -> str | None:
    if not value:
        return "is empty"
    length = utf16_length(value)
    if attribute.max is not None and length > attribute.max:
        return f"has {length} characters (UTF-16); at most {attribute.max} are allowed"
    plain = value.isascii() and "\0" not in value and not attribute.illegal
    for character in () if plain else value:
        if character == "\0" or "\ud800" <= character <= "\udfff" or character in attribute.illegal:
            return f"contains {_show(character)}, which is not allowed"
    return _validate_name(attribute, value)


def _validate_name(attribute: Attribute, value: str) -> str | None:
    """What holds for names beyond length: [MS-ADTS] 3.1.1.5.1.2 for the RDN, MS-SAMR for the account name."""
    if attribute.name == "cn":
        if "\n" in value:
            return f"contains {_show(chr(10))}, which is not allowed"
        return None if value.strip() else "has nothing but spaces"
    if attribute.name == "sAMAccountName":
        control = next((c for c in value if c < " " or c == "\x7f"), None)
        if control:
            return f"contains {_show(control)}, which is not allowed"
        if value.endswith("."):
            return "ends with a dot, which is not allowed"
        if not value.strip(" ."):
            return "has nothing but spaces and dots"
    return None


def _show(character: str) -> str:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "a control character" if character.isascii() else "half a surrogate pair")
    return f"{code} ({name.lower()})"
