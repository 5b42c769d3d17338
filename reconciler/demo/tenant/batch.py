"""`POST /$batch`: up to twenty requests in one, each answered, refused or throttled by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from .answers import Answer, Call, Json, Stationery

MAX_REQUESTS = 20


class Batch:
    """Answers a batch by asking `answer` for each request in turn."""

    def __init__(self, stationery: Stationery, answer: Callable[[Call, str], Answer]) -> None:
        self._stationery = stationery
        self._answer = answer

    def answer(self, call: Call, graph: str) -> Answer:
        """Return 200 with a response for each request, in another order than asked, or 400 for a malformed batch."""
        if call.method != "POST":
            return self._stationery.graph_error(405, "Only POST is allowed for $batch.", "BadRequest")
        requests = _requests(call.body)
        problem = "Invalid batch payload format." if requests is None else _problem(requests)
        if requests is None or problem:
            return self._stationery.graph_error(400, problem)
        statuses: dict[str, int] = {}
        responses: list[Json] = []
        for request in requests:
            answer = self._one(request, statuses, graph)
            statuses[str(request["id"]).lower()] = answer.status
            headers = {"Cache-Control": "no-cache", "Content-Type": "application/json", **answer.headers}
            responses.append(
                {"id": request["id"], "status": answer.status, "headers": headers, "body": answer.document}
            )
        return Answer(200, {"responses": responses[::-1]})

    def _one(self, request: Mapping[str, Json], statuses: Mapping[str, int], graph: str) -> Answer:
        awaited = cast("list[str]", request.get("dependsOn") or [])
        if any(statuses.get(str(i).lower(), 424) >= 400 for i in awaited):
            what = "A request this one depends on has failed."
            return self._stationery.graph_error(424, what, "FailedDependency")
        url = urlsplit("/" + str(request["url"]).lstrip("/"))
        headers = cast("Mapping[str, str]", request.get("headers") or {})
        return self._answer(
            Call(
                str(request["method"]).upper(),
                url.path,
                parse_query(url.query),
                {name.lower(): str(value) for name, value in headers.items()},
                raw_query=url.query,
            ),
            graph,
        )


def parse_query(text: str) -> dict[str, str]:
    """Return a query string's options by lower-case name."""
    return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}


def _requests(body: bytes) -> list[Mapping[str, Json]] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    requests = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(requests, list) or not all(isinstance(r, dict) for r in requests):
        return None
    return cast("list[Mapping[str, Json]]", requests)


def _problem(requests: list[Mapping[str, Json]]) -> str:
    ids = [str(r.get("id", "")).lower() for r in requests]
    if len(requests) > MAX_REQUESTS:
        return f"Number of batch request steps exceeds the maximum value of {MAX_REQUESTS}."
    if not requests or any(not r.get(name) for r in requests for name in ("id", "method", "url")):
        return "A batch needs requests, and each of them id, method and url."
    if len(set(ids)) < len(ids):
        return "Request ids must be unique within a batch."
    if any("://" in str(r["url"]).partition("?")[0] or "$batch" in str(r["url"]) for r in requests):
        return "A request's url is relative to the service root, and is no batch itself."
    return ""
