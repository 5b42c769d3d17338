"""A domain controller that says what a test wants it to say: for what a well-behaved one never would."""

from __future__ import annotations

import io
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.pki import Authority

BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
_SUCCESS = 0
_HEAD = 2


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one BER element."""
    body = b"".join(parts)
    length = len(body)
    size = bytes([length]) if length < 0x80 else b"\x84" + length.to_bytes(4, "big")
    return bytes([tag]) + size + body


def octets(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, value)


def result(tag: int, code: int, diagnostic: bytes = b"", referral: bytes | None = None) -> bytes:
    """Return an LDAPResult (RFC 4511, 4.1.9) as operation `tag`."""
    extra = [tlv(0xA3, octets(referral))] if referral else []
    return tlv(tag, tlv(0x0A, bytes([code])), octets(b""), octets(diagnostic), *extra)


def done(code: int = 0, diagnostic: bytes = b"", referral: bytes | None = None) -> bytes:
    """Return a SearchResultDone."""
    return result(0x65, code, diagnostic, referral)


def entry(dn: bytes, **attributes: Sequence[bytes]) -> bytes:
    """Return a SearchResultEntry."""
    fields = [tlv(0x30, octets(name.encode()), tlv(0x31, *map(octets, vals))) for name, vals in attributes.items()]
    return tlv(0x64, octets(dn), tlv(0x30, *fields))


def reference(url: bytes) -> bytes:
    """Return a SearchResultReference."""
    return tlv(0x73, octets(url))


def paging(cookie: bytes) -> bytes:
    """Return the controls of a page's SearchResultDone."""
    value = tlv(0x30, tlv(0x02, b"\0"), octets(cookie))
    return tlv(0xA0, tlv(0x30, octets(b"1.2.840.113556.1.4.319"), octets(value)))


Answer = tuple[bytes, bytes]
"""An operation, and the controls behind it (none: empty)."""
Script = Callable[[int], Sequence[Answer] | bytes]
"""Answers to the n-th search; bytes are sent as they are, and the connection is closed behind them."""


class Scripted:
    """Serves one connection on `port`: every bind succeeds, searches are answered by the script.

    `heard` are the operations' tags in order. With `starttls` refused, it speaks plain LDAP until then. With `injected`,
    TLS begins as promised, and those bytes come right behind the promise, in the clear.
    """

    def __init__(
        self,
        directory: Path,
        script: Script = lambda _n: b"",
        *,
        starttls: int | None = None,
        injected: bytes | None = None,
    ) -> None:
        files = Authority.create("Scripted").write(directory, ["127.0.0.1"])
        self.ca_file = files.ca
        self.heard: list[int] = []
        self.received = b""
        self._script, self._starttls, self._injected = script, starttls, injected
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.cert, files.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        if self._starttls is None:
            client = self._context.wrap_socket(client, server_side=True)
        client.settimeout(10)
        with client:
            self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream:
            while (message := self._message(stream)) and self._answer(client, message):
                if self._injected is not None and self.heard == [EXTENDED]:
                    with self._context.wrap_socket(client, server_side=True) as secured:
                        self._talk(secured)
                    return

    def _message(self, stream: io.BufferedReader) -> bytes:
        try:
            head = stream.read(_HEAD)
            if len(head) < _HEAD or head[0] != 0x30:
                return b""
            length = head[1]
            if length & 0x80:
                length = int.from_bytes(stream.read(length & 0x7F), "big")
            body = stream.read(length)
        except OSError:
            return b""  # the other side hung up
        self.received += body
        return body

    def _answer(self, client: socket.socket, message: bytes) -> bool:
        number, operation = message[: _HEAD + message[1]], message[_HEAD + message[1]]
        self.heard.append(operation)
        if operation == BIND:
            client.sendall(tlv(0x30, number, result(0x61, _SUCCESS)))
        elif operation == EXTENDED:
            promise = tlv(0x30, number, result(0x78, self._starttls or 0, b"no TLS here"))
            client.sendall(promise + (self._injected or b""))
        elif operation == SEARCH:
            answer = self._script(self.heard.count(SEARCH))
            if isinstance(answer, bytes):
                client.sendall(answer)
                return False
            client.sendall(b"".join(tlv(0x30, number, op, controls) for op, controls in answer))
        return True
