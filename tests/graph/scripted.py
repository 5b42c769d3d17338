"""A peer over real TLS that answers what a test tells it to: for the answers that no honest tenant gives."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.pki import Files


@dataclass(frozen=True)
class Asked:
    """One request as it came in. `target` is the path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer. `document` is sent as JSON unless it is bytes; `cut` announces more than is sent."""

    document: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False

    @property
    def payload(self) -> bytes:
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()


Script = Callable[[Asked], Reply]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that does not trust us hangs up, and its own side of it is what is tested."""


class Peer:
    """Answers each request by the longest prefix of its path; a list of replies is used up, its last one stays."""

    def __init__(self, files: Files) -> None:
        self.ca = files.ca
        self.asked: list[Asked] = []
        self._scripts: dict[str, Script] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self._server.server_port}"

    def on(self, prefix: str, *replies: Reply | object) -> None:
        """Answer paths that begin so with these replies in turn."""
        left = [r if isinstance(r, Reply) else Reply(r) for r in replies]
        self._scripts[prefix] = lambda _asked: left.pop(0) if len(left) > 1 else left[0]

    def script(self, prefix: str, script: Script) -> None:
        """Answer paths that begin so by a function."""
        self._scripts[prefix] = script

    def targets(self) -> list[str]:
        return [each.target for each in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(peer) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                peer.asked.append(asked)
                matching = [prefix for prefix in peer._scripts if self.path.startswith(prefix)]
                reply = peer._scripts[max(matching, key=len)](asked) if matching else Reply({}, status=404)
                payload = reply.payload
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload) + (1000 if reply.cut else 0)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = _answer  # noqa: N815  the library's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler


class FixedToken:
    """A token source of one token after another."""

    def __init__(self) -> None:
        self.given = 0

    def token(self, *, renew: bool = False) -> str:
        self.given += renew
        return f"token-{self.given}"


def write_pem(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path
