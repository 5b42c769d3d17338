"""The delta query: full rounds, increments, and the freedoms and refusals Graph documents for it."""

from __future__ import annotations

import pytest

from reconciler.demo.tenant import Quirks, Tenant
from tests.tenant.conftest import Client, Clock, delta_link, objects

SELECT = "/users/delta?$select=displayName,mail,accountEnabled,userType"


def ids(found: list[dict[str, object]]) -> list[object]:
    return [o["id"] for o in found]


def some_guest(tenant: Tenant) -> str:
    return min(g.id for g in tenant.guests() if "mail" in g.properties)


def test_a_full_round_tells_every_user_members_included(client: Client, tenant: Tenant) -> None:
    found = objects(client.pages(SELECT))
    kinds = [o.get("userType") for o in found]
    assert (kinds.count("Guest"), kinds.count("Member"), kinds.count(None)) == (10, 3, 1)
    assert len(set(map(str, ids(found)))) == 14


def test_a_full_round_carries_what_was_selected_and_is_set_and_nothing_else(client: Client, tenant: Tenant) -> None:
    guest = tenant.invite({"mail": "a@fabrikam.com", "displayName": "A", "jobTitle": "Buyer"})
    nobody = tenant.invite({"userPrincipalName": "b@fabrikam.com", "displayName": "B"})
    found = {o["id"]: o for o in objects(client.pages("/users/delta?$select=displayName,mail"))}
    assert found[guest] == {"id": guest, "displayName": "A", "mail": "a@fabrikam.com"}
    assert found[nobody] == {"id": nobody, "displayName": "B"}


def test_pages_are_as_long_as_preferred_and_only_the_last_has_a_delta_link(client: Client) -> None:
    pages = client.pages(SELECT, Prefer="odata.maxpagesize=5")
    assert [len(objects([p])) for p in pages] == [5, 5, 4]
    assert ["@odata.deltaLink" in p for p in pages] == [False, False, True]
    assert ["@odata.nextLink" in p for p in pages] == [True, True, False]


def test_a_page_asked_for_again_is_the_same(client: Client) -> None:
    link = str(client.get(SELECT, Prefer="odata.maxpagesize=5").json()["@odata.nextLink"])
    assert client.get(link).json()["value"] == client.get(link).json()["value"]


def test_nothing_changed_gives_an_empty_increment_with_a_new_link(client: Client) -> None:
    first = delta_link(client.pages(SELECT))
    pages = client.pages(first)
    assert objects(pages) == []
    assert delta_link(pages) != first


