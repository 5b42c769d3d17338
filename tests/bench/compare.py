"""This program, the PowerShell sample's algorithm and ldapsearch, side by side on one controller; see docs/performance.md."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from reconciler.config.settings import load_settings
from reconciler.demo.people import generate
from reconciler.demo.samba import Controller
from reconciler.directory.connect import open_reader
from reconciler.model.dn import DN
from tests.support.operations import CLIENT, TENANT, Operations, installation
from tests.support.samba import fresh_ou

from .results import Compared, store

POLICY = (
    *("adminDescription", "displayName", "employeeType", "givenName", "mail"),
    *("sAMAccountName", "sn", "userAccountControl", "userPrincipalName"),
)
IDENTITY = (
    "objectGUID",
    "objectSid",
    "objectClass",
    "adminCount",
    "servicePrincipalName",
    "memberOf",
    "primaryGroupID",
)
"""What this program always reads too. The others read the same."""
CHANGED = 100
"""One guest of so many has another display name on the second day."""
_ROOT = Path(__file__).parents[2]
_FILTER = "(&(objectCategory=person)(objectClass=user))"


def measure(guests: int, root: Path) -> list[Compared]:
    """Run every contender over the same guests, one after the other, on one controller."""
    with Controller() as samba:
        ou, theirs = fresh_ou(samba), fresh_ou(samba)
        people = generate(guests, seed=20260101)
        with installation(root, samba, ou, people) as ours:
            script = _Script(samba, ours, theirs.text)
            rows = [script.run("first run")]
            rows += _reading(samba, ours, script, theirs.text)
            rows.append(script.run("nothing changed"))
            _empty(samba, theirs.text)
            rows.append(_ours(ours, "first run", guests, _loop))
            rows.append(_ours(ours, "nothing changed", guests, _look))
            for guest in ours.tenant.guests()[::CHANGED]:
                ours.tenant.update(guest.id, displayName="Changed In Entra")
            rows.append(_ours(ours, "1 % changed", guests, _loop))
    return rows


class _Script:
    """The sample's algorithm as a process of its own, with a writing account of its own."""

    def __init__(self, samba: Controller, ours: Operations, ou: str) -> None:
        login = samba.writer("script", ou)
        self._env = {
            **ours.env,
            "RECONCILE_LDAP_USER": login.user,
            "RECONCILE_LDAP_PASSWORD": login.password,
        }
        self._where = {
            "controller": samba.url,
            "ad_ca": str(samba.ca_file),
            "ou": ou,
            "archive": f"OU=Departed,{ou}",
            "attributes": (*POLICY, *IDENTITY),
            "graph": ours.tenant.graph,
            "authority": ours.tenant.authority,
            "tenant": TENANT,
            "client": CLIENT,
            "entra_ca": str(ours.tenant.ca_file(ours.root)),
        }

    def run(self, what: str) -> Compared:
        """One scheduled run, as a whole process."""
        begun, cpu = time.perf_counter(), children()
        done = self._do("sync")
        return Compared(what, "sample script", int(done["guests"]), time.perf_counter() - begun, children() - cpu)

    def read(self) -> Compared:
        """The reading alone, without the interpreter's start."""
        done = self._do("read")
        return Compared("read", "stock ldap3", int(done["accounts"]), done["wall"], done["cpu"])

    def _do(self, what: str) -> dict[str, float]:
        where = json.dumps({**self._where, "do": what})
        command = [sys.executable, "-m", "tests.bench.contenders.sample_script", where]
        done: dict[str, float] = json.loads(_output(command, self._env))
        return done


def _reading(samba: Controller, ours: Operations, script: _Script, ou: str) -> list[Compared]:
    """Read the same accounts three times each, in turn; the fastest of each counts."""
    rounds = [(_ldapsearch(samba, ours, ou), _reader(ours, ou), script.read()) for _ in range(3)]
    return [min(rows, key=lambda r: r.wall) for rows in zip(*rounds, strict=True)]


def _ldapsearch(samba: Controller, ours: Operations, ou: str) -> Compared:
    password = ours.root / "password"
    password.touch(0o600)
    password.write_text(ours.env["RECONCILE_LDAP_PASSWORD"])
    command = ["ldapsearch", "-LLL", "-x", "-H", samba.url, "-D", ours.env["RECONCILE_LDAP_USER"], "-y", str(password)]
    command += ["-E", "pr=1000/noprompt", "-b", ou, _FILTER, *POLICY, *IDENTITY]
    begun, cpu = time.perf_counter(), children()
    listed = _output(command, {**os.environ, "LDAPTLS_CACERT": str(samba.ca_file)})
    wall, spent = time.perf_counter() - begun, children() - cpu
    password.unlink()
    return Compared("read", "ldapsearch", listed.count("\ndn: ") + listed.startswith("dn: "), wall, spent)


def _reader(ours: Operations, ou: str) -> Compared:
    reader = open_reader(load_settings(ours.settings.encode(), "reconcile.yaml", str(ours.root), {}), ours.env, None)
    try:
        begun, cpu = time.perf_counter(), time.process_time()
        count = sum(1 for _ in reader.accounts([DN(ou)], POLICY))
        return Compared("read", "reconcile", count, time.perf_counter() - begun, time.process_time() - cpu)
    finally:
        reader.close()


def _ours(ours: Operations, what: str, guests: int, work: Callable[[Operations], object]) -> Compared:
    begun, cpu = time.perf_counter(), children()
    work(ours)
    return Compared(what, "reconcile", guests, time.perf_counter() - begun, children() - cpu)


def _loop(ours: Operations) -> None:
    """Import, plan, propose, merge, apply: everything, with git and both checks."""
    counts = ours.loop()
    if set(counts) != {"done"}:
        raise RuntimeError(f"not everything was applied: {counts}")


def _look(ours: Operations) -> None:
    """Import and plan, as the scheduled job does when nothing changed."""
    if ours.plan()["changes"]:
        raise RuntimeError("the plan is not empty")


def _empty(samba: Controller, ou: str) -> None:
    """Delete the script's accounts: a userPrincipalName exists once in a forest."""
    tree = ("--recursive", f"OU=Departed,{ou}"), ("--recursive", ou)
    for arguments in tree:
        samba.change(f"dn: {arguments[-1]}\nchangetype: delete\n", "--controls=tree_delete:1")


def children() -> float:
    """Return the seconds of CPU that processes took which were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _output(command: Sequence[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=env, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def main() -> None:
    """Measure, print JSON, and draw."""
    options = argparse.ArgumentParser(prog="script/bench compare", description=__doc__)
    options.add_argument("--guests", type=int, default=2000, help="how many there are (default: %(default)s)")
    options.add_argument("--json", type=Path, metavar="FILE", help="where to put all figures")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="reconcile-") as scratch:
        rows = measure(chosen.guests, Path(scratch))
    print(json.dumps([asdict(r) for r in rows], indent=1))
    if chosen.json:
        store(chosen.json, "compared", rows, ("what", "who"))


if __name__ == "__main__":
    main()
