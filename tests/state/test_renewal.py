"""A full round that is taken in shard by shard leaves what it would leave in memory, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import GraphError, StateError
from reconciler.graph.port import Properties, Round
from reconciler.graph.spool import Spool, Spooled
from reconciler.model.guest import Guest
from reconciler.progress import Silent
from reconciler.scratch import Scratch
from reconciler.state.importer import import_guests
from reconciler.state.model import State
from reconciler.state.paths import GUESTS, MANIFEST, guest_path
from reconciler.state.renewal import Renewal
from reconciler.state.store import count_guests, load_or_empty, load_state, open_state, shard_paths, write_state

from .records import ALICE, BOB, CAROL, DISK_LAW, T2, a_guest, a_manifest, a_state, an_account
from .test_import_laws import TENANTS, Tenant
from .test_store import Interrupted, interrupt_after
from .trees import MemoryTree

ATTRIBUTES = ("mail", "userType")
REQUIRED = ("accountEnabled", *ATTRIBUTES)
SPOOLED = st.booleans()


def found(tenant: Tenant, shown: Iterable[str]) -> Round:
    """A full round: live users, and the removals that Graph may also tell of."""
    users: dict[str, Properties] = {i: u for i in shown if isinstance(u := tenant.get(i), dict)}
    return Round(True, "link", users, {i: u for i in shown if isinstance(u := tenant.get(i), str)})


def lookup_in(tenant: Tenant) -> Mapping[str, Guest]:
    class Answers(dict[str, Guest]):
        def __missing__(self, id_: str) -> Guest:
            user = tenant.get(id_, "deleted")
            return Guest(id_, user) if isinstance(user, dict) else Guest(id_, {}, user)

    return Answers()


def spooled(round_: Round, scratch: Scratch) -> Round:
    spool = Spool(scratch, 2)
    for user_id, said in round_.users.items():
        spool.add(user_id, said)
    return replace(round_, users=Spooled(spool, round_.removed))


def renewed(
    root: Path,
    round_: Round,
    tenant: Tenant,
    scratch: Scratch,
    serial: int = 8,
    attributes: Sequence[str] = REQUIRED,
) -> list[str]:
    """Take a round in as `reconcile snapshot --full --only graph` does, and write it."""
    tree = MemoryTree.of(root)
    old = open_state(tree)
    answers = lookup_in(tenant)
    renewal = Renewal(
        old.guests if old else {},
        tree,
        shard_paths(tree, GUESTS),
        round_,
        scratch,
        attributes=attributes,
        wanted=lambda _g: False,
        lookup=lambda ids: {i: answers[i] for i in ids},
        as_of=T2,
    )
    with Silent().task("") as task:
        guests = renewal.run(task)
    accounts = old.accounts if old else {a.sid: a for a in [an_account()]}
    state = with_counts(guests, accounts, renewal.live, renewal.tombstones, serial)
    return write_state(root, old, state)


def in_memory(root: Path, round_: Round, tenant: Tenant, serial: int = 8) -> list[str]:
    old = load_or_empty(MemoryTree.of(root))
    answers = lookup_in(tenant)
    known = old.guests if old else {}
    guests = import_guests(
        known,
        round_,
        attributes=ATTRIBUTES,
        wanted=lambda _g: False,
        lookup=lambda ids: {i: answers[i] for i in ids},
        joined=known.keys(),
        as_of=T2,
    )
    accounts = old.accounts if old else {a.sid: a for a in [an_account()]}
    return write_state(root, old, with_counts(guests, accounts, *count_guests(guests), serial))


def with_counts(guests: object, accounts: object, live: int, tombstones: int, serial: int) -> State:
    manifest = a_manifest(a_state([], [an_account()]))
    assert manifest.graph is not None
    graph = replace(manifest.graph, guests=live, tombstones=tombstones, attributes=("userType",))
    return State(replace(manifest, graph=graph, serial=serial), guests, accounts)  # type: ignore[arg-type]


@DISK_LAW
@given(st.lists(TENANTS, min_size=1, max_size=4), SPOOLED)
def test_full_rounds_leave_what_they_leave_in_memory(history: list[Tenant], by_spool: bool) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for serial, (_, tenant) in enumerate(pairwise([{}, *history]), 1):
            round_ = found(tenant, [i for i, u in tenant.items() if isinstance(u, dict) or i == BOB])
            with Scratch(Path(one)) as scratch:
                some = renewed(
                    Path(one), spooled(round_, scratch) if by_spool else round_, tenant, scratch, serial, ATTRIBUTES
                )
            assert some == in_memory(Path(other), round_, tenant, serial)
            assert MemoryTree.of(Path(one)).contents == MemoryTree.of(Path(other)).contents
            assert load_state(MemoryTree.of(Path(one))).manifest.serial == serial


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_state(tmp_path, None, a_state([a_guest(i, mail="old@x") for i in (ALICE, BOB)], [an_account()]))
    return tmp_path


LIVE: dict[str, bool | str] = {"userPrincipalName": "a@x", "userType": "Guest", "accountEnabled": True}


def test_a_round_that_leaves_out_a_user_who_is_there_writes_nothing(root: Path) -> None:
    before = MemoryTree.of(root).contents
    tenant: Tenant = {i: dict(LIVE) for i in (ALICE, BOB, CAROL)}
    with Scratch(root) as scratch, pytest.raises(GraphError, match=f"{BOB} is there, but a full round"):
        renewed(root, found(tenant, [ALICE, CAROL]), tenant, scratch)
    assert MemoryTree.of(root).contents == before


def test_a_guest_without_what_every_user_has_writes_nothing(root: Path) -> None:
    before = MemoryTree.of(root).contents
    tenant: Tenant = {ALICE: {n: v for n, v in LIVE.items() if n != "accountEnabled"}, BOB: dict(LIVE)}
    with Scratch(root) as scratch, pytest.raises(GraphError, match=f"accountEnabled of user {ALICE}"):
        renewed(root, spooled(found(tenant, tenant), scratch), tenant, scratch)
    assert MemoryTree.of(root).contents == before


def test_a_lost_shard_is_refused(root: Path) -> None:
    (root / guest_path(BOB)).unlink()
    tenant: Tenant = {ALICE: dict(LIVE)}
    with Scratch(root) as scratch, pytest.raises(StateError, match="the manifest says 2 guests"):
        renewed(root, found(tenant, tenant), tenant, scratch)


@pytest.mark.parametrize("replacements", range(4))
def test_one_that_is_cut_short_is_mended_by_the_next(
    root: Path, monkeypatch: pytest.MonkeyPatch, replacements: int
) -> None:
    """The mark, a shard that changed, a new one, then the manifest are written; and one that is empty goes."""
    tenant: Tenant = {i: {**LIVE, "mail": "new@x"} for i in (ALICE, CAROL)}
    with Scratch(root) as scratch, monkeypatch.context() as patch:
        interrupt_after(patch, replacements)
        with pytest.raises(Interrupted):
            renewed(root, found(tenant, tenant), tenant, scratch)
    if replacements:
        with pytest.raises(StateError, match="interrupted"):
            load_state(MemoryTree.of(root))
    with Scratch(root) as scratch:
        changed = renewed(root, found(tenant, tenant), tenant, scratch)
    assert MANIFEST in changed
    guests = load_state(MemoryTree.of(root)).guests
    assert {i: g.removed for i, g in guests.items()} == {ALICE: None, BOB: "deleted", CAROL: None}
