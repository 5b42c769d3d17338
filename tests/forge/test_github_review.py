"""Who had which part in a pull request on GitHub, and what was reported on its head."""

from __future__ import annotations

import json

import pytest

from reconciler.errors import ForgeError
from reconciler.forge.github import GitHub
from reconciler.forge.port import Check, Opinion, Published, Standing
from tests.support.hub.shapes import commit, user

from .conftest import StandIn

HEAD, OLD, MERGED = "b" * 40, "a" * 40, "d" * 40
BRANCH = "reconcile/plan"
PROPOSAL = Published(BRANCH, "main", HEAD, "Plan: 2 changes", "| a | b |\n")
APP = "contoso-reconcile[bot]"


@pytest.fixture(autouse=True)
def opened(forge: GitHub) -> None:
    forge.publish(PROPOSAL)


def test_the_last_word_of_each_reviewer_counts_and_a_comment_is_none(forge: GitHub, stand_in: StandIn) -> None:
    for who, state, of in [
        ("zoe", "APPROVED", OLD),
        ("ada", "APPROVED", HEAD),
        ("carol", "APPROVED", HEAD),
        ("ada", "CHANGES_REQUESTED", HEAD),
        ("dan", "DISMISSED", HEAD),
        ("eve", "COMMENTED", HEAD),
        ("carol", "COMMENTED", HEAD),
        ("helper[bot]", "APPROVED", HEAD),
        ("stranger", "APPROVED", HEAD),
    ]:
        stand_in.approve(1, who, state, of)
    stand_in.approve(1, "ghost")["user"] = None
    assert forge.review(1).opinions == (
        Opinion("ada", HEAD, approves=False),
        Opinion("carol", HEAD, approves=True),
        Opinion("helper[bot]", HEAD, approves=True, person=False, may_write=False),
        Opinion("stranger", HEAD, approves=True, may_write=False),
        Opinion("zoe", OLD, approves=True),
    )


