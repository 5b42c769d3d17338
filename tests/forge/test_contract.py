"""What every forge does, whoever keeps the pull requests: our stand-in, as github.com and as Enterprise Server, and the emulator from npm.

Plain git obeys the part that needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import ForgeError
from reconciler.forge.git import PlainGit
from reconciler.forge.github import GitHub
from reconciler.forge.port import Forge, Instruction, Opinion, Published, Standing
from tests.support.github import REPOSITORY, TOKEN, StandIn, standing_in
from tests.support.hub.emulated import Emulated, emulating
from tests.support.hub.remote import Remote
from tests.support.operations import git

BRANCH = "reconcile/plan"
MARK = "<!-- reconcile: plan -->\n"


@pytest.fixture(params=["stand-in", "enterprise", "emulator"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StandIn]:
    """A repository with two branches on a real remote."""
    with ExitStack() as stack:
        served = emulating(tmp_path) if request.param == "emulator" else standing_in()
        made: StandIn = stack.enter_context(served)
        if request.param == "enterprise":
            made.prefix = "/api/v3"
            made.url += made.prefix
        git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
        made.heads = remote = Remote(tmp_path / "remote.git")
        tree = git(remote.path, "hash-object", "-t", "tree", "-w", "/dev/null").strip()
        remote["main"] = remote.commit(tree, [], "first")
        remote[BRANCH] = remote.commit(tree, [remote["main"]], "plan")
        if isinstance(made, Emulated):
            made.set_up()
        yield made


@pytest.fixture
def proposal(hub: StandIn) -> Published:
    return Published(BRANCH, "main", hub.heads[BRANCH], "Plan: 2 changes", "body\n")


@pytest.fixture
def forge(hub: StandIn) -> GitHub:
    return GitHub(hub.url, REPOSITORY, TOKEN, trust=True)


def test_one_pull_request_is_opened_updated_and_found(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    opened = forge.publish(proposal)
    assert (opened.created, opened.head, opened.standing) == (True, proposal.commit, Standing.OPEN)
    hub.asked.clear()
    assert forge.publish(proposal) == replace(opened, created=False)
    assert hub.written == []
    updated = forge.publish(replace(proposal, title="Plan: 3 changes"))
    assert updated == replace(opened, created=False)
    assert forge.find(BRANCH, "main") == forge.latest(BRANCH, "main") == updated
    assert forge.find(BRANCH, "release") is None


def test_it_follows_its_branch(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    forge.publish(proposal)
    assert isinstance(hub.heads, Remote)
    tree = git(hub.heads.path, "rev-parse", "main^{tree}").strip()
    hub.heads[BRANCH] = forced = hub.heads.commit(tree, [hub.heads["main"]], "another plan")
    found = forge.find(BRANCH, "main")
    assert found is not None
    assert found.head == forced


def test_a_closed_one_is_rejected_and_followed_by_a_new_one(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    number = forge.publish(proposal).number
    hub.close(number)
    assert forge.find(BRANCH, "main") is None
    latest = forge.latest(BRANCH, "main")
    assert latest is not None
    assert (latest.number, latest.standing) == (number, Standing.REJECTED)
    assert forge.publish(proposal).number > number


def test_a_withdrawn_one_is_not_rejected(forge: GitHub, proposal: Published) -> None:
    number = forge.publish(proposal).number
    forge.withdraw(number, "Nothing is left to do.")
    latest = forge.latest(BRANCH, "main")
    assert latest is not None
    assert (latest.number, latest.standing) == (number, Standing.WITHDRAWN)


def test_who_approved_which_head_is_known(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    number = forge.publish(proposal).number
    assert forge.review(number).opinions == ()
    approve: Callable[[int, str], object] = hub.opinion if isinstance(hub, Emulated) else hub.approve
    approve(number, "zoe")
    found = forge.review(number)
    assert found.opinions == (Opinion("zoe", proposal.commit, approves=True),)
    assert found.author not in ("", "zoe")
    assert not found.foreign


def test_the_merged_one_is_found_by_its_commit(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    number = forge.publish(proposal).number
    assert forge.merged(hub.heads["main"], BRANCH, "main") is None
    merged = hub.merged(number) if isinstance(hub, Emulated) else hub.merge(number)
    found = forge.merged(merged, BRANCH, "main")
    assert found is not None
    assert (found.number, found.head, found.standing) == (number, proposal.commit, Standing.MERGED)
    assert forge.merged(merged, BRANCH, "release") is None


def test_what_was_reported_is_known(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    assert forge.checks(proposal.commit) == ()
    report: Callable[[str, str, str], object] = hub.checked if isinstance(hub, Emulated) else hub.run
    report("reconcile/plan", proposal.commit, "success")
    report("lint", proposal.commit, "failure")
    assert {c.name: c.passed for c in forge.checks(proposal.commit)} == {"reconcile/plan": True, "lint": False}


def test_a_comment_and_labels_are_kept_up_to_date(forge: GitHub, hub: StandIn, proposal: Published) -> None:
    number = forge.publish(proposal).number
    forge.label(number, ["reconcile/safe"])
    forge.label(number, ["reconcile/dangerous"])
    forge.comment(number, "plan", "one")
    hub.asked.clear()
    forge.label(number, ["reconcile/dangerous"])
    assert hub.written == []
    forge.comment(number, "plan", "two")
    assert len(hub.written) == 1


@pytest.fixture
def plain() -> Forge:
    return PlainGit("origin")


def test_plain_git_says_what_to_do_and_knows_of_nothing(plain: Forge) -> None:
    commit = "b" * 40
    assert isinstance(plain.publish(Published(BRANCH, "main", commit, "t", "b")), Instruction)
    assert plain.find(BRANCH, "main") is plain.latest(BRANCH, "main") is plain.merged(commit, BRANCH, "main") is None
    assert plain.checks(commit) == ()
    plain.comment(1, "plan", "said")
    plain.label(1, ["reconcile/safe"])
    plain.withdraw(1, "words")
    with pytest.raises(ForgeError, match="plain git"):
        plain.review(1)
