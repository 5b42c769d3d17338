"""What a test can make go wrong, as a client sees it."""

from __future__ import annotations

import time

import pytest
import requests

from reconciler.demo.tenant import Tenant
from tests.tenant.conftest import Client, objects

SELECT = "/users/delta?$select=displayName"
PAGES = {"Prefer": "odata.maxpagesize=5"}


def second_page(client: Client) -> str:
    return str(client.get(SELECT, **PAGES).json()["@odata.nextLink"])


@pytest.mark.parametrize("status", [429, 503])
def test_throttling_says_when_to_come_back_and_ends(client: Client, tenant: Tenant, status: int) -> None:
    tenant.faults.throttle(2, status=status, retry_after=3)
    answers = [client.get("/users?$top=1") for _ in range(3)]
    assert [a.status_code for a in answers] == [status, status, 200]
    assert [a.headers.get("Retry-After") for a in answers] == ["3", "3", None]


def test_throttling_need_not_say_when(client: Client, tenant: Tenant) -> None:
    tenant.faults.throttle(retry_after=None)
    assert "Retry-After" not in client.get("/users").headers


def test_a_page_fails_once_and_then_comes(client: Client, tenant: Tenant) -> None:
    tenant.faults.fail_page(2)
    link = second_page(client)
    assert client.get(link).status_code == 500
    assert client.get(link, **PAGES).status_code == 200


def test_a_page_can_fail_for_ever(client: Client, tenant: Tenant) -> None:
    tenant.faults.fail_page(2, status=504, times=None)
    link = second_page(client)
    assert [client.get(link).status_code for _ in range(3)] == [504] * 3
    tenant.faults.clear()
    assert client.get(link).status_code == 200


def test_a_cut_body_is_shorter_than_announced(client: Client, tenant: Tenant) -> None:
    tenant.faults.cut_page(2)
    link = second_page(client)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.get(link)
    assert client.get(link).status_code == 200


def test_malformed_json_is_as_long_as_announced(client: Client, tenant: Tenant) -> None:
    tenant.faults.malform_page(2)
    answer = client.get(second_page(client))
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_dropped_connection_has_no_answer(client: Client, tenant: Tenant) -> None:
    tenant.faults.drop_page(2)
    link = second_page(client)
    with pytest.raises(requests.exceptions.ConnectionError):
        client.get(link)
    assert tenant.requests[-1].status == 0
    tenant.faults.drop()
    with pytest.raises(requests.exceptions.ConnectionError):
        client.get("/users")
    assert client.get("/users").status_code == 200


def test_any_answer_can_be_malformed(client: Client, tenant: Tenant) -> None:
    tenant.faults.malform()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get("/users").json()


def test_an_empty_list_ends_properly(client: Client, tenant: Tenant) -> None:
    tenant.faults.empty = True
    assert objects(client.pages("/users")) == []
    pages = client.pages(SELECT)
    assert objects(pages) == []
    assert "@odata.deltaLink" in pages[-1]


def test_half_of_a_round_and_then_errors(client: Client, tenant: Tenant) -> None:
    tenant.faults.half = True
    link = second_page(client)
    page = client.get(link, Prefer="odata.maxpagesize=3").json()
    assert len(page["value"]) == 3
    assert [client.get(page["@odata.nextLink"]).status_code for _ in range(2)] == [500, 500]


def test_a_round_of_one_page_fails_at_its_half_too(client: Client, tenant: Tenant) -> None:
    tenant.faults.half = True
    assert client.get(SELECT).status_code == 500


def test_a_round_can_end_without_any_link(client: Client, tenant: Tenant) -> None:
    tenant.faults.no_delta_link = True
    assert client.pages(SELECT)[-1].keys() == {"@odata.context", "value"}


def test_links_can_lead_elsewhere(client: Client, tenant: Tenant) -> None:
    tenant.faults.foreign_next_link = "https://evil.test"
    assert second_page(client).startswith("https://evil.test/v1.0/users/delta?$skiptoken=")


def test_a_slow_answer_takes_its_time(client: Client, tenant: Tenant) -> None:
    tenant.faults.slow = 0.3
    started = time.monotonic()
    assert client.get("/users").status_code == 200
    assert time.monotonic() - started >= 0.3
