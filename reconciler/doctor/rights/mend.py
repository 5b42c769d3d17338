"""The commands that give a right that is missing, and take away one that is too much."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from typing import Final

from reconciler.directory.ldap.descriptor import Ace
from reconciler.doctor.finding import Steps
from reconciler.model.dn import DN
from reconciler.verify.quoting import powershell

from .access import CREATOR
from .needs import Need
from .seen import Seen

DATABASE: Final = "db=/var/lib/samba/private/sam.ldb"
_NO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9=,._@#-]*( [A-Za-z0-9=,._@#-]+)*")


def grant(missing: Sequence[tuple[DN, Need]], seen: Seen) -> Steps:
    """Return how to grant what is missing, each entry once."""
    windows = [
        f"dsacls {powershell(dn.text)} {inherits} /G {powershell(f'{seen.trustee}:{permission}')}"
        for dn, (inherits, permission) in dict.fromkeys((dn, need.dsacls) for dn, need in missing)
    ]
    entries: dict[DN, list[str]] = {}
    for dn, sddl in dict.fromkeys((dn, need.sddl) for dn, need in missing):
        entries.setdefault(dn, []).append(f"{sddl}{seen.token.sid})")
    return Steps("Grant what is missing, and nothing wider.", tuple(windows), tuple(samba_grant(entries)))


def samba_grant(entries: dict[DN, list[str]]) -> list[str]:
    """Return the commands that add entries to access lists on Samba."""
    return [
        f"samba-tool dsacl set --objectdn={shlex.quote(dn.text)} --sddl={shlex.quote(''.join(found))}"
        for dn, found in entries.items()
    ]


def revoke(excess: Sequence[tuple[DN, Ace]], seen: Seen) -> Steps:
    """Return how to take away entries that name the account itself, and memberships that bring the others."""
    named = (seen.token.sid, CREATOR)
    own = [(dn, e) for dn, e in excess if e.sid in named]
    groups = list(dict.fromkeys(e.sid for _, e in excess if e.sid not in named))
    windows = [line for dn, entry in own for line in _remove_rule(dn, entry)]
    samba = [DATABASE, *(line for dn, entry in own for line in _remove_entry(dn, entry))] if own else []
    for sid in groups:
        windows.append(
            f"Remove-ADGroupMember -Identity {powershell(sid)} -Members {powershell(seen.token.name)} -Confirm:$false"
        )
        group = seen.names.sids.get(sid) or sid
        samba.append(f"samba-tool group removemembers {shlex.quote(group)} {shlex.quote(seen.token.name)}")
    words = ["Take away the entries that name the account, or whoever creates (CREATOR OWNER)."] if own else []
    words += ["Take the account out of the group that brings the right (or out of the one between)."] if groups else []
    return Steps(" ".join(words), tuple(windows), tuple(samba))


def _remove_rule(dn: DN, entry: Ace) -> list[str]:
    rule = (
        f"$_.IdentityReference.Translate([System.Security.Principal.SecurityIdentifier]).Value -eq {powershell(entry.sid)}"
        f" -and [int]$_.ActiveDirectoryRights -eq {entry.rights}"
        f" -and $_.ObjectType -eq {powershell(entry.object_type or _NO_GUID)}"
        f" -and $_.InheritedObjectType -eq {powershell(entry.inherited_type or _NO_GUID)}"
    )
    path = powershell(f"AD:\\{dn.text}")
    return [
        f"$acl = Get-Acl -Path {path}",
        f"$acl.Access | Where-Object {{ -not $_.IsInherited -and {rule} }} | ForEach-Object {{ $acl.RemoveAccessRuleSpecific($_) }}",
        f"Set-Acl -Path {path} -AclObject $acl",
    ]


def _remove_entry(dn: DN, entry: Ace) -> list[str]:
    name = shlex.quote(dn.text)
    read = (
        f'dacl=$(ldbsearch -H "$db" -b {name} -s base --controls=sd_flags:1:4 nTSecurityDescriptor |'
        " sed -e ':a' -e 'N' -e '$!ba' -e 's/\\n //g' | sed -n 's/^nTSecurityDescriptor: //p')"
    )
    return [
        read,
        'ldbmodify -H "$db" --controls=sd_flags:1:4 <<EOF',
        ldif_dn(dn),
        "changetype: modify",
        "replace: nTSecurityDescriptor",
        f"nTSecurityDescriptor: $(printf %s \"$dacl\" | sed 's/{_as_printed(entry)}//')",
        "EOF",
    ]


def _as_printed(entry: Ace) -> str:
    """An entry as ldbsearch prints it, which has a letter pair for CREATOR OWNER."""
    return entry.sddl.replace(f";{CREATOR})", ";CO)")


def ldif_dn(dn: DN) -> str:
    """Return the line of LDIF that names an object; Base64 keeps anything in the name from meaning something."""
    if _PLAIN.fullmatch(dn.text):
        return f"dn: {dn.text}"
    return f"dn:: {base64.b64encode(dn.text.encode()).decode()}"
