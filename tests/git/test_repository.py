"""The operations directory as git trees: on disk and as of a commit."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import GitError
from reconciler.git.repository import Repository, ref_safe
from reconciler.git.run import Git, Result

from .conftest import FILES, Clone, cloned


def test_the_work_tree_and_the_commit_of_the_same_content_are_the_same_trees(clone: Clone) -> None:
    repo = clone.open()
    on_disk, committed = repo.work_tree(), repo.at("HEAD")
    for path in ("policies", "state", "state/guests", "reconcile.yaml", "state/guests/7c/7c9.yaml"):
        assert on_disk.oid(path) == committed.oid(path) == clone.git("rev-parse", f"HEAD:{path}")


def test_below_the_root_paths_start_at_the_operations_directory(nested: Clone) -> None:
    repo = nested.open()
    assert (repo.root, repo.prefix) == (nested.root, "identity/prod ü名")
    for tree in (repo.work_tree(), repo.at("HEAD")):
        assert tree.oid("policies") == nested.git("rev-parse", "HEAD:identity/prod ü名/policies")
        assert [path for path, _ in tree.files("")] == sorted(FILES)


def test_files_are_listed_sorted_and_read_in_the_order_asked(clone: Clone) -> None:
    names = ["state/guests/ff/ff0.yaml", "state/guests/00/000.yaml", "state/guests/naïve 名.yaml"]
    clone.write({name: f"{name}\n\0binary" for name in names})
    tree = clone.open().work_tree()
    assert [path for path, _ in tree.files("state/guests")] == sorted([*names, "state/guests/7c/7c9.yaml"])
    assert list(tree.read_all(names)) == [(name, f"{name}\n\0binary".encode()) for name in names]


def test_what_is_not_there_is_none(clone: Clone) -> None:
    tree = clone.open().work_tree()
    assert tree.oid("state/claims.yaml") is None
    assert tree.read("state/claims.yaml") is None
    assert tree.read("state") is None
    assert tree.files("state/accounts") == []
    with pytest.raises(GitError, match=r"state/claims\.yaml is no file"):
        list(tree.read_all(["state/claims.yaml"]))


def test_more_files_than_two_pipes_hold_are_read_and_a_reader_may_stop_early(clone: Clone) -> None:
    clone.write({f"state/guests/{n}.yaml": f"{n}" * 50 for n in range(3000)})
    tree = clone.open().work_tree()
    paths = [path for path, _ in tree.files("state/guests")]
    assert sum(len(content) for _, content in tree.read_all(paths)) > 3000 * 50
    first = tree.read_all(paths)
    assert next(first)[0] == paths[0]
    first.close()  # type: ignore[attr-defined]


def test_an_edit_of_the_same_size_in_the_same_moment_is_seen(clone: Clone) -> None:
    repo = clone.open()
    for round_ in range(20):
        clone.write({"state/manifest.yaml": f"serial: {round_ % 10}\n"})
        assert repo.work_tree().read("state/manifest.yaml") == f"serial: {round_ % 10}\n".encode()


def test_an_edit_within_the_same_tick_of_the_clock_is_seen(clone: Clone) -> None:
    """git knows such an edit only by its index being no younger than the file: our copy has to keep the index's time."""
    clone.git("config", "core.trustctime", "false")
    repo, tick = clone.open(), 1_700_000_000_000_000_000
    manifest = clone.root / "state/manifest.yaml"
    os.utime(manifest, ns=(tick, tick))
    repo.work_tree()
    os.utime(clone.root / ".git/reconcile/index-", ns=(tick, tick))
    manifest.write_text("serial: 2\n")
    os.utime(manifest, ns=(tick, tick))
    assert repo.work_tree().read("state/manifest.yaml") == b"serial: 2\n"


def test_files_that_went_away_are_gone_from_the_tree(clone: Clone) -> None:
    repo = clone.open()
    repo.work_tree()
    (clone.root / "reconcile.yaml").unlink()
    (clone.root / "state/guests/7c/7c9.yaml").unlink()
    tree = repo.work_tree()
    assert [path for path, _ in tree.files("")] == ["policies/guests.yaml", "state/manifest.yaml"]


