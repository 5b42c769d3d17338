"""Whoever is called so is found by any name, and no display name takes another's."""

from __future__ import annotations

import pytest

from reconciler.planning.called import called, holding

from .builder import account, gid, guest, state

ONE, TWO = guest(1), guest(2, displayName="guest1@adatum.com")
STATE = state([ONE, TWO], [account(ONE, 1101), account(TWO, 1102, attributes={"userPrincipalName": "two@old.test"})])


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        (gid(1).upper(), [1]),
        (f" {ONE.attributes['userPrincipalName']} ", [1]),
        ("s-1-5-21-1-2-3-1102", [2]),
        (gid(1)[:20], [1]),
        ("TWO@old.test", [2]),
        ("Guest1@adatum.com", [1]),
        ("guest 1", [1]),
        ("", []),
        ("nobody", []),
    ],
)
def test_who_is_called_so(asked: str, who: list[int]) -> None:
    assert [g.id for g in called(STATE, asked)] == [gid(n) for n in who]


def test_a_part_of_a_name_finds_everybody_who_has_it_and_nothing_finds_nobody() -> None:
    assert {g.id for g in holding(STATE, "ADATUM")} == {gid(1), gid(2)}
    assert holding(STATE, " ") == []
