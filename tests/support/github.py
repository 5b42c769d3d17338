"""GitHub's REST endpoints as documented, on loopback: stateful, and strict about every request."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from reconciler.demo.pki import Files

from .hub.description import described
from .hub.repository import Hub
from .hub.shapes import REPOSITORY, refusal

__all__ = ["REPOSITORY", "TOKEN", "StandIn", "standing_in"]
TOKEN = "ghs_verysecret"
S = TypeVar("S", bound="StandIn")


@dataclass
class StandIn(Hub):
    """One repository. `answers` come first, whatever is asked: (status, headers, body)."""

    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    prefix: str = ""
    """Where the API begins: Enterprise Server's is at /api/v3."""
    undescribed: bool = False
    """Answer what the description does not foresee: accounts and copies that are gone."""
    meanwhile: Callable[[str, str], None] | None = None
    """Called with method and path before each answer: what others do while the program asks."""

    @property
    def written(self) -> list[str]:
        """What was asked that changes something, as `POST /pulls`."""
        return [f"{m} {p.removeprefix(f'/repos/{REPOSITORY}')}" for m, p in self.asked if m != "GET"]


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            address = urlsplit(self.path)
            path = address.path.removeprefix(stand_in.prefix)
            stand_in.asked.append((self.command, path))
            if stand_in.meanwhile:
                stand_in.meanwhile(self.command, path)
            query = {key: value for key, [value] in parse_qs(address.query).items()}
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                assert self.headers["X-GitHub-Api-Version"] == "2022-11-28"
                assert self.headers["Accept"] == "application/vnd.github+json"
                assert self.headers["User-Agent"].startswith("reconcile/")
                assert (self.headers["Content-Type"] == "application/json") == bool(sent)
                if stand_in.answers:
                    return self.say(*stand_in.answers.pop(0))
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    return self.say(401, {}, json.dumps(refusal("Bad credentials")))
                given = json.loads(sent or b"{}")
                asked = [p for d in described() for p in d.problems(self.command, path, query, given)]
                assert not asked, asked
                status, body = stand_in.answer(self.command, path, query, given)
                answered = [p for d in described() for p in d.wrong_answer(self.command, path, status, body)]
                assert stand_in.undescribed or not answered, answered
            except AssertionError as error:
                stand_in.complaints.append(f"{self.command} {self.path}: {error}")
                return self.say(500, {}, "{}")
            return self.say(status, {}, json.dumps(body))

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815  the library's names

        def say(self, status: int, headers: dict[str, str], body: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


@contextmanager
def standing_in(tls: Files | None = None) -> Iterator[StandIn]:
    """Serve an empty repository as long as the block lasts; fail when something asked was not as GitHub wants it."""
    with serving(StandIn(), tls) as made:
        yield made


@contextmanager
def serving(made: S, tls: Files | None) -> Iterator[S]:
    """Serve what answers in place of the stand-in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        made.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.cert, tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
    assert not made.complaints, "\n".join(made.complaints)
