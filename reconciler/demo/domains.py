"""The two domains a demonstration can run against: one in memory, one a real Samba domain controller."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reconciler.cli.context import Ports
from reconciler.model.dn import DN

_OUS = ("OU=Guests", "OU=Fabrikam,OU=Guests", "OU=Departed,OU=Guests")


class DemoDomain(Protocol):
    """A domain with the default policy's OUs in it."""

    controller: str
    base: str
    ca_file: Path | None
    env: dict[str, str]
    """How `reconcile` signs in."""
    ports: Ports
    words: str
    """What it is, for the story."""

    def edit(self, dn: str, attribute: str, value: str) -> None:
        """Change an account by hand, as an administrator would."""
        ...


@dataclass
class MemoryDomain:
    """In this process. The commands reach it through their ports, as they reach a real one."""

    controller: str = "ldaps://dc1.contoso.test"
    base: str = "DC=contoso,DC=test"
    ca_file: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    words: str = "an in-memory Active Directory with AD's own rules"

    def __post_init__(self) -> None:
        from reconciler.directory.memory import MemoryDirectory

        self._database = MemoryDirectory(DN(self.base), random.Random(7))
        for ou in _OUS:
            self._database.create_ou(DN(f"{ou},{self.base}"))
        self.ports = Ports(
            reader=lambda _settings, _policy, _env, _ask: self._database.reader(self.controller),
            writer=lambda settings, _policy, _env, _ask, _controller: self._database.writer(
                self.controller, writable=settings.directory.ous
            ),
        )

    def edit(self, dn: str, attribute: str, value: str) -> None:
        """Change an account by hand."""
        self._database.edit(DN(dn), attribute, value)


class SambaDomain:
    """A Samba domain controller; `reconcile` signs in with an account that may write under OU=Guests only."""

    words = "a real domain controller (Samba) on this machine"

    def __init__(self) -> None:
        from reconciler.demo.samba import Controller

        self._controller = Controller()
        self.ports = Ports()

    @contextmanager
    def running(self) -> Iterator[SambaDomain]:
        """Run the controller for the length of the block."""
        with self._controller as dc:
            self.controller, self.base = dc.url, dc.base
            self.ca_file: Path | None = dc.ca_file
            with dc.administrator() as administrator:
                for ou in _OUS:
                    administrator.ou(f"{ou},{dc.base}")
            login = dc.writer("reconcile", f"OU=Guests,{dc.base}")
            self.env = {"RECONCILE_LDAP_USER": login.user, "RECONCILE_LDAP_PASSWORD": login.password}
            yield self

    def edit(self, dn: str, attribute: str, value: str) -> None:
        """Change an account by hand."""
        with self._controller.administrator() as administrator:
            administrator.replace(dn, attribute, [value])
