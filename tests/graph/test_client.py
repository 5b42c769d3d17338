"""Requests to Graph: repeated within bounds, renewed once, never sent where the token does not belong."""

from __future__ import annotations

import time

import pytest

from reconciler import __version__
from reconciler.errors import GraphError
from reconciler.graph.client import GraphClient, seconds
from reconciler.graph.transport import Transport

from .scripted import Asked, FixedToken, Peer, Reply

BUSY = {"error": {"code": "TooManyRequests"}}
REQUEST = "11111111-2222-4333-8444-555555555555"


def test_says_who_asks_and_with_which_token(client: GraphClient, peer: Peer) -> None:
    peer.on("/", {})
    client.get(f"{peer.origin}/v1.0/users/delta")
    headers = peer.asked[0].headers
    assert headers["User-Agent"] == f"reconcile/{__version__}"
    assert headers["Authorization"] == "Bearer token-0"


@pytest.mark.parametrize("status", [429, 503, 504])
def test_comes_back_when_a_busy_service_says_so(client: GraphClient, peer: Peer, status: int) -> None:
    peer.on("/", Reply(BUSY, status, {"Retry-After": "1"}), {"a": 1})
    before = time.monotonic()
    assert client.get(f"{peer.origin}/v1.0/x").body == {"a": 1}
    assert time.monotonic() - before >= 1


def test_gives_up_at_once_when_the_wait_is_too_long(client: GraphClient, peer: Peer) -> None:
    peer.on("/", Reply(BUSY, 429, {"Retry-After": "86400"}))
    answer = client.get(f"{peer.origin}/v1.0/x")
    assert (answer.status, answer.retry_after, len(peer.asked)) == (429, 86400, 1)
    assert "throttles" in answer.refusal("x").remedy


@pytest.mark.parametrize("wait", ["0.1", "soon", "", "-1", "Mon, 99 Foo 2026"])
def test_comes_back_although_the_wait_is_in_no_known_form(client: GraphClient, peer: Peer, wait: str) -> None:
    peer.on("/", Reply(BUSY, 429, {"Retry-After": wait}), {"a": 1})
    assert client.get(f"{peer.origin}/v1.0/x").body == {"a": 1}


def test_repeats_a_batch_whose_answer_is_cut_off(client: GraphClient, peer: Peer) -> None:
    peer.on("/", Reply({"responses": []}, cut=True), {"responses": []})
    assert client.post("$batch", {"requests": []}).ok
    assert [a.body for a in peer.asked] == [b'{"requests": []}'] * 2


def test_repeats_a_batch_that_is_throttled_as_a_whole(client: GraphClient, peer: Peer) -> None:
    peer.on("/", Reply(BUSY, 429, {"Retry-After": "0"}), {"responses": []})
    assert client.post("$batch", {"requests": []}).ok
    assert [a.body for a in peer.asked] == [b'{"requests": []}'] * 2


def test_does_not_repeat_what_failed_for_good(client: GraphClient, peer: Peer) -> None:
    peer.on("/", Reply({}, 500))
    assert client.get(f"{peer.origin}/v1.0/x").status == 500
    assert len(peer.asked) == 1


def test_renews_a_refused_token_once_and_only_once(client: GraphClient, peer: Peer, tokens: FixedToken) -> None:
    peer.on("/", Reply({"error": {"code": "InvalidAuthenticationToken"}}, 401))
    answer = client.get(f"{peer.origin}/v1.0/x")
    assert [a.headers["Authorization"] for a in peer.asked] == ["Bearer token-0", "Bearer token-1"]
    assert "entra.graph and entra.authority" in answer.refusal("x").remedy


def test_goes_on_with_the_renewed_token(client: GraphClient, peer: Peer) -> None:
    def fresh_only(asked: Asked) -> Reply:
        return Reply({"a": 1}) if asked.headers["Authorization"] == "Bearer token-1" else Reply({}, 401)

    peer.script("/", fresh_only)
    assert client.get(f"{peer.origin}/v1.0/x").body == {"a": 1}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_follows_no_redirection(client: GraphClient, peer: Peer, status: int, method: str) -> None:
    peer.on("/", Reply({}, status, {"Location": f"{peer.origin}/elsewhere"}))
    with pytest.raises(GraphError, match="redirection"):
        client.get(f"{peer.origin}/v1.0/x") if method == "GET" else client.post("$batch", {})
    assert len(peer.asked) == 1


@pytest.mark.parametrize("code", ["Authorization_RequestDenied", "Forbidden"])
def test_names_the_permission_to_consent_to(client: GraphClient, peer: Peer, code: str) -> None:
    inner = {"request-id": REQUEST}
    peer.on("/", Reply({"error": {"code": code, "message": "\x1b[31mtoken-0", "innerError": inner}}, 403))
    refusal = client.get(f"{peer.origin}/v1.0/x").refusal("a page of the users")
    assert refusal.what == f"Graph refused a page of the users (HTTP 403, {code}, request id {REQUEST})"
    assert "User.Read.All" in refusal.remedy
    assert "admin consent" in refusal.remedy


@pytest.mark.parametrize("body", [b"", b"<html>", {"error": "text"}, {"error": {"code": "\x1b[2J", "innerError": 1}}])
def test_shows_nothing_of_an_error_that_is_not_graphs(client: GraphClient, peer: Peer, body: object) -> None:
    peer.on("/", Reply(body, 400))
    assert client.get(f"{peer.origin}/v1.0/x").refusal("x").what == "Graph refused x (HTTP 400)"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"', b"{", b"\xff\xfe\x00"])
def test_takes_an_object_or_nothing(client: GraphClient, peer: Peer, body: bytes) -> None:
    peer.on("/", Reply(body))
    with pytest.raises(GraphError, match="other than a JSON object"):
        client.get(f"{peer.origin}/v1.0/x")


def test_says_which_host_cannot_be_reached(session: Transport, tokens: FixedToken) -> None:
    client = GraphClient("https://localhost:1/v1.0", session, tokens)
    with pytest.raises(GraphError, match="localhost:1 cannot be reached: Connection refused"):
        client.get("https://localhost:1/v1.0/x")


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7), (" 0 ", 0), (2, 2), ("1.5", 1.5), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), (None, None)],
)
def test_reads_seconds_to_wait(header: object, wait: float | None) -> None:
    assert seconds(header) == wait
