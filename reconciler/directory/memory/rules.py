"""What may be written: the schema's limits ([MS-ADA1]..[MS-ADA3]) and what the SAM adds to them ([MS-SAMR] 3.1.1.8)."""

from __future__ import annotations

from reconciler.model import schema
from reconciler.model.account import ACCOUNTDISABLE, NORMAL_ACCOUNT
from reconciler.model.dn import DN
from reconciler.model.values import Value, utf16_length

from . import refusals

PASSWD_NOTREQD = 0x20
TRUST_ACCOUNTS = 0x800 | 0x1000 | 0x2000
MINIMUM_PASSWORD = 7
MAXIMUM_PASSWORD = 256
CATEGORIES = 3
"""Of upper case, lower case, digits, other letters and everything else, a complex password has this many."""

_MAINTAINED = frozenset(
    (
        *("objectguid", "objectsid", "objectclass", "objectcategory", "distinguishedname", "isdeleted", "memberof"),
        *("usnchanged", "usncreated", "whenchanged", "whencreated"),
    )
)
_SECRET = frozenset({"unicodepwd", "userpassword", "supplementalcredentials"})
_INTEGERS = range(-(2**31), 2**31)


def writable(dn: DN, name: str) -> None:
    """Refuse attributes that the directory maintains, that are the name, or that are a password."""
    key = name.casefold()
    if key in ("cn", "name", "ou"):
        raise refusals.naming(dn, f"{name} is the object's name: move the object instead", refusals.NOT_ON_RDN)
    if key in _MAINTAINED:
        raise refusals.unwilling(dn, f"{name} is maintained by the directory", "Take it out of the policy.")
    if key in _SECRET:
        raise refusals.unwilling(dn, f"{name} is not written as a value", "Reset the password instead.")


def value(dn: DN, name: str, given: Value) -> Value:
    """Return the value as the attribute holds it; raise DirectoryError (19 or 21) where it cannot."""
    known = schema.attribute(name)
    if known.kind == "integer":
        if isinstance(given, bool) or not isinstance(given, int) or given not in _INTEGERS:
            raise refusals.syntax(dn, f"{name} is a 32-bit integer")
        if known.max is not None and not 0 <= given <= known.max:
            raise refusals.constraint(dn, f"{name} is between 0 and {known.max}")
        return given
    if known.kind == "boolean":
        if not isinstance(given, bool):
            raise refusals.syntax(dn, f"{name} is a boolean")
        return given
    texts = tuple(_text(dn, known, one) for one in (given if isinstance(given, tuple) else (_spelled(given),)))
    if not texts:
        raise refusals.syntax(dn, f"{name} is written without a value")
    if len({t.casefold() for t in texts}) < len(texts):
        raise refusals.constraint(dn, f"{name} holds a value twice")
    if known.multi:
        return tuple(sorted(texts))
    if len(texts) > 1 and known.name.casefold() in schema.BY_NAME:
        raise refusals.constraint(dn, f"{name} holds one value")
    return texts[0] if len(texts) == 1 else tuple(sorted(texts))


def rdn(dn: DN) -> None:
    """Refuse a leaf name that cannot be given."""
    _text(dn, schema.attribute("cn"), dn.name)
    if "\n" in dn.name:
        raise refusals.naming(dn, "a name holds no line feed: the directory marks deleted names with it")


def account_control(dn: DN, flags: Value | None, *, has_password: bool) -> None:
    """Refuse flags a user cannot have, and to enable one that has no password though it needs one."""
    if not isinstance(flags, int) or not flags & NORMAL_ACCOUNT or flags & TRUST_ACCOUNTS:
        raise refusals.unwilling(
            dn, f"userAccountControl {flags} is not a user's", "Keep NORMAL_ACCOUNT (512) among the flags."
        )
    if not flags & (ACCOUNTDISABLE | PASSWD_NOTREQD) and not has_password:
        raise refusals.unwilling(
            dn,
            "an account without a password is not enabled",
            "Set a password first.",
            "0000052D: SvcErr: problem 5003",
        )


def password(dn: DN, given: str) -> None:
    """Refuse a password shorter or simpler than the domain's default policy; it is never repeated in the refusal."""
    upper, lower = any(c.isupper() for c in given), any(c.islower() for c in given)
    digit = any("0" <= c <= "9" for c in given)
    other = any(c.isalpha() and not c.isupper() and not c.islower() for c in given)
    special = any(not c.isalnum() for c in given)
    long_enough = MINIMUM_PASSWORD <= utf16_length(given) <= MAXIMUM_PASSWORD
    if not long_enough or upper + lower + digit + other + special < CATEGORIES or not _encodable(given):
        raise refusals.unwilling(
            dn,
            "the password does not meet the domain's policy",
            f"Give it {MINIMUM_PASSWORD} to {MAXIMUM_PASSWORD} characters of at least {CATEGORIES} kinds.",
            "0000052D: SvcErr: problem 5003",
        )


def _spelled(given: str | int) -> str:
    return str(given).upper() if isinstance(given, bool) else str(given)


def _text(dn: DN, known: schema.Attribute, text: str) -> str:
    if not text or "\x00" in text or not _encodable(text):
        raise refusals.syntax(dn, f"{known.name} is empty, or holds a NUL or half a surrogate pair")
    if known.max is not None and utf16_length(text) > known.max:
        raise refusals.constraint(dn, f"{known.name} is longer than {known.max} UTF-16 code units")
    if wrong := sorted(set(known.illegal) & set(text)):
        raise refusals.constraint(dn, f"{known.name} holds {''.join(wrong)!r}", "00000523: AtrErr: problem 1005")
    if known.name == "sAMAccountName" and (
        min(text) < " " or "\x7f" in text or text.endswith(".") or not text.strip(". ")
    ):
        raise refusals.constraint(
            dn,
            f"{known.name} holds a control character, ends with a dot, or is blank",
            "00000523: AtrErr: problem 1005",
        )
    return text


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)
