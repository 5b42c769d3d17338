"""`apply` asks the forge: merged, approved by others after the last push, checked. Each thing missing is named, and nothing written."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.github import TOKEN, StandIn
from tests.support.hub.remote import Remote
from tests.support.hub.repository import Hub
from tests.support.operations import git
from tests.support.reviewed import BRANCH, Reviewed, reviewed

GUESTS = 2


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    """An installation whose first plan is proposed, approved by zoe, and checked; not merged."""
    with reviewed(tmp_path_factory.mktemp("reviewed"), GUESTS) as made:
        made.propose()
        made.approve_and_check(1)
        yield made


@pytest.fixture
def here(original: Reviewed, tmp_path: Path) -> Iterator[Reviewed]:
    """The same, to break: its files, its remote, what GitHub knows, and a domain that must stay empty."""
    before = {f.name: deepcopy(getattr(original.github, f.name)) for f in fields(StandIn) if f.name != "heads"}
    original.github.asked.clear()
    for name in ("identity", "remote.git"):
        shutil.copytree(original.root / name, tmp_path / name, symlinks=True)
    made = Reviewed(tmp_path, original.tenant, original.github, {**original.env, "XDG_STATE_HOME": str(tmp_path)})
    git(made.directory, "remote", "set-url", "origin", str(made.remote))
    made.github.heads = Remote(made.remote)
    yield made
    for name, value in before.items():
        setattr(made.github, name, value)


def applied(here: Reviewed) -> int:
    ended = here.run("apply", "--yes", "--json")
    assert ended.code == 0, ended
    done: int = ended.json["counts"]["done"]
    return done


def refused(here: Reviewed, *says: str, code: int = 1) -> str:
    """Apply; it must fail saying this, with refs, journal and domain as they were."""
    refs, written = here.refs(), here.usn
    here.github.asked.clear()
    ended = here.run("apply", "--yes")
    assert ended.code == code, ended
    for words in says:
        assert words in ended.error, ended.error
    assert (here.refs(), here.usn) == (refs, written)
    assert not list(here.root.glob("reconcile/**/*.jsonl"))
    assert here.github.written == []
    return ended.error


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_plan_that_was_approved_checked_and_merged_is_applied(here: Reviewed, how: str) -> None:
    head = here.github.heads[BRANCH]
    here.github.merge(1, how=how)
    assert applied(here) == GUESTS
    git(here.directory, "fetch", "-q", "origin")
    [(_, receipt)] = json.loads(git(here.directory, "notes", "--ref", "reconcile", "show", "origin/main")).items()
    url, app = here.github.pull(1)["html_url"], "contoso-reconcile[bot]"
    assert receipt["approved"] == {"number": 1, "url": url, "head": head, "pusher": app, "by": ["zoe"]}


def test_a_pinned_digest_counts_for_a_plan_that_was_applied_already_too(here: Reviewed) -> None:
    here.github.merge(1)
    own = here.ok("apply", "--yes", "--json").json["digest"]
    assert here.run("apply", "--yes", "--unless-applied", "--digest", own).code == 0
    ended = here.run("apply", "--yes", "--unless-applied", "--digest", "0" * 64)
    assert (ended.code, "holds plan" in ended.error) == (4, True)


def test_nor_does_it_matter_that_the_branch_is_gone_or_that_main_went_on_elsewhere(here: Reviewed) -> None:
    here.github.merge(1)
    del here.github.heads[BRANCH]
    here.pull()
    (here.directory / "README.md").write_text("hello\n")
    here.commit("words")
    assert applied(here) == GUESTS


def test_a_head_pushed_to_main_by_hand_counts_as_merged_as_github_has_it(here: Reviewed) -> None:
    here.github.heads["main"] = here.github.heads[BRANCH]
    here.github.current(here.github.pull(1))
    assert applied(here) == GUESTS


def test_a_workstation_is_held_to_the_same_and_needs_a_token(here: Reviewed) -> None:
    here.github.merge(1)
    ended = here.run("apply", "--yes", env={"RECONCILE_FORGE_TOKEN": ""})
    assert ended.code == 1
    assert "RECONCILE_FORGE_TOKEN" in ended.error


# --- each thing that can be missing


def without_approval(here: Reviewed) -> None:
    here.github.reviews.clear()


def of_an_earlier_head(here: Reviewed) -> None:
    here.github.reviews[1][0]["commit_id"] = "c" * 40


def dismissed(here: Reviewed) -> None:
    here.github.reviews[1][0]["state"] = "DISMISSED"


def by_the_author(here: Reviewed) -> None:
    here.github.pull(1)["user"]["login"] = "zoe"


def by_an_app(here: Reviewed) -> None:
    here.github.reviews[1][0]["user"] |= {"login": "helper[bot]", "type": "Bot"}


def by_an_outsider(here: Reviewed) -> None:
    here.github.roles["zoe"] = "read"


def by_the_pusher(here: Reviewed) -> None:
    here.github.pushes.clear()
    here.github.push(BRANCH, here.github.heads[BRANCH], "zoe")


def by_who_pushed_it_before_the_app_did(here: Reviewed) -> None:
    """Pushed under the app's name; a run of the app found the forge gone, and put back what it had replaced."""
    head = here.github.heads[BRANCH]
    here.github.pushes.clear()
    for who, commit in (("zoe", head), ("contoso-reconcile[bot]", "c" * 40), ("contoso-reconcile[bot]", head)):
        here.github.push(BRANCH, commit, who)


