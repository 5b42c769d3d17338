"""The stand-in is held to GitHub's published description, and would notice what is not in it."""

from __future__ import annotations

import pytest

from tests.support.hub.description import EDITIONS, Description, described
from tests.support.hub.shapes import REPOSITORY, comment, user

ROOT = f"/repos/{REPOSITORY}"
OPEN = {"title": "t", "head": "reconcile/plan", "base": "main", "body": "b"}


@pytest.fixture(params=EDITIONS)
def edition(request: pytest.FixtureRequest) -> Description:
    [found] = [d for d in described() if d.edition == request.param]
    return found


def test_what_is_described_is_accepted(edition: Description) -> None:
    assert list(edition.problems("POST", f"{ROOT}/pulls", {}, OPEN)) == []
    assert list(edition.problems("GET", f"{ROOT}/pulls", {"state": "all", "per_page": "100"}, {})) == []
    assert (
        list(edition.wrong_answer("POST", f"{ROOT}/issues/1/comments", 201, comment(1, "x", user("zoe"), "NONE"))) == []
    )


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "says"),
    [
        ("POST", "/pull", {}, OPEN, "has no POST"),
        ("PUT", "/pulls/1", {}, OPEN, "has no PUT"),
        ("GET", "/pulls", {"stat": "all"}, {}, "knows no parameter stat"),
        ("GET", "/pulls", {"state": "merged"}, {}, "takes no state=merged"),
        ("GET", "/pulls", {"per_page": "many"}, {}, "takes no per_page=many"),
        ("GET", "/activity", {"page": "2"}, {}, "knows no parameter page"),
        ("POST", "/pulls", {}, {"title": "t", "head": "h"}, "'base' is a required property"),
        ("POST", "/pulls", {}, {**OPEN, "labels": ["x"]}, "'labels' was unexpected"),
        ("POST", f"/statuses/{'b' * 40}", {}, {"state": "green", "context": "c"}, "'green' is not one of"),
        ("PATCH", "/pulls/1", {}, {"state": "merged"}, "'merged' is not one of"),
        ("GET", "/pulls", {}, {"state": "all"}, "takes no body"),
    ],
)
def test_a_request_that_github_does_not_know_is_told(
    edition: Description, method: str, path: str, query: dict[str, str], body: dict[str, str], says: str
) -> None:
    assert any(says in problem for problem in edition.problems(method, ROOT + path, query, body))


@pytest.mark.parametrize(
    ("status", "change"),
    [(200, {}), (201, {"id": "one"}), (201, {"author": "zoe"}), (201, {"user": {"name": "zoe", "kind": 1}})],
)
def test_an_answer_that_github_would_not_give_is_told(
    edition: Description, status: int, change: dict[str, object]
) -> None:
    body = {**comment(1, "x", user("zoe"), "NONE"), **change}
    assert list(edition.wrong_answer("POST", f"{ROOT}/issues/1/comments", status, body))
