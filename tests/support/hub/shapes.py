"""GitHub's records, with what its description requires of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPOSITORY = "contoso/identity"
_THEN = "2026-05-01T10:00:00Z"
_ANY = "https://github.test/contoso/identity"

Row = dict[str, Any]


def user(login: str) -> Row:
    """An app's login ends in `[bot]`."""
    links = ("url", "html_url", "followers_url", "following_url", "gists_url", "starred_url", "subscriptions_url")
    more = ("organizations_url", "repos_url", "events_url", "received_events_url", "avatar_url")
    return {
        "login": login,
        "id": sum(map(ord, login)),
        "node_id": "U",
        "gravatar_id": "",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
        **dict.fromkeys((*links, *more), _ANY),
    }


def pull(number: int, body: Row, heads: Mapping[str, str], author: Row) -> Row:
    def end(ref: str) -> Row:
        sha = heads[ref]
        return {
            "label": f"contoso:{ref}",
            "ref": ref,
            "sha": sha,
            "user": user("contoso"),
            "repo": {"full_name": REPOSITORY},
        }

    return {
        "number": number,
        "html_url": f"https://github.test/{REPOSITORY}/pull/{number}",
        "state": "open",
        "title": body["title"],
        "body": body["body"],
        "user": author,
        "head": end(body["head"]),
        "base": end(body["base"]),
        "merged_at": None,
        "closed_at": None,
        "merge_commit_sha": None,
    }


def commit(author: str | None, committer: str | None) -> Row:
    return {"author": user(author) if author else None, "committer": user(committer) if committer else None}


def review(who: str, state: str, commit: str, number: int) -> Row:
    return {
        "id": number,
        "node_id": "PRR",
        "user": user(who),
        "body": "",
        "state": state,
        "html_url": _ANY,
        "pull_request_url": _ANY,
        "submitted_at": _THEN,
        "commit_id": commit,
        "author_association": "MEMBER",
        "_links": {"html": {"href": _ANY}, "pull_request": {"href": _ANY}},
    }


def check_run(number: int, name: str, sha: str, conclusion: str | None, app: str) -> Row:
    return {
        "id": number,
        "name": name,
        "head_sha": sha,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "app": {"id": sum(map(ord, app)), "slug": app},
    }


def status(number: int, sha: str, body: Row, creator: Row) -> Row:
    return {
        "id": number,
        "node_id": "SC",
        "url": f"{_ANY}/statuses/{sha}",
        "avatar_url": None,
        "created_at": _THEN,
        "updated_at": _THEN,
        **body,
        "creator": creator,
    }


def comment(number: int, body: str, author: Row, association: str) -> Row:
    return {
        "id": number,
        "node_id": "IC",
        "url": _ANY,
        "html_url": _ANY,
        "issue_url": _ANY,
        "body": body,
        "user": author,
        "created_at": _THEN,
        "updated_at": _THEN,
        "author_association": association,
    }


def page(rows: list[Any], query: dict[str, str]) -> list[Any]:
    size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
    assert size <= 100
    return rows[(number - 1) * size : number * size]


def refusal(message: str, errors: list[dict[str, str]] | None = None) -> Row:
    return {
        "message": message,
        "documentation_url": "https://docs.github.test",
        **({"errors": errors} if errors else {}),
    }
