"""Signing in with a secret, and what every kind of credential has in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.demo.pki import Authority
from reconciler.demo.tenant import Tenant
from reconciler.errors import SettingsError
from reconciler.graph.connect import open_source
from reconciler.model.settings import Entra

from .places import CLIENT, SECRET, TENANT, Place, entra, guests, refusal, settings, source
from .scripted import Peer, write_pem


class TestASecret:
    def test_signs_in(self, place: Place) -> None:
        assert guests(source(place())) == ["alice@fabrikam.com"]

    def test_signs_in_once_for_many_reads(self, place: Place, tenant: Tenant) -> None:
        found = source(place())
        guests(found)
        guests(found)
        assert [r.path.rpartition("/")[2] for r in tenant.requests].count("token") == 1

    def test_signs_in_by_the_tenants_domain(self, place: Place, tenant: Tenant) -> None:
        assert guests(source(place(tenant=tenant.domain)))

    def test_that_is_wrong_is_named_by_its_code_and_never_shown(self, place: Place) -> None:
        error = refusal(source(place(), {"RECONCILE_ENTRA_SECRET": "wr0ng-secret"}))
        assert "AADSTS7000215" in error.what
        assert "trace id" in error.what
        assert "RECONCILE_ENTRA_SECRET" in error.remedy
        assert "wr0ng" not in str(error)

    def test_is_renewed_when_the_token_has_expired(self, place: Place, tenant: Tenant) -> None:
        found = source(place())
        guests(found)
        tenant.expire_access_tokens()
        assert guests(found) == ["alice@fabrikam.com"]

    def test_is_not_in_what_python_shows_of_the_source(self, place: Place) -> None:
        found = source(place())
        guests(found)
        assert SECRET not in repr(vars(found))

    def test_survives_a_sign_in_that_is_busy(self, place: Place, tenant: Tenant) -> None:
        tenant.faults.fail_sign_in(1, status=503)
        assert guests(source(place()))

    def test_goes_nowhere_before_the_first_read(self, place: Place, tenant: Tenant) -> None:
        source(place())
        assert tenant.requests == ()


class TestWhoIsAsked:
    def test_an_unknown_app(self, place: Place) -> None:
        error = refusal(source(place(client=TENANT)))
        assert "AADSTS700016" in error.what
        assert "entra.client_id" in error.remedy

    def test_an_unknown_tenant(self, place: Place) -> None:
        error = refusal(source(place(tenant=CLIENT)))
        assert CLIENT in error.what
        assert "AADSTS90002" in error.what
        assert "entra.tenant" in error.remedy

    def test_a_host_that_is_not_trusted(self, tmp_path: Path, tenant: Tenant) -> None:
        stranger = write_pem(tmp_path / "stranger.pem", Authority.create("Stranger").pem)
        error = refusal(source(entra(tenant.authority, str(stranger))))
        assert "not trusted" in error.what
        assert "entra.ca_file" in error.remedy
        assert tenant.requests == ()

    def test_a_ca_file_beside_the_settings(self, tenant: Tenant, tmp_path: Path) -> None:
        tenant.ca_file(tmp_path)
        where = settings(entra(tenant.authority, "tenant-ca.pem"), str(tmp_path))
        assert guests(open_source(where, {"RECONCILE_ENTRA_SECRET": SECRET}, print))

    @pytest.mark.parametrize("name", ["authority", "graph"])
    def test_nobody_without_tls(self, tenant: Tenant, name: str) -> None:
        parts = {"authority": tenant.authority, "graph": tenant.graph} | {name: "http://localhost/v1.0"}
        where = Entra(TENANT, CLIENT, "secret", parts["authority"], parts["graph"], None)
        with pytest.raises(SettingsError, match=f"entra.{name}"):
            source(where)


@pytest.mark.parametrize(
    ("credential", "variable"),
    [
        ("secret", "RECONCILE_ENTRA_SECRET"),
        ("certificate", "RECONCILE_ENTRA_CERTIFICATE"),
        ("federated", "RECONCILE_ENTRA_TOKEN_FILE"),
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(place: Place, credential: str, variable: str, value: str | None) -> None:
    env = {} if value is None else {variable: value}
    with pytest.raises(SettingsError, match=f"{credential}") as caught:
        source(place(credential), env)
    assert variable in caught.value.remedy


def test_an_unknown_kind_is_refused_with_the_known_ones(place: Place) -> None:
    with pytest.raises(SettingsError, match="password") as caught:
        source(place("password"))
    assert "device-code" in caught.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        {"access_token": "text", "expires_in": "soon"},
        {"access_token": "text", "expires_in": [1]},
        {"access_token": "te\r\nxt", "expires_in": 3600},
        {"access_token": "tëxt", "expires_in": 3600},
        {"access_token": "text", "expires_in": 3600, "client_info": "?"},
        {"access_token": "text", "expires_in": 3600, "id_token": "?"},
    ],
)
def test_an_answer_that_holds_no_token_is_refused(peer: Peer, answer: dict[str, object]) -> None:
    at = f"{peer.origin}/{TENANT}"
    peer.on("/", {})
    peer.on(f"/{TENANT}/v2.0/", {"issuer": at, "authorization_endpoint": f"{at}/a", "token_endpoint": f"{at}/token"})
    peer.on(f"/{TENANT}/token", {"token_type": "Bearer", **answer})
    error = refusal(source(entra(peer.origin, str(peer.ca))))
    assert "is no token" in error.what
    assert "entra.authority" in error.remedy
