"""Assertions for workload identity federation: somebody else's short-lived token instead of a secret of our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import requests

from reconciler.errors import GraphError, SettingsError

from .transport import Transport, explain, https_origin

_FILES: Final = ("RECONCILE_ENTRA_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE")
_AUDIENCE: Final = "api://AzureADTokenExchange"
_AUDIENCES: Final[Mapping[str, str]] = {
    "login.microsoftonline.us": "api://AzureADTokenExchangeUSGov",
    "login.partner.microsoftonline.cn": "api://AzureADTokenExchangeChina",
}
"""Sovereign clouds name the token exchange differently."""


def assertion(env: Mapping[str, str], session: Transport, authority: str) -> Callable[[], str]:
    """Return what reads the assertion afresh, for each token request: it lives minutes only.

    From the file RECONCILE_ENTRA_TOKEN_FILE or AZURE_FEDERATED_TOKEN_FILE, else, in a GitHub Actions job with
    `id-token: write`, from GitHub. Raises SettingsError when there is neither; the returned function does, or
    GraphError, when there is no token after all.
    """
    for name in _FILES:
        if file := env.get(name):
            return lambda: _in_file(Path(file), name)
    url, bearer = env.get("ACTIONS_ID_TOKEN_REQUEST_URL"), env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if url and bearer:
        https_origin(url, "ACTIONS_ID_TOKEN_REQUEST_URL")
        audience = _AUDIENCES.get(urlsplit(authority).hostname or "", _AUDIENCE)
        return lambda: _of_github(session, url, bearer, audience)
    raise SettingsError(
        "entra.credential is federated, and there is no token to present",
        "Set RECONCILE_ENTRA_TOKEN_FILE to the file that holds it; in GitHub Actions grant the job `id-token: write`.",
    )


def _in_file(file: Path, name: str) -> str:
    try:
        token = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a token"
        raise SettingsError(
            f"{name}: {file}: {why}", "It must name a readable file with the token to present."
        ) from error
    if not token:
        raise SettingsError(f"{name}: {file} is empty", "It must hold the token to present to Entra.")
    return token


def _of_github(session: Transport, url: str, bearer: str, audience: str) -> str:
    separator = "&" if urlsplit(url).query else "?"
    asked = f"{url}{separator}audience={quote(audience, safe='')}"
    try:
        answer = session.get(asked, headers={"Authorization": f"Bearer {bearer}"})
    except requests.RequestException as error:
        raise explain(error, url) from error
    try:
        token = json.loads(answer.content)["value"] if answer.ok else None
    except (ValueError, LookupError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token:
        raise GraphError(
            f"GitHub gave no identity token (HTTP {answer.status_code})",
            "Grant the job `permissions: id-token: write`; a job of a fork's pull request never gets one.",
        )
    return token
