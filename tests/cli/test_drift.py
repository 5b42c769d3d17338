"""`reconcile drift`: what a full read of the domain shows beside the committed plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operations import git
from tests.support.reviewed import Reviewed, reviewed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Reviewed]:
    with reviewed(tmp_path, guests=2) as made:
        yield made


def merged(here: Reviewed, number: int) -> None:
    here.propose()
    here.approve_and_check(number)
    here.github.merge(number)
    here.pull()


def kinds(here: Reviewed) -> list[str]:
    ended = here.run("drift", "--json", "--detailed-exitcode")
    found = [row["kind"] for row in ended.json["drift"]]
    assert ended.code == (2 if found else 0)
    return found


def test_before_the_first_merge_there_is_nothing_to_compare_with(here: Reviewed) -> None:
    ended = here.ok("drift")
    assert "nothing to compare with" in ended.out


def test_a_plan_that_was_not_carried_out_is_told_and_one_that_was_is_quiet(here: Reviewed) -> None:
    merged(here, 1)
    here.ok("snapshot", "--only", "ad", "--full")
    assert kinds(here) == ["unapplied", "unapplied"]
    git(here.directory, "checkout", "-q", "--", "state")
    here.ok("apply", "--yes")
    here.ok("snapshot", "--only", "ad", "--full")
    assert kinds(here) == []
    assert "No drift" in here.ok("drift").out


def test_the_import_that_the_plan_was_made_from_cannot_tell_what_became_of_it(here: Reviewed) -> None:
    merged(here, 1)
    for _ in range(2):  # before and after the apply
        ended = here.run("drift", "--detailed-exitcode")
        assert ended.code == 1
        assert "made from import 1, and state/ holds import 1: that cannot show what became" in ended.error
        assert "Run `reconcile snapshot --only ad --full`" in ended.error
        here.run("apply", "--yes")


def test_a_guest_that_is_new_in_entra_is_no_drift_of_the_domain(here: Reviewed) -> None:
    merged(here, 1)
    here.ok("apply", "--yes")
    here.tenant.invite({"mail": "late@adatum.com", "displayName": "Late"})
    here.ok("snapshot", "--only", "ad", "--full")
    assert kinds(here) == []
    here.ok("snapshot")
    assert kinds(here) == ["drifted"]


def test_a_conflict_that_the_merged_plan_knew_is_told_no_more(here: Reviewed) -> None:
    guest = here.tenant.guests()[0].id
    here.tenant.update(guest, surname="x" * 65)
    merged(here, 1)
    here.ok("apply", "--yes")
    here.ok("snapshot", "--only", "ad", "--full")
    assert kinds(here) == []
    here.tenant.update(here.tenant.guests()[1].id, surname="y" * 65)
    here.ok("snapshot")
    assert kinds(here) == ["conflict"]


def test_a_name_is_made_visible_once(here: Reviewed) -> None:
    here.tenant.invite({"mail": "eve@adatum.com", "displayName": "Eve\u202e ::error::x"})
    merged(here, 1)
    here.ok("snapshot", "--only", "ad", "--full")
    said = here.run("drift").out
    assert r"Eve\u{202e} :\u{3a}error:\u{3a}x" in said
    assert "\u202e" not in said
