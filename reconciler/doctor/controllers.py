"""Checks on the domain controllers: reached, trusted, signed in to, and what they demand of connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .entra import clock, expiry
from .finding import Check, Finding, Steps, Unknown

_PARAMETERS: Final = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\NTDS\\Parameters"
_STRONG: Final = "ldap server require strong auth = yes"

REACH: Final = Check(
    "controllers.reach",
    "The domain controller can be reached",
    "They are tried in order: one that is down costs time, and all of them down stop every job that touches the domain.",
    blocks=True,
    look=Steps("Try the port from where the jobs run.", bash=("nc -vz dc1.contoso.test 636",)),
    mend=Steps(
        "Check name, port, network and that the controller runs; or correct directory.controllers in reconcile.yaml."
    ),
)
TLS: Final = Check(
    "controllers.tls",
    "The domain controller shows a certificate that is trusted",
    "A password goes only where TLS was verified, name and chain. There is no switch to skip that.",
    blocks=True,
    look=Steps(
        "Look at the certificate.",
        bash=("openssl s_client -connect dc1.contoso.test:636 -verify_hostname dc1.contoso.test < /dev/null",),
    ),
    mend=Steps(
        "Use the name that the certificate has, renew it, or name its authority as directory.ca_file: docs/how-to/certificates.md.",
        ("certutil -ca.cert contoso-ca.cer", "certutil -encode contoso-ca.cer contoso-ca.pem"),
    ),
)
CERTIFICATE: Final = Check(
    "controllers.certificate",
    "The domain controller's certificate does not expire soon",
    "On the day it does, no job can use this controller any more.",
    blocks=True,
    look=Steps("See until when it is good.", bash=("openssl s_client -connect dc1.contoso.test:636 < /dev/null",)),
    mend=Steps(
        "Renew it on the controller (autoenrolment: certutil -pulse).",
        ("certutil -pulse",),
        ("systemctl restart samba-ad-dc",),
    ),
)
SIGN_IN: Final = Check(
    "controllers.sign-in",
    "The account signs in",
    "Everything that is asked of the domain is asked as this account.",
    blocks=True,
    look=Steps(
        "Set RECONCILE_LDAP_USER and RECONCILE_LDAP_PASSWORD (with bind: gssapi, KRB5CCNAME), and run it again."
    ),
    mend=Steps(
        "The message says what is wrong with the account or its password.",
        (
            "Get-ADUser -Identity reconcile-reader -Properties LockedOut, Enabled, AccountExpirationDate, PasswordExpired",
        ),
        ("samba-tool user show reconcile-reader",),
    ),
)
DOMAIN: Final = Check(
    "controllers.domain",
    "The domain controller serves the configured domain",
    "Settings, state and plans are of one domain; another one is refused before anything is read.",
    blocks=True,
    look=Steps("Compare defaultNamingContext with directory.base.", ("(Get-ADRootDSE).defaultNamingContext",)),
    mend=Steps("Correct directory.base or directory.controllers in reconcile.yaml."),
)
CLOCK: Final = Check(
    "controllers.clock",
    "This machine's clock agrees with the domain controller's",
    "Kerberos tolerates five minutes; and until when a plan may be applied is told by this clock.",
    blocks=True,
    look=Steps("Compare the clocks.", ("w32tm /stripchart /computer:dc1.contoso.test /samples:3",), ("date --utc",)),
    mend=Steps("Set this machine's clock by the domain's.", ("w32tm /resync",), bash=("chronyc makestep",)),
)
SIGNING: Final = Check(
    "controllers.signing",
    "The domain controller refuses LDAP that is neither signed nor encrypted",
    "Otherwise other programs may send passwords in the clear, and a man in the middle may change what they ask for. This program"
    " uses TLS in any case.",
    blocks=False,
    look=Steps(
        "Read LDAPServerIntegrity (2: required), or the policy `Domain controller: LDAP server signing requirements`.",
        (f"Get-ItemProperty -Path '{_PARAMETERS}' -Name LDAPServerIntegrity",),
        ("testparm -s --parameter-name='ldap server require strong auth'",),
    ),
    mend=Steps(
        f"Require signing on every controller, after looking for clients that still do without (events 2887 and 2889). Samba: {_STRONG}",
        (f"Set-ItemProperty -Path '{_PARAMETERS}' -Name LDAPServerIntegrity -Value 2 -Type DWord",),
        ("testparm -s --parameter-name='ldap server require strong auth'", "systemctl restart samba-ad-dc"),
    ),
)
BINDING: Final = Check(
    "controllers.channel-binding",
    "The domain controller demands channel binding of Kerberos over TLS",
    "It ties a sign-in to its TLS connection, so that it cannot be relayed. Signing in by password over TLS is not touched by it.",
    blocks=False,
    look=Steps(
        "Read LdapEnforceChannelBinding (2: always), or the policy `Domain controller: LDAP server channel binding token"
        " requirements`. It cannot be told from outside without trying a sign-in that should fail. Samba has had it since 4.20.",
        (f"Get-ItemProperty -Path '{_PARAMETERS}' -Name LdapEnforceChannelBinding",),
        ("testparm -s --parameter-name='ldap server require strong auth'",),
    ),
    mend=Steps(
        "Demand it on every controller, after looking for clients that cannot (events 3039 to 3041). With it, use `bind: simple`"
        " over ldaps:// here.",
        (f"Set-ItemProperty -Path '{_PARAMETERS}' -Name LdapEnforceChannelBinding -Value 2 -Type DWord",),
    ),
)
CHECKS: Final = (REACH, TLS, CERTIFICATE, SIGN_IN, DOMAIN, CLOCK, SIGNING, BINDING)

NOT_SIGNED_IN: Final = "It was not signed in."
_NO_CLOCK: Final = Unknown(NOT_SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Channel:
    """A verified TLS connection: its version, and until when the controller's certificate is good."""

    version: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Controller:
    """What was seen of one controller. `plain` is how it answered a password without TLS, which was none of anybody's."""

    url: str
    reached: str | Unknown
    channel: Channel | Unknown
    plain: str | Unknown
    signed_in: str | Unknown | None = None
    """None: not tried, since one was signed in to already, or since one refused the account."""
    base: str = ""
    skew: timedelta | Unknown = _NO_CLOCK
    bind: str = "simple"
    binding_refused: bool = False


