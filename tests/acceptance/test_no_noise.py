"""A reviewer is asked once: unchanged, rejected, empty and outdated plans, and runs that touch nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.operations import git
from tests.support.reviewed import BRANCH, Reviewed, reviewed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Reviewed]:
    """Two guests, imported and proposed."""
    with reviewed(tmp_path, 2) as made:
        made.propose()
        yield made


@pytest.fixture
def settled(here: Reviewed) -> Reviewed:
    """Two guests that have their accounts: nothing to do, and the branch is gone, as the forge deletes merged ones."""
    here.approve_and_check(1)
    here.github.merge(1)
    del here.github.heads[BRANCH]
    here.pull()
    assert here.ok("apply", "--yes", "--json").json["counts"] == {"done": 2}
    return here


def rename(here: Reviewed, name: str = "Another", guest: int = 0) -> None:
    here.tenant.update(here.tenant.guests()[guest].id, displayName=name)


def untouched(here: Reviewed) -> str:
    """Import and propose; nothing may change on the remote or at the forge. Return what is said."""
    before = here.refs()
    said: str = here.propose()["message"]
    assert here.refs() == before
    assert here.github.written == []
    assert git(here.directory, "status", "--porcelain") == ""
    return said


def open_pulls(here: Reviewed) -> list[int]:
    return [p["number"] for p in here.github.pulls if here.github.current(p)["state"] == "open"]


# --- an import that plans nothing


def test_a_run_with_nothing_to_do_touches_nothing_and_asks_nobody(settled: Reviewed) -> None:
    assert untouched(settled).startswith("No changes: nothing to propose")
    assert settled.github.asked == []
    settled.tenant.update(settled.tenant.guests()[0].id, jobTitle="of no interest to the policy")
    settled.later(hours=20)
    assert untouched(settled).startswith("No changes")


def test_it_rides_with_the_next_plan(settled: Reviewed) -> None:
    untouched(settled)
    rename(settled)
    settled.propose()
    listed = git(settled.remote, "diff", "--name-only", "main", BRANCH).split()
    assert "state/manifest.yaml" in listed
    assert len(open_pulls(settled)) == 1


def test_before_the_delta_link_grows_old_it_is_committed_by_itself(settled: Reviewed) -> None:
    settled.later(days=4, hours=23)
    untouched(settled)
    settled.later(hours=2)
    tip = settled.github.heads["main"]
    said = settled.propose()
    assert "committed this one as" in said["message"]
    assert settled.github.written == []
    assert said["commit"] == settled.github.heads["main"]
    assert git(settled.remote, "rev-parse", "main^").strip() == tip
    changed = git(settled.remote, "diff", "--name-only", tip, "main").split()
    assert {"state/manifest.yaml", "state/plan.json"} <= set(changed) <= {*changed, "state/plan.md"}
    assert all(name.startswith("state/") for name in changed)
    settled.pull()
    assert untouched(settled).startswith("No changes")
    assert settled.ok("apply", "--yes", "--json").json["counts"] == {}


def test_where_the_branch_is_protected_it_is_proposed_by_itself(settled: Reviewed) -> None:
    protect(settled)
    settled.later(days=5, hours=1)
    tip = settled.github.heads["main"]
    settled.propose()
    assert settled.github.heads["main"] == tip
    [number] = open_pulls(settled)
    assert settled.github.pull(number)["title"] == "reconcile: import only, no changes"
    assert settled.github.labels[number] == ["reconcile/nothing"]
    assert "left as it is" in untouched(settled)
    rename(settled)
    settled.propose()
    assert open_pulls(settled) == [number]
    assert settled.github.pull(number)["title"] == "reconcile: 1 update"
    assert settled.github.labels[number] == ["reconcile/safe"]


def protect(here: Reviewed) -> None:
    """A rule of the remote: nobody pushes to main. Merging on the forge is not a push."""
    hook = here.remote / "hooks/update"
    hook.write_text(
        '#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "GH006: Protected branch update failed" >&2; exit 1; }\n'
    )
    hook.chmod(0o755)


# --- a plan that is merged and not applied yet


def merge_the_first(here: Reviewed) -> None:
    here.approve_and_check(1)
    here.github.merge(1)
    del here.github.heads[BRANCH]
    here.pull()


def test_between_the_merge_and_its_apply_the_same_is_not_proposed_again(here: Reviewed) -> None:
    merge_the_first(here)
    assert "waits to be applied: nothing is proposed" in untouched(here)
    assert here.ok("apply", "--yes", "--json").json["counts"] == {"done": 2}
    assert untouched(here).startswith("No changes")


def test_what_is_otherwise_or_grows_old_or_may_not_be_applied_is_proposed(here: Reviewed) -> None:
    merge_the_first(here)
    here.later(hours=13)
    here.propose()
    assert open_pulls(here) == [2]
    here.github.pull(2).update(state="closed")
    rename(here)
    here.propose()
    assert open_pulls(here) == [3]


def test_a_merged_plan_that_apply_refuses_is_proposed_again_as_the_refusal_says(here: Reviewed) -> None:
    here.github.merge(1)  # unapproved
    del here.github.heads[BRANCH]
    here.pull()
    assert here.run("apply", "--yes").code != 0
    here.propose()
    assert open_pulls(here) == [2]


# --- plain git, where there is nobody to ask


@pytest.fixture
def plain(settled: Reviewed) -> Reviewed:
    """The same, on a remote without pull requests."""
    settings = settled.directory / "reconcile.yaml"
    text = settings.read_text()
    settings.write_text(text[: text.index("forge:")] + "forge: {kind: git}\n")
    settled.commit("plain git")
    return settled


def test_on_plain_git_too_an_old_import_is_committed_and_a_pointless_plan_taken_back(plain: Reviewed) -> None:
    name = str(plain.tenant.guests()[0].properties["displayName"])
    rename(plain)
    assert plain.propose()["proposed"]
    assert "left as it is" in untouched(plain)
    rename(plain, name)
    assert "took back what was proposed" in plain.propose()["message"]
    assert BRANCH not in plain.github.heads
    untouched(plain)
    plain.later(days=5, hours=1)
    assert plain.propose()["commit"] == plain.github.heads["main"]
    assert plain.github.asked == []


def test_on_plain_git_a_branch_that_somebody_deleted_is_proposed_again(plain: Reviewed) -> None:
    rename(plain)
    plain.propose()
    del plain.github.heads[BRANCH]
    assert plain.propose()["proposed"]


# --- an unchanged plan


def test_an_unchanged_plan_keeps_its_pull_request_head_and_approvals(here: Reviewed) -> None:
    head = here.approve_and_check(1)
    for _ in range(2):
        here.later(hours=1)
        assert "already proposes exactly these changes" in untouched(here)
    assert here.github.current(here.github.pull(1))["head"]["sha"] == head


def test_it_is_renewed_before_it_expires_and_later_when_somebody_approved_it(here: Reviewed) -> None:
    first = here.github.heads[BRANCH]
    here.later(hours=12, minutes=1)
    here.propose()
    renewed = here.github.heads[BRANCH]
    assert renewed != first
    here.approve_and_check(1)
    here.later(hours=20)
    untouched(here)
    here.later(hours=1, minutes=30)
    here.propose()
    assert here.github.heads[BRANCH] != renewed
    assert open_pulls(here) == [1]


def test_an_approval_of_ones_own_does_not_keep_it(here: Reviewed) -> None:
    here.github.approve(1, here.github.me["login"])
    here.later(hours=13)
    head = here.github.heads[BRANCH]
    here.propose()
    assert here.github.heads[BRANCH] != head


def test_a_moved_base_matters_where_it_touches_what_is_planned(here: Reviewed) -> None:
    (here.directory / "README.md").write_text("hello\n")
    here.commit("words")
    untouched(here)
    policy = here.directory / "policies/guests.yaml"
    policy.write_text(policy.read_text() + "# reviewed\n")
    here.commit("policy")
    here.propose()
    assert git(here.remote, "rev-parse", f"{BRANCH}^") == git(here.remote, "rev-parse", "main")
    assert open_pulls(here) == [1]


def test_a_branch_that_was_updated_from_main_on_the_forge_is_left_alone(here: Reviewed) -> None:
    (here.directory / "README.md").write_text("hello\n")
    here.commit("words")
    remote = here.github.heads
    tree = git(here.remote, "merge-tree", "--write-tree", remote[BRANCH], remote["main"]).split()[0]
    git(here.remote, "update-ref", f"refs/heads/{BRANCH}", merged(here, tree))
    here.github.current(here.github.pull(1))
    untouched(here)


def merged(here: Reviewed, tree: str) -> str:
    parents = ["-p", here.github.heads[BRANCH], "-p", here.github.heads["main"]]
    return git(here.remote, "commit-tree", tree, *parents, "-m", "Merge branch main").strip()


def less(text: str) -> str:
    plan = json.loads(text)
    return json.dumps({**plan, "changes": plan["changes"][:1]})


def more(text: str) -> str:
    """With what is read as a number, and is none in JSON."""
    return text.replace("{", '{"note": [NaN, 1e999],', 1)


@pytest.mark.parametrize("edit", [less, more])
def test_a_proposal_that_somebody_edited_is_put_right(here: Reviewed, edit: Callable[[str], str]) -> None:
    proposed = here.github.heads[BRANCH]
    git(here.directory, "fetch", "-q", "origin", BRANCH)
    git(here.directory, "checkout", "-q", "FETCH_HEAD")
    plan = here.directory / "state/plan.json"
    plan.write_text(edit(plan.read_text()))
    git(here.directory, "commit", "-q", "-am", "edited")
    assert here.run("check").code == 4
    git(here.directory, "push", "-q", "origin", f"HEAD:{BRANCH}")
    git(here.directory, "checkout", "-q", "main")
    here.propose()
    mended = json.loads(git(here.remote, "show", f"{BRANCH}:state/plan.json"))
    assert len(mended["changes"]) == 2
    assert "note" not in mended
    assert (
        git(here.remote, "diff", "--name-only", "main", BRANCH).split()
        == git(here.remote, "diff", "--name-only", "main", proposed).split()
    )


@pytest.mark.parametrize("what", ["title", "body", "labels"])
def test_a_pull_request_that_says_something_else_than_its_head_is_put_right(here: Reviewed, what: str) -> None:
    """Somebody edited it; or a run pushed, and was cut off before it could say so."""
    head, pull = here.approve_and_check(1), here.github.pull(1)
    before = (pull["title"], pull["body"], here.github.labels[1])
    if what == "labels":
        here.github.labels[1] = ["reconcile/refused", "theirs"]
        before = (*before[:2], ["theirs", *before[2]])
    else:
        pull[what] = "Nothing to see here"
    here.propose()
    assert (pull["title"], pull["body"], here.github.labels[1]) == before
    assert here.github.current(pull)["head"]["sha"] == head
    untouched(here)


# --- nothing is left to do


def test_a_proposal_that_became_pointless_is_taken_back_and_is_no_rejection(settled: Reviewed) -> None:
    name = str(settled.tenant.guests()[0].properties["displayName"])
    rename(settled)
    settled.propose()
    [number] = open_pulls(settled)
    rename(settled, name)
    said = settled.propose()
    assert f"closed pull request {number}" in said["message"]
    assert open_pulls(settled) == []
    assert BRANCH not in settled.github.heads
    assert "Nothing is left to do" in settled.github.pull(number)["body"]
    assert untouched(settled).startswith("No changes: nothing to propose")
    rename(settled)
    settled.propose()
    assert len(open_pulls(settled)) == 1


# --- a rejected plan


def test_a_rejected_plan_is_remembered_until_it_differs(here: Reviewed) -> None:
    here.github.close(1)
    for _ in range(2):
        here.later(hours=13)
        said = untouched(here)
        assert "Pull request 1 (" in said
        assert "closed without merging: not proposed again until it differs" in said
    rename(here)
    here.propose()
    assert open_pulls(here) == [2]


def test_nor_does_deleting_its_branch_bring_it_back(here: Reviewed) -> None:
    del here.github.heads[BRANCH]
    assert "closed without merging" in untouched(here)


def test_reopening_it_does(here: Reviewed) -> None:
    here.github.close(1)
    untouched(here)
    here.github.pull(1).update(state="open", closed_at=None)
    assert "left as it is" in untouched(here)
    here.later(hours=13)
    here.propose()
    assert open_pulls(here) == [1]


def test_a_later_rejection_replaces_an_earlier_one(here: Reviewed) -> None:
    name = str(here.tenant.guests()[0].properties["displayName"])
    here.github.close(1)
    rename(here)
    here.propose()
    here.github.close(2)
    assert "Pull request 2 (" in untouched(here)
    rename(here, name)
    here.propose()
    assert open_pulls(here) == [3]


@pytest.mark.parametrize("where", ["text", "plan"])
def test_closing_another_plan_with_the_same_digest_written_on_it_rejects_nothing(here: Reviewed, where: str) -> None:
    """Somebody who may push wants one change never to be proposed, without showing it to anybody."""
    here.github.close(1)
    rename(here, "Wanted by nobody")
    here.ok("snapshot")
    target = here.ok("plan", "--json").json
    git(here.directory, "checkout", "-q", "--", "state")
    git(here.directory, "clean", "-fdq", "state")
    if where == "text":
        here.github.pull(1)["body"] += f"\nchanges digest `{target['changes_digest']}`"
    else:
        git(here.directory, "fetch", "-q", "origin", BRANCH)
        git(here.directory, "checkout", "-q", "FETCH_HEAD")
        (here.directory / "state/plan.json").write_text(json.dumps(target))
        git(here.directory, "commit", "-q", "-am", "forged")
        git(here.directory, "push", "-q", "origin", f"HEAD:{BRANCH}", "+HEAD:refs/pull/1/head")
        here.github.pull(1)["head"]["sha"] = git(here.directory, "rev-parse", "HEAD").strip()
        git(here.directory, "checkout", "-q", "main")
    here.propose()
    assert open_pulls(here) == [2]


def test_after_a_merge_nothing_is_remembered(here: Reviewed) -> None:
    here.github.close(1)
    here.github.pulls.append({**here.github.pull(1), "number": 2, "merged_at": "2026-05-02T00:00:00Z"})
    here.propose()
    assert open_pulls(here) == [3]


# --- a plan that a guard refuses


def test_a_refused_plan_is_proposed_and_marked_with_exit_code_3(settled: Reviewed) -> None:
    for guest in (0, 1):
        rename(settled, f"Another {guest}", guest)
    said = settled.propose(code=3)
    assert said["refused"]
    [number] = open_pulls(settled)
    assert settled.github.pull(number)["title"] == "reconcile: REFUSED by a guard: 2 update"
    assert settled.github.labels[number] == ["reconcile/refused"]
    before = settled.refs()
    assert settled.propose(code=3)["proposed"] is False
    assert (settled.refs(), settled.github.written) == (before, [])


# --- others at the same time


def test_nothing_is_proposed_while_somebody_applies(here: Reviewed) -> None:
    here.approve_and_check(1)
    here.github.merge(1)
    here.pull()
    said: list[str] = []

    def plan_job(method: str, path: str) -> None:
        if path.endswith("/reviews") and "refs/reconcile/lock" in here.refs() and not said:
            said.append("")
            said[0] = here.propose()["message"]

    here.github.meanwhile = plan_job
    assert here.ok("apply", "--yes", "--json").json["counts"] == {"done": 2}
    assert said[0].startswith("Nothing is proposed while the merged plan is being applied: locked by ")
    assert open_pulls(here) == []


def test_a_label_that_cannot_be_set_takes_nothing_back(here: Reviewed) -> None:
    rename(here)

    def forbidden(method: str, path: str) -> None:
        if path.endswith("/labels"):
            here.github.answers.append((403, {}, '{"message": "Resource not accessible by integration"}'))

    here.github.meanwhile = forbidden
    said = here.propose()
    assert said["proposed"]
    assert "It could not be labelled" in said["message"]
    assert open_pulls(here) == [1]
