"""Calls and answers as the tenant's parts exchange them, and the shape of Microsoft's errors."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

Json = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Clock = Callable[[], datetime]
Entropy = Callable[[int], bytes]
Damage = Literal["cut", "drop", "malform"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_CODES = {
    400: "BadRequest",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "serviceNotAvailable",
    504: "gatewayTimeout",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is still percent-encoded; `query` has lower-case names; `headers` too."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    raw_query: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `damage` says how the transport is to spoil it."""

    status: int
    document: Json = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    damage: Damage | None = None

    @property
    def body(self) -> bytes:
        """The document in UTF-8; a lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))
        return _SURROGATE.sub(lambda m: f"\\u{ord(m[0]):04x}", text).encode()

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """Return the same answer with more headers."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Stationery:
    """Makes error bodies: they carry a time and identifiers that people quote to support."""

    clock: Clock
    entropy: Entropy

    def guid(self) -> str:
        """Return a new random GUID."""
        return str(uuid.UUID(bytes=self.entropy(16), version=4))

    def graph_error(
        self, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return Graph's error shape; `code` None means the status's own."""
        request = self.guid()
        inner: Json = {"date": f"{self.clock():%Y-%m-%dT%H:%M:%S}", "request-id": request, "client-request-id": request}
        error: Json = {"code": code or _CODES.get(status, "UnknownError"), "message": message, "innerError": inner}
        return Answer(status, {"error": error}, {"request-id": request, **(headers or {})})

    def sign_in_error(self, status: int, error: str, code: int, message: str) -> Answer:
        """Return the token endpoint's error shape (RFC 6749, 5.2, with Entra's additions)."""
        trace, correlation, when = self.guid(), self.guid(), f"{self.clock():%Y-%m-%d %H:%M:%SZ}"
        about = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {when}"
        return Answer(
            status,
            {
                "error": error,
                "error_description": f"AADSTS{code}: {message} {about}",
                "error_codes": [code],
                "timestamp": when,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": f"https://login.microsoftonline.com/error?code={code}",
            },
            {"Cache-Control": "no-store"},
        )
