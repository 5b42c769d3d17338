"""HTTPS on loopback: HTTP/1.1 with kept connections, a thread for each, and the damage a test asks for.

The TLS handshake happens in the connection's own thread, so a client that dawdles keeps nobody waiting.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from reconciler.demo.pki import Authority

from .answers import Answer, Call
from .batch import parse_query

_IDLE = 60.0
_MAX_BODY = 8 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was answered. `batched`: it came inside a `$batch`."""

    method: str
    path: str
    query: str
    status: int
    """0 where the connection was closed instead."""
    batched: bool = False


class Server:
    """A running server; `answer` is called from many threads."""

    def __init__(self, pki: Authority, answer: Callable[[Call], Answer], pause: Callable[[], float]) -> None:
        self._http = _Http(pki, answer, pause)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True, name="tenant")
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._http.server_address[1])

    def stop(self) -> None:
        """Close every connection and end every thread."""
        self._http.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.close_all()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, pki: Authority, answer: Callable[[Call], Answer], pause: Callable[[], float]) -> None:
        self.answer, self.pause = answer, pause
        self.stopping = threading.Event()
        self._context = _context(pki)
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(_IDLE)
            tls = self._context.wrap_socket(request, server_side=True)
            with tls:
                with self._lock:
                    self._open[threading.current_thread()] = tls
                self.finish_request(tls, client_address)
        except OSError:
            pass  # the client went away, does not trust us, or we are stopping: its own affair
        finally:
            request.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def close_all(self) -> None:
        self.server_close()
        with self._lock:
            open_now = dict(self._open)
        for connection in open_now.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in open_now:
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TestTenant"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def _handle(self) -> None:
        server = cast("_Http", self.server)
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = server.answer(Call(self.command, path, parse_query(query), headers, body, query))
        pause = server.pause()
        if pause:
            server.stopping.wait(pause)
        self._reply(answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815  named by http.server

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._reply(Answer(411, {"error": {"code": "BadRequest", "message": "Content-Length is required."}}))
            return None
        return self.rfile.read(int(length))

    def _reply(self, answer: Answer) -> None:
        if answer.damage == "drop":
            self.close_connection = True
            return
        body = answer.body
        if answer.damage == "malform":
            body = body[: len(body) // 2 + 1]
        self.send_response(answer.status)
        sent = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", **answer.headers}
        for name, value in sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.damage == "cut":
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing: `Tenant.requests` is the log."""


def _context(pki: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as directory:
        files = pki.write(Path(directory), ["localhost", "127.0.0.1"])
        context.load_cert_chain(files.cert, files.key)
    return context
