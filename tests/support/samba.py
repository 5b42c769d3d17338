"""Fixtures for tests against a real domain controller. A missing Samba fails them; nothing is skipped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from reconciler.demo.samba import Controller, Login
from reconciler.model.dn import DN
from reconciler.model.settings import Directory, Entra, Forge, Settings


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who signs in to the domain in tests: its administrator, and an account with no rights of its own."""

    administrator: Login
    reader: Login


@pytest.fixture(scope="session")
def samba() -> Iterator[Controller]:
    """Yield a domain controller of this session's (of this xdist worker's) own."""
    with Controller() as controller:
        yield controller


@pytest.fixture(scope="session")
def samba_accounts(samba: Controller) -> Accounts:
    """Return who may sign in."""
    return Accounts(Login(samba.admin_user, samba.admin_password), samba.reader("reader"))


@pytest.fixture
def samba_ou(samba: Controller) -> DN:
    """Return a fresh organizational unit, with `OU=Departed` inside."""
    return fresh_ou(samba)


def fresh_ou(samba: Controller) -> DN:
    """Make an organizational unit that no other test has, with `OU=Departed` inside."""
    ou = DN(f"OU=Guests-{uuid.uuid4().hex[:12]},{samba.base}")
    with samba.administrator() as administrator:
        administrator.ou(ou.text)
        administrator.ou(f"OU=Departed,{ou.text}")
    return ou


def samba_settings(samba: Controller, ous: Sequence[DN] = (), **directory: Any) -> Settings:
    """Return settings for this controller; `directory` replaces fields of that section."""
    fields = {
        "controllers": (samba.url,),
        "base": DN(samba.base),
        "ous": tuple(ous) or (DN(samba.base),),
        "bind": "simple",
        "ca_file": str(samba.ca_file),
        **directory,
    }
    return Settings(
        entra=Entra("contoso.test", "client", "secret", "https://login.test", "https://graph.test", None),
        directory=Directory(**fields),
        forge=Forge("git", "origin", "main", "https://forge.test", None, 1, ()),
        lifetime=timedelta(hours=24),
        batch=5000,
        sha256="0" * 64,
        root=str(samba.root),
    )


def samba_env(login: Login) -> dict[str, str]:
    """Return the environment in which `login` signs in."""
    return {"RECONCILE_LDAP_USER": login.user, "RECONCILE_LDAP_PASSWORD": login.password}
