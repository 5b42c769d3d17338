"""What the doctor says of a writing account on a real domain controller: each right missing, each right too much, by name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping

import pytest

from reconciler.demo.samba import Controller
from reconciler.demo.samba.rights import DEFAULT_POLICY, writer_rights, written
from reconciler.demo.samba.template import environment
from reconciler.directory.ldap.root import naming
from reconciler.doctor.finding import Finding, Verdict
from reconciler.doctor.rights import look
from reconciler.doctor.rights.access import USER
from reconciler.doctor.rights.needs import needs
from tests.support.samba import Accounts

from .delegated import Delegated, delegated, seen, session

RESET = "00299570-246d-11d0-a768-00aa006e0529"
GROUP = "bf967a9c-0de6-11d0-a285-00aa003049e2"
HARMLESS = {"rights.writer-owner", "rights.writer-restore"}
"""Fail on Samba whatever is granted: the page says why."""


def failures(found: Mapping[str, Finding]) -> dict[str, tuple[str, ...]]:
    return {i: f.seen for i, f in found.items() if f.verdict is Verdict.FAIL and i not in HARMLESS}


def test_given_the_documented_rights_on_one_ou_then_every_blocking_check_passes(
    samba: Controller, samba_accounts: Accounts
) -> None:
    account = delegated(samba)
    found = account.findings()
    assert failures(found) == {}
    assert {f.verdict for f in found.values() if f.check.blocks} == {Verdict.PASS}
    assert {i: f.verdict for i, f in account.from_outside(samba_accounts.reader).items() if f.check.blocks} == {
        i: f.verdict for i, f in found.items() if f.check.blocks
    }


LACKING = {
    "create and delete users": {"create": "create users", "move": "delete users", "delete": "delete users"},
    "write name": {"change": "write name of users", "move": "write name of users"},
    "reset passwords, write displayName, write userAccountControl": {
        "password": "reset the password of users",
        "change": "write displayName of users",
        "disable": "write userAccountControl of users",
    },
}


@pytest.mark.parametrize("lacking", LACKING)
def test_given_one_entry_less_then_it_is_named_and_its_commands_mend_it(lacking: str, samba: Controller) -> None:
    account = delegated(samba, lambda rights, _: {w: e for w, e in rights.items() if w not in lacking.split(", ")})
    found = account.findings()
    assert set(failures(found)) == {f"rights.writer-{check}" for check in LACKING[lacking]}
    for check, words in LACKING[lacking].items():
        assert f"{account.ou}: missing: {words}" in found[f"rights.writer-{check}"].seen
        steps = found[f"rights.writer-{check}"].steps
        assert steps.powershell
        assert all(line.startswith("dsacls '") for line in steps.powershell)
        run(steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_nothing_then_every_right_is_named(samba: Controller) -> None:
    found = failures(delegated(samba, lambda _rights, _sid: {}).findings())
    assert set(found) == {f"rights.writer-{n}" for n in ("create", "change", "password", "disable", "move", "delete")}
    changed = {line.rpartition(": missing: ")[2] for line in found["rights.writer-change"]}
    assert {f"write {name} of users" for name in written(DEFAULT_POLICY) if name != "userAccountControl"} <= changed


def test_given_no_right_to_delete_children_then_moving_and_deleting_are_named(samba: Controller) -> None:
    def without(rights: dict[str, str], sid: str) -> dict[str, str]:
        return {**rights, "create and delete users": f"(OA;CI;CC;{USER};;{sid})"}

    account = delegated(samba, without)
    found = failures(account.findings())
    assert set(found) == {"rights.writer-move", "rights.writer-delete"}
    assert f"{account.ou}: missing: delete users" in found["rights.writer-move"]


Wide = Callable[[Delegated], tuple[str, str]]
"""Grants too much; returns on which object, and in which words it must be named."""


def on(where: str, entry: str, words: str) -> Wide:
    def grant(account: Delegated) -> tuple[str, str]:
        dn = {"ou": account.ou.text, "root": account.controller.base}.get(where, f"{where},{account.controller.base}")
        account.grant(dn, entry.format(sid=account.sid, **GUIDS))
        return dn, words

    return grant


GUIDS = {"user": USER, "group": GROUP, "reset": RESET, "description": "bf967950-0de6-11d0-a285-00aa003049e2"}
TOO_WIDE: dict[str, tuple[str, Wide]] = {
    "WriteDacl on the OU": ("inside", on("ou", "(A;;WD;;;{sid})", "change its access list (WriteDacl)")),
    "WriteOwner on the OU": ("inside", on("ou", "(A;;WO;;;{sid})", "take it over (WriteOwner)")),
    "GenericAll on users": (
        "inside",
        on("ou", "(OA;CIIO;GA;;{user};{sid})", "full control (GenericAll) on every user below"),
    ),
    "every attribute": ("inside", on("ou", "(OA;CIIO;WP;;{user};{sid})", "write every attribute on every user below")),
    "another attribute": (
        "inside",
        on("ou", "(OA;CIIO;WP;{description};{user};{sid})", "write description on every user below"),
    ),
    "groups too": (
        "inside",
        on("ou", "(OA;CI;CCDC;{group};;{sid})", "create group, delete group below it, here and on everything below"),
    ),
    "every class": (
        "inside",
        on("ou", "(A;CI;CC;;;{sid})", "create children of any class, here and on everything below"),
    ),
    "every control right": (
        "inside",
        on(
            "ou",
            "(OA;CIIO;CR;;{user};{sid})",
            "control access right of every kind (AllExtendedRights) on every user below",
        ),
    ),
    "users in the whole domain": (
        "outside",
        on("root", "(OA;CI;CCDC;{user};;{sid})", "create user, delete user below it, here and on everything below"),
    ),
    "passwords in the whole domain": (
        "outside",
        on("root", "(OA;CIIO;CR;{reset};{user};{sid})", "control access right Reset Password on every user below"),
    ),
    "DCSync": (
        "outside",
        on(
            "root",
            "(OA;;CR;1131f6ad-9c07-11d1-f79f-00c04fc2dcd2;;{sid})",
            "control access right DS-Replication-Get-Changes-All (DCSync: every password hash)",
        ),
    ),
    "users in another container": ("outside", on("CN=Users", "(OA;;CC;{user};;{sid})", "create user")),
    "a policy container": ("outside", on("CN=System", "(A;;WP;;;{sid})", "write every attribute")),
    "AdminSDHolder": (
        "outside",
        on("CN=AdminSDHolder,CN=System", "(A;;WD;;;{sid})", "change its access list (WriteDacl)"),
    ),
    "one protected group": (
        "outside",
        on("CN=Domain Admins,CN=Users", "(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;{sid})", "write member"),
    ),
    "the schema": ("outside", on("CN=Schema,CN=Configuration", "(A;;CC;;;{sid})", "create children of any class")),
}


@pytest.mark.parametrize("check", ["inside", "outside"])
def test_given_rights_too_wide_then_each_is_named_and_the_commands_take_it_away(check: str, samba: Controller) -> None:
    account = delegated(samba)
    expected = [grant(account) for where, grant in TOO_WIDE.values() if where == check]
    found = account.findings()
    finding = found[f"rights.writer-{check}"]
    assert set(failures(found)) == {f"rights.writer-{check}"}
    assert sorted(finding.seen) == sorted(f"{dn}: excess: {words}" for dn, words in expected)
    assert sum(account.sid in line for line in finding.steps.powershell) == len(expected)
    run(finding.steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_full_control_for_whoever_creates_then_it_is_named_and_the_commands_take_it_away(
    samba: Controller,
) -> None:
    account = delegated(samba)
    account.grant(account.ou, f"(OA;CIIO;GA;;{USER};CO)")
    finding = account.findings()["rights.writer-inside"]
    assert finding.seen == (
        f"{account.ou}: excess: full control (GenericAll) on every user below, through CREATOR OWNER (S-1-3-0)",
    )
    run(finding.steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_full_control_of_the_ou_then_it_is_called_that(samba: Controller) -> None:
    account = delegated(samba)
    account.grant(account.ou, f"(A;CI;GA;;;{account.sid})")
    finding = account.findings()["rights.writer-inside"]
    for where in ("", " on everything below"):  # Samba makes two entries of one
        assert f"{account.ou}: excess: full control (GenericAll){where}" in finding.seen
    run(finding.steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_privileged_groups_then_they_are_named_and_the_commands_take_the_account_out(samba: Controller) -> None:
    account = delegated(samba)
    for group in ("Domain Admins", "Account Operators"):
        samba.samba_tool("group", "addmembers", group, account.name)
    found = account.findings()
    finding = found["rights.privileged"]
    assert finding.verdict is Verdict.FAIL
    for group in ("Domain Admins", "Account Operators"):
        assert any(f"member of {group}" in line for line in finding.seen)
    assert any("through Domain Admins" in line for line in found["rights.writer-outside"].seen)
    run(finding.steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_a_right_through_a_group_then_the_group_is_named(samba: Controller) -> None:
    account = delegated(samba)
    group = f"g{os.urandom(4).hex()}"
    samba.samba_tool("group", "add", group)
    samba.samba_tool("group", "addmembers", group, account.name)
    with samba.administrator() as administrator:
        sid = administrator.sid(f"CN={group},CN=Users,{samba.base}")
    account.grant(account.ou, f"(A;;WD;;;{sid})")
    finding = account.findings()["rights.writer-inside"]
    assert finding.seen == (f"{account.ou}: excess: change its access list (WriteDacl), through {group} ({sid})",)
    run(finding.steps.samba, samba)
    assert failures(account.findings()) == {}


def test_given_an_entry_that_denies_then_the_right_is_missing(samba: Controller) -> None:
    account = delegated(samba)
    account.grant(account.ou, f"(OD;CIIO;WP;f0f8ff8e-1191-11d0-a060-00aa006c33ed;{USER};{account.sid})")
    found = failures(account.findings())
    assert "rights.writer-change" in found
    assert any("write" in line for line in found["rights.writer-change"])


def test_given_an_account_that_inherits_nothing_then_it_is_named(samba: Controller) -> None:
    account = delegated(samba)
    samba.change(
        f"dn: CN=guest,{account.ou}\nchangetype: modify\nreplace: nTSecurityDescriptor\n"
        "nTSecurityDescriptor: O:DAG:DAD:P(A;;GA;;;DA)(A;;RPLCLORC;;;AU)\n",
        "--controls=sd_flags:1:7",
    )
    found = failures(account.findings())
    assert f"CN=guest,{account.ou}: missing: write displayName of users" in found["rights.writer-change"]


def test_given_an_ou_that_hides_its_list_then_it_cannot_be_told(samba: Controller) -> None:
    account = delegated(samba)
    account.grant(account.ou, "(D;;RC;;;AU)")
    found = account.findings()
    for name in ("create", "change", "password", "disable", "move", "delete"):
        assert found[f"rights.writer-{name}"].verdict is Verdict.UNKNOWN
        assert "access list is not shown" in found[f"rights.writer-{name}"].seen[0]
    assert found["rights.writer-inside"].verdict is Verdict.UNKNOWN
    with samba.administrator() as administrator:  # or no other account could be told about in this domain
        for dn in (f"CN=guest,{account.ou}", f"OU=Departed,{account.ou}", f"OU=Fabrikam,{account.ou}", account.ou.text):
            administrator.delete(dn)


def test_the_doctor_asks_for_exactly_the_rights_of_the_demonstration(samba: Controller) -> None:
    account = delegated(samba)
    with session(samba, account.login) as mine:
        known = seen(account, mine, look.own_token(mine, naming(mine))).names
    asked = {f"{n.sddl}{account.sid})" for group in needs(account.policy, known).values() for n in group}
    assert asked == set(
        writer_rights(account.sid, {a: known.attributes[a.casefold()].guid for a in written(DEFAULT_POLICY)}).values()
    )


def run(commands: tuple[str, ...], samba: Controller) -> None:
    """Run what a finding prints for Samba, on this controller instead of the machine's own."""
    assert commands
    wrapper = f'samba-tool() {{ command samba-tool "$@" --configfile={samba.conf}; }}\nset -eu\n'
    script = wrapper + "\n".join(commands).replace("/var/lib/samba/private/sam.ldb", samba._database)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
