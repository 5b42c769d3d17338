"""Knocks at every domain controller, and signs in to the first that can be used."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from reconciler.directory.connect import Ask, credentials
from reconciler.directory.ldap.dial import Credentials, Endpoint, Simple, dial
from reconciler.directory.ldap.root import naming
from reconciler.directory.ldap.session import Session
from reconciler.directory.ldap.tls import context, distrust
from reconciler.errors import DirectoryUnavailableError, ReconcileError
from reconciler.model.settings import Settings

from .attempt import attempt, why
from .controllers import ACCEPTED, REQUIRED, Channel, Controller
from .finding import Unknown

_PATIENCE: Final = 10.0
"""Seconds for a connection, and for each answer."""
_PLAIN_PORT: Final = 389
_STRONGER: Final = frozenset({8, 13})
"""strongerAuthRequired, confidentialityRequired (RFC 4511, 4.1.9)."""
_INVALID: Final = 49
_NO_BINDING: Final = "80090346"
"""SEC_E_BAD_BINDINGS, in a refused bind's diagnostic."""
_LENGTH: Final = rb"(?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x84....)"
_BOUND: Final = re.compile(rb"\x30" + _LENGTH + rb"\x02\x01\x01\x61" + _LENGTH + rb"\x0a\x01(.)", re.DOTALL)
"""The beginning of a bind response to message 1, up to its result code (RFC 4511, 4.2.2)."""
_START_TLS: Final = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
"""An extended request for StartTLS (RFC 4511, 4.14.1), message 1."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A session with one controller; `catalog` opens another with its global catalog."""

    session: Session
    catalog: Callable[[], Session]


def look(
    settings: Settings, env: Mapping[str, str], ask: Ask | None, clock: Callable[[], datetime]
) -> tuple[list[Controller], Connected | None]:
    """Return what was seen of each controller, and a connection to the first that could be used: the caller closes it.

    A refused sign-in is tried nowhere else: that would lock the account out.
    """
    ca_file = settings.directory.ca_file
    try:
        trusted: ssl.SSLContext | Unknown = context(Path(settings.root, ca_file) if ca_file else None)
    except ReconcileError as error:
        trusted = why(error)
    try:
        account: Credentials | Unknown = credentials(settings, env, ask)
    except ReconcileError as error:
        account = why(error)
    seen: list[Controller] = []
    connected: Connected | None = None
    refused = False
    for url in settings.directory.controllers:
        found = _knock(url, trusted)
        usable = isinstance(trusted, ssl.SSLContext) and isinstance(found.channel, Channel)
        if connected is None and not refused and usable:
            found, connected = _sign_in(replace(found, bind=settings.directory.bind), account, trusted, clock)
            refused = isinstance(found.signed_in, Unknown)
        seen.append(found)
    return seen, connected


def _knock(url: str, trusted: ssl.SSLContext | Unknown) -> Controller:
    try:
        endpoint = Endpoint.parse(url)
    except ReconcileError as error:
        return Controller(url, why(error), why(error), why(error))
    try:
        with socket.create_connection((endpoint.host, endpoint.port), _PATIENCE) as raw:
            channel = trusted if isinstance(trusted, Unknown) else _shake(raw, endpoint, trusted)
    except OSError as error:
        unreached = Unknown(f"port {endpoint.port}: {error.strerror or error}")
        return Controller(url, unreached, unreached, unreached)
    return Controller(url, "reached", channel, _plain(endpoint))


def _shake(raw: socket.socket, endpoint: Endpoint, trusted: ssl.SSLContext) -> Channel | Unknown:
    try:
        if endpoint.starttls:
            raw.sendall(_START_TLS)
            if not raw.recv(4096):
                return Unknown("It closed the connection instead of starting TLS.")
        with trusted.wrap_socket(raw, server_hostname=endpoint.host) as secured:
            certificate: Any = secured.getpeercert()
            expires = ssl.cert_time_to_seconds(certificate["notAfter"])
            return Channel(str(secured.version()), datetime.fromtimestamp(expires, UTC))
    except ssl.SSLError as error:
        return why(distrust(endpoint.url, error))
    except OSError as error:
        return Unknown(f"It broke off the handshake: {error.strerror or error}")


def _plain(endpoint: Endpoint) -> str | Unknown:
    """Offer an account and a password that are nobody's, without TLS: whoever demands protection refuses before looking."""
    nobody, secret = f"CN=reconcile-doctor-{secrets.token_hex(8)}", secrets.token_hex(8)
    offer = _tlv(0x60, b"\x02\x01\x03" + _tlv(0x04, nobody.encode()) + _tlv(0x80, secret.encode()))
    try:
        with socket.create_connection((endpoint.host, _PLAIN_PORT), _PATIENCE) as raw:
            raw.sendall(_tlv(0x30, b"\x02\x01\x01" + offer))
            answer = raw.recv(4096)
    except OSError as error:
        return Unknown(f"Port {_PLAIN_PORT} cannot be tried: {error.strerror or error}")
    found = _BOUND.match(answer)
    code = found[1][0] if found else None
    if code in _STRONGER:
        return REQUIRED
    return ACCEPTED if code == _INVALID else Unknown(f"It answered with LDAP result {code}, which says neither.")


def _tlv(tag: int, content: bytes) -> bytes:
    """One element in BER, of less than 128 bytes."""
    return bytes([tag, len(content)]) + content


def _sign_in(
    found: Controller,
    account: Credentials | Unknown,
    trusted: ssl.SSLContext | Unknown,
    clock: Callable[[], datetime],
) -> tuple[Controller, Connected | None]:
    if isinstance(account, Unknown) or isinstance(trusted, Unknown):
        return replace(
            found, signed_in=account if isinstance(account, Unknown) else Unknown("It is not trusted.")
        ), None
    try:
        session = dial(Endpoint.parse(found.url), trusted, account, read_only=True)
    except DirectoryUnavailableError as error:
        bound = _NO_BINDING in error.diagnostic.lower()
        return replace(found, signed_in=why(error), binding_refused=bound), None
    except ReconcileError as error:
        return replace(found, signed_in=why(error)), None
    catalog = partial(dial, Endpoint.parse(found.url, catalog=True), trusted, account, read_only=True)
    name = account.user if isinstance(account, Simple) else "the principal of its tickets"
    base = attempt(lambda: naming(session).domain)
    skew = attempt(lambda: clock() - _time(session))
    if isinstance(base, Unknown):
        session.close()
        return replace(found, signed_in=base), None
    return replace(found, signed_in=name, base=base, skew=skew), Connected(session, catalog)


def _time(session: Session) -> datetime:
    """The controller's clock (currentTime of the root DSE, [MS-ADTS] 3.1.1.3.2.3), in whole seconds."""
    root = session.read("", ["currentTime"])
    text = root.text("currentTime") if root else ""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC) + timedelta(milliseconds=500)
    except ValueError as error:
        raise DirectoryUnavailableError(f"{session.url} does not say what time it is.") from error
