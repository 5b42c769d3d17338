"""What is read of a real domain, and the commands of the checks run on it: what failed then passes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.demo.pki import Authority, Validity
from reconciler.demo.samba import Controller, Login
from reconciler.directory.ldap.delegation import Delegation
from reconciler.directory.ldap.root import naming
from reconciler.doctor import controllers, domain, entra, look_controllers, look_domain, look_entra, signin
from reconciler.doctor.domain import DomainSeen
from reconciler.doctor.examine import Asked, Installation, examine
from reconciler.doctor.finding import Finding, Unknown, Verdict
from reconciler.doctor.look_signin import WhoSignsIn
from reconciler.doctor.rights import look as look_rights
from reconciler.model.dn import DN
from reconciler.model.settings import Settings
from tests.policy.policies import DEFAULT, edited, load
from tests.support.samba import Accounts, samba_env, samba_settings

from .delegated import session
from .test_rights import run

POLICY = load(DEFAULT)
NOW = datetime.now(UTC)
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


def seen(samba: Controller, login: Login) -> DomainSeen:
    with session(samba, login) as mine:
        at = naming(mine)
        names = look_rights.names(mine, at)
        return look_domain.look(mine, at, [DN(f"OU=Nowhere,{samba.base}")], names.attributes)


def judged(samba: Controller, login: Login, text: str = DEFAULT) -> dict[str, Finding]:
    policy, upns = load(text), frozenset({"a@b.test"})
    return {f.check.id.partition(".")[2]: f for f in domain.judge(seen(samba, login), policy, upns)}


@pytest.fixture
def put_back(samba: Controller) -> Iterator[None]:
    """Other tests have this domain, too."""
    yield
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{samba.base}"
    with samba.administrator() as administrator:
        administrator.replace(service, "tombstoneLifetime", ["180"])
        administrator.replace(samba.base, "ms-DS-MachineAccountQuota", ["10"])
        administrator.replace(f"CN=Partitions,CN=Configuration,{samba.base}", "uPNSuffixes", [])
        administrator.replace(f"CN=Admin-Description,CN=Schema,CN=Configuration,{samba.base}", "searchFlags", ["0"])
    samba.samba_tool("domain", "passwordsettings", "set", "--min-pwd-length=7")


@pytest.mark.usefixtures("put_back")
def test_the_domain_is_read_and_the_commands_mend_it(samba: Controller, samba_accounts: Accounts) -> None:
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{samba.base}"
    with samba.administrator() as administrator:
        administrator.replace(service, "tombstoneLifetime", ["20"])
        administrator.replace(f"CN=Partitions,CN=Configuration,{samba.base}", "uPNSuffixes", ["b.test"])
    samba.samba_tool("domain", "passwordsettings", "set", "--min-pwd-length=14")
    found = judged(samba, samba_accounts.reader)
    assert found["ous"].seen == (f"missing, or not visible: OU=Nowhere,{samba.base}",)
    assert found["tombstone-lifetime"].verdict is FAIL
    assert "20 days" in found["tombstone-lifetime"].seen[0]
    assert "14 characters" in found["password-policy"].seen[0]
    assert found["upn-suffixes"].seen == ("in use: 1, all registered in the forest",)
    assert found["machine-account-quota"].verdict is FAIL
    assert found["anchor"].verdict is FAIL
    assert found["attributes"].verdict is PASS
    for name in ("ous", "tombstone-lifetime", "machine-account-quota", "anchor"):
        run(found[name].steps.samba, samba)
    again = judged(samba, samba_accounts.reader)
    assert {n: again[n].verdict for n in found if again[n].verdict is not PASS} == {"password-settings": UNKNOWN}
    with samba.administrator() as administrator:
        administrator.delete(f"OU=Nowhere,{samba.base}")


def test_fine_grained_policies_are_seen_by_administrators_alone(samba: Controller, samba_accounts: Accounts) -> None:
    samba.samba_tool("domain", "passwordsettings", "pso", "create", "strict", "1", "--min-pwd-length=20")
    short = edited(("{random: 64}", "{random: 16}"))
    finer = judged(samba, samba_accounts.administrator, short)["password-settings"]
    assert finer.verdict is FAIL
    assert "CN=strict" in finer.seen[0]
    assert judged(samba, samba_accounts.reader, short)["password-settings"].verdict is UNKNOWN
    samba.samba_tool("domain", "passwordsettings", "pso", "delete", "strict")


def test_commands_name_the_domain_as_its_netbios_name_is(
    samba: Controller, samba_accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(samba, samba_accounts.reader) as mine:
        assert look_rights.netbios(mine, naming(mine)) == "CONTOSO"
    # Samba signs nobody in while its own name is another in the directory alone.
    monkeypatch.setattr(look_rights, "netbios", lambda *_: "NORDWIND")
    what = Installation(samba_settings(samba), POLICY, None, samba_env(samba_accounts.reader), None, print, lambda: NOW)
    found = {f.check.id: f for f in examine(what, Asked("writer")).findings}
    [grant, *_] = found["rights.writer-restore"].steps.powershell
    assert grant == f"dsacls '{samba.base}' /G 'NORDWIND\\reader:CA;Reanimate Tombstones'"


# --- the way to the controllers, and to Entra ID


def looked(samba: Controller, login: Login, **directory: object) -> dict[str, Finding]:
    settings = samba_settings(samba, **directory)  # type: ignore[arg-type]
    found, at = look_controllers.look(settings, samba_env(login), None, lambda: datetime.now(UTC))
    if at is not None:
        at.session.close()
    return {f.check.id.partition(".")[2]: f for f in controllers.judge(found, samba.base, NOW)}


def test_a_controller_over_starttls_is_examined_like_one_over_ldaps(
    samba: Controller, samba_accounts: Accounts
) -> None:
    for url in (samba.url, samba.url.replace("ldaps:", "ldap:")):
        found = looked(samba, samba_accounts.reader, controllers=(url,))
        assert {n for n, f in found.items() if f.verdict is PASS} - {"certificate"} == {
            *("reach", "tls", "sign-in", "domain", "clock", "signing")
        }


def test_another_domain_and_a_bad_file_of_authorities_are_told(
    samba: Controller, samba_accounts: Accounts, tmp_path: Path
) -> None:
    found, at = look_controllers.look(
        samba_settings(samba), samba_env(samba_accounts.reader), None, lambda: datetime.now(UTC) + timedelta(minutes=9)
    )
    assert at is not None
    at.session.close()
    judged_ = {f.check.id.partition(".")[2]: f for f in controllers.judge(found, "DC=other,DC=test", NOW)}
    assert judged_["domain"].verdict is FAIL
    assert judged_["clock"].verdict is FAIL
    assert "540 s ahead" in judged_["clock"].seen[0]
    (tmp_path / "empty.pem").write_text("")
    broken = looked(samba, samba_accounts.reader, ca_file=str(tmp_path / "empty.pem"))
    assert broken["tls"].verdict is FAIL
    assert "ca_file" in broken["tls"].seen[0]


@pytest.mark.parametrize(("mode", "inside"), [(0o600, False), (0o644, False), (0o600, True)])
def test_the_apps_key_is_read_with_its_end_and_who_may_read_it(
    mode: int, inside: bool, tmp_path: Path, samba: Controller
) -> None:
    issued = Authority.create("Root").issue(["reconcile"], Validity.around())
    repository = tmp_path / "identity"
    repository.mkdir()
    file = (repository if inside else tmp_path) / "reconcile.pem"
    file.write_bytes(issued.key_pem + issued.certificate_pem)
    file.chmod(mode)
    settings = root_at(samba_settings(samba), repository)
    found = look_entra.key(settings, {"RECONCILE_ENTRA_CERTIFICATE": str(file)})
    assert isinstance(found, entra.Key)
    assert (found.others, found.inside) == (mode == 0o644, inside)
    assert timedelta(days=29) < found.expires - NOW < timedelta(days=31)
    file.write_text("none")
    assert isinstance(look_entra.key(settings, {"RECONCILE_ENTRA_CERTIFICATE": str(file)}), Unknown)
    assert isinstance(look_entra.key(settings, {}), Unknown)


def root_at(settings: Settings, root: Path) -> Settings:
    return replace(settings, root=str(root))


# --- delegation


def test_a_connector_without_rights_is_named_and_the_commands_give_them(
    samba: Controller, samba_accounts: Accounts
) -> None:
    name, app = f"c{os.urandom(4).hex()}", f"a{os.urandom(4).hex()}"
    spn = f"HTTP/{app}.contoso.test"
    for account in (name, app):
        samba.reader(account)

    def found() -> dict[str, Finding]:
        with session(samba, samba_accounts.reader) as mine:
            around = WhoSignsIn(Delegation(mine, lambda: mine)).around(spn, name)
        facts = signin.SignInSeen([(samba.url, "reached")], (), around, name)
        return {f.check.id.partition(".")[2]: f for f in signin.judge(facts, NOW)}

    first = found()
    assert first["service"].verdict is FAIL
    said = " ".join(first["connector"].seen)
    for words in ("no service principal name", "msDS-AllowedToDelegateTo", "TRUSTED_TO_AUTH_FOR_DELEGATION"):
        assert words in said
    samba.samba_tool("spn", "add", spn, app)
    run(first["connector"].steps.samba, samba)
    assert {n: f.verdict for n, f in found().items() if n in ("service", "connector")} == {
        "service": PASS,
        "connector": PASS,
    }
