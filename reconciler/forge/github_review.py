"""What GitHub knows of one pull request's making: who opened, wrote, pushed and reviewed it, and what was reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import ForgeError

from .port import Check, Opinion, PullRequest, Review, Standing
from .rest import LATER, RefusedError, Rest

WITHDRAWN: Final = "<!-- reconcile: withdrawn -->\n"
"""How the text of a pull request begins that this program closed itself."""
_OPINIONS: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
_WRITERS: Final = frozenset({"admin", "write"})
_NOT_FOUND: Final = 404
_MOST_COMMITS: Final = 250
"""How many of a pull request's commits GitHub lists."""
_ANYBODY: Final = "github-actions[bot]"
"""Who a workflow's own token acts as, whoever pushed that workflow to whichever branch."""
_SYSTEM: Final = "web-flow"
"""The committer of what is made in GitHub's own pages, whoever made it."""


def pull_of(row: Mapping[str, Any], *, created: bool = False) -> PullRequest:
    """Return a pull request as GitHub describes it. Raises ForgeError for what is none."""
    try:
        number, head = int(row["number"]), str(row["head"]["sha"])
        return PullRequest(number, str(row["html_url"]), head, created, _standing(row), f"refs/pull/{number}/head")
    except (KeyError, TypeError, ValueError):
        raise ForgeError("a pull request in the answer lacks number, address or head", LATER) from None


def into(row: Mapping[str, Any], repository: str, branch: str) -> bool:
    """Tell whether a pull request is into that branch of that very repository."""
    there = _text(row, "base", "repo", "full_name").casefold() == repository.casefold()
    return there and _text(row, "base", "ref") == branch


def review_of(rest: Rest, repository: str, number: int) -> Review:
    """Return who had which part in a pull request. Raises ForgeError."""
    row = rest.record("GET", f"/pulls/{number}")
    pull = pull_of(row)
    home = _text(row, "head", "repo", "full_name").casefold() == repository.casefold()
    commits = _commits(rest, number)
    pushers = _pushers(rest, _text(row, "head", "ref"), pull.head, commits) if home else ("",)
    return Review(
        pull=pull,
        author=_text(row, "user", "login"),
        writers=frozenset((*_writers(commits), *pushers[1:])),
        pusher=pushers[0] if pushers else None,
        opinions=tuple(_opinions(rest, number)),
        foreign=not home,
        anybody=_ANYBODY in pushers,
    )


def checks_of(rest: Rest, commit: str) -> tuple[Check, ...]:
    """Return the check runs and commit statuses on a commit, each reporter's latest. Raises ForgeError."""
    of = f"/commits/{quote(commit, safe='')}"
    found = [
        Check(
            name=_text(run, "name"),
            passed=_text(run, "conclusion") == "success" if run.get("status") == "completed" else None,
            by=_text(run, "app", "slug"),
            said=_text(run, "conclusion"),
        )
        for run in rest.rows(f"{of}/check-runs", "check_runs")
    ]
    latest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for status in rest.rows(f"{of}/statuses"):  # newest first
        latest.setdefault((_text(status, "context"), _text(status, "creator", "login")), status)
    for (name, who), status in sorted(latest.items()):
        state = _text(status, "state")
        passed = None if state == "pending" else state == "success"
        person = _text(status, "creator", "type") != "Bot"
        found.append(Check(name, passed, who.removesuffix("[bot]"), person, state))
    return tuple(found)


def _commits(rest: Rest, number: int) -> list[Mapping[str, Any]]:
    rows = list(rest.rows(f"/pulls/{number}/commits"))
    if len(rows) >= _MOST_COMMITS:
        what = (
            f"pull request {number} has {len(rows)} commits or more, and GitHub names the authors of no more than that"
        )
        raise ForgeError(what, "Propose it in fewer commits.")
    return rows


def _writers(commits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in commits:
        for role in ("author", "committer"):
            login = _text(row, role, "login")
            if login and login != _SYSTEM:
                yield login


def _opinions(rest: Rest, number: int) -> Iterator[Opinion]:
    last: dict[str, Mapping[str, Any]] = {}
    for review in rest.rows(f"/pulls/{number}/reviews"):  # oldest first
        if review.get("state") in _OPINIONS and (who := _text(review, "user", "login")):
            last[who] = review
    for who, review in sorted(last.items()):
        if review["state"] == "DISMISSED":
            continue
        person = _text(review, "user", "type") == "User"
        yield Opinion(
            by=who,
            commit=_text(review, "commit_id"),
            approves=review["state"] == "APPROVED",
            person=person,
            may_write=person and _may_write(rest, who),
        )


def _may_write(rest: Rest, who: str) -> bool:
    try:
        found = rest.record("GET", f"/collaborators/{quote(who, safe='')}/permission")
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return False
        raise
    return found.get("permission") in _WRITERS


def _pushers(rest: Rest, branch: str, head: str, commits: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return who pushed `head` to a branch, then who pushed it or another of the pull request's commits there before.

    The first is "" where the list should say and does not; nobody at all comes from a server that keeps no such list. A
    branch that was deleted may be unknown to the filter, so the unfiltered list decides whether there is one.
    """
    brought = {head, *(_text(row, "sha") for row in commits)}
    for query in (f"?ref={quote(branch, safe='')}&per_page=100", "?per_page=100"):
        try:
            rows = rest.page(f"/activity{query}")
        except RefusedError as error:
            if error.status not in (_NOT_FOUND, 422):
                raise
            if "ref=" not in query:
                return ()
            continue
        pushes = [r for r in rows if r.get("ref") == f"refs/heads/{branch}" and r.get("after") in brought]
        latest = [_text(row, "actor", "login") for row in pushes if row.get("after") == head]
        # The list is cut: where it does not reach back to the push that another built on, somebody is missing.
        whole = brought.isdisjoint({_text(r, "before") for r in pushes} - {_text(r, "after") for r in pushes})
        if latest and whole:
            return (latest[0], *sorted({_text(row, "actor", "login") for row in pushes} - {latest[0], ""}))
    return ("",)


def _standing(row: Mapping[str, Any]) -> Standing:
    if row.get("merged_at"):
        return Standing.MERGED
    if row.get("state") == "open":
        return Standing.OPEN
    withdrawn = str(row.get("body") or "").startswith(WITHDRAWN.rstrip())
    return Standing.WITHDRAWN if withdrawn else Standing.REJECTED


def _text(row: Mapping[str, Any], *path: str) -> str:
    """Return the text at the end of a path, "" where the answer has none: an account may be gone."""
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