def test_an_increment_carries_the_changed_properties_and_null_for_cleared_ones(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    guest = some_guest(tenant)
    tenant.update(guest, displayName="New", mail=None)
    assert objects(client.pages(link)) == [{"id": guest, "displayName": "New", "mail": None}]


def test_a_change_to_what_was_not_selected_is_not_told(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    tenant.update(some_guest(tenant), jobTitle="Astronaut")
    assert objects(client.pages(link)) == []


def test_an_increment_can_be_read_again_from_the_same_link(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    tenant.update(some_guest(tenant), displayName="New")
    assert objects(client.pages(link)) == objects(client.pages(link)) != []


@pytest.mark.parametrize("minimal", [False, True])
def test_whole_objects_in_increments_unless_the_client_wants_them_minimal(
    client: Client, tenant: Tenant, minimal: bool
) -> None:
    tenant.quirks = Quirks(whole_objects=True)
    link = delta_link(client.pages(SELECT))
    guest = some_guest(tenant)
    tenant.update(guest, mail=None)
    (found,) = objects(client.pages(link, Prefer="return=minimal" if minimal else "return=representation"))
    assert found.keys() == ({"id", "mail"} if minimal else {"id", "mail", "displayName", "accountEnabled", "userType"})
    assert found["mail"] is None


def test_leaving_and_returning_and_being_gone(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    guest = some_guest(tenant)
    tenant.soft_delete(guest)
    pages = client.pages(link)
    assert objects(pages) == [{"id": guest, "@removed": {"reason": "changed"}}]
    tenant.restore(guest)
    pages = client.pages(delta_link(pages))
    (back,) = objects(pages)
    assert back["id"] == guest
    assert back["displayName"] == tenant.get(guest).properties["displayName"]
    tenant.purge(guest)
    assert objects(client.pages(delta_link(pages))) == [{"id": guest, "@removed": {"reason": "deleted"}}]


def test_what_was_cleared_before_a_return_is_told_as_null(client: Client, tenant: Tenant) -> None:
    guest = some_guest(tenant)
    link = delta_link(client.pages("/users/delta?$select=displayName,mail"))
    tenant.update(guest, mail=None)
    tenant.soft_delete(guest)
    tenant.restore(guest)
    name = tenant.get(guest).properties["displayName"]
    assert objects(client.pages(link)) == [{"id": guest, "displayName": name, "mail": None}]


def test_the_deleted_are_purged_after_thirty_days(client: Client, tenant: Tenant, clock: Clock) -> None:
    guest = some_guest(tenant)
    tenant.soft_delete(guest)
    clock.pass_by(days=29)
    link = delta_link(client.pages(SELECT))
    clock.pass_by(days=1, seconds=1)
    assert objects(client.pages(link)) == [{"id": guest, "@removed": {"reason": "deleted"}}]
    with pytest.raises(KeyError):
        tenant.restore(guest)


def test_an_invited_guest_comes_whole_with_the_next_increment(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    guest = tenant.invite({"mail": "new@fabrikam.com", "displayName": "New"})
    (found,) = objects(client.pages(link))
    assert found == {
        "id": guest,
        "displayName": "New",
        "mail": "new@fabrikam.com",
        "accountEnabled": True,
        "userType": "Guest",
    }


def test_what_changes_during_a_full_round_is_in_the_next_increment(client: Client, tenant: Tenant) -> None:
    page = client.get(SELECT, Prefer="odata.maxpagesize=5").json()
    guest = some_guest(tenant)
    late = tenant.invite({"mail": "late@fabrikam.com"})
    tenant.update(guest, displayName="Changed while reading")
    rest = client.pages(page["@odata.nextLink"])
    assert late not in ids(objects([page, *rest]))
    assert {str(i) for i in ids(objects(client.pages(delta_link(rest))))} == {guest, late}


def test_repeats_and_empty_pages_hide_nobody(client: Client, tenant: Tenant) -> None:
    tenant.quirks = Quirks(repeats=True, empty_pages=True)
    pages = client.pages(SELECT, Prefer="odata.maxpagesize=5")
    assert [len(objects([p])) for p in pages] == [0, 5, 0, 6, 0, 5]
    assert len(set(map(str, ids(objects(pages))))) == 14


def test_a_full_round_may_list_the_removed(client: Client, tenant: Tenant) -> None:
    guest = some_guest(tenant)
    tenant.soft_delete(guest)
    assert guest not in ids(objects(client.pages(SELECT)))
    tenant.quirks = Quirks(removed_in_full=True)
    assert {"id": guest, "@removed": {"reason": "changed"}} in objects(client.pages(SELECT))


def test_links_are_bound_to_the_selection_and_say_nothing(client: Client, tenant: Tenant) -> None:
    link = delta_link(client.pages(SELECT))
    assert "displayName" not in link
    answer = client.get(link + "&$select=jobTitle")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")


def test_a_round_can_be_scoped_by_id(client: Client, tenant: Tenant) -> None:
    one, two, other = sorted(g.id for g in tenant.guests())[:3]
    pages = client.pages(f"/users/delta?$select=displayName&$filter=id eq '{one}' or id eq '{two}'")
    assert set(map(str, ids(objects(pages)))) == {one, two}
    tenant.update(other, displayName="Not asked for")
    tenant.update(one, displayName="Asked for")
    assert ids(objects(client.pages(delta_link(pages)))) == [one]


def test_the_latest_link_comes_without_anybody(client: Client, tenant: Tenant) -> None:
    pages = client.pages(f"{SELECT}&$deltaToken=latest")
    assert objects(pages) == []
    guest = some_guest(tenant)
    tenant.update(guest, displayName="New")
    assert ids(objects(client.pages(delta_link(pages)))) == [guest]


@pytest.mark.parametrize(
    "query",
    [
        "$top=5",
        "$orderby=displayName",
        "$expand=manager",
        "$filter=userType eq 'Guest'",
        "$filter=" + " or ".join(["id eq 'x'"] * 51),
    ],
)
def test_what_a_delta_query_does_not_support_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"/users/delta?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")


def test_a_property_that_does_not_exist_is_refused(client: Client) -> None:
    answer = client.get("/users/delta?$select=displayName,dislpayName")
    assert answer.status_code == 400
    assert "'dislpayName'" in answer.json()["error"]["message"]


def test_a_link_is_good_for_seven_days(client: Client, clock: Clock) -> None:
    link = delta_link(client.pages(SELECT))
    clock.pass_by(days=7)
    assert client.get(link).status_code == 200
    clock.pass_by(seconds=1)
    answer = client.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "syncStateNotFound")
    assert len(objects(client.pages(answer.headers["Location"]))) == 14


def test_expired_links_are_gone_or_a_bad_request(client: Client, tenant: Tenant) -> None:
    first = client.get(SELECT, Prefer="odata.maxpagesize=5").json()["@odata.nextLink"]
    last = delta_link(client.pages(SELECT))
    tenant.expire_delta_links()
    assert [client.get(link).status_code for link in (first, last)] == [410, 410]
    tenant.quirks = Quirks(expiry="bad-request")
    answer = client.get(last)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "syncStateNotFound")
    assert "Location" not in answer.headers
    assert len(objects(client.pages(SELECT))) == 14


def test_hostile_values_arrive_as_they_are(client: Client, tenant: Tenant) -> None:
    name = 'A\u202e"]}\u0000\ud800 \U0001f600'
    guest = tenant.invite({"mail": "x@fabrikam.com", "displayName": name})
    found = {o["id"]: o.get("displayName") for o in objects(client.pages("/users/delta?$select=displayName"))}
    assert found[guest] == name
