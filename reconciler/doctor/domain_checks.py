"""What is looked at in the domain, why, and how to mend it."""

from __future__ import annotations

from typing import Final

from reconciler.model.dn import DN

from .finding import Check, Steps
from .rights.mend import DATABASE, ldif_dn

_BASE: Final = "DC=contoso,DC=test"
_SERVICE: Final = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{_BASE}"

_FIND: Final = (
    "Get-ADObject -SearchBase (Get-ADRootDSE).schemaNamingContext -LDAPFilter '(lDAPDisplayName=adminDescription)'"
)


def index_on_samba(attribute: DN, flags: int) -> tuple[str, ...]:
    """Return the commands that set searchFlags. `samba-tool schema attribute modify` takes the object's name for the attribute's."""
    return (
        DATABASE,
        "ldbmodify -H \"$db\" --option='dsdb:schema update allowed=yes' <<EOF",
        ldif_dn(attribute),
        "changetype: modify",
        "replace: searchFlags",
        f"searchFlags: {flags}",
        "EOF",
    )


OUS: Final = Check(
    "domain.ous",
    "The OUs of settings and policy are there",
    "An account cannot be made in, or moved to, a place that is not there.",
    blocks=True,
    look=Steps(
        "Look for each OU of directory.ous, placement and lifecycle.left.move.",
        ("Get-ADOrganizationalUnit -Filter * | Select-Object DistinguishedName",),
        ("samba-tool ou list --full-dn",),
    ),
    mend=Steps(
        "Create it, or correct the name in reconcile.yaml or the policy.",
        ("New-ADOrganizationalUnit -Name 'Departed' -Path 'OU=Guests,DC=contoso,DC=test'",),
        ("samba-tool ou create 'OU=Departed,OU=Guests,DC=contoso,DC=test'",),
    ),
)
ATTRIBUTES: Final = Check(
    "domain.attributes",
    "The schema has every attribute of the policy",
    "Asking for an attribute that is not there, or writing two values where one fits, fails in every plan.",
    blocks=True,
    look=Steps(
        "",
        ("Get-ADUser -Identity guest -Properties * | Get-Member",),
        ("samba-tool schema attribute show displayName",),
    ),
    mend=Steps(
        "Leave the attribute out of the policy, declare it as it is (`attributes:`), or extend the schema"
        " (msDS-ExternalDirectoryObjectId comes with that of Windows Server 2016: adprep).",
        ("adprep /forestprep",),
        ("samba-tool domain schemaupgrade --schema=2019",),
    ),
)
ANCHOR: Final = Check(
    "domain.anchor",
    "The anchor is indexed",
    "Accounts are looked up by it. Without an index each lookup reads the whole domain, about a second for 100,000 objects.",
    blocks=False,
    look=Steps(
        "",
        (f"{_FIND} -Properties searchFlags",),
        ("samba-tool schema attribute show adminDescription",),
    ),
    mend=Steps(
        "Index the attribute, as a schema administrator. It is harmless, and replicates through the whole forest.",
        (f"{_FIND} | Set-ADObject -Replace @{{searchFlags = 1}}",),
        index_on_samba(DN(f"CN=Admin-Description,CN=Schema,CN=Configuration,{_BASE}"), 1),
    ),
)
RECYCLE_BIN: Final = Check(
    "domain.recycle-bin",
    "The recycle bin suits bringing accounts back",
    "On Windows an account comes back whole with it, and nearly empty without: SID, flags and account name are left.",
    blocks=False,
    look=Steps("", ("Get-ADOptionalFeature -Identity 'Recycle Bin Feature' | Select-Object EnabledScopes",)),
    mend=Steps(
        "Switch it on. That cannot be undone, and what is deleted keeps its data for the lifetime of deleted objects.",
        (
            "Enable-ADOptionalFeature -Identity 'Recycle Bin Feature' -Scope ForestOrConfigurationSet -Target 'contoso.test'",
        ),
    ),
)
LIFETIME: Final = Check(
    "domain.tombstone-lifetime",
    "A deleted account can be brought back as long as its guest",
    "Entra keeps a deleted guest for 30 days. A guest restored after the account's tombstone is gone gets another SID.",
    blocks=False,
    look=Steps("", (f"Get-ADObject -Identity '{_SERVICE}' -Properties tombstoneLifetime, msDS-DeletedObjectLifetime",)),
    mend=Steps(
        "Make it 180 days, the default of domains made since Windows Server 2003 SP1.",
        (f"Set-ADObject -Identity '{_SERVICE}' -Replace @{{tombstoneLifetime = 180}}",),
        (
            DATABASE,
            'ldbmodify -H "$db" <<EOF',
            f"dn: {_SERVICE}",
            "changetype: modify",
            "replace: tombstoneLifetime",
            "tombstoneLifetime: 180",
            "EOF",
        ),
    ),
)
PASSWORDS: Final = Check(
    "domain.password-policy",
    "The generated password meets the domain's password policy",
    "A password that is refused leaves every new account half-made.",
    blocks=True,
    look=Steps("", ("Get-ADDefaultDomainPasswordPolicy",), ("samba-tool domain passwordsettings show",)),
    mend=Steps("Ask for a longer one in the policy: `initial: {unicodePwd: {random: 64}}`."),
)
SETTINGS_OBJECTS: Final = Check(
    "domain.password-settings",
    "No fine-grained password policy asks for more",
    "A fine-grained policy that applies to guests (through a group such as Domain Users) overrules the domain's.",
    blocks=True,
    look=Steps(
        "They are shown to administrators only.",
        ("Get-ADFineGrainedPasswordPolicy -Filter * | Select-Object Name, MinPasswordLength, AppliesTo",),
        ("samba-tool domain passwordsettings pso list",),
    ),
    mend=Steps("Ask for a longer password in the policy: `initial: {unicodePwd: {random: 64}}`."),
)
SUFFIXES: Final = Check(
    "domain.upn-suffixes",
    "The guests' UPN suffixes stay in this forest",
    "A suffix that is registered nowhere works (a ticket was had for one). One that belongs to a trusted forest is looked up there.",
    blocks=True,
    look=Steps(
        "Compare the part after the @ of the guests' names with the trusts' name suffixes.",
        (
            "Get-ADForest | Select-Object UPNSuffixes, Domains",
            "Get-ADTrust -Filter * | Select-Object Target, ForestTransitive",
        ),
        ("samba-tool domain trust list",),
    ),
    mend=Steps(
        "Exclude the suffix from the trust's name suffix routing, or let the policy's flow of userPrincipalName write another one,"
        " and name that to Application Proxy (delegated login identity: on-premises user principal name).",
        ("netdom trust contoso.test /domain:partner.test /namesuffixes:partner.test",),
        ("samba-tool domain trust namespaces partner.test",),
    ),
)
MACHINES: Final = Check(
    "domain.machine-account-quota",
    "Ordinary accounts cannot join computers to the domain",
    "It is the one thing that any account may write, ours included: computer accounts of its own, a step of many attacks.",
    blocks=False,
    look=Steps("", (f"Get-ADObject -Identity '{_BASE}' -Properties ms-DS-MachineAccountQuota",)),
    mend=Steps(
        "Set it to 0, and delegate joining computers to those who do.",
        ("Set-ADDomain -Identity 'contoso.test' -Replace @{'ms-DS-MachineAccountQuota' = 0}",),
        (
            DATABASE,
            'ldbmodify -H "$db" <<EOF',
            f"dn: {_BASE}",
            "changetype: modify",
            "replace: ms-DS-MachineAccountQuota",
            "ms-DS-MachineAccountQuota: 0",
            "EOF",
        ),
    ),
)
CHECKS: Final = (OUS, ATTRIBUTES, ANCHOR, RECYCLE_BIN, LIFETIME, PASSWORDS, SETTINGS_OBJECTS, SUFFIXES, MACHINES)
