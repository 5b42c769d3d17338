"""Many reads in few requests: Graph's `$batch`, where each of up to twenty can be throttled by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from reconciler.errors import GraphError

from .client import Answer, GraphClient, seconds
from .transport import BUSY, LONGEST_WAIT

SIZE: Final = 20
"""Requests in one batch, at most."""

_ATTEMPTS: Final = 6


def read(client: GraphClient, urls: Sequence[str], sleep: Callable[[float], None]) -> list[Answer]:
    """GET every URL (relative to the service's root: `/users/…`), in batches; the answers are in the URLs' order.

    One that is throttled or busy is asked again, alone with its like, after the longest wait that any of them names.
    Raises GraphError when the batch itself is refused, an answer is missing, or one stays busy.
    """
    answers: list[Answer] = []
    for start in range(0, len(urls), SIZE):
        answers += _chunk(client, urls[start : start + SIZE], sleep)
    return answers


def _chunk(client: GraphClient, urls: Sequence[str], sleep: Callable[[float], None]) -> list[Answer]:
    done: dict[str, Answer] = {}
    pending = {str(n): url for n, url in enumerate(urls)}
    for attempt in range(_ATTEMPTS):
        answers = _once(client, pending)
        busy = {key: answer for key, answer in answers.items() if answer.status in BUSY}
        done |= answers
        if not busy:
            break
        wait = max(2.0**attempt if a.retry_after is None else a.retry_after for a in busy.values())
        if attempt == _ATTEMPTS - 1 or wait > LONGEST_WAIT:
            key = next(iter(busy))
            raise busy[key].refusal(f"GET {pending[key].partition('?')[0]}, asked {attempt + 1} times")
        sleep(wait)
        pending = {key: url for key, url in pending.items() if key in busy}
    return [done[str(n)] for n in range(len(urls))]


def _once(client: GraphClient, pending: Mapping[str, str]) -> dict[str, Answer]:
    requests = [{"id": key, "method": "GET", "url": url} for key, url in pending.items()]
    answer = client.post("$batch", {"requests": requests})
    if not answer.ok:
        raise answer.refusal("a batch of reads")
    responses = answer.body.get("responses")
    found = dict(_response(each) for each in responses) if isinstance(responses, list) else {}
    if not isinstance(responses, list) or len(responses) != len(found) or found.keys() != pending.keys():
        raise _malformed("does not answer each request once")
    return found


def _response(raw: object) -> tuple[str, Answer]:
    if not isinstance(raw, dict):
        raise _malformed("holds something other than answers")
    key, status, headers, body = raw.get("id"), raw.get("status"), raw.get("headers"), raw.get("body")
    if not isinstance(key, str) or not isinstance(status, int) or isinstance(status, bool):
        raise _malformed("holds an answer without id or status")
    if not isinstance(body, dict):
        if status == HTTPStatus.OK:
            raise _malformed("holds an answer without a body")
        body = {}
    waits = [v for k, v in headers.items() if k.lower() == "retry-after"] if isinstance(headers, dict) else []
    return key, Answer(status, body, seconds(waits[0]) if waits else None)


def _malformed(how: str) -> GraphError:
    return GraphError(f"Graph's answer to a batch {how}", "Nothing was taken from it: run again.")
