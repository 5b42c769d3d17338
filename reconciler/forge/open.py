"""Chooses the forge that `reconcile.yaml` names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.errors import SettingsError
from reconciler.model.settings import Settings

from .git import PlainGit
from .port import Forge

TOKENS = ("RECONCILE_FORGE_TOKEN", "GITHUB_TOKEN")
"""Where a token is looked for, in order."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def open_forge(settings: Settings, env: Mapping[str, str]) -> Forge:
    """Return the configured forge; nothing is connected yet. Raises SettingsError."""
    forge = settings.forge
    if forge.kind == "git":
        return PlainGit(forge.remote)
    if forge.kind != "github":
        raise SettingsError(f"forge.kind: {forge.kind!r} is not known", "Set it to github or git.")
    if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", forge.repository or ""):
        raise SettingsError(f"forge.repository: {forge.repository!r} is not OWNER/NAME", "Write contoso/identity, say.")
    from reconciler.graph.transport import trust  # with requests behind it: not for commands that need no forge

    from .github import GitHub

    return GitHub(_url(forge.url), str(forge.repository), _token(env), trust(None, settings.root, env))


def open_job(env: Mapping[str, str]) -> Forge:
    """Return the forge whose CI job this is, by the job's own environment. Raises SettingsError."""
    repository = env.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        raise SettingsError("this is no job of GitHub Actions: GITHUB_REPOSITORY names none", "Run it in one.")
    from reconciler.graph.transport import trust

    from .github import GitHub

    return GitHub(_url(env.get("GITHUB_API_URL", "")), repository, _token(env), trust(None, ".", env))


def _url(url: str) -> str:
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url  # the reading that counts: requests connects by it

    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = parse_url("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.host in _LOOPBACK)
    if not safe or not parts.host or parts.auth is not None or parts.query or parts.fragment:
        remedy = "Write https://api.github.com, or https://HOST/api/v3: the token only ever travels over TLS."
        raise SettingsError("forge.url is not the https:// address of an API", remedy)
    return url.rstrip("/")


def _token(env: Mapping[str, str]) -> str:
    name = next((name for name in TOKENS if env.get(name, "").strip()), None)
    if name is None:
        remedy = f"Set {TOKENS[0]} to a token that may read pull requests (to propose: write them), or set forge.kind to git."
        raise SettingsError("there is no token for the forge", remedy)
    token = env[name].strip()
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise SettingsError(
            f"{name} holds something that is no token", "Copy the token again: one line of letters and digits."
        )
    return token
