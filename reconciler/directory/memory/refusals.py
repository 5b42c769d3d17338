"""The refusals of a domain controller: LDAP result codes (RFC 4511, 4.1.9), Win32 codes ([MS-ERREF] 2.2)."""

from __future__ import annotations

from reconciler.errors import (
    AccessDeniedError,
    DirectoryError,
    DirectoryUnavailableError,
    NameTakenError,
    NotFoundError,
    ValueMismatchError,
)
from reconciler.model.dn import DN

MISMATCH = 16
CONSTRAINT_VIOLATION = 19
VALUE_EXISTS = 20
INVALID_SYNTAX = 21
NO_SUCH_OBJECT = 32
INVALID_DN = 34
ACCESS_DENIED = 50
UNWILLING = 53
NAMING_VIOLATION = 64
NOT_A_LEAF = 66
NOT_ON_RDN = 67
ALREADY_EXISTS = 68


def not_found(what: str) -> NotFoundError:
    """No such object, by GUID or DN."""
    return NotFoundError(
        f"{what} is not in the directory",
        "Take a new snapshot: the object was deleted or renamed, or its container was never created.",
        code=NO_SUCH_OBJECT,
        diagnostic="0000208D: NameErr: problem 2001 (NO_OBJECT)",
    )


def dn_taken(dn: DN) -> NameTakenError:
    """Another object has this DN."""
    return NameTakenError(
        f"{dn} is already another object's name",
        "Choose another cn or OU in the policy, or rename the other object.",
        code=ALREADY_EXISTS,
        diagnostic="00002071: UpdErr: problem 6005 (ENTRY_EXISTS)",
    )


def name_taken(dn: DN, attribute: str, value: str) -> NameTakenError:
    """Another object has this sAMAccountName or userPrincipalName."""
    upn = attribute == "userPrincipalName"
    return NameTakenError(
        f"{dn}: {attribute} {value!r} already belongs to another object",
        "Choose another name in the policy, or free this one.",
        code=CONSTRAINT_VIOLATION if upn else ALREADY_EXISTS,
        diagnostic="000021C8: AtrErr: problem 1005 (CONSTRAINT_ATT_TYPE)" if upn else "00000524: UpdErr: problem 6005",
    )


def mismatch(dn: DN, attribute: str, *, occupied: bool) -> ValueMismatchError:
    """Compare-and-swap found another value; `occupied` where it expected none."""
    return ValueMismatchError(
        f"{dn}: {attribute} does not hold the value that was to be replaced; nothing was changed",
        "Take a new snapshot and plan again: somebody else changed it.",
        code=VALUE_EXISTS if occupied else MISMATCH,
        diagnostic="00002083: AtrErr: problem 1004 (ATT_OR_VALUE_EXISTS)"
        if occupied
        else "00002085: AtrErr: problem 1001 (NO_ATTRIBUTE_OR_VAL)",
    )


def denied(dn: DN) -> AccessDeniedError:
    """The account may not write there."""
    return AccessDeniedError(
        f"{dn}: this account has no right to write there",
        "Delegate the OU to the account, or take the OU out of the settings.",
        code=ACCESS_DENIED,
        diagnostic="00002098: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS)",
    )


def may_not_reanimate(dn: DN) -> AccessDeniedError:
    """The account may not bring deleted objects back."""
    return AccessDeniedError(
        f"{dn}: this account may not bring deleted objects back",
        "Grant it the control right Reanimate-Tombstones on the domain, and the right to list Deleted Objects.",
        code=ACCESS_DENIED,
        diagnostic="00002098: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS)",
    )


def recycled(dn: DN) -> DirectoryError:
    """It was deleted longer ago than the recycle bin keeps things."""
    return unwilling(
        dn,
        "it was recycled and cannot be brought back any more",
        "Set `returned: {restore: false}` in the policy, so that the guest gets a new account.",
    )


def constraint(
    dn: DN, what: str, diagnostic: str = "00002082: AtrErr: problem 1005 (CONSTRAINT_ATT_TYPE)"
) -> DirectoryError:
    """A value is longer than the schema allows, or has a character that may not occur."""
    return DirectoryError(
        f"{dn}: {what}",
        "Change the flow in the policy so that the value fits: a value is never cut.",
        code=CONSTRAINT_VIOLATION,
        diagnostic=diagnostic,
    )


def syntax(dn: DN, what: str) -> DirectoryError:
    """A value that the attribute's syntax cannot hold."""
    return DirectoryError(
        f"{dn}: {what}",
        "Change the flow in the policy: an empty source clears a value, it never writes an empty one.",
        code=INVALID_SYNTAX,
        diagnostic="00000057: AtrErr: problem 1006 (BAD_VAL)",
    )


def unwilling(dn: DN, what: str, remedy: str, diagnostic: str = "0000209A: SvcErr: problem 5003") -> DirectoryError:
    """The directory will not do that, whoever asks."""
    return DirectoryError(f"{dn}: {what}", remedy, code=UNWILLING, diagnostic=diagnostic)


def naming(dn: DN, what: str, code: int = NAMING_VIOLATION) -> DirectoryError:
    """A name that cannot be given."""
    return DirectoryError(
        f"{dn}: {what}",
        "Name users by CN, below an organizational unit or container.",
        code=code,
        diagnostic="0000207B: NameErr: problem 2005",
    )


def not_a_leaf(dn: DN) -> DirectoryError:
    """There is something below it."""
    return DirectoryError(
        f"{dn} has other objects below it",
        "Delete or move those first.",
        code=NOT_A_LEAF,
        diagnostic="00002015: UpdErr: problem 6003 (CANT_ON_NON_LEAF)",
    )


def another_kind(dn: DN, kind: str) -> DirectoryError:
    """There is an object, and it is no user."""
    return DirectoryError(f"{dn} is a {kind}, not a user", "Choose another cn or OU in the policy.")


def closed() -> DirectoryUnavailableError:
    """The connection was given back."""
    return DirectoryUnavailableError("the connection to the directory is closed", "Open another one.")
