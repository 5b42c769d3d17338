"""Which file holds what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.state.paths import account_path, guest_path, is_shard, is_sid

from .records import ALICE, IDS, LAW, sid


def test_a_guest_is_in_the_shard_of_its_first_three_digits() -> None:
    assert guest_path(ALICE) == "state/guests/7c/7c9.yaml"


@pytest.mark.parametrize(
    ("rid", "shard"), [(1105, "45/451"), (500, "1f/1f4"), (4096, "00/000"), (5201, "45/451"), (2**32 - 1, "ff/fff")]
)
def test_an_account_is_in_the_shard_of_its_rids_low_twelve_bits(rid: int, shard: str) -> None:
    assert account_path(sid(rid)) == f"state/accounts/{shard}.yaml"


@pytest.mark.parametrize(
    "id_", ["", "7c9", ALICE.upper(), f"{ALICE}\n", f" {ALICE}", "../../../etc/passwd", "7c9/../x"]
)
def test_what_is_no_id_has_no_path(id_: str) -> None:
    with pytest.raises(StateError, match="not a guest's object id"):
        guest_path(id_)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S-1",
        "S-1-5-21-01",
        "s-1-5-21-1",
        "S-1-5-21-4294967296",
        "S-1-5-21-1\n",
        "S-1-5-²",
        "S-1-5-" + "1-" * 16 + "1",
    ],
)
def test_what_is_no_sid_has_no_path(text: str) -> None:
    assert not is_sid(text)
    with pytest.raises(StateError, match="not a SID"):
        account_path(text)


@LAW
@given(IDS, st.integers(0, 2**32 - 1))
def test_every_path_is_a_shard(id_: str, rid: int) -> None:
    assert is_shard(guest_path(id_))
    assert is_shard(account_path(sid(rid)))


@pytest.mark.parametrize(
    "path", ["state/guests/7c/7d9.yaml", "state/guests/7c9.yaml", "state/plan.json", "state/guests/7c/7c9.yml"]
)
def test_other_files_are_not(path: str) -> None:
    assert not is_shard(path)
