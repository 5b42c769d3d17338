"""The users of a whole tenant, followed through what happens in it and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.demo.people import generate
from reconciler.demo.pki import Authority
from reconciler.demo.tenant import Quirks, Tenant
from reconciler.errors import DeltaExpiredError, GraphError
from reconciler.graph.attributes import CATALOGUE, REQUIRED
from reconciler.graph.port import GuestSource, Round
from reconciler.model.guest import Guest

from .places import CLIENT, SECRET, TENANT, entra, source

NAMES = (*REQUIRED, "displayName", "mail", "otherMails", "surname")
COUNT = 25
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def tenant(authority: Authority) -> Iterator[Tenant]:
    with Tenant(TENANT, CLIENT, generate(COUNT, seed=7), secret=SECRET, pki=authority) as running:
        yield running


@pytest.fixture
def users(tenant: Tenant, tmp_path: Path) -> GuestSource:
    return source(entra(tenant.authority, str(tenant.ca_file(tmp_path))))


def first(tenant: Tenant) -> str:
    return tenant.guests()[0].id


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for pages of five, so that a small tenant has several."""
    monkeypatch.setattr("reconciler.graph.source._PAGE", "odata.maxpagesize=5")


def full(users: GuestSource) -> Round:
    return users.round(NAMES, None)


class TestAFullRound:
    def test_has_everybody_as_the_tenant_has_them(self, users: GuestSource, tenant: Tenant) -> None:
        found = full(users)
        assert found.full
        assert {i for i, u in found.users.items() if u.get("userType") == "Guest"} == {g.id for g in tenant.guests()}
        for guest in tenant.guests():
            told = {k: v for k, v in found.users[guest.id].items() if v is not None}
            held = {k: tuple(sorted(v)) if isinstance(v, list | tuple) else v for k, v in guest.properties.items()}
            assert told == {k: v for k, v in held.items() if k in NAMES and v not in ("", ())}

    def test_has_members_and_users_without_a_type_too(self, users: GuestSource) -> None:
        types = [u.get("userType") for u in full(users).users.values()]
        assert {"Member", None} < set(types)

    def test_may_select_the_whole_catalogue(self, users: GuestSource) -> None:
        assert len(users.round(tuple(CATALOGUE), None).users) > COUNT

    def test_of_many_comes_in_pages_of_999(self, authority: Authority, tmp_path: Path) -> None:
        people = ({"mail": f"guest{n}@fabrikam.com", "displayName": f"Guest {n}"} for n in range(1100))
        with Tenant(TENANT, CLIENT, people, secret=SECRET, pki=authority, members=0) as tenant:
            told: list[int] = []
            users = source(entra(tenant.authority, str(tenant.ca_file(tmp_path))))
            found = users.round(NAMES, None, told.append)
        assert told == [999, len(found.users)]
        assert len(found.users) > 1100

    @pytest.mark.usefixtures("small_pages")
    @pytest.mark.parametrize(
        "quirks",
        [Quirks(repeats=True), Quirks(empty_pages=True), Quirks(repeats=True, empty_pages=True, whole_objects=True)],
    )
    def test_is_the_same_whatever_freedoms_graph_takes(
        self, users: GuestSource, tenant: Tenant, quirks: Quirks
    ) -> None:
        plain = full(users)
        tenant.quirks = quirks
        assert full(users).users == plain.users

    def test_may_list_the_removed(self, users: GuestSource, tenant: Tenant) -> None:
        gone = first(tenant)
        tenant.soft_delete(gone)
        tenant.quirks = Quirks(removed_in_full=True)
        found = full(users)
        assert found.removed == {gone: "changed"}
        assert gone not in found.users


class TestAnIncrement:
    def test_of_nothing_is_empty_and_goes_on(self, users: GuestSource) -> None:
        link = full(users).delta_link
        for _ in range(3):
            found = users.round(NAMES, link)
            assert (found.full, found.users, found.removed) == (False, {}, {})
            link = found.delta_link

    def test_says_what_changed_and_what_was_cleared(self, users: GuestSource, tenant: Tenant) -> None:
        link = full(users).delta_link
        changed = first(tenant)
        tenant.update(changed, surname="Müller", displayName=None, otherMails=None, accountEnabled=False)
        told = users.round(NAMES, link).users
        assert told.keys() == {changed}
        expected = {"surname": "Müller", "displayName": None, "accountEnabled": False}
        assert {k: told[changed][k] for k in expected} == expected
        assert told[changed].get("otherMails") is None

    def test_tells_the_newcomer_whole(self, users: GuestSource, tenant: Tenant) -> None:
        link = full(users).delta_link
        new = tenant.invite({"mail": "new@fabrikam.com", "displayName": "New"})
        assert users.round(NAMES, link).users[new]["mail"] == "new@fabrikam.com"

    def test_tells_soft_deletion_restoration_and_purge_apart(self, users: GuestSource, tenant: Tenant) -> None:
        link = full(users).delta_link
        guest = first(tenant)
        tenant.soft_delete(guest)
        found = users.round(NAMES, link)
        assert found.removed == {guest: "changed"}
        tenant.restore(guest)
        found = users.round(NAMES, found.delta_link)
        assert (set(found.users), dict(found.removed)) == ({guest}, {})
        tenant.purge(guest)
        assert users.round(NAMES, found.delta_link).removed == {guest: "deleted"}

    @pytest.mark.parametrize("expiry", ["gone", "bad-request"])
    def test_by_an_expired_link_is_told_apart_and_a_full_round_follows(
        self, users: GuestSource, tenant: Tenant, expiry: str
    ) -> None:
        link = full(users).delta_link
        tenant.quirks = Quirks(expiry="gone" if expiry == "gone" else "bad-request")
        tenant.expire_delta_links()
        with pytest.raises(DeltaExpiredError) as caught:
            users.round(NAMES, link)
        assert "full" in caught.value.remedy
        assert full(users).full


