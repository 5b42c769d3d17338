"""Whoever else may answer at an address: TLS with a certificate of its own, and nothing behind it."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.pki import Authority


class Stranger:
    """Listens on 127.0.0.1 with a certificate for `name`; `ca` is the root that issued it."""

    def __init__(self, folder: Path, name: str) -> None:
        files = Authority.create("A stranger").write(folder, [name])
        self.ca = files.ca
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.cert, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError), self._context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)
