"""What is said on a pull request beside its text: a comment kept up to date, labels, a status."""

from __future__ import annotations

import pytest

from reconciler.errors import ForgeError
from reconciler.forge.github import GitHub
from reconciler.forge.port import State, Status
from tests.support.hub.shapes import comment, user

from .conftest import StandIn

HEAD = "b" * 40
MARK = "<!-- reconcile: plan -->\n"


def test_a_comment_is_made_once_and_then_kept_up_to_date(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.comments[1] = [comment(9, "Looks fine", user("zoe"), "MEMBER")]
    forge.comment(1, "plan", "one\n")
    forge.comment(1, "other", "apart")
    assert stand_in.written == ["POST /issues/1/comments"] * 2
    forge.comment(1, "plan", "two")
    assert [c["body"] for c in stand_in.comments[1]] == [
        "Looks fine",
        f"{MARK}two",
        "<!-- reconcile: other -->\napart",
    ]


def test_a_comment_that_says_it_already_is_left_alone(forge: GitHub, stand_in: StandIn) -> None:
    forge.comment(1, "plan", "one\ntwo\n")
    stand_in.comments[1][0]["body"] = f"{MARK}one\ntwo".replace("\n", "\r\n")
    stand_in.asked.clear()
    forge.comment(1, "plan", "one\ntwo\n")
    assert stand_in.written == []


def test_an_outsiders_comment_with_our_mark_is_not_ours(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.comments[1] = [comment(9, f"{MARK}all is well", user("mallory"), "CONTRIBUTOR")]
    forge.comment(1, "plan", "it is not")
    assert [c["body"] for c in stand_in.comments[1]] == [f"{MARK}all is well", f"{MARK}it is not"]


def test_a_comment_that_would_not_fit_is_refused_before_it_is_sent(forge: GitHub, stand_in: StandIn) -> None:
    with pytest.raises(ForgeError, match="too long"):
        forge.comment(1, "plan", "x" * 65_536)
    assert stand_in.asked == []


def test_labels_of_ours_become_exactly_those_and_others_stay(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.labels[1] = ["bug", "reconcile/safe"]
    forge.label(1, ["reconcile/dangerous", "reconcile/conflicts"])
    assert sorted(stand_in.labels[1]) == ["bug", "reconcile/conflicts", "reconcile/dangerous"]
    stand_in.asked.clear()
    forge.label(1, {"reconcile/conflicts", "reconcile/dangerous"})
    assert stand_in.written == []
    forge.label(1, ())
    assert stand_in.labels[1] == ["bug"]


def test_a_status_is_put_on_the_commit_and_not_repeated(forge: GitHub, stand_in: StandIn) -> None:
    passed = Status("reconcile/plan", State.SUCCESS, "Safe to merge", "https://ci.test/1")
    forge.report(HEAD, Status("reconcile/plan", State.PENDING, "Recomputing"))
    forge.report(HEAD, passed)
    forge.report(HEAD, passed)
    assert [(s["state"], s["description"]) for s in stand_in.statuses] == [
        ("success", "Safe to merge"),
        ("pending", "Recomputing"),
    ]


def test_a_person_who_said_the_same_before_does_not_keep_us_from_saying_it(forge: GitHub, stand_in: StandIn) -> None:
    passed = Status("reconcile/plan", State.SUCCESS, "Safe to merge")
    forge.report(HEAD, passed)
    stand_in.statuses[0]["creator"] = user("mallory")
    forge.report(HEAD, passed)
    assert [s["creator"]["type"] for s in stand_in.statuses] == ["Bot", "User"]


def test_a_status_that_would_not_fit_is_refused_before_it_is_sent(forge: GitHub, stand_in: StandIn) -> None:
    with pytest.raises(ForgeError, match="141 characters"):
        forge.report(HEAD, Status("reconcile/plan", State.FAILURE, "x" * 141))
    assert stand_in.asked == []
