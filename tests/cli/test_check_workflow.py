"""The scaffolded check of a pull request: its own commands, run on what GitHub checks out (the merge, as deep as it says)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.init import Answers, scaffold
from tests.support.operations import ROOT, environment, git

Check = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A scaffolded operations directory, committed, on a branch of its own."""
    directory = tmp_path / "identity"
    scaffold(directory, Answers())
    commit(directory, "scaffold")
    git(directory, "switch", "-q", "-c", "change")
    return directory


@pytest.fixture
def check(tmp_path: Path, repository: Path) -> Check:
    """Merge the branch as a pull request's merge ref does, and run the workflow's steps on a checkout of that."""
    workflow: Any = yaml.safe_load((repository / ".github/workflows/reconcile-check.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    depth = steps[0]["with"].get("fetch-depth", 1)
    commands = [step["run"] for step in steps if step["name" if "name" in step else "uses"].startswith(("Val", "Rec"))]
    program = tmp_path / "runner/reconcile/bin/reconcile"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    program.chmod(0o755)

    def run() -> subprocess.CompletedProcess[str]:
        git(repository, "switch", "-q", "--detach", "main")
        git(repository, "merge", "-q", "--no-ff", "-m", "merge ref", "change")
        git(repository, "branch", "-q", "-f", "merge", "HEAD")
        checkout = tmp_path / "checkout"
        git(tmp_path, "clone", "-q", f"--depth={depth}", "-b", "merge", f"file://{repository}", str(checkout))
        env = environment(tmp_path, RUNNER_TEMP=str(tmp_path / "runner"), PYTHONPATH=str(ROOT))
        assert len(commands) == 2
        script = ["bash", "-e", "-c", "\n".join(f"(\n{command}\n)" for command in commands)]
        return subprocess.run(script, cwd=checkout, env=env, capture_output=True, text=True, check=False)

    return run


def commit(directory: Path, message: str) -> None:
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", message)


def test_a_pull_request_without_a_plan_passes_when_its_files_are_valid(repository: Path, check: Check) -> None:
    policy = repository / "policies/guests.yaml"
    policy.write_text(policy.read_text() + "\n# one more line\n")
    commit(repository, "a change of the policy")
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pull_request_with_a_mistake_in_the_policy_does_not_pass(repository: Path, check: Check) -> None:
    policy = repository / "policies/guests.yaml"
    policy.write_text(policy.read_text().replace("guest.displayName", "guest.displayname"))
    commit(repository, "a typo")
    done = check()
    assert done.returncode == 1
    assert "displayname" in done.stderr


def test_a_pull_request_with_a_plan_that_its_tree_does_not_yield_does_not_pass(repository: Path, check: Check) -> None:
    (repository / "state/plan.json").write_text('{"format_version": "1.0", "digest": "0"}\n')
    commit(repository, "a plan out of nothing")
    assert check().returncode == 1
