"""The connector at work: tickets by Kerberos itself, the page by Negotiate, each with one mechanism throughout."""

from __future__ import annotations

from .page import Site, fetch
from .port import Page
from .tickets import KRB5, SPNEGO, Connector, Source


class Agent:
    """Implements `port.Tickets`. Raises RefusedError at once where the connector itself gets no ticket.

    Negotiate hides Kerberos's error numbers, so the tickets are always obtained by Kerberos first; the page then gets a
    chain of its own.
    """

    def __init__(self, source: Source, realm: str, site: Site | None) -> None:
        self._source, self._realm, self._site = source, realm, site
        self._connector = Connector(source, realm, KRB5)
        self._negotiating: Connector | None = None

    @property
    def principal(self) -> str:
        """The connector's Kerberos principal."""
        return self._connector.principal

    def forwardable(self) -> bool:
        """Whether the connector's ticket-granting ticket is."""
        return self._connector.forwardable()

    def impersonate(self, name: str, *, by_upn: bool, spn: str) -> str:
        """Obtain both tickets; return the name that the service will see."""
        return self._connector.impersonate(name, by_upn=by_upn, spn=spn)

    def fetch(self, name: str, *, by_upn: bool, spn: str) -> Page:
        """Fetch the page."""
        if self._negotiating is None:
            self._negotiating = Connector(self._source, self._realm, SPNEGO)
        if self._site is None:
            raise ValueError("no page to fetch")
        return fetch(self._site, self._negotiating, name, by_upn=by_upn, spn=spn)
