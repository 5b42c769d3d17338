"""Looking users up by id, in batches, against answers chosen to be awkward."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from reconciler.errors import GraphError
from reconciler.graph.source import GraphUsers
from reconciler.model.guest import Guest

from .scripted import Asked, Peer, Reply

NAMES = ("displayName", "mail")
NOT_FOUND = {"status": 404, "body": {"error": {"code": "Request_ResourceNotFound"}}}


def guid(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


class Tenant:
    """Answers batches: each URL's replies in turn, the last one stays; whatever is not named is not found."""

    def __init__(self, peer: Peer, replies: Mapping[str, list[dict[str, object]]]) -> None:
        self.replies = {path: list(each) for path, each in replies.items()}
        self.batches: list[list[str]] = []
        peer.script("/v1.0/$batch", self._answer)

    def _answer(self, asked: Asked) -> Reply:
        requests = json.loads(asked.body)["requests"]
        self.batches.append([each["url"] for each in requests])
        responses = [{"id": each["id"], **self._reply(each["url"].partition("?")[0])} for each in requests]
        return Reply({"responses": responses[::-1]})

    def _reply(self, path: str) -> dict[str, object]:
        left = self.replies.get(path, [NOT_FOUND])
        return left.pop(0) if len(left) > 1 else left[0]


def live(n: int, **properties: object) -> dict[str, list[dict[str, object]]]:
    return {f"/users/{guid(n)}": [{"status": 200, "body": {"id": guid(n), **properties}}]}


def test_a_live_user_comes_with_what_is_set(users: GraphUsers, peer: Peer) -> None:
    Tenant(peer, live(1, displayName="Alice", mail=None))
    assert users.lookup([guid(1)], NAMES) == {guid(1): Guest(guid(1), {"displayName": "Alice"})}


def test_only_what_is_asked_for_is_selected(users: GraphUsers, peer: Peer) -> None:
    tenant = Tenant(peer, {})
    users.lookup([guid(1)], NAMES)
    assert tenant.batches == [
        [f"/users/{guid(1)}?$select=displayName,id,mail"],
        [f"/directory/deletedItems/{guid(1)}?$select=id"],
    ]


def test_the_dead_are_told_apart_by_the_deleted_items(users: GraphUsers, peer: Peer) -> None:
    Tenant(peer, {f"/directory/deletedItems/{guid(1)}": [{"status": 200, "body": {"id": guid(1)}}]})
    assert users.lookup([guid(1), guid(2)], NAMES) == {
        guid(1): Guest(guid(1), {}, removed="changed"),
        guid(2): Guest(guid(2), {}, removed="deleted"),
    }


def test_twenty_go_in_one_batch_and_answers_may_come_in_any_order(users: GraphUsers, peer: Peer) -> None:
    ids = [guid(n) for n in range(41)]
    tenant = Tenant(peer, {k: v for n in range(41) for k, v in live(n, displayName=f"number {n}").items()})
    found = users.lookup([*ids, ids[0].upper()], NAMES)
    assert [len(each) for each in tenant.batches] == [20, 20, 1]
    assert [found[i].attributes["displayName"] for i in ids] == [f"number {n}" for n in range(41)]


def test_nobody_is_asked_for_without_a_request(users: GraphUsers, peer: Peer) -> None:
    assert users.lookup([], NAMES) == {}
    assert peer.asked == []


