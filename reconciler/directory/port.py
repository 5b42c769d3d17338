"""What the rest of the program asks of a domain. A reader cannot write; only `apply` is given a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.model.dn import DN
from reconciler.model.values import Value


@dataclass(frozen=True, slots=True)
class Domain:
    """The domain as one controller presents it, read before anything else.

    `usn` (highestCommittedUSN) is meaningful only beside `invocation_id`, the controller's database incarnation.
    """

    controller: str
    dn: str
    sid: str
    service_name: str
    invocation_id: str
    usn: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One user object. `attributes` by the LDAP display names asked for; absent ones are absent.

    Values: str, int or bool by the attribute's kind (`model.schema`); tuples, sorted, where it is multi-valued.
    `protected` lists why it must never be written: any of `adminCount`, `servicePrincipalName`, `Protected Users`,
    `msDS-ObjectSoa`. `deleted` is true for a tombstone, whose `dn` then lies in the Deleted Objects container.
    """

    guid: str
    sid: str
    dn: DN
    attributes: Mapping[str, Value]
    protected: tuple[str, ...] = ()
    deleted: bool = False
    recycled: bool = False
    """Deleted, and it cannot be brought back any more: isRecycled, in a forest whose recycle bin is on. Without the bin every
    tombstone is marked so, and can be brought back."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything with a USN above a cursor that the reading account may see, anywhere in the domain.

    `containers` is true when an organizational unit or container changed: the entries below a renamed one keep their USN,
    so only a full read shows their new names. Without `sees_deleted` the account may not list deleted objects: what was
    deleted is then not among these changes, and only a full read shows that it is missing.
    """

    entries: tuple[Entry, ...]
    deleted: tuple[Entry, ...]
    containers: bool
    sees_deleted: bool = True
    protection: bool = False
    """Protected Users, or a group in it, changed: that shows on no member, so only a full read says who is one."""


@dataclass(frozen=True, slots=True)
class Modification:
    """Compare-and-swap of one attribute: `before` must be what it holds. None stands for no value."""

    attribute: str
    before: Value | None
    after: Value | None


PEOPLES_NAMES = ("displayName", "sAMAccountName", "userPrincipalName")
"""What people know an account by, besides its cn."""


class DirectoryReader(Protocol):
    """Reads one domain from one controller. Every method raises DirectoryError or one of its kinds."""

    def domain(self) -> Domain:
        """Return who this controller is and how far its database has come."""
        ...

    def accounts(
        self, ous: Sequence[DN], attributes: Sequence[str], progress: Callable[[int], None] = lambda _n: None
    ) -> Iterator[Entry]:
        """Yield every user (not computers, not gMSAs) under the OUs, paged. Raises NotFoundError for an OU that is not there.

        `progress` is told how many were read so far, once a page. An entry under two of the OUs comes once.
        """
        ...

    def changes(self, attributes: Sequence[str], since: int) -> Changes:
        """Return what has a uSNChanged of more than `since`, domain-wide."""
        ...

    def find(self, guids: Iterable[str], attributes: Sequence[str]) -> dict[str, Entry]:
        """Return the objects with these GUIDs wherever in the domain they are, deleted ones included; unseen ones are absent.

        Of a deleted one, `lastKnownParent` is the container it was in, by the name that has now (str).
        """
        ...

    def owners(self, attribute: str, values: Sequence[str]) -> dict[str, str]:
        """Return which of these names an object anywhere in the domain (in the forest, for userPrincipalName, where the
        controller is a global catalog) holds already: name to the owner's SID (its GUID where it has no SID). For `cn`, `values` are DNs.
        """
        ...

    def administrators(self) -> Iterator[Entry]:
        """Yield every user anywhere in the domain whose adminCount is 1, with the names it has: displayName,
        sAMAccountName, userPrincipalName. Deleted ones are not among them.
        """
        ...

    def read(self, dn: DN, attributes: Sequence[str]) -> Entry | None:
        """Return the user with this DN, or None where there is no object. Raises DirectoryError for an object of another kind."""
        ...

    def exists(self, dn: DN) -> bool:
        """Whether there is an object with this DN."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class DirectoryWriter(DirectoryReader, Protocol):
    """Writes single objects. Nothing here decides whether it should."""

    def add(self, dn: DN, attributes: Mapping[str, Value]) -> Entry:
        """Create a user without userAccountControl, so that AD makes it disabled (HALF_MADE); return guid, sid and dn.

        Raises NameTakenError, NotFoundError (no such parent), AccessDeniedError, DirectoryError.
        """
        ...

    def set_password(self, guid: str, password: str) -> None:
        """Reset unicodePwd (quoted UTF-16LE, TLS only)."""
        ...

    def modify(self, guid: str, modifications: Sequence[Modification]) -> None:
        """Apply all modifications in one LDAP modify, each compare-and-swap; raise ValueMismatchError and change nothing when
        one `before` is not what is there.
        """
        ...

    def move(self, guid: str, to: DN) -> None:
        """Rename or move to `to`, addressing the object by GUID."""
        ...

    def delete(self, guid: str) -> None:
        """Delete the object, which must be a leaf."""
        ...

    def reanimate(self, guid: str, to: DN, attributes: Mapping[str, Value]) -> Entry:
        """Bring a deleted user back as `to`, with its SID and GUID, and set `attributes`, in one modify ([MS-ADTS] 3.1.1.5.3.7).

        Without userAccountControl (HALF_MADE, say) among `attributes` it keeps the flags it was deleted with, enabled ones
        too. Samba takes the flags in a second modify only: a run killed between leaves the account with `attributes` but
        those. What a tombstone has lost (all but sAMAccountName and flags) stays lost; with the recycle bin, nothing is.

        Returns the live entry, with `attributes`. Raises NameTakenError, NotFoundError (no such deleted user, no such
        parent), AccessDeniedError (Reanimate-Tombstones on the domain, listing Deleted Objects, or writing the object), or
        DirectoryError for one that was recycled.
        """
        ...
