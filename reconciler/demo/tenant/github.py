"""The endpoint that hands a GitHub Actions job its identity token, as `ACTIONS_ID_TOKEN_REQUEST_URL` names it."""

from __future__ import annotations

import threading
from datetime import timedelta

from .answers import Answer, Call, Entropy, Stationery
from .assertions import GITHUB, Issuers

_LIFETIME = timedelta(minutes=5)


class Actions:
    """Jobs that may ask for an identity token, by their request token."""

    PATH = "/actions/idtoken"

    def __init__(self, issuers: Issuers, stationery: Stationery, entropy: Entropy) -> None:
        self._issuers, self._stationery, self._entropy = issuers, stationery, entropy
        self._lock = threading.Lock()
        self._subjects: dict[str, str] = {}

    def environment(self, subject: str, url: str) -> dict[str, str]:
        """Return what the runner sets for a job of this subject."""
        token = self._entropy(32).hex()
        with self._lock:
            self._subjects[token] = subject
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}{self.PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token,
        }

    def answer(self, call: Call) -> Answer:
        """Answer with `{"count", "value"}`, the value a JWT for the asked-for audience."""
        with self._lock:
            subject = self._subjects.get(call.headers.get("authorization", "").rpartition(" ")[2])
        if subject is None or call.method != "GET":
            return self._stationery.graph_error(401, "The request token is not valid.", "Unauthorized")
        audience = call.query.get("audience") or "https://github.com/contoso"
        token = self._issuers.sign(GITHUB, {"sub": subject, "aud": audience}, _LIFETIME)
        return Answer(200, {"count": len(token), "value": token})
