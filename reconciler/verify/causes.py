"""Why a sign-in fails, in an administrator's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Every cause this program can name. Short and stable, for machines."""

    KDC_DOWN = "kdc-down"
    CLOCK_SKEW = "clock-skew"
    WRONG_KEYTAB = "wrong-keytab"
    NO_TICKET = "no-ticket"
    CONNECTOR_UNKNOWN = "connector-unknown"
    CONNECTOR_REVOKED = "connector-revoked"
    CONNECTOR_WITHOUT_SPN = "connector-without-spn"
    NO_ACCOUNT = "no-account"
    DELETED = "deleted"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LOCKED = "locked"
    RESTRICTED = "restricted"
    UPN_DIFFERS = "upn-differs"
    IDENTITY_DIFFERS = "identity-differs"
    DUPLICATE_UPN = "duplicate-upn"
    ANOTHER_ACCOUNT = "another-account"
    NOT_FOUND = "not-found"
    WRONG_SPN = "wrong-spn"
    DUPLICATE_SPN = "duplicate-spn"
    SERVICE_DISABLED = "service-disabled"
    NOT_ALLOWED = "not-allowed-to-delegate"
    RESOURCE_BASED = "resource-based-delegation"
    NO_PROTOCOL_TRANSITION = "no-protocol-transition"
    NOT_FORWARDABLE = "ticket-not-forwardable"
    NOT_DELEGATED = "not-delegated"
    PROTECTED_USERS = "protected-users"
    DELEGATION_REFUSED = "delegation-refused"
    ENCRYPTION = "encryption-type"
    PAGE_UNREACHABLE = "page-unreachable"
    PAGE_REFUSED = "page-refused-ticket"
    PAGE_FORBIDS = "page-forbids"
    PAGE_UNPROVEN = "page-unproven"
    PAGE_FAILED = "page-failed"
    ANOTHER_NAME = "another-name"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause: what is wrong, what to do, and the commands that do it.

    Texts hold names from the directory: escape them at the sink. Commands are quoted for the shell they are for.
    `sure` is false where the KDC's answer has several causes and the directory did not say which.
    """

    cause: Cause
    what: str
    remedy: str
    powershell: tuple[str, ...] = ()
    samba: tuple[str, ...] = ()
    sure: bool = True
