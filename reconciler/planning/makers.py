"""Who made an account, as far as its names tell: every tool leaves its own pattern.

Nothing is decided by it: joins go by the policy's rules alone. It tells a person which rules they need.
"""

from __future__ import annotations

import re
from enum import StrEnum

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.values import Value

from .anchors import GUEST_ID

SAM_MAX = 20
_EXTENSION = 19
_EXTERNAL = "#ext#"
_RANDOM = re.compile(r"[a-z][a-z_-]{0,12}[0-9]{6,7}")


class Maker(StrEnum):
    """The patterns known. The original MIM design and this program's default policy give the same names: OURS is told otherwise."""

    OURS = "reconcile"
    MIM = "mim"
    MIM_EXTENSION = "mim-rules-extension"
    MIM_MAIL = "mim-mail-upn"
    SAMPLE = "powershell-sample"
    B2BSYNC = "b2bsync"
    UNKNOWN = "unknown"


WORDS = {
    Maker.OURS: "this program",
    Maker.MIM: "MIM as documented: cn is the guest's id, sAMAccountName its first 20 characters",
    Maker.MIM_EXTENSION: "MIM with the rules extension: sAMAccountName is the first 19 characters of the guest's id",
    Maker.MIM_MAIL: "older MIM: userPrincipalName is the guest's e-mail address",
    Maker.SAMPLE: "Microsoft's PowerShell sample: cn and sAMAccountName begin as userPrincipalName does",
    Maker.B2BSYNC: "B2BSync: sAMAccountName is a prefix and a random number",
    Maker.UNKNOWN: "no pattern known here",
}
"""What each pattern is, for people."""


def maker(account: Account, guest: Guest | None = None) -> Maker:
    """Return whose pattern the account's names have; `guest`, where known, is whose account it seems to be."""
    cn, sam, upn = (
        _text(v) for v in (account.dn.name, _held(account, "sAMAccountName"), _held(account, "userPrincipalName"))
    )
    guest_id = guest.id if guest else cn if GUEST_ID.fullmatch(cn) else ""
    mail = _text(guest.attributes.get("mail")) if guest else ""
    if (upn == mail and upn) or (not guest and guest_id and "@" in upn and _EXTERNAL not in upn):
        return Maker.MIM_MAIL
    if guest_id and sam == guest_id[:_EXTENSION]:
        return Maker.MIM_EXTENSION
    if guest_id and sam == guest_id[:SAM_MAX] and cn == guest_id:
        return Maker.MIM
    if cn and cn in (upn.partition("#")[0], upn.partition("@")[0]) and _sample_name(sam, upn):
        return Maker.SAMPLE
    return Maker.B2BSYNC if _EXTERNAL in upn and _RANDOM.fullmatch(sam) else Maker.UNKNOWN


def _sample_name(sam: str, upn: str) -> bool:
    """The first 20 characters, dots as they are or as dashes; a number at the end where that was taken."""
    for base in (upn.replace(".", "-")[:SAM_MAX], upn[:SAM_MAX], upn.partition("@")[0][:SAM_MAX].rstrip(".")):
        stem = sam.rstrip("0123456789")
        if sam == base or (stem and base.startswith(stem) and len(stem) > SAM_MAX // 2 and len(sam) == SAM_MAX):
            return True
    return False


def _held(account: Account, name: str) -> Value | None:
    return account.attributes.get(name)


def _text(value: Value | None) -> str:
    return value.casefold() if isinstance(value, str) else ""
