"""An empty domain, provisioned once per version of Samba and of the recipe, and unpacked for every use."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from reconciler.errors import DirectoryUnavailableError

from . import config

PYTHON = "/usr/bin/python3"
"""The interpreter that Debian builds Samba's modules for."""
SAMBA = ("/usr/sbin/samba", "/usr/local/samba/sbin/samba")
PACKAGES = "samba-ad-dc samba-ad-provision python3-samba krb5-user ldb-tools"
_RECIPE = Path(__file__).with_name("provision.py")
_PASSWORD = "etc/administrator"  # noqa: S105  the name of the file that holds one
_SPACE = "Check the space left in $XDG_CACHE_HOME and in the directory for temporary files."
_LOOPBACK = "127.0.0.1"
_REMEDY = f"Install what a domain controller needs: apt-get install {PACKAGES}"


def samba() -> str:
    """Return the path of Samba's server; DirectoryUnavailableError names the packages when it is not installed."""
    found = next((path for path in (shutil.which("samba"), *SAMBA) if path and Path(path).exists()), None)
    modules = [PYTHON, "-c", "import ldb, samba.provision"]
    if (
        found is None
        or not Path(PYTHON).exists()
        or subprocess.run(modules, capture_output=True, check=False).returncode
    ):
        raise DirectoryUnavailableError("Samba's Active Directory domain controller is not installed.", _REMEDY)
    return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of every Samba program: nothing inherited, no waiting for a disk that need not last."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TDB_NO_FSYNC": "1", **(extra or {})}


Store = Literal["tdb", "mdb"]
"""How Samba keeps its database. Its tdb is half the size and looks through everything where it is asked for `uSNChanged>=`;
mdb has an index for that, as Active Directory does, and takes 100,000 accounts."""


def unpack(into: Path, cache: Path | None = None, store: Store = "tdb") -> str:
    """Put a domain's files into an empty directory and return its administrator's password.

    Provisions first where the cache (by default `$XDG_CACHE_HOME/reconcile`) has none: a few seconds, once. Several
    processes may ask at once. The packed domain holds secrets of a throw-away domain: mode 0600.
    """
    packed = _packed(cache or _cache(), store)
    _tar("-xzf", packed, "-C", into)
    into.chmod(0o700)
    config.make_directories(into)
    return (into / _PASSWORD).read_text()


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "reconcile"


def _packed(cache: Path, store: Store) -> Path:
    packed = cache / f"samba-{_version_key()}-{store}.tar.gz"
    if packed.exists():
        return packed
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(packed.with_suffix(".lock")):
        if not packed.exists():  # another process may have been faster
            with tempfile.TemporaryDirectory(dir=cache, prefix="provision-") as scratch:
                _provision(Path(scratch), packed, store)
    return packed


def _version_key() -> str:
    version = subprocess.run([samba(), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    recipe = _RECIPE.read_bytes() + Path(config.__file__).read_bytes()
    return f"{version}-{hashlib.sha256(recipe).hexdigest()[:12]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _provision(scratch: Path, packed: Path, store: Store) -> None:
    domain = scratch / "domain"
    config.make_directories(domain)
    (domain / "etc/smb.conf").write_text(config.smb_conf(domain, _LOOPBACK, tls=None))
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    (domain / _PASSWORD).write_text(password)
    asked = {"directory": domain, "realm": config.REALM, "domain": config.DOMAIN, "host": config.HOST, "store": store}
    done = subprocess.run(
        [PYTHON, _RECIPE],
        input=json.dumps({**asked, "password": password}, default=str),
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    if done.returncode:
        raise DirectoryUnavailableError(
            f"Samba could not provision a domain in {scratch}:\n{done.stderr.strip()[-2000:]}",
            "Run it as root, or in a user namespace of its own: unshare -Ur",
        )
    unfinished = scratch / "packed"
    unfinished.touch(mode=0o600)
    _tar("-czf", unfinished, "-C", domain, ".")
    unfinished.replace(packed)


def _tar(*args: str | Path) -> None:
    done = subprocess.run(["tar", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DirectoryUnavailableError(
            f"The domain's files cannot be packed or unpacked: {done.stderr.strip()}", _SPACE
        )
