"""What an answer means by itself, where the directory was not read or does not explain it."""

from __future__ import annotations

from reconciler.directory.ldap.filters import equals

from . import kdc, obstacles, remedies
from .causes import Cause, Finding
from .facts import Party, Person, Surroundings
from .kdc import STEPS, Refusal, Step
from .quoting import powershell

_LOOK = "Set RECONCILE_LDAP_USER and RECONCILE_LDAP_PASSWORD to a reading account: with the directory's help the cause has one name."
_OK, _REDIRECT, _UNAUTHORIZED, _FORBIDDEN = 200, 300, 401, 403


def by_answer(refusal: Refusal, around: Surroundings, person: Person | None) -> Finding:
    """Return what the answer alone says; not `sure` where it says several things."""
    if refusal.code in (kdc.UNREACHABLE, kdc.REALM_UNKNOWN) and refusal.step is not Step.PAGE:
        return _kdc_down(refusal)
    if refusal.code == kdc.SKEW and refusal.step is not Step.PAGE:
        return obstacles.clock_skew(f"The KDC's clock and this machine's are too far apart: {refusal.words}.")
    match refusal.step:
        case Step.CONNECTOR:
            return _connector(refusal)
        case Step.GUEST:
            return _guest(refusal, around, person)
        case Step.SERVICE:
            return _service(refusal, around)
        case Step.PAGE:
            return _page(refusal)


def _kdc_down(refusal: Refusal) -> Finding:
    return Finding(
        Cause.KDC_DOWN,
        f"No KDC of the domain answers: {refusal.words}.",
        "Check that the domain controllers run and answer on port 88 (TCP), and where krb5.conf looks for them.",
        ("Test-NetConnection -ComputerName DC -Port 88", "Get-Service -Name kdc"),
        ("systemctl status samba-ad-dc",),
    )


def _connector(refusal: Refusal) -> Finding:
    if refusal.code in (kdc.PREAUTH_FAILED, kdc.INTEGRITY):
        what = f"The connector's keytab does not hold its account's present key: {refusal.words}."
        return _keytab(what, "The password was changed since. Make the keytab anew.")
    if refusal.code in (kdc.NOT_IN_KEYTAB, kdc.NO_CACHE):
        what = f"The connector's keytab or cache holds no key or ticket of that principal: {refusal.words}."
        return _keytab(what, "See what is in it with klist -k, and name one of those with --connector.")
    return _connectors_account(refusal)


def _connectors_account(refusal: Refusal) -> Finding:
    if refusal.code == kdc.CLIENT_UNKNOWN:
        return Finding(
            Cause.CONNECTOR_UNKNOWN,
            f"The domain knows no account by the connector's principal: {refusal.words}.",
            "Active Directory signs in by account name (NAME$ for a computer) or UPN alone, not by an SPN: name one of those "
            "with --connector.",
        )
    if refusal.code in (kdc.REVOKED, kdc.CLIENT_EXPIRED, kdc.KEY_EXPIRED, kdc.POLICY):
        what = f"The connector's own account may not sign in: {refusal.words}."
        return Finding(Cause.CONNECTOR_REVOKED, what, f"It is disabled, locked or expired, or its password is. {_LOOK}")
    if refusal.code in (kdc.TICKET_EXPIRED, kdc.NOT_YET_VALID):
        return Finding(
            Cause.NO_TICKET, f"The connector's ticket is not valid now: {refusal.words}.", "Get a new one: kinit -f."
        )
    if refusal.code == kdc.ENCRYPTION:
        return _encryption(refusal, "the connector's account")
    return _other(refusal)


def _keytab(what: str, remedy: str) -> Finding:
    return Finding(
        Cause.WRONG_KEYTAB,
        what,
        remedy,
        (
            r"ktpass /princ NAME@REALM /mapuser DOMAIN\NAME /crypto AES256-SHA1 /ptype KRB5_NT_PRINCIPAL /pass * /out connector.keytab",
        ),
        ("samba-tool domain exportkeytab connector.keytab --principal=NAME",),
    )


