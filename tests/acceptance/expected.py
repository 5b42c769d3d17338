"""What Active Directory must hold, worked out from the tenant by the flow table and nothing of ours."""

from __future__ import annotations

import ssl
from typing import Any

import ldap3

from reconciler.demo.samba import Controller
from reconciler.directory.ldap.decode import sid
from tests.support.operations import Operations

FLOWS = {
    "userPrincipalName": "userPrincipalName",
    "displayName": "displayName",
    "givenName": "givenName",
    "sn": "surname",
    "mail": "mail",
    "employeeType": "userType",
}
ATTRIBUTES = [
    *FLOWS,
    "cn",
    "sAMAccountName",
    "adminDescription",
    "userAccountControl",
    "objectSid",
    "distinguishedName",
]


def wanted(operations: Operations) -> dict[str, dict[str, str]]:
    """Every live guest's attributes, by cn."""
    found = {}
    for user in operations.tenant.guests():
        values = {ldap: user.properties.get(graph) for ldap, graph in FLOWS.items()}
        found[user.id] = {
            **{k: str(v) for k, v in values.items() if v is not None},
            "cn": user.id,
            "sAMAccountName": user.id[:20],
            "adminDescription": f"User_{user.id}",
            "userAccountControl": "262656",
        }
    return found


def held(samba: Controller, ou: str) -> dict[str, dict[str, str]]:
    """Every user below the OU, by cn, read over a connection that has nothing of the program's."""
    # From Python 3.12 on ldap3 checks names by itself, and knows no addresses: the certificate's other name will do.
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(samba.ca_file), valid_names=[samba.host_name])
    server = ldap3.Server(samba.address, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    connection: Any = ldap3.Connection(
        server, samba.admin_user, samba.admin_password, auto_bind=True, check_names=False
    )
    try:
        answer = connection.extend.standard.paged_search(
            ou, "(&(objectClass=user)(objectCategory=person))", attributes=ATTRIBUTES, paged_size=500, generator=False
        )
        return {e["cn"]: e for e in (_texts(r["raw_attributes"]) for r in answer if r["type"] == "searchResEntry")}
    finally:
        connection.unbind()


def _texts(raw: dict[str, list[bytes]]) -> dict[str, str]:
    return {k: sid(v[0]) if k == "objectSid" else v[0].decode() for k, v in raw.items() if v}


def accounts(samba: Controller, ou: str) -> dict[str, dict[str, str]]:
    """The same without what a controller chooses."""
    kept = {"objectSid", "distinguishedName"}
    return {cn: {k: v for k, v in entry.items() if k not in kept} for cn, entry in held(samba, ou).items()}


def sids(samba: Controller, ou: str) -> dict[str, Any]:
    """SID by cn."""
    return {cn: entry["objectSid"] for cn, entry in held(samba, ou).items()}
