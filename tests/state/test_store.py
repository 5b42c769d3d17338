"""`state/` as a whole: written into a directory, read back from a tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given

from reconciler.errors import StateError
from reconciler.state import store
from reconciler.state.files import Files, write_file
from reconciler.state.manifest import read_manifest
from reconciler.state.model import Claim, State
from reconciler.state.paths import MANIFEST, account_path, guest_path
from reconciler.state.store import load_or_empty, load_state, write_state

from .records import ALICE, BOB, CAROL, DISK_LAW, a_guest, a_state, an_account, sid, states
from .trees import MemoryTree

ALICE_FILE, BOB_FILE, CAROL_FILE = (guest_path(id_) for id_ in (ALICE, BOB, CAROL))


def loaded(root: Path) -> State:
    return load_state(MemoryTree.of(root))


@DISK_LAW
@given(states())
def test_what_is_written_is_read(state: State) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_state(Path(folder), None, state)
        assert loaded(Path(folder)) == state


@DISK_LAW
@given(states(), states())
def test_writing_over_another_state_leaves_nothing_of_it(first: State, second: State) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        write_state(Path(one), None, first)
        write_state(Path(one), first, second)
        write_state(Path(other), None, second)
        assert MemoryTree.of(Path(one)).contents == MemoryTree.of(Path(other)).contents


def test_the_same_state_again_writes_nothing(tmp_path: Path) -> None:
    state = a_state([a_guest()], [an_account()], (Claim("cn", "x", sid(500)),))
    paths = write_state(tmp_path, None, state)
    assert paths == sorted([account_path(sid(1105)), "state/claims.yaml", ALICE_FILE, MANIFEST])
    assert write_state(tmp_path, state, state) == []


def test_more_shards_than_are_written_at_once_are_all_written(tmp_path: Path) -> None:
    state = a_state([], [an_account(rid) for rid in range(1000, 1600)])
    assert len(write_state(tmp_path, None, state)) == 601
    assert loaded(tmp_path) == state


def test_only_shards_whose_bytes_change_are_written(tmp_path: Path) -> None:
    old = a_state([a_guest(ALICE), a_guest(BOB)], [an_account()])
    write_state(tmp_path, None, old)
    before = {p: (tmp_path / p).stat().st_ino for p in (ALICE_FILE, BOB_FILE)}
    new = a_state([a_guest(ALICE), a_guest(BOB, mail="b@x")], [an_account()], serial=8)
    assert write_state(tmp_path, old, new) == [BOB_FILE, MANIFEST]
    assert (tmp_path / ALICE_FILE).stat().st_ino == before[ALICE_FILE]
    assert loaded(tmp_path) == new


def test_an_emptied_shard_is_removed_with_its_folder(tmp_path: Path) -> None:
    old = a_state([a_guest(ALICE), a_guest(BOB)], [], (Claim("cn", "x", sid(500)),))
    write_state(tmp_path, None, old)
    assert write_state(tmp_path, old, a_state([a_guest(BOB)], [])) == ["state/claims.yaml", ALICE_FILE, MANIFEST]
    assert not (tmp_path / ALICE_FILE).parent.exists()


def test_a_file_edited_by_hand_becomes_canonical_again(tmp_path: Path) -> None:
    state = a_state([a_guest(mail="a@x")], [])
    write_state(tmp_path, None, state)
    canonical = (tmp_path / ALICE_FILE).read_bytes()
    (tmp_path / ALICE_FILE).write_bytes(b"# looked at this\n" + canonical.replace(b'"a@x"', b"a@x"))
    assert loaded(tmp_path) == state
    assert ALICE_FILE in write_state(tmp_path, state, state)
    assert (tmp_path / ALICE_FILE).read_bytes() == canonical


def test_plans_and_strangers_files_are_left_alone(tmp_path: Path) -> None:
    write_file(tmp_path, "state/plan.json", b"{}")
    write_state(tmp_path, None, a_state([a_guest()], []))
    write_state(tmp_path, None, a_state([], []))
    assert (tmp_path / "state/plan.json").read_bytes() == b"{}"


# --- interrupted writes


class Interrupted(Exception):  # noqa: N818  a person's Ctrl-C, not an error of ours
    """The process stops here."""


def interrupt_after(monkeypatch: pytest.MonkeyPatch, replacements: int) -> None:
    done = count()
    take_place = Files.take_place

    def stopping(self: Files, path: str) -> None:
        if next(done) >= replacements:
            raise Interrupted
        take_place(self, path)

    monkeypatch.setattr(Files, "take_place", stopping)


@pytest.mark.parametrize("replacements", range(4))
@pytest.mark.parametrize("first", [True, False])
def test_an_interrupted_write_is_seen_and_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replacements: int, first: bool
) -> None:
    """Two guests change and one is new: the mark, three shards, then the manifest are written."""
    old = None if first else a_state([a_guest(i, mail="old@x") for i in (ALICE, BOB)], [], serial=3)
    new = a_state([a_guest(i, mail="new@x") for i in (ALICE, BOB, CAROL)], [], serial=4)
    if old:
        write_state(tmp_path, None, old)
    with monkeypatch.context() as patch:
        interrupt_after(patch, replacements)
        with pytest.raises(Interrupted):
            write_state(tmp_path, old, new)
    if replacements == 0:
        assert load_or_empty(MemoryTree.of(tmp_path)) == old
    else:
        with pytest.raises(StateError, match="interrupted"):
            loaded(tmp_path)
    again = load_or_empty(MemoryTree.of(tmp_path))
    assert (again.manifest if again else None) == (old.manifest if old else None)
    write_state(tmp_path, again, new)
    assert loaded(tmp_path) == new


def test_the_new_manifest_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[tuple[str, bool]] = []
    take_place = Files.take_place

    def noting(self: Files, path: str) -> None:
        take_place(self, path)
        order.append((path, path == MANIFEST and read_manifest((tmp_path / path).read_bytes()).incomplete))

    monkeypatch.setattr(Files, "take_place", noting)
    write_state(tmp_path, None, a_state([a_guest(ALICE), a_guest(BOB)], []))
    mark, *shards, last = order
    assert (mark, last) == ((MANIFEST, True), (MANIFEST, False))
    assert sorted(shards) == [(BOB_FILE, False), (ALICE_FILE, False)]


def test_what_an_interrupted_replacement_left_is_cleared_away_and_read_by_nobody(tmp_path: Path) -> None:
    state = a_state([a_guest()], [])
    write_state(tmp_path, None, state)
    rest = (tmp_path / ALICE_FILE).with_name(".7c9.yaml.tmp")
    rest.write_bytes(b'"7c9')
    assert loaded(tmp_path) == state
    assert write_state(tmp_path, state, state) == []
    assert not rest.exists()


# --- symbolic links


@pytest.mark.parametrize("link", ["state", "state/guests", "state/guests/7c", ALICE_FILE, MANIFEST, "state/guests/zz"])
def test_nothing_is_written_through_a_symbolic_link(tmp_path: Path, link: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "kept").write_bytes(b"kept")
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside / "kept" if link.endswith(".yaml") else outside)
    with pytest.raises(StateError, match="symbolic link") as raised:
        write_state(root, None, a_state([a_guest()], []))
    assert raised.value.what.startswith(f"{link}: ")
    assert {p.name: p.read_bytes() for p in outside.iterdir()} == {"kept": b"kept"}


# --- refusals


def test_no_manifest_says_to_take_a_snapshot() -> None:
    with pytest.raises(StateError) as raised:
        load_state(MemoryTree({}))
    assert "reconcile snapshot" in raised.value.remedy
    assert load_or_empty(MemoryTree({})) is None


def test_shards_without_a_manifest_are_not_taken_for_a_first_import(tmp_path: Path) -> None:
    write_state(tmp_path, None, a_state([a_guest()], []))
    (tmp_path / MANIFEST).unlink()
    for load in (load_or_empty, load_state):
        with pytest.raises(StateError, match="is missing, but there are guests or accounts") as raised:
            load(MemoryTree.of(tmp_path))
        assert "git restore --source HEAD" in raised.value.remedy


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (ALICE_FILE, "state/guests: live guests: the manifest says 2, and there are 1"),
        (CAROL_FILE, "state/guests: removed guests: the manifest says 1, and there are 0"),
        (account_path(sid(1105)), "state/accounts: accounts: the manifest says 1, and there are 0"),
    ],
)
def test_a_lost_shard_contradicts_the_manifest(tmp_path: Path, lost: str, message: str) -> None:
    gone = replace(a_guest(CAROL), removed="deleted", removed_at="2026-05-01T12:00:00Z")
    state = a_state([a_guest(ALICE), a_guest(BOB), gone], [an_account()])
    write_state(tmp_path, None, state)
    (tmp_path / lost).unlink()
    for load in (load_state, load_or_empty):
        with pytest.raises(StateError) as raised:
            load(MemoryTree.of(tmp_path))
        assert raised.value.what == message
        assert "git" in raised.value.remedy
        assert "reconcile snapshot --full" in raised.value.remedy
    kept = load_or_empty(MemoryTree.of(tmp_path), full=True)
    assert kept is not None
    assert len(kept.guests) + len(kept.accounts) == 3


def test_a_manifest_that_miscounts_is_never_written(tmp_path: Path) -> None:
    state = a_state([a_guest()], [])
    with pytest.raises(StateError, match="says 1, and there are 0"):
        write_state(tmp_path, None, replace(state, guests={}))
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("stray", ["state/guests/7c9.yaml", "state/guests/7c/notes.txt", "state/accounts/45/45.yaml"])
def test_a_stray_file_among_the_shards_is_refused(tmp_path: Path, stray: str) -> None:
    write_state(tmp_path, None, a_state([], []))
    write_file(tmp_path, stray, b"{}\n")
    with pytest.raises(StateError, match="not a file that belongs there"):
        loaded(tmp_path)


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file where a folder should be")
    with pytest.raises(StateError, match=r"^state/"):
        write_state(tmp_path, None, a_state([a_guest()], []))


# --- progress


class Told:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int | None]] = []
        self.counts: list[int] = []

    @contextmanager
    def task(self, what: str, total: int | None = None) -> Iterator[Told]:
        self.said.append((what, total))
        yield self

    def done(self, count: int) -> None:
        self.counts.append(count)

    def say(self, what: str) -> None:
        self.said.append((what, None))


def test_writing_a_large_state_is_told_to_its_end_and_a_small_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, told = a_state([a_guest(ALICE)], [an_account(rid) for rid in range(1000, 1600)]), Told()
    write_state(tmp_path / "small", None, state, told)
    assert told.said == []
    monkeypatch.setattr(store, "_LONG", 601)
    write_state(tmp_path / "large", None, state, told)
    assert told.said == [("Writing state", 601)]
    assert told.counts == sorted(told.counts)
    assert told.counts[-1] == 601
