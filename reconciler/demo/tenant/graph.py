"""Microsoft Graph v1.0 as far as this tenant has it: who may ask, what goes wrong, where a request goes."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from .answers import Answer, Call, Stationery
from .batch import Batch
from .delta import Delta
from .faults import Faults
from .reads import Reads
from .tokens import AccessTokens

Log = Callable[[Call, Answer], None]


class Graph:
    """Answers everything below `/v1.0`; `log` is told of requests inside `$batch`, which nobody else sees."""

    def __init__(
        self, delta: Delta, reads: Reads, tokens: AccessTokens, *, faults: Faults, stationery: Stationery, log: Log
    ) -> None:
        self._delta, self._reads, self._tokens = delta, reads, tokens
        self._faults, self._stationery, self._log = faults, stationery, log
        self._batch = Batch(stationery, self._batched)

    def answer(self, call: Call, graph: str) -> Answer:
        """Answer one request; `call.path` begins after `/v1.0`, `graph` is the address up to there."""
        fault = self._faults.on_request()
        if fault is not None:
            return fault
        refused = self._tokens.refusal(call.headers)
        if refused is not None:
            return refused
        if call.path == "/$batch":
            return self._batch.answer(call, graph)
        return self._resource(call, graph)

    def _batched(self, call: Call, graph: str) -> Answer:
        answer = self._faults.on_request(batched=True) or self._resource(call, graph)
        self._log(call, answer)
        return answer

    def _resource(self, call: Call, graph: str) -> Answer:
        read = self._route([unquote(s) for s in call.path.strip("/").split("/")], call, graph)
        if read is None:
            what = f"Resource not found for the segment '{call.path.strip('/').split('/')[-1]}'."
            return self._stationery.graph_error(400, what)
        if call.method != "GET" or not self._faults.consented:
            what = "Insufficient privileges to complete the operation."
            return self._stationery.graph_error(403, what, "Authorization_RequestDenied")
        return read()

    def _route(self, segments: list[str], call: Call, graph: str) -> Callable[[], Answer] | None:
        query = call.query
        match [segments[0].lower(), *segments[1:]]:
            case ["users"]:
                return lambda: self._reads.users(query, graph)
            case ["users", "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()"]:
                return lambda: self._delta.answer(query, call.headers, graph)
            case ["users", user]:
                return lambda: self._reads.one(user, query, graph)
            case ["directory", items, kind] if items.lower() == "deleteditems":
                if kind.lower() == "microsoft.graph.user":
                    return lambda: self._reads.deleted_users(query, graph)
                return lambda: self._reads.deleted_one(kind, query, graph)
        return None
