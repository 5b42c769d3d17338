"""The system's packages for development: a real domain controller and Kerberos. Run by itself, as root, it installs."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

RUNNING = (
    "samba-ad-dc",
    "samba-ad-provision",
    "samba-dsdb-modules",
    "python3-samba",
    "ldb-tools",
    "krb5-user",
    "ldap-utils",
    "iproute2",
    "apache2-bin",
    "libapache2-mod-auth-gssapi",
    "faketime",
)
"""What the tests start. Older releases ship the controller in fewer packages: only those that exist are asked for."""
_POLICY = Path("/usr/sbin/policy-rc.d")
_NOTHING_STARTS = (
    "#!/bin/sh\n# script/bootstrap of reconcile is installing Samba, whose own services are not wanted.\nexit 101\n"
)
_APT = ["apt-get", "--quiet=2", "--option=DPkg::Lock::Timeout=300", "--option=Dpkg::Use-Pty=0"]
_PATIENCE = 300.0


def building() -> tuple[str, ...]:
    """Return what compiling gssapi against this interpreter takes; one with headers of its own needs no package."""
    needed = ["gcc", "libc6-dev", "libkrb5-dev"]
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        needed.append(f"libpython{sys.version_info.major}.{sys.version_info.minor}-dev")
    return tuple(needed)


def ensure(names: Sequence[str]) -> None:
    """Install those packages that are missing; SystemExit says exactly what to run where we may not."""
    missing = _missing(names)
    if not missing:
        return
    command = [sys.executable, "-I", __file__, *missing]
    if os.geteuid() != 0:
        command[:0] = ["sudo", "-n"]
        if (
            shutil.which("sudo") is None
            or subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode
        ):
            sys.exit(_by_hand(missing))
    print(f"Installing packages of the system, a minute or so: {' '.join(missing)}", file=sys.stderr)
    if subprocess.run(command, check=False).returncode:
        sys.exit(_by_hand(missing))


def _missing(names: Sequence[str]) -> list[str]:
    try:
        said = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    except FileNotFoundError:
        sys.exit(
            "The tests start Samba's Active Directory domain controller, as Debian and Ubuntu package it; this system has no"
            f" dpkg. Use one of those, or a container of one. There: {' '.join(names)}"
        )
    there = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    if shutil.which("samba", path="/usr/local/sbin:/usr/sbin:" + os.environ.get("PATH", "")):
        there |= {"samba-ad-dc"}
    return [name for name in names if name not in there]


def _by_hand(missing: Sequence[str]) -> str:
    return (
        "This needs packages that could not be installed from here. Run, then start again:\n"
        f"  sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(missing)}"
    )


def _install(names: Sequence[str]) -> None:
    """Install as root, one at a time on this machine; neither starts nor enables a service that was not there before."""
    lock = os.open("/var/lib/dpkg", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _update()
    known = [name for name in names if _quiet(["apt-cache", "show", name]).returncode == 0]
    before = _services()
    with _no_service_starts():
        _quiet(["dpkg", "--configure", "--pending"])  # what an earlier, interrupted installation left
        done = _quiet([*_APT, "install", "--yes", "--no-install-recommends", *known])
    for name in sorted(_services() - before):
        _quiet(["update-rc.d", name, "disable"])
    os.close(lock)
    if done.returncode:
        sys.exit(done.stdout.strip())


def _update() -> None:
    """Update the lists, waiting for somebody else's update; a failure shows in what cannot be installed afterwards."""
    until = time.monotonic() + _PATIENCE
    while "/lists/lock" in (said := _quiet([*_APT, "update"]).stdout) and time.monotonic() < until:
        time.sleep(1)
    if said.strip():
        print(said.strip(), file=sys.stderr)


def _services() -> set[str]:
    return {path.name for path in Path("/etc/init.d").glob("*")}


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Have Debian's policy hook refuse to start anything, unless the administrator has a policy of their own."""
    ours = not _POLICY.exists() or _POLICY.read_text(errors="replace") == _NOTHING_STARTS
    if ours:
        _POLICY.write_text(_NOTHING_STARTS)
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)


def _quiet(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _install(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
