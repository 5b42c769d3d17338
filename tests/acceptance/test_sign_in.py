"""Guests straight from the default policy sign in to a Kerberos application, each under their own name."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.docs.pages import fences
from tests.docs.transcript import steps
from tests.support.apache import SEEN
from tests.support.operations import Operations, installation
from tests.support.samba import fresh_ou
from tests.support.single_sign_on import SingleSignOn, single_sign_on

from .expected import held

pytestmark = [pytest.mark.samba, pytest.mark.xdist_group("sign-in")]


@pytest.fixture(scope="module")
def sso(samba: Controller) -> Iterator[SingleSignOn]:
    with single_sign_on(samba) as made:
        yield made


@pytest.fixture(scope="module")
def crowd(samba: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Operations, DN]]:
    ou = fresh_ou(samba)
    with installation(tmp_path_factory.mktemp("crowd"), samba, ou, 200) as ops:
        assert ops.loop() == {"done": 200}
        ops.reconcile("snapshot")
        yield ops, ou


def names(sso: SingleSignOn, guest: str, upn: str) -> tuple[str, str]:
    """The two names a ticket may carry: the one asked for, as MIT's library writes it, and the account's own."""
    escaped = upn.replace("@", "\\@")
    return f"{escaped}@{sso.samba.realm}", f"{guest[:20]}@{sso.samba.realm}"


def test_two_hundred_guests_of_the_default_policy_are_let_in_each_under_their_own_name(
    sso: SingleSignOn, crowd: tuple[Operations, DN]
) -> None:
    ops, _ = crowd
    done = sso.verify(ops, "--all", "--http", sso.site.https, "--http-user", SEEN, "--json")
    said = done.json
    assert said["passed"]
    assert said["summary"] == {"wanted": 200, "tried": 200, "let_in": 200, "by_cause": {}}
    upns = {user.id: str(user.properties["userPrincipalName"]) for user in ops.tenant.guests()}
    assert len(upns) == 200
    for guest in said["guests"]:
        assert guest["page"] == {"status": 200, "proven": True, "user": guest["page"]["user"]}
        assert guest["page"]["user"] in names(sso, guest["guest"], upns[guest["guest"]])
        assert guest["seen_as"] in names(sso, guest["guest"], upns[guest["guest"]])
    assert len({guest["page"]["user"] for guest in said["guests"]}) == 200


def test_one_guest_is_let_in_and_the_service_is_told_by_name(sso: SingleSignOn, crowd: tuple[Operations, DN]) -> None:
    ops, _ = crowd
    user = ops.tenant.guests()[0]
    done = sso.verify(ops, str(user.properties["userPrincipalName"]), "--http", sso.site.http, "--http-user", SEEN)
    for words in ("a ticket in the guest's name (S4U2Self)", "a ticket for the service (S4U2Proxy)", "status 200"):
        assert words in done.out
    assert "The service sees" in done.out
    assert user.id[:20] in done.out


@pytest.mark.parametrize("mechanism", ["cache", "ticket"])
def test_somebody_elses_tickets_in_the_default_cache_are_never_used(
    sso: SingleSignOn, crowd: tuple[Operations, DN], mechanism: str
) -> None:
    ops, _ = crowd
    user = ops.tenant.guests()[1]
    cache = f"FILE:{sso.samba.root}/etc/mallory-{mechanism}"
    mallory = sso.account(f"m-{mechanism}-{sso.name}", f"mallory/{mechanism}-{sso.name}")
    env = {"KRB5_CONFIG": str(sso.samba.krb5_conf), "KRB5CCNAME": cache, "PATH": "/usr/bin:/bin"}
    subprocess.run(["kinit", "-f", "-k", "-t", str(mallory), f"m-{mechanism}-{sso.name}"], env=env, check=True)
    if mechanism == "ticket":  # even one for the very application
        subprocess.run(["kvno", sso.spn], env=env, check=True, capture_output=True)
    said = sso.verify(
        ops,
        user.id,
        "--http",
        sso.site.http,
        "--http-user",
        SEEN,
        "--json",
        KRB5CCNAME=cache,
        KRB5_CLIENT_KTNAME=str(mallory),
    ).json
    (guest,) = said["guests"]
    assert guest["page"]["user"] in names(sso, user.id, str(user.properties["userPrincipalName"]))
    assert "m-" + mechanism not in said["connector"]["principal"]


def test_the_connectors_cache_does_as_well_as_its_keytab_and_stays_as_it_was(
    sso: SingleSignOn, crowd: tuple[Operations, DN]
) -> None:
    ops, _ = crowd
    file = sso.samba.root / "etc/connectors"
    env = {"KRB5_CONFIG": str(sso.samba.krb5_conf), "KRB5CCNAME": f"FILE:{file}", "PATH": "/usr/bin:/bin"}
    subprocess.run(["kinit", "-f", "-k", "-t", str(sso.keytab), sso.connector], env=env, check=True)
    before = file.read_bytes()
    said = sso.verify(ops, ops.tenant.guests()[2].id, "--cache", str(file), "--http", sso.site.http, "--json").json
    assert said["passed"]
    assert said["connector"]["principal"] == f"{sso.connector}@{sso.samba.realm}"
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("identity", "cause"),
    [
        ("upn", None),
        ("on-premises-upn", None),
        ("sam-account-name", None),
        ("upn-user-part", "identity-differs"),
        ("on-premises-upn-user-part", "identity-differs"),
    ],
)
def test_each_delegated_login_identity_is_asked_for_as_application_proxy_would(
    sso: SingleSignOn, crowd: tuple[Operations, DN], identity: str, cause: str | None
) -> None:
    ops, _ = crowd
    user = ops.tenant.guests()[3]
    said = sso.verify(ops, user.id, "--identity", identity, "--json", expect=1 if cause else 0).json
    (guest,) = said["guests"]
    upn = str(user.properties["userPrincipalName"])
    names = {"sam-account-name": user.id[:20], "upn": upn, "on-premises-upn": upn}
    assert guest["asked_for"] == names.get(identity, upn.rpartition("@")[0])
    assert [f["cause"] for f in guest["causes"]] == ([cause] if cause else [])
    assert guest["assumed"] == (identity in ("sam-account-name", "on-premises-upn", "on-premises-upn-user-part"))


def test_a_changed_upn_is_named_and_the_next_plan_mends_it(sso: SingleSignOn, crowd: tuple[Operations, DN]) -> None:
    ops, ou = crowd
    user = ops.tenant.guests()[4]
    with sso.samba.administrator() as administrator:
        dn = held(sso.samba, ou.text)[user.id]["distinguishedName"]
        administrator.replace(dn, "userPrincipalName", [f"{user.id}@contoso.onmicrosoft.com"])
    (guest,) = sso.verify(ops, user.id, "--json", expect=1).json["guests"]
    (finding,) = guest["causes"]
    assert (finding["cause"], finding["sure"]) == ("upn-differs", True)
    for words in (str(user.properties["userPrincipalName"]), "(Entra's)", f"is {user.id}@contoso.onmicrosoft.com"):
        assert words in finding["what"]
    assert ops.loop() == {"done": 1}
    sso.verify(ops, user.id)


def test_the_pages_commands_make_a_connector_that_can_prove_it(
    sso: SingleSignOn, crowd: tuple[Operations, DN], tmp_path: Path
) -> None:
    ops, _ = crowd
    blocks = [f for f in fences("docs/how-to/prove-sign-in.md") if f.text.startswith("$ samba-tool")]
    commands = [shlex.split(step.command) for block in blocks for step in steps(block)]
    assert [c[:2] for c in commands][-1] == ["samba-tool", "domain"]
    given = {"HTTP/app.contoso.test": sso.spn, "connector.keytab": str(tmp_path / "connector.keytab")}
    for _, *words in commands:
        sso.samba.samba_tool(*(given.get(word, word) for word in words))
    said = sso.verify(ops, ops.tenant.guests()[5].id, "--keytab", given["connector.keytab"], "--json").json
    assert (said["passed"], said["connector"]["principal"]) == (True, f"reconcile-verify@{sso.samba.realm}")


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(
    sso: SingleSignOn, crowd: tuple[Operations, DN]
) -> None:
    ops, _ = crowd

    def ids(*more: str) -> list[str]:
        said = sso.verify(ops, "--all", "--sample", "5", "--json", *more).json
        assert (said["summary"]["tried"], said["sample"]["population"]) == (5, 200)
        return [g["guest"] for g in said["guests"]]

    first = ids()
    assert ids() == first
    assert ids("--seed", "another") != first
    assert ids("--seed", "random") != ids("--seed", "random")


@pytest.mark.parametrize(
    ("arguments", "env", "code", "words"),
    [
        ([], {"RECONCILE_CONNECTOR_KEYTAB": ""}, 1, "The default cache (KRB5CCNAME) is never used"),
        ([], {"RECONCILE_CONNECTOR_CACHE": "x"}, 1, "are both set"),
        (["--keytab", "/nowhere/at.all"], {}, 1, "/nowhere/at.all cannot be read"),
        (["--service", "app.contoso.test"], {}, 64, "HTTP/app.contoso.test"),
        (["--all"], {}, 64, "not allowed with argument"),
        (["--http", "https://guest:secret@app.contoso.test/"], {}, 64, "Not a page's URL"),
        (["--http", "file:///etc/passwd"], {}, 64, "Not a page's URL"),
        (["--keytab", "a", "--cache", "b"], {}, 64, "not allowed with argument"),
    ],
)
def test_what_is_missing_or_contradicts_itself_is_told(
    sso: SingleSignOn,
    crowd: tuple[Operations, DN],
    arguments: list[str],
    env: dict[str, str],
    code: int,
    words: str,
) -> None:
    ops, _ = crowd
    done = sso.verify(ops, ops.tenant.guests()[0].id, *arguments, expect=code, **env)
    assert words in done.err


def test_without_the_library_the_command_says_what_to_install(
    sso: SingleSignOn, crowd: tuple[Operations, DN], tmp_path: Path
) -> None:
    ops, _ = crowd
    (tmp_path / "gssapi.py").write_text("raise ImportError('not installed')")
    done = sso.verify(ops, ops.tenant.guests()[0].id, expect=1, PYTHONPATH=str(tmp_path))
    assert "needs the Python package gssapi" in done.err
    assert "its extra `kerberos`" in done.err
