"""The tree as it is on disk is the tree that `git add` makes, and nothing is added for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import GitError
from reconciler.git import disk
from reconciler.git.disk import DiskTree
from reconciler.git.repository import Repository
from reconciler.git.run import Git
from reconciler.git.trees import GitTree

from .conftest import FILES, Clone

PATHS = (
    "",
    "policies",
    "state",
    "state/guests",
    "state/guests/7c",
    "state/manifest.yaml",
    "reconcile.yaml",
    "state/no",
)


def same(repository: Repository) -> None:
    shutil.rmtree(
        repository.own_git_dir / "reconcile", ignore_errors=True
    )  # an index remembers earlier filters' results
    found, _ = repository.disk_tree({})
    exact = repository.work_tree()
    assert {p: found.oid(p) for p in PATHS} == {p: exact.oid(p) for p in PATHS}
    assert found.files("") == exact.files("")
    paths = [path for path, _ in exact.files("")]
    assert list(found.read_all(paths)) == list(exact.read_all(paths))
    assert list(found.narrowed(paths).read_all(paths)) == list(exact.narrowed(paths).read_all(paths))


@pytest.fixture(params=["", "identity/prod"], ids=["at the top", "below it"])
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Clone:
    root = tmp_path / "clone"
    root.mkdir()
    made = Clone(root, request.param)
    made.git("init", "-q")
    made.write(FILES)
    return made


def test_the_tree_on_disk_is_what_git_would_add(clone: Clone) -> None:
    same(clone.open())
    clone.write({"state/accounts/45/451.yaml": "a: 1\n", "state/claims.yaml": "b: 1\n", "state/.451.yaml.tmp": "x"})
    same(clone.open())


def test_several_processes_of_git_hash_what_one_does(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_MUCH", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3), raising=False)
    started: list[int] = []
    real = disk._hashed_by_one

    def noted(git: Git, prefix: str, paths: list[str]) -> list[str]:
        started.append(len(paths))
        return real(git, prefix, paths)

    monkeypatch.setattr(disk, "_hashed_by_one", noted)
    clone.write({f"state/guests/{n:02x}/{n:02x}0.yaml": f"a: {n}\n" for n in range(40)})
    same(clone.open())
    assert len(started) == 3


def test_nothing_is_added_to_the_repository(clone: Clone) -> None:
    clone.open().disk_tree({})
    assert clone.git("count-objects") == "0 objects, 0 kilobytes"


def test_line_endings_and_filters_count_as_git_counts_them(clone: Clone) -> None:
    clone.git("config", "core.autocrlf", "true")
    clone.write({"state/manifest.yaml": "serial: 1\r\n"})
    same(clone.open())
    (clone.root / ".gitattributes").write_text("*.yaml filter=shout\n")
    clone.git("config", "filter.shout.clean", "tr a-z A-Z")
    same(clone.open())


def test_what_decides_how_files_become_blobs_is_told_apart(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line changes one place that gitattributes(5) names; nothing else of the repository does."""
    monkeypatch.setenv("HOME", str(clone.root.parent))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    repository, found = clone.open(), [clone.open().filters()]

    (clone.root / ".git/info").mkdir(exist_ok=True)
    for change in (
        lambda: clone.git("config", "core.autocrlf", "true"),
        lambda: clone.git("config", "filter.shout.clean", "tr a-z A-Z"),
        lambda: (clone.root / ".gitattributes").write_text("*.yaml text\n"),
        lambda: (clone.root / ".gitattributes").write_text("*.yaml -text\n"),
        lambda: (clone.root / ".git/info/attributes").write_text("* text\n"),
        lambda: clone.git("config", "core.attributesFile", "~/mine"),
        lambda: (clone.root.parent / "mine").write_text("* eol=crlf\n"),
    ):
        change()
        found.append(repository.filters())
    assert len(set(found)) == len(found)
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    clone.git("config", "user.name", "Eva")
    assert repository.filters() == found[-1]


def test_attributes_within_are_left_to_git(clone: Clone) -> None:
    clone.write({"state/.gitattributes": "*.yaml text eol=crlf\n"})
    assert isinstance(clone.open().disk_tree({})[0], GitTree)


