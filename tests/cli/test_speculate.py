"""`reconcile plan --speculative` on a checkout: no credentials, no network, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.init import Answers, scaffold
from reconciler.state.store import write_state
from tests.planning import builder
from tests.support.operations import ROOT, environment, git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TENANT = "contoso.test"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An operations directory with an import of six guests and their accounts, and a remote that cannot be reached."""
    made = tmp_path / "identity"
    scaffold(made, Answers(tenant=TENANT, forge="git"))
    guests = [builder.guest(i) for i in range(1, 7)]
    state = builder.state(guests, [builder.account(g, 1100 + i) for i, g in enumerate(guests)])
    write_state(made, None, state)
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "an import")
    git(made, "remote", "add", "origin", "https://127.0.0.1:9/nowhere.git")
    git(made, "switch", "-q", "-c", "change")
    return made


@pytest.fixture
def run(tmp_path: Path, directory: Path) -> Run:
    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reconciler", "-C", str(directory), "plan", *arguments]
        env = environment(tmp_path, PYTHONPATH=str(ROOT))
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return start


def edit(directory: Path, old: str, new: str, *, commit: bool = True) -> None:
    policy = directory / "policies/guests.yaml"
    assert old in policy.read_text()
    policy.write_text(policy.read_text().replace(old, new))
    if commit:
        git(directory, "commit", "-q", "-a", "-m", "a change of the policy")


def speculated(done: subprocess.CompletedProcess[str]) -> Any:
    document = json.loads(done.stdout)
    assert document["speculative"] is True
    return document["speculation"]


def test_given_a_committed_change_it_is_compared_with_where_the_branch_left_the_protected_one(
    directory: Path, run: Run
) -> None:
    git(directory, "update-ref", "refs/remotes/origin/main", "main")
    edit(directory, "displayName: guest.displayName", "displayName: guest.displayName + ' (x)'")
    before = git(directory, "status", "--porcelain")
    told = speculated(run("--speculative", "--json"))

    assert told["base"] == git(directory, "rev-parse", "main").strip()
    assert told["radius"]["accounts"] == 6
    assert git(directory, "status", "--porcelain") == before
    assert not (directory / "state/plan.json").exists()


def test_given_no_fetched_branch_what_is_edited_is_compared_with_head(directory: Path, run: Run) -> None:
    edit(directory, "mail: guest.mail", "mail: guest.userPrincipalName", commit=False)
    told = speculated(run("--speculative", "--json"))

    assert told["base"] == git(directory, "rev-parse", "HEAD").strip()
    assert told["radius"]["accounts"] == 6


def test_the_merge_that_a_forge_checks_out_is_compared_with_its_first_parent(directory: Path, run: Run) -> None:
    edit(directory, "blocked: {disable: true}", "blocked: {disable: false}")
    git(directory, "switch", "-q", "--detach", "main")
    git(directory, "merge", "-q", "--no-ff", "-m", "merge ref", "change")
    done = run("--speculative", "--base", "HEAD^1", "--format", "markdown")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "> **No account is affected.** Both policies ask for the same."
    assert "It is never applied." in done.stdout


def test_the_comment_leaves_room_for_what_is_added_to_it() -> None:
    from reconciler.model.speculation import Speculation
    from reconciler.render.plan_markdown import limit, markdown
    from tests.render import builder as plans

    plan = replace(plans.large(5000), speculation=Speculation("c0ffee", None))

    assert 60_000 < len(markdown(plan, plans.DIGEST, plans.CHANGES_DIGEST, limit(plan))) <= 64_512


def test_a_guard_that_would_refuse_the_next_plan_is_told_by_the_exit_code(directory: Path, run: Run) -> None:
    edit(directory, "displayName: guest.displayName", "displayName: guest.displayName + ' (x)'")

    assert run("--speculative", "--base", "main").returncode == 3


@pytest.mark.parametrize("output", ["text", "markdown", "html", "json"])
def test_an_attribute_that_was_never_imported_is_named_in_every_form(directory: Path, run: Run, output: str) -> None:
    edit(directory, "mail: guest.mail", "mail: guest.mail\n  department: guest.department")
    done = run("--speculative", "--base", "main", "--format", output)

    assert done.returncode == 0, done.stderr
    assert "department" in done.stdout
    assert "never imported" in " ".join(done.stdout.split())


@pytest.mark.parametrize("output", ["text", "markdown", "html", "json"])
def test_a_scope_that_reads_what_was_never_imported_is_an_answer_and_no_error(
    directory: Path, run: Run, output: str
) -> None:
    edit(directory, 'guest.userType == "Guest"', 'guest.department != "x"')
    done = run("--speculative", "--base", "main", "--format", output)

    assert (done.returncode, done.stderr) == (0, "")
    assert "never imported" in " ".join(done.stdout.split())
    assert "peculative" in done.stdout


def test_before_the_first_import_the_answer_is_that(directory: Path, run: Run) -> None:
    git(directory, "rm", "-r", "-q", "state")
    git(directory, "commit", "-q", "-m", "before the first import")
    done = run("--speculative", "--base", "main", "--format", "markdown")

    assert done.returncode == 0
    assert "Nothing can be planned before the next import" in done.stdout


def test_a_base_whose_policy_is_broken_leaves_the_plan_and_says_that_nothing_can_be_told_apart(
    directory: Path, run: Run
) -> None:
    edit(directory, "displayName: guest.displayName", "displayName: guest.dispalyName")
    edit(directory, "guest.dispalyName", "guest.displayName")
    told = speculated(run("--speculative", "--base", "HEAD^", "--json"))

    assert told["radius"] is None
    assert "dispalyName" in told["unknown"][-1]["what"]
    assert "\n" not in told["unknown"][-1]["what"]


def test_a_base_that_is_not_there_is_an_error(run: Run) -> None:
    assert run("--speculative", "--base", "nowhere").returncode == 1
    assert run("--base", "main").returncode == 64


def test_a_speculative_plan_in_the_place_of_the_plan_is_refused_by_its_mark(directory: Path, run: Run) -> None:
    from reconciler.apply.run import run as carry_out
    from reconciler.errors import StalePlanError
    from reconciler.model.speculation import Speculation
    from reconciler.planning.encode import stored_digest
    from reconciler.progress import Silent

    stored = run("--speculative", "--json").stdout
    with pytest.raises(StalePlanError, match="speculative"):
        stored_digest(stored.encode())
    marked = replace(builder.plan([builder.guest(1)], []), speculation=Speculation("c0ffee", None))
    with pytest.raises(StalePlanError, match="speculative"):
        carry_out(marked, None, (), None, lambda: None, Silent())  # type: ignore[arg-type]
