"""`reconcile targets`: what counts as an operations directory, under which names, and which of them wait for an apply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main
from tests.support.operations import environment, git
from tests.support.reviewed import Reviewed, reviewed


@pytest.fixture
def top(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main", "top")
    return tmp_path / "top"


def committed(top: Path, *files: str) -> None:
    for file in files:
        path = top / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "files")


def listed(top: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["-C", str(top), "targets", "--json"], env=environment(top.parent)) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["targets"]
    return found


def test_settings_with_policies_or_state_beside_them_are_a_directory(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed(top, "a/b/reconcile.yaml", "a/b/policies/x.yaml", "c/reconcile.yaml", "c/state/manifest.yaml")
    committed(top, "template/reconcile.yaml", "other/policies/x.yaml", "d/not-reconcile.yaml", "d/policies/x.yaml")
    (top / "e/policies").mkdir(parents=True)
    (top / "e/reconcile.yaml").write_text("not committed\n")
    assert [target["directory"] for target in listed(top, capsys)] == ["a/b", "c"]
    assert [target["directory"] for target in listed(top / "a", capsys)] == ["a/b", "c"]


def test_the_top_has_the_plain_names_and_others_carry_their_slug(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(top, "reconcile.yaml", "policies/x.yaml", "root/reconcile.yaml", "root/policies/x.yaml")
    first, second = listed(top, capsys)
    assert first == {"directory": ".", "name": "root", "branch": "reconcile/plan", "plan": "plan", "apply": "ad-apply"}
    assert re.fullmatch(r"root-[0-9a-f]{6}", second["name"])
    assert second["branch"] == f"reconcile/plan-{second['name']}"
    assert (second["plan"], second["apply"]) == (f"plan-{second['name']}", f"ad-apply-{second['name']}")


def test_names_are_safe_and_apart_whatever_directories_are_called(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a b", "a-b", "a/b", "$(x)", "-C", "Großkunden", "${{ secrets.X }}", "x" * 200]
    committed(top, *(f"{name}/{file}" for name in names for file in ("reconcile.yaml", "policies/x.yaml")))
    found = listed(top, capsys)
    assert sorted(target["directory"] for target in found) == sorted(names)
    for field in ("name", "branch", "plan", "apply"):
        assert len({target[field].casefold() for target in found}) == len(names)
        assert all(re.fullmatch(r"[A-Za-z0-9/-]+", target[field]) for target in found)


def test_a_directory_named_to_get_another_ones_environment_is_refused(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three million tries find such a name: the same words, and the same six digits."""
    names = ["production", "production._=~ ,_ "]
    committed(top, *(f"{name}/{file}" for name in names for file in ("reconcile.yaml", "policies/x.yaml")))
    assert main(["-C", str(top), "targets", "--json"], env=environment(top.parent)) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert "would both be called production-ab8e18" in error


def test_a_repository_without_commits_or_directories_has_none(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(top, capsys) == []
    committed(top, "README.md")
    assert listed(top, capsys) == []


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Reviewed]:
    with reviewed(tmp_path, guests=1) as made:
        yield made


def test_a_plan_waits_from_its_merge_to_its_receipt(here: Reviewed) -> None:
    def waiting() -> int:
        return len(here.ok("targets", "--pending", "--json").json["targets"])

    assert waiting() == 0
    here.propose()
    here.approve_and_check(1)
    assert waiting() == 0
    here.github.merge(1)
    here.pull()
    assert waiting() == 1
    here.ok("apply", "--yes")
    assert waiting() == 0
    plan = here.directory / "state/plan.json"
    for damaged in ("{damaged", "[]", '{"changes": [1], "digest": []}', '{"changes": [1], "digest": {}}'):
        plan.write_text(damaged)
        git(here.directory, "commit", "-q", "-a", "-m", "damage")
        assert waiting() == 1
