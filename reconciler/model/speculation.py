"""What makes a plan speculative: it shows what a change of the policy would do, and is never applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .dn import DN
from .plan import DANGEROUS, Action, Change, Delta, Rule

PLACE = "placement"
"""Stands for the attribute where it is the organizational unit that stays."""


class Effect(StrEnum):
    """How a plan differs from the one of the policy before, for one guest and one action."""

    NEW = "new"
    OTHERWISE = "otherwise"
    """Planned by both policies, with other values."""
    GONE = "gone"
    """Planned by the policy before alone."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Accounts that a change of the policy affects alike. `action` is None for a conflict, whose kind is `conflict`.

    `attributes` and `rules` are those whose values differ.
    """

    effect: Effect
    action: Action | None
    conflict: str
    attributes: tuple[str, ...]
    rules: tuple[Rule, ...]
    accounts: int

    @property
    def dangerous(self) -> bool:
        """Whether a reviewer should see it before the rest: also what is no longer done, if it was of that kind."""
        renamed = "userPrincipalName" in self.attributes and self.action is not Action.CREATE
        return self.action in DANGEROUS or renamed


@dataclass(frozen=True, slots=True)
class Example:
    """One account of those affected; of the change, only what differs."""

    effect: Effect
    change: Change

    @property
    def to(self) -> DN | None:
        """Where the account comes to be, where that is said: of a new one, one that is moved, or renamed."""
        return self.change.to or (self.change.dn if self.change.action is Action.CREATE else None)


@dataclass(frozen=True, slots=True)
class Radius:
    """The blast radius: what comes of the change of the policy, and of nothing else.

    `accounts` counts guests; `kinds` the dangerous first; `places` accounts by organizational unit, the most first.
    """

    accounts: int
    kinds: tuple[Kind, ...]
    places: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]
    changes: frozenset[str] = field(default=frozenset())
    """Keys of the plan's changes that come of it, or are otherwise because of it."""
    conflicts: frozenset[tuple[str, str]] = field(default=frozenset())
    """Subject and kind of the plan's conflicts that come of it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What cannot be said yet, and which rule asks for it. `what` is a sentence."""

    what: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """One account that is there, what it holds (`delta.before`), and what it would be made with now (`delta.after`)."""

    guest: str
    label: str
    delta: Delta


@dataclass(frozen=True, slots=True)
class Unreached:
    """What a change of the policy does not bring to accounts that are there, because it counts at their creation."""

    attribute: str
    rule: Rule
    accounts: int
    examples: tuple[Stay, ...]


@dataclass(frozen=True, slots=True)
class Speculation:
    """`base` is the commit whose policy the radius compares with; no radius where that one cannot be planned."""

    base: str
    radius: Radius | None
    unknown: tuple[Unknown, ...] = ()
    unreached: tuple[Unreached, ...] = ()
