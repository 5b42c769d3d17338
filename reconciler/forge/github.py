"""GitHub and GitHub Enterprise Server: the one pull request, its comments, labels and statuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import quote

from reconciler.errors import ForgeError

from .github_protection import protection
from .github_review import WITHDRAWN, checks_of, into, pull_of, review_of
from .port import LABELS, Check, Published, PullRequest, Review, Standing, Status
from .protection import Protection
from .rest import Rest

LONGEST_BODY: Final = 65_536
LONGEST_TITLE: Final = 256
_LONGEST_DESCRIPTION: Final = 140
_INSIDERS: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class GitHub:
    """One repository on GitHub. `url` is the API's address, `trust` whom its certificate must come from."""

    def __init__(self, url: str, repository: str, token: str, trust: str | bool) -> None:
        self._rest = Rest(f"{url}/repos/{repository}", token, trust)
        self._repository = repository
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
        return pull_of(made, created=True)

    def find(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base."""
        found = self._open(branch, base)
        return pull_of(found) if found is not None else None

    def latest(self, branch: str, base: str) -> PullRequest | None:
        """Return the open pull request of a branch into a base; without one, the newest of those that ended."""
        found = [pull_of(row) for row in self._rest.page(self._listing(branch, base, "all"))]
        still_open = [pull for pull in found if pull.standing is Standing.OPEN]
        return max(still_open or found, key=lambda pull: pull.number, default=None)

    def withdraw(self, number: int, words: str) -> None:
        """Close a pull request in one request with a text that says why, and a mark for `latest`."""
        was = str(self._rest.record("GET", f"/pulls/{number}").get("body") or "")
        head = f"{WITHDRAWN}{words}\n\n"
        body = head + (was if len(head) + len(was) <= LONGEST_BODY else "")
        self._rest.call("PATCH", f"/pulls/{number}", {"state": "closed", "body": body})

    def comment(self, number: int, name: str, body: str, *, anew: bool = True) -> bool:
        """Make the one comment `name` of a pull request say `body`; see the port.

        Whoever may not write to the repository could leave a comment with our mark and change it after us, so only
        those of apps and of people who belong to it are looked at.
        """
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
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
                return True
        if anew:
            self._rest.call("POST", f"/issues/{number}/comments", {"body": text})
        return anew

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

    def merged(self, commit: str, branch: str, base: str) -> PullRequest | None:
        """Return the merged pull request that brought a commit to the protected base.

        Those of the plan's branch are looked at first: right after a merge GitHub may not list a commit's yet. Of a
        repository that is a copy itself, it lists those of the original too: their numbers are not ours.
        """
        of = f"/commits/{quote(commit, safe='')}/pulls?per_page=100"
        for path in (self._listing(branch, base, "closed"), of):
            for row in self._rest.page(path):
                if (
                    row.get("merged_at")
                    and into(row, self._repository, base)
                    and (path == of or row.get("merge_commit_sha") == commit)
                ):
                    return pull_of(row)
        return None

    def review(self, number: int) -> Review:
        """Return who had which part in a pull request, as of now."""
        return review_of(self._rest, self._repository, number)

    def checks(self, commit: str) -> tuple[Check, ...]:
        """Return the check runs and commit statuses on a commit."""
        return checks_of(self._rest, commit)

    def _listing(self, branch: str, base: str, state: str) -> str:
        head = quote(f"{self._owner}:{branch}", safe="")
        return f"/pulls?state={state}&head={head}&base={quote(base, safe='')}&per_page=100"

    def protection(self, branch: str) -> Protection:
        """Return the rules that hold for a branch."""
        return protection(self._rest, branch)

    def _open(self, branch: str, base: str) -> Mapping[str, Any] | None:
        return next(iter(self._rest.page(self._listing(branch, base, "open"))), None)

    def _update(self, found: Mapping[str, Any], proposal: Published) -> PullRequest:
        text = {"title": proposal.title, "body": proposal.body}
        if not all(_same(str(found.get(name) or ""), said) for name, said in text.items()):
            found = self._rest.call("PATCH", f"/pulls/{found['number']}", text)
        return pull_of(found)


def _same(there: str, wanted: str) -> bool:
    """Tell whether two texts are the same to a reader: an editor in a browser ends lines otherwise."""
    return there.replace("\r\n", "\n").strip() == wanted.strip()


def _bot(user: object) -> bool:
    return isinstance(user, dict) and user.get("type") == "Bot"


def _insider(comment: Mapping[str, Any]) -> bool:
    return _bot(comment.get("user")) or comment.get("author_association") in _INSIDERS
