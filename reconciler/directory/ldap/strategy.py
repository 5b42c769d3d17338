"""How answers are received: ldap3's synchronous strategy, with search entries walked directly (`wire`); searches and modifies
are sent as bytes that are made without its help (`request`), and their results read without it.

ldap3 does everything else: binds, adds, moves, deletions; references and extended responses. Its own loop copies all that was
received once for each message in it, which this one does not.
"""

from __future__ import annotations

from typing import Any, Final

import ldap3
from ldap3.core.exceptions import (
    LDAPConnectionIsReadOnlyError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
)
from ldap3.strategy.base import RESPONSE_COMPLETE, SESSION_TERMINATED_BY_SERVER
from ldap3.strategy.sync import SyncStrategy
from ldap3.utils import asn1

from . import request, wire

_CHUNK: Final = 1 << 16
_DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"
"""Notice of Disconnection (RFC 4511, 4.4.1): a message nobody asked for, with id 0."""
_GOES_ON: Final = frozenset({"searchResEntry", "searchResRef", "intermediateResponse"})
_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What ldap3's decoder raises at bytes that are no LDAP."""
_decode: Any = asn1.decode_message_fast


def install(connection: ldap3.Connection) -> None:
    """Let a synchronous connection that is not open yet receive by this module."""
    strategy: Any = Walking(connection)
    target: Any = connection
    target.strategy = strategy
    for name in ("send", "open", "get_response", "post_send_single_response", "post_send_search"):
        setattr(target, name, getattr(strategy, name))


class Walking(SyncStrategy):
    """Gives search entries as `wire.Found`, all else as ldap3 does. An answer that cannot be read whole is an error.

    `walked` counts the entries that were given, `asked` the operations that were encoded and ended without ldap3.
    """

    def __init__(self, connection: ldap3.Connection) -> None:
        super().__init__(connection)
        self.walked = 0
        self.asked = 0
        self._rest = b""
        self._heard: Any = None
        self._by_ldap3: Any = self.decode_response_fast
        self._outstanding: Any

    def send(self, message_type: str, message: Any, controls: Any = None) -> int:
        """Send a message; raise LDAPSocketReceiveError where the server spoke before it was asked to, in the clear."""
        self._check_silence()
        number: int = super().send(message_type, message, controls)
        return number

    def ask(self, operation: bytes, controls: bytes, ends: int = wire.DONE) -> tuple[list[Any], wire.Ended]:
        """Send a search or a modify, encoded already, that `ends` with a message of this kind; return its answers, and how it ended.

        Raises what ldap3's own operations raise: a read-only connection takes no write.
        """
        self._check_silence()
        connection = self.connection
        if ends != wire.DONE and connection.read_only:
            raise LDAPConnectionIsReadOnlyError("connection is read-only")
        if connection.closed or not connection.listening:
            raise LDAPSocketOpenError("the connection is closed")
        number = connection.server.next_message_id()
        try:
            connection.socket.sendall(request.element(0x30, request.integer(number) + operation + controls))
        except OSError as error:
            raise LDAPSocketSendError(f"error sending data: {error}") from error
        answers = self._answers(number, ends)
        if answers == SESSION_TERMINATED_BY_SERVER:
            raise LDAPSessionTerminatedByServerError("session terminated by server")
        ended = answers[-2]
        if not isinstance(ended, wire.Ended):
            raise LDAPSocketReceiveError(f"the answer to a search or a modify is a {ended['type']}")
        self.asked += 1
        return answers[:-2], ended

    def _check_silence(self) -> None:
        if self._rest and self._heard is not self.connection.socket:
            # TLS began in between: what came before must not pass for something that it protects.
            raise LDAPSocketReceiveError("the server sent something before TLS began")

    def _get_response(self, message_id: int, timeout: float) -> Any:  # noqa: ARG002  the library's signature
        return self._answers(message_id, None)

    def _answers(self, message_id: int, ends: int | None) -> Any:
        self._heard = self.connection.socket
        try:
            return self._receive(message_id, self._heard, ends)
        except OSError as error:
            raise LDAPSocketReceiveError(f"error receiving data: {error}") from error
        except _UNREADABLE as error:
            raise LDAPSocketReceiveError(f"an answer cannot be read: {error}") from error

    def _receive(self, message_id: int, socket: Any, ends: int | None) -> Any:
        expected = wire.head(message_id, wire.ENTRY)
        ahead = len(expected)
        responses: list[Any] = []
        data, at = self._rest, 0
        while True:
            framed = wire.frame(data, at)
            if framed is None or framed[1] > len(data):
                self._rest = data[at:]
                wanted = 1 if framed is None else framed[1] - len(data)
                data, at = self._more(socket, wanted), 0
                if not data:
                    return SESSION_TERMINATED_BY_SERVER
                continue
            start, end = framed
            if data.startswith(expected, start):
                found, last = wire.entry(data, start + ahead)
                if last != end:
                    wire.controls(data, last, end)
                responses.append(found)
                self.walked += 1
            else:
                given = self._other(message_id, data, at, start, end, ends)
                if given == SESSION_TERMINATED_BY_SERVER:
                    return given
                responses.append(given)
                if isinstance(given, wire.Ended) or (isinstance(given, dict) and given["type"] not in _GOES_ON):
                    self._rest = data[end:]
                    return [*responses, RESPONSE_COMPLETE]
            at = end

    def _more(self, socket: Any, wanted: int) -> bytes:
        """Return what is left over with at least `wanted` more bytes behind it; nothing at the end of the stream."""
        parts = [self._rest]
        while wanted > 0:
            chunk = socket.recv(_CHUNK)
            if not chunk:
                return b""
            parts.append(chunk)
            wanted -= len(chunk)
        return b"".join(parts)

    def _other(self, message_id: int, data: bytes, at: int, start: int, end: int, ends: int | None) -> Any:
        """Return a message that does not begin like an entry of this search; `ends` is the kind of result to read directly."""
        found = wire.message(data, start, end)
        if found.number == message_id and found.operation == wire.ENTRY:  # its id is written at greater length
            self.walked += 1
            return wire.entry(data, found.at)[0]
        if found.number == message_id and found.operation == ends:
            return wire.ended(data, found.at, end)
        given = self._by_ldap3(_decode(data[at:end]))
        if found.number == message_id:
            return given
        if found.number == 0 and given["responseName"] == _DISCONNECTION:
            return SESSION_TERMINATED_BY_SERVER
        raise LDAPSocketReceiveError("an answer to something that was not asked")
