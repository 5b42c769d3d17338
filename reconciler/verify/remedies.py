"""What to do about each cause: a sentence, and the commands for PowerShell and for samba-tool.

PowerShell addresses accounts by SID, which needs no trust in a name. samba-tool takes names alone.
"""

from __future__ import annotations

from reconciler.directory.ldap.filters import equals

from .causes import Cause, Finding
from .facts import Party
from .quoting import powershell, shell

_GROUP = "Protected Users"


def disabled(account: Party, what: str, cause: Cause = Cause.DISABLED) -> Finding:
    """The account is disabled."""
    return Finding(
        cause,
        what,
        "Find out why before you enable it. If this program did it, the next plan says so, and enables it when the guest is back.",
        (f"Enable-ADAccount -Identity {powershell(account.sid)}",),
        (f"samba-tool user enable {_name(account)}",),
    )


def expired(account: Party, what: str, cause: Cause = Cause.EXPIRED) -> Finding:
    """The account has expired."""
    return Finding(
        cause,
        what,
        "Clear the expiry, or set a later one.",
        (f"Clear-ADAccountExpiration -Identity {powershell(account.sid)}",),
        (f"samba-tool user setexpiry --noexpiry {_name(account)}",),
    )


def locked(account: Party, what: str, cause: Cause = Cause.LOCKED) -> Finding:
    """The account is locked out."""
    return Finding(
        cause,
        what,
        "Unlock it, and see who tries its password: a guest's account has one that nobody knows.",
        (f"Unlock-ADAccount -Identity {powershell(account.sid)}",),
        (f"samba-tool user unlock {_name(account)}",),
    )


def not_delegated(account: Party, what: str) -> Finding:
    """The account is marked as sensitive."""
    return Finding(
        Cause.NOT_DELEGATED,
        what,
        'Clear "Account is sensitive and cannot be delegated".',
        (f"Set-ADAccountControl -Identity {powershell(account.sid)} -AccountNotDelegated $false",),
        (f"samba-tool user sensitive {_name(account)} off",),
    )


def protected_users(account: Party, what: str) -> Finding:
    """The account is in Protected Users."""
    return Finding(
        Cause.PROTECTED_USERS,
        what,
        "Take it out of the group, or of the group through which it is in it.",
        (f"Remove-ADGroupMember -Identity {powershell(_GROUP)} -Members {powershell(account.sid)}",),
        (f"samba-tool group removemembers {shell(_GROUP)} {_name(account)}",),
    )


def not_allowed(connector: Party, spn: str, what: str, cause: Cause = Cause.NOT_ALLOWED) -> Finding:
    """The service is not in the connector's list."""
    return Finding(
        cause,
        what,
        "Add the service to the connector's list (Delegation tab, Use any authentication protocol).",
        (f"Set-ADObject -Identity {powershell(connector.dn)} -Add @{{'msDS-AllowedToDelegateTo'={powershell(spn)}}}",),
        (f"samba-tool delegation add-service {_name(connector)} {shell(spn)}",),
    )


def no_transition(connector: Party, what: str) -> Finding:
    """The connector may not change protocols."""
    return Finding(
        Cause.NO_PROTOCOL_TRANSITION,
        what,
        'Choose "Use any authentication protocol" on its Delegation tab.',
        (f"Set-ADAccountControl -Identity {powershell(connector.dn)} -TrustedToAuthForDelegation $true",),
        (f"samba-tool delegation for-any-protocol {_name(connector)} on",),
    )


def without_spn(connector: Party, what: str) -> Finding:
    """The connector has no service principal name of its own."""
    spn = f"reconcile/{connector.sam or 'connector'}"
    return Finding(
        Cause.CONNECTOR_WITHOUT_SPN,
        what,
        "Give it one, any that is free: a ticket in somebody's name is issued to services alone.",
        (f"setspn -S {powershell(spn)} {powershell(connector.sam or connector.dn)}",),
        (f"samba-tool spn add {shell(spn)} {_name(connector)}",),
    )


def wrong_spn(spn: str, what: str) -> Finding:
    """Nobody has the service principal name."""
    return Finding(
        Cause.WRONG_SPN,
        what,
        "Correct --service and the application's setting, or give the name to the account that the application runs as.",
        (f"setspn -Q {powershell(spn)}", f"setspn -S {powershell(spn)} ACCOUNT"),
        (f"samba-tool spn add {shell(spn)} ACCOUNT",),
    )


def duplicate_spn(spn: str, what: str, holders: tuple[Party, ...]) -> Finding:
    """Several accounts have it."""
    return Finding(
        Cause.DUPLICATE_SPN,
        what,
        "Take it away from all but the account that the application runs as.",
        (f"setspn -Q {powershell(spn)}", f"setspn -D {powershell(spn)} {powershell(holders[-1].sam or 'ACCOUNT')}"),
        (f"samba-tool spn delete {shell(spn)} {shell(holders[-1].sam or 'ACCOUNT')}",),
    )


def upn_differs(account: Party, wanted: str, what: str) -> Finding:
    """The account's UPN is not the one that Entra sends."""
    return Finding(
        Cause.UPN_DIFFERS,
        what,
        "Import and plan (`reconcile snapshot`, `reconcile plan`): the policy's flow of userPrincipalName puts it right. Or do it by hand.",
        (f"Set-ADUser -Identity {powershell(account.sid)} -UserPrincipalName {powershell(wanted)}",),
        (f"samba-tool user edit {_name(account)}",),
    )


def deleted(account: Party, what: str, *, seen: bool) -> Finding:
    """The account is gone."""
    find = f"Get-ADObject -IncludeDeletedObjects -LDAPFilter {powershell(equals('objectSid', account.sid))}"
    remedy = "Import and plan: it is brought back with its SID where it can be, else made anew."
    if not seen:
        return Finding(
            Cause.DELETED,
            what,
            f"{remedy} Whether it was deleted or is hidden shows to an account that may list deleted objects.",
            (find,),
        )
    return Finding(
        Cause.DELETED,
        what,
        remedy,
        (f"{find} | Restore-ADObject",),
    )


def _name(account: Party) -> str:
    return shell(account.sam or account.dn)
