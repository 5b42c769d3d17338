"""What the writing account needs under the OUs, and what it may have: the entries of docs/how-to/least-privilege.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.directory.ldap.descriptor import Descriptor
from reconciler.policy.model import Policy

from . import access
from .access import CONTROL, CREATE, DELETE, DELETE_CHILD, USER, WRITE, Granted
from .names import REANIMATE, RESET_PASSWORD, Names

LEAF: Final = ("cn", "name")
"""Whoever renames or moves an account writes both ([MS-ADTS] 3.1.1.5.4.1.1)."""
FLAGS: Final = "userAccountControl"
TO_RESTORE: Final = ("isDeleted", "distinguishedName")
"""Whoever brings a deleted account back on Windows writes both ([MS-ADTS] 3.1.1.5.3.7)."""


@dataclass(frozen=True, slots=True)
class Need:
    """One right that has to be there on an OU. `child`: on the users below it, else on the OU itself.

    `sddl` is the entry that grants it, up to the SID; `dsacls` its inheritance and permission as that program takes them.
    """

    what: str
    right: int
    types: tuple[str, ...]
    child: bool
    sddl: str
    dsacls: tuple[str, str]
    attribute: str = ""
    also: int = 0
    """Another right that does the same, on the users below."""

    def held(self, descriptor: Descriptor, token: access.Token) -> bool:
        """Whether it is there."""
        applies = access.on_child(USER) if self.child else access.here
        return access.permits(descriptor, token, self.right, self.types, applies) or (
            bool(self.also) and access.permits(descriptor, token, self.also, (USER,), access.on_child(USER))
        )


_CHILDREN: Final = (f"(OA;CI;CCDC;{USER};;", ("/I:T", "CCDC;user"))
CREATE_USERS: Final = Need("create users", CREATE, (USER,), False, *_CHILDREN)
DELETE_USERS: Final = Need("delete users", DELETE_CHILD, (USER,), False, *_CHILDREN, also=DELETE)
"""The one right on the OU or the other on the account: either deletes, and either lets it move away ([MS-ADTS] 3.1.1.5.5.1)."""
RESET: Final = Need(
    "reset the password of users",
    CONTROL,
    (RESET_PASSWORD, USER),
    True,
    f"(OA;CIIO;CR;{RESET_PASSWORD};{USER};",
    ("/I:S", "CA;Reset Password;user"),
)


def write(name: str, names: Names) -> Need | None:
    """Return the right to write an attribute of users; None where the schema has no such attribute."""
    attribute = names.attribute(name)
    if attribute is None:
        return None
    sddl = f"(OA;CIIO;WP;{attribute.guid};{USER};"
    return Need(f"write {name} of users", WRITE, attribute.types, True, sddl, ("/I:S", f"WP;{name};user"), name)


def written(policy: Policy) -> tuple[str, ...]:
    """Return every attribute that `apply` writes under this policy, cn and name among them."""
    flows = {flow.attribute for flow in (*policy.flows, *policy.initial.flows)}
    return tuple(sorted({*flows, FLAGS, *LEAF}, key=str.casefold))


def needs(policy: Policy, names: Names) -> dict[str, tuple[Need, ...]]:
    """Return what has to be there, by the last part of the check's id."""
    changed = [n for n in written(policy) if n != FLAGS]
    moves = policy.lifecycle.left_move is not None
    deletes = policy.lifecycle.left_delete_after is not None
    return {
        "create": (CREATE_USERS,),
        "change": _writes(changed, names),
        "password": (RESET,),
        "disable": _writes([FLAGS], names),
        "move": (CREATE_USERS, DELETE_USERS, *_writes(LEAF, names)) if moves else (),
        "delete": (DELETE_USERS,) if deletes else (),
    }


def _writes(attributes: Iterable[str], names: Names) -> tuple[Need, ...]:
    return tuple(need for name in attributes if (need := write(name, names)) is not None)


def beyond(granted: Granted, policy: Policy, names: Names, *, inside: bool, domain: bool) -> int:
    """Return which of these rights the writing account should not have: on a container inside the OUs, elsewhere, or on the
    domain's own object.
    """
    entry, rights = granted.entry, granted.rights
    restores = policy.lifecycle.returned_restore
    if domain and restores and granted.on is None and entry.object_type == REANIMATE:
        rights &= ~CONTROL
    if not inside:
        return rights
    if entry.object_type == USER:
        rights &= ~(CREATE | DELETE_CHILD)
    if granted.on == USER:
        rights &= ~DELETE
        may = {*written(policy), *policy.account_attributes, *(TO_RESTORE if restores else ())}
        guids = {found.guid for name in may if (found := names.attribute(name))}
        if entry.object_type in guids:
            rights &= ~WRITE
        if entry.object_type == RESET_PASSWORD:
            rights &= ~CONTROL
    return rights
