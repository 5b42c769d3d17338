"""Reads who takes part in sign-ins: the KDCs, the guests' accounts as they are now, the connector, the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Final

from reconciler.directory.ldap.delegation import Delegation
from reconciler.directory.ldap.dial import Endpoint
from reconciler.errors import ReconcileError
from reconciler.model.account import Account
from reconciler.model.settings import Settings
from reconciler.state.model import State
from reconciler.verify.facts import Person, Surroundings

from .attempt import attempt, why
from .finding import Unknown
from .look_controllers import Connected
from .signin import SignInSeen

_KDC_PORT: Final = 88
_PATIENCE: Final = 5.0
MOST: Final = 5000
"""How many accounts are read: of more, every nth."""


class WhoSignsIn:
    """Reads over one connection, and another to the global catalog where the forest has several domains."""

    def __init__(self, at: Connected) -> None:
        self._reader = Delegation(at.session, at.catalog)

    def people(self, state: State) -> tuple[Person, ...]:
        """Return every guest who should be able to sign in now, with the account as it is."""
        joined = list(_joined(state))
        joined = joined[:: -(-len(joined) // MOST) or 1]
        parties = self._reader.parties(account.guid for account, _ in joined)
        holders = self._reader.named((upn for _, upn in joined), by_upn=True)
        return tuple(
            Person(
                guest=account.guest or "",
                entra_upn=upn,
                name=upn,
                by_upn=True,
                party=parties.get(account.guid),
                joined=account.sid,
                holders=holders.get(upn, ()),
            )
            for account, upn in joined
        )

    def around(self, service: str, connector: str | None) -> Surroundings:
        """Return what is the same for every guest."""
        return Surroundings(
            spn=service,
            connector=self._reader.principal(connector) if connector else None,
            services=self._reader.serving(service),
        )


def look(
    settings: Settings,
    state: State | Unknown | None,
    at: Connected | None,
    connector: str | None,
    service: str | None,
) -> SignInSeen:
    """Return what can be seen; `at` is None where no controller could be signed in to."""
    kdcs = [(url, _knock(url)) for url in settings.directory.controllers]
    if at is None:
        hidden = Unknown("No domain controller was signed in to.")
        return SignInSeen(kdcs, hidden, hidden if service else None, connector)
    made = attempt(lambda: WhoSignsIn(at))
    if isinstance(made, Unknown):
        return SignInSeen(kdcs, made, made if service else None, connector)
    if state is None or isinstance(state, Unknown):
        people: tuple[Person, ...] | Unknown = state or Unknown("Nothing was imported yet.")
    else:
        imported = state
        people = attempt(lambda: made.people(imported))
    around = attempt(lambda: made.around(service, connector)) if service else None
    return SignInSeen(kdcs, people, around, connector)


def _joined(state: State) -> Iterator[tuple[Account, str]]:
    """Yield the accounts whose guest may sign in. What this program disabled, or will delete, keeps nobody out by mistake."""
    for account in state.accounts.values():
        guest = state.guests.get(account.guest or "")
        upn = guest.attributes.get("userPrincipalName") if guest else None
        if guest and guest.enabled and not account.suspended and account.departed is None and isinstance(upn, str):
            yield account, upn


def _knock(url: str) -> str | Unknown:
    try:
        host = Endpoint.parse(url).host
        with socket.create_connection((host, _KDC_PORT), _PATIENCE):
            return "reached"
    except ReconcileError as error:
        return why(error)
    except OSError as error:
        return Unknown(f"port {_KDC_PORT}: {error.strerror or error}")
