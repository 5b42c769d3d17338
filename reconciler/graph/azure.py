"""Signing in as whoever this machine already is: `az login` at a workstation, a managed identity in Azure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from reconciler.errors import GraphError, SettingsError
from reconciler.model.settings import Entra

logging.getLogger("azure").addHandler(logging.NullHandler())  # or its warnings would go to standard error

_EARLY: Final = 300.0
"""Seconds before its end that a token is no longer used."""


class AzureTokens:
    """Tokens of azure-identity: the Azure CLI's account first, then the managed identity `entra.client_id`.

    `clock` gives seconds since the epoch. Raises SettingsError when the extra `azure` is not installed.
    """

    def __init__(self, entra: Entra, scope: str, clock: Callable[[], float] = time.time) -> None:
        try:
            # An extra, and slow to import.
            from azure.identity import AzureCliCredential, ChainedTokenCredential, ManagedIdentityCredential
        except ImportError as error:
            raise SettingsError(
                "entra.credential is azure, and azure-identity is not installed",
                "Install reconcile with its extra `azure` (see Install in README.md).",
            ) from error
        try:
            self._credential = ChainedTokenCredential(
                AzureCliCredential(tenant_id=entra.tenant),
                ManagedIdentityCredential(client_id=entra.client_id or None),
            )
        except ValueError as error:
            raise SettingsError(
                f"entra.tenant: {entra.tenant!r} is not a tenant", "Write its GUID or a domain."
            ) from error
        self._scope = scope
        self._clock = clock
        self._token = ""
        self._until = 0.0

    def token(self, *, renew: bool = False) -> str:
        """Return a token, asking the machine for another one shortly before the last ends."""
        if renew or self._clock() > self._until - _EARLY:
            from azure.core.exceptions import AzureError

            try:
                found = self._credential.get_token(self._scope)
            except AzureError as error:
                raise GraphError(
                    "Neither the Azure CLI nor a managed identity gave a token",
                    "Run `az login` with an account of entra.tenant, or use a machine whose managed identity is"
                    " entra.client_id; otherwise choose another entra.credential.",
                ) from error
            self._token, self._until = found.token, float(found.expires_on)
        return self._token
