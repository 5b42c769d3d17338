"""An account as imported from Active Directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .dn import DN
from .values import Value

ACCOUNTDISABLE = 0x2
NORMAL_ACCOUNT = 0x200
HALF_MADE = 0x222
"""NORMAL_ACCOUNT, ACCOUNTDISABLE, PASSWD_NOTREQD: what AD gives a user added without userAccountControl."""

Missing = Literal["deleted", "expired", "invisible"]
"""`deleted`: among the deleted objects, and can be brought back. `expired`: deleted, and cannot any more.
`invisible`: found nowhere, which proves nothing."""


@dataclass(frozen=True, slots=True)
class Account:
    """One user object under the configured OUs, or one we are joined to that has left them.

    Keyed by `sid` (S-1-5-21-…). `guid` in the usual text form, lower case. `attributes` by LDAP display name, with
    userAccountControl among them as an int; absent attributes are absent.

    Two are equal when they are the same record, letter by letter. Their DNs alone are equal in any letter case: then an account
    that was renamed in nothing else would stay on record as it was called before.
    """

    sid: str
    guid: str
    dn: DN
    attributes: Mapping[str, Value]
    protected: tuple[str, ...] = ()
    """Why this account is never written: adminCount, servicePrincipalName, Protected Users, msDS-ObjectSoa."""
    guest: str | None = None
    """The established join: id of the guest."""
    departed: str | None = None
    """As-of time of the import that first saw the joined guest gone or out of scope."""
    suspended: bool = False
    """This program disabled it (guest blocked or left), so it may enable it again."""
    adopted: bool = False
    """Made by others: it was there before it was joined, so however it looks, it is not half-made by this program."""
    missing: Missing | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Account) and self._record == other._record

    def __hash__(self) -> int:
        return hash(self.sid)

    @property
    def _record(self) -> tuple[object, ...]:
        known = (self.guest, self.departed, self.suspended, self.adopted, self.missing)
        return (self.sid, self.guid, self.dn.text, self.attributes, self.protected, *known)

    @property
    def uac(self) -> int:
        """The userAccountControl flags ([MS-ADTS] 2.2.16)."""
        value = self.attributes.get("userAccountControl", 0)
        return value if isinstance(value, int) else 0

    @property
    def disabled(self) -> bool:
        """Whether ACCOUNTDISABLE is set."""
        return bool(self.uac & ACCOUNTDISABLE)
