"""Checks on the way to Entra ID: sign-in, what the token may do, the certificate, the clock."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .finding import Check, Finding, Steps, Unknown

PERMISSION: Final = "User.Read.All"
NO_ROLE: Final = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
NO_MEMBER: Final = "b79fbf4d-3ef9-4689-8143-76b194e85509"
"""In a token's `wids` these stand where an app or a user has no directory role besides."""
GRACE: Final = timedelta(days=30)
URGENT: Final = timedelta(days=7)
TOLERATED: Final = timedelta(minutes=5)
"""What Kerberos tolerates, and about what Entra does for an assertion."""
_LIST: Final = ("az ad app permission list --id 00000000-0000-0000-0000-000000000000",)

SIGN_IN: Final = Check(
    "entra.sign-in",
    "The app signs in to Entra ID",
    "Without a token nothing is imported, and apply refuses, since it reads every guest again before it writes.",
    blocks=True,
    look=Steps("Run `reconcile snapshot --only graph` where the plan job runs."),
    mend=Steps("The message has the remedy. See docs/how-to/least-privilege.md."),
)
READS: Final = Check(
    "entra.reads",
    "Microsoft Graph lets the app read users",
    "A permission counts once an administrator has consented to it.",
    blocks=True,
    look=Steps("Run `reconcile snapshot --only graph` where the plan job runs."),
    mend=Steps(
        "Grant the application permission User.Read.All, and consent to it.",
        bash=(
            "app=00000000-0000-0000-0000-000000000000 graph=00000003-0000-0000-c000-000000000000",
            'az ad app permission add --id "$app" --api "$graph" --api-permissions df021288-bdef-4463-88db-98f22de89214=Role',
            'az ad app permission admin-consent --id "$app"',
        ),
    ),
)
WIDTH: Final = Check(
    "entra.permission",
    "The token's permissions are exactly User.Read.All",
    "Whatever else the app may do, whoever has its credential may do: with User.ReadWrite.All, to every user of the tenant.",
    blocks=True,
    look=Steps("Look at what the app has been granted; User.Read.All must be all of it.", bash=_LIST),
    mend=Steps(
        "Take every other permission away, and the consent to it (portal: Enterprise applications, Permissions). Take the app's"
        " directory roles away as well: their ids are those of the templates in Roles and administrators.",
        (
            "$sp = Get-MgServicePrincipal -Filter \"appId eq '00000000-0000-0000-0000-000000000000'\"",
            "$all = Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id",
            "$wide = $all | Where-Object AppRoleId -ne 'df021288-bdef-4463-88db-98f22de89214'",
            "foreach ($one in $wide) {",
            "Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id -AppRoleAssignmentId $one.Id",
            "}",
            "Get-MgRoleManagementDirectoryRoleAssignment -Filter \"principalId eq '$($sp.Id)'\"",
        ),
        bash=_LIST,
    ),
)
CERTIFICATE: Final = Check(
    "entra.certificate",
    "The app's credential does not expire soon",
    "When it has expired, every job stops at the sign-in, until somebody makes a new one.",
    blocks=True,
    look=Steps(
        "See when the app's credentials end.",
        bash=("az ad app credential list --id 00000000-0000-0000-0000-000000000000 --query '[].endDateTime'",),
    ),
    mend=Steps(
        "Make a new one, upload it beside the old one, and change the file: docs/how-to/certificates.md.",
        bash=("az ad app credential reset --id 00000000-0000-0000-0000-000000000000 --append --cert @certificate.pem",),
    ),
)
KEY_FILE: Final = Check(
    "entra.key-file",
    "The app's private key is kept from others",
    "Whoever can read the file is the app.",
    blocks=True,
    look=Steps(
        "See who may read the file.",
        ("icacls C:\\reconcile\\reconcile.pem",),
        bash=("ls -l /etc/reconcile/reconcile.pem",),
    ),
    mend=Steps(
        "Let only the job's user read it, and keep it out of the repository.",
        bash=("chmod 600 /etc/reconcile/reconcile.pem",),
    ),
)
CLOCK: Final = Check(
    "entra.clock",
    "This machine's clock agrees with Microsoft Graph's",
    "An assertion that is not valid yet is refused, and a plan's age is told by this clock.",
    blocks=True,
    look=Steps("Compare the clock with a time server.", bash=("timedatectl timesync-status",)),
    mend=Steps("Set the clock by a time server.", ("w32tm /resync",), bash=("chronyc makestep",)),
)
CHECKS: Final = (SIGN_IN, READS, WIDTH, CERTIFICATE, KEY_FILE, CLOCK)


@dataclass(frozen=True, slots=True)
class Key:
    """The file with the app's private key and its certificate. `others` may read it (None: not known); `inside` the repository it lies."""

    path: str
    expires: datetime
    others: bool | None
    inside: bool


