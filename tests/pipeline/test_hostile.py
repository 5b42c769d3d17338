"""Branches, titles, accounts, directories and guests called like commands: nothing of them runs, in any workflow."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.init import WORKFLOWS
from tests.support.operations import ROOT, git

from .conftest import World

SCAFFOLD = ROOT / "reconciler/cli/scaffold"


def workflow(name: str) -> Any:
    return yaml.safe_load((SCAFFOLD / f"{name}.yml").read_text())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_script_has_an_expression_in_its_text(name: str) -> None:
    """What an expression yields is in the script's environment: bash never reads it as a part of the script."""
    scripts = [step["run"] for job in workflow(name)["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_secrets_are_given_to_single_steps_of_jobs_in_an_environment(name: str) -> None:
    document = workflow(name)
    assert document["permissions"] == {}
    assert "secrets." not in str({key: value for key, value in document.items() if key != "jobs"})
    for job in document["jobs"].values():
        outside = {key: value for key, value in job.items() if key != "steps"}
        assert "secrets." not in str(outside)
        assert "secrets." not in str(job["steps"]) or "environment" in job
        assert job["permissions"] if "permissions" in job else job["name"] == "reconcile/plan"


def test_this_repositorys_workflows_are_those_that_init_writes() -> None:
    for name in WORKFLOWS:
        assert (ROOT / f".github/workflows/reconcile-{name}.yml").read_text() == (SCAFFOLD / f"{name}.yml").read_text()
    assert (ROOT / ".github/CODEOWNERS").read_text() == (SCAFFOLD / "CODEOWNERS").read_text()


@pytest.mark.samba
def test_names_that_are_commands_are_names(world: Callable[[int], World], tmp_path: Path) -> None:
    here = world(1)
    pwned = tmp_path / "pwned"
    command = f"$(touch${{IFS}}{pwned})"
    nasty = [f"::error::{command}", f"##[command]{command}", f'"; touch {pwned}; "', f"`touch {pwned}`\n::add-mask::x"]
    for number, name in enumerate(nasty):
        here.ops.tenant.invite({"mail": f"n{number}@adatum.com", "displayName": name})
    planned = here.scheduled("plan")
    assert planned["reconcile/propose (root)"].result == "success"
    checked = here.checked(1, actor=f'mallory";touch {pwned};"')
    assert checked["reconcile/plan"].result == "success"
    here.hub.approve(1)
    here.merge(1)
    assert here.pushed()["reconcile/apply (root)"].result == "success"

    policy = here.ops.directory / "policies/guests.yaml"
    policy.write_text(
        policy.read_text().replace("displayName: guest.displayName", "displayName: guest.displayName + '!'")
    )
    other = here.ops.directory / f"dir {command}"
    for file in ("reconcile.yaml", "policies/guests.yaml"):
        (other / file).parent.mkdir(parents=True, exist_ok=True)
        (other / file).write_text((here.ops.directory / file).read_text())
    number = here.propose(f"x{command}`touch{pwned}`", title=f"t{command}", author=f"a{command}")
    done = here.checked(number, actor=f"a{command}")
    assert done["reconcile/plan"].result == "success", done.log
    assert len(done.jobs) == 5
    comments = {c["body"].partition("\n")[0] for c in here.hub.comments[number]}
    assert len(comments) == len(here.hub.comments[number]) == 2
    assert all(re.fullmatch(r"<!-- reconcile: speculative-[a-z0-9-]+ -->", mark) for mark in comments)
    assert [c for c in here.hub.comments[number] if "::error::" in c["body"]]

    assert not pwned.exists()
    ours = ("::warning title=state/ was not changed by the importer::",)
    told = [line for text in here.log for line in text.splitlines() if line.lstrip().startswith(("::", "##["))]
    assert [line for line in told if not line.startswith(ours)] == []


@pytest.mark.samba
def test_a_directory_whose_name_would_write_another_output_fails_the_check(world: Callable[[int], World]) -> None:
    here = world(1)
    other = here.ops.directory / "a\nend\nfound<<end"
    (other / "policies").mkdir(parents=True)
    for file in ("reconcile.yaml", "policies/guests.yaml"):
        (other / file).write_text((here.ops.directory / file).read_text())
    done = here.checked(here.propose("newline"), actor="mallory")
    assert done.results["targets"] == done.results["reconcile/plan"] == "failure"
    assert "name with unprintable characters" in done.log
    assert git(here.ops.directory, "status", "--porcelain") == ""
