"""Requests to Graph: a bearer token that never leaves the configured origin, and answers that are whole or an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import requests

from reconciler.errors import GraphError

from .auth import TokenSource
from .refusals import graph_refused
from .transport import Transport, explain, https_origin, origin

Json = Mapping[str, object]

_VISIBLE: Final = re.compile(r"[!-\[\]-~]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or one inside a batch. `body` is the JSON object in it; empty for an error that carries none."""

    status: int
    body: Json = field(default_factory=dict, repr=False)
    retry_after: float | None = None
    """Seconds to wait, where the answer says so."""

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == HTTPStatus.OK

    def refusal(self, what: str) -> GraphError:
        """Return it as the error it is; `what` names the request and its object."""
        return graph_refused(self.status, self.body, what)


class GraphClient:
    """Speaks to one Graph service (`base` is its versioned root) with tokens from `tokens`.

    Throttled (429, 503, 504) and lost requests are repeated, within bounds; a refused token is renewed once. What still
    fails comes back as an Answer when Graph answered, and as GraphError when nothing whole did.
    """

    def __init__(self, base: str, session: Transport, tokens: TokenSource) -> None:
        self._base = base.rstrip("/")
        self._origin = https_origin(base, "entra.graph")
        self._session = session
        self._tokens = tokens

    def url(self, path: str) -> str:
        """Return the address of a path below the service's root."""
        return f"{self._base}/{path}"

    def own(self, link: str) -> str:
        """Return a link unchanged, or raise GraphError when following it would carry the token anywhere else."""
        if _VISIBLE.fullmatch(link) and origin(link) == self._origin:
            return link
        raise GraphError(
            f"A link leads away from {self._origin}, where the token belongs: it was not followed",
            "If entra.graph was changed, run `reconcile snapshot --full`; otherwise find out who wrote that link.",
        )

    def get(self, url: str, *, prefer: str | None = None) -> Answer:
        """GET an address of this service, a link of its own making included."""
        headers = {"Prefer": prefer} if prefer else {}
        return self._ask("GET", self.own(url), headers, None)

    def post(self, path: str, document: Json) -> Answer:
        """POST a document to a path below the root, perhaps more than once: only for requests that change nothing."""
        return self._ask("POST", self.url(path), {"Content-Type": "application/json"}, json.dumps(document))

    def _ask(self, method: str, url: str, headers: Mapping[str, str], data: str | None) -> Answer:
        answer = self._send(method, url, headers, data, self._tokens.token())
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = self._send(method, url, headers, data, self._tokens.token(renew=True))
        return answer

    def _send(self, method: str, url: str, headers: Mapping[str, str], data: str | None, token: str) -> Answer:
        sent = {**headers, "Accept": "application/json", "Authorization": f"Bearer {token}"}
        try:
            response = self._session.request(method, url, headers=sent, data=data)
        except requests.RequestException as error:
            raise explain(error, self._origin) from error
        if response.is_redirect:
            raise GraphError(
                f"{self._origin} answered with a redirection, which was not followed",
                "entra.graph must name Graph itself; a proxy or a captive portal may have answered in its place.",
            )
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return Answer(response.status_code, body, seconds(response.headers.get("Retry-After")))
        if response.ok:
            raise GraphError(
                f"{self._origin} answered with something other than a JSON object (HTTP {response.status_code})",
                "Nothing was taken from it: run again; if it persists, check entra.graph and the proxy.",
            )
        return Answer(response.status_code, {}, seconds(response.headers.get("Retry-After")))


def seconds(retry_after: object) -> float | None:
    """Return a Retry-After in seconds (the form Graph sends), None where it is missing or something else."""
    text = str(retry_after).strip() if isinstance(retry_after, str | int | float) else ""
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None
