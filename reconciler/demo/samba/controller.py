"""A domain controller of one's own, for as long as a `with` block lasts."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.pki import Authority
from reconciler.errors import DirectoryUnavailableError

from . import config, template
from .administrator import Administrator
from .process import Address, Server
from .rights import DEFAULT_POLICY, write_rights, writer_rights, written
from .undelete import SET_BY_SAMBA, container_rights, domain_rights

_START_SECONDS = 30.0
_LONGEST = 40
_POLL_SECONDS = 0.02
_ACCESS = "nTSecurityDescriptor"


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the domain."""

    user: str
    password: str = field(repr=False)


def _short() -> str | None:
    """Return where to put a controller's files: Samba's sockets lie deep below, and a socket's path has 107 bytes at most."""
    usual = tempfile.gettempdir()
    return "/tmp" if len(usual) > _LONGEST and Path("/tmp").is_dir() else None  # noqa: S108  a private directory below it


class Controller:
    """A Samba domain controller for contoso.test with the Windows 2016 schema, on a loopback address of its own.

    Its certificate names `dc1.contoso.test` and the address. The administrator's password is made anew for every
    controller and lives in memory. Everything on disk is below one scratch directory, removed at the end.
    """

    base = config.BASE
    realm = config.REALM
    host_name = config.HOST_NAME
    admin_user = f"Administrator@{config.REALM.lower()}"

    def __init__(self, cache: Path | None = None, store: template.Store = "tdb") -> None:
        self._cache, self._store = cache, store
        self._ends = ExitStack()
        self.admin_password = ""

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            self._start(ends)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def __repr__(self) -> str:
        return f"Controller({self.url})"

    def _start(self, ends: ExitStack) -> None:
        binary = template.samba()
        address = Address()
        ends.callback(address.release)
        self.address = address.text
        self.url = f"ldaps://{self.address}"
        self.root = Path(tempfile.mkdtemp(prefix="reconcile-dc-", dir=_short()))
        ends.callback(shutil.rmtree, self.root)
        password = template.unpack(self.root, self._cache, self._store)
        tls = self.root / "tls"
        self.ca_file = Authority.create("Demonstration domain").write(tls, [self.host_name, self.address]).ca
        self.conf = self.root / "etc/smb.conf"
        self.conf.write_text(config.smb_conf(self.root, self.address, tls))
        self.krb5_conf = self.root / "etc/krb5.conf"
        self.krb5_conf.write_text(config.krb5_conf(self.address))
        self.server = Server(binary, self.conf)
        ends.callback(self.server.stop)
        self._settle(password)

    def _settle(self, password: str) -> None:
        """Wait for the first bind, then make this copy's administrator its own."""
        with self._first_bind(password) as administrator:
            fresh = f"Aa1-{secrets.token_urlsafe(24)}"
            administrator.password(f"CN=Administrator,CN=Users,{self.base}", fresh)
            self.admin_password = fresh
            names = [f"ldap/{self.address}", f"HOST/{self.address}"]
            dc = f"CN={config.HOST.upper()},OU=Domain Controllers,{self.base}"
            administrator.extend(dc, "servicePrincipalName", names)

    def _first_bind(self, password: str) -> Administrator:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.server.check()
            try:
                return Administrator(self.address, self.ca_file, self.admin_user, password)
            except DirectoryUnavailableError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def administrator(self) -> Administrator:
        """Return a connection of the administrator, to arrange the domain with; a context manager."""
        return Administrator(self.address, self.ca_file, self.admin_user, self.admin_password)

    def reader(self, name: str) -> Login:
        """Make an account with no more rights than any user has; return how it signs in."""
        password = f"Aa1-{secrets.token_urlsafe(24)}"
        login = Login(f"{name}@{self.realm.lower()}", password)
        attributes = {"sAMAccountName": name, "userPrincipalName": login.user}
        with self.administrator() as administrator:
            administrator.user(f"CN={name},CN=Users,{self.base}", attributes, password)
        return login

    def writer(self, name: str, ou: str, attributes: Sequence[str] = DEFAULT_POLICY) -> Login:
        """Make an account with the rights of `rights.writer_rights` under one OU; return how it signs in.

        `attributes` are those that the policy writes.
        """
        login = self.reader(name)
        with self.administrator() as administrator:
            schema_ids = administrator.schema_ids(written(attributes))
        self.grant(ou, "".join(writer_rights(self._sid(login), schema_ids).values()))
        return login

    def allow_listing(self, login: Login) -> None:
        """Let an account of `reader` or `writer` list deleted objects.

        Their container counts as deleted itself, which `grant` cannot reach.
        """
        graves = f"CN=Deleted Objects,{self.base}"
        controls = "--controls=show_deleted:1,sd_flags:1:4"
        shown = self._run("ldbsearch", "-H", self._database, "-b", graves, "-s", "base", controls, _ACCESS)
        [dacl] = re.findall(f"^{_ACCESS}: (.*)$", shown.replace("\n ", ""), re.MULTILINE)
        granted = dacl + "".join(container_rights(self._sid(login)).values())
        self.change(f"dn: {graves}\nchangetype: modify\nreplace: {_ACCESS}\n{_ACCESS}: {granted}\n", controls)

    def allow_reanimation(self, login: Login, ou: str) -> None:
        """Let an account of `writer` bring back what is deleted under its OU from now on, and nothing else."""
        sid = self._sid(login)
        with self.administrator() as administrator:
            schema_ids = administrator.schema_ids(SET_BY_SAMBA)
        self.allow_listing(login)
        self.grant(self.base, "".join(domain_rights(sid).values()))
        self.grant(ou, "".join(write_rights(sid, schema_ids).values()))

    def _sid(self, login: Login) -> str:
        with self.administrator() as administrator:
            return administrator.sid(f"CN={login.user.partition('@')[0]},CN=Users,{self.base}")

    def grant(self, dn: str, sddl: str) -> None:
        """Add access control entries, in SDDL, to an object."""
        self.samba_tool("dsacl", "set", f"--objectdn={dn}", f"--sddl={sddl}")

    def krb5_env(self) -> dict[str, str]:
        """Return what Kerberos programs and libraries need in their environment: this realm, a cache of their own."""
        return {"KRB5_CONFIG": str(self.krb5_conf), "KRB5CCNAME": f"FILE:{self.root / 'etc/ccache'}"}

    def samba_tool(self, *args: str, stdin: str | None = None) -> str:
        """Run samba-tool on this controller's database; return its output. Never put a secret into `args`."""
        return self._run("samba-tool", *args, f"--configfile={self.conf}", stdin=stdin)

    def change(self, ldif: str, *args: str) -> None:
        """Change the database as the directory itself would: no right is asked for."""
        self._run("ldbmodify", "-H", self._database, *args, stdin=ldif)

    @property
    def _database(self) -> str:
        return str(self.root / "private/sam.ldb")

    @staticmethod
    def _run(program: str, *args: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [program, *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=template.environment(),
            check=False,
        )
        if done.returncode:
            raise DirectoryUnavailableError(f"{program} {args[0]} failed: {done.stdout}{done.stderr}".strip())
        return done.stdout

    def dbcheck(self) -> str:
        """Check the whole database and return the summary; raise DirectoryUnavailableError when anything is amiss."""
        return self.samba_tool("dbcheck", "--cross-ncs").strip().splitlines()[-1]
