"""The checks on what accounts may do in the domain."""

from __future__ import annotations

from typing import Final

from reconciler.doctor.finding import Check, Steps

from .mend import DATABASE

_OU: Final = "'OU=Guests,DC=contoso,DC=test'"
_USER: Final = "bf967aba-0de6-11d0-a285-00aa003049e2"
_LOOK: Final = Steps(
    "Read the access list and the account's groups by hand.",
    ("(Get-Acl -Path 'AD:\\OU=Guests,DC=contoso,DC=test').Access | Format-List", f"dsacls {_OU}"),
    (f"samba-tool dsacl get --objectdn={_OU}", "samba-tool user getgroups reconcile-writer"),
)
_GROUP: Final = Steps(
    "Take the account out of the group.",
    ("Remove-ADGroupMember -Identity 'Domain Admins' -Members 'reconcile-writer' -Confirm:$false",),
    ("samba-tool group removemembers 'Domain Admins' reconcile-writer",),
)


def _granting(dsacls: str, samba: str) -> Steps:
    return Steps(
        "Grant what is missing, and nothing wider.",
        (f"dsacls {_OU} {dsacls}",),
        (
            "sid=$(samba-tool user show reconcile-writer --attributes=objectSid | sed -n 's/^objectSid: //p')",
            f'samba-tool dsacl set --objectdn={_OU} --sddl="{samba}$sid)"',
        ),
    )


def _writing(attribute: str, guid: str) -> Steps:
    return _granting(f"/I:S /G 'CONTOSO\\reconcile-writer:WP;{attribute};user'", f"(OA;CIIO;WP;{guid};{_USER};")


_CHILDREN: Final = _granting("/I:T /G 'CONTOSO\\reconcile-writer:CCDC;user'", f"(OA;CI;CCDC;{_USER};;")
_LESS: Final = Steps(
    "Take away the entry that grants it: the finding prints the commands for exactly that entry.",
    (
        "$acl = Get-Acl -Path 'AD:\\OU=Guests,DC=contoso,DC=test'",
        "$acl.Access | Where-Object { $_.IdentityReference -eq 'CONTOSO\\reconcile-writer' }",
    ),
    (
        DATABASE,
        f'ldbsearch -H "$db" -b {_OU} -s base --controls=sd_flags:1:4 nTSecurityDescriptor',
        f'ldbedit -H "$db" -b {_OU} -s base --controls=sd_flags:1:4 nTSecurityDescriptor',
    ),
)