def _guest(refusal: Refusal, around: Surroundings, person: Person | None) -> Finding:
    name = person.name if person else "the guest"
    if refusal.code == kdc.CLIENT_UNKNOWN:
        return Finding(
            Cause.NOT_FOUND,
            f"The KDC knows no account named {name}: the account is gone, or has another name than Entra sends.",
            f"Import and plan: `reconcile snapshot`, `reconcile plan`. {_LOOK if around.connector is None else ''}".strip(),
            (f"Get-ADUser -LDAPFilter {powershell(equals('userPrincipalName', name))}",),
            sure=False,
        )
    if refusal.code == kdc.NOT_UNIQUE:
        return Finding(
            Cause.DUPLICATE_UPN,
            f"Several accounts of the forest have the name {name}.",
            "Take it from those it does not belong to.",
            (f"Get-ADUser -Server GC:3268 -LDAPFilter {powershell(equals('userPrincipalName', name))}",),
        )
    if refusal.code == kdc.CLIENT_EXPIRED:
        return Finding(Cause.EXPIRED, f"The account of {name} has expired.", "Clear the expiry, or set a later one.")
    if refusal.code in (kdc.REVOKED, kdc.POLICY):
        what = f"The KDC lets nobody sign in as {name}: disabled, locked out, or outside its logon hours ({refusal.words})."
        return Finding(Cause.RESTRICTED, what, _LOOK, sure=False)
    if refusal.code == kdc.SERVER_UNKNOWN:
        unnamed = around.connector or Party("", "", "CONNECTOR")
        return remedies.without_spn(unnamed, "The KDC does not know the connector as a service: it has no SPN.")
    return _other(refusal)


def _service(refusal: Refusal, around: Surroundings) -> Finding:
    if refusal.code == kdc.SERVER_UNKNOWN:
        return remedies.wrong_spn(around.spn, f"The KDC knows no service {around.spn}, or several.")
    if refusal.code == kdc.BAD_OPTION:
        several = (
            f"{around.spn} is not in the connector's msDS-AllowedToDelegateTo, the connector is not trusted for protocol "
            "transition, its ticket is not forwardable, or the guest's account is marked as sensitive or in Protected Users"
        )
        if around.connector is None:
            what = f"The KDC does not delegate, and does not say why ({refusal.words}). Cannot tell which: {several}."
            return Finding(Cause.DELEGATION_REFUSED, what, _LOOK, sure=False)
        what = f"The KDC does not delegate ({refusal.words}), although nothing that the directory shows is in the way."
        remedy = "What was changed lately may not have reached this KDC: wait for replication, and get the connector a new ticket."
        return Finding(
            Cause.DELEGATION_REFUSED, what, remedy, ("repadmin /syncall",), ("samba-tool drs showrepl",), sure=False
        )
    if refusal.code == kdc.SERVICE_REVOKED:
        return Finding(
            Cause.SERVICE_DISABLED, f"The account that {around.spn} belongs to is disabled or locked.", "Enable it."
        )
    if refusal.code == kdc.ENCRYPTION:
        return _encryption(refusal, f"the account that {around.spn} belongs to")
    return _other(refusal)


def _page(refusal: Refusal) -> Finding:
    if refusal.code == 0:
        return Finding(
            Cause.PAGE_UNREACHABLE,
            f"The tickets are good, but the page cannot be had: {refusal.words}.",
            "Check the URL, the network and the certificate, from the machine where the connector runs.",
        )
    if refusal.code == _UNAUTHORIZED:
        return Finding(
            Cause.PAGE_REFUSED,
            f"The tickets are good, but the page does not take them: {refusal.words}.",
            "The application cannot open the ticket: its keytab or service account is not the one that the SPN belongs to, "
            "its keytab is older than the password, or its clock is off. Or it does not speak Negotiate at all.",
            ("setspn -Q SPN",),
            ("samba-tool domain exportkeytab http.keytab --principal=SPN",),
        )
    if refusal.code == _FORBIDDEN:
        return Finding(
            Cause.PAGE_FORBIDS,
            f"The application knows the guest and does not let them in: {refusal.words}.",
            "Give the guest's account the application's role or group.",
        )
    if _OK <= refusal.code < _REDIRECT:
        return Finding(
            Cause.PAGE_UNPROVEN,
            f"The tickets are good, but the page does not show that it read one: {refusal.words}.",
            "Name a page for which one must be signed in, and the header in which the application says whom it saw.",
        )
    return Finding(
        Cause.PAGE_FAILED, f"The page answered with an error: {refusal.words}.", "See the application's own log."
    )


def _encryption(refusal: Refusal, whose: str) -> Finding:
    return Finding(
        Cause.ENCRYPTION,
        f"There is no encryption type that the KDC and {whose} have in common: {refusal.words}.",
        "Allow AES on that account, set its password once more, and make its keytab anew.",
        ("Set-ADUser -Identity ACCOUNT -KerberosEncryptionType AES128,AES256",),
        ("samba-tool domain exportkeytab connector.keytab --principal=NAME",),
    )


def _other(refusal: Refusal) -> Finding:
    return Finding(
        Cause.OTHER,
        f"Refused while getting {STEPS[refusal.step]}: {refusal.words} (Kerberos error {refusal.code}).",
        "See the KDC's event log for this time.",
        ("Get-WinEvent -LogName System -MaxEvents 50 | Where-Object ProviderName -match 'Kerberos'",),
        ("tail /var/log/samba/log.samba",),
        sure=False,
    )
