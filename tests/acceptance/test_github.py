"""`propose` where plans are reviewed on GitHub: one pull request, kept up to date, left alone when nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.demo.pki import Authority
from reconciler.demo.samba import Controller
from reconciler.model.dn import DN
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in
from tests.support.hub.remote import Remote
from tests.support.operations import Operations, git

from .case import Case
from .expected import accounts, wanted

pytestmark = pytest.mark.samba
LONGEST = 65_536
BRANCH = "reconcile/plan"


@dataclass(frozen=True)
class OnGitHub:
    """An installation whose plans are reviewed at the stand-in."""

    ops: Operations
    github: StandIn
    case: Case

    def propose(self) -> Any:
        """Import and propose; return what `--json` says."""
        self.ops.reconcile("snapshot")
        self.github.asked.clear()
        return self.ops.reconcile("propose", "--json").json

    def written(self) -> list[str]:
        """Return what the last command changed at GitHub."""
        return [method for method, _ in self.github.asked if method != "GET"]

    def proposed(self, name: str) -> str:
        return git(self.ops.remote, "show", f"{BRANCH}:state/{name}")

    def merge(self) -> None:
        """Review, approve and merge as zoe would; the check job has reported."""
        number = len(self.github.pulls)
        self.github.approve(number)
        self.github.run("reconcile/plan", self.github.heads[BRANCH])
        self.github.merge(number)
        git(self.ops.directory, "pull", "-q", "--ff-only", "origin", "main")


@pytest.fixture
def on_github(
    operations: Callable[..., Operations], samba: Controller, samba_ou: DN, tmp_path: Path
) -> Iterator[Callable[[int], OnGitHub]]:
    tls = Authority.create("GitHub").write(tmp_path / "github", ["127.0.0.1"])
    with standing_in(tls) as github:

        def make(guests: int) -> OnGitHub:
            ops = operations(guests)
            settings = ops.directory / "reconcile.yaml"
            forge = f"forge: {{kind: github, url: {github.url}, repository: {REPOSITORY}"
            settings.write_text(settings.read_text().replace("forge: {kind: git", forge))
            ops.commit("reviewed on GitHub")
            ops.env |= {"RECONCILE_FORGE_TOKEN": TOKEN, "REQUESTS_CA_BUNDLE": str(tls.ca)}
            github.heads = Remote(ops.remote)
            return OnGitHub(ops, github, Case(ops, samba, samba_ou.text))

        yield make


def test_one_pull_request_is_opened_updated_left_alone_and_merged(
    on_github: Callable[[int], OnGitHub], samba: Controller, samba_ou: DN
) -> None:
    here = on_github(3)
    first = here.propose()
    assert here.written() == ["POST", "POST"]  # the pull request, and its label
    [pull] = here.github.pulls
    assert first["url"] == pull["html_url"]
    assert first["commit"] == pull["head"]["sha"]
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (BRANCH, "main")
    assert pull["title"] == "reconcile: 3 create"
    assert pull["body"] == here.proposed("plan.md")
    assert git(here.ops.directory, "status", "--porcelain") == ""

    again = here.propose()
    assert here.written() == []
    assert (again["proposed"], again["changes_digest"]) == (False, first["changes_digest"])
    assert here.github.heads[BRANCH] == first["commit"]

    here.ops.tenant.invite({"mail": "late.on.github@adatum.com", "displayName": "Late"})
    here.propose()
    assert here.written() == ["PATCH"]
    [pull] = here.github.pulls
    assert pull["title"] == "reconcile: 4 create"
    assert pull["body"] == here.proposed("plan.md")
    assert here.github.heads[BRANCH] != first["commit"]

    here.merge()
    assert here.ops.reconcile("apply", "--yes", "--json").json["counts"] == {"done": 4}
    assert accounts(samba, samba_ou.text) == wanted(here.ops)
    assert here.propose()["message"].startswith("No changes")
    assert here.github.asked == []

    here.ops.tenant.update(here.ops.tenant.guests()[0].id, displayName="Another")
    here.propose()
    assert here.written() == ["POST", "POST"]  # the pull request, and its label
    assert [(p["state"], p["title"]) for p in here.github.pulls] == [
        ("closed", "reconcile: 4 create"),
        ("open", "reconcile: 1 update"),
    ]


def test_a_plan_that_a_reviewer_closed_is_not_proposed_again_while_it_is_the_same(
    on_github: Callable[[int], OnGitHub],
) -> None:
    here = on_github(2)
    here.propose()
    here.github.close(1)
    here.propose()
    assert here.written() == []
    here.ops.tenant.update(here.ops.tenant.guests()[0].id, displayName="Another")
    here.propose()
    assert here.written() == ["POST", "POST"]  # the pull request, and its label


def test_the_text_of_a_large_plan_fits(on_github: Callable[[int], OnGitHub]) -> None:
    here = on_github(400)
    here.propose()
    [pull] = here.github.pulls
    assert LONGEST * 0.9 < len(pull["body"]) <= LONGEST
    assert pull["body"] == here.proposed("plan.md")
    assert "400 routine changes" in pull["body"]
    assert " more, in `state/plan.json`" in pull["body"]


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", ["no token for the forge", "RECONCILE_FORGE_TOKEN", "forge.kind"]),
        ("ghs_of_somebody_else", ["refused with 401: Bad credentials", "make a new one"]),
    ],
    ids=["missing", "wrong"],
)
def test_without_a_good_token_nothing_is_proposed_and_with_one_everything(
    on_github: Callable[[int], OnGitHub], token: str, says: list[str]
) -> None:
    here = on_github(2)
    here.ops.reconcile("snapshot")
    message = here.case.refused("propose", says=says, env={"RECONCILE_FORGE_TOKEN": token})
    assert not token or token not in message
    assert here.github.pulls == []
    assert BRANCH not in here.github.heads
    assert here.propose()["proposed"]
    assert len(here.github.pulls) == 1


def test_a_pull_request_that_could_not_be_updated_stays_as_it_was_with_its_branch(
    on_github: Callable[[int], OnGitHub],
) -> None:
    here = on_github(2)
    first = here.propose()
    here.ops.tenant.update(here.ops.tenant.guests()[0].id, displayName="Another")
    here.ops.reconcile("snapshot")
    here.github.answers += [(403, {}, '{"message": "Resource not accessible by integration"}')]
    here.case.refused("propose", says=["Resource not accessible by integration", "write access to pull requests"])
    assert here.github.heads[BRANCH] == first["commit"]
    here.propose()
    assert here.written() == ["PATCH"]
