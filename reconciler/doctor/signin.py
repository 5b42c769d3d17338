"""Checks on what a guest's sign-in needs, as far as it can be seen before anybody signs in: see `reconciler/verify/obstacles.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from reconciler.verify import obstacles
from reconciler.verify.causes import Cause
from reconciler.verify.causes import Finding as Obstacle
from reconciler.verify.facts import NOT_DELEGATED, Person, Surroundings

from .finding import Check, Finding, Steps, Unknown

_VERIFY: Final = Steps(
    "Prove it, as Application Proxy's connector would: `reconcile verify --all --service HTTP/app.contoso.test`."
)
_HIDDEN: Final = (
    "Its account does not show its flags (userAccountControl): whether it is enabled and trusted cannot be told."
)
_SHOWN: Final = 5
_COMMANDS: Final = 12

KDC: Final = Check(
    "sign-in.kdc",
    "A KDC answers",
    "Tickets come from the domain controllers' port 88; without one nobody reaches a Kerberos application.",
    blocks=True,
    look=Steps(
        "", ("Test-NetConnection -ComputerName dc1.contoso.test -Port 88",), bash=("nc -vz dc1.contoso.test 88",)
    ),
    mend=Steps(
        "Start the service, and open port 88 (TCP).", ("Start-Service -Name kdc",), ("systemctl start samba-ad-dc",)
    ),
)
ACCOUNTS: Final = Check(
    "sign-in.accounts",
    "Nothing stands in the way of a guest's sign-in",
    "An account that is disabled, locked, expired, sensitive, protected, gone or otherwise named keeps its guest out.",
    blocks=False,
    look=_VERIFY,
    mend=Steps(
        "Each cause has its own remedy; the finding prints those of the accounts it names.",
        ("Unlock-ADAccount -Identity guest", "Set-ADAccountControl -Identity guest -AccountNotDelegated $false"),
        ("samba-tool user unlock guest", "samba-tool user sensitive guest off"),
    ),
)
CONNECTOR: Final = Check(
    "sign-in.connector",
    "The connector may obtain tickets for guests",
    "It needs protocol transition and the service in its own list, and must be able to sign in itself.",
    blocks=True,
    look=Steps(
        "Name the connector's account and the service: `reconcile doctor --connector NAME --service HTTP/app.contoso.test`."
    ),
    mend=Steps(
        "On the connector's account: Delegation, this service only, any authentication protocol.",
        (
            "Set-ADAccountControl -Identity 'connector$' -TrustedToAuthForDelegation $true",
            "$connector = Get-ADComputer -Identity 'connector$'",
            "Set-ADObject -Identity $connector -Add @{'msDS-AllowedToDelegateTo'='HTTP/app.contoso.test'}",
        ),
        (
            "samba-tool delegation for-any-protocol 'connector$' on",
            "samba-tool delegation add-service 'connector$' HTTP/app.contoso.test",
        ),
    ),
)
SERVICE: Final = Check(
    "sign-in.service",
    "The service has one account, and that is enabled",
    "The KDC finds the application by its service principal name: none, or two, and there is no ticket for it.",
    blocks=True,
    look=Steps("Name the service: `reconcile doctor --service HTTP/app.contoso.test`."),
    mend=Steps(
        "Give the name to the account that the application runs as, and to no other.",
        ("setspn -Q HTTP/app.contoso.test", "setspn -S HTTP/app.contoso.test 'app$'"),
        ("samba-tool spn add HTTP/app.contoso.test 'app$'",),
    ),
)
CHECKS: Final = (KDC, ACCOUNTS, CONNECTOR, SERVICE)


@dataclass(frozen=True, slots=True)
class SignInSeen:
    """Who should be able to sign in, and with what. `around` is None where no service was named."""

    kdcs: Sequence[tuple[str, str | Unknown]]
    """Each controller's URL, and why its port 88 cannot be reached."""
    people: Sequence[Person] | Unknown
    around: Surroundings | Unknown | None
    connector: str | None = None


