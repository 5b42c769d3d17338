"""`$batch`: twenty requests at most, each with an answer of its own."""

from __future__ import annotations

import pytest

from reconciler.demo.tenant import Tenant
from tests.tenant.conftest import Client


def get(number: int, url: str, **more: object) -> dict[str, object]:
    return {"id": str(number), "method": "GET", "url": url, **more}


def statuses(client: Client, *requests: dict[str, object]) -> dict[str, int]:
    answer = client.batch(*requests)
    assert answer.status_code == 200, answer.text
    return {r["id"]: r["status"] for r in answer.json()["responses"]}


def test_each_request_has_its_own_status_and_body(client: Client, tenant: Tenant) -> None:
    guest = tenant.guests()[0].id
    answer = client.batch(get(1, f"/users/{guest}?$select=displayName"), get(2, "users/nobody"), get(3, "/groups"))
    found = {r["id"]: r for r in answer.json()["responses"]}
    assert {i: r["status"] for i, r in found.items()} == {"1": 200, "2": 404, "3": 400}
    assert found["1"]["body"]["id"] == guest
    assert found["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"


def test_responses_come_in_another_order(client: Client) -> None:
    answer = client.batch(*(get(n, "/users?$top=1") for n in range(3)))
    assert [r["id"] for r in answer.json()["responses"]] != ["0", "1", "2"]


def test_twenty_are_allowed_and_twenty_one_are_not(client: Client) -> None:
    assert len(statuses(client, *(get(n, "/users/nobody") for n in range(20)))) == 20
    answer = client.batch(*(get(n, "/users/nobody") for n in range(21)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [get(1, "/users"), get(1, "/users")],
        [{"id": "1", "url": "/users"}],
        [get(1, "https://graph.microsoft.com/v1.0/users")],
        [get(1, "/$batch")],
    ],
)
def test_a_malformed_batch_is_refused_whole(client: Client, requests: list[dict[str, object]]) -> None:
    assert client.batch(*requests).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"requests": {}}', b'{"requests": [1]}'])
def test_a_body_that_is_no_batch_is_refused(client: Client, tenant: Tenant, body: bytes) -> None:
    assert client.session.post(f"{tenant.graph}/$batch", data=body, timeout=10).status_code == 400


def test_one_request_can_be_throttled_while_the_others_pass(client: Client, tenant: Tenant) -> None:
    tenant.faults.throttle(1, retry_after=7, batched=True)
    answer = client.batch(get(1, "/users?$top=1"), get(2, "/users?$top=1"))
    found = {r["id"]: r for r in answer.json()["responses"]}
    assert (found["1"]["status"], found["1"]["headers"]["Retry-After"]) == (429, "7")
    assert found["1"]["body"]["error"]["code"] == "TooManyRequests"
    assert found["2"]["status"] == 200


def test_a_request_fails_with_the_one_it_depends_on(client: Client) -> None:
    found = statuses(client, get(1, "/users/nobody"), get(2, "/users?$top=1", dependsOn=["1"]), get(3, "/users?$top=1"))
    assert found == {"1": 404, "2": 424, "3": 200}


def test_consent_is_asked_for_each_request_and_the_token_for_all(client: Client, tenant: Tenant) -> None:
    tenant.faults.withdraw_consent()
    assert statuses(client, get(1, "/users")) == {"1": 403}
    tenant.expire_access_tokens()
    assert client.batch(get(1, "/users")).status_code == 401


def test_requests_inside_a_batch_are_in_the_log(client: Client, tenant: Tenant) -> None:
    client.batch(get(1, "/users/nobody?$select=id"))
    inner, outer = tenant.requests[-2:]
    assert (inner.method, inner.path, inner.query, inner.status) == ("GET", "/v1.0/users/nobody", "$select=id", 404)
    assert (inner.batched, outer.batched) == (True, False)
    assert (outer.method, outer.path, outer.status) == ("POST", "/v1.0/$batch", 200)
