"""What a proof found: of each guest, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.identity import Identity

from .causes import Cause, Finding
from .kdc import Refusal
from .port import Page


@dataclass(frozen=True, slots=True)
class Attempt:
    """One guest's sign-in. `findings` say why it failed, the cause first; none where the guest is let in.

    `seen` is the name in the ticket, as the service reads it. `also` is what this KDC let pass and another would not.
    """

    guest: str
    label: str
    dn: str | None
    sid: str | None
    sam: str | None
    asked: str | None
    assumed: bool
    findings: tuple[Finding, ...]
    also: tuple[Finding, ...] = ()
    refusal: Refusal | None = None
    seen: str | None = None
    page: Page | None = None

    @property
    def let_in(self) -> bool:
        """Whether the guest is."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found. `failed` is what stopped it before anybody was tried, or in the middle."""

    spn: str
    identity: Identity
    connector: str
    source: str
    realm: str
    directory: str
    """The controller whose facts were read; empty where `unread` says why there are none."""
    unread: str
    attempts: tuple[Attempt, ...]
    failed: tuple[Finding, ...] = ()
    refusal: Refusal | None = None
    url: str | None = None
    seed: str | None = None
    """None for a single guest."""
    population: int = 1
    without_account: int = 0
    wanted: int = 1
    """How many were to be tried."""
    everywhere: tuple[Finding, ...] = field(default=())
    """What is in every guest's way or would be elsewhere, though this KDC let it pass."""

    @property
    def let_in(self) -> int:
        """How many guests are."""
        return sum(a.let_in for a in self.attempts)

    @property
    def passed(self) -> bool:
        """Whether everybody who was to be tried is let in, and somebody was."""
        return not self.failed and 0 < self.let_in == self.wanted

    @property
    def causes(self) -> Mapping[Cause, list[Attempt]]:
        """Who failed, by the first cause, the most frequent first."""
        groups: dict[Cause, list[Attempt]] = {}
        for attempt in self.attempts:
            if attempt.findings:
                groups.setdefault(attempt.findings[0].cause, []).append(attempt)
        return dict(sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])))
