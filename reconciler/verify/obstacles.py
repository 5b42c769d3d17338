"""What in the directory stands in the way, before any KDC was asked. Pure: `reconcile doctor` may ask the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from . import remedies
from .causes import Cause, Finding
from .facts import (
    ACCOUNTDISABLE,
    NOT_DELEGATED,
    TOLERATED_SKEW,
    TRUSTED_TO_AUTH_FOR_DELEGATION,
    Party,
    Person,
    Surroundings,
)
from .quoting import powershell, shell


def of_account(account: Party, now: datetime) -> Iterator[Finding]:
    """Yield what keeps this account from being impersonated at all, or from being passed on."""
    who = f"The guest's account {account.dn}{_as_of(account)}"
    if account.has(ACCOUNTDISABLE):
        yield remedies.disabled(account, f"{who} is disabled.")
    if account.expires is not None and account.expires <= now:
        yield remedies.expired(account, f"{who} expired on {account.expires:%Y-%m-%d}.")
    if account.locked:
        yield remedies.locked(account, f"{who} is locked out.")
    if account.has(NOT_DELEGATED):
        yield remedies.not_delegated(
            account, f"{who} is marked as sensitive: no ticket in its name is passed on (NOT_DELEGATED)."
        )
    if account.protected_users:
        yield remedies.protected_users(
            account,
            f"{who} is in Protected Users: Windows passes no ticket in its name on. Samba does not enforce that.",
        )


def of_person(person: Person, now: datetime) -> Iterator[Finding]:
    """Yield what stands in this guest's way: at the account, and between its name and the name asked for."""
    account = person.party
    if account is None:
        if person.joined is None:
            yield Finding(
                Cause.NO_ACCOUNT,
                "The guest has no account in Active Directory.",
                "Import and plan: `reconcile snapshot`, `reconcile plan`.",
            )
        elif person.holders is not None:
            gone = Party(person.joined, "")
            yield remedies.deleted(
                gone,
                f"The guest's account {person.joined} is not there any more: it was deleted, or this account may not see it.",
                seen=False,
            )
    elif account.deleted:
        yield remedies.deleted(account, f"The guest's account {account.sid} was deleted.", seen=True)
    else:
        yield from of_account(account, now)
    yield from _of_name(person)


def _of_name(person: Person) -> Iterator[Finding]:
    account, holders = person.party, person.holders
    if account is None or account.deleted:
        live = None
    else:
        live = account.sid
        held = account.upn if person.by_upn else account.sam
        if (held or "").casefold() != person.name.casefold():
            yield _differs(person, account, held)
    if holders is None:
        return
    others = [h for h in holders if h.sid != (live or person.joined)]
    if live is not None and others and len(others) < len(holders):
        names = " and ".join(h.dn for h in holders)
        yield Finding(
            Cause.DUPLICATE_UPN,
            f"{len(holders)} accounts of the forest have the name {person.name}: {names}.",
            "Take it from the account it does not belong to: while both have it, Windows finds neither.",
            (f"Set-ADUser -Identity {powershell(others[0].sid)} -UserPrincipalName 'ANOTHER'",),
            (f"samba-tool user edit {shell(others[0].sam or others[0].dn)}",),
        )
    elif others:
        yield Finding(
            Cause.ANOTHER_ACCOUNT,
            f"{person.name} is the name of another account than this guest's: {others[0].dn}. "
            "Whoever signs in as this guest is that account.",
            "Take the name from that account at once, then import and plan.",
            (f"Set-ADUser -Identity {powershell(others[0].sid)} -UserPrincipalName 'ANOTHER'",),
            (f"samba-tool user edit {shell(others[0].sam or others[0].dn)}",),
        )


def _differs(person: Person, account: Party, held: str | None) -> Finding:
    if person.by_upn:
        entra = " (Entra's)" if person.name == person.entra_upn else ""
        return remedies.upn_differs(
            account,
            person.name,
            f"The guest is asked for as {person.name}{entra}, but the account's UPN{_as_of(account)} is {held or 'empty'}.",
        )
    return Finding(
        Cause.IDENTITY_DIFFERS,
        f"The guest is asked for as {person.name}, but the account's sAMAccountName{_as_of(account)} is {held or 'empty'}.",
        "Choose another delegated login identity in the application's single sign-on settings, or let the policy's flow of "
        "sAMAccountName write this name.",
    )