@pytest.mark.usefixtures("small_pages")
class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        "fault",
        [
            lambda f: f.fail_page(3, status=500),
            lambda f: f.cut_page(3, times=None),
            lambda f: f.malform_page(3),
            lambda f: f.drop_page(3, times=None),
            lambda f: f.malform(1),
            lambda f: setattr(f, "half", True),
            lambda f: setattr(f, "no_delta_link", True),
            lambda f: setattr(f, "foreign_next_link", "https://evil.test"),
        ],
        ids=["failed", "cut", "malformed", "dropped", "malformed at once", "half", "no delta link", "foreign link"],
    )
    def test_leaves_no_round(self, users: GuestSource, tenant: Tenant, fault: object) -> None:
        assert callable(fault)
        fault(tenant.faults)
        with pytest.raises(GraphError) as caught:
            full(users)
        assert not isinstance(caught.value, DeltaExpiredError)
        tenant.faults.clear()
        assert len(full(users).users) > COUNT

    @pytest.mark.parametrize(
        "fault",
        [
            lambda f: f.throttle(2, retry_after=0),
            lambda f: f.throttle(1, status=503, retry_after=0),
            lambda f: f.throttle(1, status=504, retry_after=None),
            lambda f: f.fail_page(2, status=429, retry_after=0),
            lambda f: f.drop(1),
            lambda f: f.drop_page(2),
        ],
        ids=["throttled twice", "unavailable", "timed out", "page throttled", "dropped", "page dropped"],
    )
    def test_but_passes_is_waited_out(self, users: GuestSource, tenant: Tenant, fault: object) -> None:
        assert callable(fault)
        fault(tenant.faults)
        assert len(full(users).users) > COUNT

    def test_in_the_middle_of_a_round_is_a_token_that_expires(self, users: GuestSource, tenant: Tenant) -> None:
        told: list[int] = []

        def progress(count: int) -> None:
            told.append(count)
            if len(told) == 2:
                tenant.expire_access_tokens()

        assert len(users.round(NAMES, None, progress).users) == told[-1]

    def test_for_want_of_consent_names_the_permission(self, users: GuestSource, tenant: Tenant) -> None:
        tenant.faults.withdraw_consent()
        with pytest.raises(GraphError, match="Authorization_RequestDenied") as caught:
            full(users)
        assert "User.Read.All" in caught.value.remedy


class TestLookup:
    def test_tells_the_living_the_restorable_and_the_gone_apart(self, users: GuestSource, tenant: Tenant) -> None:
        alive, deleted, purged = (each.id for each in tenant.guests()[:3])
        tenant.soft_delete(deleted)
        tenant.purge(purged)
        tenant.update(alive, displayName=None)
        found = users.lookup([purged, alive, deleted, NOBODY], NAMES)
        assert found[deleted] == Guest(deleted, {}, removed="changed")
        assert found[purged] == Guest(purged, {}, removed="deleted")
        assert found[NOBODY] == Guest(NOBODY, {}, removed="deleted")
        assert found[alive].removed is None
        assert "displayName" not in found[alive].attributes

    def test_agrees_with_a_full_round(self, users: GuestSource) -> None:
        told = full(users).users
        found = users.lookup(list(told), NAMES)
        assert {i: g.attributes for i, g in found.items()} == {
            i: {k: v for k, v in u.items() if v is not None} for i, u in told.items()
        }

    def test_asks_for_twenty_at_a_time(self, users: GuestSource, tenant: Tenant) -> None:
        users.lookup([g.id for g in tenant.guests()], NAMES)
        assert [r.path for r in tenant.requests if r.method == "POST" and r.path.endswith("$batch")] == [
            "/v1.0/$batch"
        ] * 2

    def test_waits_out_throttling_of_the_batch_and_inside_it(self, users: GuestSource, tenant: Tenant) -> None:
        tenant.faults.throttle(1, retry_after=0)
        tenant.faults.throttle(3, retry_after=0, batched=True)
        found = users.lookup([g.id for g in tenant.guests()], NAMES)
        assert all(g.removed is None for g in found.values())
        batched = [r.status for r in tenant.requests if r.batched]
        assert (len(found), len(batched), batched.count(429)) == (COUNT, COUNT + 3, 3)

    def test_for_want_of_consent_names_the_permission(self, users: GuestSource, tenant: Tenant) -> None:
        tenant.faults.withdraw_consent()
        with pytest.raises(GraphError, match=first(tenant)) as caught:
            users.lookup([first(tenant)], NAMES)
        assert "User.Read.All" in caught.value.remedy
