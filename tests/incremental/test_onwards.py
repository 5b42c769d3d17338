"""An alignment taken on from tree to tree is the one that comparing everything gives, whatever changed in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.incremental.alignment import Alignment, Line, afresh
from reconciler.incremental.guest_rows import GuestRows
from reconciler.incremental.index import JOINED, KEYS, NAMES, LostError
from reconciler.incremental.onwards import onwards
from reconciler.incremental.summary import Row, Summary
from reconciler.incremental.suspects import Picks
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.planning.encode import encode
from reconciler.planning.plan import make_plan
from reconciler.policy.model import Policy
from reconciler.state.entries import GuestText
from reconciler.state.model import State
from reconciler.state.paths import ACCOUNTS, GUESTS
from tests.planning.builder import DEPARTED, account, guest, settings
from tests.planning.builder import state as state_of

from .worlds import HASHER, POLICIES, Shards, in_order, now_of, reduced, worlds

Record = TypeVar("Record", Guest, Account)


class Kept:
    """An alignment as a cache keeps it: bytes, and its index in pieces."""

    def __init__(self, first: Alignment, by: Policy) -> None:
        self._by = by
        self._buckets: dict[int, bytes] = {}
        self.known: dict[str, Summary] = {}
        self._packed = b""
        self._keep(first)

    def _keep(self, alignment: Alignment) -> None:
        self._buckets |= alignment.index.changes()
        self._packed = alignment.pack()

    def _load(self, wanted: Sequence[int]) -> Mapping[int, bytes]:
        return {number: self._buckets[number] for number in wanted}

    @property
    def alignment(self) -> Alignment:
        """As the next run finds it."""
        return Alignment.of(self._packed, self._load, HASHER)

    def to(self, made: State) -> tuple[Alignment, Shards]:
        """Take the alignment on to this state, as the next run would."""
        source = Shards(made, self._by, HASHER, self.known)
        self._keep(onwards(self.alignment, source, now_of(made), 0))
        return self.alignment, source


def start(made: State, by: Policy) -> Kept:
    kept = Kept(afresh(Shards(made, by, HASHER), now_of(made), 0, HASHER), by)
    for side in (GUESTS, ACCOUNTS):
        source = Shards(made, by, HASHER, kept.known)
        list(source.of(side, source.oids(side)))
    return kept


def contents(alignment: Alignment) -> list[list[int]]:
    """What the index has: all buckets of a small one, in any order."""
    index = alignment.index
    index.find(KEYS, {1}), index.find(NAMES, {1}), index.find(JOINED, {1})
    return [sorted(index._buckets[number]) for number in range(3)]


def same(made: State, by: Policy, kept: Kept) -> tuple[Picks, Picks]:
    """Take the alignment on, and compare it and the plan with those of everything. Returns who needs a look."""
    found, source = kept.to(made)
    whole = afresh(Shards(made, by, HASHER), now_of(made), 0, HASHER)
    assert {n: dict(s.lines) for n, s in found.sides.items()} == {n: _plain(s.lines) for n, s in whole.sides.items()}
    assert {n: s.picks for n, s in found.sides.items()} == {n: s.picks for n, s in whole.sides.items()}
    assert contents(found) == contents(whole)
    small = reduced(made, by, source=source, aligned=found)
    plan = make_plan(small.state, by, settings(), (), small)
    assert encode(plan) == encode(make_plan(made, by, settings(), ()))
    return found.sides[GUESTS].picks, found.sides[ACCOUNTS].picks


def _plain(lines: Mapping[int, Line]) -> dict[int, Line]:
    """As they are after having been kept: tuples are lists."""
    return {number: Line(*line[:-1], [list(due) for due in line.due]) for number, line in lines.items()}  # type: ignore[misc]


def _of(before: Mapping[str, Record], other: Mapping[str, Record], key: str) -> st.SearchStrategy[Record | None]:
    """Somebody as before, mostly; or as they are elsewhere, if they are there."""
    return st.sampled_from([before.get(key), before.get(key), other.get(key)])


@st.composite
def histories(draw: st.DrawFn, by: Policy) -> list[State]:
    """States of which each has much of the one before."""
    found = [draw(worlds(by))]
    for _ in range(draw(st.integers(1, 4))):
        before, other = found[-1], draw(worlds(by))
        guests = [draw(_of(before.guests, other.guests, i)) for i in {**before.guests, **other.guests}]
        held = [draw(_of(before.accounts, other.accounts, i)) for i in {**before.accounts, **other.accounts}]
        some, as_of = draw(st.sampled_from([before, other])), other.manifest.as_of
        found.append(in_order(state_of([*filter(None, guests)], [*filter(None, held)], some.claims, as_of)))
    return found


@pytest.mark.parametrize("name", ["default", "anchor shared", "no moves", "engine"])
def test_over_any_history_both_ways_give_the_same(name: str) -> None:
    by = POLICIES[name]

    @profile(deadline=None, max_examples=50)
    @given(histories(by))
    def law(states: list[State]) -> None:
        kept = start(states[0], by)
        for made in states[1:]:
            same(made, by, kept)

    law()


PEOPLE = [guest(n) for n in range(6)]
HELD = [account(g, 1100 + n) for n, g in enumerate(PEOPLE)]
BY = POLICIES["default"]


def world(
    guests: Sequence[Guest] = PEOPLE, held: Sequence[Account] = HELD, as_of: str = "2026-03-01T06:00:00Z"
) -> State:
    return in_order(state_of(list(guests), list(held), (), as_of))


def test_a_guest_who_changes_and_changes_back_is_looked_at_in_between() -> None:
    kept = start(world(), BY)
    changed = [guest(0, displayName="Somebody Else"), *PEOPLE[1:]]
    assert same(world(changed), BY, kept) == ({0: {0}}, {1100: {0}})
    assert same(world(), BY, kept) == ({}, {})


def test_where_the_account_alone_changes_its_guest_is_looked_at_too() -> None:
    kept = start(world(), BY)
    edited = replace(HELD[2], attributes={**HELD[2].attributes, "mail": "hand@made.example"})
    assert same(world(held=[*HELD[:2], edited, *HELD[3:]]), BY, kept) == ({0: {2}}, {1102: {0}})
    assert same(world(held=[*HELD[:2], *HELD[3:]]), BY, kept) == ({0: {2}}, {})
    assert same(world(), BY, kept) == ({}, {})


def test_two_accounts_of_one_guest_are_looked_at_until_one_is_gone() -> None:
    kept = start(world(), BY)
    second = replace(HELD[1], sid="S-1-5-21-1-2-3-1200", guid="00000000-0000-0000-0000-000000001200")
    assert same(world(held=[*HELD, second]), BY, kept) == ({0: {1}}, {1101: {0}, 1200: {0}})
    assert same(world(), BY, kept) == ({}, {})


def test_an_account_is_looked_at_from_when_it_is_due() -> None:
    gone = [guest(0, removed="deleted"), *PEOPLE[1:]]
    left = replace(
        HELD[0],
        attributes={**HELD[0].attributes, "userAccountControl": 262658},
        dn=type(HELD[0].dn)(f"CN={PEOPLE[0].id},{DEPARTED}"),
        departed="2026-03-01T06:00:00Z",
    )
    held = [left, *HELD[1:]]
    kept = start(world(gone, held), BY)
    for as_of, looked_at in (
        ("2026-03-31T05:59:59Z", False),
        ("2026-03-31T06:00:00Z", True),
        ("2026-04-30T06:00:00Z", True),
        ("2026-03-02T06:00:00Z", False),
        ("2026-03-31T06:00:01Z", True),
    ):
        expected = ({0: {0}}, {1100: {0}}) if looked_at else ({}, {})
        assert same(world(gone, held, as_of), BY, kept) == expected


def test_guests_whose_ids_begin_alike_are_told_apart() -> None:
    twin = Guest(
        PEOPLE[0].id[:-1] + "0", {**PEOPLE[0].attributes, "userPrincipalName": "twin@contoso.test", "mail": "t@x"}
    )
    assert twin.id[:18] == PEOPLE[0].id[:18]
    kept = start(world(), BY)
    assert same(world([*PEOPLE, twin]), BY, kept) == (
        {0: {0}},
        {},
    )  # an id that ends in 0 sorts before one that ends in 7
    assert same(world([twin, *PEOPLE[1:]]), BY, kept) == ({0: {0}}, {1100: {0}})


def test_far_more_changes_than_usual_are_left_to_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.incremental.onwards._FEW", 3)
    kept = start(world(), BY)
    same(world([guest(0, displayName="x"), *PEOPLE[1:]]), BY, kept)
    with pytest.raises(LostError):
        kept.to(world([guest(n, displayName="y") for n in range(6)]))


def test_only_entries_that_changed_are_read() -> None:
    kept = start(world(), BY)
    source = Shards(world([guest(0, displayName="x"), *PEOPLE[1:]], HELD[:5]), BY, HASHER, kept.known)
    read: list[str] = []

    def noted(text: GuestText) -> Row:
        read.append(text.id)
        return GuestRows(BY, HASHER).row(text)

    source.guests = replace(source.guests, row=noted)
    onwards(kept.alignment, source, now_of(world()), 0)
    assert read == [PEOPLE[0].id]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text + text[: text.index(b'\n"') + 1],
        lambda text: text[:-1],
        lambda text: text.replace(b'"Guest 3"', b"Guest: 3"),
        lambda text: text.replace(b'"Guest 3"', b'"Guest\n"'),
        lambda text: text.replace(b"00000003-", b"00000002-"),
        lambda text: text.replace(b"00000003-", b"10000003-"),
        lambda text: b"# by hand\n" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"Guest 3", b"Guest \xff"),
        lambda text: text[:0],
    ],
)
def test_a_damaged_shard_is_read_as_if_nothing_wereknown_of_it(damage: Callable[[bytes], bytes]) -> None:
    source = Shards(world(), BY, HASHER)
    path = "state/guests/00/000.yaml"
    old = source.guests.summary(source.files[path], path)
    data = damage(source.files[path])
    results: list[object] = []
    for known in (None, old):
        try:
            results.append(source.guests.summary(data, path, known))
        except StateError as error:
            results.append(str(error))
    assert results[0] == results[1]
    assert isinstance(results[0], str) or not results[0].canonical  # type: ignore[attr-defined]


def test_entries_may_come_go_and_change_places() -> None:
    source = Shards(world(), BY, HASHER)
    path = "state/guests/00/000.yaml"
    data = source.files[path]
    old = source.guests.summary(data, path)
    entries = [b'"%b\n' % block for block in data[1:-1].split(b'\n"')]
    new = entries[2].replace(b"Guest 2", b"Nobody")
    for some in ([entries[5], new, entries[0]], entries[::-1], [new], [*entries[3:], *entries[:2], new]):
        again = source.guests.again(b"".join(some), path, old)
        assert again == source.guests.summary(b"".join(some), path)
