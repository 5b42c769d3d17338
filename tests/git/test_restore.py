"""Putting `state/` back as it was committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.git.proposal import restore_state
from reconciler.git.repository import Repository

from .conftest import Clone


def test_edited_removed_and_new_files_are_back_and_the_status_is_clean(clone: Clone) -> None:
    clone.write({"state/manifest.yaml": "serial: 2\n", "state/accounts/45/451.yaml": "x", "state/plan.json": "{}"})
    (clone.root / "state/guests/7c/7c9.yaml").unlink()
    restore_state(clone.open())
    assert clone.git("status", "--porcelain", "--ignored") == ""
    assert not (clone.root / "state/accounts").exists()
    assert (clone.root / "state/manifest.yaml").read_text() == "serial: 1\n"


def test_ignored_and_staged_files_under_state_go_too(clone: Clone) -> None:
    clone.commit({".gitignore": "*.json\n"})
    clone.write({"state/plan.json": "{}", "state/claims.yaml": "staged", "state/manifest.yaml": "serial: 2\n"})
    clone.git("add", "state/claims.yaml", "state/manifest.yaml")
    restore_state(clone.open())
    assert clone.git("status", "--porcelain", "--ignored") == ""


def test_everything_outside_state_stays(nested: Clone) -> None:
    nested.write({"policies/guests.yaml": "edited", "new.txt": "untracked", "staged.txt": "staged", "state/x": "x"})
    (nested.root / "state").mkdir()
    (nested.root / "state/theirs").write_text("another directory's")
    nested.git("add", "identity/prod ü名/staged.txt")
    restore_state(nested.open())
    assert nested.git("-c", "core.quotePath=false", "status", "--porcelain", "-uall").splitlines() == [
        ' M "identity/prod ü名/policies/guests.yaml"',
        'A  "identity/prod ü名/staged.txt"',
        '?? "identity/prod ü名/new.txt"',
        "?? state/theirs",
    ]


def test_links_are_removed_and_not_followed(clone: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    (clone.root / "state/link").symlink_to(outside)
    clone.git("rm", "-r", "-q", "--cached", "state/guests")
    (clone.root / "state/guests/7c/7c9.yaml").unlink()
    (clone.root / "state/guests/7c").rmdir()
    (clone.root / "state/guests").rmdir()
    (clone.root / "state/guests").symlink_to(outside)
    restore_state(clone.open())
    assert clone.git("status", "--porcelain") == ""
    assert [path.name for path in outside.iterdir()] == ["precious"]
    assert (clone.root / "state/guests/7c/7c9.yaml").read_text() == "guests: 1\n"


def test_state_itself_replaced_by_a_link_is_put_back_and_its_target_left_alone(clone: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (clone.root / "state").rename(outside)
    (outside / "manifest.yaml").write_text("theirs")
    (outside / "extra").write_text("theirs")
    (clone.root / "state").symlink_to(outside)
    restore_state(clone.open())
    assert clone.git("status", "--porcelain") == ""
    assert not (clone.root / "state").is_symlink()
    assert (outside / "manifest.yaml").read_text() == "theirs"
    assert (outside / "extra").exists()


def test_state_that_was_never_committed_is_removed(clone: Clone) -> None:
    clone.git("rm", "-r", "-q", "state")
    clone.git("commit", "-q", "-m", "no state yet")
    clone.write({"state/manifest.yaml": "serial: 1\n"})
    restore_state(clone.open())
    assert not (clone.root / "state").exists()


def test_with_autocrlf_the_status_is_clean_too(clone: Clone) -> None:
    clone.git("config", "core.autocrlf", "true")
    clone.write({"state/manifest.yaml": "serial: 2\n"})
    restore_state(clone.open())
    assert clone.git("status", "--porcelain") == ""


def test_a_bare_repository_has_nothing_to_restore(clone: Clone, remote: Path) -> None:
    with pytest.raises(GitError, match="bare"):
        restore_state(Repository.open(remote))
