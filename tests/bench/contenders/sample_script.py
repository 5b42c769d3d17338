"""The published PowerShell sample's algorithm in Python, on stock ldap3: what many teams run today.

All guests of the tenant in one table, all accounts of the OU in another, both by userPrincipalName; whoever is in the first
alone gets an account, whoever is in the second alone is disabled and moved. Nothing else is ever compared or written.

Fair where the languages differ: one connection and one TLS session for everything, one add with the password in it (the
sample's cmdlet takes three requests), pages of 1,000, and the look for a taken sAMAccountName that its second version has,
without its endless loop.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import ldap3
import requests
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

PAGE = 999
SMARTCARD_NEVER_EXPIRES = 0x200 | 0x10000 | 0x40000
_GUEST = "id,userPrincipalName,displayName"
_MARK = "#EXT#"


def guests(graph: str, authority: str, tenant: str, client: str, secret: str, ca: str) -> Iterator[Mapping[str, Any]]:
    """Yield every guest of the tenant."""
    http = requests.Session()
    http.trust_env = False  # REQUESTS_CA_BUNDLE would replace the authority
    http.verify = ca
    host = urlsplit(graph)
    asked = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret,
        "scope": f"{host.scheme}://{host.netloc}/.default",
    }
    token = http.post(f"{authority}/{tenant}/oauth2/v2.0/token", data=asked, timeout=30)
    token.raise_for_status()
    http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
    link = f"{graph}/users?$filter=userType eq 'Guest'&$select={_GUEST}&$top={PAGE}"
    while link:
        page = http.get(link, timeout=30)
        page.raise_for_status()
        found = page.json()
        yield from found["value"]
        link = found.get("@odata.nextLink", "")


def connect(url: str, user: str, password: str, ca: str) -> Any:
    """Return a bound connection as ldap3's own documentation makes one."""
    host = urlsplit(url).hostname or url
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca, valid_names=[host])
    server = ldap3.Server(host, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    return ldap3.Connection(server, user, password, auto_bind=True, auto_referrals=False, raise_exceptions=True)


def accounts(connection: Any, ou: str, attributes: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yield every account of the OU."""
    yield from connection.extend.standard.paged_search(
        ou, "(&(objectCategory=person)(objectClass=user))", attributes=attributes, paged_size=1000, generator=True
    )


def run(graph: Iterator[Mapping[str, Any]], connection: Any, ou: str, archive: str) -> dict[str, int]:
    """Make what is missing, put aside what is left over; return how many of each."""
    wanted = {g["userPrincipalName"]: g for g in graph}
    there = {
        a["attributes"]["userPrincipalName"][0]: a["dn"]
        for a in accounts(connection, ou, ["userPrincipalName", "name"])
    }
    missing = [g for upn, g in wanted.items() if upn not in there]
    left = [dn for upn, dn in there.items() if upn not in wanted]
    for guest in missing:
        _create(connection, ou, guest)
    for dn in left:
        connection.modify(dn, {"userAccountControl": [(ldap3.MODIFY_REPLACE, [str(SMARTCARD_NEVER_EXPIRES | 2)])]})
        connection.modify_dn(dn, dn.split(",", 1)[0], new_superior=archive)
    return {"guests": len(wanted), "accounts": len(there), "created": len(missing), "archived": len(left)}


def _create(connection: Any, ou: str, guest: Mapping[str, Any]) -> None:
    upn = guest["userPrincipalName"]
    name = _free_name(connection, ou, upn)
    attributes = {
        "sAMAccountName": name,
        "userPrincipalName": upn,
        "displayName": guest["displayName"] or upn,
        "description": upn,
        "userAccountControl": str(SMARTCARD_NEVER_EXPIRES),
        "unicodePwd": f'"Aa1-{secrets.randbits(256)}"'.encode(
            "utf-16-le"
        ),  # no letters in which somebody's name could be
    }
    connection.add(f"CN={escape_rdn(upn.partition(_MARK)[0][:64])},{ou}", "user", attributes)


def _free_name(connection: Any, ou: str, upn: str) -> str:
    base = upn.replace(".", "-").replace("#", "_").replace("@", "_")[:20]
    for ending in ("", *(str(n) for n in range(1000))):
        name = base[: 20 - len(ending)].rstrip("-") + ending
        domain = ou[ou.upper().index("DC=") :]
        connection.search(domain, f"(sAMAccountName={escape_filter_chars(name)})", attributes=["cn"])
        if not any(e["type"] == "searchResEntry" for e in connection.response):
            return name
    raise RuntimeError(f"no free sAMAccountName for {upn}")


def main() -> None:
    """Run as a scheduled task would: everything from the environment and the command line, a line of JSON at the end."""
    where = json.loads(sys.argv[1])
    directory = connect(
        where["controller"], os.environ["RECONCILE_LDAP_USER"], os.environ["RECONCILE_LDAP_PASSWORD"], where["ad_ca"]
    )
    begun = time.process_time(), time.perf_counter()
    if where["do"] == "read":
        done = {"accounts": sum(1 for _ in accounts(directory, where["ou"], where["attributes"]))}
    else:
        source = guests(
            where["graph"],
            where["authority"],
            where["tenant"],
            where["client"],
            os.environ["RECONCILE_ENTRA_SECRET"],
            where["entra_ca"],
        )
        done = run(source, directory, where["ou"], where["archive"])
    spent = {"cpu": time.process_time() - begun[0], "wall": time.perf_counter() - begun[1]}
    print(json.dumps({**done, **spent}))


if __name__ == "__main__":
    main()
