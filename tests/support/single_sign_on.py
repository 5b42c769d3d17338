"""Single sign-on as Application Proxy does it, on one controller: a connector with protocol transition, and an application."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.administrator import Administrator

from . import apache
from .apache import Apache
from .operations import Done, Operations

HOST = "app.contoso.test"
SPN = f"HTTP/{HOST}"
PROTOCOL_TRANSITION = 0x1000000
NORMAL = 0x200


@dataclass(frozen=True)
class SingleSignOn:
    """The connector `connector`, the application `application` and its page; names are unique on the controller."""

    samba: Controller
    name: str
    spn: str
    keytab: Path
    site: Apache
    login: Login

    @property
    def connector(self) -> str:
        return f"c-{self.name}"

    @property
    def application(self) -> str:
        return f"a-{self.name}"

    def dn(self, name: str) -> str:
        return f"CN={name},CN=Users,{self.samba.base}"

    def env(self) -> dict[str, str]:
        """What the connector's machine has: Kerberos's configuration, the keytab, a reading account; no tickets."""
        return {
            "KRB5_CONFIG": str(self.samba.krb5_conf),
            "KRB5CCNAME": f"FILE:{self.samba.root}/etc/nobodys-{self.name}",
            "RECONCILE_CONNECTOR_KEYTAB": str(self.keytab),
            "RECONCILE_LDAP_USER": self.login.user,
            "RECONCILE_LDAP_PASSWORD": self.login.password,
            "REQUESTS_CA_BUNDLE": str(self.site.ca),
        }

    def verify(self, ops: Operations, *arguments: str, expect: int | None = 0, **env: str) -> Done:
        """Run `reconcile verify` for the application."""
        given = arguments if "--service" in arguments else (*arguments, "--service", self.spn)
        return ops.reconcile("verify", *given, expect=expect, env={**self.env(), **env})

    def account(self, name: str, spn: str, keytab: Path | None = None) -> Path:
        """Make a service account with a name of its own; return its keytab."""
        with self.samba.administrator() as administrator:
            make_account(self.samba, administrator, name, spn)
        return export(self.samba, name, keytab)


@contextmanager
def single_sign_on(samba: Controller) -> Iterator[SingleSignOn]:
    """Set it all up; the application runs as long as the block."""
    name = secrets.token_hex(4)
    host = f"{name}.{HOST}"
    spn = f"HTTP/{host}"
    with samba.administrator() as administrator:
        connector = make_account(samba, administrator, f"c-{name}", f"reconcile/{name}")
        make_account(samba, administrator, f"a-{name}", spn)
        administrator.replace(connector, "userAccountControl", [str(NORMAL | PROTOCOL_TRANSITION)])
        administrator.replace(connector, "msDS-AllowedToDelegateTo", [spn])
    login = samba.reader(f"r-{name}")
    samba.allow_listing(login)
    keytab = export(samba, f"c-{name}")
    site = apache.start(
        samba.address, host, export(samba, spn, samba.root / f"etc/{name}-http.keytab"), samba.krb5_env()
    )
    try:
        yield SingleSignOn(samba, name, spn, keytab, site, login)
    finally:
        site.stop()


def make_account(samba: Controller, administrator: Administrator, name: str, spn: str) -> str:
    dn = f"CN={name},CN=Users,{samba.base}"
    attributes = {"sAMAccountName": name, "userPrincipalName": f"{name}@contoso.test"}
    administrator.user(dn, attributes, f"Aa1-{secrets.token_urlsafe(24)}")
    administrator.replace(dn, "servicePrincipalName", [spn])
    return dn


def export(samba: Controller, principal: str, into: Path | None = None) -> Path:
    keytab = into or samba.root / f"etc/{principal}.keytab"
    samba.samba_tool("domain", "exportkeytab", str(keytab), f"--principal={principal}")
    return keytab
