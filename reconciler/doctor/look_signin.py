"""Reads who takes part in sign-ins: the KDCs, the guests' accounts as they are now, the connector, the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.directory.ldap.delegation import Delegation
from reconciler.directory.ldap.dial import Endpoint
from reconciler.errors import ReconcileError
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.identity import Identity
from reconciler.model.settings import Settings
from reconciler.state.model import State
from reconciler.verify.facts import Party, Person, Surroundings
from reconciler.verify.identity import Asked, asked
from reconciler.verify.port import DelegationFacts

from .attempt import attempt, why
from .finding import Unknown
from .look_controllers import Connected
from .signin import SignInSeen

_KDC_PORT: Final = 88
_PATIENCE: Final = 5.0
MOST: Final = 5000
"""How many accounts are read: of more, every nth."""


class WhoSignsIn:
    """Knows from the directory's facts who should be able to sign in, and with what."""

    def __init__(self, reader: DelegationFacts) -> None:
        self._reader = reader

    def people(self, state: State, identity: Identity | None) -> tuple[Person, ...]:
        """Return every guest who should be able to sign in now, with the account as it is, under the name that is asked for.

        Where there is none (`identity` None: the accounts are not for single sign-on), names are left out of it.
        """
        joined = list(_joined(state))
        joined = joined[:: -(-len(joined) // MOST) or 1]
        parties = self._reader.parties(account.guid for account, _ in joined)
        names = {g.id: asked(identity, g, parties.get(a.guid)) for a, g in joined} if identity else {}
        by_upn = identity is None or identity.attribute == "userPrincipalName"
        holders = self._reader.named((n.name for n in names.values() if n), by_upn=by_upn)
        return tuple(_person(a, g, parties.get(a.guid), names.get(g.id), holders, by_upn=by_upn) for a, g in joined)

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
    identity: Identity | None,
    connector: str | None,
    service: str | None,
) -> SignInSeen:
    """Return what can be seen; `at` is None where no controller could be signed in to."""
    kdcs = [(url, _knock(url)) for url in settings.directory.controllers]
    if at is None:
        hidden = Unknown("No domain controller was signed in to.")
        return SignInSeen(kdcs, hidden, hidden if service else None, connector)
    made = attempt(lambda: WhoSignsIn(Delegation(at.session, at.catalog)))
    if isinstance(made, Unknown):
        return SignInSeen(kdcs, made, made if service else None, connector)
    if state is None or isinstance(state, Unknown):
        people: tuple[Person, ...] | Unknown = state or Unknown("Nothing was imported yet.")
    else:
        imported = state
        people = attempt(lambda: made.people(imported, identity))
    around = attempt(lambda: made.around(service, connector)) if service else None
    return SignInSeen(kdcs, people, around, connector)


def _person(
    account: Account,
    guest: Guest,
    party: Party | None,
    name: Asked | None,
    holders: Mapping[str, tuple[Party, ...]],
    *,
    by_upn: bool,
) -> Person:
    upn = guest.attributes.get("userPrincipalName")
    own = (party.upn if by_upn else party.sam) if party else None
    return Person(
        guest=guest.id,
        entra_upn=upn if isinstance(upn, str) else None,
        name=name.name if name else own or "",
        by_upn=by_upn,
        party=party,
        joined=account.sid,
        holders=holders.get(name.name, ()) if name else (),
    )


def _joined(state: State) -> Iterator[tuple[Account, Guest]]:
    """Yield the accounts whose guest may sign in. What this program disabled, or will delete, keeps nobody out by mistake."""
    for account in state.accounts.values():
        guest = state.guests.get(account.guest or "")
        if guest and guest.enabled and not account.suspended and account.departed is None:
            yield account, guest


def _knock(url: str) -> str | Unknown:
    try:
        host = Endpoint.parse(url).host
        with socket.create_connection((host, _KDC_PORT), _PATIENCE):
            return "reached"
    except ReconcileError as error:
        return why(error)
    except OSError as error:
        return Unknown(f"port {_KDC_PORT}: {error.strerror or error}")