class TestThrottlingInside:
    def test_repeats_those_alone_after_the_longest_wait(
        self, users: GraphUsers, peer: Peer, slept: list[float]
    ) -> None:
        busy = [
            {"status": 429, "headers": {"retry-AFTER": "3"}},
            {"status": 503, "headers": {"Retry-After": "11"}, "body": {}},
        ]
        replies = {**live(1), **live(2), **live(3)}
        for n, first in zip((1, 2), busy, strict=True):
            replies[f"/users/{guid(n)}"].insert(0, first)
        tenant = Tenant(peer, replies)
        assert users.lookup([guid(n) for n in (1, 2, 3)], NAMES).keys() == {guid(n) for n in (1, 2, 3)}
        assert [[url[7:15] for url in each] for each in tenant.batches] == [
            ["00000001", "00000002", "00000003"],
            ["00000001", "00000002"],
        ]
        assert slept == [11]

    def test_waits_ever_longer_when_not_told_how_long(self, users: GraphUsers, peer: Peer, slept: list[float]) -> None:
        Tenant(peer, {f"/users/{guid(1)}": [{"status": 429, "body": {}}]})
        with pytest.raises(GraphError, match=f"{guid(1)}, asked 6 times"):
            users.lookup([guid(1)], NAMES)
        assert slept == [1, 2, 4, 8, 16]

    def test_gives_up_when_the_wait_is_too_long(self, users: GraphUsers, peer: Peer, slept: list[float]) -> None:
        Tenant(peer, {f"/users/{guid(1)}": [{"status": 429, "headers": {"Retry-After": "86400"}, "body": {}}]})
        with pytest.raises(GraphError, match="HTTP 429"):
            users.lookup([guid(1)], NAMES)
        assert slept == []


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied"}}},
        {"status": 500, "body": {}},
        {"status": 404, "body": {}},
        {"status": 404, "body": {"error": {"code": "BadRequest"}}},
        {"status": 200, "body": {"id": guid(2)}},
    ],
)
@pytest.mark.parametrize("where", ["/users/", "/directory/deletedItems/"])
def test_any_other_answer_proves_nothing_and_names_the_user(
    users: GraphUsers, peer: Peer, reply: dict[str, object], where: str
) -> None:
    Tenant(peer, {where + guid(1): [reply]})
    with pytest.raises(GraphError, match=guid(1)):
        users.lookup([guid(1)], NAMES)


@pytest.mark.parametrize("where", ["/users/", "/directory/deletedItems/"])
@pytest.mark.parametrize("body", [{}, {"id": 7}, {"id": "no guid"}, {"id": None}])
def test_an_answer_about_nobody_is_refused(users: GraphUsers, peer: Peer, where: str, body: object) -> None:
    Tenant(peer, {where + guid(1): [{"status": 200, "body": body}]})
    with pytest.raises(GraphError, match=r"without an id|not the id of a user"):
        users.lookup([guid(1)], NAMES)


def test_a_property_of_another_type_is_refused_by_name(users: GraphUsers, peer: Peer) -> None:
    Tenant(peer, live(1, displayName=7))
    with pytest.raises(GraphError, match=f"displayName of user {guid(1)}"):
        users.lookup([guid(1)], NAMES)


def test_a_live_user_without_what_every_user_has_is_the_callers_to_judge(users: GraphUsers, peer: Peer) -> None:
    Tenant(peer, live(1, displayName="Alice", accountEnabled=None))
    found = users.lookup([guid(1)], (*NAMES, "accountEnabled"))
    assert "accountEnabled" not in found[guid(1)].attributes


@pytest.mark.parametrize(
    "responses",
    [
        None,
        {},
        [],
        [7],
        [{"id": "0"}],
        [{"id": "0", "status": "200", "body": {}}],
        [{"id": "0", "status": 200}],
        [{"id": "0", "status": 200, "body": "text"}],
        [{"id": 0, "status": 404, "body": {}}],
        [{"id": "1", "status": 404, "body": {}}],
        [{"id": "0", "status": 404, "body": {}}] * 2,
        [{"id": "0", "status": 404, "body": {}}, {"id": "1", "status": 404, "body": {}}],
    ],
)
def test_a_batch_that_does_not_answer_each_request_once_is_refused(
    users: GraphUsers, peer: Peer, responses: object
) -> None:
    peer.on("/v1.0/$batch", {"responses": responses})
    with pytest.raises(GraphError, match="batch"):
        users.lookup([guid(1)], NAMES)


def test_a_batch_that_is_refused_as_a_whole_says_why(users: GraphUsers, peer: Peer) -> None:
    peer.on("/v1.0/$batch", Reply({"error": {"code": "Authorization_RequestDenied"}}, 403))
    with pytest.raises(GraphError, match="batch") as caught:
        users.lookup([guid(1)], NAMES)
    assert "User.Read.All" in caught.value.remedy


@pytest.mark.parametrize("user_id", ["", "me", "../groups", f"{guid(1)}/manager", f"{guid(1)}\n", "x" * 10_000])
def test_what_is_no_guid_is_never_put_into_an_address(users: GraphUsers, peer: Peer, user_id: str) -> None:
    with pytest.raises(GraphError, match="not the id of a user") as caught:
        users.lookup([guid(1), user_id], NAMES)
    assert len(str(caught.value)) < 300
    assert peer.asked == []
