"""A loaded, type-checked policy: what the planner and the importer ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.identity import Identity
from reconciler.model.plan import Action, Rule
from reconciler.model.schema import Attribute, attribute
from reconciler.model.values import Value


class EvaluationError(Exception):
    """An expression failed for one guest (a missing mail in `endsWith`, say): that guest becomes a conflict."""

    def __init__(self, rule: Rule, why: str) -> None:
        super().__init__(why)
        self.rule = rule
        self.why = why


class Expression(Protocol):
    """One compiled CEL expression."""

    @property
    def rule(self) -> Rule:
        """Where it stands."""
        ...

    @property
    def source(self) -> str:
        """Its text."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """The guest attributes it reads, by Graph's names; `id` may be among them."""
        ...

    def value(self, guest: Guest) -> Value | None:
        """Evaluate for a guest; an empty result is None. Raises EvaluationError."""
        ...

    def test(self, guest: Guest) -> bool:
        """Evaluate a boolean expression. Raises EvaluationError."""
        ...


@dataclass(frozen=True, slots=True)
class Join:
    """Joins a guest to the account whose `attribute` equals the expression's value. The first rule is the anchor."""

    attribute: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a new account goes when `when` holds (None: always)."""

    when: Expression | None
    ou: DN
    rule: Rule


@dataclass(frozen=True, slots=True)
class Flow:
    """Keeps (or, under `initial`, once sets) one account attribute."""

    attribute: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Initial:
    """Set once, when the account is created."""

    cn: Expression
    uac: int
    uac_rule: Rule
    password_length: int
    password_rule: Rule
    flows: tuple[Flow, ...]
    """Other attributes set only at creation."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What happens to the account of a guest who is blocked, has left, or is back."""

    blocked_disable: bool
    left_disable: bool
    left_move: DN | None
    left_delete_after: timedelta | None
    returned_restore: bool
    rules: Mapping[str, Rule]
    """`lifecycle.blocked`, `lifecycle.left`, `lifecycle.returned`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One guard: at most `max` changes, and at most `percent` of the managed accounts (rounded up)."""

    max: int | None
    percent: float | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Hold:
    """A guest id or account SID that every plan leaves as it is until `until` (inclusive)."""

    subject: str
    reason: str
    until: date
    rule: Rule


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Lets a plan with exactly these counts past the guards until `until` (inclusive)."""

    counts: Mapping[Action, int]
    reason: str
    until: date
    rule: Rule


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file."""

    file: str
    scope: Expression
    joins: tuple[Join, ...]
    placement: tuple[Placement, ...]
    initial: Initial
    flows: tuple[Flow, ...]
    lifecycle: Lifecycle
    guards: Mapping[Action, Limit]
    holds: tuple[Hold, ...]
    acknowledge: tuple[Acknowledge, ...]
    guest_attributes: tuple[str, ...]
    """Graph properties to import: what the expressions read, and userPrincipalName, userType, accountEnabled. Sorted; no id."""
    account_attributes: tuple[str, ...]
    """LDAP attributes to import: flows', initials' and joins' (not unicodePwd, not cn) and userAccountControl. Sorted."""
    declared: tuple[Attribute, ...] = ()
    """Attributes of the domain's own schema extensions that the policy declares: `model.schema` does not know them."""
    identity: Identity | None = Identity.UPN
    """Under which name single sign-on asks for a guest; None where the accounts are not for that."""

    @property
    def anchor(self) -> Join:
        """The join rule that marks an account as this program's."""
        return self.joins[0]

    def attribute(self, name: str) -> Attribute:
        """Return what is known of an account's attribute: as declared here, else as `model.schema` has it."""
        return next((a for a in self.declared if a.name.casefold() == name.casefold()), None) or attribute(name)
