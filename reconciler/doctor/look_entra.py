"""Signs in to Entra ID and reads one user: what the checks on that way go by."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from reconciler.errors import ReconcileError
from reconciler.graph.auth import sign_in
from reconciler.graph.refusals import graph_refused
from reconciler.graph.transport import Transport, explain, trust
from reconciler.model.settings import Settings

from .attempt import why
from .entra import Entra, Key
from .finding import Unknown

_SECOND = timedelta(seconds=1)


def look(
    settings: Settings, env: Mapping[str, str], say: Callable[[str], None], clock: Callable[[], datetime]
) -> Entra:
    """Return what can be seen of the way to Graph."""
    held = key(settings, env) if settings.entra.credential == "certificate" else None
    try:
        session = Transport(trust(settings.entra.ca_file, settings.root, env))
        token = sign_in(settings.entra, env, session, say).token()
    except ReconcileError as error:
        return Entra(
            settings.entra.credential, why(error), Unknown("It did not sign in."), Unknown("It did not sign in."), held
        )
    before = clock()
    read, skew = _read(settings, session, token, before, clock)
    return Entra(settings.entra.credential, token, read, skew, held)


def _read(
    settings: Settings, session: Transport, token: str, before: datetime, clock: Callable[[], datetime]
) -> tuple[str | Unknown, timedelta | Unknown]:
    url = f"{settings.entra.graph.rstrip('/')}/users?$top=1&$select=id"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        answer = session.request("GET", url, headers=headers)
    except requests.RequestException as error:
        unreachable = why(explain(error, settings.entra.graph))
        return unreachable, unreachable
    said = _date(answer.headers.get("Date", ""))
    # Its date has whole seconds, and the answer took a while: within these bounds nothing can be told.
    skew = Unknown("Graph's answer has no date.") if said is None else _between(said, before, clock())
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    if not answer.ok or answer.is_redirect:
        return why(graph_refused(answer.status_code, body if isinstance(body, dict) else {}, "to show one user")), skew
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        return "", skew
    what = f"{settings.entra.graph} answered with something other than users (HTTP {answer.status_code})."
    return Unknown(f"{what} A proxy or a captive portal may have answered in its place."), skew


def _between(said: datetime, before: datetime, after: datetime) -> timedelta:
    if before - _SECOND <= said <= after + _SECOND:
        return timedelta()
    return before - said if before > said else after - said


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def key(settings: Settings, env: Mapping[str, str]) -> Key | Unknown:
    """Return what can be seen of the file with the app's private key."""
    from cryptography.x509 import load_pem_x509_certificate

    from reconciler.graph.certificate import load

    name = env.get("RECONCILE_ENTRA_CERTIFICATE", "")
    if not name:
        return Unknown("RECONCILE_ENTRA_CERTIFICATE is not set.")
    path = Path(name)
    try:
        found = load(path, env.get("RECONCILE_ENTRA_CERTIFICATE_PASSWORD", ""))
        mode = path.stat().st_mode
    except ReconcileError as error:
        return why(error)
    except OSError as error:
        return Unknown(f"{path} cannot be read: {error.strerror}")
    certificate = load_pem_x509_certificate(found["public_certificate"].encode())
    others = bool(mode & (stat.S_IRGRP | stat.S_IROTH)) if os.name == "posix" else None
    inside = path.resolve().is_relative_to(Path(settings.root).resolve())
    return Key(str(path), certificate.not_valid_after_utc, others, inside)
