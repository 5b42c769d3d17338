"""Plain reads: one user, lists and their filters, the deleted items; and who may not read."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests

from reconciler.demo.tenant import Tenant
from tests.tenant.conftest import Client, objects


def some_guest(tenant: Tenant) -> str:
    return min(g.id for g in tenant.guests())


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_user_comes_with_the_documented_default_properties(client: Client, tenant: Tenant) -> None:
    guest = tenant.invite({"mail": "a@fabrikam.com", "givenName": "A"})
    user = client.get(f"/users/{guest}").json()
    assert user.pop("@odata.context").endswith("/v1.0/$metadata#users/$entity")
    assert user == {
        "id": guest,
        "businessPhones": [],
        "displayName": "a",
        "givenName": "A",
        "jobTitle": None,
        "mail": "a@fabrikam.com",
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": "a_fabrikam.com#EXT#@contoso.onmicrosoft.com",
    }


def test_other_properties_come_only_when_selected(client: Client, tenant: Tenant) -> None:
    user = client.get(f"/users/{some_guest(tenant)}?$select=accountEnabled,externalUserState,employeeId").json()
    assert user.keys() - {"@odata.context"} == {"id", "accountEnabled", "externalUserState", "employeeId"}
    assert user["employeeId"] is None


def test_a_user_can_be_asked_for_by_name(client: Client, tenant: Tenant) -> None:
    guest = tenant.guests()[0]
    name = quote(str(guest.properties["userPrincipalName"]).upper(), safe="")
    assert client.get(f"/users/{name}?$select=id").json()["id"] == guest.id


@pytest.mark.parametrize("user_id", ["00000000-0000-4000-8000-000000000000", "nobody@contoso.com"])
def test_a_user_who_does_not_exist_is_not_found(client: Client, user_id: str) -> None:
    answer = client.get(f"/users/{user_id}")
    assert code(answer) == (404, "Request_ResourceNotFound")
    assert answer.json()["error"]["innerError"].keys() == {"date", "request-id", "client-request-id"}


def test_a_lagging_replica_does_not_know_a_guest_that_delta_knows(client: Client, tenant: Tenant) -> None:
    guest = some_guest(tenant)
    tenant.faults.hide(guest)
    assert code(client.get(f"/users/{guest}")) == (404, "Request_ResourceNotFound")
    assert guest in [o["id"] for o in objects(client.pages("/users/delta?$select=id"))]
    tenant.faults.hide()
    assert client.get(f"/users/{guest}").status_code == 200


def test_a_list_is_paged_and_complete(client: Client, tenant: Tenant) -> None:
    pages = client.pages("/users?$select=id,userType&$top=6")
    assert [len(objects([p])) for p in pages] == [6, 6, 2]
    assert len({str(o["id"]) for o in objects(pages)}) == 14
    assert client.get(str(pages[0]["@odata.nextLink"])).json()["value"][0].keys() == {"id", "userType"}


def test_guests_can_be_filtered_for(client: Client, tenant: Tenant) -> None:
    found = objects(client.pages("/users?$filter=userType eq 'Guest'&$select=id"))
    assert {str(o["id"]) for o in found} == {g.id for g in tenant.guests()}


@pytest.mark.parametrize("form", ["id in ('{}', '{}')", "id eq '{}' or id eq '{}'"])
def test_some_users_can_be_filtered_for(client: Client, tenant: Tenant, form: str) -> None:
    wanted = sorted(g.id for g in tenant.guests())[:2]
    found = objects(client.pages(f"/users?$filter={form.format(*wanted)}"))
    assert sorted(str(o["id"]) for o in found) == wanted


def test_a_filter_compares_as_the_directory_does(client: Client, tenant: Tenant) -> None:
    guest = tenant.invite({"mail": "o'brien@fabrikam.com", "accountEnabled": False})
    for condition in ("mail eq 'O''Brien@Fabrikam.com'", "accountEnabled eq false and mail eq 'o''brien@fabrikam.com'"):
        assert guest in [o["id"] for o in objects(client.pages(f"/users?$filter={condition}"))]
    assert guest not in [o["id"] for o in objects(client.pages("/users?$filter=accountEnabled ne false"))]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("$filter=id in (" + ",".join(["'x'"] * 16) + ")", "Request_UnsupportedQuery"),
        ("$filter=" + " or ".join(["id eq 'x'"] * 16), "Request_UnsupportedQuery"),
        ("$filter=id eq 'x' or id eq 'y' and id eq 'z'", "Request_UnsupportedQuery"),
        ("$filter=nonsense eq 'x'", "BadRequest"),
        ("$filter=id eq", "BadRequest"),
        ("$filter=id eq 'x' and", "BadRequest"),
        ("$filter=id eq 'x' xor id eq 'y'", "BadRequest"),
        ("$top=1000", "Request_UnsupportedQuery"),
        ("$top=0", "Request_UnsupportedQuery"),
        ("$select=nonsense", "BadRequest"),
        ("$expand=manager", "Request_UnsupportedQuery"),
        ("$skiptoken=nonsense", "Directory_ExpiredPageToken"),
    ],
)
def test_a_query_that_graph_does_not_understand_is_refused(client: Client, query: str, problem: str) -> None:
    assert code(client.get(f"/users?{query}")) == (400, problem)


def test_fifteen_alternatives_are_allowed(client: Client) -> None:
    assert client.get("/users?$filter=id in (" + ",".join(["'x'"] * 15) + ")").json()["value"] == []


def test_a_soft_deleted_user_is_among_the_deleted_items_under_a_changed_name(client: Client, tenant: Tenant) -> None:
    guest = some_guest(tenant)
    name = tenant.get(guest).properties["userPrincipalName"]
    assert code(client.get(f"/directory/deletedItems/{guest}")) == (404, "Request_ResourceNotFound")
    tenant.soft_delete(guest)
    assert code(client.get(f"/users/{guest}")) == (404, "Request_ResourceNotFound")
    item = client.get(f"/directory/deletedItems/{guest}?$select=id,userPrincipalName,deletedDateTime").json()
    assert item["@odata.type"] == "#microsoft.graph.user"
    assert item["userPrincipalName"] == guest.replace("-", "") + str(name)
    assert item["deletedDateTime"] == "2026-03-01T12:00:00Z"
    listed = objects(client.pages("/directory/deletedItems/microsoft.graph.user"))
    assert [o["id"] for o in listed] == [guest]
    tenant.restore(guest)
    assert client.get(f"/users/{guest}").json()["userPrincipalName"] == name
    tenant.purge(guest)
    assert code(client.get(f"/directory/deletedItems/{guest}")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("header", "message"),
    [("", "empty"), ("Bearer ", "empty"), ("Basic abc", "empty"), ("Bearer abc", "validation failure")],
)
def test_nobody_reads_without_a_good_token(client: Client, header: str, message: str) -> None:
    answer = client.get("/users", Authorization=header)
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert message in answer.json()["error"]["message"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_expired_tokens_are_refused_and_new_ones_are_not(client: Client, tenant: Tenant) -> None:
    tenant.expire_access_tokens()
    answer = client.get("/users")
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert "expired" in answer.json()["error"]["message"]
    assert client.get("/users", Authorization=f"Bearer {client.token()}").status_code == 200


def test_without_consent_nothing_can_be_read(client: Client, tenant: Tenant) -> None:
    tenant.faults.withdraw_consent()
    for path in (
        "/users",
        "/users/delta",
        f"/users/{some_guest(tenant)}",
        "/directory/deletedItems/microsoft.graph.user",
    ):
        assert code(client.get(path)) == (403, "Authorization_RequestDenied")
    tenant.faults.grant_consent()
    assert client.get("/users").status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_a_reader_cannot_write(client: Client, tenant: Tenant, method: str) -> None:
    guest = tenant.guests()[0]
    answer = client.session.request(method, f"{tenant.graph}/users/{guest.id}", json={"displayName": "x"}, timeout=10)
    assert code(answer) == (403, "Authorization_RequestDenied")
    assert tenant.get(guest.id) == guest


def test_what_is_not_there_is_a_bad_request(client: Client) -> None:
    assert code(client.get("/groups")) == (400, "BadRequest")
