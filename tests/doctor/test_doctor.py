"""The command as a person runs it: a whole installation on a real domain controller, well, broken in one place, and broken everywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reconciler.demo.samba import Controller
from reconciler.doctor.catalog import ALL
from tests.acceptance.expected import held
from tests.support.operations import Done, Operations, git, installation
from tests.support.samba import fresh_ou


@pytest.fixture(scope="module")
def operations(samba: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """An installation with five guests who have their accounts."""
    with ExitStack() as ends:
        root = tmp_path_factory.mktemp("doctor")
        made = ends.enter_context(installation(root, samba, fresh_ou(samba), 5))
        made.loop()
        git(made.directory, "pull", "-q", "--ff-only", "origin", "main")
        made.reconcile("snapshot")
        yield made


@pytest.fixture(scope="module")
def reader(samba: Controller) -> dict[str, str]:
    login = samba.reader(f"doctor{os.urandom(3).hex()}")
    return {"RECONCILE_LDAP_USER": login.user, "RECONCILE_LDAP_PASSWORD": login.password}


def by_id(done: Done) -> dict[str, Any]:
    assert done.json["version"] == 1
    return {f["id"]: f for f in done.json["findings"]}


def verdicts(done: Done) -> dict[str, str]:
    return {i: f["verdict"] for i, f in by_id(done).items()}


def test_a_sound_installation_is_fit_and_nothing_is_written(
    operations: Operations, reader: dict[str, str], samba: Controller
) -> None:
    writer = operations.env["RECONCILE_LDAP_USER"].partition("@")[0]
    operations.reconcile("doctor", env=reader)  # the first sign-in of an account is noted on it
    usn = highest(samba)
    before = state_of(operations)
    done = operations.reconcile("doctor", "--json", "--writer", writer, env=reader)
    found = verdicts(done)
    assert done.json["fit"] is True
    assert set(found) == {c.id for c in ALL}
    assert {i for i, v in found.items() if v == "fail"} == {
        "controllers.certificate",  # the test authority's are good for thirty days
        "domain.anchor",
        "domain.machine-account-quota",
        "rights.writer-owner",
        "rights.writer-restore",
    }
    for name in ("reader-writes", "writer-create", "writer-inside", "writer-outside", "writer-disable", "reads"):
        assert found[f"rights.{name}"] == "pass"
    assert found["sign-in.accounts"] == "pass"
    assert found["entra.permission"] == "pass"
    assert state_of(operations) == before
    assert highest(samba) == usn
    for secret in (*operations.secrets, reader["RECONCILE_LDAP_PASSWORD"]):
        assert secret not in done.out + done.err


def test_signed_in_as_the_writer_its_own_rights_are_judged(operations: Operations) -> None:
    found = by_id(operations.reconcile("doctor", "--json", "--account", "writer"))
    assert found["rights.writer-change"]["verdict"] == "pass"
    assert found["rights.reader-writes"]["verdict"] == "cannot-tell"
    assert "--account reader" in found["rights.reader-writes"]["seen"][0]


def test_the_writing_account_in_place_of_the_reading_one_is_found_out(operations: Operations) -> None:
    done = operations.reconcile("doctor", "--json", expect=1)
    finding = by_id(done)["rights.reader-writes"]
    assert finding["verdict"] == "fail"
    assert finding["blocks"]
    assert any("create user, delete user" in line for line in finding["seen"])


def test_what_a_person_sees(operations: Operations, reader: dict[str, str]) -> None:
    done = operations.reconcile("doctor", env=reader)
    assert done.out.startswith("✓ Fit for use, with ")
    assert "[domain.anchor, advice]" in done.out
    assert "dn: CN=Admin-Description,CN=Schema,CN=Configuration,DC=contoso,DC=test" in done.out
    assert f"--id {operations_client(operations)}" in done.out
    assert "\x1b" not in done.out


def test_a_wide_token_an_unreachable_controller_and_a_wrong_password_are_three_findings_and_the_rest_still_runs(
    operations: Operations, reader: dict[str, str]
) -> None:
    operations.tenant.consent("User.Read.All", "Directory.ReadWrite.All")
    settings = operations.directory / "reconcile.yaml"
    text = settings.read_text()
    settings.write_text(text.replace('controllers: ["', 'controllers: ["ldaps://127.0.0.1:9", "'))
    try:
        wrong = {**reader, "RECONCILE_LDAP_PASSWORD": "not-this-one"}
        done = operations.reconcile("doctor", "--json", expect=1, env=wrong)
    finally:
        settings.write_text(text)
        operations.tenant.consent("User.Read.All")
    found = by_id(done)
    assert found["entra.permission"]["seen"] == ["excess: Directory.ReadWrite.All"]
    assert {f["subject"]: f["verdict"] for f in done.json["findings"] if f["id"] == "controllers.reach"} == {
        "ldaps://127.0.0.1:9": "fail",
        settings_controller(text): "pass",
    }
    assert found["controllers.sign-in"]["verdict"] == "fail"
    assert "wrong user name or password" in found["controllers.sign-in"]["seen"][0]
    for name in ("domain.ous", "rights.reader-writes", "sign-in.accounts", "controllers.clock"):
        assert found[name]["verdict"] == "cannot-tell"
    assert found["policy.placement"]["verdict"] == "pass"
    assert set(found) == {c.id for c in ALL}


def test_an_untrusted_certificate_is_told_from_a_wrong_password(operations: Operations, reader: dict[str, str]) -> None:
    settings = operations.directory / "reconcile.yaml"
    text = settings.read_text()
    other = operations.tenant.ca_file(operations.root)
    head, _, rest = text.partition("  bind: simple\n")
    settings.write_text(f'{head}  ca_file: "{other}"\n{rest[rest.index("forge:") :]}')
    try:
        found = by_id(operations.reconcile("doctor", "--json", expect=1, env=reader))
    finally:
        settings.write_text(text)
    assert found["controllers.tls"]["verdict"] == "fail"
    assert "not trusted" in found["controllers.tls"]["seen"][0]
    assert found["controllers.certificate"]["verdict"] == "cannot-tell"


def test_a_damaged_policy_takes_nothing_else_with_it(operations: Operations, reader: dict[str, str]) -> None:
    policy = operations.directory / "policies/guests.yaml"
    text = policy.read_text()
    policy.write_text(text.replace("guest.displayName", "guest.displayname"))
    try:
        found = by_id(operations.reconcile("doctor", "--json", expect=1, env=reader))
    finally:
        policy.write_text(text)
    assert "displayname" in found["policy.loads"]["seen"][0]
    assert found["controllers.sign-in"]["verdict"] == "pass"
    assert found["domain.ous"]["seen"] == ["The policy does not load."]


def test_where_no_operations_directory_is_one_error_says_so(tmp_path: Path, operations: Operations) -> None:
    lost = Operations(tmp_path, operations.tenant, operations.env, "")
    (tmp_path / "identity").mkdir()
    done = lost.reconcile("doctor", "--json", expect=1)
    assert "not a git repository" in done.json["error"]
    git(tmp_path / "identity", "init", "-q")
    done = lost.reconcile("doctor", expect=1)
    assert done.out == ""
    assert "has no reconcile.yaml" in done.err
    assert "-C DIR" in done.err


def test_where_the_settings_are_damaged_every_check_says_so(tmp_path: Path, operations: Operations) -> None:
    git(tmp_path, "init", "-q", "identity")
    lost = Operations(tmp_path, operations.tenant, operations.env, "")
    (tmp_path / "identity/reconcile.yaml").write_text("kind: [\n")
    found = verdicts(lost.reconcile("doctor", "--json", expect=1))
    assert found.pop("policy.loads") == "fail"
    assert set(found.values()) == {"cannot-tell"}
    assert len(found) == len(ALL) - 1


def test_accounts_that_cannot_sign_in_are_named(
    operations: Operations, reader: dict[str, str], samba: Controller
) -> None:
    where = held(samba, operations.settings.split('ous: ["')[1].split('"')[0])
    ids = [u.id for u in operations.tenant.guests()]
    with samba.administrator() as administrator:
        for attribute, value, guest in (
            ("userAccountControl", "262658", ids[0]),
            ("userAccountControl", str(0x40200 | 0x100000), ids[1]),
            ("accountExpires", "130000000000000000", ids[2]),
            ("userPrincipalName", "somebody@contoso.test", ids[3]),
        ):
            administrator.replace(where[guest]["distinguishedName"], attribute, [value])
        administrator.delete(where[ids[4]]["distinguishedName"])
    finding = by_id(operations.reconcile("doctor", "--json", env=reader))["sign-in.accounts"]
    assert finding["verdict"] == "fail"
    assert {line.partition(":")[0] for line in finding["seen"]} == {
        *("disabled", "not-delegated", "expired", "upn-differs", "deleted")
    }
    assert any("Enable-ADAccount" in line for line in finding["do"]["powershell"])


def settings_controller(text: str) -> str:
    return text.split('controllers: ["')[1].split('"', maxsplit=1)[0]


def operations_client(operations: Operations) -> str:
    return operations.tenant.client_id


def highest(samba: Controller) -> bytes:
    with samba.administrator() as administrator:
        return administrator.read("", "highestCommittedUSN")["highestCommittedUSN"][0]


def state_of(operations: Operations) -> dict[str, bytes]:
    """Everything on disk that a command could have touched: files, refs, journals."""
    files = {str(p): p.read_bytes() for p in operations.directory.rglob("*") if p.is_file() and ".git" not in p.parts}
    journals = "\n".join(map(str, operations.journals()))
    return {**files, "refs": git(operations.directory, "for-each-ref").encode(), "journals": journals.encode()}
