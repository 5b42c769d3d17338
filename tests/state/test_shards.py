"""An import reads and writes what changed, and leaves exactly what reading and writing everything would."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.graph.port import Round
from reconciler.model.guest import Guest
from reconciler.state.importer import guest_changes, import_guests
from reconciler.state.model import State
from reconciler.state.paths import MANIFEST, account_path, guest_path
from reconciler.state.shards import Changed, prefetch
from reconciler.state.store import count_changed, count_guests, load_or_empty, load_state, open_state, write_state

from .records import ALICE, BOB, CAROL, DISK_LAW, T1, a_guest, a_manifest, a_state, an_account, sid
from .test_import_laws import ATTRIBUTES, IDS, TENANTS, Tenant, full_round, increment
from .test_store import Interrupted, interrupt_after
from .trees import MemoryTree


class Watched(MemoryTree):
    """A tree that remembers which files were read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.seen: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.seen.append(path)
        return super().read(path)

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path, data in super().read_all(paths):
            self.seen.append(path)
            yield path, data


def imported(old: Mapping[str, Guest], round_: Round, tenant: Tenant, *, lazily: bool) -> Mapping[str, Guest]:
    def lookup(ids: Iterable[str]) -> dict[str, Guest]:
        now = {i: tenant.get(i, "deleted") for i in ids}
        return {i: Guest(i, user) if isinstance(user, dict) else Guest(i, {}, user) for i, user in now.items()}

    if lazily and not round_.full:
        changes = guest_changes(old, round_, attributes=ATTRIBUTES, wanted=lambda _g: False, lookup=lookup, as_of=T1)
        return Changed(old, changes)
    return import_guests(
        old, round_, attributes=ATTRIBUTES, wanted=lambda _g: False, lookup=lookup, joined=old.keys(), as_of=T1
    )  # fmt: skip


def state_of(guests: Mapping[str, Guest], old: State | None, serial: int) -> State:
    accounts = old.accounts if old else {a.sid: a for a in (an_account(1105), an_account(1106))}
    bare = State(a_manifest(State(a_state([], []).manifest, {}, dict(accounts))), guests, accounts)
    graph, before = bare.manifest.graph, old.manifest.graph if old else None
    assert graph is not None
    counts = count_changed(before, guests) if before and isinstance(guests, Changed) else count_guests(guests)
    graph = replace(graph, guests=counts[0], tombstones=counts[1], attributes=ATTRIBUTES[2:])
    return replace(bare, manifest=replace(bare.manifest, graph=graph, serial=serial))


