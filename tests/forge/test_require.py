"""What `forge.require` demands: each way of not meeting it is named, and meeting it is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.forge.port import Check, Opinion, PullRequest, Review
from reconciler.forge.require import approvers, unmet
from reconciler.model.settings import Forge, RequiredCheck

HEAD, OLD = "b" * 40, "c" * 40
PULL = PullRequest(7, "https://github.test/pull/7", HEAD)
ZOE = Opinion("zoe", HEAD, approves=True)
GOOD = Review(PULL, "contoso-reconcile[bot]", frozenset({"erin"}), "contoso-reconcile[bot]", (ZOE,))
RAN = Check("reconcile/plan", passed=True, by="github-actions", said="success")


def asks(approvals: int = 1, *checks: RequiredCheck) -> Forge:
    return Forge("github", "origin", "main", "https://api.github.com", "contoso/identity", approvals, checks)


PLAN = RequiredCheck("reconcile/plan")


def test_an_approval_of_the_merged_head_and_a_green_check_are_enough() -> None:
    assert unmet(asks(1, PLAN), GOOD, [RAN]) == ()
    assert approvers(GOOD) == ("zoe",)


def test_where_nothing_is_required_nothing_is_missing() -> None:
    assert unmet(asks(0), replace(GOOD, opinions=()), []) == ()


@pytest.mark.parametrize(
    ("opinion", "review", "why"),
    [
        (replace(ZOE, by=GOOD.author), GOOD, "they opened the pull request"),
        (replace(ZOE, person=False, may_write=False), GOOD, "an app cannot approve"),
        (ZOE, replace(GOOD, pusher="zoe"), "they pushed that commit"),
        (replace(ZOE, by="erin"), GOOD, "they wrote or pushed some of it"),
        (replace(ZOE, commit=OLD), GOOD, "they approved cccccccccccc, and more was pushed after that"),
        (replace(ZOE, may_write=False), GOOD, "they may not write to the repository"),
    ],
    ids=["author", "app", "pusher", "writer", "before-the-last-push", "outsider"],
)
def test_an_approval_that_does_not_count_says_why(opinion: Opinion, review: Review, why: str) -> None:
    tried = replace(review, opinions=(opinion,))
    [said] = unmet(asks(1), tried, [])
    assert said.startswith("1 approval is required of bbbbbbbbbbbb, and nobody approved it so that it counts; ")
    assert said.endswith(f"{opinion.by}'s does not count: {why}")
    assert approvers(tried) == ()
    assert unmet(asks(1), replace(tried, opinions=(opinion, replace(ZOE, by="ada"))), []) == ()


def test_approvals_are_counted() -> None:
    assert unmet(asks(2), GOOD, []) == ("2 approvals are required of bbbbbbbbbbbb, and only zoe approved it",)
    assert unmet(asks(2), replace(GOOD, opinions=(ZOE, replace(ZOE, by="ada"))), []) == ()


def test_nobody_approved() -> None:
    assert unmet(asks(), replace(GOOD, opinions=()), []) == (
        "1 approval is required of bbbbbbbbbbbb, and nobody approved it",
    )


def test_whoever_asks_for_changes_stands_against_every_approval() -> None:
    no = Opinion("ada", OLD, approves=False)
    [said] = unmet(asks(), replace(GOOD, opinions=(no, ZOE)), [])
    assert said.startswith("ada asks for changes")
    for powerless in (replace(no, may_write=False), replace(no, person=False)):
        assert unmet(asks(), replace(GOOD, opinions=(powerless, ZOE)), []) == ()


def test_a_push_that_should_have_a_name_and_has_none_is_waited_for() -> None:
    [said] = unmet(asks(), replace(GOOD, pusher=""), [])
    assert "nobody is named who pushed bbbbbbbbbbbb" in said
    assert unmet(asks(0), replace(GOOD, pusher=""), []) == ()


def test_what_a_workflows_own_token_pushed_may_be_anybodys() -> None:
    [said] = unmet(asks(), replace(GOOD, anybody=True), [])
    assert "was pushed by a workflow's own token" in said
    assert unmet(asks(0), replace(GOOD, anybody=True), []) == ()


def test_a_server_that_never_names_who_pushed_is_believed_in_the_rest() -> None:
    assert unmet(asks(), replace(GOOD, pusher=None), []) == ()


def test_a_copy_of_the_repository_is_not_where_plans_come_from() -> None:
    assert any("fork" in said for said in unmet(asks(0), replace(GOOD, foreign=True), []))


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ([], "nobody reported it"),
        ([replace(RAN, name="lint")], "nobody reported it"),
        ([replace(RAN, passed=None)], "github-actions has not finished it"),
        ([replace(RAN, passed=False, said="timed_out")], "github-actions says timed_out"),
        ([RAN, replace(RAN, passed=False, said="skipped")], "github-actions says skipped"),
        ([RAN, replace(RAN, by="mallory", person=True, passed=False, said="failure")], "mallory says failure"),
        ([replace(RAN, by="mallory", person=True)], "mallory reported it, a person's account and no app"),
    ],
    ids=["none", "another", "running", "failed", "two-of-one-name", "denied-by-a-person", "claimed-by-a-person"],
)
def test_a_check_that_is_not_green_is_named(checks: list[Check], said: str) -> None:
    [words] = unmet(asks(1, PLAN), GOOD, checks)
    assert words.startswith("check reconcile/plan on bbbbbbbbbbbb: ")
    assert said in words


def test_a_check_is_of_the_app_that_the_settings_name() -> None:
    asked = asks(1, RequiredCheck("reconcile/plan", "github-actions"))
    assert unmet(asked, GOOD, [RAN]) == ()
    [said] = unmet(asked, GOOD, [replace(RAN, by="other-app")])
    assert said.endswith("other-app reported it, and github-actions must")
    person = asks(1, RequiredCheck("reconcile/plan", "build-account"))
    assert unmet(person, GOOD, [replace(RAN, by="build-account", person=True)]) == ()


def test_everything_that_is_missing_is_told_at_once() -> None:
    found = unmet(asks(1, PLAN, RequiredCheck("lint")), replace(GOOD, opinions=()), [])
    assert len(found) == 3
