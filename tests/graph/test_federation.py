"""Signing in with somebody else's token: of a file, of a GitHub job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.demo.tenant import Tenant
from reconciler.errors import GraphError, SettingsError
from reconciler.graph.federated import assertion
from reconciler.graph.transport import Transport

from .places import Place, guests, refusal, source
from .scripted import Peer, write_pem

SUBJECT = "repo:contoso/identity:environment:plan"


class TestFederation:
    @pytest.fixture
    def file(self, tenant: Tenant, tmp_path: Path) -> Path:
        tenant.federate(SUBJECT)
        return write_pem(tmp_path / "token", tenant.mint(SUBJECT).encode(), b"\n")

    @pytest.mark.parametrize("name", ["RECONCILE_ENTRA_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"])
    def test_signs_in_with_the_token_of_a_file(self, place: Place, file: Path, name: str) -> None:
        assert guests(source(place("federated"), {name: str(file)})) == ["alice@fabrikam.com"]

    def test_reads_the_file_afresh_for_each_token(self, place: Place, file: Path, tenant: Tenant) -> None:
        found = source(place("federated"), {"RECONCILE_ENTRA_TOKEN_FILE": str(file)})
        guests(found)
        file.write_text(tenant.mint("repo:contoso/other"))
        assert guests(found), "the token in memory still serves"
        tenant.expire_access_tokens()
        assert "AADSTS700213" in refusal(found).what
        file.write_text(tenant.mint(SUBJECT))
        assert guests(found)

    def test_signs_in_from_a_github_job(self, place: Place, tenant: Tenant) -> None:
        tenant.federate(SUBJECT)
        assert guests(source(place("federated"), tenant.actions(SUBJECT))) == ["alice@fabrikam.com"]

    def test_of_a_github_job_without_the_permission_says_which(self, place: Place, tenant: Tenant) -> None:
        env = {**tenant.actions(SUBJECT), "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "f0rged"}
        error = refusal(source(place("federated"), env))
        assert "HTTP 401" in error.what
        assert "id-token: write" in error.remedy
        assert "f0rged" not in str(error)

    @pytest.mark.parametrize(
        ("authority", "audience"),
        [
            ("https://login.microsoftonline.com", "api://AzureADTokenExchange"),
            ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
            ("https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
        ],
    )
    @pytest.mark.parametrize("query", ["", "?api-version=2.0"])
    def test_asks_github_for_the_audience_of_the_cloud(
        self, peer: Peer, session: Transport, authority: str, audience: str, query: str
    ) -> None:
        peer.on("/idtoken", {"value": "jwt"})
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{peer.origin}/idtoken{query}", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
        assert assertion(env, session, authority)() == "jwt"
        assert parse_qs(urlsplit(peer.asked[0].target).query)["audience"] == [audience]
        assert peer.asked[0].headers["Authorization"] == "Bearer t"

    @pytest.mark.parametrize("document", [b"", b"<html>", [], {}, {"value": 7}, {"value": ""}, b"[" * 100_000])
    def test_with_an_answer_of_github_that_is_none_says_so(
        self, peer: Peer, session: Transport, document: object
    ) -> None:
        peer.on("/idtoken", document)
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{peer.origin}/idtoken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
        with pytest.raises(GraphError, match="GitHub gave no identity token"):
            assertion(env, session, "https://login.microsoftonline.com")()

    def test_never_sends_the_request_token_in_the_clear(self, place: Place, tenant: Tenant) -> None:
        env = {**tenant.actions(SUBJECT), "ACTIONS_ID_TOKEN_REQUEST_URL": "http://localhost/idtoken"}
        with pytest.raises(SettingsError, match="ACTIONS_ID_TOKEN_REQUEST_URL"):
            source(place("federated"), env)

    @pytest.mark.parametrize(
        ("mint", "code"),
        [
            (lambda t: t.mint("repo:contoso/identity:pull_request"), 700213),
            (lambda t: t.mint(SUBJECT.upper()), 7002138),
            (lambda t: t.mint(SUBJECT, audience="api://other"), 700212),
            (lambda t: t.mint(SUBJECT, issuer="https://evil.test"), 700211),
            (lambda t: t.mint(SUBJECT, forged=True), 50013),
        ],
    )
    def test_that_does_not_match_names_what_to_correct(
        self, place: Place, tenant: Tenant, file: Path, mint: Callable[[Tenant], str], code: int
    ) -> None:
        token = mint(tenant)
        file.write_text(token)
        error = refusal(source(place("federated"), {"RECONCILE_ENTRA_TOKEN_FILE": str(file)}))
        assert f"AADSTS{code}" in error.what
        assert "federated credential" in error.remedy
        assert token not in str(error)

    def test_with_a_token_gone_stale_names_the_clock(self, place: Place, tenant: Tenant, file: Path) -> None:
        file.write_text(tenant.mint(SUBJECT, lifetime=timedelta(minutes=-10)))
        error = refusal(source(place("federated"), {"RECONCILE_ENTRA_TOKEN_FILE": str(file)}))
        assert "AADSTS700024" in error.what
        assert "clock" in error.remedy

    @pytest.mark.parametrize(
        ("content", "why"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "not a token")]
    )
    def test_with_an_unusable_file_says_so(self, place: Place, tmp_path: Path, content: bytes | None, why: str) -> None:
        if content is not None:
            write_pem(tmp_path / "token", content)
        found = source(place("federated"), {"RECONCILE_ENTRA_TOKEN_FILE": str(tmp_path / "token")})
        with pytest.raises(SettingsError, match=f"RECONCILE_ENTRA_TOKEN_FILE: .*token.*{why}"):
            guests(found)
