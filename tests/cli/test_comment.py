"""`reconcile comment`: where texts go is said by the job alone, and what is no remark is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import main
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in

COMMIT = "c" * 40


@pytest.fixture
def github() -> Iterator[StandIn]:
    with standing_in() as made:
        yield made


def commented(github: StandIn, folder: Path, *more: str) -> int:
    env = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}
    return main(["comment", "--pull-request", "7", "--commit", COMMIT, *more, str(folder)], env=env)


def remark(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_each_remark_is_one_comment_that_a_later_run_brings_up_to_date(github: StandIn, tmp_path: Path) -> None:
    remark(tmp_path, "remarks-root/speculative.md", "## Plan\n")
    remark(tmp_path, "remarks-Prod-1a2b3c/speculative.md", "other")
    remark(tmp_path, "remarks-root/state.md", "who?")
    assert commented(github, tmp_path) == 0
    marks = {c["body"].partition("\n")[0] for c in github.comments[7]}
    assert marks == {f"<!-- reconcile: {n} -->" for n in ("speculative-root", "speculative-prod-1a2b3c", "state-root")}
    remark(tmp_path, "remarks-root/speculative.md", "## Another\n")
    assert commented(github, tmp_path) == 0
    [now] = [c["body"] for c in github.comments[7] if "speculative-root" in c["body"]]
    assert now == f"<!-- reconcile: speculative-root -->\n## Another\n\nFor commit {COMMIT}.\n"


def test_a_remark_whose_cause_was_taken_back_says_so_in_place_and_none_is_made_to_say_so(
    github: StandIn, tmp_path: Path
) -> None:
    remark(tmp_path, "remarks-root/speculative.md", "## Plan\n")
    remark(tmp_path, "remarks-root/state.md", "")
    assert commented(github, tmp_path) == 0
    assert [c["body"].partition("\n")[0] for c in github.comments[7]] == ["<!-- reconcile: speculative-root -->"]

    remark(tmp_path, "remarks-root/speculative.md", "")
    assert commented(github, tmp_path) == 0
    [now] = github.comments[7]
    assert (
        now["body"].splitlines()[1].startswith("**No longer so.** What this pull request holds now changes no policy")
    )
    github.asked.clear()
    assert commented(github, tmp_path) == 0
    assert {method for method, _ in github.asked} == {"GET"}

    remark(tmp_path, "remarks-root/speculative.md", "## Again\n")
    assert commented(github, tmp_path) == 0
    [now] = github.comments[7]
    assert "## Again" in now["body"]


def test_without_remarks_nothing_is_asked_of_the_forge(github: StandIn, tmp_path: Path) -> None:
    assert commented(github, tmp_path / "not-there") == 0
    assert github.asked == []


def test_what_is_too_long_is_left_in_the_summary(github: StandIn, tmp_path: Path) -> None:
    remark(tmp_path, "remarks-root/speculative.md", "é" * 70_000)
    assert commented(github, tmp_path) == 0
    [comment] = github.comments[7]
    assert "too long for a comment" in comment["body"]


@pytest.mark.parametrize("name", ["remarks-a b", "remarks-<!--", "remarks-"])
def test_an_artifact_of_another_name_is_refused(github: StandIn, tmp_path: Path, name: str) -> None:
    remark(tmp_path, f"{name}/state.md", "x")
    assert commented(github, tmp_path) == 1
    assert github.asked == []


def test_a_link_is_not_followed_and_no_other_file_is_read(github: StandIn, tmp_path: Path) -> None:
    (tmp_path / "remarks-root").mkdir()
    (tmp_path / "remarks-root/state.md").symlink_to("/etc/passwd")
    remark(tmp_path, "remarks-root/other.md", "x")
    assert commented(github, tmp_path) == 0
    assert github.asked == []


@pytest.mark.parametrize("commit", ["", "main", "C" * 40, "c" * 40 + "\n"])
def test_a_commit_must_be_one(github: StandIn, tmp_path: Path, commit: str) -> None:
    assert commented(github, tmp_path, "--commit", commit) == 64
