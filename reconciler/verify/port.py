"""What a proof asks for: facts of the directory, tickets, a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .facts import Party
from .kdc import Refusal


class RefusedError(Exception):
    """A KDC, the Kerberos library or the page said no. Caught where the cause is looked for; no person sees it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


class DelegationFacts(Protocol):
    """Reads who takes part in sign-ins. Every method raises DirectoryError or one of its kinds."""

    @property
    def url(self) -> str:
        """The controller that answers."""
        ...

    def parties(self, guids: Iterable[str]) -> dict[str, Party]:
        """Return the accounts with these GUIDs, deleted ones included; unseen ones are absent."""
        ...

    def named(self, names: Iterable[str], *, by_upn: bool) -> dict[str, tuple[Party, ...]]:
        """Return who has each name: a UPN in the forest, or an account name in the domain. Names that nobody has are absent."""
        ...

    def principal(self, principal: str) -> Party | None:
        """Return the account that signs in under a Kerberos principal."""
        ...

    def serving(self, spn: str) -> tuple[Party, ...]:
        """Return every account of the forest with this service principal name."""
        ...

    def skew(self, now: datetime) -> timedelta:
        """Return how far `now` is ahead of the controller's clock."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """What the application answered to the guest's ticket. `user` is what it says whom it saw; None where it does not say.

    `proven` when its answer shows that it holds the service's key (mutual authentication).
    """

    status: int
    proven: bool
    user: str | None


class Tickets(Protocol):
    """Acts as the connector does. Every method raises RefusedError."""

    @property
    def principal(self) -> str:
        """The connector's Kerberos principal."""
        ...

    def forwardable(self) -> bool:
        """Whether the connector's ticket-granting ticket is."""
        ...

    def impersonate(self, name: str, *, by_upn: bool, spn: str) -> str:
        """Obtain the guest's ticket, then one for the service; return the name that the service will see."""
        ...

    def fetch(self, name: str, *, by_upn: bool, spn: str) -> Page:
        """Fetch the page with a ticket of its own."""
        ...