def test_a_directory_with_nothing_of_ours_is_an_empty_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True)
    repo = Repository.open(tmp_path / "r")
    assert repo.head() is None
    assert repo.work_tree().files("") == []


def test_only_what_belongs_to_an_operations_directory_is_read(clone: Clone) -> None:
    clone.write({"secrets.txt": "no", "src/x.py": "no"})
    assert [path for path, _ in clone.open().work_tree().files("")] == sorted(FILES)


def test_ignore_rules_do_not_hide_state(clone: Clone) -> None:
    clone.write({".gitignore": "state/\n*.yaml\n", "state/claims.yaml": "x"})
    assert clone.open().work_tree().read("state/claims.yaml") == b"x"


def test_the_users_index_and_head_are_not_touched(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n", "other.txt": "staged"})
    clone.git("add", "other.txt")
    index, status = (clone.root / ".git/index").read_bytes(), clone.git("status", "--porcelain=v2", "--branch")
    clone.open().work_tree()
    assert (clone.root / ".git/index").read_bytes() == index
    assert clone.git("status", "--porcelain=v2", "--branch") == status


def test_our_own_index_cut_off_by_a_power_cut_is_made_again(clone: Clone) -> None:
    repo = clone.open()
    expected = repo.work_tree().oid("state")
    [index] = (clone.root / ".git/reconcile").iterdir()
    index.write_bytes(index.read_bytes()[:40])
    assert repo.work_tree().oid("state") == expected


def test_objects_pruned_since_the_last_call_are_written_again(clone: Clone) -> None:
    repo = clone.open()
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    repo.work_tree()
    clone.git("gc", "-q", "--prune=now")
    assert repo.work_tree().read("state/manifest.yaml") == b"serial: 2\n"


def test_concurrent_calls_agree(clone: Clone) -> None:
    clone.write({f"state/guests/{n}.yaml": str(n) for n in range(200)})
    repo = clone.open()
    with ThreadPoolExecutor(4) as pool:
        found = {tree.oid("state") for tree in pool.map(lambda _n: repo.work_tree(), range(12))}
    assert len(found) == 1
    assert os.listdir(clone.root / ".git/reconcile") == ["index-"]  # noqa: PTH208


@pytest.mark.parametrize("place", ["state/guests/7c/7c9.yaml", "state", "reconcile.yaml"])
def test_a_symbolic_link_is_refused_by_name(clone: Clone, tmp_path: Path, place: str) -> None:
    (tmp_path / "elsewhere").write_text("secret")
    clone.git("rm", "-r", "-q", place)
    (clone.root / place).parent.mkdir(parents=True, exist_ok=True)
    (clone.root / place).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GitError, match=f"{place} is a symbolic link"):
        clone.open().work_tree().read("state/manifest.yaml")


def test_with_autocrlf_the_tree_is_still_the_committed_one(clone: Clone) -> None:
    clone.git("config", "core.autocrlf", "true")
    clone.git("config", "core.safecrlf", "true")
    committed = clone.git("rev-parse", "HEAD:state")
    clone.write({"state/manifest.yaml": "serial: 1\r\n"})
    tree = clone.open().work_tree()
    assert tree.oid("state") == committed
    assert tree.read("state/manifest.yaml") == b"serial: 1\n"


def test_a_sparse_checkout_does_not_hide_state(clone: Clone) -> None:
    clone.commit({"docs/x.md": "x"})
    clone.git("sparse-checkout", "set", "docs")
    clone.write(FILES)
    assert clone.open().work_tree().oid("state") == clone.git("rev-parse", "HEAD:state")


def test_a_linked_worktree_has_its_own_files_and_the_same_database(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Clone(tmp_path / "linked")
    linked.write({"state/manifest.yaml": "serial: 9\n"})
    repo = linked.open()
    assert repo.git_dir == clone.root / ".git"
    assert repo.head() == clone.git("rev-parse", "HEAD")
    assert repo.work_tree().read("state/manifest.yaml") == b"serial: 9\n"
    assert clone.open().work_tree().read("state/manifest.yaml") == b"serial: 1\n"


def test_sha256_repositories_work(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(tmp_path / "r")], check=True)
    made = Clone(tmp_path / "r")
    made.commit(FILES)
    repo = made.open()
    assert len(repo.work_tree().oid("state") or "") == 64
    assert repo.work_tree().oid("state") == repo.at("HEAD").oid("state")
    assert repo.at("HEAD").read("reconcile.yaml") == b"kind: Settings\n"


