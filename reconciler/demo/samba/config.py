"""What Samba and MIT Kerberos are told: everything below one directory, nothing of /etc."""

from __future__ import annotations

from pathlib import Path

REALM = "CONTOSO.TEST"
DOMAIN = "CONTOSO"
BASE = "DC=contoso,DC=test"
HOST = "dc1"
HOST_NAME = "dc1.contoso.test"

_DIRECTORIES = {
    "private dir": "private",
    "state directory": "state",
    "cache directory": "cache",
    "lock directory": "lock",
    "pid directory": "run",
    "ncalrpc dir": "ncalrpc",
    "ntp signd socket directory": "ntp",
    "winbindd socket directory": "winbindd",
    "binddns dir": "binddns",
}


def smb_conf(root: Path, address: str, tls: Path | None) -> str:
    """Return smb.conf for a controller whose files are all under `root`, listening on `address` alone.

    `tls` holds ca.pem, cert.pem and key.pem; None while provisioning. Plain LDAP takes no simple bind.
    """
    options = {
        "workgroup": DOMAIN,
        "realm": REALM,
        "netbios name": HOST.upper(),
        "server role": "active directory domain controller",
        "server services": "ldap, cldap, kdc",
        "interfaces": f"{address}/8",
        "bind interfaces only": "yes",
        "disable netbios": "yes",
        "ldap server require strong auth": "allow_sasl_over_tls",
        "dsdb:schema update allowed": "yes",
        "log file": str(root / "log.samba"),
        "log level": "1",
        "max log size": "0",
    }
    options |= {option: str(root / name) for option, name in _DIRECTORIES.items()}
    if tls is None:
        options["tls enabled"] = "no"
    else:
        options |= {
            "tls cafile": str(tls / "ca.pem"),
            "tls certfile": str(tls / "cert.pem"),
            "tls keyfile": str(tls / "key.pem"),
        }
    lines = [f"\t{option} = {value}" for option, value in options.items()]
    shares = [
        f"[{share}]\n\tpath = {root / 'sysvol' / sub}" for share, sub in (("sysvol", ""), ("netlogon", "scripts"))
    ]
    return "\n".join(["[global]", *lines, *shares, ""])


def make_directories(root: Path) -> None:
    """Make every directory that smb.conf names, open to this user alone."""
    for name in (*_DIRECTORIES.values(), "etc", "sysvol/scripts"):
        (root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    (root / "winbindd").chmod(0o755)


def krb5_conf(address: str) -> str:
    """Return krb5.conf for clients of the controller at `address`: no DNS, no other realm, no files of the system."""
    return f"""[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    forwardable = true
    udp_preference_limit = 1
[realms]
    {REALM} = {{
        kdc = {address}
        kpasswd_server = {address}
    }}
[domain_realm]
    .{REALM.lower()} = {REALM}
    {REALM.lower()} = {REALM}
    {address} = {REALM}
"""
