"""What the check of a pull request refuses, and what it says; and what becomes of a policy's pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from reconciler.demo.samba import Controller
from tests.support.operations import git

from .conftest import IMPORTER, World, on_github
from .runner import WITHOUT_ARTIFACTS, Event

pytestmark = [pytest.mark.samba, pytest.mark.xdist_group("check")]
CHECK = "reconcile/check (root)"
VERDICT = "reconcile/plan"


@dataclass(frozen=True)
class Before:
    """A plan of two accounts, proposed as pull request 1; `main` and `plan` are where the branches are."""

    here: World
    main: str
    plan: str


@pytest.fixture(scope="module")
def before(samba: Controller, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    with on_github(samba, tmp_path_factory.mktemp("proposed"), 2) as here:
        here.scheduled("plan")
        yield Before(here, here.hub.heads["main"], here.hub.heads["reconcile/plan"])


@pytest.fixture
def proposed(before: Before) -> World:
    """The same for each test, whatever the one before it did."""
    here, person = before.here, before.here.ops.directory
    git(person, "fetch", "-q", "origin")
    git(person, "reset", "-q", "--hard", before.main)
    git(person, "push", "-q", "-f", "origin", f"{before.main}:main", f"{before.plan}:reconcile/plan")
    del here.hub.pulls[1:]
    here.hub.pull(1).update(state="open", merged_at=None, merge_commit_sha=None)
    here.hub.comments.clear()
    return here


def tampered(here: World, change: Callable[[Path], None]) -> str:
    """Change what pull request 1 brings, as somebody who may push would; return what its check says."""
    person = here.ops.directory
    git(person, "fetch", "-q", "origin")
    git(person, "checkout", "-q", "-B", "work", "origin/reconcile/plan")
    change(person)
    git(person, "commit", "-q", "-a", "-m", "nothing to see here")
    git(person, "push", "-q", "origin", "HEAD:refs/heads/reconcile/plan")
    git(person, "checkout", "-q", "main")
    done = here.checked(1, actor="mallory")
    assert done[CHECK].result == done[VERDICT].result == "failure"
    assert "::warning title=state/ was not changed by the importer::" in done[CHECK].log
    [comment] = [c for c in here.hub.comments[1] if c["body"].startswith("<!-- reconcile: state-root -->")]
    assert "Not from the importer." in comment["body"]
    return done[CHECK].log


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        [path] = sorted(directory.glob(file))[:1]
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def test_a_plan_that_was_edited_is_refused(proposed: World) -> None:
    said = tampered(proposed, replaced("state/plan.json", '"action": "create"', '"action": "delete"'))
    assert "state/plan.json is not what `reconcile plan` writes for this tree" in said


def test_a_plan_whose_digest_was_edited_is_refused(proposed: World) -> None:
    def change(directory: Path) -> None:
        path = directory / "state/plan.json"
        plan = json.loads(path.read_text())
        path.write_text(path.read_text().replace(plan["digest"], "0" * 64))

    said = tampered(proposed, change)
    assert "state/plan.json was edited: everything that it was computed from is here as it says" in said


def test_state_that_was_edited_beside_its_plan_is_refused(proposed: World) -> None:
    said = tampered(proposed, replaced("state/guests/*/*.yaml", 'displayName: "', 'displayName: "X'))
    assert "state/guests and state/plan.json disagree: the plan was computed from another state/guests" in said


def test_settings_that_were_edited_beside_the_plan_are_refused(proposed: World) -> None:
    said = tampered(proposed, replaced("reconcile.yaml", "lifetime: 24h", "lifetime: 99h"))
    assert "reconcile.yaml and state/plan.json disagree" in said


def test_a_plan_whose_branch_is_behind_main_is_refused(proposed: World) -> None:
    policy = proposed.ops.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text() + "# a comment\n")
    proposed.ops.commit("the policy, meanwhile")
    done = proposed.checked(1)
    assert done[VERDICT].result == "failure"
    assert "the pull request is behind HEAD^1, where policies changed since" in done[CHECK].log
    assert "::warning" not in done.log


def test_a_policy_is_planned_from_its_own_tree_and_commented(proposed: World) -> None:
    """And a fork, whose token can write nothing, finds the same words in the summary."""
    proposed.merge(1)
    policy = proposed.ops.directory / "policies/guests.yaml"
    policy.write_text(
        policy.read_text().replace("displayName: guest.displayName", "displayName: '\"Guest \" + guest.id'")
    )
    number = proposed.propose("names")
    done = proposed.checked(number, actor="ada")
    assert set(done.results.values()) == {"success"}
    [comment] = proposed.hub.comments[number]
    assert comment["body"].startswith("<!-- reconcile: speculative-root -->\n")
    assert done[CHECK].summary.strip() in comment["body"].replace("\r", "")
    assert "flows.displayName" in comment["body"]

    asked = len(proposed.hub.asked)
    forked = proposed.checked(number, actor="mallory", fork=True)
    assert forked.results["reconcile/comment"] == "skipped"
    assert forked.results[VERDICT] == "success"
    assert forked[CHECK].summary == done[CHECK].summary
    assert proposed.hub.asked[asked:] == []

    person, branch = proposed.ops.directory, proposed.hub.pull(number)["head"]["ref"]
    git(person, "fetch", "-q", "origin")
    git(person, "checkout", "-q", "-B", "back", f"origin/{branch}")
    git(person, "checkout", "-q", "origin/main", "--", "policies")
    git(person, "commit", "-q", "-m", "On second thought")
    git(person, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    git(person, "checkout", "-q", "main")
    assert proposed.checked(number, actor="ada")[VERDICT].result == "success"
    [comment] = proposed.hub.comments[number]
    assert comment["body"].splitlines()[1].startswith("**No longer so.**")


def test_a_policy_with_a_mistake_is_refused_with_its_place(proposed: World) -> None:
    proposed.merge(1)
    policy = proposed.ops.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text().replace("guest.displayName", "guest.displayname"))
    done = proposed.checked(proposed.propose("typo"), actor="ada")
    assert done[VERDICT].result == "failure"
    assert "policies/guests.yaml:" in done[CHECK].log
    assert "displayname" in done[CHECK].log
    [comment] = proposed.hub.comments[2]
    assert "could not be computed" in comment["body"]


def test_no_job_of_the_check_sees_a_secret_or_signs_in(proposed: World) -> None:
    done = proposed.checked(1, actor=IMPORTER)
    assert {job.environment for job in done.jobs} == {None}
    given = [job.permissions for job in done.jobs]
    assert given == [{"contents": "read"}, {"contents": "read"}, {}, {"pull-requests": "write"}]


@pytest.mark.parametrize(("change", "result"), [(False, "success"), (True, "failure")], ids=["as it is", "edited"])
def test_a_merge_queue_gets_its_verdict_on_what_it_is_about_to_merge(
    proposed: World, before: Before, change: bool, result: str
) -> None:
    person, queue = proposed.ops.directory, "gh-readonly-queue/main/pr-1"
    git(person, "checkout", "-q", "-B", "work", "origin/main")
    git(person, "merge", "-q", "--squash", before.plan)
    git(person, "commit", "-q", "-m", "squashed by the queue")
    if change:
        replaced("state/plan.json", '"action": "create"', '"action": "delete"')(person)
    (person / "notes.txt").write_text("the next in the queue\n")
    git(person, "add", "-A")
    git(person, "commit", "-q", "-m", "and another one, rebased")
    git(person, "push", "-q", "-f", "origin", f"HEAD:refs/heads/{queue}")
    git(person, "checkout", "-q", "main")
    done = proposed.start(
        "check", Event("merge_group", f"refs/heads/{queue}", "ada", {"merge_group": {"base_sha": before.main}})
    )
    git(person, "push", "-q", "origin", "--delete", queue)
    assert (done[CHECK].result, done[VERDICT].result) == (result, result)
    assert done["reconcile/comment"].result == "skipped"


def test_a_server_that_keeps_no_artifacts_gives_the_same_verdict(proposed: World) -> None:
    proposed.repository.unsupported = WITHOUT_ARTIFACTS
    try:
        done = proposed.checked(1)
    finally:
        proposed.repository.unsupported = frozenset()
    assert set(done.results.values()) == {"success"}
    assert "actions/upload-artifact is not supported on this server" in done[CHECK].log


def test_a_push_of_a_plan_starts_the_apply_however_many_files_it_brings(before: Before) -> None:
    """GitHub compares `paths` with the first 300 files of a push alone (workflow syntax, "Git diff comparisons")."""
    text = (before.here.ops.directory / ".github/workflows/reconcile-apply.yml").read_text()
    # YAML 1.1 reads the word `on` as true
    wanted = yaml.safe_load(text)[True]["push"]["paths"]
    brought = ["state/manifest.yaml", "state/plan.json", "state/plan.md"]
    brought += [f"state/guests/{n >> 4:02x}/{n:03x}.yaml" for n in range(4096)]
    for folder in ("", "identity/production/"):
        first = sorted(f"{folder}{path}" for path in brought)[:300]
        assert any(_matches(pattern, path) for pattern in wanted for path in first)
    assert not any(_matches(pattern, path) for pattern in wanted for path in ("README.md", "policies/guests.yaml"))


def _matches(pattern: str, path: str) -> bool:
    rule = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*")
    assert r"\*" not in rule, pattern
    return re.fullmatch(rule, path) is not None
