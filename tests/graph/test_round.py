"""A delta round, page by page, against answers chosen to be awkward."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import DeltaExpiredError, GraphError
from reconciler.graph.port import GuestSource, Round
from reconciler.graph.source import GraphUsers

from .scripted import Peer, Reply

A = "aaaaaaaa-0000-4000-8000-00000000000a"
B = "bbbbbbbb-0000-4000-8000-00000000000b"
NAMES = ("displayName", "otherMails")


def pages(peer: Peer, *values: list[Any] | Reply, link: str = "start") -> str:
    """Script a round of these pages and return the address of its first."""
    for n, value in enumerate(values):
        following = f"{peer.origin}/v1.0/users/delta?$skiptoken={n + 1}"
        last = n == len(values) - 1
        tail = (
            {"@odata.deltaLink": f"{peer.origin}/v1.0/users/delta?$deltatoken=end"}
            if last
            else {"@odata.nextLink": following}
        )
        target = f"/v1.0/users/delta?$skiptoken={n}" if n else f"/v1.0/users/delta?${link}"
        peer.on(target, value if isinstance(value, Reply) else {"value": value, **tail})
    return f"{peer.origin}/v1.0/users/delta?${link}"


def increment(users: GraphUsers, peer: Peer, *values: list[Any] | Reply) -> Round:
    return users.round(NAMES, pages(peer, *values))


def user(user_id: str, **properties: object) -> dict[str, object]:
    return {"id": user_id, **properties}


def gone(user_id: str, reason: str = "changed") -> dict[str, object]:
    return {"id": user_id, "@removed": {"reason": reason}}


def test_it_is_a_guest_source(users: GraphUsers) -> None:
    source: GuestSource = users
    assert source is users


class TestAFullRound:
    def test_selects_sorted_properties_and_nothing_else(self, users: GraphUsers, peer: Peer) -> None:
        pages(peer, [], link="select")
        users.round(("surname", "extensionAttribute7", "id", "extensionAttribute1", "displayName"), None)
        assert peer.targets() == ["/v1.0/users/delta?$select=displayName,id,onPremisesExtensionAttributes,surname"]

    def test_asks_for_large_pages_throughout(self, users: GraphUsers, peer: Peer) -> None:
        pages(peer, [], [], link="select")
        users.round(NAMES, None)
        assert [a.headers["Prefer"] for a in peer.asked] == ["odata.maxpagesize=999"] * 2

    def test_is_full_and_an_increment_is_not(self, users: GraphUsers, peer: Peer) -> None:
        pages(peer, [], link="select")
        assert users.round(NAMES, None).full
        assert not increment(users, peer, []).full

    def test_whose_next_page_has_expired_is_an_error_and_not_an_expired_link(
        self, users: GraphUsers, peer: Peer
    ) -> None:
        pages(peer, [], Reply({"error": {"code": "resyncRequired"}}, status=410), link="select")
        with pytest.raises(GraphError) as caught:
            users.round(NAMES, None)
        assert not isinstance(caught.value, DeltaExpiredError)
        assert "lost its place" in caught.value.what
        assert "run again" in caught.value.remedy

    def test_of_a_property_the_catalogue_lacks_is_refused_before_anything_is_sent(
        self, users: GraphUsers, peer: Peer
    ) -> None:
        with pytest.raises(GraphError, match="passwordProfile"):
            users.round(("passwordProfile",), None)
        assert peer.asked == []


class TestPages:
    def test_may_be_empty_and_still_go_on(self, users: GraphUsers, peer: Peer) -> None:
        found = increment(users, peer, [], [], [user(A, displayName="Alice")], [])
        assert found.users == {A: {"displayName": "Alice"}}

    def test_yield_the_last_ones_delta_link_unchanged(self, users: GraphUsers, peer: Peer) -> None:
        link = f"{peer.origin}/v1.0/users/delta?$deltatoken=a%2Bb~c%3D%3d"
        peer.on("/v1.0/users/delta?$start", {"value": [], "@odata.deltaLink": link})
        assert users.round(NAMES, f"{peer.origin}/v1.0/users/delta?$start").delta_link == link

    def test_report_progress_once_each(self, users: GraphUsers, peer: Peer) -> None:
        told: list[int] = []
        users.round(NAMES, pages(peer, [user(A), user(B)], [], [user(A)]), told.append)
        assert told == [2, 2, 3]

    @pytest.mark.parametrize(
        ("document", "why"),
        [
            ({"value": []}, "neither how it goes on"),
            ({"value": [], "@odata.nextLink": 7}, "neither how it goes on"),
            ({"value": [], "@odata.nextLink": "ORIGIN/x", "@odata.deltaLink": "ORIGIN/y"}, "neither how it goes on"),
            ({"@odata.deltaLink": "ORIGIN/v1.0/x"}, "no list of users"),
            ({"value": {}, "@odata.deltaLink": "ORIGIN/v1.0/x"}, "no list of users"),
            ({"value": ["text"], "@odata.deltaLink": "ORIGIN/v1.0/x"}, "without an id"),
            ({"value": [{}], "@odata.deltaLink": "ORIGIN/v1.0/x"}, "without an id"),
            ({"value": [{"id": "../../etc/passwd"}], "@odata.deltaLink": "ORIGIN/v1.0/x"}, "not the id of a user"),
            ({"value": [{"id": A + "\n"}], "@odata.deltaLink": "ORIGIN/v1.0/x"}, "not the id of a user"),
            ([], "other than a JSON object"),
            (b"<html>", "other than a JSON object"),
            (b"[" * 100_000, "other than a JSON object"),
            (b'{"value": [], "@odata.deltaLink"', "other than a JSON object"),
            (b'\xff{"value": []}', "other than a JSON object"),
        ],
    )
    def test_that_are_malformed_leave_nothing(self, users: GraphUsers, peer: Peer, document: object, why: str) -> None:
        if isinstance(document, dict):
            document = {k: v.replace("ORIGIN", peer.origin) if isinstance(v, str) else v for k, v in document.items()}
        link = pages(peer, [user(A)], [])
        peer.on("/v1.0/users/delta?$skiptoken=1", document)
        with pytest.raises(GraphError, match=why):
            users.round(NAMES, link)

    def test_that_lead_in_a_circle_leave_nothing(self, users: GraphUsers, peer: Peer) -> None:
        link = pages(peer, [], [], [])
        peer.on("/v1.0/users/delta?$skiptoken=2", {"value": [], "@odata.nextLink": link})
        with pytest.raises(GraphError, match="circle"):
            users.round(NAMES, link)

    def test_that_are_cut_off_leave_nothing(self, users: GraphUsers, peer: Peer) -> None:
        link = pages(peer, [user(A)], [])
        peer.on("/v1.0/users/delta?$skiptoken=1", Reply({"value": [], "@odata.deltaLink": link}, cut=True))
        with pytest.raises(GraphError, match="cut off"):
            users.round(NAMES, link)
        assert len(peer.asked) == 1 + 4

    def test_that_are_cut_off_once_are_asked_for_again(self, users: GraphUsers, peer: Peer) -> None:
        link = pages(peer, [user(A)], [])
        last = {"value": [user(B)], "@odata.deltaLink": link}
        peer.on("/v1.0/users/delta?$skiptoken=1", Reply(last, cut=True), last)
        assert users.round(NAMES, link).users.keys() == {A, B}

    def test_that_fail_leave_nothing_and_name_the_request(self, users: GraphUsers, peer: Peer) -> None:
        failure = {"error": {"code": "InternalServerError", "message": "boom", "innerError": {"request-id": B}}}
        with pytest.raises(GraphError, match=rf"HTTP 500, InternalServerError, request id {B}"):
            increment(users, peer, [user(A)], Reply(failure, status=500))


class TestLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.test/v1.0/users/delta?$skiptoken=1",
            "http://localhost:PORT/v1.0/users/delta",
            "https://localhost/v1.0/users/delta",
            "https://localhost:PORT@evil.test/v1.0/users/delta",
            "https://evil.test\\@localhost:PORT/v1.0/users/delta",
            "https://localhost:PORT.evil.test/v1.0",
            "//evil.test/v1.0",
            "/v1.0/users/delta",
            "https://localhost:PORT/v1.0/users/delta\r\nHost: evil.test",
            "",
        ],
    )
    @pytest.mark.parametrize("where", ["stored", "@odata.nextLink", "@odata.deltaLink"])
    def test_to_anywhere_else_are_refused_and_the_token_stays(
        self, users: GraphUsers, peer: Peer, link: str, where: str
    ) -> None:
        link = link.replace("PORT", peer.origin.rpartition(":")[2])
        start = f"{peer.origin}/v1.0/users/delta?$start"
        peer.on("/v1.0/users/delta?$start", {"value": [], where: link})
        with pytest.raises(GraphError, match="leads away"):
            users.round(NAMES, link if where == "stored" else start)
        assert len(peer.asked) == (0 if where == "stored" else 1)

    @pytest.mark.parametrize(
        "refusal",
        [
            Reply({"error": {"code": "whatever"}}, status=410, headers={"Location": "https://evil.test/"}),
            Reply({"error": {"code": "syncStateNotFound"}}, status=400),
            Reply({"error": {"code": "SyncStateNotFound"}}, status=404),
            Reply({"error": {"code": "resyncRequired"}}, status=400),
            Reply(b"", status=410),
        ],
    )
    def test_that_have_expired_are_told_apart(self, users: GraphUsers, peer: Peer, refusal: Reply) -> None:
        with pytest.raises(DeltaExpiredError):
            increment(users, peer, refusal)

    def test_that_expire_halfway_are_told_apart(self, users: GraphUsers, peer: Peer) -> None:
        with pytest.raises(DeltaExpiredError):
            increment(users, peer, [user(A)], Reply({}, status=410))

    def test_refused_otherwise_are_not_expired(self, users: GraphUsers, peer: Peer) -> None:
        with pytest.raises(GraphError) as caught:
            increment(users, peer, Reply({"error": {"code": "Request_BadRequest"}}, status=400))
        assert not isinstance(caught.value, DeltaExpiredError)
        assert "`reconcile snapshot --full`" in caught.value.remedy, "without a link there is a way on"

    @given(token=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\#"), min_size=1))
    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_are_replayed_so_that_the_server_reads_the_same_token(
        self, users: GraphUsers, peer: Peer, token: str
    ) -> None:
        peer.on("/v1.0/users/delta", {"value": [], "@odata.deltaLink": f"{peer.origin}/v1.0/x"})
        users.round(NAMES, f"{peer.origin}/v1.0/users/delta?$deltatoken={quote(token, safe='-._~!$()*,;:@/?')}")
        assert unquote(peer.asked[-1].target.partition("$deltatoken=")[2]) == token


class TestTheLaterEntry:
    def test_wins_property_by_property(self, users: GraphUsers, peer: Peer) -> None:
        found = increment(
            users, peer, [user(A, displayName="Old", otherMails=["x@y"])], [user(A.upper(), displayName="New")]
        )
        assert found.users == {A: {"displayName": "New", "otherMails": ("x@y",)}}

    def test_that_is_null_clears_and_one_that_is_silent_does_not(self, users: GraphUsers, peer: Peer) -> None:
        found = increment(users, peer, [user(A, displayName="Old")], [user(A, displayName=None)], [user(A)])
        assert found.users == {A: {"displayName": None}}

    @pytest.mark.parametrize("reason", ["changed", "deleted"])
    def test_removes_who_was_there(self, users: GraphUsers, peer: Peer, reason: str) -> None:
        found = increment(users, peer, [user(A, displayName="Alice")], [gone(A, reason)])
        assert (found.users, found.removed) == ({}, {A: reason})

    def test_brings_back_who_was_removed(self, users: GraphUsers, peer: Peer) -> None:
        found = increment(users, peer, [gone(A)], [user(A, displayName="Alice")])
        assert (found.users, found.removed) == ({A: {"displayName": "Alice"}}, {})

    def test_decides_within_one_page_too(self, users: GraphUsers, peer: Peer) -> None:
        found = increment(users, peer, [gone(A), user(A), gone(B, "changed"), gone(B, "deleted")])
        assert (found.users, found.removed) == ({A: {}}, {B: "deleted"})

    @pytest.mark.parametrize("removed", [None, {}, "changed", {"reason": "moved"}, {"reason": None}])
    def test_that_removes_without_a_known_reason_is_refused(
        self, users: GraphUsers, peer: Peer, removed: object
    ) -> None:
        with pytest.raises(GraphError, match=A):
            increment(users, peer, [{"id": A, "@removed": removed}])

    @given(
        events=st.lists(
            st.tuples(st.sampled_from([A, B]), st.sampled_from(["there", "changed", "deleted"])),
            min_size=1,
            max_size=12,
        ),
        cut=st.integers(0, 12),
    )
    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_decides_wherever_pages_end(
        self, users: GraphUsers, peer: Peer, events: list[tuple[str, str]], cut: int
    ) -> None:
        items = [user(i) if what == "there" else gone(i, what) for i, what in events]
        found = increment(users, peer, items[:cut], items[cut:])
        last = dict(events)
        assert found.users.keys() == {i for i, what in last.items() if what == "there"}
        assert found.removed == {i: what for i, what in last.items() if what != "there"}