def judge(seen: SignInSeen, now: datetime) -> Iterator[Finding]:
    """Judge what can be seen beforehand."""
    yield _kdc(seen)
    yield _accounts(seen, now)
    yield from _service(seen, now)


def _kdc(seen: SignInSeen) -> Finding:
    down = [f"{url}: {why.why}" for url, why in seen.kdcs if isinstance(why, Unknown)]
    if len(down) == len(seen.kdcs):
        return KDC.failed(*down)
    return KDC.failed(*down, blocks=False) if down else KDC.passed(*(url for url, _ in seen.kdcs))


def _accounts(seen: SignInSeen, now: datetime) -> Finding:
    if isinstance(seen.people, Unknown):
        return ACCOUNTS.unknown(seen.people.why)
    if not seen.people:
        return ACCOUNTS.unknown("No guest has an account yet.")
    by_cause: dict[Cause, list[Obstacle]] = {}
    for person in seen.people:
        for obstacle in obstacles.of_person(person, now):
            by_cause.setdefault(obstacle.cause, []).append(obstacle)
    hidden = [p.party.dn for p in seen.people if p.party and not p.party.deleted and p.party.uac is None]
    if not by_cause and hidden:
        return ACCOUNTS.unknown(f"{len(hidden)} accounts do not show their flags, {hidden[0]} first.")
    if not by_cause:
        return ACCOUNTS.passed(f"{len(seen.people)} accounts were looked at.")
    said = []
    for cause, found in by_cause.items():
        said += [f"{cause.value}: {obstacle.what}" for obstacle in found[:_SHOWN]]
        said += [f"{cause.value}: and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return ACCOUNTS.failed(*said, mend=_steps([o for found in by_cause.values() for o in found]))


def _service(seen: SignInSeen, now: datetime) -> Iterator[Finding]:
    if seen.around is None or isinstance(seen.around, Unknown):
        why = seen.around.why if seen.around else "No service was named (--service)."
        yield CONNECTOR.unknown(why)
        yield SERVICE.unknown(why)
        return
    service = list(obstacles.of_service(seen.around))
    subject = seen.around.spn
    if seen.around.connector is None:
        why = (
            f"The domain has no account {seen.connector}."
            if seen.connector
            else "No connector was named (--connector)."
        )
        yield CONNECTOR.failed(why) if seen.connector else CONNECTOR.unknown(why)
    else:
        in_way = [*obstacles.of_connector(seen.around, now), *_unforwardable(seen.around)]
        who = seen.around.connector.dn
        yield (
            CONNECTOR.failed(*(o.what for o in in_way), subject=who, mend=_steps(in_way))
            if in_way
            else CONNECTOR.unknown(_HIDDEN, subject=who)
            if seen.around.connector.uac is None
            else CONNECTOR.passed(subject=who)
        )
    yield (
        SERVICE.failed(*(o.what for o in service), subject=subject, mend=_steps(service))
        if service
        else SERVICE.unknown(_HIDDEN, subject=subject)
        if any(account.uac is None for account in seen.around.services or ())
        else SERVICE.passed(subject=subject)
    )


def _unforwardable(around: Surroundings) -> list[Obstacle]:
    """A connector that is marked as sensitive, or protected, gets no ticket that carries anybody further."""
    connector = around.connector
    if connector is None or not (connector.has(NOT_DELEGATED) or connector.protected_users):
        return []
    return list(obstacles.of_ticket(replace(around, forwardable=False)))


def _steps(found: Sequence[Obstacle]) -> Steps:
    words = " ".join(dict.fromkeys(o.remedy for o in found))
    windows = dict.fromkeys(line for o in found for line in o.powershell)
    samba = dict.fromkeys(line for o in found for line in o.samba)
    return Steps(words, tuple(windows)[:_COMMANDS], tuple(samba)[:_COMMANDS])
