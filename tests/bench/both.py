"""`reconcile snapshot` of both sides as a process, its directory a stand-in at the reader's port: `python -m tests.bench.both ARGUMENTS`.

What is measured is this program's own cost: no controller takes part. Everybody of the big tenant has an account in order, and a
read of changes shows 100 of them that somebody gave another name. RECONCILE_BENCH_USERS says how many there are,
RECONCILE_BENCH_TURN how often they were read before.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.directory.port import Changes, Domain, Entry
from reconciler.model.account import Account
from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.values import Value
from reconciler.state.canonical import dump
from reconciler.state.manifest import dump_manifest, read_manifest
from reconciler.state.model import DirectoryCursor
from reconciler.state.paths import MANIFEST, account_path
from reconciler.state.records import accounts_document

from .trees import DOMAIN, OU, by_rid
from .users import CHANGES, user

USERS, TURN = "RECONCILE_BENCH_USERS", "RECONCILE_BENCH_TURN"
_INVOCATION = str(uuid.UUID(int=1))
_SERVICE = "CN=NTDS Settings,CN=DC1"
_STEP = 104_729
_FIRST_RID = 1104


def account(number: int, guest: Guest, display: Value | None = None) -> Account:
    """Return the account of this number, as the default policy gives it to a guest; or with another name."""
    of = guest.attributes
    values: dict[str, Value] = {
        "adminDescription": f"User_{guest.id}",
        "displayName": display or of["displayName"],
        "employeeType": "Guest",
        "givenName": of["givenName"],
        "mail": of["mail"],
        "sAMAccountName": guest.id[:20],
        "sn": of["surname"],
        "userAccountControl": 262656,
        "userPrincipalName": of["userPrincipalName"],
    }
    rid = _FIRST_RID + number
    return Account(f"{DOMAIN}-{rid}", str(uuid.UUID(int=rid)), DN(f"CN={guest.id},{OU}"), values, guest=guest.id)


def invited(number: int) -> Guest:
    """Return the guest of this number as the tenant shows them first."""
    said = json.loads(user(number))
    return Guest(said.pop("id"), said)


def write_accounts(root: Path, users: int) -> None:
    """Put an account for each of so many guests below `state/`, as an import would have left them."""
    for numbers in by_rid(users):
        held = [account(number, invited(number)) for number in numbers]
        file = root / account_path(held[0].sid)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(dump(accounts_document(held)))
    manifest = read_manifest((root / MANIFEST).read_bytes()).manifest
    assert manifest.graph is not None
    cursor = DirectoryCursor(
        as_of=manifest.as_of,
        controller="ldaps://dc1.contoso.test",
        domain="DC=contoso,DC=test",
        domain_sid=DOMAIN,
        service_name=_SERVICE,
        invocation_id=_INVOCATION,
        usn=0,
        ous=(OU,),
        attributes=tuple(sorted(account(0, invited(0)).attributes)),
        accounts=users,
    )
    (root / MANIFEST).write_bytes(dump_manifest(replace(manifest, directory=cursor)))


class Stand:
    """A DirectoryReader of so many accounts. The USN is how often they were read."""

    def __init__(self, users: int, turn: int) -> None:
        self._users = users
        self._turn = turn

    def domain(self) -> Domain:
        return Domain("ldaps://dc1.contoso.test", "DC=contoso,DC=test", DOMAIN, _SERVICE, _INVOCATION, self._turn + 1)

    def changes(self, attributes: Sequence[str], since: int) -> Changes:
        numbers = [n * _STEP % self._users for n in range(since * CHANGES, (since + 1) * CHANGES)]
        entries = tuple(_entry(account(n, invited(n), f"Changed by hand {since}"), attributes) for n in numbers)
        return Changes(entries, (), containers=False)

    def accounts(self, _ous: Sequence[DN], attributes: Sequence[str], *_: object) -> Iterator[Entry]:
        for number in range(self._users):
            yield _entry(account(number, invited(number)), attributes)

    def find(self, *_: object, **_named: object) -> dict[str, Entry]:
        return {}

    def owners(self, *_: object, **_named: object) -> dict[str, str]:
        return {}

    def administrators(self) -> Iterator[Entry]:
        return iter(())

    def read(self, *_: object, **_named: object) -> Entry | None:
        return None

    def exists(self, *_: object, **_named: object) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


def _entry(of: Account, attributes: Sequence[str]) -> Entry:
    return Entry(of.guid, of.sid, of.dn, {n: v for n, v in of.attributes.items() if n in attributes})


if __name__ == "__main__":
    stand = Stand(int(os.environ[USERS]), int(os.environ[TURN]))
    sys.exit(main(sys.argv[1:], ports=Ports(reader=lambda *_: stand)))
