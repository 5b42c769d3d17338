"""What a plan is, apart from how it is computed, stored and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from .dn import DN
from .values import Value

if TYPE_CHECKING:
    from .speculation import Speculation  # which is made of changes


class Action(StrEnum):
    """What one change does to one account, in the order people should look at them: dangerous first."""

    DELETE = "delete"
    DISABLE = "disable"
    JOIN = "join"
    RESTORE = "restore"
    ENABLE = "enable"
    MOVE = "move"
    RENAME = "rename"
    UPDATE = "update"
    CREATE = "create"


DANGEROUS = frozenset({Action.DELETE, Action.DISABLE, Action.JOIN, Action.RESTORE, Action.ENABLE, Action.MOVE})


@dataclass(frozen=True, slots=True)
class Rule:
    """Where in the policy a value comes from: `flows.mail`, `placement[0]`, `lifecycle.left`; with its line."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Delta:
    """One attribute's change. `via` is the value it holds for a moment when two accounts swap a unique name.

    `secret` stands for a value made at apply (unicodePwd): it has neither before nor after.
    """

    attribute: str
    before: Value | None
    after: Value | None
    rule: Rule
    via: Value | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One action on one account.

    `dn` is where the account is now (for a create: where it will be), `to` where a move or rename puts it.
    `after` names the changes (by `key`) that must have succeeded before this one starts.
    """

    action: Action
    guest: str
    label: str
    dn: DN
    rule: Rule
    cause: str
    """For people: why, in a few words (`left: soft-deleted in Entra`, `guest is new`)."""
    sid: str | None = None
    guid: str | None = None
    to: DN | None = None
    deltas: tuple[Delta, ...] = ()
    after: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """Sentences for a reviewer. A change that has one is shown among the dangerous."""

    @property
    def key(self) -> str:
        """Unique within a plan: `update:<guest id>`."""
        return f"{self.action}:{self.guest}"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that ask for it: of an update, its attributes'."""
        if self.action is not Action.UPDATE:
            return (self.rule,)
        return tuple(dict.fromkeys(d.rule for d in self.deltas)) or (self.rule,)

    @property
    def dangerous(self) -> bool:
        """Whether a reviewer should see this before the rest."""
        renamed = any(d.attribute == "userPrincipalName" for d in self.deltas)
        return self.action in DANGEROUS or (self.action is Action.UPDATE and renamed) or bool(self.warnings)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that needs a person. Never applied."""

    subject: str
    """Guest id, or account SID where no guest is involved."""
    label: str
    kind: str
    """Short and stable, for machines: `name-taken`, `ambiguous-join`, `expression`, `illegal-value`, …"""
    what: str
    remedy: str
    dn: DN | None = None
    rule: Rule | None = None
    accounts: tuple[str, ...] = ()
    """SIDs of the accounts it is about, where it is about any. Not part of the stored plan: `what` names them there."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard's verdict for one action."""

    action: Action
    count: int
    limit: int
    refused: bool
    message: str
    """Count, limit and remedy where it is past its limit: refused, or let past by an `acknowledge:`. Else empty."""

    @property
    def acknowledged(self) -> bool:
        """Whether the policy lets this many past."""
        return bool(self.message) and not self.refused


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """An account under the OUs that no guest is joined to: reported, left alone."""

    sid: str
    dn: DN


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan was computed from."""

    tenant: str
    domain_sid: str
    domain_dn: str
    controller: str
    trees: tuple[tuple[str, str], ...]
    """(path, git object id), sorted: policies, state/accounts, state/claims.yaml, state/guests."""
    settings_sha256: str
    serial: int
    as_of: str
    expires: str
    """RFC 3339, UTC: as-of plus the configured lifetime. Only `apply` compares it with a clock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between what the policy wants and what Active Directory holds, for one git tree.

    `complete` is false when the batch size left changes for later plans (`deferred` says how many).
    """

    origin: Origin
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...] = ()
    guards: tuple[Guard, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    held: tuple[Conflict, ...] = ()
    managed: int = 0
    """Accounts joined to a guest when the plan was made: what a guard's percent is of."""
    deferred: int = 0
    notes: tuple[str, ...] = field(default=())
    speculation: Speculation | None = None
    """Set where the plan only shows what a change of the policy would do: such a plan is never applied."""

    @property
    def complete(self) -> bool:
        """Whether applying this plan leaves nothing else to do (but conflicts)."""
        return self.deferred == 0

    @property
    def refused(self) -> tuple[Guard, ...]:
        """The guards that refuse this plan."""
        return tuple(g for g in self.guards if g.refused)

    def count(self, action: Action) -> int:
        """How many changes have this action."""
        return sum(c.action is action for c in self.changes)


def by_action(changes: Iterable[Change]) -> dict[Action, list[Change]]:
    """Group changes by action, dangerous actions first, empty groups left out."""
    groups: dict[Action, list[Change]] = {a: [] for a in Action}
    for change in changes:
        groups[change.action].append(change)
    return {a: g for a, g in groups.items() if g}
