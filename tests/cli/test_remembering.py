"""What is remembered of files on disk holds for the line endings and filters that it was made under."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.remembering import working_tree
from reconciler.git import disk
from reconciler.git.repository import Repository
from reconciler.incremental.cache import Cache
from tests.support.operations import git


def test_given_remembered_files_when_line_endings_are_treated_otherwise_then_they_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SETTLED_NS", -3_600_000_000_000)  # a file is remembered at once
    root = tmp_path / "identity"
    (root / "state").mkdir(parents=True)
    file = root / "state/manifest.yaml"
    file.write_bytes(b"serial: 1\r\n")
    git(root, "init", "-q")
    cache = Cache(tmp_path / "cache.db")
    repository = Repository.open(root)
    known = working_tree(repository, cache).oid("state/manifest.yaml")
    (root / ".gitattributes").write_text("*.yaml text\n")
    now = working_tree(repository, cache).oid("state/manifest.yaml")
    cache.close()

    assert known != now
    assert now == git(root, "hash-object", "state/manifest.yaml").strip()