def test_who_is_no_collaborator_may_not_write(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.approve(1, "gone")
    stand_in.roles["gone"] = ""
    assert forge.review(1).opinions == (Opinion("gone", HEAD, approves=True, may_write=False),)


def test_who_opened_wrote_and_pushed_it_is_told(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.commits[1] = [commit("erin", "web-flow"), commit(None, "ada")]
    stand_in.push(BRANCH, HEAD, "mallory")
    stand_in.push("another", HEAD, "zoe")
    found = forge.review(1)
    assert (found.author, found.pusher, found.foreign) == (APP, "mallory", False)
    assert found.writers == {"erin", "ada", APP}, "who opened it pushed that commit first"


def test_everybody_who_pushed_any_of_it_had_a_part(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.commits[1] = [{**commit("erin", "erin"), "sha": sha} for sha in (OLD, HEAD)]
    stand_in.pushes.clear()
    stand_in.push(BRANCH, "f" * 40, "zoe")  # gone since
    stand_in.push(BRANCH, OLD, "mallory")
    stand_in.push(BRANCH, HEAD, "carol")
    stand_in.pushes[0]["before"] = OLD
    found = forge.review(1)
    assert (found.pusher, found.writers, found.anybody) == ("carol", frozenset({"erin", "mallory"}), False)
    stand_in.pushes[1]["actor"] = user("github-actions[bot]")
    assert forge.review(1).anybody


def test_a_list_of_pushes_that_is_cut_off_before_the_first_names_nobody(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.commits[1] = [{**commit("erin", "erin"), "sha": sha} for sha in (OLD, HEAD)]
    stand_in.push(BRANCH, HEAD, "carol")
    stand_in.pushes[0]["before"] = OLD
    assert forge.review(1).pusher == ""


def test_a_branch_that_was_deleted_does_not_hide_who_pushed(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.merge(1, MERGED)
    stand_in.pushes.clear()
    stand_in.push(BRANCH, HEAD, "mallory")
    stand_in.forgets_deleted = True
    assert forge.review(1).pusher == "mallory"


def test_a_push_that_is_not_listed_has_no_name(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.merge(1, MERGED)
    stand_in.pushes.clear()
    assert forge.review(1).pusher == ""


def test_an_older_server_that_lists_no_pushes_never_tells(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.lists_pushes = False
    assert forge.review(1).pusher is None


def test_a_pull_request_from_a_copy_is_foreign(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.pulls[0]["head"]["repo"] = {"full_name": "mallory/identity"}
    assert forge.review(1).foreign
    stand_in.undescribed = True
    stand_in.pulls[0]["head"]["repo"] = None  # deleted
    assert forge.review(1).foreign


def test_more_commits_than_github_names_the_authors_of_are_refused(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.commits[1] = [commit("erin", "erin")] * 250
    with pytest.raises(ForgeError, match="fewer commits"):
        forge.review(1)


def test_long_listings_are_read_to_their_end(forge: GitHub, stand_in: StandIn) -> None:
    for n in range(250):
        stand_in.approve(1, f"u{n:03}[bot]")
    assert len(forge.review(1).opinions) == 250


def test_checks_are_runs_and_statuses_of_that_commit_each_reporters_latest(forge: GitHub, stand_in: StandIn) -> None:
    for name, conclusion, app in [
        ("lint", "success", "github-actions"),
        ("docs", "skipped", "github-actions"),
        ("slow", None, "github-actions"),
        ("twice", "success", "github-actions"),
        ("twice", "failure", "other-app"),
    ]:
        stand_in.run(name, HEAD, conclusion, app)
    stand_in.run("other", OLD)
    stand_in.report("scan", HEAD, "failure")
    stand_in.report("scan", HEAD, "success")
    stand_in.report("scan", HEAD, "pending", "mallory")
    assert forge.checks(HEAD) == (
        Check("lint", passed=True, by="github-actions", said="success"),
        Check("docs", passed=False, by="github-actions", said="skipped"),
        Check("slow", passed=None, by="github-actions"),
        Check("twice", passed=True, by="github-actions", said="success"),
        Check("twice", passed=False, by="other-app", said="failure"),
        Check("scan", passed=True, by="contoso-ci", said="success"),
        Check("scan", passed=None, by="mallory", person=True, said="pending"),
    )


def test_the_pull_request_behind_a_commit_of_the_branch_is_found(forge: GitHub, stand_in: StandIn) -> None:
    assert forge.merged(MERGED, BRANCH, "main") is None
    stand_in.merge(1, MERGED)
    found = forge.merged(MERGED, BRANCH, "main")
    assert found is not None
    assert (found.number, found.head, found.standing, found.ref) == (1, HEAD, Standing.MERGED, "refs/pull/1/head")
    assert forge.merged("e" * 40, BRANCH, "main") is None


def test_one_of_another_branch_or_a_rebased_one_is_found_by_its_commits(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.merge(1, MERGED)
    stand_in.introduced["e" * 40] = [1]
    found = forge.merged("e" * 40, "reconcile/plan-elsewhere", "main")
    assert found is not None
    assert found.number == 1


def test_one_of_the_repository_that_ours_is_a_copy_of_is_not_ours(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.merge(1, MERGED)
    stand_in.pulls[0]["base"]["repo"] = {"full_name": "original/identity"}
    assert forge.merged(MERGED, BRANCH, "main") is None


def test_one_that_was_closed_or_went_elsewhere_brought_nothing(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.introduced[MERGED] = [1]
    stand_in.close(1)
    assert forge.merged(MERGED, BRANCH, "main") is None
    stand_in.merge(1, MERGED)
    assert forge.merged(MERGED, BRANCH, "release") is None


@pytest.mark.parametrize("row", [{}, {"number": 1, "html_url": "x", "head": None}, []])
def test_an_answer_that_is_no_pull_request_is_an_error(forge: GitHub, stand_in: StandIn, row: object) -> None:
    stand_in.answers.append((200, {}, json.dumps(row)))
    with pytest.raises(ForgeError):
        forge.review(1)


def test_an_account_that_is_gone_is_nobody(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.undescribed = True
    stand_in.pulls[0]["user"] = None
    stand_in.pushes[0] |= {"actor": None}
    found = forge.review(1)
    assert (found.author, found.pusher) == ("", "")
    assert user("zoe")["type"] == "User"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "[" * 100_000, "was answered with no JSON"),
        (422, "[" * 100_000, "was refused with 422"),
        (422, '{"message": "no", "errors": 5}', "was refused with 422: no"),
        (422, '{"message": "no", "errors": "none"}', "was refused with 422: no"),
        (422, '{"message": [], "errors": [[], 7, null]}', "was refused with 422"),
        (200, "null", "was refused with 200"),
        (200, '{"number": 1}', "lacks number, address or head"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_in_words(
    forge: GitHub, stand_in: StandIn, status: int, body: str, says: str
) -> None:
    stand_in.answers.append((status, {}, body))
    with pytest.raises(ForgeError, match=says):
        forge.review(1)
