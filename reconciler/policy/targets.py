"""What of an account a policy may set: everything known but what a stranger's data must never reach."""

from __future__ import annotations

from typing import Final

_DIRECTORY: Final = "the directory keeps it itself"
_SECURITY: Final = "it decides who may do what"
_CREDENTIAL: Final = "it is a credential, or stands for one"
_DELEGATION: Final = "it decides who may act for whom"
_LOGON: Final = "Windows loads what it names when the account signs in"
_LIFECYCLE: Final = "it is set under `initial` and kept by `lifecycle`"

_REASONS: Final = {
    _DIRECTORY: (
        "objectSid objectGUID objectClass objectCategory distinguishedName name instanceType sAMAccountType whenCreated "
        "whenChanged uSNCreated uSNChanged isDeleted isRecycled isCriticalSystemObject systemFlags lastLogon "
        "lastLogonTimestamp logonCount badPwdCount badPasswordTime lockoutTime msDS-User-Account-Control-Computed "
        "dSCorePropagationData canonicalName msDS-ObjectSoa mS-DS-CreatorSID"
    ),
    _SECURITY: (
        "nTSecurityDescriptor memberOf member primaryGroupID adminCount sIDHistory tokenGroups accountExpires logonHours "
        "userWorkstations logonWorkstation controlAccessRights msDS-AssignedAuthNPolicy msDS-AssignedAuthNPolicySilo "
        "msDS-PrimaryComputer msNPAllowDialin uid uidNumber gidNumber gecos manager managedBy memberUid msDS-ResultantPSO "
        "msDS-SupportedEncryptionTypes msSFU30Name msSFU30NisDomain flags"
    ),
    _CREDENTIAL: (
        "userPassword unixUserPassword dBCSPwd ntPwdHistory lmPwdHistory supplementalCredentials pwdLastSet "
        "altSecurityIdentities msDS-KeyCredentialLink userCertificate userSMIMECertificate userPKCS12 "
        "mS-DS-ConsistencyGuid msDS-SourceAnchor msDS-CloudAnchor"
    ),
    _DELEGATION: "servicePrincipalName msDS-AllowedToDelegateTo msDS-AllowedToActOnBehalfOfOtherIdentity publicDelegates",
    _LOGON: (
        "scriptPath profilePath homeDirectory homeDrive unixHomeDirectory loginShell userParameters desktopProfile "
        "userSharedFolder userSharedFolderOther"
    ),
    _LIFECYCLE: "userAccountControl unicodePwd",
}
_PREFIXES: Final = {
    "mstslicense": _SECURITY,
    "mspki": _CREDENTIAL,
    "msts": _LOGON,
    "msradius": _SECURITY,
    "msras": _SECURITY,
}
FORBIDDEN: Final = {name.casefold(): why for why, names in _REASONS.items() for name in names.split()}
"""Attribute names, folded, with why no policy may set them."""

FLAGS: Final = {
    "ACCOUNTDISABLE": 0x2,
    "NORMAL_ACCOUNT": 0x200,
    "DONT_EXPIRE_PASSWD": 0x10000,
    "SMARTCARD_REQUIRED": 0x40000,
    "NOT_DELEGATED": 0x100000,
}
"""userAccountControl flags a policy may set ([MS-ADTS] 2.2.16). NOT_DELEGATED keeps an account from single sign-on."""

FORBIDDEN_FLAGS: Final = {
    "SCRIPT": (0x1, "it runs a script at sign-in"),
    "HOMEDIR_REQUIRED": (0x8, "it means nothing for a guest"),
    "LOCKOUT": (0x10, "the directory sets it itself"),
    "PASSWD_NOTREQD": (0x20, "the account could have an empty password"),
    "PASSWD_CANT_CHANGE": (0x40, "it is a permission, not a flag that can be set"),
    "ENCRYPTED_TEXT_PASSWORD_ALLOWED": (0x80, "the password would be stored so that it can be read"),
    "TEMP_DUPLICATE_ACCOUNT": (0x100, "it is for accounts of another domain"),
    "INTERDOMAIN_TRUST_ACCOUNT": (0x800, "it makes a trust of the account"),
    "WORKSTATION_TRUST_ACCOUNT": (0x1000, "it makes a computer of the account"),
    "SERVER_TRUST_ACCOUNT": (0x2000, "it makes a domain controller of the account"),
    "MNS_LOGON_ACCOUNT": (0x20000, "it is for clusters"),
    "TRUSTED_FOR_DELEGATION": (0x80000, "the account could act for everybody who signs in to it"),
    "USE_DES_KEY_ONLY": (0x200000, "its tickets could be broken"),
    "DONT_REQ_PREAUTH": (0x400000, "anybody could ask for a ticket to break at leisure"),
    "PASSWORD_EXPIRED": (0x800000, "the directory sets it itself"),
    "TRUSTED_TO_AUTH_FOR_DELEGATION": (0x1000000, "the account could act for anybody"),
    "NO_AUTH_DATA_REQUIRED": (0x2000000, "its tickets would not say what it may do"),
    "PARTIAL_SECRETS_ACCOUNT": (0x4000000, "it makes a domain controller of the account"),
}
"""Every other flag, its bit, and why not."""


def why_forbidden(attribute: str) -> str:
    """Return why no policy may set this attribute; empty where it may."""
    folded = attribute.casefold()
    return FORBIDDEN.get(folded) or next((why for prefix, why in _PREFIXES.items() if folded.startswith(prefix)), "")
