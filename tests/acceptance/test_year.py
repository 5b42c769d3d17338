"""Thirty days of the scripted year (`script/bench year` lives all of it): after every day everything is as it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.demo.samba import Controller
from tests.year.simulation import year

pytestmark = pytest.mark.samba
COMMON = {"create", "update", "move", "disable", "enable", "join", "restore", "delete"}


def test_thirty_days_with_two_thousand_guests(tmp_path: Path) -> None:
    # A domain of its own: two thousand names would meet those of other tests' guests.
    with Controller() as samba, year(tmp_path, samba, guests=2000, seed=30) as lived:
        lived.begin()
        for _ in range(30):
            lived.day()
        lived.whole_domain_is_as_copied()
        assert lived.done.keys() == COMMON, "a month in which something never happened proves nothing about it"
        assert lived.conflicts.keys() >= {
            "outside-ous",
            "name-taken",
        }  # protection has tests/acceptance/test_protected.py
        assert lived.stale
