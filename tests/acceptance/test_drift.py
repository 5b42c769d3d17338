"""The same drift later on, a day's receipts, and one commit's plan wherever and whenever it is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.cli.context import Ports
from reconciler.cli.main import main
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.operations import ROOT, Operations, git

from .case import Case
from .diary import Diary
from .expected import accounts, held, wanted

pytestmark = pytest.mark.samba
Make = Callable[..., Operations]


def test_the_same_drift_a_month_later_is_planned_and_applied_again(
    operations: Make, samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> None:
    ops = operations(4)
    diary = Diary(ops, capsys)
    diary.proposed()
    assert diary.applied() == {"done": 4}
    edited = next(iter(held(samba, samba_ou.text).values()))["distinguishedName"]
    plans = []
    for _ in range(2):
        diary.now += timedelta(days=30)
        ops.tenant.expire_delta_links()  # they live seven days
        with samba.administrator() as administrator:
            administrator.replace(edited, "displayName", ["By hand"])
        plans.append(diary.proposed())
        assert diary.applied() == {"done": 1}
        assert accounts(samba, samba_ou.text) == wanted(ops)
    first, again = plans
    assert json.dumps(again["changes"]) == json.dumps(first["changes"])
    assert again["changes_digest"] == first["changes_digest"]
    assert again["digest"] != first["digest"]
    assert len({receipt["digest"] for receipt in ops.receipts()}) == 3


def test_the_same_drift_twice_within_a_minute_is_two_plans_even_to_one_journal(
    operations: Make, samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> None:
    ops = operations(4)
    diary = Diary(ops, capsys)
    diary.proposed()
    diary.applied()
    edited = next(iter(held(samba, samba_ou.text).values()))["distinguishedName"]
    for _ in range(2):
        with samba.administrator() as administrator:
            administrator.replace(edited, "displayName", ["By hand"])
        diary.proposed()  # the clock stands still: the import's serial tells them apart
        assert diary.applied("--journal", str(ops.root / "one.jsonl")) == {"done": 1}
        assert accounts(samba, samba_ou.text) == wanted(ops)


def test_a_day_s_receipts_count_in_the_guards(
    operations: Make, samba: Controller, samba_ou: DN, capsys: pytest.CaptureFixture[str]
) -> None:
    """30 percent of 4 accounts are 2 updates: two plans of two changes are one too many, on one day."""
    ops = operations(4)
    diary = Diary(ops, capsys)
    diary.proposed()
    diary.applied()
    guests = [user.id for user in ops.tenant.guests()]
    for guest in guests[:2]:
        ops.tenant.update(guest, jobTitle="not imported", displayName="First of the day")
    diary.proposed()
    assert diary.applied() == {"done": 2}

    diary.now += timedelta(hours=3)
    ops.tenant.update(guests[2], displayName="Second of the day")
    plan = diary.proposed()
    assert [c["action"] for c in plan["changes"]] == ["update"]
    before = held(samba, samba_ou.text)
    _, said = diary.reconcile("apply", "--yes", expect=3)
    assert "update guard: 1 planned, 2 already applied today, at most 2 allowed" in said
    assert "Nothing was applied" in said
    assert held(samba, samba_ou.text) == before
    assert "refs/reconcile/lock" not in git(ops.directory, "ls-remote", "origin")

    diary.now += timedelta(days=1)
    diary.proposed()
    assert diary.applied() == {"done": 1}
    assert accounts(samba, samba_ou.text) == wanted(ops)


def elsewhere(**different: str) -> dict[str, str]:
    """Return an environment without any credential, and otherwise like ours but for what is named."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH")}
    return {**kept, "HOME": "/nonexistent", **different}


def planned(directory: Path, env: Mapping[str, str], before: tuple[str, ...] = (), *options: str) -> tuple[bytes, ...]:
    """Return what a process of its own prints and writes as the plan of a directory."""
    command = [*before, sys.executable, *options, "-m", "reconciler", "-C", str(directory), "plan", "--json"]
    run = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    return (run.stdout, *((directory / "state" / name).read_bytes() for name in ("plan.json", "plan.md")))


NO_NETWORK = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
PLACES: dict[str, tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]] = {
    "no credentials": ({}, (), ()),
    "no network": ({}, NO_NETWORK, ()),
    "another time zone": ({"TZ": "Pacific/Kiritimati"}, (), ()),
    "another locale": ({"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"}, (), ()),
    "no locale": ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, (), ()),
    "another hash seed": ({"PYTHONHASHSEED": "4711"}, (), ()),
    "a narrow terminal": ({"COLUMNS": "20", "NO_COLOR": "1", "TERM": "dumb"}, (), ()),
    "no assertions": ({}, (), ("-O",)),
}


@pytest.mark.parametrize(("different", "before", "options"), PLACES.values(), ids=PLACES)
def test_one_commit_has_one_plan(
    case: Case, tmp_path: Path, different: dict[str, str], before: tuple[str, ...], options: tuple[str, ...]
) -> None:
    here = planned(case.directory, {**os.environ, **case.ops.env})
    assert here[1] == here[0] == git(case.directory, "show", "HEAD:state/plan.json").encode()
    assert b"Changed in Entra" in here[2]
    there = tmp_path / "another clone"
    git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", str(case.ops.remote), str(there))
    for name in ("plan.json", "plan.md"):
        (there / "state" / name).unlink()
    assert planned(there, elsewhere(**different), before, *options) == here


def at(then: datetime) -> Ports:
    return Ports(clock=lambda: then)


def test_nor_does_the_plan_know_what_day_it_is(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    committed = case.read("state/plan.json")
    for days in (-1000, 0, 1000):
        then = datetime.now(UTC) + timedelta(days=days)
        assert main(["-C", str(case.directory), "plan", "--json"], ports=at(then), env={}) == 0
        assert capsys.readouterr().out.encode() == committed
        assert case.read("state/plan.json") == committed
