"""Settings that lead to a peer on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from reconciler.errors import GraphError
from reconciler.graph.connect import open_source
from reconciler.graph.port import GuestSource
from reconciler.model.dn import DN
from reconciler.model.settings import Directory, Entra, Forge, Settings

TENANT = "7b3f0000-0000-4000-8000-000000000001"
CLIENT = "5d1c0000-0000-4000-8000-000000000002"
SECRET = "s3cr3t~of.the-app"

Place = Callable[..., Entra]
"""Makes the settings of a running tenant for a kind of credential."""


def entra(
    url: str, ca_file: str | None, credential: str = "secret", *, tenant: str = TENANT, client: str = CLIENT
) -> Entra:
    return Entra(tenant, client, credential, url, f"{url}/v1.0", ca_file)


def settings(where: Entra, root: str = "/") -> Settings:
    base = DN("DC=contoso,DC=test")
    return Settings(
        where,
        Directory(("ldaps://dc1.contoso.test",), base, (base,), "simple", None),
        Forge("git", "origin", "main", "", None, 0, ()),
        timedelta(hours=24),
        5000,
        "0" * 64,
        root,
    )


def source(where: Entra, env: Mapping[str, str] | None = None, said: list[str] | None = None) -> GuestSource:
    """Open the source as the command line does; the lines for a person go to `said`."""
    given = {"RECONCILE_ENTRA_SECRET": SECRET} if env is None else env
    return open_source(settings(where), given, ([] if said is None else said).append)


def guests(found: GuestSource) -> list[object]:
    users = found.round(("mail", "userType"), None).users.values()
    return [each.get("mail") for each in users if each.get("userType") == "Guest"]


def refusal(found: GuestSource) -> GraphError:
    with pytest.raises(GraphError) as caught:
        guests(found)
    return caught.value
