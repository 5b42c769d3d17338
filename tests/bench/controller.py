"""A controller's side: the cost of a page read, changes among many accounts, and who keeps whom waiting in `apply`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from ldap3.strategy.sync import SyncStrategy

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.template import PYTHON, environment
from reconciler.directory.connect import open_reader
from reconciler.directory.ldap.entries import Entries
from reconciler.directory.ldap.protected import Groups
from reconciler.directory.ldap.strategy import Walking
from reconciler.model.dn import DN
from tests.directory.test_ldap_wire import NUMBER, guest, message, said
from tests.support.operations import Operations, installation
from tests.support.samba import fresh_ou, samba_env, samba_settings
from tests.support.scripted import done

from .compare import IDENTITY, children
from .results import Applied, Page, Read, store
from .snapshot import calibrate

ATTRIBUTES = (
    *("adminDescription", "displayName", "employeeType", "givenName", "mail"),
    *("sAMAccountName", "sn", "userAccountControl", "userPrincipalName"),
)
_PAGE = 1000
_RUNS = 7
_CHANGE = """
import sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
load = LoadParm()
load.load(sys.argv[1])
directory = SamDB(session_info=system_session(), lp=load)
for n in range(int(sys.argv[2])):
    change = ldb.Message(ldb.Dn(directory, f"CN=load{n},{sys.argv[3]}"))
    change["displayName"] = ldb.MessageElement(sys.argv[4], ldb.FLAG_MOD_REPLACE, "displayName")
    directory.modify(change)
"""
_LOADER = Path(__file__).parents[1] / "support/load_accounts.py"
_FILTER = "(&(objectCategory=person)(objectClass=user))"
_TIMES = 3


def page() -> Page:
    """Measure microseconds of CPU for each entry of a page of 1,000 with 14 attributes: received, and made an account."""
    data = b"".join(message(guest(n)) for n in range(_PAGE)) + message(done())
    entries = Entries(None, ATTRIBUTES, Groups(), source_of_authority=False)  # type: ignore[arg-type]

    def cpu(strategy: type[SyncStrategy]) -> tuple[float, float]:
        best = [float("inf"), float("inf")]
        for _ in range(_RUNS):
            with said(data) as target:
                receiver = strategy(target)
                start = time.thread_time()
                found = receiver._get_response(NUMBER, 5)[:-2]  # type: ignore[attr-defined]
                received = time.thread_time()
                if strategy is Walking:
                    for item in found:
                        entries.entry(item)
                best = [min(best[0], received - start), min(best[1], time.thread_time() - received)]
        return best[0] / _PAGE * 1e6, best[1] / _PAGE * 1e6

    walked, made = cpu(Walking)
    stock, _ = cpu(SyncStrategy)
    return Page("1,000 entries", walked, made, stock)


def reading(accounts: int) -> list[Read]:
    """Measure full reads of so many accounts, `ldapsearch` beside them, and the read of 100 changes among them.

    The controller's database has an index of USNs, as Active Directory's has. Each several times, in turn; the fastest counts.
    """
    with Controller(store="mdb") as samba:
        ou = fresh_ou(samba)
        command = [PYTHON, "-I", str(_LOADER), str(samba.conf), str(accounts), ou.text]
        loaded = subprocess.run(command, check=False, env=environment(), capture_output=True, text=True)
        if loaded.returncode:
            raise RuntimeError(f"the accounts cannot be loaded: {loaded.stderr}")
        login = samba.reader("bench")
        samba.allow_listing(login)
        with samba.administrator() as administrator:  # a first tombstone: it shows that deletions can be seen
            administrator.user(f"CN=gone,{ou}", {"sAMAccountName": "gone"})
            administrator.delete(f"CN=gone,{ou}")
        reader = open_reader(samba_settings(samba, [ou]), samba_env(login), None)
        try:
            usn = reader.domain().usn
            program = [PYTHON, "-c", _CHANGE, str(samba.conf), "100", ou.text, "Changed"]
            subprocess.run(program, check=True, env=environment(), stdout=subprocess.DEVNULL)

            def full() -> int:
                return sum(1 for _ in reader.accounts([ou], ATTRIBUTES))

            def some() -> int:
                return len(reader.changes(ATTRIBUTES, usn).entries)

            turns = [
                (
                    _watched(samba, "full", accounts, full),
                    _watched(samba, "full, by ldapsearch", accounts, lambda: _ldapsearch(samba, login, ou)),
                    _watched(samba, "100 changes", accounts, some),
                )
                for _ in range(_TIMES)
            ]
        finally:
            reader.close()
    found = [min(rows, key=lambda row: row.client) for rows in zip(*turns, strict=True)]
    assert [row.count for row in found] == [accounts, accounts, 100], found
    return found


def _ldapsearch(samba: Controller, login: Login, ou: DN) -> int:
    """Read the same by the tool that comes with OpenLDAP; return how many entries it shows."""
    password = samba.root / "password"
    password.touch(0o600)
    password.write_text(login.password)
    command = ["ldapsearch", "-LLL", "-x", "-H", samba.url, "-D", login.user, "-y", str(password)]
    command += ["-E", "pr=1000/noprompt", "-b", ou.text, _FILTER, *ATTRIBUTES, *IDENTITY]
    listed = samba.root / "listed"
    with listed.open("wb") as file:
        subprocess.run(command, check=True, env={**os.environ, "LDAPTLS_CACERT": str(samba.ca_file)}, stdout=file)
    return listed.read_bytes().count(b"\nobjectGUID:")


def apply(guests: int) -> list[Applied]:
    """Measure `reconcile apply` of so many creates, then of as many updates: wall time, and the client's CPU in it."""
    with Controller() as samba, tempfile.TemporaryDirectory() as folder:
        ou = fresh_ou(samba)
        with installation(Path(folder), samba, ou, guests) as operations:
            policy = operations.directory / "policies/guests.yaml"
            policy.write_text(policy.read_text().replace("update: {percent: 30}", "update: {percent: 100}"))
            operations.commit("everybody may be updated")
            created = _applied("creates", samba, operations, guests)
            for user in operations.tenant.guests():
                operations.tenant.update(user.id, displayName=f"Changed {user.id[:8]}")
            return [created, _applied("updates", samba, operations, guests)]