REQUIRED, ACCEPTED = "required", "accepted"


def judge(seen: Sequence[Controller], base: str, now: datetime) -> Iterator[Finding]:
    """Judge every controller. One that is down blocks only where no other one is up."""
    up = any(isinstance(c.signed_in, str) for c in seen)
    for c in seen:
        if isinstance(c.reached, Unknown):
            yield REACH.failed(c.reached.why, subject=c.url, blocks=not up)
            yield from (check.unknown("It was not reached.", subject=c.url) for check in (TLS, CERTIFICATE, SIGNING))
            continue
        yield REACH.passed(subject=c.url)
        if isinstance(c.channel, Unknown):
            yield TLS.failed(c.channel.why, subject=c.url, blocks=not up)
            yield CERTIFICATE.unknown("It is not trusted.", subject=c.url)
        else:
            yield TLS.passed(c.channel.version, subject=c.url)
            yield expiry(CERTIFICATE, c.channel.expires, now, c.url)
        yield _signing(c)
    yield from _first(seen, base)


def _signing(c: Controller) -> Finding:
    if isinstance(c.plain, Unknown):
        return SIGNING.unknown(c.plain.why, subject=c.url)
    if c.plain == REQUIRED:
        return SIGNING.passed("A password without TLS is refused before it is looked at.", subject=c.url)
    return SIGNING.failed("A password without TLS is looked at.", subject=c.url)


def _first(seen: Sequence[Controller], base: str) -> Iterator[Finding]:
    """Judge what only a sign-in shows, on the controller that the jobs would use."""
    used = next((c for c in seen if c.signed_in is not None), None)
    if used is None or isinstance(used.signed_in, Unknown):
        subject = used.url if used else ""
        if used and isinstance(used.signed_in, Unknown):
            yield SIGN_IN.failed(used.signed_in.why, subject=subject)
        else:
            yield SIGN_IN.unknown("No domain controller can be used.")
        yield from (check.unknown(NOT_SIGNED_IN, subject=subject) for check in (DOMAIN, CLOCK))
        if used and used.binding_refused:
            yield BINDING.passed(
                "It refused a sign-in with Kerberos that was not bound to its channel.", subject=subject
            )
        else:
            yield BINDING.unknown(NOT_SIGNED_IN, subject=subject)
        return
    yield SIGN_IN.passed(f"as {used.signed_in}", subject=used.url)
    if used.base.casefold() == base.casefold():
        yield DOMAIN.passed(used.base, subject=used.url)
    else:
        yield DOMAIN.failed(f"It serves {used.base}, and directory.base is {base}.", subject=used.url)
    yield clock(CLOCK, used.skew, "the controller's", used.url)
    if used.bind == "gssapi":
        yield BINDING.failed("It took a sign-in with Kerberos that was not bound to its channel.", subject=used.url)
    else:
        yield BINDING.unknown("A sign-in by password does not show it.", subject=used.url)
