"""The law a delta query lives by: whoever merges every round holds what the directory holds, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.demo.pki import Authority
from reconciler.demo.tenant import Quirks, Tenant
from tests.tenant.conftest import CLIENT, SECRET, TENANT, Client, delta_link, objects

Held = dict[str, dict[str, object]]

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["invite", "rename", "clear", "delete", "restore", "purge", "page", "round", "round"]),
        st.integers(0, 2),
        st.sampled_from(["Ada", "Bo", "Chi"]),
    ),
    min_size=6,
    max_size=40,
)
QUIRKS = st.builds(
    Quirks,
    repeats=st.booleans(),
    empty_pages=st.booleans(),
    whole_objects=st.booleans(),
    removed_in_full=st.booleans(),
)


@pytest.fixture(scope="module")
def client(pki: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory: Path = tmp_path_factory.mktemp("ca")
    with Tenant(TENANT, CLIENT, secret=SECRET, members=1, pki=pki) as tenant:
        client = Client(tenant, tenant.ca_file(directory))
        with client.session:
            yield client


class Mirror:
    """A client that merges what it is told, and nothing else."""

    def __init__(self, client: Client, size: int) -> None:
        self.client, self.prefer = client, f"odata.maxpagesize={size}"
        self.held: Held = {}
        self.link = "/users/delta?$select=displayName,mail"

    def page(self) -> bool:
        """Read one page; return whether the round is finished."""
        document = self.client.get(self.link, Prefer=self.prefer).json()
        self.merge([document])
        self.link = document.get("@odata.nextLink") or delta_link([document])
        return "@odata.deltaLink" in document

    def round(self) -> None:
        while not self.page():
            pass

    def merge(self, pages: list[dict[str, object]]) -> None:
        for told in objects(pages):
            user_id = str(told["id"])
            if "@removed" in told:
                self.held.pop(user_id, None)
            else:
                self.held.setdefault(user_id, {}).update(told)


def act(tenant: Tenant, people: list[str], kind: str, which: int, name: str) -> None:
    """Do one thing to one of the people, where it can be done."""
    if kind == "invite":
        number = len(tenant.requests)
        people.append(tenant.invite({"mail": f"{name}{number}-{len(people)}@fabrikam.com", "displayName": name}))
        return
    if not people:
        return
    person = people[which % len(people)]
    acts: dict[str, Callable[[], None]] = {
        "rename": lambda: tenant.update(person, displayName=name),
        "clear": lambda: tenant.update(person, mail=None),
        "delete": lambda: tenant.soft_delete(person),
        "restore": lambda: tenant.restore(person),
        "purge": lambda: tenant.purge(person),
    }
    try:
        acts[kind]()
    except KeyError:
        return


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("delete", 0, ""), ("round", 0, ""), ("restore", 0, "")], Quirks(), 3)
@example([("clear", 0, ""), ("delete", 0, ""), ("restore", 0, "")], Quirks(whole_objects=True), 3)
@example([("clear", 0, ""), ("delete", 0, ""), ("restore", 0, "")], Quirks(), 3)
@given(acts=ACTS, quirks=QUIRKS, size=st.integers(1, 4))
def test_whoever_merges_every_round_holds_what_the_directory_holds(
    client: Client, acts: list[tuple[str, int, str]], quirks: Quirks, size: int
) -> None:
    tenant = client.tenant
    for guest in tenant.guests():
        tenant.purge(guest.id)
    tenant.quirks = quirks
    mirror = Mirror(client, size)
    people: list[str] = []
    for name in ("Ada", "Bo"):
        act(tenant, people, "invite", 0, name)
    mirror.round()
    for kind, which, name in acts:
        if kind == "page":
            mirror.page()
        elif kind == "round":
            mirror.round()
        else:
            act(tenant, people, kind, which, name)
    mirror.round()  # ends the round that may be under way
    mirror.round()  # tells what happened during it
    held = {i: {k: v for k, v in p.items() if v is not None} for i, p in mirror.held.items()}
    listed = objects(client.pages("/users?$select=displayName,mail"))
    assert held == {str(u["id"]): {k: v for k, v in u.items() if v is not None} for u in listed}
