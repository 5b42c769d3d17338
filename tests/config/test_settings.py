"""`reconcile.yaml`: what it gives, and how each mistake in it is told."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.config.check import load_schema
from reconciler.config.settings import PIN, ca_path, load_settings
from reconciler.errors import SettingsError
from reconciler.model.dn import DN
from reconciler.model.settings import Directory, Entra, Forge, RequiredCheck, Settings
from tests.config.schemas import undescribed

SHIPPED = (Path(__file__).parents[2] / "reconcile.yaml").read_text(encoding="utf-8")
SMALL = """\
apiVersion: reconcile/v1
kind: Settings
entra: {tenant: contoso.com, client_id: 11111111-2222-3333-4444-555555555555, credential: secret}
directory: {controllers: ["ldap://dc1:389"], base: "DC=contoso,DC=test", ous: ["OU=Guests,DC=contoso,DC=test"]}
forge: {repository: contoso/identity}
"""


def load(text: str, env: dict[str, str] | None = None) -> Settings:
    return load_settings(text.encode(), "reconcile.yaml", "/ops", env or {})


def test_given_only_what_is_required_the_rest_has_its_defaults() -> None:
    assert load(SMALL) == Settings(
        entra=Entra(
            tenant="contoso.com",
            client_id="11111111-2222-3333-4444-555555555555",
            credential="secret",
            authority="https://login.microsoftonline.com",
            graph="https://graph.microsoft.com/v1.0",
            ca_file=None,
        ),
        directory=Directory(
            controllers=("ldap://dc1:389",),
            base=DN("DC=contoso,DC=test"),
            ous=(DN("OU=Guests,DC=contoso,DC=test"),),
            bind="simple",
            ca_file=None,
        ),
        forge=Forge(
            kind="github",
            remote="origin",
            branch="main",
            url="https://api.github.com",
            repository="contoso/identity",
            approvals=1,
            checks=(RequiredCheck("reconcile/plan"),),
        ),
        lifetime=timedelta(hours=24),
        batch=5000,
        sha256=hashlib.sha256(SMALL.encode()).hexdigest(),
        root="/ops",
    )


def test_the_shipped_example_says_every_default_out_loud() -> None:
    shipped, small = load(SHIPPED), load(SMALL)

    assert shipped.forge == small.forge
    assert (shipped.lifetime, shipped.batch) == (small.lifetime, small.batch)
    assert (shipped.entra.authority, shipped.entra.graph) == (small.entra.authority, small.entra.graph)
    assert shipped.directory.bind == small.directory.bind


def test_every_field_says_everything_it_can() -> None:
    text = SMALL.replace("credential: secret", "credential: azure, authority: https://login.example/, ca_file: a.pem")
    text = text.replace(
        "forge: {",
        "plan: {lifetime: 30m, batch: 10}\n"
        "forge: {branch: prod/eu, require: {approvals: 2, checks: [lint, {name: scan, app: scanner}]}, ",
    )

    settings = load(text)

    assert settings.entra.authority == "https://login.example"
    assert (settings.lifetime, settings.batch) == (timedelta(minutes=30), 10)
    assert (settings.forge.kind, settings.forge.branch, settings.forge.approvals) == ("github", "prod/eu", 2)
    assert settings.forge.checks == (RequiredCheck("lint"), RequiredCheck("scan", "scanner"))


@pytest.mark.parametrize("require", ["", ", require: {approvals: 0, checks: []}"])
def test_with_plain_git_only_the_branch_counts(require: str) -> None:
    settings = load(SMALL.replace("forge: {repository: contoso/identity", f"forge: {{kind: git{require}"))

    assert (settings.forge.approvals, settings.forge.checks) == (0, ())


@pytest.mark.parametrize("asked", ["approvals: 1", "checks: [lint]"])
def test_with_plain_git_nothing_can_be_required_that_nobody_would_check(asked: str) -> None:
    with pytest.raises(SettingsError, match=r"`forge\.require` cannot be kept with `kind: git`.*own rules") as refused:
        load(SMALL.replace("forge: {repository: contoso/identity", f"forge: {{kind: git, require: {{{asked}}}"))
    assert ":6:" in str(refused.value) or ":5:" in str(refused.value)


def test_a_ca_file_is_found_from_the_operations_directory() -> None:
    settings = load(SMALL)

    assert ca_path(settings, None) is None
    assert ca_path(settings, "certs/ca.pem") == "/ops/certs/ca.pem"
    assert ca_path(settings, "/etc/ssl/ca.pem") == "/etc/ssl/ca.pem"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  tenant:",
            "  tennant:",
            (
                "reconcile.yaml:10:1: `entra` lacks `tenant`\n"
                "reconcile.yaml:11:3: `entra.tennant` is not known here; did you mean `tenant`?"
            ),
        ),
        (
            "tenant: contoso.onmicrosoft.com",
            "tenant: 5",
            "11:11: `entra.tenant` must be text, not a number (quote it if it is text)",
        ),
        (
            "tenant: contoso.onmicrosoft.com",
            "tenant: my company",
            "11:11: `entra.tenant` must be the tenant's GUID or one of its domains",
        ),
        ("client_id: 0", "client_id: x", "12:14: `entra.client_id` must be a GUID"),
        (
            "credential: federated",
            "credential: federatd",
            "13:15: `entra.credential` must be one of secret, certificate, federated, device-code, azure; did you mean `federated`?",
        ),
        (
            "https://login",
            "http://login",
            "14:14: `entra.authority` must be a URL that begins https:// and names a host",
        ),
        ("v1.0", "v1.0?x=y", "15:10: `entra.graph` must end after the path"),
        (
            "ldaps://dc1",
            "https://dc1",
            "19:17: `directory.controllers[0]` must be a URL that begins ldaps:// or ldap:// and names a host",
        ),
        (
            "dc1.contoso.test",
            "dc1.contoso.test:99999",
            "19:17: `directory.controllers[0]` must be a URL that begins ldaps:// or ldap:// and names a host",
        ),
        (
            "dc1.contoso.test",
            "dc1.contoso.test/DC=x",
            "19:17: `directory.controllers[0]` must end after the host and port",
        ),
        (
            "ldaps://dc1",
            "ldaps://svc:hunter2@dc1",
            "19:17: `directory.controllers[0]` must not carry a user or a password: they come from the environment",
        ),
        ('["ldaps://dc1.contoso.test"]', "[]", "19:16: `directory.controllers` must not be empty"),
        ("base: DC=contoso,DC=test", "base: contoso.test", "20:9: `directory.base` is not a distinguished name"),
        (
            "OU=Guests,DC=contoso",
            "OU=Guests,DC=fabrikam",
            "21:9: `directory.ous[0]` is not below `directory.base` (DC=contoso,DC=test)",
        ),
        (
            "OU=Guests,DC=contoso,DC=test",
            "dc=CONTOSO, dc=Test",
            "21:9: `directory.ous[0]` is the whole domain: name an organizational unit below it",
        ),
        ("bind: simple", "bind: ntlm", "22:9: `directory.bind` must be one of simple, gssapi"),
        ("kind: github", "kind: gitlab", "26:9: `forge.kind` must be one of github, git; did you mean `github`?"),
        ("  repository: contoso/identity\n", "", "25:1: `forge` lacks `repository` (owner/name), which github needs"),
        ("contoso/identity", "identity", "29:15: `forge.repository` must be written owner/name"),
        ("remote: origin", "remote: --upload-pack=x", "27:11: `forge.remote` must be the name of a git remote"),
        ("branch: main", "branch: a..b", "30:11: `forge.branch` must be the name of a branch"),
        (
            "approvals: 1",
            "approvals: 1.0",
            "31:24: `forge.require.approvals` must be a whole number, without a decimal point or exponent",
        ),
        ("approvals: 1", "approvals: one", "31:24: `forge.require.approvals` must be a whole number, not text"),
        ("lifetime: 24h", "lifetime: 1 day", "33:18: `plan.lifetime` must be a duration such as 30m, 24h or 7d"),
        ("batch: 5000", "batch: 0", "33:30: `plan.batch` must be at least 1"),
        ("kind: Settings", "kind: GuestPolicy", "8:7: `kind` must be `Settings`"),
        ("reconcile/v1", "reconcile/v2", "7:13: `apiVersion` must be `reconcile/v1`"),
    ],
)
def test_a_mistake_is_told_at_its_place_with_what_is_expected(old: str, new: str, said: str) -> None:
    assert old in SHIPPED

    with pytest.raises(SettingsError) as refused:
        load(SHIPPED.replace(old, new, 1))

    assert refused.value.what == (said if said.startswith("reconcile.yaml") else f"reconcile.yaml:{said}")
    assert refused.value.remedy == "Correct reconcile.yaml; `reconcile validate` checks it again."


@pytest.mark.parametrize(
    ("old", "key", "variable"),
    [
        ("credential: federated", "secret", "RECONCILE_ENTRA_SECRET"),
        ("credential: federated", "client_secret", "RECONCILE_ENTRA_SECRET"),
        ("credential: federated", "certificate", "RECONCILE_ENTRA_CERTIFICATE"),
        ("credential: federated", "token", "RECONCILE_ENTRA_TOKEN_FILE"),
        ("bind: simple", "password", "RECONCILE_LDAP_PASSWORD"),
        ("bind: simple", "user", "RECONCILE_LDAP_USER"),
        ("kind: github", "token", "RECONCILE_FORGE_TOKEN"),
    ],
)
def test_a_secret_is_refused_with_the_variable_it_belongs_in_and_is_never_repeated(
    old: str, key: str, variable: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(SHIPPED.replace(old, f"{old}\n  {key}: hunter2", 1))

    assert (
        f"`{key}` does not belong in a file that git keeps: set the environment variable {variable}"
        in refused.value.what
    )
    assert len(refused.value.what.splitlines()) == 1
    assert "hunter2" not in str(refused.value)


def test_a_value_where_a_credential_kind_belongs_is_not_repeated_either() -> None:
    with pytest.raises(SettingsError) as refused:
        load(SHIPPED.replace("credential: federated", "credential: hunter2"))

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda digest: f" {digest}\n"])
def test_pinned_settings_are_read_when_the_digest_is_theirs(spell: object) -> None:
    assert callable(spell)
    digest = hashlib.sha256(SMALL.encode()).hexdigest()

    assert load(SMALL, {PIN: spell(digest)}).sha256 == digest


def test_an_empty_pin_pins_nothing() -> None:
    assert load(SMALL, {PIN: ""}).batch == 5000


def test_settings_other_than_the_pinned_ones_are_not_even_parsed() -> None:
    with pytest.raises(SettingsError) as refused:
        load("not: [yaml", {PIN: "AB" * 32})

    assert refused.value.what == (
        "reconcile.yaml is not the one that RECONCILE_SETTINGS_SHA256 pins\n"
        f"pinned: {'ab' * 32}\n"
        f"found: {hashlib.sha256(b'not: [yaml').hexdigest()}"
    )
    assert "set RECONCILE_SETTINGS_SHA256 to the digest found" in refused.value.remedy


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(
            SMALL.replace("contoso/identity", "x").replace("secret}", "password}").replace("kind: Settings", "kind: x")
        )

    assert len(refused.value.what.splitlines()) == 3


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="the file must be a mapping, not empty"):
        load("")


def test_the_schema_is_one_and_explains_every_field() -> None:
    from jsonschema import Draft202012Validator

    schema = load_schema("reconciler.config", "settings.schema.json")

    Draft202012Validator.check_schema(dict(schema))
    assert undescribed(schema) == []