def pushed_by_a_workflow_of_ones_own(here: Reviewed) -> None:
    here.github.pushes.clear()
    here.github.push(BRANCH, here.github.heads[BRANCH], "github-actions[bot]")


def by_a_writer(here: Reviewed) -> None:
    here.github.commits[1] = [{"author": {"login": "zoe"}, "committer": {"login": "contoso-reconcile[bot]"}}]


def while_another_asks_for_changes(here: Reviewed) -> None:
    here.github.approve(1, "ada", "CHANGES_REQUESTED")


def without_the_check(here: Reviewed) -> None:
    here.github.runs.clear()


def with_a_failed_check(here: Reviewed) -> None:
    here.github.runs[0]["conclusion"] = "failure"


def with_a_check_that_runs(here: Reviewed) -> None:
    here.github.runs[0] |= {"status": "in_progress", "conclusion": None}


def with_the_check_of_another_commit(here: Reviewed) -> None:
    here.github.runs[0]["head_sha"] = "c" * 40


def with_two_checks_of_one_name(here: Reviewed) -> None:
    here.github.run("reconcile/plan", here.github.heads[BRANCH], "failure", "other-app")


def with_a_check_that_a_person_claims(here: Reviewed) -> None:
    here.github.runs.clear()
    here.github.report("reconcile/plan", here.github.heads[BRANCH], who="mallory")


MISSING: dict[str, tuple[Callable[[Reviewed], None], str]] = {
    "approval": (without_approval, "1 approval is required of {head}, and nobody approved it"),
    "another head": (of_an_earlier_head, "zoe's does not count: they approved cccccccccccc, and more was pushed"),
    "dismissed": (dismissed, "nobody approved it"),
    "author": (by_the_author, "zoe's does not count: they opened the pull request"),
    "app": (by_an_app, "helper[bot]'s does not count: an app cannot approve"),
    "outsider": (by_an_outsider, "zoe's does not count: they may not write to the repository"),
    "pusher": (by_the_pusher, "zoe's does not count: they pushed that commit"),
    "first pusher": (
        by_who_pushed_it_before_the_app_did,
        "zoe's does not count: they wrote or pushed some of it",
    ),
    "workflow": (pushed_by_a_workflow_of_ones_own, "{head} was pushed by a workflow's own token"),
    "writer": (by_a_writer, "zoe's does not count: they wrote or pushed some of it"),
    "changes": (while_another_asks_for_changes, "ada asks for changes"),
    "no check": (without_the_check, "check reconcile/plan on {head}: nobody reported it"),
    "failed": (with_a_failed_check, "check reconcile/plan on {head}: github-actions says failure"),
    "running": (with_a_check_that_runs, "github-actions has not finished it"),
    "another commit's": (with_the_check_of_another_commit, "nobody reported it"),
    "two of one name": (with_two_checks_of_one_name, "other-app says failure"),
    "a person's": (with_a_check_that_a_person_claims, "mallory reported it, a person's account and no app"),
}


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_missing_is_named_and_nothing_is_written(here: Reviewed, missing: str) -> None:
    spoil, says = MISSING[missing]
    spoil(here)
    head = here.github.heads[BRANCH][:12]
    here.github.merge(1)
    refused(here, "pull request 1 (", "does not satisfy forge.require", says.format(head=head), "can still be reviewed")


def test_what_is_met_afterwards_is_enough(here: Reviewed) -> None:
    without_approval(here)
    here.github.merge(1)
    refused(here, "nobody approved it")
    here.github.approve(1, "ada")
    assert applied(here) == GUESTS


