"""A tree with some files of its own is the tree that it would be if they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.git.overlay import Overlay

from .conftest import FILES, Clone
from .test_disk import PATHS

NEW, OTHER = "state/guests/aa/aab.yaml", "state/guests/7c/7c9.yaml"
GONE = "state/accounts/45/451.yaml"


@pytest.mark.parametrize("disk", [True, False], ids=["on disk", "in git"])
def test_it_is_the_tree_that_git_would_make(tmp_path: Path, *, disk: bool) -> None:
    clone = Clone(tmp_path, "")
    clone.git("init", "-q")
    clone.write({**FILES, GONE: "gone: 1\n"})
    base = clone.open().disk_tree({})[0] if disk else clone.open().work_tree()
    over = {NEW: b"new: 1\n", OTHER: b"other: 1\n", GONE: None, "state/no": None}
    laid = Overlay(base, over)
    paths = [path for path, _ in laid.files("")]
    contents = dict(laid.read_all(paths))
    for path, data in over.items():
        assert laid.read(path) == data
        file = tmp_path / path
        if data is None:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    exact = clone.open().work_tree()
    assert laid.files("") == exact.files("")
    assert {p: laid.oid(p) for p in (*PATHS, *paths)} == {p: exact.oid(p) for p in (*PATHS, *paths)}
    assert contents == dict(exact.read_all(paths))
    assert dict(laid.narrowed(paths).read_all(paths)) == contents


def test_a_file_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    clone = Clone(tmp_path, "")
    clone.git("init", "-q")
    clone.write(FILES)
    laid = Overlay(clone.open().work_tree(), {"reconcile.yaml": None})
    with pytest.raises(GitError, match=r"reconcile\.yaml is not there any more"):
        list(laid.read_all(["reconcile.yaml"]))
