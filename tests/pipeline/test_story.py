"""The whole story, through the workflows that `init` writes: schedule, pull request, check, approve, merge, apply, drift."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from tests.acceptance.expected import accounts, held, wanted
from tests.support.github import TOKEN
from tests.support.operations import git

from .conftest import World
from .runner import WITHOUT_ARTIFACTS, Environment, Event

pytestmark = pytest.mark.samba
CHECK = "reconcile/check (root)"


def test_a_guest_gets_an_account_and_the_night_is_quiet(world: Callable[[int], World], samba: Controller) -> None:
    here = world(3)
    assert here.scheduled("plan").results == {"targets": "success", "reconcile/propose (root)": "success"}
    [pull] = here.hub.pulls
    assert pull["title"] == "reconcile: 3 create"

    checked = here.checked(1)
    assert checked.results == dict.fromkeys(["targets", CHECK, "reconcile/plan", "reconcile/comment"], "success")
    assert "is what its tree yields" in checked[CHECK].log
    assert "::warning" not in checked.log

    here.hub.approve(1)
    here.merge(1)
    applied = here.pushed()
    assert applied.results == {"targets": "success", "reconcile/apply (root)": "success"}
    assert accounts(samba, here.ou) == wanted(here.ops)
    [journal] = applied.artifacts.glob("journal-root-*/journal.jsonl")
    assert journal.read_text().splitlines()[-1].count('"close"') == 1

    here.repository.variables["RECONCILE_WRITER"] = here.ops.env["RECONCILE_LDAP_USER"]
    night = here.scheduled("drift")
    assert night.results == {"targets": "success", "reconcile/drift (root)": "success"}
    assert "No drift" in night.log
    assert '"rights.writer-create"' in night.log
    assert len(here.hub.pulls) == 1
    assert here.pushed().results == {"targets": "success", "reconcile/apply": "skipped"}
    assert git(here.ops.remote, "for-each-ref", "refs/reconcile/") == ""


def test_a_dropped_run_loses_nothing_and_a_late_one_does_nothing(
    world: Callable[[int], World], samba: Controller
) -> None:
    """Given two plans merged one after the other, when only the second push's run is left, then it does both's work.

    So it is on a server that keeps no artifacts of this version, too.
    """
    here = world(1)
    here.repository.unsupported = WITHOUT_ARTIFACTS
    here.scheduled("plan")
    here.merge(1)  # the run of this push waited, and was dropped for the next one's
    here.ops.tenant.invite({"mail": "late@adatum.com", "displayName": "Late"})
    here.scheduled("plan")
    here.checked(2)
    here.hub.approve(2)
    here.merge(2)
    assert here.pushed()["reconcile/apply (root)"].result == "success"
    assert accounts(samba, here.ou) == wanted(here.ops)
    assert len(accounts(samba, here.ou)) == 2

    late = here.ops.reconcile("apply", "--yes", "--unless-applied", env={"RECONCILE_FORGE_TOKEN": TOKEN})
    assert "has been applied already" in late.out
    assert here.ops.reconcile("apply", "--yes", expect=4, env={"RECONCILE_FORGE_TOKEN": TOKEN}).code == 4


def test_an_account_changed_by_hand_turns_the_night_red_and_is_put_right(
    world: Callable[[int], World], samba: Controller
) -> None:
    here = world(2)
    here.scheduled("plan")
    here.checked(1)
    here.hub.approve(1)
    here.merge(1)
    night = here.scheduled("drift")
    assert night["reconcile/drift (root)"].result == "failure"
    assert night.log.count("was merged and is not carried out") == 2

    assert here.pushed()["reconcile/apply (root)"].result == "success"
    account, _ = held(samba, here.ou).values()
    with samba.administrator() as administrator:
        administrator.replace(account["distinguishedName"], "displayName", ["::error::by hand"])
    night = here.scheduled("drift")
    job = night["reconcile/drift (root)"]
    assert job.result == "failure"
    assert "::error title=Active Directory has drifted::" in job.log
    assert "differs from what was last planned" in job.log
    assert "Drift: 1." in job.log
    assert "displayName" in job.summary
    assert [pull["title"] for pull in here.hub.pulls if pull["state"] == "open"] == ["reconcile: 1 update"]


def test_a_refused_apply_leaves_its_journal_and_fails_alone(world: Callable[[int], World], samba: Controller) -> None:
    """Given a controller that lost its writer's rights, when the plan is applied, then the run is red and tells why."""
    here = world(1)
    here.scheduled("plan")
    here.checked(1)
    here.hub.approve(1)
    here.merge(1)
    reading = here.repository.environments["plan"].secrets
    here.repository.environments["ad-apply"] = Environment(
        {
            "RECONCILE_LDAP_WRITER": reading["RECONCILE_LDAP_READER"],
            "RECONCILE_LDAP_WRITER_PASSWORD": reading["RECONCILE_LDAP_READER_PASSWORD"],
        },
        {},
    )
    done = here.pushed()
    assert done["reconcile/apply (root)"].result == "failure"
    assert accounts(samba, here.ou) == {}
    [journal] = done.artifacts.glob("journal-root-*/journal.jsonl")
    assert '"intent"' in journal.read_text()


def test_only_main_gets_the_environments_and_only_pinned_settings_connect(world: Callable[[int], World]) -> None:
    here = world(1)
    git(here.ops.remote, "branch", "other", "main")
    elsewhere = here.start("plan", Event("workflow_dispatch", "refs/heads/other", actor="mallory"))
    assert elsewhere["reconcile/propose (root)"].result == "failure"
    assert "not allowed to deploy to plan" in elsewhere.log

    reading = here.repository.environments["plan"].secrets
    here.repository.environments["plan"] = Environment(reading, {"RECONCILE_SETTINGS_SHA256": "0" * 64})
    done = here.scheduled("plan")
    assert done["reconcile/propose (root)"].result == "failure"
    assert "is not the one that RECONCILE_SETTINGS_SHA256 pins" in done.log
    assert here.hub.pulls == []


def test_a_cancelled_apply_gives_the_lock_back_leaves_its_journal_and_is_finished_by_the_next(
    world: Callable[[int], World], samba: Controller
) -> None:
    here = world(100)
    here.scheduled("plan")
    here.checked(1)
    here.hub.approve(1)
    here.merge(1)

    def once_it_writes(temp: Path, process: subprocess.Popen[str]) -> bool:
        journal = temp / "journal.jsonl"
        while process.poll() is None:
            if journal.exists() and '"outcome"' in journal.read_text():
                return True
            time.sleep(0.01)
        return False

    here.repository.cancel = once_it_writes
    cancelled = here.pushed()
    assert cancelled["reconcile/apply (root)"].result == "cancelled"
    assert 0 < len(accounts(samba, here.ou)) < 100
    [journal] = cancelled.artifacts.glob("journal-root-*/journal.jsonl")
    assert '"outcome"' in journal.read_text()
    assert git(here.ops.remote, "for-each-ref", "refs/reconcile/lock") == ""

    here.repository.cancel = lambda _temp, _process: False
    assert here.pushed()["reconcile/apply (root)"].result == "success"
    assert accounts(samba, here.ou) == wanted(here.ops)
