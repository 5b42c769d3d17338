"""GitHub's REST interface (API version 2022-11-28): requests, pages, and refusals in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from reconciler.errors import ForgeError
from reconciler.graph.transport import BUSY, Patience, Transport

LATER: Final = "The forge has trouble: run the same command again later."
_OVERLOADED: Final = 502
"""What GitHub answers for a moment when it has too much to do."""
_PAGE: Final = 100
_PAGES: Final = 50
_SHOWN: Final = 500
_REMEDIES: Final = {
    301: "The repository was renamed or moved: write its new name as forge.repository.",
    401: "The token is wrong, expired or revoked: make a new one and set RECONCILE_FORGE_TOKEN.",
    403: "Give the token read access to contents, checks and statuses, and write access to pull requests (to apply, reading is enough).",
    404: "Check forge.url and forge.repository; to a token without access, a private repository is not there either.",
    422: "Check that forge.branch exists and that the plan's branch was pushed to this repository.",
}


class RefusedError(ForgeError):
    """The forge answered, and not with success: `status` is HTTP's."""

    def __init__(self, what: str, remedy: str, status: int) -> None:
        super().__init__(what, remedy)
        self.status = status


class Rest:
    """The API of one server. `url` is its root, `trust` whom its certificate must come from.

    The token is sent to that host only: redirects are not followed. It appears in no message.
    """

    def __init__(self, url: str, token: str, trust: str | bool) -> None:
        self._url = url
        self._token = token
        self._http = Transport(trust)
        # A POST is not repeated: whether it arrived is found out by looking.
        methods = frozenset({"GET", "PATCH", "DELETE"})
        patience = Patience.bounded().new(allowed_methods=methods, status_forcelist=BUSY | {_OVERLOADED})
        self._http.mount(url, HTTPAdapter(max_retries=patience))
        self._http.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

    def rows(self, path: str, key: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield a listing's rows, all pages; `key` is where they are when the answer is an object."""
        joint = "&" if "?" in path else "?"
        for page in range(1, _PAGES + 1):
            rows = self.page(f"{path}{joint}per_page={_PAGE}&page={page}", key)
            yield from rows
            if len(rows) < _PAGE:
                return
        what = f"GET {path.partition('?')[0]} has more than {_PAGE * _PAGES} rows"
        raise ForgeError(what, "Close the pull request and propose again.")

    def page(self, path: str, key: str | None = None) -> list[Mapping[str, Any]]:
        """Return the rows of one answer."""
        answer = self.call("GET", path)
        rows = answer.get(key) if key and isinstance(answer, dict) else answer
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ForgeError(f"GET {path.partition('?')[0]} was answered with something else than a list", LATER)
        return rows

    def record(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Return an answer that is one object."""
        answer = self.call(method, path, body)
        if not isinstance(answer, dict):
            raise ForgeError(f"{method} {path} was answered with something else than an object", LATER)
        return answer

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Return the decoded answer. Raises ForgeError for anything but success: RefusedError if it is an answer."""
        what = f"{method} {path.partition('?')[0]}"
        try:
            answer = self._http.request(method, self._url + path, json=body)
            content = answer.json() if answer.ok and not answer.is_redirect else None
        except (requests.exceptions.JSONDecodeError, RecursionError):
            raise ForgeError(f"{what} was answered with no JSON", "Check forge.url: it is the API's address.") from None
        except requests.RequestException as error:
            raise self._unreachable(what, error) from None
        if content is None:
            raise self._refused(what, answer)
        return content

    def _unreachable(self, what: str, error: requests.RequestException) -> ForgeError:
        host = urlsplit(self._url).netloc
        if isinstance(error, requests.exceptions.SSLError):
            remedy = "Check this machine's clock. If a private authority issued it, name a PEM file with its root in REQUESTS_CA_BUNDLE."
            return ForgeError(f"{what}: the certificate of {host} is not trusted", remedy)
        if isinstance(error, requests.Timeout):
            return ForgeError(f"{what}: {host} did not answer in time", LATER)
        return ForgeError(
            f"{what}: {host} cannot be reached", "Check forge.url, the network and the proxy (HTTPS_PROXY)."
        )

    def _refused(self, what: str, answer: requests.Response) -> RefusedError:
        words = self._words(answer)
        said = f"{what} was refused with {answer.status_code}: {words}"
        until = _limited_until(answer, words)
        status = 301 if answer.is_redirect else answer.status_code
        if until:
            remedy = f"The rate limit of this token is used up: run the same command again {until}."
            return RefusedError(said, remedy, status)
        return RefusedError(said, _REMEDIES.get(status, LATER), status)

    def _words(self, answer: requests.Response) -> str:
        """Return GitHub's own explanation, and never the token, whoever echoes it."""
        try:
            said = answer.json()
        except (requests.exceptions.JSONDecodeError, RecursionError):
            said = None
        if not isinstance(said, dict):
            return answer.reason or "no explanation"
        errors = said.get("errors")
        details = [_detail(error) for error in errors] if isinstance(errors, list) else []
        words = "; ".join([str(said.get("message") or answer.reason), *details])
        return words.replace(self._token, "***")[:_SHOWN]


def _detail(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or " ".join(str(error[k]) for k in ("resource", "field", "code") if k in error))


def _limited_until(answer: requests.Response, words: str) -> str | None:
    """Return when to come back, in words, if this is the primary or secondary rate limit.

    GitHub may refuse by the second one without any header: then its own words are all there is to tell it from a missing right.
    """
    if answer.status_code not in (403, 429):
        return None
    wait = answer.headers.get("Retry-After", "")
    if wait.isdecimal():
        return f"in {wait} seconds"
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return f"after {datetime.fromtimestamp(int(reset), UTC):%Y-%m-%dT%H:%M:%SZ}"
    limited = answer.status_code == requests.codes.too_many_requests or "rate limit" in words.lower()
    return "in a few minutes" if limited else None
