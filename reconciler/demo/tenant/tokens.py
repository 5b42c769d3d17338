"""Access tokens: handed out by sign-in, asked for by every request to Graph. In form JWTs whose signature no client can check."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta

from .answers import Answer, Clock, Entropy, Json, Stationery

LIFETIME = timedelta(seconds=3599)


class AccessTokens:
    """Every access token handed out, and until when it is good."""

    def __init__(self, wall: Clock, entropy: Entropy, stationery: Stationery) -> None:
        self._wall, self._entropy, self._stationery = wall, entropy, stationery
        self._lock = threading.Lock()
        self._expires: dict[str, datetime] = {}

    def issue(self, claims: Mapping[str, Json]) -> str:
        """Return a new token with these claims, good for LIFETIME."""
        header = {"typ": "JWT", "alg": "RS256"}
        parts = [json.dumps(part).encode() for part in (header, claims)]
        token = ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, self._entropy(96)))
        with self._lock:
            self._expires[token] = self._wall() + LIFETIME
        return token

    def expire(self) -> None:
        """Let every token handed out so far be expired."""
        with self._lock:
            self._expires = dict.fromkeys(self._expires, self._wall())

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """Return the 401 for a request whose token is missing, unknown or expired."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return self._unauthorised("Access token is empty.")
        with self._lock:
            expires = self._expires.get(token.strip())
        if expires is None:
            return self._unauthorised("Access token validation failure. Invalid signature.")
        if expires <= self._wall():
            return self._unauthorised("Lifetime validation failed, the token is expired.")
        return None

    def _unauthorised(self, what: str) -> Answer:
        challenge = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
        return self._stationery.graph_error(401, what, "InvalidAuthenticationToken", challenge)
