"""The facts that rights are judged by."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.directory.ldap.descriptor import Descriptor
from reconciler.model.dn import DN, within

from .access import Token
from .names import Names


@dataclass(frozen=True, slots=True)
class Holder:
    """One object and its access list; None where the account that reads may not see the list."""

    dn: DN
    descriptor: Descriptor | None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the controller itself says the signed-in account may do to one object ([MS-ADTS] 3.1.1.4.5).

    `classes` from allowedChildClassesEffective, `attributes` from allowedAttributesEffective, both folded; `list_` from
    sDRightsEffective, a bit for each part of the descriptor that may be written.
    """

    dn: DN
    classes: frozenset[str]
    attributes: frozenset[str]
    list_: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where accounts are and may be: `ous` as configured, `targets` all that the policy names besides."""

    base: DN
    ous: tuple[DN, ...]
    targets: tuple[DN, ...]

    def inside(self, dn: DN) -> bool:
        """Whether an object is the program's to change."""
        return within(dn, self.ous)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that one account's rights are judged by."""

    token: Token
    names: Names
    places: Places
    holders: tuple[Holder, ...]
    """Every container of the domain, parents first; the objects under AdminSDHolder's protection; the forest's partitions."""
    samples: tuple[Holder, ...]
    """A user in each of the OUs that has one."""
    opinions: tuple[Opinion, ...]
    """Of the OUs, the samples and the containers directly below the domain; empty for an account that was not signed in with."""
    netbios: str
    samba: bool
    lists_deleted: bool = False
    """Whether the account sees deleted objects; not seeing any proves nothing."""

    def holder(self, dn: DN) -> Holder | None:
        """Return an object by name."""
        return next((h for h in self.holders if h.dn == dn), None)

    def opinion(self, dn: DN) -> Opinion | None:
        """Return what the controller says of an object."""
        return next((o for o in self.opinions if o.dn == dn), None)

    @property
    def trustee(self) -> str:
        """The account as dsacls takes it."""
        return f"{self.netbios}\\{self.token.name}"
