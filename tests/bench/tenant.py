"""A tenant of any size for measurements: signs in like the test tenant, and renders its users' pages as they are asked for.

Run as a process of its own (`python -m tests.bench.tenant USERS DIRECTORY`): it prints one JSON line with what a client
needs to know, and ends with its standard input. Each round after the full one shows 100 changes: 78 new display names,
10 new guests, 6 guests who may not sign in any more, 6 soft-deleted ones.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.demo.tenant import Tenant
from reconciler.demo.tenant.answers import Answer, Call

from .users import changes, user

TENANT = "7b3f0000-0000-4000-8000-00000000000a"
CLIENT = "5d1c0000-0000-4000-8000-00000000000b"
PAGE = 999


@dataclass(frozen=True, slots=True)
class _Rendered(Answer):
    text: str = ""

    @property
    def body(self) -> bytes:
        return self.text.encode()


class BigTenant(Tenant):
    """The test tenant with another `users/delta`."""

    def __init__(self, users: int, secret: str) -> None:
        super().__init__(TENANT, CLIENT, secret=secret, members=0)
        self._users = users

    def _answer(self, call: Call) -> Answer:
        if call.path == "/v1.0/users/delta" and call.headers.get("authorization", "").startswith("Bearer "):
            return self._page(call)
        return super()._answer(call)

    def _page(self, call: Call) -> Answer:
        link = f"{self.graph}/users/delta"
        if since := call.query.get("$deltatoken"):
            users, last = list(changes(self._users, int(since))), f"{link}?$deltatoken={int(since) + 1}"
            return self._rendered(users, f'"@odata.deltaLink":"{last}"')
        start = int(call.query.get("$skiptoken", "0"))
        end = min(start + PAGE, self._users)
        following = f'"@odata.nextLink":"{link}?$skiptoken={end}"'
        return self._rendered(
            [user(n) for n in range(start, end)],
            following if end < self._users else f'"@odata.deltaLink":"{link}?$deltatoken=1"',
        )

    def _rendered(self, users: list[str], link: str) -> Answer:
        context = f'"@odata.context":"{self.graph}/$metadata#users"'
        return _Rendered(200, text=f'{{{context},{link},"value":[{",".join(users)}]}}')


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a tenant that runs elsewhere."""

    authority: str
    graph: str
    ca_file: str
    secret: str


@contextmanager
def running(users: int, directory: Path) -> Iterator[Address]:
    """Run a tenant of this size in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.tenant", str(users), str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Address(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def main(users: int, directory: Path) -> None:
    """Serve until the standard input ends."""
    secret = secrets.token_urlsafe(24)
    with BigTenant(users, secret) as tenant:
        address = Address(tenant.authority, tenant.graph, str(tenant.ca_file(directory)), secret)
        print(json.dumps({name: getattr(address, name) for name in Address.__slots__}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
