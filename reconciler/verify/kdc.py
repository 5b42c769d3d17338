"""What a KDC, or the Kerberos library before it asks one, answers: RFC 4120 7.5.9, [MS-KILE] and MIT's krb5 error table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CLIENT_EXPIRED = 1
CLIENT_UNKNOWN = 6
SERVER_UNKNOWN = 7
NOT_UNIQUE = 8
POLICY = 12
BAD_OPTION = 13
ENCRYPTION = 14
REVOKED = 18
SERVICE_REVOKED = 19
KEY_EXPIRED = 23
PREAUTH_FAILED = 24
INTEGRITY = 31
TICKET_EXPIRED = 32
NOT_YET_VALID = 33
SKEW = 37
REALM_UNKNOWN = 154
UNREACHABLE = 156
NOT_IN_KEYTAB = 181
NO_CACHE = 195
"""The last five are the library's own: no KDC known, none answers, no such key or cache."""


class Step(StrEnum):
    """The four answers that a sign-in needs, in order."""

    CONNECTOR = "connector"
    GUEST = "guest"
    SERVICE = "service"
    PAGE = "page"


STEPS = {
    Step.CONNECTOR: "a ticket for the connector",
    Step.GUEST: "a ticket in the guest's name (S4U2Self)",
    Step.SERVICE: "a ticket for the service (S4U2Proxy)",
    Step.PAGE: "the page",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where it ended. `code` is a Kerberos error, or the HTTP status at `PAGE` (0: no answer); `words` are the refuser's own."""

    step: Step
    code: int
    words: str
