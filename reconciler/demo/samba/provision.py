"""Run by the system's own Python, which has Samba's modules: makes one empty domain in a directory.

Reads one JSON object from standard input (`directory`, `realm`, `domain`, `host`, `password`, `store`): no secret is in argv.
Imports nothing of this package, for that interpreter has none of it.
"""

from __future__ import annotations

import json
import logging
import sys

import ldb
import samba.provision
import samba.schema
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

_SCHEMA_2016 = ("AD_DS_Attributes__Windows_Server_2016.ldf", "AD_DS_Classes__Windows_Server_2016.ldf", 87)
_FUNCTION_LEVEL_2008_R2 = 4


def main() -> None:
    """Provision, then settle what a domain that lives for an afternoon should not be troubled with."""
    asked = json.load(sys.stdin)
    conf = f"{asked['directory']}/etc/smb.conf"
    # 4.17 ships the 2016 schema without listing it; its 2012 R2 default lacks msDS-ExternalDirectoryObjectId.
    samba.schema.Schema.base_schemas["2016"] = _SCHEMA_2016
    load = LoadParm()
    load.load(conf)
    samba.provision.provision(
        logging.getLogger("provision"),
        system_session(),
        smbconf=conf,
        lp=load,
        realm=asked["realm"],
        domain=asked["domain"],
        hostname=asked["host"],
        hostip="127.0.0.1",
        adminpass=asked["password"],
        serverrole="active directory domain controller",
        dns_backend="NONE",
        dom_for_fun_level=_FUNCTION_LEVEL_2008_R2,
        skip_sysvolacl=True,
        base_schema="2016",
        batch_mode=True,
        backend_store=asked["store"],
    )
    directory = SamDB(session_info=system_session(), lp=load)
    # The result is kept and copied for months: the administrator's password must not age with it.
    directory.set_maxPwdAge("0")
    _name_service(directory, asked["host"], asked["realm"].lower())


def _name_service(directory: SamDB, host: str, domain: str) -> None:
    """Add the service names that Samba's DNS updater, which does not run here, would have added."""
    names = [f"ldap/{host}.{domain}", f"ldap/{host}.{domain}/{domain}", f"ldap/{host.upper()}"]
    change = ldb.Message(ldb.Dn(directory, f"CN={host.upper()},OU=Domain Controllers,{directory.domain_dn()}"))
    change["names"] = ldb.MessageElement(names, ldb.FLAG_MOD_ADD, "servicePrincipalName")
    directory.modify(change)


if __name__ == "__main__":
    main()