@DISK_LAW
@given(st.lists(TENANTS, min_size=2, max_size=5))
def test_increments_write_what_a_full_write_would(history: list[Tenant]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        lazily, whole = Path(one), Path(other)
        first = imported({}, full_round(history[0]), history[0], lazily=False)
        for root in (lazily, whole):
            write_state(root, None, state_of(first, None, 1))
        for serial, (before, after) in enumerate(pairwise(history), 2):
            step = increment(before, after)
            opened, loaded = open_state(MemoryTree.of(lazily)), load_or_empty(MemoryTree.of(whole))
            assert opened is not None
            assert loaded is not None
            assert (opened.guests, opened.accounts) == (loaded.guests, loaded.accounts)
            opened = open_state(MemoryTree.of(lazily))
            assert opened is not None
            some = write_state(
                lazily, opened, state_of(imported(opened.guests, step, after, lazily=True), opened, serial)
            )
            all_ = write_state(
                whole, loaded, state_of(imported(loaded.guests, step, after, lazily=False), loaded, serial)
            )
            assert some == all_
            assert MemoryTree.of(lazily).contents == MemoryTree.of(whole).contents
            assert load_state(MemoryTree.of(lazily)).manifest.serial == serial


@pytest.fixture
def tree(tmp_path: Path) -> Watched:
    """A state of three guests and an account, each in a file of its own."""
    write_state(tmp_path, None, a_state([a_guest(i, mail="old@x") for i in IDS], [an_account()]))
    return Watched(MemoryTree.of(tmp_path).contents)


def increment_of(opened: State, **mails: str) -> State:
    ids = {"alice": ALICE, "bob": BOB, "carol": CAROL}
    changed = Changed(opened.guests, {ids[n]: a_guest(ids[n], mail=mail) for n, mail in mails.items()})
    return replace(opened, manifest=replace(opened.manifest, serial=8), guests=changed)


def test_one_change_reads_and_writes_one_shard(tree: Watched, tmp_path: Path) -> None:
    opened = open_state(tree)
    assert opened is not None
    assert write_state(tmp_path, opened, increment_of(opened, alice="new@x")) == [guest_path(ALICE), MANIFEST]
    assert [path for path in tree.seen if path not in (MANIFEST, "state/claims.yaml")] == [guest_path(ALICE)]
    assert load_state(MemoryTree.of(tmp_path)).guests[ALICE].attributes["mail"] == "new@x"


def test_a_change_back_to_what_it_was_writes_nothing_but_the_manifest(tree: Watched, tmp_path: Path) -> None:
    opened = open_state(tree)
    assert opened is not None
    assert write_state(tmp_path, opened, increment_of(opened, alice="old@x", bob="old@x")) == [MANIFEST]


def test_looked_up_together_they_are_read_together(tree: Watched) -> None:
    opened = open_state(tree)
    assert opened is not None
    prefetch(Changed(opened.guests, {}), [ALICE, BOB, "no id", "33333333-7425-40de-944b-e07fc1f90ae7"])
    seen = list(tree.seen)
    assert opened.guests[ALICE].id == ALICE
    assert opened.guests.get(BOB) is not None
    assert "no id" not in opened.guests
    assert tree.seen == seen


def test_a_lost_shard_is_noticed_by_whoever_goes_through_all(tree: Watched, tmp_path: Path) -> None:
    for lost in (guest_path(CAROL), account_path(sid(1105))):
        opened = open_state(Watched({path: data for path, data in tree.contents.items() if path != lost}))
        assert opened is not None
        with pytest.raises(StateError, match="the manifest says"):
            assert list(opened.guests) + list(opened.accounts)


def test_a_lost_shard_stays_refused_after_an_increment(tree: Watched, tmp_path: Path) -> None:
    (tmp_path / guest_path(CAROL)).unlink()
    opened = open_state(MemoryTree.of(tmp_path))
    assert opened is not None
    write_state(tmp_path, opened, increment_of(opened, alice="new@x"))
    with pytest.raises(StateError, match="live guests: the manifest says 3, and there are 2"):
        load_state(MemoryTree.of(tmp_path))


def test_a_damaged_shard_stops_the_import_that_touches_it(tree: Watched) -> None:
    tree.contents[guest_path(ALICE)] = b"damaged"
    opened = open_state(tree)
    assert opened is not None
    assert opened.guests[BOB].id == BOB
    with pytest.raises(StateError, match=guest_path(ALICE)):
        opened.guests.get(ALICE)


@pytest.mark.parametrize("replacements", range(4))
def test_an_interrupted_increment_is_seen_and_mended_by_the_next(
    tree: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replacements: int
) -> None:
    """The mark, two shards, then the manifest are written."""
    opened = open_state(tree)
    assert opened is not None
    new = increment_of(opened, alice="new@x", bob="new@x")
    with monkeypatch.context() as patch:
        interrupt_after(patch, replacements)
        with pytest.raises(Interrupted):
            write_state(tmp_path, opened, new)
    again = open_state(MemoryTree.of(tmp_path))
    assert again is not None
    assert again.manifest == opened.manifest
    if replacements:
        with pytest.raises(StateError, match="interrupted"):
            load_state(MemoryTree.of(tmp_path))
    write_state(tmp_path, again, increment_of(again, alice="new@x", bob="new@x"))
    assert load_state(MemoryTree.of(tmp_path)).guests == dict(new.guests)


def test_counts_follow_changes() -> None:
    tombstone = replace(a_guest(BOB), removed="changed", removed_at=T1)
    base = {ALICE: a_guest(ALICE), BOB: tombstone}
    graph = a_manifest(a_state([*base.values()], [])).graph
    assert graph is not None
    changed = Changed(base, {ALICE: replace(a_guest(ALICE), removed="deleted", removed_at=T1), CAROL: a_guest(CAROL)})
    assert count_changed(graph, changed) == count_guests(changed) == (1, 2)
    assert len(changed) == len(list(changed)) == 3
    fewer = changed.without([ALICE, BOB])
    assert dict(fewer) == {CAROL: a_guest(CAROL)}
    assert len(fewer) == 1
