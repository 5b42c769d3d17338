"""What `apply` must not do, tried as a person (or an intruder) would."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable

import pytest

from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import Operations, git

from .expected import accounts, held

pytestmark = pytest.mark.samba
Make = Callable[..., Operations]


def edit_state(ops: Operations, side: str, old: str, new: str) -> None:
    for path in (ops.directory / "state" / side).rglob("*.yaml"):
        text = path.read_text()
        if old in text:
            path.write_text(text.replace(old, new))
            return
    raise AssertionError(f"{old} is nowhere in state/{side}")


def forged(ops: Operations) -> None:
    """A plan that agrees with the forged tree, merged."""
    ops.reconcile("plan", expect=None)
    ops.commit("looks fine to me")


def test_a_forged_upn_is_found_at_the_guest(operations: Make, samba: Controller, samba_ou: DN) -> None:
    ops = operations(4)
    ops.loop()
    ops.reconcile("snapshot")
    before = held(samba, samba_ou.text)
    upn = str(ops.tenant.guests()[0].properties["userPrincipalName"])
    edit_state(ops, "guests", upn, "administrator@contoso.test")
    forged(ops)
    done = ops.reconcile("apply", "--yes", expect=5)
    assert "userPrincipalName" in done.out
    assert held(samba, samba_ou.text) == before


def test_a_forged_join_is_found_at_the_account(operations: Make, samba: Controller, samba_ou: DN) -> None:
    ops = operations(3)
    ops.loop()
    victim = f"CN=Important Person,{samba_ou}"
    with samba.administrator() as administrator:
        administrator.user(
            victim, {"sAMAccountName": f"vip{os.getpid()}", "displayName": "Important"}, "Aa1-quite-long-enough"
        )
    guest = ops.tenant.invite({"mail": "mallory@evil.example", "displayName": "Mallory"})
    ops.reconcile("snapshot")
    before = held(samba, samba_ou.text)
    path = next(p for p in (ops.directory / "state/accounts").rglob("*.yaml") if "Important Person" in p.read_text())
    text = path.read_text()
    joined = re.sub(r'(distinguishedName: "CN=Important Person[^\n]*\n)', rf'\1  guest: "{guest}"\n', text)
    path.write_text(joined)
    assert "anchor-lost" in ops.reconcile("plan").out  # the join alone is found out at once
    path.write_text(
        joined.replace('displayName: "Important"', f'adminDescription: "User_{guest}"\n    displayName: "Important"')
    )
    forged(ops)
    ops.reconcile("apply", "--yes", expect=5)
    assert held(samba, samba_ou.text)["Important Person"] == before["Important Person"]


def test_a_forged_departure_is_found_at_the_guest(operations: Make, samba: Controller, samba_ou: DN) -> None:
    ops = operations(4)
    ops.loop()
    ops.reconcile("snapshot")
    before = held(samba, samba_ou.text)
    upn = str(ops.tenant.guests()[0].properties["userPrincipalName"])
    for path in (ops.directory / "state/guests").rglob("*.yaml"):
        if upn in path.read_text():
            path.write_text(
                re.sub(
                    r'^("[0-9a-f-]{36}":\n)',
                    r'\1  removed: "deleted"\n  removedAt: "2020-01-01T00:00:00Z"\n',
                    path.read_text(),
                    count=1,
                    flags=re.MULTILINE,
                )
            )
    manifest = ops.directory / "state/manifest.yaml"
    manifest.write_text(
        manifest.read_text().replace("guests: 4", "guests: 3").replace("tombstones: 0", "tombstones: 1")
    )
    forged(ops)
    ops.reconcile("apply", "--yes", expect=5)
    assert held(samba, samba_ou.text) == before


def test_an_account_changed_by_hand_after_planning_is_stale_and_untouched(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    ops = operations(4)
    ops.loop()
    changed, other = (u.id for u in ops.tenant.guests()[:2])
    ops.tenant.update(changed, displayName="From Entra")
    ops.tenant.update(other, displayName="Also from Entra")
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    with samba.administrator() as administrator:
        administrator.replace(held(samba, samba_ou.text)[changed]["distinguishedName"], "displayName", ["By hand"])
    done = ops.reconcile("apply", "--yes", "--json", expect=5)
    assert done.json["counts"] == {"done": 1, "stale": 1}
    now = accounts(samba, samba_ou.text)
    assert (now[changed]["displayName"], now[other]["displayName"]) == ("By hand", "Also from Entra")


def test_a_plan_merged_together_with_another_policy_change_exits_4(operations: Make) -> None:
    ops = operations(2)
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    git(ops.directory, "fetch", "-q", "origin")
    git(ops.directory, "merge", "-q", "--ff-only", "origin/reconcile/plan")
    policy = ops.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text() + "\n# one more line\n")
    ops.commit("plan and policy in one merge")
    done = ops.reconcile("apply", "--yes", expect=4)
    assert "not what its tree yields" in done.err


def test_a_plan_is_applied_once(operations: Make) -> None:
    ops = operations(2)
    ops.loop()
    done = ops.reconcile("apply", "--yes", expect=4)
    assert "applied already" in done.err


def test_another_digest_is_refused(operations: Make) -> None:
    ops = operations(1)
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    ops.reconcile("apply", "--yes", "--digest", "0" * 64, expect=4)
    assert not ops.receipts_exist()


def test_two_at_once_one_works_and_the_other_names_the_holder(operations: Make) -> None:
    ops = operations(40)
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    first = ops.start("apply", "--yes")
    while not ops.journals():
        assert first.process.poll() is None
        time.sleep(0.02)
    second = ops.reconcile("apply", "--yes", expect=6)
    assert "locked by" in second.err
    assert str(first.process.pid) in second.err
    first.finish(0)


def test_a_lock_of_a_killed_run_of_another_plan_waits_for_unlock(operations: Make) -> None:
    ops = operations(3)
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    killed = ops.start("apply", "--yes", program=("-m", "tests.support.killable", "9")).finish(expect=None)
    assert killed.code == -signal.SIGKILL
    ops.tenant.update(ops.tenant.guests()[0].id, displayName="Changed")
    ops.reconcile("snapshot")
    assert "lock" in ops.reconcile("propose").out  # which proposes nothing while somebody applies
    ops.reconcile("snapshot")
    ops.reconcile("plan")
    ops.commit("another plan, by hand")
    assert "unlock" in ops.reconcile("apply", "--yes", expect=6).err
    assert "Broke the lock" in ops.reconcile("unlock").out
    ops.reconcile("apply", "--yes")


def test_without_a_terminal_apply_needs_yes(operations: Make) -> None:
    assert "--yes" in operations(1).reconcile("apply", expect=64).err


def test_an_account_that_gained_privilege_after_planning_is_not_written(
    operations: Make, samba: Controller, samba_ou: DN
) -> None:
    ops = operations(4)
    ops.loop()
    guest = ops.tenant.guests()[0].id
    ops.tenant.update(guest, displayName="Changed")
    ops.reconcile("snapshot")
    ops.reconcile("propose")
    ops.merge()
    with samba.administrator() as administrator:
        administrator.replace(held(samba, samba_ou.text)[guest]["distinguishedName"], "adminCount", ["1"])
    done = ops.reconcile("apply", "--yes", expect=5)
    assert "adminCount" in done.out
    assert accounts(samba, samba_ou.text)[guest]["displayName"] != "Changed"


def test_a_plan_whose_words_were_edited_exits_4(operations: Make) -> None:
    ops = operations(2)
    ops.reconcile("snapshot")
    ops.reconcile("plan")
    words = ops.directory / "state/plan.md"
    words.write_text(words.read_text().replace("create", "keep"))
    ops.commit("a nicer text")
    assert "plan.md" in ops.reconcile("apply", "--yes", expect=4).err
