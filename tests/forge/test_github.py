"""The one pull request, who approved it, and errors that say what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.errors import ForgeError
from reconciler.forge.github import GitHub
from reconciler.forge.port import Published, PullRequest, Standing

from .conftest import REPOSITORY, TOKEN, StandIn

PROPOSAL = Published("reconcile/plan", "main", "b" * 40, "Plan: 2 changes", "| a | b |\n")
URL = f"https://github.test/{REPOSITORY}/pull/1"
OPENED = PullRequest(1, URL, "b" * 40, created=True, ref="refs/pull/1/head")


def test_the_first_proposal_opens_a_pull_request(forge: GitHub, stand_in: StandIn) -> None:
    assert forge.publish(PROPOSAL) == OPENED
    [pull] = stand_in.pulls
    assert (pull["title"], pull["body"]) == ("Plan: 2 changes", "| a | b |\n")
    assert (pull["head"]["ref"], pull["base"]["ref"]) == ("reconcile/plan", "main")


def test_later_ones_update_it(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(PROPOSAL)
    again = forge.publish(replace(PROPOSAL, title="Plan: 3 changes", body="new"))
    assert again == replace(OPENED, created=False)
    assert [(p["title"], p["body"]) for p in stand_in.pulls] == [("Plan: 3 changes", "new")]


def test_an_unchanged_one_is_left_alone(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(PROPOSAL)
    stand_in.asked.clear()
    forge.publish(PROPOSAL)
    assert [method for method, _ in stand_in.asked] == ["GET"]


def test_a_closed_one_is_followed_by_a_new_one(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(PROPOSAL)
    stand_in.pulls[0]["state"] = "closed"
    assert forge.find("reconcile/plan", "main") is None
    assert forge.publish(PROPOSAL) == replace(OPENED, number=2, url=URL.replace("/1", "/2"), ref="refs/pull/2/head")


def test_one_that_another_run_opens_at_the_same_time_is_taken(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(replace(PROPOSAL, body="theirs"))
    stand_in.answers.append((200, {}, "[]"))  # to the first look: it was not there yet
    made = forge.publish(PROPOSAL)
    assert (made.number, made.created) == (1, False)
    assert [p["body"] for p in stand_in.pulls] == [PROPOSAL.body]


def test_a_pull_request_whose_answer_was_lost_is_not_opened_twice(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(PROPOSAL)
    stand_in.asked.clear()
    stand_in.answers += [(200, {}, "[]"), (502, {}, "<html>")]
    assert forge.publish(PROPOSAL).number == 1
    assert stand_in.written == ["POST /pulls"]


def test_a_busy_forge_is_asked_again(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.answers += [(503, {"Retry-After": "0"}, "{}"), (429, {"Retry-After": "0"}, "{}")]
    assert forge.find("reconcile/plan", "main") is None
    assert len(stand_in.asked) == 3


def test_a_forge_that_has_too_much_to_do_for_a_moment_is_asked_again(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.answers.append((502, {}, "<html>"))
    assert forge.find("reconcile/plan", "main") is None
    assert len(stand_in.asked) == 2


def test_find_names_the_open_one_of_branch_and_base(forge: GitHub, stand_in: StandIn) -> None:
    stand_in.heads["release"] = "c" * 40
    forge.publish(PROPOSAL)
    assert forge.find("reconcile/plan", "main") == replace(OPENED, created=False)
    assert forge.find("reconcile/plan", "release") is None


def test_the_latest_is_the_open_one_else_the_newest_that_ended(forge: GitHub, stand_in: StandIn) -> None:
    assert forge.latest("reconcile/plan", "main") is None
    for number, standing in [(1, Standing.REJECTED), (2, Standing.MERGED), (3, Standing.WITHDRAWN)]:
        forge.publish(PROPOSAL)
        assert forge.latest("reconcile/plan", "main") == replace(
            OPENED, number=number, url=URL.replace("/1", f"/{number}"), created=False, ref=f"refs/pull/{number}/head"
        )
        if standing is Standing.MERGED:
            stand_in.merge(number, "d" * 40)
        elif standing is Standing.WITHDRAWN:
            forge.withdraw(number, "Nothing is left to do.")
        else:
            stand_in.close(number)
        latest = forge.latest("reconcile/plan", "main")
        assert latest is not None
        assert (latest.number, latest.standing) == (number, standing)
    stand_in.pull(1)["state"] = "open"
    latest = forge.latest("reconcile/plan", "main")
    assert latest is not None
    assert latest.number == 1


def test_a_withdrawn_one_says_why_keeps_its_text_and_is_published_anew(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(PROPOSAL)
    stand_in.asked.clear()
    forge.withdraw(1, "Nothing is left to do.")
    assert stand_in.written == ["PATCH /pulls/1"]
    assert stand_in.pull(1)["state"] == "closed"
    assert stand_in.pull(1)["body"] == f"<!-- reconcile: withdrawn -->\nNothing is left to do.\n\n{PROPOSAL.body}"
    stand_in.pull(1)["state"] = "open"
    forge.publish(PROPOSAL)
    assert stand_in.pull(1)["body"] == PROPOSAL.body
    forge.publish(replace(PROPOSAL, body="x" * 65_536))
    forge.withdraw(1, "Nothing is left to do.")
    assert len(stand_in.pull(1)["body"]) < 100


@pytest.mark.parametrize(
    ("status", "headers", "body", "words", "remedy"),
    [
        (401, {}, {"message": "Bad credentials"}, "Bad credentials", "make a new one"),
        (403, {}, {"message": "Resource not accessible by integration"}, "not accessible", "write access to pull"),
        (404, {}, {"message": "Not Found"}, "Not Found", "forge.repository"),
        (
            422,
            {},
            {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]},
            "head invalid",
            "was pushed",
        ),
        (422, {}, {"message": "Validation Failed", "errors": "odd"}, "Validation Failed", "was pushed"),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772345678"},
            {"message": "limit"},
            "limit",
            "2026-03-01T06:14:38Z",
        ),
        (403, {"Retry-After": "60"}, {"message": "secondary rate limit"}, "secondary", "in 60 seconds"),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}, "secondary", "in a few minutes"),
        (429, {"Retry-After": "9999"}, {"message": "slow down"}, "slow down", "in 9999 seconds"),
        (301, {"Location": "https://elsewhere.test/"}, {"message": "Moved"}, "Moved", "renamed"),
        (500, {}, {"message": f"we got {TOKEN}"}, "we got ***", "later"),
    ],
)
def test_a_refusal_says_why_and_what_to_do_and_never_the_token(
    forge: GitHub, stand_in: StandIn, status: int, headers: dict[str, str], body: object, words: str, remedy: str
) -> None:
    stand_in.answers.append((status, headers, json.dumps(body)))
    with pytest.raises(ForgeError) as refused:
        forge.find("reconcile/plan", "main")
    assert str(status) in refused.value.what
    assert words in refused.value.what
    assert remedy in refused.value.remedy
    assert TOKEN not in str(refused.value)


def test_a_branch_that_was_not_pushed_is_explained(forge: GitHub) -> None:
    with pytest.raises(ForgeError, match="PullRequest head invalid"):
        forge.publish(replace(PROPOSAL, branch="reconcile/plan-nowhere"))


def test_a_wrong_token_is_explained_without_showing_it(stand_in: StandIn) -> None:
    with pytest.raises(ForgeError, match="RECONCILE_FORGE_TOKEN") as refused:
        GitHub(stand_in.url, REPOSITORY, "ghs_other", trust=True).find("reconcile/plan", "main")
    assert "ghs_other" not in str(refused.value)


@pytest.mark.parametrize("body", ["<html>sign in</html>", '{"no": "list"}', "[1]", '[{"number": 1}]', "null"])
def test_an_answer_that_makes_no_sense_is_an_error(forge: GitHub, stand_in: StandIn, body: str) -> None:
    stand_in.answers.append((200, {}, body))
    with pytest.raises(ForgeError):
        forge.find("reconcile/plan", "main")


def test_a_forge_that_is_not_there_is_an_error(stand_in: StandIn) -> None:
    with pytest.raises(ForgeError, match=r"127\.0\.0\.1:1 cannot be reached") as refused:
        GitHub("http://127.0.0.1:1", REPOSITORY, TOKEN, trust=True).publish(PROPOSAL)
    assert TOKEN not in str(refused.value)


def test_what_github_would_refuse_as_too_long_is_refused_before_it_is_sent(forge: GitHub, stand_in: StandIn) -> None:
    forge.publish(replace(PROPOSAL, body="ü" * 65_536))
    stand_in.asked.clear()
    for longer in (replace(PROPOSAL, body="ü" * 65_537), replace(PROPOSAL, title="x" * 257)):
        with pytest.raises(ForgeError, match="too long"):
            forge.publish(longer)
    assert stand_in.asked == []
