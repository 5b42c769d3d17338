"""Signing in with each kind of credential, against a tenant that checks them as Entra does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate

from reconciler.demo.pki import Authority, Files, Issued, Validity
from reconciler.demo.tenant import Tenant
from reconciler.errors import GraphError, SettingsError
from reconciler.graph.connect import open_source
from reconciler.graph.federated import assertion
from reconciler.graph.port import GuestSource
from reconciler.graph.transport import Transport
from reconciler.model.settings import Entra

from .places import CLIENT, SECRET, TENANT, entra, settings, source
from .scripted import Peer, write_pem

SUBJECT = "repo:contoso/identity:environment:plan"
PASSWORD = "correct horse"
Place = Callable[..., Entra]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Sign-in tests")


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue(["reconcile"])


@pytest.fixture
def tenant(authority: Authority) -> Iterator[Tenant]:
    with Tenant(TENANT, CLIENT, [{"mail": "alice@fabrikam.com"}], secret=SECRET, pki=authority) as running:
        running.set_device_interval(1)
        yield running


@pytest.fixture
def place(tenant: Tenant, tmp_path: Path) -> Place:
    ca_file = str(tenant.ca_file(tmp_path))
    return lambda credential="secret", **other: entra(tenant.authority, ca_file, credential, **other)


def guests(found: GuestSource) -> list[object]:
    users = found.round(("mail", "userType"), None).users.values()
    return [each.get("mail") for each in users if each.get("userType") == "Guest"]


def refusal(found: GuestSource) -> GraphError:
    with pytest.raises(GraphError) as caught:
        guests(found)
    return caught.value


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


def pem(issued: Issued, password: str | None = None) -> bytes:
    key = serialization.load_pem_private_key(issued.key_pem, None)
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


def pfx(issued: Issued, password: str | None) -> bytes:
    key = serialization.load_pem_private_key(issued.key_pem, None)
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    certificate = load_pem_x509_certificate(issued.certificate_pem)
    return pkcs12.serialize_key_and_certificates(b"reconcile", key, certificate, None, sealed)  # type: ignore[arg-type]


class TestACertificate:
    @pytest.fixture
    def use(self, tenant: Tenant, issued: Issued, place: Place, tmp_path: Path) -> Callable[..., GuestSource]:
        tenant.register_certificate(issued.certificate_pem)

        def use(content: bytes, password: str | None = None) -> GuestSource:
            env = {"RECONCILE_ENTRA_CERTIFICATE": str(write_pem(tmp_path / "app", content))}
            return source(
                place("certificate"), env | ({"RECONCILE_ENTRA_CERTIFICATE_PASSWORD": password} if password else {})
            )

        return use

    @pytest.mark.parametrize(
        ("content", "password"),
        [
            (lambda i, _root: i.key_pem + i.certificate_pem, None),
            (lambda i, _root: i.certificate_pem + i.key_pem, None),
            (lambda i, root: root + i.certificate_pem + i.key_pem, None),
            (lambda i, _root: i.key_pem + i.certificate_pem, "not needed"),
            (lambda i, _root: pem(i, PASSWORD) + i.certificate_pem, PASSWORD),
            (lambda i, _root: pfx(i, PASSWORD), PASSWORD),
            (lambda i, _root: pfx(i, None), None),
        ],
        ids=["key first", "certificate first", "chain", "superfluous password", "encrypted PEM", "PFX", "open PFX"],
    )
    def test_signs_in(
        self,
        use: Callable[..., GuestSource],
        issued: Issued,
        authority: Authority,
        content: Callable[[Issued, bytes], bytes],
        password: str | None,
    ) -> None:
        assert guests(use(content(issued, authority.pem), password)) == ["alice@fabrikam.com"]

    @pytest.mark.parametrize(
        ("content", "password", "why"),
        [
            (lambda _i: b"", None, "no usable private key"),
            (lambda _i: b"\x30\x82garbage", None, "no usable private key"),
            (lambda i: i.certificate_pem, None, "no usable private key"),
            (lambda i: i.key_pem, None, "no usable certificate"),
            (
                lambda i: i.key_pem + Authority.create("x").issue(["x"]).certificate_pem,
                None,
                "belongs to its private key",
            ),
            (lambda i: pem(i, PASSWORD) + i.certificate_pem, None, "is encrypted"),
            (lambda i: pem(i, PASSWORD) + i.certificate_pem, "wr0ng", "no usable private key"),
            (lambda i: pfx(i, PASSWORD), "wr0ng", "no usable private key"),
            (lambda i: pfx(i, PASSWORD), None, "no usable private key"),
        ],
    )
    def test_that_cannot_be_used_is_refused_before_anything_is_sent(
        self,
        use: Callable[..., GuestSource],
        tenant: Tenant,
        issued: Issued,
        content: Callable[[Issued], bytes],
        password: str | None,
        why: str,
    ) -> None:
        with pytest.raises(SettingsError, match=why) as caught:
            use(content(issued), password)
        assert "RECONCILE_ENTRA_CERTIFICATE" in caught.value.remedy
        assert "wr0ng" not in str(caught.value)
        assert tenant.requests == ()

    def test_that_is_not_there_is_refused_with_its_path(self, place: Place, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"nowhere\.pem cannot be read: No such file"):
            source(place("certificate"), {"RECONCILE_ENTRA_CERTIFICATE": str(tmp_path / "nowhere.pem")})

    def test_that_the_app_does_not_know_is_named_by_its_code(
        self, use: Callable[..., GuestSource], authority: Authority
    ) -> None:
        other = authority.issue(["other"])
        error = refusal(use(other.key_pem + other.certificate_pem))
        assert "AADSTS700027" in error.what
        assert "RECONCILE_ENTRA_CERTIFICATE" in error.remedy

    def test_that_has_expired_is_named_by_its_code(
        self, use: Callable[..., GuestSource], authority: Authority, tenant: Tenant
    ) -> None:
        past = datetime.now(UTC) - timedelta(days=60)
        other = authority.issue(["other"], Validity.around(past))
        tenant.register_certificate(other.certificate_pem)
        assert "expired" in refusal(use(other.key_pem + other.certificate_pem)).what


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


class TestADeviceCode:
    def say(self, said: list[str], decide: Callable[[str], None]) -> Callable[[str], None]:
        def say(line: str) -> None:
            said.append(line)
            decide(line.rpartition(" ")[2])

        return say

    def test_signs_a_person_in_who_is_told_where_and_what(self, place: Place, tenant: Tenant) -> None:
        said: list[str] = []
        found = open_source(settings(place("device-code")), {}, self.say(said, tenant.approve))
        assert guests(found) == ["alice@fabrikam.com"]
        assert len(said) == 1
        assert tenant.authority in said[0]

    def test_asks_the_person_once_even_when_the_token_is_renewed(self, place: Place, tenant: Tenant) -> None:
        said: list[str] = []
        found = open_source(settings(place("device-code")), {}, self.say(said, tenant.approve))
        guests(found)
        tenant.expire_access_tokens()
        assert guests(found)
        assert len(said) == 1

    def test_that_is_declined_says_so(self, place: Place, tenant: Tenant) -> None:
        error = refusal(open_source(settings(place("device-code")), {}, self.say([], tenant.deny)))
        assert "declined" in error.what
        assert "AADSTS70042" in error.what

    def test_for_an_unknown_app_says_so(self, place: Place) -> None:
        error = refusal(open_source(settings(place("device-code", client=TENANT)), {}, print))
        assert "AADSTS700016" in error.what

    def test_is_refused_where_the_page_or_the_code_could_trick_a_terminal(self, peer: Peer, tls: Files) -> None:
        tenant = f"{peer.origin}/{TENANT}"
        endpoints = dict.fromkeys(("authorization_endpoint", "token_endpoint"), f"{tenant}/x")
        peer.on(
            f"/{TENANT}/v2.0/", {"issuer": tenant, "device_authorization_endpoint": f"{tenant}/device", **endpoints}
        )
        flow = {"device_code": "d", "expires_in": 900, "interval": 0}
        said: list[str] = []
        for page, code in (("https://a\x1b[2J", "ABC"), ("http://a.test", "ABC"), ("https://a.test", "A\x1b[2J")):
            peer.on(f"/{TENANT}/device", {**flow, "verification_uri": page, "user_code": code})
            assert (
                "describes no device-code sign-in"
                in refusal(source(entra(peer.origin, str(tls.ca), "device-code"), {}, said)).what
            )
        assert said == []

    @pytest.mark.parametrize("endpoint", [None, "http://localhost/device"])
    def test_goes_nowhere_where_the_host_offers_none_over_tls(
        self, peer: Peer, tls: Files, endpoint: str | None
    ) -> None:
        tenant = f"{peer.origin}/{TENANT}"
        endpoints = dict.fromkeys(("authorization_endpoint", "token_endpoint"), f"{tenant}/x")
        peer.on(f"/{TENANT}/v2.0/", {"issuer": tenant, "device_authorization_endpoint": endpoint, **endpoints})
        refusal(source(entra(peer.origin, str(tls.ca), "device-code"), {}))
        assert len(peer.asked) == 1
