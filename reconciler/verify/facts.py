"""What the directory says about everybody who takes part in one sign-in. Records alone: `directory/ldap/delegation.py` reads them.

The flags are those of [MS-ADTS] 2.2.16 (userAccountControl) and of msDS-User-Account-Control-Computed (3.1.1.4.5.17).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ACCOUNTDISABLE = 0x2
LOCKOUT = 0x10
SMARTCARD_REQUIRED = 0x40000
NOT_DELEGATED = 0x100000
PASSWORD_EXPIRED = 0x800000
TRUSTED_TO_AUTH_FOR_DELEGATION = 0x1000000

TOLERATED_SKEW = timedelta(minutes=5)
"""How far two clocks may be apart for Kerberos: the default of a domain's policy and of MIT krb5 (RFC 4120, 8.2)."""


@dataclass(frozen=True, slots=True)
class Party:
    """One account that takes part: the guest's, the connector's, or the one that a service runs as.

    `uac` is None where the reading account may not see it; then `locked` and `expires` say nothing either.
    """

    sid: str
    dn: str
    sam: str | None = None
    upn: str | None = None
    uac: int | None = None
    locked: bool = False
    expires: datetime | None = None
    """When the account expires; None for never."""
    password_expired: bool = False
    protected_users: bool = False
    deleted: bool = False
    spns: tuple[str, ...] = ()
    allowed_to: tuple[str, ...] = ()
    """msDS-AllowedToDelegateTo: the services for which it may obtain tickets in others' names."""
    trusted_by: tuple[str, ...] = ()
    """SIDs in msDS-AllowedToActOnBehalfOfOtherIdentity: who may act on others' behalf towards it."""
    imported: str = ""
    """As-of time of the import that this comes from, where it was not read from the directory just now."""

    def has(self, flag: int) -> bool:
        """Whether userAccountControl is known to have a flag."""
        return self.uac is not None and bool(self.uac & flag)

    def lacks(self, flag: int) -> bool:
        """Whether userAccountControl is known not to have it."""
        return self.uac is not None and not self.uac & flag


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for every guest. None stands for what could not be read.

    `services` are all accounts of the forest that hold the service's SPN: there should be exactly one.
    """

    spn: str
    connector: Party | None = None
    services: tuple[Party, ...] | None = None
    skew: timedelta | None = None
    """This machine's clock less the controller's."""
    forwardable: bool | None = None
    """Whether the connector's ticket-granting ticket is; None before there is one."""


@dataclass(frozen=True, slots=True)
class Person:
    """One guest: who it is in Entra, by which name it is asked for, and what the directory says of its account.

    `party` is None where the guest has no account, or it cannot be seen. `holders` are the accounts that the directory finds
    under the name asked for; None where it was not asked.
    """

    guest: str
    entra_upn: str | None
    name: str
    by_upn: bool
    party: Party | None = None
    joined: str | None = None
    """SID of the joined account, by `state/accounts`."""
    holders: tuple[Party, ...] | None = None
