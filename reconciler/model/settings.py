"""`reconcile.yaml` as typed records; `reconciler.config` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .dn import DN


@dataclass(frozen=True, slots=True)
class Entra:
    """How to reach Microsoft Graph. `credential`: secret, certificate, federated, device-code or azure."""

    tenant: str
    client_id: str
    credential: str
    authority: str
    graph: str
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class Directory:
    """How to reach the domain. `controllers` are ldaps:// or ldap:// (StartTLS) URLs, tried in order."""

    controllers: tuple[str, ...]
    base: DN
    ous: tuple[DN, ...]
    bind: str
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check that must have succeeded. `app` is who must have reported it: an app's name, or an account's; None: any app."""

    name: str
    app: str | None = None


@dataclass(frozen=True, slots=True)
class Forge:
    """Where the plan is proposed. `approvals` and `checks` are what apply demands of the merged pull request."""

    kind: str
    remote: str
    branch: str
    url: str
    repository: str | None
    approvals: int
    checks: tuple[RequiredCheck, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """One operations directory's settings. `sha256` is over the file's bytes."""

    entra: Entra
    directory: Directory
    forge: Forge
    lifetime: timedelta
    batch: int
    sha256: str
    root: str
    """The operations directory's path: relative `ca_file`s start there."""
