"""The whole story on the emulator from npm, over a real git remote: what happens there when people disagree, or push."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.github import TOKEN
from tests.support.hub.emulated import Emulated, emulating
from tests.support.operations import git
from tests.support.reviewed import BRANCH, Reviewed, reviewed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Reviewed]:
    with reviewed(tmp_path, 2, serve=lambda tls: emulating(tmp_path, tls)) as made:
        hub_of(made).set_up()
        yield made


def hub_of(here: Reviewed) -> Emulated:
    assert isinstance(here.github, Emulated)
    return here.github


def rename(here: Reviewed, name: str) -> None:
    here.tenant.update(here.tenant.guests()[0].id, displayName=name)


def refused(here: Reviewed, *says: str, code: int = 1) -> None:
    """Apply must refuse, saying this, and write nothing."""
    before = (here.usn, here.refs())
    ended = here.run("apply", "--yes")
    assert ended.code == code, ended
    assert all(words in ended.error for words in says), ended.error
    assert (here.usn, here.refs()) == before


def test_propose_twice_approve_merge_apply(here: Reviewed) -> None:
    hub = hub_of(here)
    first = here.propose()
    assert first["proposed"]
    assert here.propose()["proposed"] is False
    assert hub.written == []

    rename(here, "Another")
    second = here.propose()
    assert (second["url"], second["commit"] == first["commit"]) == (first["url"], False)
    assert hub.pull(1)["title"] == "reconcile: 2 create"
    [label] = hub.must("GET", "/issues/1/labels")
    assert label["name"] == "reconcile/safe"

    # an approval of the head that was there before the last push does not count
    hub.must("POST", "/pulls/1/reviews", {"event": "APPROVE", "commit_id": hub.theirs[first["commit"]]}, "zoe")
    hub.checked("reconcile/plan", second["commit"])
    hub.merged(1)
    refused(here, f"zoe's does not count: they approved {first['commit'][:12]}, and more was pushed after that")
    hub.opinion(1, TOKEN)
    refused(here, "reconcile-app's does not count: they opened the pull request")
    hub.opinion(1, "zoe", "REQUEST_CHANGES")
    hub.opinion(1, "ada")
    refused(here, "zoe asks for changes")
    hub.opinion(1, "zoe")
    ended = here.ok("apply", "--yes", "--json")
    assert ended.json["counts"] == {"done": 2}
    assert "does not say who pushed" in ended.err
    here.pull()
    assert here.propose()["message"].startswith("No changes")
    assert hub.asked == []


def test_a_closed_pull_request_a_forced_branch_and_a_missing_check(here: Reviewed) -> None:
    hub = hub_of(here)
    proposed = here.propose()["commit"]
    hub.close(1)
    assert "closed without merging" in here.propose()["message"]
    rename(here, "Another")
    assert here.propose()["url"].endswith("/2")

    # somebody forces the branch to the plan that was rejected: the next run puts the right one there
    git(here.remote, "update-ref", f"refs/heads/{BRANCH}", proposed)
    mended = here.propose()
    assert mended["proposed"]
    assert hub.pull(2)["head"]["sha"] == mended["commit"] == hub.heads[BRANCH]

    hub.opinion(2, "zoe")
    hub.merged(2, "squash")
    refused(here, "check reconcile/plan on", "nobody reported it")
    hub.checked("reconcile/plan", mended["commit"], "failure")
    refused(here, "says failure")


def test_of_two_proposals_at_once_one_opens_the_pull_request_and_the_other_takes_it(here: Reviewed) -> None:
    hub = hub_of(here)
    here.ok("snapshot")
    late: list[bool] = []

    def another(method: str, path: str) -> None:
        if (method, path.rsplit("/", 1)[-1]) == ("POST", "pulls") and not late:
            late.append(True)
            hub.must("POST", "/pulls", {"title": "theirs", "head": BRANCH, "base": "main", "body": ""})
            hub.answers.append((422, {}, '{"message": "A pull request already exists"}'))

    hub.meanwhile = another
    ended = here.ok("propose", "--json")
    assert late
    assert [p["title"] for p in hub.must("GET", "/pulls")] == ["reconcile: 2 create"]
    assert ended.json["url"].endswith("/1")
