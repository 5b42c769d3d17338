"""The plan branch: state on top of the protected tip, and nothing else of the user's moved."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import GitError, StateError
from reconciler.git.proposal import Proposal, commit_state, plan_branch, propose, withdraw
from reconciler.git.tree import Tree

from .conftest import Clone, cloned

AS_OF = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def proposed(clone: Clone, message: str = "Plan\n\n2 changes") -> Proposal:
    repo = clone.open()
    return propose(repo, repo.work_tree(), remote="origin", branch="main", message=message, as_of=AS_OF)


def on_remote(clone: Clone, remote: Path, ref: str) -> str:
    return clone.git("ls-remote", str(remote), ref).partition("\t")[0]


def test_the_plan_branch_is_the_protected_tip_with_the_new_state(clone: Clone, remote: Path) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.write({"state/manifest.yaml": "serial: 2\n", "state/plan.md": "plan", "unrelated.txt": "mine"})
    made = proposed(clone)
    assert made == Proposal(made.commit, base, "reconcile/plan", pushed=True, previous=None, changed=True)
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == made.commit
    assert clone.git("rev-parse", f"{made.commit}^") == base
    changed = clone.git("diff", "--name-status", base, made.commit)
    assert changed == "M\tstate/manifest.yaml\nA\tstate/plan.md"
    assert clone.git("show", "-s", "--format=%an <%ae> %aI %cI%n%B", made.commit).strip() == (
        "Ada Identity <ada@contoso.test> 2026-03-01T06:00:00+00:00 2026-03-01T06:00:00+00:00\nPlan\n\n2 changes"
    )


def test_below_the_root_only_that_directorys_state_is_replaced(nested: Clone) -> None:
    base = nested.git("rev-parse", "HEAD")
    nested.write({"state/manifest.yaml": "serial: 2\n"})
    (nested.root / "README.md").write_text("edited, and nobody's business")
    made = proposed(nested)
    assert re.fullmatch(r"reconcile/plan-identity-prod-[0-9a-f]{6}", made.branch)
    assert made.branch == plan_branch(nested.open())
    changed = nested.git("-c", "core.quotePath=false", "diff", "--name-only", base, made.commit)
    assert changed == "identity/prod ü名/state/manifest.yaml"


def test_the_first_state_of_a_directory_is_added(remote: Path, tmp_path: Path) -> None:
    made = cloned(remote, tmp_path / "clone", "identity/prod")
    base = made.commit({"reconcile.yaml": "x", "policies/p.yaml": "y"})
    made.git("push", "-q", "origin", "main")
    made.write({"state/manifest.yaml": "serial: 1\n"})
    assert made.git("diff", "--name-only", base, proposed(made).commit) == "identity/prod/state/manifest.yaml"


def test_checkout_index_branches_and_files_stay_as_they_are(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n", "staged.txt": "staged"})
    clone.git("add", "staged.txt")

    def everything() -> tuple[str, ...]:
        return (
            clone.git("status", "--porcelain=v2", "--branch"),
            clone.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash"),
            (clone.root / ".git/HEAD").read_text(),
            clone.git("diff", "--cached"),
        )

    before = everything()
    proposed(clone)
    assert everything() == before


def test_proposing_the_same_again_pushes_nothing(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    first = proposed(clone)
    again = proposed(clone, message="said differently")
    assert (again.pushed, again.commit, again.previous) == (False, first.commit, first.commit)


def test_the_same_content_gives_the_same_commit_on_any_machine(clone: Clone, remote: Path, tmp_path: Path) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    first = proposed(clone)
    clone.git("push", "-q", "origin", "--delete", "reconcile/plan")
    other = cloned(remote, tmp_path / "other")
    other.write({"state/manifest.yaml": "serial: 2\n"})
    assert proposed(other).commit == first.commit


def test_a_new_plan_replaces_the_old_one_and_starts_from_the_new_tip(clone: Clone, remote: Path) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    first = proposed(clone)
    clone.git("checkout", "-q", "--", "state")
    tip = clone.commit({"README.md": "new"})
    clone.git("push", "-q", "origin", "main")
    clone.write({"state/manifest.yaml": "serial: 3\n"})
    second = proposed(clone)
    assert (second.base, second.previous, second.pushed) == (tip, first.commit, True)
    assert clone.git("rev-parse", f"{second.commit}^") == tip
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == second.commit


def test_a_local_commit_that_was_not_pushed_is_not_proposed(clone: Clone) -> None:
    clone.commit({"README.md": "local"})
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    assert "README.md" not in clone.git("ls-tree", "-r", "--name-only", proposed(clone).commit)


@pytest.mark.parametrize("reviewed", ["policies/guests.yaml", "reconcile.yaml"])
def test_a_plan_from_another_policy_than_the_tips_is_refused(clone: Clone, remote: Path, reviewed: str) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n", reviewed: "edited here only\n"})
    with pytest.raises(GitError, match=r"differ: merging would yield another plan") as refused:
        proposed(clone)
    assert reviewed.split("/", maxsplit=1)[0] in refused.value.what
    assert "pull" in refused.value.remedy
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == ""


def test_the_caller_sees_the_tips_tree_and_can_refuse(clone: Clone, remote: Path) -> None:
    def newer(tip: Tree) -> None:
        assert tip.read("state/manifest.yaml") == b"serial: 1\n"
        raise StateError("the tip's import is newer")

    clone.write({"state/manifest.yaml": "serial: 0\n"})
    repo = clone.open()
    with pytest.raises(StateError):
        propose(repo, repo.work_tree(), remote="origin", branch="main", message="m", as_of=AS_OF, check=newer)
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == ""


def test_without_state_there_is_nothing_to_propose(clone: Clone) -> None:
    clone.git("rm", "-r", "-q", "state")
    with pytest.raises(GitError, match="reconcile snapshot"):
        proposed(clone)


def test_unchanged_state_is_said_so(clone: Clone) -> None:
    assert proposed(clone).changed is False


def test_signing_and_hooks_of_the_user_do_not_get_in_the_way(clone: Clone) -> None:
    clone.git("config", "commit.gpgsign", "true")
    clone.git("config", "gpg.program", "/bin/false")
    hooks = clone.root / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-push", "pre-commit", "commit-msg", "reference-transaction", "post-index-change"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    assert proposed(clone).pushed


def test_a_detached_head_and_a_linked_worktree_can_propose(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Clone(tmp_path / "linked")
    linked.write({"state/manifest.yaml": "serial: 2\n"})
    assert proposed(linked).pushed


def test_a_remote_that_declines_is_quoted(clone: Clone, remote: Path) -> None:
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'policy: \033[31mno plans on fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    with pytest.raises(GitError, match="no plans on fridays") as refused:
        proposed(clone)
    assert "\033" not in str(refused.value)
    assert "pre-receive hook declined" in refused.value.what
    assert "rules" in refused.value.remedy


def committed(clone: Clone) -> str | None:
    repo = clone.open()
    return commit_state(repo, repo.work_tree(), remote="origin", branch="main", message="Import", as_of=AS_OF)


def test_state_is_committed_to_the_protected_branch_where_its_rules_allow_it(clone: Clone, remote: Path) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.write({"state/manifest.yaml": "serial: 2\n", "unrelated.txt": "mine"})
    made = committed(clone)
    assert made == on_remote(clone, remote, "refs/heads/main")
    assert clone.git("rev-parse", f"{made}^") == base
    assert clone.git("diff", "--name-status", base, str(made)) == "M\tstate/manifest.yaml"
    assert clone.git("rev-parse", "HEAD") == base
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == ""


def test_where_the_rules_refuse_it_nothing_is_committed(clone: Clone, remote: Path) -> None:
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho GH013: Repository rule violations found for refs/heads/main >&2\nexit 1\n")
    hook.chmod(0o755)
    base = clone.git("rev-parse", "HEAD")
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    assert committed(clone) is None
    assert on_remote(clone, remote, "refs/heads/main") == base


def test_a_proposal_is_taken_back_unless_somebody_moved_it(clone: Clone, remote: Path) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    made = proposed(clone)
    assert not withdraw(clone.open(), "origin", made.base)
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == made.commit
    assert withdraw(clone.open(), "origin", made.commit)
    assert on_remote(clone, remote, "refs/heads/reconcile/plan") == ""


def test_a_persons_configuration_of_git_neither_stops_a_proposal_nor_sends_their_tags_along(
    clone: Clone, remote: Path
) -> None:
    clone.git("tag", "-a", "-m", "mine alone", "mine")
    for name, value in (("diff.orderFile", "/nonexistent"), ("push.followTags", "true"), ("push.default", "nothing")):
        clone.git("config", name, value)
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    assert (proposed(clone).pushed, proposed(clone).pushed) == (True, False)
    assert on_remote(clone, remote, "refs/tags/*") == ""


def test_a_remote_that_wants_no_rewritten_branch_is_quoted_with_what_to_let(clone: Clone, remote: Path) -> None:
    clone.git("--git-dir", str(remote), "config", "receive.denyNonFastForwards", "true")
    for serial in (2, 3):
        clone.write({"state/manifest.yaml": f"serial: {serial}\n"})
        if serial == 2:
            proposed(clone)
    with pytest.raises(GitError, match="denying non-fast-forward") as refused:
        proposed(clone)
    assert all(line == line.strip() and "\\x09" not in line for line in refused.value.what.splitlines())
    assert "rules refuse this push" in refused.value.remedy


def test_options_for_the_forge_go_along_with_the_push_and_not_without_one(
    clone: Clone, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a pipeline on GitLab has its merge request opened. A push that would change nothing is none, there too."""
    clone.git("--git-dir", str(remote), "config", "receive.advertisePushOptions", "true")
    told = remote / "told"
    hook = remote / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\necho "$GIT_PUSH_OPTION_0" >> {told}\n')
    hook.chmod(0o755)
    for name, value in (("COUNT", "1"), ("KEY_0", "push.pushOption"), ("VALUE_0", "merge_request.create")):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    assert (proposed(clone).pushed, proposed(clone).pushed) == (True, False)
    assert told.read_text() == "merge_request.create\n"