def test_a_bare_repository_can_be_read_but_has_no_work_tree(clone: Clone, remote: Path) -> None:
    repo = Repository.open(remote)
    assert repo.bare
    assert repo.at("main").read("state/manifest.yaml") == b"serial: 1\n"
    with pytest.raises(GitError, match="bare repository"):
        repo.work_tree()


def test_in_a_bare_repository_the_prefix_is_given(nested: Clone, remote: Path) -> None:
    assert Repository.open(remote, nested.prefix).at("main").read("reconcile.yaml") == b"kind: Settings\n"


def test_before_the_first_commit_the_remedy_is_to_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    with pytest.raises(GitError, match="nothing is committed here yet") as refused:
        Repository.open(tmp_path).at("HEAD")
    assert "git commit" in refused.value.remedy


@pytest.mark.parametrize("rev", ["nothing", "--all", "HEAD:state", ""])
def test_a_name_that_is_no_commit_is_refused(clone: Clone, rev: str) -> None:
    with pytest.raises(GitError, match="no commit"):
        clone.open().at(rev)


def test_a_prefix_that_a_commit_does_not_have_is_empty(clone: Clone) -> None:
    (clone.root / "new").mkdir()
    assert Repository.open(clone.root / "new").at("HEAD").files("") == []


def test_fetch_returns_the_remotes_tip_and_moves_nothing_local(clone: Clone, remote: Path, tmp_path: Path) -> None:
    pushed = cloned(remote, tmp_path / "other")
    tip = pushed.commit({"state/manifest.yaml": "serial: 2\n"})
    pushed.git("push", "-q", "origin", "main")
    before = clone.git("for-each-ref", "refs/heads", "refs/remotes"), clone.git("rev-parse", "HEAD")
    repo = clone.open()
    assert repo.fetch("origin", "main") == tip
    assert repo.at(tip).read("state/manifest.yaml") == b"serial: 2\n"
    assert (clone.git("for-each-ref", "refs/heads", "refs/remotes"), clone.git("rev-parse", "HEAD")) == before


def test_a_branch_that_stands_where_it_stood_is_not_fetched_again(
    clone: Clone, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, started = clone.open(), list[str]()
    before = repo.fetch("origin", "main")
    run = Git.run

    def noting(self: Git, *args: str, **named: Any) -> Result:
        started.append(args[0])
        return run(self, *args, **named)

    monkeypatch.setattr(Git, "run", noting)
    assert repo.fetch("origin", "main") == before
    assert "fetch" not in started
    pushed = cloned(remote, tmp_path / "colleague").commit({"state/manifest.yaml": "serial: 2\n"})
    subprocess.run(["git", "push", "-q", "origin", "main"], cwd=tmp_path / "colleague", check=True)
    assert repo.fetch("origin", "main") == pushed
    assert "fetch" in started
    assert repo.at(pushed).read("state/manifest.yaml") == b"serial: 2\n"


def test_the_settings_are_read_alone(nested: Clone, remote: Path) -> None:
    repo = nested.open()
    nested.write({"reconcile.yaml": "kind: Edited\n", "state/guests/00/000.yaml": "guests: 2\n"})
    tree = repo.settings_tree()
    assert tree.read("reconcile.yaml") == b"kind: Edited\n"
    assert [path for path, _ in tree.files("")] == ["reconcile.yaml"]
    assert repo.work_tree().read("state/guests/00/000.yaml") == b"guests: 2\n"
    assert Repository.open(remote, nested.prefix).settings_tree().read("reconcile.yaml") == b"kind: Settings\n"


def test_settings_that_are_a_symbolic_link_are_refused(clone: Clone) -> None:
    file = clone.directory / "reconcile.yaml"
    file.unlink()
    file.symlink_to("policies/guests.yaml")
    with pytest.raises(GitError, match=r"reconcile\.yaml is a symbolic link"):
        clone.open().settings_tree().read("reconcile.yaml")


def test_fetching_into_a_bare_repository_works(clone: Clone, remote: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(remote), str(tmp_path / "b.git")], check=True)
    assert Repository.open(tmp_path / "b.git").fetch("origin", "main") == clone.git("rev-parse", "HEAD")


