"""One repository of GitHub as its documentation describes it: stateful, strict, and with people who do things in it."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .remote import Remote
from .shapes import REPOSITORY, check_run, comment, commit, page, pull, refusal, review, status, user

Row = dict[str, Any]
Answer = tuple[int, Any]
ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Answer]]] = []


def route(method: str, pattern: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Serve `method` on `/repos/…` + pattern; `{name}` becomes a keyword argument."""
    compiled = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern))

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        ROUTES.append((method, compiled, function))
        return function

    return register


@dataclass
class Asked:
    query: dict[str, str]
    body: Row


@dataclass
class Hub:
    """One repository. `me` is who asks: the app whose token the program holds."""

    pulls: list[Row] = field(default_factory=list)
    reviews: dict[int, list[Row]] = field(default_factory=dict)
    commits: dict[int, list[Row]] = field(default_factory=dict)
    runs: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)
    comments: dict[int, list[Row]] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)
    pushes: list[Row] = field(default_factory=list)
    introduced: dict[str, list[int]] = field(default_factory=dict)
    """Which pull requests a commit of the branch came by, beside those that it is the merge of."""
    lists_pushes: bool = True
    forgets_deleted: bool = False
    roles: dict[str, str] = field(default_factory=lambda: {"zoe": "write", "ada": "admin", "carol": "write"})
    heads: MutableMapping[str, str] = field(default_factory=lambda: {"main": "a" * 40, "reconcile/plan": "b" * 40})
    me: Row = field(default_factory=lambda: user("contoso-reconcile[bot]"))
    url: str = "https://api.github.test"

    def answer(self, method: str, path: str, query: dict[str, str], body: Row) -> Answer:
        prefix = f"/repos/{REPOSITORY}"
        asked = Asked(query, body)
        assert path.startswith(prefix), f"another repository: {path}"
        for verb, pattern, function in ROUTES:
            match = pattern.fullmatch(path.removeprefix(prefix))
            if match and verb == method:
                return function(self, asked, **{k: unquote(v) for k, v in match.groupdict().items()})
        raise AssertionError(f"no such endpoint: {method} {path}")

    # --- what people and other programs do

    def approve(self, number: int, who: str = "zoe", state: str = "APPROVED", commit: str | None = None) -> Row:
        made = review(who, state, commit or self.pull(number)["head"]["sha"], len(self.reviews.get(number, [])) + 1)
        self.reviews.setdefault(number, []).append(made)
        return made

    def close(self, number: int) -> None:
        self.pull(number).update(state="closed", closed_at="2026-05-01T12:00:00Z")

    def merge(self, number: int, commit: str = "", how: str = "merge") -> str:
        """Merge; `commit` is where that ends, unless a real remote says."""
        row = self.current(self.pull(number))
        if isinstance(self.heads, Remote):
            commit = self.heads.merge(row["head"]["sha"], row["base"]["ref"], how)
        self.close(number)
        self.pull(number).update(merged_at="2026-05-01T12:00:00Z", merge_commit_sha=commit)
        return commit

    def run(self, name: str, sha: str, conclusion: str | None = "success", app: str = "github-actions") -> Row:
        made = check_run(len(self.runs) + 1, name, sha, conclusion, app)
        self.runs.append(made)
        return made

    def report(self, name: str, sha: str, state: str = "success", who: str = "contoso-ci[bot]") -> None:
        body = {"context": name, "state": state, "description": "said", "target_url": None}
        self.statuses.insert(0, status(len(self.statuses) + 1, sha, body, user(who)))

    def push(self, branch: str, commit: str, who: str) -> None:
        """Tell who pushed, as the list of a repository's activity does; `heads` says where the branch is."""
        self.pushes.insert(
            0,
            {
                "id": len(self.pushes) + 1,
                "node_id": "PSH",
                "before": "0" * 40,
                "after": commit,
                "ref": f"refs/heads/{branch}",
                "timestamp": "2026-05-01T11:00:00Z",
                "activity_type": "force_push",
                "actor": user(who),
            },
        )

    def pull(self, number: int) -> Row:
        return self.pulls[number - 1]

    def current(self, row: Row) -> Row:
        """Return a pull request as it is now: an open one follows its branch, and ends with it or when pushed to its base."""
        branch = row["head"]["ref"]
        if row["state"] != "open":
            return row
        if branch not in self.heads:
            self.close(row["number"])
            return row
        head = row["head"]["sha"] = self.heads[branch]
        if isinstance(self.heads, Remote):
            self.heads.keep(row["number"], head)
            if self.heads.holds(row["base"]["ref"], head):
                self.close(row["number"])
                row.update(merged_at="2026-05-01T12:00:00Z", merge_commit_sha=head)
        if all(push["after"] != head for push in self.pushes):
            self.push(branch, head, self.me["login"])
        return row

    # --- what the program asks for

    @route("GET", "/pulls")
    def list_pulls(self, asked: Asked) -> Answer:
        rows = [self.current(p) for p in self.pulls]
        if asked.query["state"] != "all":
            rows = [p for p in rows if p["state"] == asked.query["state"]]
        rows = [p for p in rows if asked.query.get("head") in (None, f"contoso:{p['head']['ref']}")]
        rows = [p for p in rows if asked.query.get("base") in (None, p["base"]["ref"])]
        return 200, page(rows[::-1], asked.query)  # newest first

    @route("POST", "/pulls")
    def open_pull(self, asked: Asked) -> Answer:
        if asked.body["head"] not in self.heads or asked.body["base"] not in self.heads:
            return 422, refusal("Validation Failed", [{"resource": "PullRequest", "field": "head", "code": "invalid"}])
        if any(p["state"] == "open" and p["head"]["ref"] == asked.body["head"] for p in self.pulls):
            words = f"A pull request already exists for contoso:{asked.body['head']}."
            return 422, refusal("Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": words}])
        made = pull(len(self.pulls) + 1, asked.body, self.heads, self.me)
        self.pulls.append(made)
        return 201, self.current(made)

    @route("PATCH", "/pulls/{number}")
    def edit_pull(self, asked: Asked, number: str) -> Answer:
        self.pull(int(number)).update(asked.body)
        return 200, self.pull(int(number))

    @route("GET", "/pulls/{number}")
    def get_pull(self, asked: Asked, number: str) -> Answer:
        assert not asked.query
        return 200, self.current(self.pull(int(number)))

    @route("GET", "/pulls/{number}/reviews")
    def list_reviews(self, asked: Asked, number: str) -> Answer:
        return 200, page(self.reviews.get(int(number), []), asked.query)

    @route("GET", "/pulls/{number}/commits")
    def list_commits(self, asked: Asked, number: str) -> Answer:
        row, rows = self.pull(int(number)), self.commits.get(int(number), [])
        if isinstance(self.heads, Remote) and not rows:
            rows = [commit(a, c) for a, c in self.heads.writers(row["base"]["sha"], row["head"]["sha"])]
        return 200, page(rows, asked.query)

    @route("GET", "/commits/{sha}/pulls")
    def pulls_of_commit(self, asked: Asked, sha: str) -> Answer:
        by = self.introduced.get(sha, [])
        rows = [p for p in self.pulls if sha == p["merge_commit_sha"] or p["number"] in by]
        return 200, page(rows, asked.query)

    @route("GET", "/commits/{sha}/check-runs")
    def list_runs(self, asked: Asked, sha: str) -> Answer:
        rows = [r for r in self.runs if r["head_sha"] == sha]
        return 200, {"total_count": len(rows), "check_runs": page(rows, asked.query)}

    @route("GET", "/commits/{sha}/statuses")
    def list_statuses(self, asked: Asked, sha: str) -> Answer:
        return 200, page([s for s in self.statuses if s["url"].endswith(sha)], asked.query)

    @route("POST", "/statuses/{sha}")
    def add_status(self, asked: Asked, sha: str) -> Answer:
        assert len(asked.body["description"]) <= 140
        self.statuses.insert(0, status(len(self.statuses) + 1, sha, asked.body, self.me))
        return 201, self.statuses[0]

    @route("GET", "/issues/{number}/comments")
    def list_comments(self, asked: Asked, number: str) -> Answer:
        return 200, page(self.comments.get(int(number), []), asked.query)

    @route("POST", "/issues/{number}/comments")
    def add_comment(self, asked: Asked, number: str) -> Answer:
        made = comment(sum(map(len, self.comments.values())) + 1, asked.body["body"], self.me, "NONE")
        self.comments.setdefault(int(number), []).append(made)
        return 201, made

    @route("PATCH", "/issues/comments/{number}")
    def edit_comment(self, asked: Asked, number: str) -> Answer:
        [found] = [c for rows in self.comments.values() for c in rows if c["id"] == int(number)]
        found.update(asked.body)
        return 200, found

    @route("GET", "/issues/{number}/labels")
    def list_labels(self, asked: Asked, number: str) -> Answer:
        return 200, page(self._labels(number), asked.query)

    @route("POST", "/issues/{number}/labels")
    def add_labels(self, asked: Asked, number: str) -> Answer:
        there = self.labels.setdefault(int(number), [])
        there += [name for name in asked.body["labels"] if name not in there]
        return 200, self._labels(number)

    @route("DELETE", "/issues/{number}/labels/{name}")
    def remove_label(self, asked: Asked, number: str, name: str) -> Answer:
        assert not asked.query
        self.labels[int(number)].remove(name)
        return 200, self._labels(number)

    @route("GET", "/collaborators/{login}/permission")
    def permission(self, asked: Asked, login: str) -> Answer:
        assert not asked.query
        role = self.roles.get(login, "read")
        if not role:
            return 404, refusal("Not Found")
        found = {"permission": role, "role_name": role, "user": user(login)}
        return 200, found

    @route("GET", "/activity")
    def activity(self, asked: Asked) -> Answer:
        only = asked.query.get("ref")
        if not self.lists_pushes:
            return 404, refusal("Not Found")
        if only and self.forgets_deleted:
            return 422, refusal("Validation Failed")
        rows = [p for p in self.pushes if only is None or p["ref"] == f"refs/heads/{only}"]
        return 200, rows[: int(asked.query.get("per_page", "30"))]

    def _labels(self, number: str) -> list[Row]:
        return [
            {"id": n, "node_id": "LA", "url": f"{self.url}/labels/{n}", "name": name, "description": None}
            | {"color": "ededed", "default": False}
            for n, name in enumerate(self.labels.get(int(number), []), 1)
        ]