def test_the_tree_by_way_of_an_index_follows_changed_attributes(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 1\r\n"})
    before = clone.open().work_tree()
    (clone.root / ".gitattributes").write_text("*.yaml text\n")
    after = clone.open().work_tree()

    assert (before.read("state/manifest.yaml"), after.read("state/manifest.yaml")) == (b"serial: 1\r\n", b"serial: 1\n")


def test_a_file_that_may_run_and_a_repository_within_are_as_git_has_them(clone: Clone) -> None:
    (clone.directory / "state/manifest.yaml").chmod(0o755)
    assert isinstance(clone.open().disk_tree({})[0], GitTree)
    same(clone.open())
    (clone.directory / "state/manifest.yaml").chmod(0o644)
    clone.write({"state/naïve.yaml": "x: 1\n"})
    same(clone.open())


def test_a_symbolic_link_is_refused(clone: Clone) -> None:
    (clone.directory / "state/guests/7c/7c8.yaml").symlink_to("7c9.yaml")
    with pytest.raises(GitError, match="symbolic link"):
        clone.open().disk_tree({})


def test_what_did_not_change_is_not_read_again(clone: Clone) -> None:
    repository = clone.open()
    _, known = repository.disk_tree({})
    assert known == {}  # too new to be sure: a second write may leave the same times
    marked = {path: (*_marks(clone.directory / path), "0" * 40) for path in FILES}
    tree, _ = repository.disk_tree(marked)
    assert {oid for _, oid in tree.files("")} == {"0" * 40}
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    tree, _ = repository.disk_tree(marked)
    assert tree.oid("state/manifest.yaml") == clone.git("hash-object", str(clone.directory / "state/manifest.yaml"))


def test_a_file_of_the_same_size_and_time_is_known_by_when_its_entry_changed(clone: Clone) -> None:
    file = clone.directory / "state/manifest.yaml"
    marked = {"state/manifest.yaml": (*_marks(file), "0" * 40)}
    before = file.stat()
    file.write_text("serial: 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    tree, _ = clone.open().disk_tree(marked)
    assert tree.oid("state/manifest.yaml") != "0" * 40


def test_a_file_that_changes_while_it_is_read_is_told(clone: Clone) -> None:
    tree, _ = clone.open().disk_tree({})
    clone.write({"state/manifest.yaml": "serial: 3\n"})
    with pytest.raises(GitError, match="changed while it was being read"):
        tree.read("state/manifest.yaml")
    (clone.directory / "state/manifest.yaml").unlink()
    with pytest.raises(GitError, match="cannot be read"):
        tree.read("state/manifest.yaml")


def test_a_path_that_is_not_there(clone: Clone) -> None:
    tree, _ = clone.open().disk_tree({})
    assert isinstance(tree, DiskTree)
    assert tree.read("state/no.yaml") is None
    assert tree.read("state") is None
    with pytest.raises(GitError, match="no file"):
        list(tree.read_all(["state/no.yaml"]))


def _marks(file: Path) -> tuple[int, int, int, int]:
    seen = file.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "a0", "ab", "0"])


@settings(deadline=None, max_examples=15)
@given(st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=20), max_size=6))
def test_trees_are_named_as_git_names_them_whatever_the_names(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", root], check=True)
        for name, data in files.items():
            path = root / "state" / name
            if not path.is_dir() and not any(above.is_file() for above in path.parents):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        repository = Repository.open(root)
        found, exact = repository.disk_tree({})[0], repository.work_tree()
        assert found.files("") == exact.files("")
        assert found.oid("state") == exact.oid("state")
        assert found.oid("state/a") == exact.oid("state/a")


def test_a_repository_of_the_longer_hash(tmp_path: Path) -> None:
    made = Clone(tmp_path)
    made.git("init", "-q", "--object-format=sha256")
    made.write(FILES)
    same(made.open())


@pytest.mark.parametrize("prefix", ['"quoted"/prod', "new\nline", os.fsdecode(b"caf\xe9")])
def test_below_a_folder_of_any_name_it_is_the_tree_that_git_makes(tmp_path: Path, prefix: str) -> None:
    made = Clone(tmp_path / "odd", prefix)
    made.root.mkdir()
    made.git("init", "-q")
    made.commit(FILES)
    same(made.open())
