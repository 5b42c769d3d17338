"""The front desk: Graph, sign-in and GitHub's token endpoint share one address here; and the log of who came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from . import discovery
from .answers import Answer, Call, Stationery
from .assertions import Issuers
from .github import Actions
from .graph import Graph
from .server import Request
from .signin import SignIn


class Log:
    """What was asked, in the order of the answers. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    @property
    def requests(self) -> tuple[Request, ...]:
        """Everything so far."""
        with self._lock:
            return tuple(self._requests)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._requests.clear()

    def answered(self, call: Call, answer: Answer) -> None:
        """Note a request and how it was answered."""
        self._append(Request(call.method, call.path, call.raw_query, 0 if answer.damage == "drop" else answer.status))

    def batched(self, call: Call, answer: Answer) -> None:
        """Note a request inside `$batch`."""
        self._append(Request(call.method, f"/v1.0{call.path}", call.raw_query, answer.status, batched=True))

    def _append(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)


class Front:
    """Sends each request where it belongs. `names` are what this tenant is called by."""

    def __init__(
        self,
        names: tuple[str, ...],
        graph: Graph,
        sign_in: SignIn,
        *,
        actions: Actions,
        issuers: Issuers,
        stationery: Stationery,
    ) -> None:
        self._names = names
        self._graph, self._sign_in, self._actions = graph, sign_in, actions
        self._issuers, self._stationery = issuers, stationery

    def answer(self, call: Call, url: str) -> Answer:
        """Answer one request; `url` is our own address."""
        if call.path.startswith("/v1.0/"):
            return self._graph.answer(replace(call, path=call.path.removeprefix("/v1.0")), f"{url}/v1.0")
        if call.path == Actions.PATH:
            return self._actions.answer(call)
        if call.path == "/common/discovery/instance":
            return discovery.instances(f"{url}/{self._names[0]}")
        return self._login(call, url)

    def _login(self, call: Call, url: str) -> Answer:
        name, _, endpoint = call.path.strip("/").partition("/")
        if name.lower() not in (*(n.lower() for n in self._names), "common", "organizations"):
            what = (
                f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the"
            )
            return self._stationery.sign_in_error(400, "invalid_tenant", 90002, f"{what} correct cloud.")
        authority = f"{url}/{name}"
        endpoints: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "v2.0/.well-known/openid-configuration"): lambda: discovery.openid_configuration(
                authority, f"{url}/v1.0"
            ),
            ("GET", "discovery/v2.0/keys"): lambda: Answer(200, self._issuers.keys(f"{authority}/v2.0")),
            ("POST", "oauth2/v2.0/token"): lambda: self._sign_in.token(call, authority),
            ("POST", "oauth2/v2.0/devicecode"): lambda: self._sign_in.device_code(call, authority),
        }
        answer = endpoints.get((call.method, endpoint))
        if answer is None:
            return self._stationery.sign_in_error(404, "invalid_request", 900561, "The endpoint does not exist here.")
        return answer()