PRIVILEGED: Final = Check(
    "rights.privileged",
    "The account is in no privileged group",
    "Whoever is in one of these groups can have the whole domain, whatever the access lists say.",
    blocks=True,
    look=_LOOK,
    mend=_GROUP,
)
READS: Final = Check(
    "rights.reads",
    "The account can read what the policy compares",
    "What an account may not read looks empty: a hidden adminCount makes an administrator look like anybody.",
    blocks=True,
    look=_LOOK,
    mend=Steps(
        "Grant the account to read users and groups in the whole domain.",
        (
            "dsacls 'DC=contoso,DC=test' /I:S /G 'CONTOSO\\reconcile-reader:RP;;user' 'CONTOSO\\reconcile-reader:RP;;group'",
        ),
        (
            "sid=$(samba-tool user show reconcile-reader --attributes=objectSid | sed -n 's/^objectSid: //p')",
            f"samba-tool dsacl set --objectdn='DC=contoso,DC=test' --sddl=\"(OA;CIIO;RP;;{_USER};$sid)\"",
        ),
    ),
)
READER_WRITES: Final = Check(
    "rights.reader-writes",
    "The reading account can write nothing",
    "The plan job runs often and unattended. Whoever gets hold of its account must not be able to change anything. "
    "If this is the writing account, take nothing away: run `reconcile doctor --account writer`.",
    blocks=True,
    look=_LOOK,
    mend=_LESS,
)
READER_DELETED: Final = Check(
    "rights.reader-deleted",
    "The reading account sees deleted objects",
    "Without that, every import reads all accounts, and one deleted by hand becomes a conflict: not seeing it proves nothing.",
    blocks=False,
    look=Steps("Delete an account of no use, then run `reconcile doctor` again: one deleted object must be in sight."),
    mend=Steps(
        "Grant the account to list the container of deleted objects.",
        (
            "dsacls 'CN=Deleted Objects,DC=contoso,DC=test' /takeOwnership",
            "dsacls 'CN=Deleted Objects,DC=contoso,DC=test' /G 'CONTOSO\\reconcile-reader:LCRP'",
        ),
    ),
)
CREATE: Final = Check(
    "rights.writer-create",
    "The writing account can create users in the OUs",
    "Without it no guest gets an account.",
    blocks=True,
    look=_LOOK,
    mend=_CHILDREN,
)
CHANGE: Final = Check(
    "rights.writer-change",
    "The writing account can write every attribute of the policy",
    "A change that needs an attribute it may not write ends as failed, again in every plan.",
    blocks=True,
    look=_LOOK,
    mend=_writing("displayName", "bf967953-0de6-11d0-a285-00aa003049e2"),
)
PASSWORD: Final = Check(
    "rights.writer-password",
    "The writing account can reset passwords in the OUs",
    "A new account gets a random password before it is enabled; without this right it stays half-made.",
    blocks=True,
    look=_LOOK,
    mend=_granting(
        "/I:S /G 'CONTOSO\\reconcile-writer:CA;Reset Password;user'",
        f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{_USER};",
    ),
)
DISABLE: Final = Check(
    "rights.writer-disable",
    "The writing account can enable and disable accounts",
    "Without it new accounts stay disabled and, worse, those of leavers stay enabled.",
    blocks=True,
    look=_LOOK,
    mend=_writing("userAccountControl", "bf967a68-0de6-11d0-a285-00aa003049e2"),
)
MOVE: Final = Check(
    "rights.writer-move",
    "The writing account can move accounts between the OUs",
    "A move deletes at one end, creates at the other, and writes the name: all three rights are needed.",
    blocks=True,
    look=_LOOK,
    mend=_CHILDREN,
)
DELETE: Final = Check(
    "rights.writer-delete",
    "The writing account can delete accounts that are due",
    "The policy deletes leavers' accounts after a while (lifecycle.left.delete_after); without the right they pile up.",
    blocks=True,
    look=_LOOK,
    mend=_CHILDREN,
)
INSIDE: Final = Check(
    "rights.writer-inside",
    "Inside the OUs the writing account can do nothing else",
    "Rights are the floor that holds when everything above them fails: an entry too wide is a way to more.",
    blocks=True,
    look=_LOOK,
    mend=_LESS,
)
OUTSIDE: Final = Check(
    "rights.writer-outside",
    "Outside the OUs the writing account can write nothing",
    "One OU is what this account is trusted with. A right on another container is a door into the domain.",
    blocks=True,
    look=_LOOK,
    mend=_LESS,
)
OWNER: Final = Check(
    "rights.writer-owner",
    "Owning an account does not let the writing account change its access list",
    "Whoever creates an object owns it, and an owner may change its access list, unless OWNER RIGHTS (S-1-3-4) says otherwise.",
    blocks=False,
    look=_LOOK,
    mend=Steps(
        "Grant OWNER RIGHTS no more than reading the list, for users below the OU. Samba 4.17 takes the entry and does not act on it.",
        (
            "$acl = Get-Acl -Path 'AD:\\OU=Guests,DC=contoso,DC=test'",
            "$owner = [System.Security.Principal.SecurityIdentifier]'S-1-3-4'",
            f"$users = [guid]'{_USER}'",
            "$rule = 'System.DirectoryServices.ActiveDirectoryAccessRule'",
            "$acl.AddAccessRule((New-Object $rule($owner, 'ReadControl', 'Allow', 'Descendents', $users)))",
            "Set-Acl -Path 'AD:\\OU=Guests,DC=contoso,DC=test' -AclObject $acl",
        ),
    ),
)
RESTORE: Final = Check(
    "rights.writer-restore",
    "The writing account can bring deleted accounts back",
    "A guest who returns gets the same account, with its SID, only with this right; else the change ends as stale, and others go on.",
    blocks=False,
    look=_LOOK,
    mend=Steps(
        "Grant it, or write `returned: {restore: false}` in the policy, or bring such accounts back by hand."
        " Samba 4.17 wants more than an unattended account should have: leave it there.",
        (
            "dsacls 'DC=contoso,DC=test' /G 'CONTOSO\\reconcile-writer:CA;Reanimate Tombstones'",
            "dsacls 'CN=Deleted Objects,DC=contoso,DC=test' /G 'CONTOSO\\reconcile-writer:LCRP'",
            f"dsacls {_OU} /I:S /G 'CONTOSO\\reconcile-writer:WP;isDeleted;user' 'CONTOSO\\reconcile-writer:WP;distinguishedName;user'",
        ),
    ),
)
EVERYONE: Final = Check(
    "rights.everyone",
    "Nothing in the domain can be written by everybody",
    "What every account may do, these two may do as well, and so may whoever signs in as a guest.",
    blocks=False,
    look=_LOOK,
    mend=_LESS,
)
CHECKS: Final = (
    *(PRIVILEGED, READS, READER_WRITES, READER_DELETED, CREATE, CHANGE, PASSWORD, DISABLE, MOVE, DELETE),
    *(INSIDE, OUTSIDE, OWNER, RESTORE, EVERYONE),
)
