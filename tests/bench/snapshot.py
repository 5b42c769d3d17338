"""Snapshots of big tenants: a first full round and increments of 100 changes, each written and committed."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from reconciler.cli.init import Answers, scaffold

from .both import TURN, USERS, write_accounts
from .results import Imported, store
from .tenant import CLIENT, TENANT, Address, running

ROOT = Path(__file__).parents[2]
_USAGE = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def calibrate() -> float:
    """Return the seconds that a fixed loop takes here and now: other figures are to be read beside it."""
    start = time.perf_counter()
    total = 0
    for n in range(5_000_000):
        total += n
    return time.perf_counter() - start


def measure(users: int, increments: int = 3) -> list[Imported]:
    """Import a tenant of this size in full, then by increments."""
    folder = Path(tempfile.mkdtemp(prefix="reconcile-bench-"))
    try:
        with running(users, folder) as tenant:
            operations = Operations(folder / "identity", tenant, users, folder / "cache")
            found = [operations.snapshot("full")]
            operations.fill()
            found.append(operations.snapshot("both sides, nothing remembered", both=True))
            found += [operations.snapshot("both sides", both=True) for _ in range(increments)]
            return found + [operations.snapshot("increment") for _ in range(increments)]
    finally:
        shutil.rmtree(folder)


class Operations:
    """An operations directory, and the two commands that are measured in it."""

    def __init__(self, directory: Path, tenant: Address, users: int, cache: Path) -> None:
        self.directory = directory
        self._users = users
        self._turn = 0
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RECONCILE_", "GIT_"))}
        self._env = {**kept, "RECONCILE_ENTRA_SECRET": tenant.secret, "XDG_CACHE_HOME": str(cache)}
        directory.mkdir()
        remote = directory.with_name("remote.git")
        subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", str(remote))
        scaffold(directory, Answers(tenant=TENANT, client_id=CLIENT, forge="git"))
        settings = directory / "reconcile.yaml"
        settings.write_text(settings_text(tenant))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "settings and policy")

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Bench", "-c", "user.email=bench@contoso.test", "-c", "gc.auto=0"]
        subprocess.run(["git", *identity, *arguments], cwd=self.directory, check=True)

    def fill(self) -> None:
        """Give everybody an account, as an import would have found them."""
        write_accounts(self.directory, self._users)
        self._commit()

    def snapshot(self, what: str, *, both: bool = False) -> Imported:
        """Import, one side or both, and commit; `what` is how that is called."""
        module, options = ("tests.bench.both", []) if both else ("reconciler", ["--only", "graph"])
        command = [sys.executable, "-m", module, "-C", str(self.directory), "snapshot", *options]
        env = {**self._env, USERS: str(self._users), TURN: str(self._turn)}
        self._turn += both
        seconds, usage = _timed(
            lambda: (
                subprocess.run(
                    [sys.executable, "-c", _USAGE, *command],
                    env=env,
                    cwd=ROOT,
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout
            )
        )
        committed, _ = _timed(self._commit)
        cpu, peak = json.loads(usage)
        return Imported(what, self._users, seconds, committed, cpu, peak, calibrate())

    def _commit(self) -> str:
        self.git("add", "--", "state")
        self.git("commit", "-q", "-m", "import")
        return ""


def _timed(work: Callable[[], str]) -> tuple[float, str]:
    start = time.perf_counter()
    said = work()
    return time.perf_counter() - start, said


def settings_text(tenant: Address) -> str:
    """Return the settings of an operations directory for this tenant."""
    return f"""\
apiVersion: reconcile/v1
kind: Settings
entra:
  tenant: {TENANT}
  client_id: {CLIENT}
  credential: secret
  authority: {tenant.authority}
  graph: {tenant.graph}
  ca_file: "{tenant.ca_file}"
directory:
  controllers: ["ldaps://dc1.contoso.test"]
  base: DC=contoso,DC=test
  ous: ["OU=Guests,DC=contoso,DC=test"]
  bind: simple
forge: {{kind: git, remote: origin, branch: main}}
"""


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser(prog="script/bench snapshot", description=__doc__)
    parser.add_argument("users", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to put all figures")
    asked = parser.parse_args()
    for users in asked.users:
        found = measure(users)
        print(json.dumps([asdict(one) for one in found], indent=1), flush=True)
        if asked.json:
            store(asked.json, "imports", found, ("what", "guests"))


if __name__ == "__main__":
    main()
