"""Receipts as notes: readable with plain git, never lost in a race."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import GitError
from reconciler.git.notes import FETCHED, add_receipt, all_receipts, recent_receipts
from reconciler.git.repository import Repository

from .conftest import Clone, cloned


def read_receipts(repo: Repository, remote: str, commit: str) -> dict[str, str]:
    return {digest: text for on, digest, text in all_receipts(repo, remote) if on == commit}


def decoded(receipts: dict[str, str]) -> dict[str, object]:
    return {digest: json.loads(text) for digest, text in receipts.items()}


def test_before_the_first_apply_there_are_no_receipts(clone: Clone) -> None:
    repo = clone.open()
    assert read_receipts(repo, "origin", clone.git("rev-parse", "HEAD")) == {}
    assert list(all_receipts(repo, "origin")) == []


def test_a_receipt_is_seen_from_another_clone_and_by_plain_git(clone: Clone, remote: Path, tmp_path: Path) -> None:
    commit = clone.git("rev-parse", "HEAD")
    add_receipt(clone.open(), "origin", commit, "d1", '{"applied": 3, "name": "Zoë"}')
    other = cloned(remote, tmp_path / "other")
    assert decoded(read_receipts(other.open(), "origin", commit)) == {"d1": {"applied": 3, "name": "Zoë"}}
    for who in (clone, other):
        shown = who.git("notes", "--ref", "reconcile", "show", commit)
        assert json.loads(shown) == {"d1": {"applied": 3, "name": "Zoë"}}
        assert '\n    "applied": 3' in shown


def test_receipts_of_several_digests_and_commits_are_kept_side_by_side(clone: Clone) -> None:
    repo = clone.open()
    first = clone.git("rev-parse", "HEAD")
    second = clone.commit({"state/manifest.yaml": "serial: 2\n"})
    for commit, digest in ((first, "a"), (first, "b"), (second, "c")):
        add_receipt(repo, "origin", commit, digest, json.dumps({"digest": digest}))
    assert sorted(read_receipts(repo, "origin", first)) == ["a", "b"]
    found = [(commit, digest, json.loads(text)) for commit, digest, text in all_receipts(repo, "origin")]
    expected = [(first, "a", {"digest": "a"}), (first, "b", {"digest": "b"}), (second, "c", {"digest": "c"})]
    assert found == sorted(expected, key=lambda row: row[0])


def test_a_receipt_is_replaced_by_a_later_one_of_the_same_digest(clone: Clone) -> None:
    repo, commit = clone.open(), clone.git("rev-parse", "HEAD")
    add_receipt(repo, "origin", commit, "a", '{"closed": false}')
    add_receipt(repo, "origin", commit, "a", '{"closed": true}')
    assert decoded(read_receipts(repo, "origin", commit)) == {"a": {"closed": True}}


def test_recording_the_same_receipt_again_pushes_nothing(clone: Clone, remote: Path) -> None:
    repo, commit = clone.open(), clone.git("rev-parse", "HEAD")
    add_receipt(repo, "origin", commit, "a", "{}")
    before = clone.git("ls-remote", str(remote))
    add_receipt(repo, "origin", commit, "a", "{}")
    assert clone.git("ls-remote", str(remote)) == before


def test_notes_the_user_wrote_locally_are_never_lost(clone: Clone) -> None:
    repo, commit = clone.open(), clone.git("rev-parse", "HEAD")
    clone.git("notes", "--ref", "reconcile", "add", "-m", "my own words", commit)
    add_receipt(repo, "origin", commit, "a", "{}")
    assert clone.git("notes", "--ref", "reconcile", "show", commit) == "my own words"
    assert sorted(read_receipts(repo, "origin", commit)) == ["a"]


def test_no_ref_is_left_behind(clone: Clone) -> None:
    add_receipt(clone.open(), "origin", clone.git("rev-parse", "HEAD"), "a", "{}")
    assert clone.git("for-each-ref", "--format=%(refname)", "refs/notes") == "refs/notes/reconcile"


def test_enough_notes_for_git_to_shard_them_are_all_found(clone: Clone) -> None:
    repo = clone.open()
    tree = clone.git("rev-parse", "HEAD^{tree}")
    commits = [clone.git("commit-tree", tree, "-m", str(n)) for n in range(300)]
    (clone.root / "note").write_text('{"d": {"n": 1}}')
    oid = clone.git("hash-object", "-w", "note")
    for commit in commits[:-1]:
        clone.git("notes", "--ref", "reconcile", "add", "-C", oid, commit)
    clone.git("push", "-q", "origin", "refs/notes/reconcile")
    assert "/" in clone.git("ls-tree", "-r", "--name-only", "refs/notes/reconcile")
    add_receipt(repo, "origin", commits[-1], "last", "{}")
    assert {commit for commit, _, _ in all_receipts(repo, "origin")} == set(commits)
    assert decoded(read_receipts(repo, "origin", commits[7])) == {"d": {"n": 1}}


def recent(clone: Clone, after: int, asked: list[int] | None = None) -> tuple[list[int], list[GitError]]:
    """Return the numbers of the receipts above `after`, and what was said of the remote; `asked` gets every one looked at."""
    said: list[GitError] = []

    def wanted(text: str) -> bool:
        number = json.loads(text)["n"]
        if asked is not None:
            asked.append(number)
        return bool(number > after)

    return [json.loads(t)["n"] for t in recent_receipts(clone.open(), "origin", wanted, said.append)], said


def test_recent_receipts_are_read_without_reading_all(clone: Clone) -> None:
    repo, tree = clone.open(), clone.git("rev-parse", "HEAD^{tree}")
    assert recent(clone, 0) == ([], [])
    for number in range(1, 41):
        add_receipt(
            repo, "origin", clone.git("commit-tree", tree, "-m", str(number)), str(number), f'{{"n": {number}}}'
        )
    asked: list[int] = []
    assert recent(clone, 36, asked) == ([40, 39, 38, 37], [])
    assert min(asked) > 20
    assert recent(clone, 0)[0] == [*range(40, 0, -1)]


def test_a_recent_receipt_is_found_below_one_that_says_it_is_old(clone: Clone) -> None:
    repo, commit = clone.open(), clone.git("rev-parse", "HEAD")
    for digest, number in (("a", 5), ("b", 1)):
        add_receipt(repo, "origin", commit, digest, f'{{"n": {number}}}')
    assert recent(clone, 4)[0] == [5]


def test_sharding_anew_makes_no_receipt_recent(clone: Clone) -> None:
    tree = clone.git("rev-parse", "HEAD^{tree}")
    commits = [clone.git("commit-tree", tree, "-m", str(n)) for n in range(300)]
    for number, commit in enumerate(commits):
        (clone.root / "note").write_text(f'{{"d{number}": {{"n": {number}}}}}')
        oid = clone.git("hash-object", "-w", "note")
        clone.git("notes", "--ref", "reconcile", "add", "-C", oid, commit)
    clone.git("push", "-q", "origin", "refs/notes/reconcile")
    asked: list[int] = []
    assert recent(clone, 298, asked)[0] == [299]
    assert len(asked) < 20
    assert sorted(recent(clone, -1)[0]) == [*range(300)]


def test_without_the_remote_recent_receipts_are_those_fetched_before(clone: Clone, tmp_path: Path) -> None:
    add_receipt(clone.open(), "origin", clone.git("rev-parse", "HEAD"), "a", '{"n": 1}')
    clone.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    found, (error,) = recent(clone, 0)
    assert found == [1]
    assert "git ls-remote failed" in error.what
    clone.git("update-ref", "-d", FETCHED)
    assert recent(clone, 0)[0] == []


@pytest.mark.parametrize("damage", ["not json", '["a list"]', "", "[" * 100_000])
def test_a_damaged_note_is_refused_by_its_commit(clone: Clone, damage: str) -> None:
    commit = clone.git("rev-parse", "HEAD")
    clone.git("notes", "--ref", "reconcile", "add", "--allow-empty", "-m", damage, commit)
    clone.git("push", "-q", "origin", "refs/notes/reconcile")
    with pytest.raises(GitError, match=commit):
        read_receipts(clone.open(), "origin", commit)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_categories=["Cs"])))
def test_hostile_text_in_a_receipt_survives_and_stays_plain_ascii_in_the_note(clone: Clone, name: str) -> None:
    repo, commit = clone.open(), clone.git("rev-parse", "HEAD")
    add_receipt(repo, "origin", commit, "a", json.dumps({"name": name}))
    assert decoded(read_receipts(repo, "origin", commit)) == {"a": {"name": name}}
    shown = clone.git("notes", "--ref", "reconcile", "show", commit)
    assert all(c == "\n" or " " <= c <= "~" for c in shown)


def _record(directory: Path, commit: str, digest: str) -> None:
    add_receipt(Repository.open(directory), "origin", commit, digest, json.dumps({"by": digest}))


def test_receipts_recorded_at_the_same_time_are_all_kept(clone: Clone, remote: Path, tmp_path: Path) -> None:
    commit = clone.git("rev-parse", "HEAD")
    others = [cloned(remote, tmp_path / f"clone{n}").root for n in range(3)]
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=_record, args=(root, commit, f"d{n}")) for n, root in enumerate(others)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0, 0, 0]
    assert sorted(read_receipts(clone.open(), "origin", commit)) == ["d0", "d1", "d2"]
