"""The sink for Kerberos names: a name from outside cannot become another principal, realm or service."""

from __future__ import annotations

import re

from reconciler.errors import UsageError
from reconciler.model.dn import DN

_SPECIAL = re.compile(r"[\\/@\n\t\b\0]")
_ESCAPES = {"\n": r"\n", "\t": r"\t", "\b": r"\b", "\0": r"\0"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "t": "\t", "b": "\b", "0": "\0"}
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")
_REALM = re.compile(r"[A-Za-z0-9._-]+")
_SPN = re.compile(r"[^/@\s\\]+/[^/@\s\\]+(?:/[^/@\s\\]+)?")


def component(name: str) -> str:
    """Return a name as one component of a principal in MIT's text form (krb5_parse_name)."""
    return _SPECIAL.sub(lambda m: _ESCAPES.get(m[0], "\\" + m[0]), name)


def text(component: str) -> str:
    """Return what a component of a principal in MIT's text form stands for."""
    return _ESCAPED.sub(lambda m: _MEANT.get(m[1], m[1]), component)


def service(spn: str) -> str:
    """Return a service principal name without a realm; UsageError for what is none."""
    if not _SPN.fullmatch(spn):
        raise UsageError(f"Not a service principal name: {spn}", "Write it as in setspn -Q: HTTP/app.contoso.test")
    return spn


def realm_of(base: DN) -> str:
    """Return the Kerberos realm of a domain: its DNS name in upper case."""
    realm = ".".join(value for key, value in base.rdns if key == "DC").upper()
    if not _REALM.fullmatch(realm):
        raise UsageError(f"{base} names no DNS domain.", "Correct directory.base in reconcile.yaml.")
    return realm


def krb5_conf(realm: str, hosts: list[str]) -> tuple[str, str]:
    """Return what goes before, and what after, the configuration that is there (krb5.conf).

    Before: what a proof cannot do without. A forwardable ticket, and this machine's own clock: by default the library would
    quietly reckon with the KDC's. After: the controllers of reconcile.yaml, as the KDCs of a realm for which there is no other.
    """
    first = (
        "[libdefaults]\n"
        f"    default_realm = {realm}\n"
        "    forwardable = true\n"
        "    kdc_timesync = 0\n"
        "    udp_preference_limit = 1\n"
    )
    kdcs = "".join(f"        kdc = {host}\n" for host in hosts if _HOST.fullmatch(host))
    return first, f"[realms]\n    {realm} = {{\n{kdcs}    }}\n" if kdcs else ""
