"""From the settings to a source of guests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.model.settings import Settings

from .auth import sign_in
from .client import GraphClient
from .port import GuestSource
from .source import GraphUsers
from .transport import Transport, trust


def open_source(settings: Settings, env: Mapping[str, str], say: Callable[[str], None]) -> GuestSource:
    """Return the tenant's users as the settings describe the way to them. Nothing is sent before the first read.

    `env` is the environment that holds the secrets; `say` is given what a person must do to sign in. Raises
    SettingsError when something is missing there, or `entra.ca_file` cannot be used.
    """
    session = Transport(trust(settings.entra.ca_file, settings.root, env))
    tokens = sign_in(settings.entra, env, session, say)
    return GraphUsers(GraphClient(settings.entra.graph, session, tokens))
