"""Users that are kept in a file until they are asked for are the users that pages showed."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.graph.source import GraphUsers
from reconciler.graph.spool import PARTS, Spool, Spooled, by_part
from reconciler.scratch import Scratch

from .scripted import Peer
from .test_round import NAMES, A, B, gone, pages, user

C = "aaaaaaaa-0000-4000-8000-00000000000c"
VALUES = (
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.booleans() | st.tuples(st.text())
)
SAID = st.lists(st.tuples(st.sampled_from([A, B, C]), st.dictionaries(st.sampled_from(["mail", "ø"]), VALUES)))


@settings(deadline=None, max_examples=50)
@given(SAID, st.integers(1, 4), st.sets(st.sampled_from([A, B, C])))
def test_the_later_word_wins_property_by_property(
    said: list[tuple[str, dict[str, Any]]], held: int, removed: set[str]
) -> None:
    expected: dict[str, dict[str, Any]] = {}
    for user_id, properties in said:
        expected.setdefault(user_id, {}).update(properties)
    with tempfile.TemporaryDirectory() as folder, Scratch(Path(folder)) as scratch:
        spool = Spool(scratch, held)
        for user_id, properties in said:
            spool.add(user_id, properties)
        users = Spooled(spool, dict.fromkeys(removed, "changed"))
        live = {i: p for i, p in expected.items() if i not in removed}
        assert users == live
        assert len(users) == len(live)
        assert {i: p for part in PARTS for i, p in by_part(users)(part).items()} == live
        assert {i: p for part in PARTS for i, p in by_part(live)(part).items()} == live


def test_a_round_says_the_same_whether_it_is_kept_in_memory_or_not(
    users: GraphUsers, peer: Peer, tmp_path: Path
) -> None:
    first = [user(A, displayName="Alice", otherMails=["b@x", "a@x"]), user(B, displayName="Bob"), gone(C)]
    second = [user(B, displayName=None), gone(A), user(C, displayName="Carol"), user(A, otherMails=[])]
    pages(peer, first, [], second, link="select")
    whole = users.round(NAMES, None)
    with Scratch(tmp_path) as scratch:
        kept = users.round(NAMES, None, scratch=scratch)
        assert (kept.full, kept.delta_link, kept.users, kept.removed) == (True, whole.delta_link, whole.users, {})
        assert kept.users[B] == {"displayName": None}


def test_an_increment_is_kept_in_memory(users: GraphUsers, peer: Peer, tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        found = users.round(NAMES, pages(peer, [user(A, displayName="Alice")]), scratch=scratch)
    assert found.users == {A: {"displayName": "Alice"}}


def test_few_of_many_users_are_in_memory(tmp_path: Path) -> None:
    def said() -> Iterator[tuple[str, dict[str, Any]]]:
        for number in range(20_000):
            yield (
                f"{number * 104_729 % (1 << 32):08x}-0000-4000-8000-00000000000a",
                {"mail": f"user{number}@x", "userType": "Guest"},
            )

    with Scratch(tmp_path) as scratch:
        spool = Spool(scratch, 500)

        def add() -> Spool:
            for user_id, properties in said():
                spool.add(user_id, properties)
            return spool

        parts = taken(add)
        whole = taken(lambda: dict(said()))
        assert sum(len(spool.part(part)) for part in PARTS) == 20_000
    assert parts < whole / 4, (parts, whole)


def taken(work: Callable[[], object]) -> int:
    """Return how much memory is taken once the work is done, in bytes."""
    tracemalloc.start()
    try:
        kept = work()
        assert kept is not None
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
