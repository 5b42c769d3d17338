"""Signing in with msal: each credential Entra takes, and its refusals by their AADSTS codes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
import requests

from reconciler.demo.pki import Authority, Issued, Validity
from reconciler.demo.tenant import Tenant
from tests.tenant.conftest import CLIENT, SECRET, TENANT, Client

SUBJECT = "repo:contoso/identity:environment:plan"


@pytest.fixture(scope="module")
def certificate(pki: Authority) -> Issued:
    return pki.issue(["reconcile.contoso.test"])


def credential(certificate: Issued) -> dict[str, str]:
    return {"private_key": certificate.key_pem.decode(), "public_certificate": certificate.certificate_pem.decode()}


def codes(answer: dict[str, object]) -> tuple[object, object]:
    assert "access_token" not in answer
    return answer["error"], answer["error_codes"]


def post(client: Client, **form: str) -> requests.Response:
    url = f"{client.tenant.authority}/{TENANT}/oauth2/v2.0/token"
    return client.session.post(url, data=form, timeout=10)


def test_a_secret_signs_in_and_its_token_opens_graph(client: Client) -> None:
    answer = client.sign_in(SECRET)
    assert answer["token_type"] == "Bearer"
    assert client.get("/users", Authorization=f"Bearer {answer['access_token']}").status_code == 200


def test_a_wrong_secret_is_refused_without_being_repeated(client: Client) -> None:
    answer = client.sign_in("a wrong secret")
    assert codes(answer) == ("invalid_client", [7000215])
    assert str(answer["error_description"]).startswith("AADSTS7000215: ")
    assert "a wrong secret" not in str(answer)
    assert SECRET not in str(answer)


def test_errors_have_entras_shape_and_status(client: Client) -> None:
    scope = "https://graph.microsoft.com/.default"
    answer = post(client, grant_type="client_credentials", client_id=CLIENT, client_secret="no", scope=scope)
    assert answer.status_code == 401
    wanted = {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"}
    assert set(answer.json()) == wanted


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"client_id": CLIENT}, 400, "invalid_request", 900144),
        ({"grant_type": "client_credentials"}, 400, "invalid_request", 900144),
        ({"grant_type": "password", "client_id": CLIENT}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": "client_credentials", "client_id": "other"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "client_credentials", "client_id": CLIENT}, 401, "invalid_client", 7000218),
        (
            {
                "grant_type": "client_credentials",
                "client_id": CLIENT,
                "client_secret": SECRET,
                "scope": "User.Read.All",
            },
            400,
            "invalid_scope",
            1002012,
        ),
        (
            {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": "x/.default"},
            400,
            "invalid_resource",
            500011,
        ),
        ({"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": "x"}, 400, "invalid_grant", 50173),
    ],
)
def test_malformed_requests_are_refused(
    client: Client, form: dict[str, str], status: int, error: str, code: int
) -> None:
    answer = post(client, **form)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (status, error, [code])


def test_the_graph_of_this_very_tenant_is_a_resource_too(client: Client) -> None:
    application = client.application(SECRET)
    assert "access_token" in application.acquire_token_for_client([f"{client.tenant.url}/.default"])


def test_another_tenants_name_is_not_found(client: Client) -> None:
    url = f"{client.tenant.authority}/nobody.onmicrosoft.com/v2.0/.well-known/openid-configuration"
    answer = client.session.get(url, timeout=10)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_a_registered_certificate_signs_in(client: Client, tenant: Tenant, certificate: Issued) -> None:
    tenant.register_certificate(certificate.certificate_pem)
    assert "access_token" in client.sign_in(credential(certificate))


def test_a_certificate_named_by_its_sha1_thumbprint_signs_in(
    client: Client, tenant: Tenant, certificate: Issued
) -> None:
    tenant.register_certificate(certificate.certificate_pem)
    named = {"private_key": certificate.key_pem.decode(), "thumbprint": certificate.thumbprint()}
    assert "access_token" in client.sign_in(named)


def test_a_certificate_that_is_not_registered_is_refused(client: Client, certificate: Issued) -> None:
    assert codes(client.sign_in(credential(certificate))) == ("invalid_client", [700027])


def test_another_key_under_a_registered_thumbprint_is_refused(
    client: Client, tenant: Tenant, pki: Authority, certificate: Issued
) -> None:
    tenant.register_certificate(certificate.certificate_pem)
    other = pki.issue(["other.test"])
    forged = {"private_key": other.key_pem.decode(), "thumbprint": certificate.thumbprint()}
    assert codes(client.sign_in(forged)) == ("invalid_client", [700027])


def test_an_expired_certificate_is_refused(client: Client, tenant: Tenant, pki: Authority) -> None:
    old = pki.issue(["old.test"], Validity.around(datetime.now(UTC) - timedelta(days=365)))
    tenant.register_certificate(old.certificate_pem)
    assert codes(client.sign_in(credential(old))) == ("invalid_client", [700027])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"aud": "https://login.microsoftonline.com/other/oauth2/v2.0/token"}, 700023),
        ({"iss": "another-application"}, 700021),
        ({"sub": "another-application"}, 700021),
        ({"exp": 1_700_000_000}, 700024),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_600}, 700024),
        ({"exp": None}, 50027),
    ],
)
def test_a_certificates_assertion_is_for_here_and_now_and_this_application(
    client: Client, tenant: Tenant, certificate: Issued, change: dict[str, object], code: int | None
) -> None:
    tenant.register_certificate(certificate.certificate_pem)
    claims = {
        "aud": f"{tenant.authority}/{TENANT}/oauth2/v2.0/token",
        "iss": CLIENT,
        "sub": CLIENT,
        "exp": 4_000_000_000,
        **change,
    }
    thumbprint = base64.urlsafe_b64encode(bytes.fromhex(certificate.thumbprint("sha256"))).decode()
    claims = {k: v for k, v in claims.items() if v is not None}
    assertion = jwt.encode(claims, certificate.key_pem, "RS256", headers={"x5t#S256": thumbprint})
    answer = post(
        client,
        grant_type="client_credentials",
        client_id=CLIENT,
        scope="https://graph.microsoft.com/.default",
        client_assertion=assertion,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ).json()
    assert answer.get("error_codes") == (None if code is None else [code])
    assert ("access_token" in answer) is (code is None)


def test_a_federated_assertion_signs_in(client: Client, tenant: Tenant) -> None:
    tenant.federate(SUBJECT)
    assert "access_token" in client.sign_in({"client_assertion": lambda: tenant.mint(SUBJECT)})


@pytest.mark.parametrize(
    ("mint", "code"),
    [
        (lambda t: t.mint("repo:contoso/identity:pull_request"), 700213),
        (lambda t: t.mint("repo:Contoso/identity:environment:plan"), 7002138),
        (lambda t: t.mint(SUBJECT, issuer="https://evil.test"), 700211),
        (lambda t: t.mint(SUBJECT, audience="sts.amazonaws.com"), 700212),
        (lambda t: t.mint(SUBJECT, forged=True), 50013),
        (lambda t: t.mint(SUBJECT, lifetime=timedelta(minutes=-1)), 700024),
        (lambda _t: "not.a.token", 50027),
    ],
)
def test_a_federated_assertion_that_does_not_match_is_refused(
    client: Client, tenant: Tenant, mint: Callable[[Tenant], str], code: int
) -> None:
    tenant.federate(SUBJECT)
    assert codes(client.sign_in({"client_assertion": lambda: mint(tenant)})) == ("invalid_client", [code])


def test_a_github_job_fetches_its_assertion_and_signs_in(client: Client, tenant: Tenant) -> None:
    tenant.federate(SUBJECT)
    job = tenant.actions(SUBJECT)
    answer = client.session.get(
        job["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=api://AzureADTokenExchange",
        headers={"Authorization": f"Bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
        timeout=10,
    )
    assert "access_token" in client.sign_in({"client_assertion": lambda: answer.json()["value"]})


def test_a_github_job_needs_its_request_token(client: Client, tenant: Tenant) -> None:
    url = tenant.actions(SUBJECT)["ACTIONS_ID_TOKEN_REQUEST_URL"]
    assert client.session.get(url, headers={"Authorization": "Bearer x"}, timeout=10).status_code == 401


class TestDeviceCode:
    @pytest.fixture
    def application(self, client: Client) -> msal.PublicClientApplication:
        client.tenant.set_device_interval(1)
        authority = f"{client.tenant.authority}/{TENANT}"
        return msal.PublicClientApplication(
            CLIENT, authority=authority, instance_discovery=False, http_client=client.session
        )

    @pytest.fixture
    def flow(self, application: msal.PublicClientApplication) -> dict[str, Any]:
        return dict(application.initiate_device_flow(["https://graph.microsoft.com/User.Read.All"]))

    @staticmethod
    def once(application: msal.PublicClientApplication, flow: dict[str, Any]) -> dict[str, Any]:
        """Ask one time only, whatever the answer."""
        return dict(application.acquire_token_by_device_flow(flow, exit_condition=lambda _flow: True))

    def test_it_is_pending_until_its_person_signs_in(
        self, client: Client, application: msal.PublicClientApplication, flow: dict[str, Any]
    ) -> None:
        assert flow["user_code"] in flow["message"]
        assert codes(self.once(application, flow)) == ("authorization_pending", [70016])
        client.tenant.approve(flow["user_code"])
        answer = self.once(application, flow)
        assert answer["id_token_claims"]["tid"] == TENANT
        assert client.get("/users", Authorization=f"Bearer {answer['access_token']}").status_code == 200

    def test_a_signed_in_person_stays_so_by_the_refresh_token(
        self, client: Client, application: msal.PublicClientApplication, flow: dict[str, Any]
    ) -> None:
        client.tenant.approve()
        first = self.once(application, flow)
        (account,) = application.get_accounts()
        scopes = ["https://graph.microsoft.com/User.Read.All"]
        again = application.acquire_token_silent(scopes, account, force_refresh=True)
        assert again is not None
        assert again["access_token"] != first["access_token"]

    def test_it_can_be_declined(
        self, client: Client, application: msal.PublicClientApplication, flow: dict[str, Any]
    ) -> None:
        client.tenant.deny()
        assert codes(self.once(application, flow)) == ("authorization_declined", [70042])

    def test_a_code_is_good_once(
        self, client: Client, application: msal.PublicClientApplication, flow: dict[str, Any]
    ) -> None:
        client.tenant.approve()
        assert "access_token" in self.once(application, dict(flow))
        assert codes(self.once(application, dict(flow))) == ("bad_verification_code", [70019])

    def test_nothing_pending_cannot_be_approved(self, tenant: Tenant) -> None:
        with pytest.raises(KeyError):
            tenant.approve()


def test_a_device_code_expires_after_fifteen_minutes(pki: Authority, tmp_path: Path) -> None:
    now = [datetime.now(UTC)]
    with Tenant(TENANT, CLIENT, secret=SECRET, pki=pki, wall=lambda: now[0]) as tenant:
        client = Client(tenant, tenant.ca_file(tmp_path))
        with client.session:
            url = f"{tenant.authority}/{TENANT}/oauth2/v2.0/devicecode"
            flow = client.session.post(url, data={"client_id": CLIENT, "scope": "openid"}, timeout=10).json()
            now[0] += timedelta(minutes=15)
            grant = "urn:ietf:params:oauth:grant-type:device_code"
            answer = post(client, grant_type=grant, client_id=CLIENT, device_code=flow["device_code"])
            assert answer.json()["error"] == "expired_token"


def test_a_sign_in_that_fails_for_a_while_can_be_tried_again(client: Client, tenant: Tenant) -> None:
    tenant.faults.fail_sign_in(1)
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
    scope = "https://graph.microsoft.com/.default"
    assert [post(client, **form, scope=scope).status_code for _ in range(2)] == [503, 200]


def test_discovery_names_this_host_alone(client: Client, tenant: Tenant) -> None:
    answer = client.session.get(f"{tenant.url}/common/discovery/instance", timeout=10).json()
    host = tenant.url.removeprefix("https://")
    assert answer["metadata"] == [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    assert answer["tenant_discovery_endpoint"].startswith(tenant.url)


def test_the_published_keys_verify_an_id_token(client: Client, tenant: Tenant) -> None:
    url = f"{tenant.authority}/{TENANT}/discovery/v2.0/keys"
    keys = client.session.get(url, timeout=10).json()
    app = msal.PublicClientApplication(
        CLIENT, authority=f"{tenant.authority}/{TENANT}", instance_discovery=False, http_client=client.session
    )
    tenant.set_device_interval(1)
    flow = app.initiate_device_flow(["https://graph.microsoft.com/User.Read.All"])
    tenant.approve(flow["user_code"])
    token = app.acquire_token_by_device_flow(flow)["id_token"]
    key = jwt.PyJWKSet.from_dict(keys).keys[0]
    assert jwt.decode(token, key, algorithms=["RS256"], audience=CLIENT)["tid"] == TENANT
