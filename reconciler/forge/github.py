"""GitHub and GitHub Enterprise Server, over REST (API version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from reconciler.errors import ForgeError
from reconciler.graph.transport import Patience, Transport

from .port import Approval, Check, Published, PullRequest

LONGEST_BODY: Final = 65_536
LONGEST_TITLE: Final = 256
_PAGE: Final = 100
_PAGES: Final = 50
_SHOWN: Final = 500
_OPINIONS: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
_PASSED: Final = frozenset({"success", "neutral", "skipped"})
_REMEDIES: Final = {
    301: "The repository was renamed or moved: write its new name as forge.repository.",
    401: "The token is wrong, expired or revoked: make a new one and set RECONCILE_FORGE_TOKEN.",
    403: "Give the token read access to contents, checks and statuses, and write access to pull requests.",
    404: "Check forge.url and forge.repository; to a token without access, a private repository is not there either.",
    422: "Check that forge.branch exists and that the plan's branch was pushed to this repository.",
}
_LATER: Final = "The forge has trouble: run the same command again later."


class GitHub:
    """One repository on GitHub. `url` is the API's address, `trust` whom its certificate must come from.

    The token is sent to that host only: redirects are not followed. It appears in no message.
    """

    def __init__(self, url: str, repository: str, token: str, trust: str | bool) -> None:
        self._base = f"{url}/repos/{repository}"
        self._owner = repository.partition("/")[0]
        self._token = token
        self._http = Transport(trust)
        # A POST is not repeated: whether it arrived is found out by looking.
        patience = Patience.bounded().new(allowed_methods=frozenset({"GET", "PATCH"}))
        self._http.mount(url, HTTPAdapter(max_retries=patience))
        self._http.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

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
            made = self._call("POST", "/pulls", {**text, "head": proposal.branch, "base": proposal.base})
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

    def merged(self, commit: str) -> PullRequest | None:
        """Return the pull request whose merge produced this commit of the protected branch."""
        for found in self._pages(f"/commits/{quote(commit, safe='')}/pulls"):
            if found.get("merged_at") and found.get("merge_commit_sha") == commit:
                return _pull(found)
        return None

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """Return who approves a pull request now: one entry per person, by name, each one's last word counting."""
        last: dict[str, Mapping[str, Any]] = {}
        for review in self._pages(f"/pulls/{number}/reviews"):  # oldest first
            if review.get("state") in _OPINIONS and review.get("user"):
                last[review["user"]["login"]] = review
        return tuple(Approval(who, last[who]["commit_id"]) for who in sorted(last) if last[who]["state"] == "APPROVED")

    def checks(self, commit: str) -> tuple[Check, ...]:
        """Return a commit's check runs and commit statuses, by name; one that failed wins over its namesakes."""
        of = f"/commits/{quote(commit, safe='')}"
        runs = [
            Check(run["name"], run["conclusion"] in _PASSED if run["status"] == "completed" else None)
            for run in self._pages(f"{of}/check-runs", "check_runs")
        ]
        statuses = [
            Check(status["context"], None if status["state"] == "pending" else status["state"] == "success")
            for status in self._pages(f"{of}/status", "statuses")
        ]
        worst: dict[str, Check] = {}
        for check in sorted([*runs, *statuses], key=lambda c: (c.name, c.passed is not False, c.passed is not None)):
            worst.setdefault(check.name, check)
        return tuple(worst.values())

    def _open(self, branch: str, base: str) -> Mapping[str, Any] | None:
        query = f"?state=open&head={quote(f'{self._owner}:{branch}', safe='')}&base={quote(base, safe='')}"
        return next(self._pages(f"/pulls{query}"), None)

    def _update(self, found: Mapping[str, Any], proposal: Published) -> PullRequest:
        text = {"title": proposal.title, "body": proposal.body}
        if {name: found.get(name) for name in text} != text:
            found = self._call("PATCH", f"/pulls/{found['number']}", text)
        return _pull(found)

    def _pages(self, path: str, key: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield a listing's rows; `key` is where they are when the answer is an object."""
        joint = "&" if "?" in path else "?"
        for page in range(1, _PAGES + 1):
            answer = self._call("GET", f"{path}{joint}per_page={_PAGE}&page={page}")
            rows = answer.get(key) if key and isinstance(answer, dict) else answer
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ForgeError(f"GET {path} was answered with something else than a list", _LATER)
            yield from rows
            if len(rows) < _PAGE:
                return
        raise ForgeError(f"GET {path} has more than {_PAGE * _PAGES} rows", "Close the pull request and propose again.")

    def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        """Return the decoded answer. Raises ForgeError for anything but success."""
        what = f"{method} {path.partition('?')[0]}"
        try:
            answer = self._http.request(method, self._base + path, json=body)
            content = answer.json() if answer.ok and not answer.is_redirect else None
        except requests.exceptions.JSONDecodeError:
            raise ForgeError(f"{what} was answered with no JSON", "Check forge.url: it is the API's address.") from None
        except requests.RequestException as error:
            raise self._unreachable(what, error) from None
        if content is None:
            raise self._refused(what, answer)
        return content

    def _unreachable(self, what: str, error: requests.RequestException) -> ForgeError:
        host = urlsplit(self._base).netloc
        if isinstance(error, requests.exceptions.SSLError):
            remedy = "If a private authority issued it, name a PEM file with its root in REQUESTS_CA_BUNDLE."
            return ForgeError(f"{what}: the certificate of {host} is not trusted", remedy)
        if isinstance(error, requests.Timeout):
            return ForgeError(f"{what}: {host} did not answer in time", _LATER)
        return ForgeError(
            f"{what}: {host} cannot be reached", "Check forge.url, the network and the proxy (HTTPS_PROXY)."
        )

    def _refused(self, what: str, answer: requests.Response) -> ForgeError:
        said = f"{what} was refused with {answer.status_code}: {self._words(answer)}"
        until = _limited_until(answer)
        if until:
            return ForgeError(said, f"The rate limit of this token is used up: run the same command again {until}.")
        status = 301 if answer.is_redirect else answer.status_code
        return ForgeError(said, _REMEDIES.get(status, _LATER))

    def _words(self, answer: requests.Response) -> str:
        """Return GitHub's own explanation, and never the token, whoever echoes it."""
        try:
            said = answer.json()
        except requests.exceptions.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            return answer.reason or "no explanation"
        details = [_detail(error) for error in said.get("errors") or () if isinstance(said.get("errors"), list)]
        words = "; ".join([str(said.get("message") or answer.reason), *details])
        return words.replace(self._token, "***")[:_SHOWN]


def _pull(found: Mapping[str, Any], *, created: bool = False) -> PullRequest:
    try:
        return PullRequest(int(found["number"]), str(found["html_url"]), str(found["head"]["sha"]), created)
    except (KeyError, TypeError, ValueError):
        raise ForgeError("a pull request in the answer lacks number, address or head", _LATER) from None


def _detail(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or " ".join(str(error[k]) for k in ("resource", "field", "code") if k in error))


def _limited_until(answer: requests.Response) -> str | None:
    """Return when to come back, in words, if this is the primary or secondary rate limit."""
    if answer.status_code not in (403, 429):
        return None
    wait = answer.headers.get("Retry-After", "")
    if wait.isdecimal():
        return f"in {wait} seconds"
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return f"after {datetime.fromtimestamp(int(reset), UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "in a few minutes" if answer.status_code == requests.codes.too_many_requests else None
