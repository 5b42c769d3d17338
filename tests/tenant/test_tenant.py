"""The tenant as a whole: what an administrator does, the server's manners, the log."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import requests

from reconciler.demo.people import generate
from reconciler.demo.pki import Authority
from reconciler.demo.tenant import Tenant
from tests.support.costs import cheapest, cpu
from tests.tenant.conftest import CLIENT, SECRET, TENANT, Client, delta_link, objects


def test_a_person_is_invited_with_everything_they_have(tenant: Tenant) -> None:
    person = generate(1, seed=99)[0]
    guest = tenant.invite(person)
    assert guest == person.id
    held = tenant.get(guest).properties
    assert {k: v for k, v in person.properties.items() if v is not None and k != "id"}.items() <= held.items()


def test_an_invitation_makes_what_entra_makes_of_an_address(tenant: Tenant) -> None:
    held = tenant.get(tenant.invite({"mail": "alice@fabrikam.com"})).properties
    assert held["userPrincipalName"] == "alice_fabrikam.com#EXT#@contoso.onmicrosoft.com"
    assert (held["userType"], held["accountEnabled"], held["creationType"]) == ("Guest", True, "Invitation")
    assert held["externalUserState"] == "PendingAcceptance"


def test_two_live_users_never_share_a_name(tenant: Tenant) -> None:
    first = tenant.invite({"mail": "alice@fabrikam.com"})
    with pytest.raises(ValueError, match="userPrincipalName"):
        tenant.invite({"mail": "Alice@Fabrikam.com"})
    tenant.soft_delete(first)
    second = tenant.invite({"mail": "alice@fabrikam.com"})
    with pytest.raises(ValueError, match="userPrincipalName"):
        tenant.restore(first)
    tenant.purge(second)
    tenant.restore(first)
    tenant.update(first, userPrincipalName="ALICE_fabrikam.com#EXT#@contoso.onmicrosoft.com")
    with pytest.raises(ValueError, match="userPrincipalName"):
        tenant.invite({"mail": "alice@fabrikam.com"})
    tenant.update(first, userPrincipalName="other@contoso.onmicrosoft.com")
    tenant.invite({"mail": "alice@fabrikam.com"})


def test_mistakes_of_a_test_are_told(tenant: Tenant) -> None:
    guest = tenant.guests()[0].id
    with pytest.raises(ValueError, match="dislpayName"):
        tenant.update(guest, dislpayName="x")
    with pytest.raises(ValueError, match="already"):
        tenant.invite({"id": guest, "mail": "x@fabrikam.com"})
    with pytest.raises(ValueError, match="userPrincipalName"):
        tenant.invite({"displayName": "Nobody"})
    with pytest.raises(ValueError, match="userPrincipalName"):
        tenant.update(guest, userPrincipalName=None)
    for act in (tenant.restore, tenant.get, tenant.soft_delete, tenant.purge):
        with pytest.raises(KeyError):
            act("00000000-0000-4000-8000-000000000000")
    tenant.soft_delete(guest)
    with pytest.raises(KeyError):
        tenant.update(guest, displayName="x")


def test_guests_are_the_live_ones(tenant: Tenant) -> None:
    guests = {g.id for g in tenant.guests()}
    gone = min(guests)
    tenant.soft_delete(gone)
    member = tenant.invite({"mail": "employee@contoso.com", "userType": "Member"})
    assert {g.id for g in tenant.guests()} == guests - {gone}
    assert member not in guests


def test_the_secret_is_in_no_log_and_no_repr(client: Client, tenant: Tenant) -> None:
    client.get("/users")
    token = str(client.session.headers["Authorization"])
    assert SECRET not in repr(tenant.requests) + repr(tenant)
    assert token not in repr(tenant.requests)
    assert [(r.method, r.path, r.status) for r in tenant.requests][-1] == ("GET", "/v1.0/users", 200)
    tenant.forget_requests()
    assert tenant.requests == ()


def test_a_client_that_does_not_trust_the_root_gets_nowhere(tenant: Tenant) -> None:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{tenant.graph}/users", timeout=10)
    assert tenant.requests == ()


def test_many_requests_share_one_connection(client: Client, tenant: Tenant) -> None:
    trusting = ssl.create_default_context(cadata=tenant.pki.pem.decode())
    token = {"Authorization": str(client.session.headers["Authorization"])}
    with closing(HTTPSConnection("localhost", int(tenant.url.rpartition(":")[2]), context=trusting)) as connection:
        connection.connect()
        connected = connection.sock
        for path in ("/v1.0/users?$top=1", "/v1.0/users/nobody", "/nowhere", "/v1.0/users"):
            connection.request("GET", path, headers=token)
            answer = connection.getresponse()
            assert len(answer.read()) == int(answer.headers["Content-Length"])
            assert connection.sock is connected


def test_a_client_that_never_shakes_hands_keeps_nobody_waiting(client: Client, tenant: Tenant) -> None:
    with socket.create_connection(("127.0.0.1", int(tenant.url.rpartition(":")[2]))):
        client.session.close()
        started = time.monotonic()
        assert client.get("/users").status_code == 200
        assert time.monotonic() - started < 5


def test_stopping_ends_every_thread_even_under_a_slow_answer(pki: Authority, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    tenant = Tenant(TENANT, CLIENT, generate(1, seed=1), secret=SECRET, pki=pki)
    tenant.start()
    client = Client(tenant, tenant.ca_file(tmp_path))
    tenant.faults.slow = 60

    def ask() -> str:
        try:
            return str(client.get("/users").status_code)
        except requests.exceptions.ConnectionError:
            return "closed"

    with client.session, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        while tenant.requests[-1].path != "/v1.0/users":
            time.sleep(0.01)
        tenant.stop()
        assert asked.result(timeout=10) in ("closed", "200")
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError, match="not started"):
        _ = tenant.url


def test_it_can_be_stopped_and_started_again_with_the_same_people(pki: Authority) -> None:
    tenant = Tenant(TENANT, CLIENT, generate(3, seed=1), pki=pki)
    with tenant:
        guests = tenant.guests()
    with tenant:
        assert tenant.guests() == guests


def test_writers_and_readers_at_once_lose_nothing(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages("/users/delta?$select=displayName"))
    guests = [g.id for g in tenant.guests()]

    def rename(n: int) -> None:
        tenant.update(guests[n % len(guests)], displayName=f"Name {n}")
        client.get("/users?$top=1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(rename, range(40)))
    told = {str(o["id"]): o["displayName"] for o in objects(client.pages(link))}
    assert told == {g.id: g.properties["displayName"] for g in tenant.guests()}


def test_twenty_thousand_guests_are_read_swiftly(pki: Authority, tmp_path: Path) -> None:
    crowd = ({"userPrincipalName": f"u{n}@contoso.com", "displayName": f"User {n}"} for n in range(20_000))
    with Tenant(TENANT, CLIENT, crowd, secret=SECRET, members=0, pki=pki) as tenant:
        client = Client(tenant, tenant.ca_file(tmp_path))
        with client.session:

            def read() -> None:
                pages = client.pages(
                    "/users/delta?$select=displayName,userPrincipalName", Prefer="odata.maxpagesize=999"
                )
                assert len(objects(pages)) == 20_001

            assert cheapest(lambda: cpu(read), 5) < 5
