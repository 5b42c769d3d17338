"""Debian's Apache with mod_auth_gssapi: the Kerberos application of the tests, of this test run alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.demo.pki import Authority

BINARY = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
PACKAGES = "apache2-bin libapache2-mod-auth-gssapi"
SEEN = "X-Remote-User"
"""The header in which the application says whom it saw."""
_LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "ssl", "dir", "mime")
_NOBODY = 65534
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Apache:
    """A running server. `http` and `https` are its page's URLs; `ca` is whom its certificate can be checked with."""

    process: subprocess.Popen[bytes]
    root: Path
    http: str
    https: str
    ca: Path

    def log(self) -> str:
        return (self.root / "error.log").read_text(errors="replace")

    def stop(self) -> None:
        """End it and its children, and see that they are gone."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(_STOP_SECONDS)
        shutil.rmtree(self.root)


def start(address: str, host: str, keytab: Path, env: Mapping[str, str]) -> Apache:
    """Start a server on free ports of a loopback address; `env` says where Kerberos's configuration is.

    Everything it reads and writes is below a directory of its own. A missing Apache is an error that names the packages.
    """
    missing = [name for name in _LOADED if not (MODULES / f"mod_{name}.so").exists()]
    if missing or not Path(BINARY).exists():
        raise AssertionError(f"Apache is not installed whole ({missing}): apt-get install {PACKAGES}")
    root = Path(tempfile.mkdtemp(prefix="reconcile-app-", dir="/tmp"))
    (root / "www").mkdir()
    for page in ("index.html", "liar", "open"):
        (root / "www" / page).write_text("<p>the application</p>\n")
    tls = Authority.create("Test application").write(root / "tls", [host, address])
    shutil.copy(keytab, root / "http.keytab")
    shutil.copy(env["KRB5_CONFIG"], root / "krb5.conf")
    ports = _free(address, 2)
    (root / "apache.conf").write_text(_conf(root, address, ports, host))
    prefix, user = _somebody(root)
    with (root / "output").open("wb") as output:
        process = subprocess.Popen(
            [*prefix, BINARY, "-f", str(root / "apache.conf"), "-DFOREGROUND"],
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "KRB5_CONFIG": str(root / "krb5.conf"),
                "KRB5CCNAME": "MEMORY:",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    apache = Apache(process, root, f"http://{address}:{ports[0]}/", f"https://{address}:{ports[1]}/", tls.ca)
    _wait(apache, address, ports)
    return apache


def _somebody(root: Path) -> tuple[list[str], int | None]:
    """Return how to start it as no root, since as root it does not serve: a command to go before, and a user.

    Root becomes nobody. Root of a namespace, which has no other users, becomes somebody in one more namespace.
    """
    if os.geteuid() != 0:
        return [], None
    if int(Path("/proc/self/uid_map").read_text().split()[2]) <= _NOBODY:
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"], None
    for path in (root, *root.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    return [], _NOBODY


def _free(address: str, count: int) -> list[int]:
    found = [socket.socket() for _ in range(count)]
    try:
        for one in found:
            one.bind((address, 0))
        return [one.getsockname()[1] for one in found]
    finally:
        for one in found:
            one.close()


def _wait(apache: Apache, address: str, ports: list[int]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    for port in ports:
        while True:
            if apache.process.poll() is not None:
                raise AssertionError(f"Apache ended: {(apache.root / 'output').read_text()}{apache.log()}")
            try:
                socket.create_connection((address, port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    apache.stop()
                    raise
                time.sleep(0.02)


def _conf(root: Path, address: str, ports: list[int], host: str) -> str:
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in _LOADED)
    return f"""\
ServerRoot "{root}"
DefaultRuntimeDir "{root}"
PidFile "{root}/pid"
ErrorLog "{root}/error.log"
LogLevel info
ServerName {host}
Listen {address}:{ports[0]}
Listen {address}:{ports[1]}
{modules}
Mutex file:{root} default
TypesConfig /dev/null
DirectoryIndex index.html
DocumentRoot "{root}/www"
<VirtualHost {address}:{ports[1]}>
  SSLEngine on
  SSLCertificateFile "{root}/tls/cert.pem"
  SSLCertificateKeyFile "{root}/tls/key.pem"
</VirtualHost>
<Location "/">
  AuthType GSSAPI
  AuthName "the application"
  GssapiCredStore keytab:{root}/http.keytab
  GssapiAllowedMech krb5
  Require valid-user
  Header always set {SEEN} "expr=%{{REMOTE_USER}}"
</Location>
<Location "/forbidden">
  AuthzSendForbiddenOnFailure On
  Require user nobody-at-all
</Location>
<Location "/open">
  Require all granted
</Location>
<Location "/liar">
  Header always set {SEEN} "CONTOSO\\\\mallory"
</Location>
"""
