"""Lives of a tenant and a domain: warm plans are cold ones, killed or not, and nothing happens that must never happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.operations import git

from .lived import EVENTS, Life


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_warm_plan_is_the_cold_one_and_nobody_is_enabled_who_must_not_be(
    seed: int, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q")
    life = Life(seed, tmp_path)
    for _ in range(12):
        life.day()


def test_everything_of_the_scripted_year_happens_here_too() -> None:
    from tests.year.events import EVENTS as YEAR

    # What is undone by hand before an import sees it is several of the events here, one after the other.
    elsewhere = {"everybody_leaves", "back_in_scope", "unprotect", "undo_by_hand"}
    assert {event.__name__ for event, _ in YEAR} - elsewhere <= {event.__name__ for event in EVENTS}
