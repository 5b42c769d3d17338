"""What a refused sign-in tells a person, and what it keeps to itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from reconciler.demo.pki import Files
from reconciler.errors import GraphError
from reconciler.graph.port import GuestSource

from .places import SECRET, TENANT, entra, source
from .scripted import Peer, Reply

TRACE = "11111111-2222-4333-8444-555555555555"
HOSTILE = f"\x1b[2J@everyone {SECRET} eyJhbGciOi"
GRANT = {"token_type": "Bearer", "expires_in": 3600, "access_token": "a token"}

Entra = Callable[..., GuestSource]


@pytest.fixture
def sign_in(peer: Peer, tls: Files) -> Entra:
    """Answer the token endpoint by these replies and the list of users by nobody."""
    tenant = f"{peer.origin}/{TENANT}"
    endpoints = {"authorization_endpoint": f"{tenant}/authorize", "token_endpoint": f"{tenant}/token"}
    peer.on(f"/{TENANT}/v2.0/.well-known/openid-configuration", {"issuer": tenant, **endpoints})
    peer.on("/v1.0/users/delta", {"value": [], "@odata.deltaLink": f"{peer.origin}/v1.0/users/delta?$deltatoken=1"})

    def answered(*replies: object) -> GuestSource:
        peer.on(f"/{TENANT}/token", *replies)
        return source(entra(peer.origin, str(tls.ca)))

    return answered


def refused(found: GuestSource) -> GraphError:
    with pytest.raises(GraphError) as caught:
        found.round(("mail",), None)
    return caught.value


def said_no(code: int | None, error: str = "invalid_client", **more: object) -> Reply:
    codes = {} if code is None else {"error_codes": [code]}
    return Reply(
        {"error": error, "error_description": f"AADSTS{code}: {HOSTILE}", "trace_id": TRACE, **codes, **more}, 401
    )


@pytest.mark.parametrize(
    ("code", "what", "remedy"),
    [
        (7000215, "secret is wrong", "RECONCILE_ENTRA_SECRET"),
        (7000222, "secret has expired", "RECONCILE_ENTRA_SECRET"),
        (700016, "unknown in the tenant", "entra.client_id"),
        (90002, "tenant is unknown", "entra.tenant"),
        (700213, "token's subject", "exact subject"),
        (70021, "no federated credential", "exact subject"),
        (50034, "user does not exist", "account of this tenant"),
        (700027, "certificate", "Upload"),
        (7000218, "expects a secret or a certificate", "public client flows"),
        (53003, "conditional access", "allowed"),
        (65001, "consented", "User.Read.All"),
        (500011, "resource", "entra.graph"),
        (9999999, "refused", "https://login.microsoftonline.com/error"),
    ],
)
def test_a_code_becomes_a_reason_and_a_remedy(sign_in: Entra, code: int, what: str, remedy: str) -> None:
    error = refused(sign_in(said_no(code)))
    assert what in error.what
    assert f"(invalid_client, AADSTS{code}, trace id {TRACE})" in error.what
    assert remedy in error.remedy


@pytest.mark.parametrize(
    "answer",
    [
        said_no(7000215),
        said_no(None),
        said_no(None, error=HOSTILE),
        said_no(7000215, trace_id=HOSTILE, correlation_id=HOSTILE),
        Reply({"error": ["list"], "error_codes": [HOSTILE, True, None], "error_description": {}}, 400),
        Reply({}, 400),
        Reply({"access_token": 7}),
        Reply({"access_token": ""}),
        Reply(HOSTILE.encode(), 200),
        Reply(HOSTILE.encode(), 400),
        Reply(f'"{SECRET}"'.encode()),
        Reply(b"[" * 100_000),
        Reply({"error": HOSTILE}, 500),
        Reply({"error": HOSTILE}, 429, {"Retry-After": "86400"}),
        Reply(GRANT, cut=True),
    ],
)
def test_nothing_the_answer_says_reaches_a_message_or_a_log(
    sign_in: Entra, answer: Reply, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    error = refused(sign_in(answer))
    shown = str(error) + repr(error) + caplog.text + "".join(capsys.readouterr())
    for hostile in (SECRET, "\x1b", "@everyone", "eyJhbG"):
        assert hostile not in shown


def test_a_code_is_found_in_the_description_where_it_stands_alone(sign_in: Entra) -> None:
    answer = Reply({"error": "invalid_client", "error_description": f"AADSTS7000215: {HOSTILE}"}, 401)
    assert "secret is wrong" in refused(sign_in(answer)).what


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirection_does_not_get_the_secret(sign_in: Entra, peer: Peer, status: int) -> None:
    refused(sign_in(Reply({}, status, {"Location": f"{peer.origin}/elsewhere"})))
    assert not any("elsewhere" in each for each in peer.targets())


@pytest.mark.parametrize(
    "document", [{}, {"issuer": 7}, [], b"<html>", {"authorization_endpoint": 1, "token_endpoint": 2}]
)
def test_a_host_that_describes_no_sign_in_is_named(sign_in: Entra, peer: Peer, document: object) -> None:
    peer.on(f"/{TENANT}/v2.0/", document)
    peer.on(f"/{TENANT}/v2.0/.well-known/openid-configuration", document)
    error = refused(sign_in(GRANT))
    assert peer.origin in error.what
    assert "entra.authority" in error.remedy


class TestATokenInMemory:
    def test_serves_until_shortly_before_its_end(self, sign_in: Entra, peer: Peer) -> None:
        found = sign_in(GRANT)
        found.round(("mail",), None)
        found.round(("mail",), None)
        assert peer.targets().count(f"/{TENANT}/token") == 1

    def test_is_replaced_when_its_end_is_near(self, sign_in: Entra, peer: Peer) -> None:
        found = sign_in({**GRANT, "expires_in": 60}, {**GRANT, "access_token": "another"})
        found.round(("mail",), None)
        found.round(("mail",), None)
        used = [each.headers["Authorization"] for each in peer.asked if each.target.startswith("/v1.0")]
        assert used == ["Bearer a token", "Bearer another"]