def _applied(what: str, samba: Controller, operations: Operations, guests: int) -> Applied:
    operations.reconcile("snapshot")
    operations.reconcile("propose")
    operations.merge()
    server, before, start = _cpu(samba), os.times(), time.perf_counter()
    counts = operations.reconcile("apply", "--yes", "--json").json["counts"]
    wall, after = time.perf_counter() - start, os.times()
    assert counts == {"done": guests}, counts
    client = after.children_user + after.children_system - before.children_user - before.children_system
    return Applied(what, guests, wall, client, _cpu(samba) - server)


def _watched(samba: Controller, what: str, accounts: int, work: Callable[[], int]) -> Read:
    """Measure `work`, which returns how many it read, with the processes that it starts."""
    server, start, own = _cpu(samba), time.perf_counter(), time.process_time() + children()
    count = work()
    wall, client = time.perf_counter() - start, time.process_time() + children() - own
    return Read(what, accounts, count, wall, client, _cpu(samba) - server)


def _cpu(samba: Controller) -> float:
    fields = Path(f"/proc/{samba.server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(prog="script/bench controller", description=__doc__)
    parser.add_argument(
        "--accounts",
        type=int,
        default=2000,
        help="for reading; 30000 take a minute to load, 100000 ten times that: Samba's indexes grow with the square",
    )
    parser.add_argument("--guests", type=int, default=200, help="for apply")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to put all figures")
    asked = parser.parse_args()
    print(json.dumps({"calibration": calibrate(), "load": os.getloadavg()[0]}), flush=True)
    _show(asked.json, "pages", [page()])
    _show(asked.json, "reads", reading(asked.accounts), ("what", "accounts"))
    _show(asked.json, "applied", apply(asked.guests))


def _show(file: Path | None, kind: str, rows: Sequence[Page | Read | Applied], same: Sequence[str] = ("what",)) -> None:
    print(json.dumps([asdict(row) for row in rows], indent=1), flush=True)
    if file:
        store(file, kind, rows, same)


if __name__ == "__main__":
    main()