@dataclass(frozen=True, slots=True)
class Entra:
    """What was seen on the way to Graph. `skew` is this machine's clock less Graph's; `read` is empty where reading works."""

    credential: str
    token: str | Unknown
    read: str | Unknown
    skew: timedelta | Unknown
    key: Key | Unknown | None
    """None where no certificate is used."""


def judge(seen: Entra, now: datetime) -> Iterator[Finding]:
    """Judge the way to Entra ID."""
    if isinstance(seen.token, Unknown):
        yield SIGN_IN.failed(seen.token.why)
        yield READS.unknown("It did not sign in.")
        yield WIDTH.unknown("It did not sign in.")
    else:
        yield SIGN_IN.passed(f"credential: {seen.credential}")
        yield READS.failed(seen.read.why) if isinstance(seen.read, Unknown) else READS.passed("One user was read.")
        yield width(seen.token)
    yield from credential(seen, now)
    yield clock(CLOCK, seen.skew, "Graph's")


def width(token: str) -> Finding:
    """Judge what a token lets its bearer do, by its claims; Entra may change their form without notice."""
    claims = claims_of(token)
    roles, scopes = claims.get("roles"), claims.get("scp")
    if isinstance(roles, list):
        held = sorted(str(role) for role in roles)
    elif isinstance(scopes, str):
        held = sorted(s for s in scopes.split() if s not in ("openid", "profile", "email", "offline_access"))
    elif claims:
        return WIDTH.failed("The token has no permission at all (no roles, no scp).", mend=READS.mend)
    else:
        return WIDTH.unknown("The token cannot be read: Entra does not promise that it can.")
    wide = [role for role in held if role != PERMISSION]
    wids = claims.get("wids")
    directory = sorted({str(wid) for wid in wids} - {NO_ROLE, NO_MEMBER}) if isinstance(wids, list) else []
    said = [f"excess: {role}" for role in wide]
    said += [f"excess: the directory role {wid}" for wid in directory]
    if PERMISSION not in held:
        said.insert(0, f"missing: {PERMISSION}")
    if not said:
        return WIDTH.passed(PERMISSION)
    delegated = not isinstance(roles, list)
    return WIDTH.failed(*said, mend=WIDTH.mend if wide or directory else READS.mend, blocks=not delegated)


def claims_of(token: str) -> Mapping[str, object]:
    """Return a token's claims, unverified: only Graph can say whether it is good. Empty where it is not a JWT (RFC 7519)."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  header, claims, signature
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def credential(seen: Entra, now: datetime) -> Iterator[Finding]:
    """Judge the app's credential: how long it is good, who may read it."""
    if seen.key is None:
        if seen.credential == "secret":
            yield CERTIFICATE.unknown(
                "A secret does not say when it expires. A federated credential has nothing that does."
            )
        else:
            yield CERTIFICATE.passed(f"credential: {seen.credential} keeps nothing that expires.")
        yield KEY_FILE.passed("No key file is used.")
        return
    if isinstance(seen.key, Unknown):
        yield CERTIFICATE.failed(seen.key.why)
        yield KEY_FILE.unknown(seen.key.why)
        return
    yield expiry(CERTIFICATE, seen.key.expires, now, seen.key.path)
    faults = ["other users of this machine may read it"] if seen.key.others else []
    faults += ["it lies in the repository"] if seen.key.inside else []
    if faults:
        yield KEY_FILE.failed(*faults, subject=seen.key.path)
    elif seen.key.others is None:
        yield KEY_FILE.unknown("Who may read a file on this system is not looked at.", subject=seen.key.path)
    else:
        yield KEY_FILE.passed(subject=seen.key.path)


def expiry(check: Check, expires: datetime, now: datetime, subject: str) -> Finding:
    """Judge how long something is still good."""
    days, day = (expires - now).days, f"{expires:%Y-%m-%d}"
    if expires <= now:
        return check.failed(f"It expired on {day}.", subject=subject)
    if expires - now < GRACE:
        return check.failed(f"It expires on {day}, in {days} days.", subject=subject, blocks=expires - now < URGENT)
    return check.passed(f"good until {day}", subject=subject)


def clock(check: Check, skew: timedelta | Unknown, whose: str, subject: str = "") -> Finding:
    """Judge how far two clocks are apart."""
    if isinstance(skew, Unknown):
        return check.unknown(skew.why, subject=subject)
    seconds = round(skew.total_seconds())
    said = f"this machine's clock is {abs(seconds):,} s {'ahead of' if seconds > 0 else 'behind'} {whose}"
    return check.failed(said, subject=subject) if abs(skew) > TOLERATED else check.passed(said, subject=subject)