def test_an_approval_withdrawn_while_the_plan_is_shown_is_noticed(here: Reviewed) -> None:
    here.github.merge(1)
    written = here.usn

    def zoe_changes_her_mind(_method: str, path: str) -> None:
        if path.endswith("/reviews") and sum(p == path for _, p in here.github.asked) > 1:
            dismissed(here)

    here.github.asked.clear()
    here.github.meanwhile = zoe_changes_her_mind
    ended = here.run("apply", "--yes")
    assert "nobody approved it" in ended.error
    assert here.usn == written
    assert "refs/reconcile/lock" not in here.refs()


# --- ways around


def test_a_plan_pushed_to_main_with_no_pull_request_is_refused(here: Reviewed) -> None:
    git(here.directory, "fetch", "-q", "origin", BRANCH)
    git(here.directory, "checkout", "-q", "FETCH_HEAD", "--", "state")
    pushed = here.commit("no need to review this", "mallory")
    refused(here, f"as of {pushed}, which no merged pull request brought there", "who pushed it")


def test_a_push_on_top_of_the_merge_that_changes_the_policy_and_its_plan_is_refused(here: Reviewed) -> None:
    here.github.merge(1)
    here.pull()
    policy = here.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text().replace("displayName: guest.displayName", "displayName: guest.mail"))
    here.ok("plan")
    pushed = here.commit("a small correction", "mallory")
    refused(here, f"as of {pushed}, which no merged pull request brought there")


def test_what_was_added_after_the_approval_while_merging_is_refused(here: Reviewed) -> None:
    """The branch was moved, merged, and moved back, and the pull request says what was approved."""
    head = here.github.heads[BRANCH]
    git(here.directory, "fetch", "-q", "origin", BRANCH)
    git(here.directory, "checkout", "-q", "FETCH_HEAD", "--", "state")
    policy = here.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text().replace("displayName: guest.displayName", "displayName: guest.mail"))
    here.ok("plan")
    evil = here.commit("more", "mallory")
    here.github.current(here.github.pull(1))
    here.github.pull(1).update(state="closed", merged_at="2026-05-01T12:00:00Z", merge_commit_sha=evil)
    refused(here, "is not what main holds", "policies and state", head)


def test_an_old_plan_brought_back_by_a_push_is_refused(here: Reviewed) -> None:
    old = here.github.merge(1)
    here.pull()
    guest = here.tenant.guests()[0].id
    here.tenant.update(guest, displayName="Corrected")
    here.propose()
    here.approve_and_check(2)
    here.github.merge(2)
    here.pull()
    git(here.directory, "checkout", "-q", old, "--", "state")
    pushed = here.commit("as it was", "mallory")
    refused(here, f"as of {pushed}, which no merged pull request brought there")


def test_who_lowers_what_is_required_meets_the_pin(here: Reviewed) -> None:
    """One who may merge asks for nothing any more, with a plan that fits; the pinned job does not connect to anything."""
    settings = here.directory / "reconcile.yaml"
    pin = hashlib.sha256(settings.read_bytes()).hexdigest()
    without_approval(here)
    settings.write_text(settings.read_text().replace("forge: {", "forge: {require: {approvals: 0, checks: []}, "))
    here.commit("less to ask for", "mallory")
    here.propose()
    here.github.merge(1)
    here.github.asked.clear()
    ended = here.run("apply", "--yes", env={"RECONCILE_SETTINGS_SHA256": pin})
    assert ended.code == 1
    assert "is not the one that RECONCILE_SETTINGS_SHA256 pins" in ended.error
    assert here.github.asked == []
    assert here.run("apply", "--yes").code == 0, "this is what the pin is for"


def test_a_clone_without_its_history_cannot_tell_and_says_so(here: Reviewed) -> None:
    here.github.merge(1)
    here.pull()
    (here.directory / "README.md").write_text("hello\n")
    here.commit("words")
    shutil.rmtree(here.directory)
    git(here.root, "clone", "-q", "--depth=1", f"file://{here.remote}", str(here.directory))
    refused(here, "its history is cut off", "fetch-depth: 0")


def test_another_repository_than_the_remote_is_noticed(here: Reviewed) -> None:
    here.github.merge(1)
    git(here.remote, "update-ref", "-d", "refs/pull/1/head")
    refused(here, "refs/pull/1/head on origin is absent", "are the same repository")


def test_a_forge_that_does_not_answer_is_no_yes(here: Reviewed) -> None:
    here.github.merge(1)
    here.github.answers.append((500, {}, "{}"))
    refused(here, "was refused with 500")
    assert TOKEN not in here.run("apply", "--yes", env={"RECONCILE_FORGE_TOKEN": "ghs_other"}).error


def test_the_stand_in_restored_itself(here: Reviewed) -> None:
    assert isinstance(here.github, Hub)
    assert here.github.pull(1)["state"] == "open"
