"""GitHub and GitHub Enterprise Server: the one pull request, its comments, labels and statuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import ForgeError

from .port import LABELS, Approval, Check, Published, PullRequest, Status
from .rest import LATER, Rest

LONGEST_BODY: Final = 65_536
LONGEST_TITLE: Final = 256
_LONGEST_DESCRIPTION: Final = 140
_OPINIONS: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
_PASSED: Final = frozenset({"success", "neutral", "skipped"})
_INSIDERS: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class GitHub:
    """One repository on GitHub. `url` is the API's address, `trust` whom its certificate must come from."""

    def __init__(self, url: str, repository: str, token: str, trust: str | bool) -> None:
        self._rest = Rest(f"{url}/repos/{repository}", token, trust)
        self._owner = repository.partition("/")[0]

    def publish(self, proposal: Published) -> PullRequest:
        """Open the one pull request of the branch into the base, or bring the open one's title and body up to date."""
        if len(proposal.body) > LONGEST_BODY or len(proposal.title) > LONGEST_TITLE:
            what = f"the pull request's text is too long: {len(proposal.title)} and {len(proposal.body)} characters"
            raise ForgeError(what, f"GitHub holds {LONGEST_TITLE} in a title and {LONGEST_BODY} in a body.")
        found = self._open(proposal.branch, proposal.base)
        if found is not None:
            return self._update(found, proposal)
        text = {"title": proposal.title, "body": proposal.body}
        try:
            made = self._rest.call("POST", "/pulls", {**text, "head": proposal.branch, "base": proposal.base})
        except ForgeError:
            # Another run opened it, or the answer to this one was lost: then it is there now.
            found = self._open(proposal.branch, proposal.base)
            if found is None:
                raise
            return self._update(found, proposal)
        return _pull(made, created=True)

    def find(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base."""
        found = self._open(branch, base)
        return _pull(found) if found is not None else None

    def comment(self, number: int, name: str, body: str) -> None:
        """Make the one comment `name` of a pull request say `body`; see the port.

        Whoever may not write to the repository could leave a comment with our mark and change it after us, so only
        those of apps and of people who belong to it are looked at.
        """
        if not re.fullmatch(r"[a-z][a-z-]*", name):
            raise ValueError(name)
        mark = f"<!-- reconcile: {name} -->\n"
        text = mark + body
        if len(text) > LONGEST_BODY:
            what = f"the comment is too long: {len(text)} characters"
            raise ForgeError(what, f"GitHub holds {LONGEST_BODY}, {len(mark)} of them for finding it again.")
        for found in self._rest.rows(f"/issues/{number}/comments"):
            said = str(found.get("body") or "")
            if said.startswith(mark.rstrip()) and _insider(found):
                if not _same(said, text):
                    self._rest.call("PATCH", f"/issues/comments/{int(found['id'])}", {"body": text})
                return
        self._rest.call("POST", f"/issues/{number}/comments", {"body": text})

    def label(self, number: int, labels: Collection[str]) -> None:
        """Give a pull request exactly these of our labels; one that the repository does not know is made by this."""
        if not all(label.startswith(LABELS) for label in labels):
            raise ValueError(labels)
        path = f"/issues/{number}/labels"
        there = [str(row.get("name")) for row in self._rest.rows(path)]
        missing = [label for label in labels if label not in there]
        if missing:
            self._rest.call("POST", path, {"labels": missing})
        for name in there:
            if name.startswith(LABELS) and name not in labels:
                self._rest.call("DELETE", f"{path}/{quote(name, safe='')}")

    def report(self, commit: str, status: Status) -> None:
        """Put a status on a commit, unless an app's latest one of that name says just that."""
        if len(status.description) > _LONGEST_DESCRIPTION:
            what = f"the status {status.name} is described in {len(status.description)} characters"
            raise ForgeError(what, f"GitHub holds {_LONGEST_DESCRIPTION}.")
        body: dict[str, object] = {
            "state": status.state.value,
            "context": status.name,
            "description": status.description,
            "target_url": status.url,
        }
        listed = self._rest.rows(f"/commits/{quote(commit, safe='')}/statuses")  # newest first
        latest = next((row for row in listed if row.get("context") == status.name), None)
        if latest is None or not _bot(latest.get("creator")) or {key: latest.get(key) for key in body} != body:
            self._rest.call("POST", f"/statuses/{quote(commit, safe='')}", body)

    def merged(self, commit: str) -> PullRequest | None:
        """Return the pull request whose merge produced this commit of the protected branch."""
        for found in self._rest.rows(f"/commits/{quote(commit, safe='')}/pulls"):
            if found.get("merged_at") and found.get("merge_commit_sha") == commit:
                return _pull(found)
        return None

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """Return who approves a pull request now: one entry per person, by name, each one's last word counting."""
        last: dict[str, Mapping[str, Any]] = {}
        for review in self._rest.rows(f"/pulls/{number}/reviews"):  # oldest first
            if review.get("state") in _OPINIONS and review.get("user"):
                last[review["user"]["login"]] = review
        return tuple(Approval(who, last[who]["commit_id"]) for who in sorted(last) if last[who]["state"] == "APPROVED")

    def checks(self, commit: str) -> tuple[Check, ...]:
        """Return a commit's check runs and commit statuses, by name; one that failed wins over its namesakes."""
        of = f"/commits/{quote(commit, safe='')}"
        runs = [
            Check(run["name"], run["conclusion"] in _PASSED if run["status"] == "completed" else None)
            for run in self._rest.rows(f"{of}/check-runs", "check_runs")
        ]
        statuses = [
            Check(status["context"], None if status["state"] == "pending" else status["state"] == "success")
            for status in self._rest.rows(f"{of}/statuses")
        ]
        worst: dict[str, Check] = {}
        for check in sorted([*runs, *statuses], key=lambda c: (c.name, c.passed is not False, c.passed is not None)):
            worst.setdefault(check.name, check)
        return tuple(worst.values())

    def _open(self, branch: str, base: str) -> Mapping[str, Any] | None:
        query = f"?state=open&head={quote(f'{self._owner}:{branch}', safe='')}&base={quote(base, safe='')}"
        return next(self._rest.rows(f"/pulls{query}"), None)

    def _update(self, found: Mapping[str, Any], proposal: Published) -> PullRequest:
        text = {"title": proposal.title, "body": proposal.body}
        if not all(_same(str(found.get(name) or ""), said) for name, said in text.items()):
            found = self._rest.call("PATCH", f"/pulls/{found['number']}", text)
        return _pull(found)


def _pull(found: Mapping[str, Any], *, created: bool = False) -> PullRequest:
    try:
        return PullRequest(int(found["number"]), str(found["html_url"]), str(found["head"]["sha"]), created)
    except (KeyError, TypeError, ValueError):
        raise ForgeError("a pull request in the answer lacks number, address or head", LATER) from None


def _same(there: str, wanted: str) -> bool:
    """Tell whether two texts are the same to a reader: an editor in a browser ends lines otherwise."""
    return there.replace("\r\n", "\n").strip() == wanted.strip()


def _bot(user: object) -> bool:
    return isinstance(user, dict) and user.get("type") == "Bot"


def _insider(comment: Mapping[str, Any]) -> bool:
    return _bot(comment.get("user")) or comment.get("author_association") in _INSIDERS