def of_connector(around: Surroundings, now: datetime) -> Iterator[Finding]:
    """Yield what the connector lacks: itself, and for this service."""
    connector = around.connector
    if connector is None:
        return
    who = f"The connector's account {connector.dn}"
    if connector.has(ACCOUNTDISABLE):
        yield remedies.disabled(connector, f"{who} is disabled.", Cause.CONNECTOR_REVOKED)
    if connector.expires is not None and connector.expires <= now:
        yield remedies.expired(connector, f"{who} expired on {connector.expires:%Y-%m-%d}.", Cause.CONNECTOR_REVOKED)
    if connector.locked:
        yield remedies.locked(connector, f"{who} is locked out.", Cause.CONNECTOR_REVOKED)
    if connector.password_expired:
        yield Finding(
            Cause.CONNECTOR_REVOKED,
            f"The password of {who[0].lower()}{who[1:]} has expired.",
            "Set a new one, and make its keytab anew.",
        )
    if not connector.spns:
        yield remedies.without_spn(connector, f"{who} has no service principal name.")
    if around.spn.casefold() not in {s.casefold() for s in connector.allowed_to}:
        yield _not_allowed(around, connector)
    if connector.lacks(TRUSTED_TO_AUTH_FOR_DELEGATION):
        yield remedies.no_transition(
            connector, f"{who} is not trusted for protocol transition (TRUSTED_TO_AUTH_FOR_DELEGATION)."
        )


def _not_allowed(around: Surroundings, connector: Party) -> Finding:
    listed = ", ".join(connector.allowed_to) or "nothing"
    missing = f"{around.spn} is not in msDS-AllowedToDelegateTo of {connector.dn}, which lists {listed}."
    trusting = [s for s in around.services or () if connector.sid in s.trusted_by]
    if not trusting:
        return remedies.not_allowed(connector, around.spn, missing)
    return remedies.not_allowed(
        connector,
        around.spn,
        f"Resource-based delegation is set up instead: {trusting[0].dn} names the connector in "
        f"msDS-AllowedToActOnBehalfOfOtherIdentity, and {missing}",
        Cause.RESOURCE_BASED,
    )


def of_service(around: Surroundings) -> Iterator[Finding]:
    """Yield what is wrong with the service's name or account."""
    services = around.services
    if services is None:
        return
    if not services:
        yield remedies.wrong_spn(around.spn, f"No account of the forest has the service principal name {around.spn}.")
    elif len(services) > 1:
        names = " and ".join(s.dn for s in services)
        yield remedies.duplicate_spn(
            around.spn, f"{len(services)} accounts have the name {around.spn}: {names}.", services
        )
    elif services[0].has(ACCOUNTDISABLE):
        service = services[0]
        yield remedies.disabled(
            service, f"The account that {around.spn} belongs to, {service.dn}, is disabled.", Cause.SERVICE_DISABLED
        )


def of_clock(around: Surroundings) -> Iterator[Finding]:
    """Yield a clock that is too far off."""
    if around.skew is not None and abs(around.skew) > TOLERATED_SKEW:
        seconds = round(around.skew.total_seconds())
        direction = "ahead of" if seconds > 0 else "behind"
        yield clock_skew(f"This machine's clock is {abs(seconds):,} seconds {direction} the domain controller's.")


def clock_skew(what: str) -> Finding:
    """The clocks are too far apart."""
    return Finding(
        Cause.CLOCK_SKEW,
        what,
        "Set this machine's clock by the domain's; Kerberos tolerates five minutes.",
        ("w32tm /resync",),
        ("chronyc makestep",),
    )


def of_ticket(around: Surroundings) -> Iterator[Finding]:
    """Yield a connector's ticket that cannot carry anybody further."""
    if around.forwardable is not False:
        return
    connector = around.connector
    if connector is not None and (connector.has(NOT_DELEGATED) or connector.protected_users):
        why = "is marked as sensitive" if connector.has(NOT_DELEGATED) else "is in Protected Users"
        remedy = "Clear that; a connector's ticket must be forwardable."
        windows: tuple[str, ...] = (
            f"Set-ADAccountControl -Identity {powershell(connector.dn)} -AccountNotDelegated $false",
        )
        samba: tuple[str, ...] = (f"samba-tool user sensitive {shell(connector.sam or '')} off",)
        what = f"The connector's ticket is not forwardable: its account {connector.dn} {why}."
    else:
        what = "The connector's ticket-granting ticket is not forwardable."
        remedy = "Get one that is: kinit -f, or use --keytab, which asks for one."
        windows, samba = (), ("kinit -f",)
    yield Finding(Cause.NOT_FORWARDABLE, what, remedy, windows, samba)


def _as_of(account: Party) -> str:
    return f" (as imported at {account.imported})" if account.imported else ""
