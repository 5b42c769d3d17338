"""What a domain controller's refusals mean, and what to do about them.

Result codes are RFC 4511's; a diagnostic begins with a Win32 error in hexadecimal ([MS-ADTS] 3.1.1.3.1.9), in which
Windows and Samba differ for the same meaning. Messages keep both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.errors import (
    AccessDeniedError,
    DirectoryError,
    DirectoryUnavailableError,
    NameTakenError,
    NotFoundError,
)
from reconciler.model.dn import DN

REFERRAL = 10
NO_SUCH_ATTRIBUTE = 16
CONSTRAINT_VIOLATION = 19
VALUE_EXISTS = 20
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
UNWILLING = 53
ALREADY_EXISTS = 68
OTHER = 80

WEAK_PASSWORD = 0x52D
TAKEN_REMEDY = "Choose another name in the policy, or rename or remove the object that has this one."
_NAME_TAKEN = {
    0x524: "ERROR_USER_EXISTS",
    0x2071: "ERROR_DS_OBJ_STRING_NAME_EXISTS",
    0x21C7: "ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST",
    0x21C8: "ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST",
}
_WIN32 = re.compile(r"\s*([0-9A-Fa-f]{8})\b")
_LOGON = re.compile(r"\bdata ([0-9A-Fa-f]+)")

_REMEDIES = {
    3: "The time limit was reached: try again, or import fewer OUs at once.",
    4: "The size limit was reached: raise MaxPageSize, or leave it at its default of 1,000.",
    11: "An administrative limit was reached: see the controller's LDAP policy.",
    REFERRAL: "Referrals are never followed. Name a writable controller of the OUs' own domain in reconcile.yaml.",
    17: "The schema of this domain has no such attribute: leave it out of the policy.",
    CONSTRAINT_VIOLATION: "The value breaks a rule of the domain (length, range, uniqueness): correct its source.",
    21: "The value is too long or malformed for this attribute: correct it at its source.",
    34: "The name is not a distinguished name that this directory takes.",
    NO_SUCH_OBJECT: "It was moved or deleted, never existed, or is not visible to this account. Import afresh.",
    50: "This account lacks a right: `reconcile doctor` names it, for the writing account with `--account writer`.",
    UNWILLING: "The controller will not do that to this object: see its diagnostic.",
    64: "Objects of this class may not be there, or not under this name.",
    65: "The object would lack a mandatory attribute or hold one its class does not have.",
    66: "It has objects below it: look at them and move or delete them first.",
    ALREADY_EXISTS: TAKEN_REMEDY,
}
_LOGON_REFUSALS = {
    0x525: ("there is no such user", "Check RECONCILE_LDAP_USER."),
    0x52E: ("wrong user name or password", "Check RECONCILE_LDAP_USER and RECONCILE_LDAP_PASSWORD."),
    0x530: ("the account may not sign in at this time", "Change the account's logon hours."),
    0x531: ("the account may not sign in from this machine", "Change the account's list of workstations."),
    0x532: ("the password has expired", "Set a new password for the account."),
    0x533: ("the account is disabled", "Enable the account, or use another."),
    0x701: ("the account has expired", "Extend the account, or use another."),
    0x773: ("the password must be changed at the next sign-in", "Change the account's password once."),
    0x775: ("the account is locked out", "Unlock the account; see who keeps using a wrong password for it."),
    0x80090346: ("the controller requires channel binding", "Use `bind: simple` over ldaps://."),
}
_NOT_NOW = {51, 52}
_NOT_AUTHENTICATED = 0x4DC


def visible(text: str) -> str:
    """Return the text with control, formatting and other unprintable characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


@dataclass(frozen=True, slots=True)
class Result:
    """How an LDAP operation ended."""

    code: int
    name: str
    diagnostic: str

    @property
    def win32(self) -> int | None:
        """The Win32 error that the diagnostic begins with."""
        found = _WIN32.match(self.diagnostic)
        return int(found[1], 16) if found else None

    @property
    def raw(self) -> str:
        """Code and diagnostic as a message shows them."""
        said = visible(self.diagnostic.rstrip("\0").strip())
        return f"LDAP result {self.code} ({self.name})" + (f": {said}" if said else "")


def refusal(what: str, result: Result) -> DirectoryError:
    """Return the error for an operation that failed. `what` says what was tried, on which object."""
    message = f"{visible(what)}: {result.raw}"
    kind: type[DirectoryError] = DirectoryError
    remedy = _REMEDIES.get(result.code, "See the domain controller's diagnostic.")
    if result.win32 == WEAK_PASSWORD:
        remedy = (
            "The password does not meet the domain's policy: ask for a longer one in the policy's initial.unicodePwd."
        )
    elif result.code == NO_SUCH_OBJECT:
        kind = NotFoundError
    elif result.code == ALREADY_EXISTS or result.win32 in _NAME_TAKEN:
        kind, remedy = NameTakenError, TAKEN_REMEDY
    elif result.code == 50:  # noqa: PLR2004  insufficientAccessRights
        kind = AccessDeniedError
    elif result.code in _NOT_NOW or result.win32 == _NOT_AUTHENTICATED:
        kind, remedy = DirectoryUnavailableError, "Try again later, or name another controller in reconcile.yaml."
    return kind(message, remedy, code=result.code, diagnostic=visible(result.diagnostic))


def no_parent(what: str, result: Result, dn: DN) -> NotFoundError:
    """Return the error for a container that is not there."""
    return NotFoundError(
        f"{visible(what)}: there is no {visible(dn.parent.text)} ({result.raw})",
        "Create the OU, or correct the placement in the policy.",
        code=result.code,
        diagnostic=visible(result.diagnostic),
    )


def bind_refusal(url: str, user: str, result: Result) -> DirectoryUnavailableError:
    """Return the error for a refused bind: why, as far as the controller says."""
    found = _LOGON.search(result.diagnostic)
    reason, remedy = "", "See the domain controller's diagnostic."
    if result.code == INVALID_CREDENTIALS:
        unknown = ("the credentials were refused", "Check RECONCILE_LDAP_USER and RECONCILE_LDAP_PASSWORD.")
        reason, remedy = _LOGON_REFUSALS.get(int(found[1], 16), unknown) if found else unknown
    elif result.code == 8:  # noqa: PLR2004  strongerAuthRequired
        reason, remedy = "the controller asks for a protected connection", "Use ldaps:// in reconcile.yaml."
    what = f"{visible(url)} refused to sign in {visible(user)}" + (f": {reason}" if reason else "")
    return DirectoryUnavailableError(
        f"{what} ({result.raw})", remedy, code=result.code, diagnostic=visible(result.diagnostic)
    )