def test_fetching_into_a_shallow_clone_works(clone: Clone, remote: Path, tmp_path: Path) -> None:
    clone.commit({"state/manifest.yaml": "serial: 2\n"})
    clone.git("push", "-q", "origin", "main")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{remote}", str(tmp_path / "s")], check=True)
    tip = clone.commit({"state/manifest.yaml": "serial: 3\n"})
    clone.git("push", "-q", "origin", "main")
    repo = Repository.open(tmp_path / "s")
    assert repo.at(repo.fetch("origin", "main")).read("state/manifest.yaml") == b"serial: 3\n"
    assert repo.fetch("origin", "main") == tip


def test_a_branch_the_remote_does_not_have_is_an_error(clone: Clone) -> None:
    with pytest.raises(GitError, match="no branch release"):
        clone.open().fetch("origin", "release")


def test_an_unknown_remote_is_an_error_with_a_remedy(clone: Clone) -> None:
    with pytest.raises(GitError) as refused:
        clone.open().fetch("upstream", "main")
    assert "git remote -v" in refused.value.remedy


@pytest.mark.parametrize(
    ("remote_name", "branch"), [("--upload-pack=touch x", "main"), ("origin", "a:b"), ("origin", "*")]
)
def test_settings_cannot_smuggle_options_or_patterns_into_git(clone: Clone, remote_name: str, branch: str) -> None:
    with pytest.raises(GitError, match="not a remote and a ref"):
        clone.open().fetch(remote_name, branch)


def test_concurrent_fetches_of_the_same_branch_all_succeed(clone: Clone) -> None:
    repo = clone.open()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _n: repo.fetch("origin", "main"), range(8))) == {clone.git("rev-parse", "HEAD")}


def test_operations_directories_have_slugs_that_never_collide() -> None:
    names = ["identity/prod", "identity-prod", "identity", "identity/prod/", "名前", "a.lock", "x" * 300]
    slugs = [ref_safe(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert slugs[0].startswith("identity-prod-")
    for slug in slugs:
        checked = subprocess.run(["git", "check-ref-format", f"refs/heads/reconcile/plan-{slug}"], check=False)
        assert checked.returncode == 0


def test_remotes_are_listed_without_their_credentials(clone: Clone) -> None:
    clone.git("remote", "add", "forge", "https://x-access-token:secret@forge.test/r.git")
    assert clone.open().remotes() == {
        "origin": str(clone.root.parent / "remote.git"),
        "forge": "https://***@forge.test/r.git",
    }


def test_commits_name_the_configured_person_or_else_the_program(clone: Clone, tmp_path: Path) -> None:
    repo = clone.open()
    assert repo.identity()["GIT_AUTHOR_NAME"] == "Ada Identity"
    (tmp_path / "home/.gitconfig").unlink()
    assert repo.identity() == {
        "GIT_AUTHOR_NAME": "reconcile",
        "GIT_AUTHOR_EMAIL": "reconcile@localhost",
        "GIT_COMMITTER_NAME": "reconcile",
        "GIT_COMMITTER_EMAIL": "reconcile@localhost",
    }


READ_ONLY = Path("/sys/kernel")
"""A place where not even root can make a file."""


def test_where_the_repository_cannot_be_written_the_files_are_read_all_the_same(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 7\n"})
    repo = clone.open()
    for alone in (replace(repo, own_git_dir=READ_ONLY), repo):
        tree = alone.files_tree()
        assert tree.read("state/manifest.yaml") == b"serial: 7\n"
        assert [tree.oid(name) for name in ("state", "policies")] == [
            repo.work_tree().oid(name) for name in ("state", "policies")
        ]


def test_a_file_that_lfs_keeps_is_named_and_never_read_as_its_pointer(clone: Clone) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    clone.commit({"state/manifest.yaml": pointer})
    tree = clone.open().at("HEAD")
    for files in (tree, tree.narrowed(["state/manifest.yaml"])):
        with pytest.raises(GitError, match=r"state/manifest\.yaml is kept by Git LFS"):
            list(files.read_all(["state/manifest.yaml"]))
